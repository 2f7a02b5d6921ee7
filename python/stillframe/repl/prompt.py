"""The prompt: history, completion, and one line for every mistake."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stillframe.cli.page import Page, one_line, write
from stillframe.cli.schema import show as show_json
from stillframe.cli.verb import Unanswered
from stillframe.errors import ExpressionError, StillframeError
from stillframe.repl import pager, verbs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prompt_toolkit.completion import CompleteEvent, Completion
    from prompt_toolkit.document import Document

    from stillframe.repl.session import Session


def answer(session: Session, text: str, show: Callable[[Page], None] = Page.show) -> int:
    """Carries out the commands of a line and shows what they answer. Returns how many had no answer."""
    failures = 0
    try:
        for command in verbs.commands(text):
            try:
                _answer(session, command, show)
            except StillframeError as error:
                failures += 1
                if isinstance(error, ExpressionError):
                    print(error.pointed, file=sys.stderr)
                _complain(str(error))
            if session.is_over:
                break
    except StillframeError as error:  # of the row itself
        _complain(str(error))
        return failures + 1
    return failures


def _answer(session: Session, command: str, show: Callable[[Page], None]) -> None:
    command, is_json = verbs.without_json(command)
    output = verbs.execute(session, command)
    if not is_json:
        show(output.page)
        return
    if output.data is None:
        raise Unanswered(f"{command}: has no answer as data")
    show_json(output.data())


def _complain(message: str) -> None:
    print(f"stillframe: {one_line(message)}", file=sys.stderr)


def converse(session: Session) -> None:
    """Asks for commands until the session is over, the input ends, or `q`. Ctrl-C ends what runs, not the session."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    class Names(Completer):
        """Verbs, variables and symbols."""

        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002
            from prompt_toolkit.completion import Completion

            from stillframe.repl.completion import completions

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
            answer(session, text, pager.show)
        except KeyboardInterrupt:
            write("interrupted\n")
        except Exception as error:  # a mistake of ours must not end an investigation
            _complain(f"internal error: {type(error).__name__}: {error}")


def _prompt_text(session: Session) -> str:
    """`0:000#2> `, as WinDbg's with the frame."""
    try:
        return f"0:{session.thread.index:03}#{session.frame.index}> "
    except StillframeError:
        return "0:> "


def _history_path() -> Path | None:
    """Where this user's history is kept: `$XDG_STATE_HOME`, else `~/.local/state`; None if that cannot be."""
    try:
        base = os.environ.get("XDG_STATE_HOME")
        folder = (Path(base) if base else Path.home() / ".local" / "state") / "stillframe"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder / "history"
