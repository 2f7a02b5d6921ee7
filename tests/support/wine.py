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
    """The dump of a program that crashes and dumps itself, beside it."""
    dump = program.with_name(f"{program.stem}.{kind}.dmp")
    _run([program], [program.name, dump.name, str(kind)], dump)
    return dump


def dump_by_debugger(program: Path, cpu: str, kind: int, folder: Path) -> Path:
    """The dump of a program that crashes, taken by `snap.c` of the lab."""
    compiler, debugger = f"{cpu}-w64-mingw32-gcc", folder / f"stillframe-test-{os.getpid()}-snap.exe"
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    source = shared_data().parent / "lab" / "src" / "snap.c"
    subprocess.run([compiler, "-O1", source, "-o", debugger, "-ldbghelp"], check=True, capture_output=True)
    dump = folder / f"stillframe-test-{os.getpid()}.dmp"
    own = folder / f"stillframe-test-{os.getpid()}.exe"
    shutil.copy(program, own)
    _run([debugger, own], [debugger.name, f"@{own.name}", dump.name, str(kind)], dump)
    return dump


def _run(files: list[Path], arguments: list[str], dump: Path) -> None:
    """Runs a program where Wine's current folder is, and brings the dump back from there."""
    work = Path(os.environ.get("WINE_DIR", dump.parent))
    is_elsewhere, made = work != dump.parent, work / dump.name
    brought = [Path(shutil.copy(path, work)) for path in files] if is_elsewhere else []
    try:
        subprocess.run([*wine(), *arguments], cwd=work, check=False, capture_output=True, timeout=60)
        assert made.is_file(), "Wine wrote no dump"
        if is_elsewhere:
            shutil.copy(made, dump)
    finally:
        for path in [*brought, made] if is_elsewhere else []:
            path.unlink(missing_ok=True)
