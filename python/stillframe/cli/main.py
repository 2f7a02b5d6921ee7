"""Entry of the command line. Imports only the verb that is asked for."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from stillframe.cli import exits

if TYPE_CHECKING:
    from collections.abc import Sequence

VERBS = {
    "report": "What happened: the crash, its stack, its modules, what is missing.",
    "stack": "Stacks of threads.",
    "locals": "Variables of frames: types, values, places.",
    "eval": "The value of an expression of C++ in a frame.",
    "threads": "The threads and where they are.",
    "modules": "The modules, and the state of their images and symbols.",
    "disasm": "Instructions woven with source.",
    "memory": "Bytes of memory, and where they come from.",
    "search": "Where bytes, a text or a pointer are in memory.",
    "type": "A type: its size, members, offsets.",
    "registers": "Registers of a frame.",
    "process": "Command line, directory, environment, times, handles.",
    "regions": "The address space, and how much of it the dump holds.",
    "streams": "What the file consists of.",
    "debug": "A debugger: WinDbg's verbs at a prompt, or given with -c.",
}
"""Every verb, with its line in `--help`. Verb NAME is `command` in `stillframe.cli.NAME`."""
OTHER_FRONTS = {"debug": "stillframe.repl.command"}
"""Verbs that are fronts of their own, which stand on this one."""


def module_of(verb: str) -> str:
    """The module whose `command` a verb is."""
    return OTHER_FRONTS.get(verb, f"stillframe.cli.{verb}")


class Verbs(click.Group):
    """Verbs that are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(module_of(cmd_name)).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


def _print_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"stillframe {version('stillframe')}")
        context.exit()


VERSION = click.Option(
    ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Show the version."
)
stillframe = Verbs(
    "stillframe",
    params=[VERSION],
    help="Opens a crash dump and shows the program again.",
    epilog=exits.EXPLANATION,
    subcommand_metavar="VERB DUMP [ARGUMENTS]",
    no_args_is_help=False,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line `arguments` (default: the process's own) and returns the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if sys.stdout is None:  # closed by who started us
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for the life of the process
    if "_STILLFRAME_COMPLETE" in os.environ:
        stillframe.main(words, "stillframe")
    try:
        return _run(words or ["--help"])
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return exits.OUTPUT_CLOSED


def _run(words: list[str]) -> int:
    try:
        with stillframe.make_context("stillframe", words) as context:
            stillframe.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except BrokenPipeError:
        raise
    except Exception as error:  # the last line of defence: no traceback unless asked for
        message, code = _in_words(error)
        return _fail(message, code, words)
    return exits.ANSWERED


def _in_words(error: Exception) -> tuple[str, int]:
    """The line that says what went wrong, and the exit code."""
    from stillframe._engine import EngineError
    from stillframe.errors import DumpError, StillframeError, SymbolPathError

    if isinstance(error, click.UsageError):
        of = error.ctx.command_path if error.ctx else "stillframe"
        return f"{error.format_message()} Try '{of} --help'.", exits.BAD_INPUT
    if isinstance(error, StillframeError):
        is_input = isinstance(error, DumpError | SymbolPathError)
        return str(error), exits.BAD_INPUT if is_input else exits.UNANSWERED
    if isinstance(error, EngineError):  # a question that it does not answer yet: damaged files are values by now
        return str(error), exits.UNANSWERED
    if isinstance(error, OSError):
        return f"the output cannot be written: {error.strerror}", exits.BAD_INPUT
    return f"internal error: {type(error).__name__}: {error}; with --debug it shows where", exits.BUG


def _fail(message: str, code: int, words: list[str]) -> int:
    """One line on standard error, after the traceback if `--debug` is among the words."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError:  # the disk is full: what was printed before is lost, the line below is not
        _discard_output()
    if "--debug" in words:
        import traceback

        traceback.print_exc()
    from stillframe.cli.page import one_line

    print(f"stillframe: {one_line(message)}", file=sys.stderr)
    return code


def _discard_output() -> None:
    """Python flushes standard output again at its end, and would complain again."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
