"""The verb `debug` of the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from stillframe.cli.verb import Unanswered, verb

if TYPE_CHECKING:
    from stillframe.cli.verb import Request


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

        answers: list[object] = []
        for command in (each for row in commands for each in verbs.commands(row)):
            output = verbs.execute(session, command)
            answers.append({"command": command, "answer": output.data() if output.data else None})
        schema.show({"answers": answers})
        return
    if commands:
        failures = sum(answer(session, row) for row in commands)
        if failures:
            raise Unanswered(f"{failures} of the commands had no answer")
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
