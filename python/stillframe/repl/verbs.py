"""All verbs, by name; commands in a row; help."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from stillframe.cli.page import Page, Styled
from stillframe.cli.verb import Unanswered
from stillframe.errors import StillframeError
from stillframe.repl import code, crash, memory, numbers, sources, stacks, values
from stillframe.repl.dx.verb import DisplayObject
from stillframe.repl.verb import Output, Verb, lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe import Thread
    from stillframe.cli.page import Part
    from stillframe.repl.session import Session

MOST_COMMANDS = 1000
"""In one row."""
_OF_THREADS = re.compile(r"~(\*|\.|#|\d+|~\[(?:0x)?[0-9a-fA-F]+\])\s*(.*)", re.DOTALL)


class Help(Verb):
    """Lists the verbs, or tells all about one."""

    names = (".help", "help", ".hh")
    usage = "[VERB]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        if arguments:
            verb = find(arguments)
            return lines(f"{', '.join(verb.names)}  {verb.usage}".rstrip(), *verb.help.splitlines())
        output = Output(data=lambda: {"verbs": [list(verb.names) for verb in ALL]})
        rows: list[list[Part]] = [
            [Styled(verb.names[0], "bold"), ", ".join(verb.names[1:]), verb.summary] for verb in ALL
        ]
        output.page.table(rows)
        return output


class Echo(Verb):
    """Shows its arguments."""

    names = (".echo", "echo")
    usage = "TEXT"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        return lines(arguments)


class Quit(Verb):
    """Ends the session."""

    names = ("q", "qq", "quit", "exit")

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        session.is_over = True
        return Output()


ALL: tuple[Verb, ...] = (
    *(stacks.Stack(), stacks.Threads(), stacks.ChooseFrame(), stacks.Up(), stacks.Down(), stacks.UniqueStacks()),
    *(values.Locals(), values.Evaluate(), DisplayObject(), values.DisplayType()),
    *(code.Disassemble(), code.Registers(), code.Nearest(), code.ExamineSymbols(), code.Modules()),
    *(memory.Display(), memory.Text(), memory.Pointers(), memory.Search(), memory.Address()),
    *(crash.Analyze(), crash.ExceptionRecord(), crash.LastEvent(), crash.CrashContext(), crash.LastError()),
    *(
        crash.ProcessFacts(),
        crash.ThreadBlock(),
        crash.Handles(),
        crash.Files(),
        *(sources.SourcePath(), sources.ListSource()),
        crash.WriteDump(),
    ),
    *(numbers.Formats(), numbers.ErrorName(), Echo(), Help(), Quit()),
)
OF_RUNNING_PROGRAMS = {
    *(
        "g",
        "gc",
        "gh",
        "gn",
        "gu",
        "go",
        "continue",
        "run",
        "pa",
        "pc",
        "pt",
        "ta",
        "tc",
        "tt",
        "step",
        "next",
        "finish",
    ),
    *("stepi", "nexti", "bp", "bu", "bm", "ba", "bl", "bc", "bd", "be", "break", "sxe", "sxd", "sxi", "sxn"),
    *(".restart", ".kill", ".detach", "eb", "ed", "eq", "ew", "ea", "eu"),
}
"""Verbs of other debuggers that make a program go on or change it."""
BY_NAME = {name: verb for verb in ALL for name in verb.names}


def find(name: str) -> Verb:
    """The verb of a name. :raises Unanswered: with the names that are near, if there is none."""
    verb = BY_NAME.get(name)
    if verb is None:
        if name in OF_RUNNING_PROGRAMS:
            raise Unanswered(f"{name}: the program of a dump does not run; it is at one place, and stays there")
        near = difflib.get_close_matches(name, BY_NAME, n=3)
        hint = f"; near: {', '.join(near)}" if near else "; .help lists the verbs"
        raise Unanswered(f"{name}: no such verb{hint}")
    return verb


def commands(text: str) -> Iterator[str]:
    """The commands of a row: `;` parts them, except in quotes, brackets and parentheses."""
    depth, quote, start, count = 0, "", 0, 0
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == ";" and depth <= 0:
            if text[start:at].strip():
                yield text[start:at].strip()
            start, count = at + 1, count + 1
            if count > MOST_COMMANDS:
                raise Unanswered(f"more than {MOST_COMMANDS:,} commands in a row")
    if text[start:].strip():
        yield text[start:].strip()


def without_json(command: str) -> tuple[str, bool]:
    """The command without the option `--json` at its end, and whether it was there."""
    rest = command.removesuffix("--json")
    return (rest.rstrip(), True) if rest != command and rest[-1:].isspace() else (command, False)


def execute(session: Session, command: str) -> Output:
    """Carries out one command. :raises StillframeError: if there is no answer."""
    if any("\ud800" <= letter <= "\udfff" for letter in command):  # bytes of the command line that are no UTF-8
        raise Unanswered("the command is no text: some of it is no character")
    if (of_threads := _OF_THREADS.fullmatch(command)) is not None:
        return _in_threads(session, of_threads[1], of_threads[2].strip())
    name, arguments = split(command)
    return find(name).run(session, name, arguments)


def split(command: str) -> tuple[str, str]:
    """The verb's name and its arguments. `??shape` and `?1+2` need no space, nor does `k5`."""
    for mark in ("??", "?"):
        if command.startswith(mark):
            return mark, command[len(mark) :].strip()
    name, _, arguments = command.partition(" ")
    if name not in BY_NAME and (counted := re.fullmatch(r"(k[bpnvc]?)(\d+)", name)) is not None:
        return counted[1], counted[2]
    return name, arguments.strip()


def _in_threads(session: Session, which: str, command: str) -> Output:
    """`~2s`, `~*k`, `~#dv`: chooses a thread, or carries a command out in some and comes back."""
    if command.startswith("~"):  # whose work would multiply
        raise Unanswered(f"{command[:20]}: one prefix of threads is enough")
    if which != "*":
        thread = stacks.thread_named(session, which)
        if command in {"", "s"}:
            if command == "s":
                session.choose_thread(thread)
                return stacks.current_frame(session)
            return stacks.stacks(session, [thread], 1)
        chosen = [thread]
    else:
        chosen = list(session.dump.threads)
        if not command:
            return stacks.Threads().run(session, "~", "")
    before = session.thread, session.frame.index if session.thread.frames else 0
    answers: list[Output] = []
    failures: list[StillframeError] = []
    try:
        for thread in chosen:
            session.choose_thread(thread)
            try:
                answers.append(execute(session, command))
            except StillframeError as error:  # the others may answer all the same
                failures.append(error)
                answers.append(_failure(thread, error))
    finally:
        session.choose_thread(before[0])
        if before[1]:
            session.choose_frame(before[1])
    if len(failures) == len(chosen) and failures:
        raise failures[0]
    page = Page()
    for answer in answers:
        page.blank()
        page.extend(answer.page)
    return Output(page, lambda: {"threads": [answer.data() if answer.data else None for answer in answers]})


def _failure(thread: Thread, error: StillframeError) -> Output:
    output = Output(data=lambda: {"thread": thread.index, "problem": error.message})
    output.page.line(f"thread {thread.index}: ", Styled(error.message, "yellow"))
    return output


def last_command(text: str) -> str:
    """The command that is being typed at the end of `text`."""
    return text.rpartition(";")[2]
