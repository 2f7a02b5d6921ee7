"""The first look-up of an address in a PDB: in a real one, in process; in half a gigabyte, against llvm-symbolizer."""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench import large_program, measure
from bench.result import Result, memory, milliseconds, times
from stillframe._engine import DebugFile
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.large_program import Program

IMAGE_BASE = 0x1_4000_0000
"""The linker's default."""
STACK = 0x10_0000
FIRST_LOOK_UPS = 400
"""Addresses of the real PDB that are tried."""


def run(stillframe: Path, basic32: Path) -> Iterator[Result | str]:
    """`basic32` is dump_syms' `basic32.pdb`, of 6.6 MB."""
    if basic32.exists():
        yield slowest_first_look_up(basic32)
    else:
        yield f"left out: {basic32.name} (not there)"
    program = large_program.program()
    symbolizer = shutil.which("llvm-symbolizer-19")
    if program is None or symbolizer is None:
        yield "left out: a PDB of 500 MB (clang++-19, lld-link-19 or llvm-symbolizer-19 is not installed)"
        return
    yield from in_large_pdb(stillframe, symbolizer, program)


def slowest_first_look_up(pdb: Path) -> Result:
    """Of many functions the one whose first look-up takes longest, each with the PDB opened afresh."""
    functions = [it for it in DebugFile.open(pdb).symbols_matching("*", 100_000) if it.kind == "function"]
    chosen = functions[:: max(1, len(functions) // FIRST_LOOK_UPS)]
    slowest = max(measure.in_process(partial(look_up, pdb, function.rva), runs=5) for function in chosen)
    subject = f"first look-up in `{pdb.name}`, in process: the slowest of {len(chosen)} functions"
    return Result(subject, milliseconds(slowest), "", "")


def look_up(pdb: Path, rva: int) -> str:
    """Function, file and line, with the PDB opened afresh."""
    [*_, scope] = DebugFile.open(pdb).scopes_at(rva)
    return f"{scope.function} {scope.location.file.path}:{scope.location.line}" if scope.location else scope.function


def in_large_pdb(stillframe: Path, symbolizer: str, program: Program) -> Iterator[Result]:
    """A dump with one thread that stands in the function, and the function's address."""
    with tempfile.TemporaryDirectory() as folder:
        dump = dump_in(program, Path(folder) / "large.dmp")
        our_command: list[str | Path] = [stillframe, "stack", dump, "--symbols", program.pdb.parent]
        their_command = [symbolizer, f"--obj={program.image}", f"{IMAGE_BASE + program.rva:#x}"]
        size = f"PDB of {program.pdb.stat().st_size / 1e6:.0f} MB"
        files = [program.image, program.pdb]
        for state, before in (("files in the cache", None), ("files not in the cache", partial(evict, files))):
            ours = measure.command(our_command, before=before)
            theirs = measure.command(their_command, before=before)
            for tool, cost in (("stillframe", ours), ("llvm-symbolizer", theirs)):
                if large_program.LOOKED_UP not in cost.output:
                    raise RuntimeError(f"{tool} does not show the function:\n{cost.output}")
            yield times(f"first look-up in a {size} against `llvm-symbolizer-19`, {state}, whole command", ours, theirs)
            yield memory("the same", ours, theirs)
    start = measure.command([symbolizer, "--version"]).seconds
    theirs_alone = measure.command(their_command).seconds - start
    ours_alone = measure.in_process(partial(look_up, program.pdb, program.rva))
    yield Result(
        "the same in process, against llvm-symbolizer without its start",
        milliseconds(ours_alone),
        milliseconds(theirs_alone),
        f"{ours_alone / theirs_alone:.3f}",
    )


def evict(files: list[Path]) -> None:
    """Lets the system forget what it keeps of the files; on Linux it does."""
    for path in files:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def dump_in(program: Program, path: Path) -> Path:
    """A dump of a process whose thread is at `program.rva`."""
    with program.image.open("rb") as image:
        header = image.read(1024)
    (pe,) = struct.unpack_from("<I", header, 60)
    (time_date_stamp,) = struct.unpack_from("<I", header, pe + 8)
    (image_bytes,) = struct.unpack_from("<I", header, pe + 80)
    debug = DebugFile.open(program.pdb)
    assert debug.guid is not None
    assert debug.age is not None
    builder = DumpBuilder(cpu="amd64")
    builder.module("C:\\large.exe", IMAGE_BASE, image_bytes, time_date_stamp, pdb=("large.pdb", debug.guid, debug.age))
    builder.thread(1, {"rip": IMAGE_BASE + program.rva, "rsp": STACK}, STACK, bytes(4096))
    return builder.write(path)
