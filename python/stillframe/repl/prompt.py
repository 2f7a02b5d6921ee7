"""The prompt: history, completion, and one line for every mistake."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stillframe.cli.page import write
from stillframe.errors import ExpressionError, StillframeError
from stillframe.repl import verbs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prompt_toolkit.completion import CompleteEvent, Completion
    from prompt_toolkit.document import Document

    from stillframe.repl.session import Session

MOST_COMPLETIONS = 50
SHORTEST_SYMBOL = 3
"""Letters of a symbol that are typed before symbols are looked through."""


def answer(session: Session, text: str) -> int:
    """Carries out the commands of a line and shows what they answer. Returns how many had no answer."""
    failures = 0
    for command in verbs.commands(text):
        try:
            verbs.execute(session, command).page.show()
        except StillframeError as error:
            failures += 1
            if isinstance(error, ExpressionError):
                print(error.pointed, file=sys.stderr)
            print(f"stillframe: {error}", file=sys.stderr)
        if session.is_over:
            break
    return failures


def converse(session: Session) -> None:
    """Asks for commands until the session is over, the input ends, or `q`. Ctrl-C ends what runs, not the session."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    class Names(Completer):
        """Verbs, variables and symbols."""

        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002
            from prompt_toolkit.completion import Completion

            text = document.text_before_cursor
            for name, length in completions(session, text):
                yield Completion(name, start_position=-length)

    history = _history_path()
    prompt: PromptSession[str] = PromptSession(
        history=InMemoryHistory() if history is None else FileHistory(str(history)),
        completer=Names(),
        complete_while_typing=False,
    )
    while not session.is_over:
        try:
            text = prompt.prompt(_prompt_text(session))
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        try:
            answer(session, text)
        except KeyboardInterrupt:
            write("interrupted\n")


def _prompt_text(session: Session) -> str:
    """`0:000#2> `, as WinDbg's with the frame."""
    try:
        return f"0:{session.thread.index:03}#{session.frame.index}> "
    except StillframeError:
        return "0:> "


def completions(session: Session, text: str) -> list[tuple[str, int]]:
    """What the end of `text` may become, and how many of its letters that replaces."""
    start = verbs.last_command(text)
    if re.fullmatch(r"\s*\S*", start):
        word = start.lstrip()
        return [(name, len(word)) for name in sorted(verbs.BY_NAME) if word and name.startswith(word)]
    found = re.search(r"(?:(\w[\w.]*)!)?([A-Za-z_][\w:]*)$", start)
    if found is None:
        return []
    module, word = found[1], found[2]
    names: list[str] = []
    if module is None:
        names += _variables(session, word)
    if module is not None or len(word) >= SHORTEST_SYMBOL:
        names += _symbols(session, module, word)
    return [(name, len(word)) for name in list(dict.fromkeys(names))[:MOST_COMPLETIONS]]


def _variables(session: Session, start: str) -> list[str]:
    try:
        return [it.name for it in session.frame.variables if it.name.startswith(start)]
    except StillframeError:
        return []


def _symbols(session: Session, module: str | None, start: str) -> list[str]:
    try:
        chosen = session.dump.modules[module] if module else session.frame.module
        found = [] if chosen is None else chosen.symbols.search(f"{start}*", MOST_COMPLETIONS)
    except StillframeError:
        return []
    return [symbol.name for symbol in found if symbol.name.startswith(start)]


def _history_path() -> Path | None:
    """Where this user's history is kept: `$XDG_STATE_HOME`, else `~/.local/state`; None if that cannot be."""
    try:
        base = os.environ.get("XDG_STATE_HOME")
        folder = (Path(base) if base else Path.home() / ".local" / "state") / "stillframe"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder / "history"
