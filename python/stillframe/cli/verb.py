"""What all verbs share: the dump, `--symbols`, `--json`, `--debug`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

import stillframe
from stillframe.cli.exits import EXPLANATION
from stillframe.errors import SourcePathError, StillframeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stillframe.symbols.source_path import SourceTree


MOST_PROBLEMS = 20
"""Of natvis files, that are told."""


class Unanswered(StillframeError):  # noqa: N818 - the name of the outcome
    """A question that could not be answered, or only in part; the text says why and what would help."""


class Request(NamedTuple):
    """What was asked of a verb, besides its own arguments."""

    path: str
    symbols: tuple[str, ...] = ()
    as_json: bool = False
    natvis: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def open(self) -> stillframe.Dump:
        """:raises DumpError: :raises SymbolPathError: :raises click.UsageError: if a folder of symbols is none."""
        for folder in self.symbols:
            is_plain = not any(mark in folder for mark in "*;")
            if is_plain and not Path(folder).is_dir():
                raise click.UsageError(f"--symbols {folder}: no such folder.")
        for path in self.natvis:
            if not Path(path).exists():
                raise click.UsageError(f"--natvis {path}: no such file or folder.")
        for tree in source_trees(self.sources):
            if not tree.is_there:
                raise click.UsageError(f"--source {tree.folder}: no such folder.")
        return stillframe.open(self.path, symbols=self.symbols, natvis=self.natvis, sources=self.sources)


def source_trees(sources: Sequence[str]) -> tuple[SourceTree, ...]:
    """:raises click.UsageError:"""
    if not sources:
        return ()
    from stillframe.symbols.source_path import parse_source_path

    try:
        return parse_source_path(sources)
    except SourcePathError as error:
        raise click.UsageError(f"--source {error}.") from error


def tell_problems(dump: stillframe.Dump) -> None:
    """Says on standard error what is wrong with the natvis files that were needed, after the answer."""
    problems = dump.natvis_problems
    if not problems:
        return
    from stillframe.cli.page import one_line

    for problem in problems[:MOST_PROBLEMS]:
        print(f"stillframe: natvis: {one_line(problem)}", file=sys.stderr)
    if len(problems) > MOST_PROBLEMS:
        print(f"stillframe: natvis: {len(problems) - MOST_PROBLEMS:,} more problems", file=sys.stderr)


def verb(run: Callable[..., None], *parameters: click.Parameter) -> click.Command:
    """The command that calls `run(request, …)`; its docstring is the help, `parameters` are its own arguments."""

    def callback(dump: str, as_json: bool, debug: bool, **own: Any) -> None:  # noqa: ARG001
        places = {name: own.pop(name) for name in ("symbols", "natvis", "sources")}
        run(Request(dump, as_json=as_json, **places), **own)

    shared: list[click.Parameter] = [
        click.Option(
            ["--symbols"], multiple=True, metavar="DIR", help="Where images, PDBs and sources are; may be repeated."
        ),
        click.Option(["--natvis"], multiple=True, metavar="FILE|DIR", help="Visualizers of classes; may be repeated."),
        click.Option(
            ["--source", "sources"],
            multiple=True,
            metavar="DIR|FROM=TO",
            help="Where source is: a folder, or what it was called where the program was built, and where it is.",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="JSON instead of text (docs/json.md)."),
        click.Option(["--debug"], is_flag=True, help="On errors, show where they come from."),
    ]
    return click.Command(
        run.__module__.rpartition(".")[2],
        callback=callback,
        params=[click.Argument(["dump"], metavar="DUMP"), *parameters, *shared],
        help=run.__doc__,
        epilog=EXPLANATION,
    )
