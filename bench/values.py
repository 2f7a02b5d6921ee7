"""Values: all variables of all frames, and a type of a large PDB, beside lldb."""

from __future__ import annotations

import mmap
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import stillframe
from bench import inputs, large_program, measure
from bench.result import Result, memory, milliseconds, times
from stillframe._engine import DebugFile

if TYPE_CHECKING:
    from collections.abc import Iterator

DUMP = "app_x64.d.crash.t0.dmp"
GIB = 1 << 30
TYPE = "unit_3000::State2"
"""Of the large program."""


def run(command: Path, made: Path, hello64: Path) -> Iterator[Result | str]:
    """`command` is ours, `made` the folder of the dump; `hello64` is made large."""
    lldb = shutil.which("lldb-19")
    if lldb is None:
        yield "left out: values against lldb (lldb-19 is not installed)"
    else:
        yield from all_variables(command, lldb, made)
    yield pointer_in_large_dump(hello64)
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


def pointer_in_large_dump(small_dump: Path) -> Result:
    """A pointer that is nowhere, so that all is looked through; the peer is the system's search for one byte.

    Both read the same file, of which most is a hole: what is measured is the search and not the disk.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = inputs.large_dump(small_dump, Path(folder) / "large.dmp", GIB)
        dump = stillframe.open(path)
        pointer = bytes.fromhex("efcdab9078563412")
        ours = measure.in_process(lambda: dump.memory.search(pointer, alignment=8), runs=5, warm_up=1)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            start = whole.rfind(b"\xef") + 1  # from there on, this byte is nowhere
            peer = measure.in_process(lambda: whole.find(b"\xef", start), runs=5, warm_up=1)
            peer *= len(whole) / (len(whole) - start)
    subject = "a pointer sought through 1 GiB, in process, against `memchr` for one byte"
    return Result(subject, milliseconds(ours), milliseconds(peer), f"{ours / peer:.2f}")


def type_of_large_pdb(pdb: Path) -> Result:
    """A class with its members, by name, with the PDB opened afresh."""

    def members() -> int:
        debug = DebugFile.open(pdb)
        return len(debug.members_of(debug.types_named(TYPE)[0]))

    if members() < 5:  # kind, count, weight, next, items, title
        raise RuntimeError(f"{TYPE} has no members")
    seconds = measure.in_process(members, runs=10, warm_up=1)
    return Result("a type of a PDB of 562 MB by name, with its members, in process", milliseconds(seconds), "", "")
