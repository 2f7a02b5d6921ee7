"""The verb `debug` of the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from stillframe.cli.verb import Unanswered, tell_problems, verb
from stillframe.errors import StillframeError

if TYPE_CHECKING:
    from stillframe.cli.verb import Request
    from stillframe.repl.session import Session


def run(request: Request, commands: tuple[str, ...]) -> None:
    """Debugs the dump at a prompt, with the verbs of WinDbg and their names in English.

    With --command, carries those out and ends. `.help` lists the verbs; docs/debugger.md describes them.
    """
    from stillframe.repl import verbs
    from stillframe.repl.prompt import answer, converse
    from stillframe.repl.session import Session

    session = Session(request.open())
    if request.as_json:
        if not commands:
            raise click.UsageError("--json goes with --command.")
        from stillframe.cli import schema

        answers = [_as_data(session, each) for row in commands for each in verbs.commands(row)]
        schema.show({"answers": answers})
        _end(sum("problem" in each for each in answers))
        return
    if commands:
        failures = 0
        for row in commands:
            failures += answer(session, row)
            if session.is_over:
                break
        tell_problems(session.dump)
        _end(failures)
        return
    if sys.stdin.isatty():
        answer(session, ".lastevent; .frame" if session.dump.crashed_thread else ".lastevent")
        converse(session)
        return
    failures = 0
    for line in sys.stdin:
        failures += answer(session, line)
        if session.is_over:
            break
    tell_problems(session.dump)
    _end(failures)


def _as_data(session: Session, command: str) -> dict[str, object]:
    """What a command answers, or why it does not; the others are carried out all the same."""
    from stillframe.repl import verbs

    command, _ = verbs.without_json(command)
    try:
        output = verbs.execute(session, command)
        return {"command": command, "answer": output.data() if output.data else None}
    except StillframeError as error:
        return {"command": command, "answer": None, "problem": str(error)}


def _end(failures: int) -> None:
    if failures:
        raise Unanswered(f"{failures} of the commands had no answer")


command = verb(
    run,
    click.Option(
        ["--command", "-c", "commands"],
        multiple=True,
        metavar="COMMANDS",
        help="Carry these out, parted by `;`, and end; may be repeated.",
    ),
)
command.name = "debug"
