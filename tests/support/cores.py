"""Cores of programs that are built and crashed here."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

BUILDS = [(compiler, level) for compiler in ("g++", "clang++-19") for level in ("-O0", "-O2") if shutil.which(compiler)]


def core_of(program: str, folder: Path, *arguments: str) -> Path:
    """What is left of a program that crashes."""

    def allow_cores() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    subprocess.run([program, *arguments], cwd=folder, env={}, preexec_fn=allow_cores, check=False)
    cores = list(folder.glob("core*"))
    if not cores:
        pytest.skip("this machine sends cores elsewhere (/proc/sys/kernel/core_pattern)")
    return cores[0]


def built_core(source: str, compiler: str, level: str, folder: Path) -> Path:
    """The core of a program in C++ that crashes, with program and source beside it."""
    if sys.platform != "linux":
        pytest.skip("cores are of Linux")
    (folder / "program.cpp").write_text(source)
    command = [compiler, "-g", level, "-std=c++17", "-pthread", "program.cpp", "-o", "program"]
    subprocess.run(command, cwd=folder, check=True)
    return core_of("./program", folder)
