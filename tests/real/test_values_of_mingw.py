"""Values of PE files with DWARF: `app.cpp` as MinGW and Clang build it, run under Wine, which dumps itself.

Skipped where a compiler, Wine or the source is not there. `WINE` is the command that runs a Windows program, `WINE_DIR`
the folder that is its current one, as in `examples/hello/build.sh`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import stillframe
from stillframe import Absent, Reason
from support.app_values import CONSTANTS, GLOBALS, check_all, count_right
from support.data import shared_data

CPUS = ["x86_64", "i686"]
COMPILERS = {
    "gcc": "{cpu}-w64-mingw32-g++",
    "clang": "clang++-19 --target={cpu}-w64-windows-gnu -fuse-ld=lld-19",
}
NORMAL, FULL_MEMORY = 0, 2
"""MINIDUMP_TYPE."""
LEAST_RIGHT = 15
"""With optimisation: clang keeps least, for x86."""


def dump_of(compiler: str, cpu: str, options: list[str], kind: int, folder: Path) -> stillframe.Dump:
    source = shared_data().parent / "lab" / "src" / "app.cpp"
    command = shlex.split(COMPILERS[compiler].format(cpu=cpu))
    wine = shlex.split(os.environ.get("WINE", "wine"))
    for tool in (command[0], f"{cpu}-w64-mingw32-g++", wine[0]):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    work = Path(os.environ.get("WINE_DIR", folder))
    program = work / f"stillframe-test-{os.getpid()}.exe"
    dump = program.with_suffix(".dmp")
    try:
        arguments: list[str | Path] = [
            *command,
            "-g",
            *options,
            "-DDUMPSELF",
            "-static",
            source,
            "-o",
            program,
            "-ldbghelp",
        ]
        subprocess.run(arguments, check=True, capture_output=True)
        subprocess.run(
            [*wine, program.name, dump.name, str(kind)], cwd=work, check=False, capture_output=True, timeout=60
        )
        assert dump.is_file(), "Wine wrote no dump"
        for path in (program, dump):
            shutil.copy(path, folder / path.name)
    finally:
        if work != folder:
            program.unlink(missing_ok=True)
            dump.unlink(missing_ok=True)
    return stillframe.open(folder / dump.name)


@pytest.mark.parametrize("kind", [NORMAL, FULL_MEMORY])
@pytest.mark.parametrize("cpu", CPUS)
@pytest.mark.parametrize(("compiler", "version"), [("gcc", 4), ("gcc", 5), ("clang", 5)])
def test_values(compiler: str, version: int, cpu: str, kind: int, tmp_path: Path) -> None:
    check_all(dump_of(compiler, cpu, [f"-gdwarf-{version}", "-O0"], kind, tmp_path))
    dump = dump_of(compiler, cpu, [f"-gdwarf-{version}", "-O2"], kind, tmp_path)
    assert count_right(dump) >= LEAST_RIGHT
    for name in set(GLOBALS) - CONSTANTS:
        value = dump[name]
        assert not isinstance(value, Absent)
        if kind == FULL_MEMORY:
            assert (name, value.read()) == (name, GLOBALS[name])
        else:
            assert value.absent is not None
            assert value.absent.reason is Reason.WRITABLE_SECTION
