"""Values: all variables of all frames, and a type of a large PDB, beside lldb."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import stillframe
from bench import large_program, measure
from bench.result import Result, memory, milliseconds, times
from stillframe._engine import DebugFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DUMP = "app_x64.d.crash.t0.dmp"
TYPE = "unit_3000::State2"
"""Of the large program."""


def run(command: Path, made: Path) -> Iterator[Result | str]:
    """`command` is ours, `made` the folder of the dump."""
    lldb = shutil.which("lldb-19")
    if lldb is None:
        yield "left out: values against lldb (lldb-19 is not installed)"
    else:
        yield from all_variables(command, lldb, made)
    program = large_program.program()
    if program is not None:
        yield type_of_large_pdb(program.pdb)


def all_variables(command: Path, lldb: str, made: Path) -> Iterator[Result]:
    """The peer has no command for all frames; it is told to go to each that has variables.

    Of the crashed thread alone: in the others it does not get as far as we do.
    """
    arguments: list[str] = ["-o", "bt all"]
    crashed = stillframe.open(made / DUMP).crashed_thread
    for frame in crashed.frames if crashed else ():
        if frame.variables:
            arguments += ["-o", f"frame select {frame.index}", "-o", "frame variable"]
    ours = measure.command([command, "locals", DUMP, "--thread", "all"], cwd=made)
    peer = measure.command([lldb, "-b", "-c", DUMP, *arguments], cwd=made)
    for tool, cost in (("stillframe", ours), ("lldb", peer)):
        if "doubled" not in cost.output or "106" not in cost.output:
            raise RuntimeError(f"{tool} does not show the variables:\n{cost.output}")
    subject = "`locals --thread all` against `lldb-19` with `bt all` and `frame variable` in each frame"
    yield times(subject, ours, peer)
    yield memory("the same", ours, peer)


def type_of_large_pdb(pdb: Path) -> Result:
    """A class with its members, by name, with the PDB opened afresh."""

    def members() -> int:
        debug = DebugFile.open(pdb)
        return len(debug.members_of(debug.types_named(TYPE)[0]))

    if members() < 5:  # kind, count, weight, next, items, title
        raise RuntimeError(f"{TYPE} has no members")
    seconds = measure.in_process(members, runs=10, warm_up=1)
    return Result("a type of a PDB of 562 MB by name, with its members, in process", milliseconds(seconds), "", "")
