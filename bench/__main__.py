"""All measurements, printed as a table of ratios: `make bench`, or `PYTHONPATH=tests python -m bench [--write]`.

Every ratio compares two figures of this run. A peer that is not installed, or real data that is not there, leaves
its lines out and is named.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import stillframe
from bench import against_debuggers, against_stackwalk, against_symbolizer, inputs, measure, values
from bench.result import Result, megabytes, milliseconds
from support.data import SHARED_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parent.parent
HELLO = REPOSITORY / "examples" / "hello"
MADE = SHARED_DATA / "made"
STILLFRAME = Path(sys.executable).parent / "stillframe"
GIB = 1 << 30


def opening() -> Iterator[Result]:
    """A file's size must not be felt when it is opened and asked for one thing."""
    with tempfile.TemporaryDirectory() as folder:
        dump = inputs.large_dump(HELLO / "hello64.dmp", Path(folder) / "large.dmp", GIB)
        for name in ("hello64.exe", "hello64.pdb", "hello.cpp"):
            shutil.copy(HELLO / name, folder)
        small = measure.in_process(lambda: stillframe.open(HELLO / "hello64.dmp").threads[0].frames)
        large = measure.in_process(lambda: stillframe.open(dump).threads[0].frames)
        yield Result(
            "open a dump and walk a stack: 1 GiB of memory against 4 KB",
            milliseconds(large),
            milliseconds(small),
            f"{large / small:.2f}",
        )
        inputs.large_pdb(HELLO / "hello64.pdb", Path(folder) / "hello64.pdb", 500_000_000)
        small_dump = shutil.copy(HELLO / "hello64.dmp", folder)
        large = measure.in_process(lambda: stillframe.open(small_dump).threads[0].frames[1].location)
        small = measure.in_process(lambda: stillframe.open(HELLO / "hello64.dmp").threads[0].frames[1].location)
        yield Result(
            "file and line of a frame: PDB of 500 MB against 78 KB",
            milliseconds(large),
            milliseconds(small),
            f"{large / small:.2f}",
        )


def walking() -> Iterator[Result]:
    """All stacks of a dump with symbols, in this process, files in the cache of the system."""
    path = MADE / "app_x64.d.crash.t0.dmp"

    def stacks() -> int:
        frames = [frame for thread in stillframe.open(path).threads for frame in thread.frames]
        return len([(frame.name, frame.location) for frame in frames])

    count = stacks()
    seconds = measure.in_process(stacks)
    yield Result(f"open and walk all threads, {count} frames with names and lines", milliseconds(seconds), "", "")
    yield Result("the same, per frame", f"{seconds / count * 1e6:.1f} µs", "", "")


def against_lldb() -> Iterator[Result]:
    """The whole command, from start to end."""
    lldb = shutil.which("lldb-19")
    assert lldb is not None
    dump = "app_x64.d.crash.t0.dmp"
    ours = measure.command([STILLFRAME, "stack", dump, "--thread", "all"], cwd=MADE)
    peer = measure.command([lldb, "-b", "-c", dump, "-o", "bt all"], cwd=MADE)
    bare_peer = measure.command([lldb, "-x", "-l", "none", "-b", "-c", dump, "-o", "bt all"], cwd=MADE)
    for tool, cost in (("stillframe", ours), ("lldb", peer), ("lldb without scripts", bare_peer)):
        if "crash_here" not in cost.output:
            raise RuntimeError(f"{tool} does not show the stack:\n{cost.output}")
    yield Result(
        "`stack --thread all` against `lldb-19 -b -c … -o 'bt all'`, time",
        milliseconds(ours.seconds),
        milliseconds(peer.seconds),
        f"{ours.seconds / peer.seconds:.2f}",
    )
    yield Result(
        "the same against lldb without start-up files and script language, time",
        milliseconds(ours.seconds),
        milliseconds(bare_peer.seconds),
        f"{ours.seconds / bare_peer.seconds:.2f}",
    )
    yield Result(
        "the same, peak memory",
        megabytes(ours.peak_memory_bytes),
        megabytes(bare_peer.peak_memory_bytes),
        f"{ours.peak_memory_bytes / bare_peer.peak_memory_bytes:.2f}",
    )


def starting() -> Iterator[Result]:
    """What is paid before any work, against Python's own start."""
    python = [sys.executable, "-I", "-c"]
    nothing = measure.command([*python, "pass"], runs=20).seconds
    package = measure.command([*python, "import stillframe"], runs=20).seconds
    command = measure.command([STILLFRAME, "--help"], runs=20).seconds
    report = measure.command([STILLFRAME, "report", HELLO / "hello.dmp"], runs=20).seconds
    for subject, seconds in (
        ("import stillframe", package),
        ("stillframe --help", command),
        ("stillframe report", report),
    ):
        yield Result(
            f"{subject} against `python -c pass`",
            milliseconds(seconds),
            milliseconds(nothing),
            f"{seconds / nothing:.2f}",
        )


def is_optimised() -> bool:
    """Whether the engine is a release build; figures of any other build mean nothing."""
    return bool(stillframe._engine.IS_OPTIMISED)


def run() -> Iterator[Result | str]:
    yield from starting()
    yield from opening()
    if not MADE.is_dir():
        yield "left out: real dumps (no data folder)"
        return
    yield from walking()
    if shutil.which("lldb-19") is None:
        yield "left out: lldb (lldb-19 is not installed)"
    else:
        yield from against_lldb()
    yield from against_stackwalk.run(STILLFRAME, SHARED_DATA / "others" / "rust-minidump")
    yield from against_symbolizer.run(STILLFRAME, SHARED_DATA / "others" / "dump_syms" / "basic32.pdb")
    yield from values.run(STILLFRAME, MADE, HELLO / "hello64.dmp")
    yield from against_debuggers.run(STILLFRAME)


def main() -> None:
    """Prints the table; with `--write`, to `bench/RESULTS.md` too."""
    if not is_optimised():
        sys.exit("bench: the engine is not a release build; run `make bench`")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    ).stdout.strip()
    lines = [
        f"Measured at {commit or 'an unknown commit'}, the best of several runs. Below 1 is less than the peer.",
        "",
    ]
    lines += ["| what | stillframe | against | ratio |", "| --- | --- | --- | --- |"]
    for result in run():
        if isinstance(result, str):
            lines += ["", result]
        else:
            lines.append(f"| {result.subject} | {result.ours} | {result.peer} | {result.ratio} |")
        print(lines[-1], flush=True)
    if "--write" in sys.argv:
        (REPOSITORY / "bench" / "RESULTS.md").write_text("# Measurements\n\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
