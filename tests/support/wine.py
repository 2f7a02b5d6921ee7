"""Programs for Windows that are built here and run under Wine, where they crash and dump themselves.

`WINE` is the command that runs a Windows program, `WINE_DIR` the folder that is its current one, as in
`examples/hello/build.sh`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from support.data import shared_data

NORMAL, FULL_MEMORY = 0, 2
"""MINIDUMP_TYPE."""
DUMPS_ITSELF = """
#include <windows.h>
#include <stdio.h>
#include "selfdump.h"
static struct Installed { Installed() { install_selfdump(__argv[1], __argv[2]); } } installed;
"""
COMPILERS = {
    "gcc": "{cpu}-w64-mingw32-g++ -static",
    "clang": "clang++-19 --target={cpu}-w64-windows-gnu -fuse-ld=lld-19 -static",
}


class Build(NamedTuple):
    compiler: str
    """A key of `COMPILERS`."""
    debug: str
    """The option for debug information: DWARF in the image, or a PDB."""
    cpu: str

    def __str__(self) -> str:
        return "".join(self)


CPUS = ("x86_64", "i686")
FORMATS = [("gcc", "-gdwarf-4"), ("gcc", "-gdwarf-5"), ("clang", "-gdwarf-5"), ("clang", "-gcodeview")]
BUILDS = [Build(compiler, debug, cpu) for compiler, debug in FORMATS for cpu in CPUS]


def wine() -> list[str]:
    command = shlex.split(os.environ.get("WINE", "wine"))
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    return command


def built(build: Build, level: str, source: str, folder: Path) -> Path:
    """The program of a file of the lab, with its PDB beside it if it has one."""
    sources = shared_data().parent / "lab" / "src"
    command = shlex.split(COMPILERS[build.compiler].format(cpu=build.cpu))
    for tool in (command[0], f"{build.cpu}-w64-mingw32-g++"):  # clang takes headers and libraries of MinGW
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    program = folder / f"stillframe-test-{os.getpid()}.exe"
    (folder / "dumps_itself.cpp").write_text(DUMPS_ITSELF)
    files: list[Path | str] = [folder / "dumps_itself.cpp", sources / source, "-o", program, "-ldbghelp"]
    pdb = [f"-Wl,--pdb={program.with_suffix('.pdb')}"] if build.debug == "-gcodeview" else []
    subprocess.run([*command, "-g", build.debug, level, *pdb, f"-I{sources}", *files], check=True, capture_output=True)
    assert program.with_suffix(".pdb").exists() is bool(pdb)
    return program


def dump_of(program: Path, kind: int) -> Path:
    """The dump of a program that crashes, beside it."""
    work = Path(os.environ.get("WINE_DIR", program.parent))
    there, dump = work / program.name, program.with_name(f"{program.stem}.{kind}.dmp")
    command = [*wine(), program.name, dump.name, str(kind)]
    if there != program:
        shutil.copy(program, there)
    try:
        subprocess.run(command, cwd=work, check=False, capture_output=True, timeout=60)
        assert (work / dump.name).is_file(), "Wine wrote no dump"
        if there != program:
            shutil.copy(work / dump.name, dump)
    finally:
        if there != program:
            there.unlink(missing_ok=True)
            (work / dump.name).unlink(missing_ok=True)
    return dump
