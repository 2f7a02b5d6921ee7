"""Dumps that Crashpad's handler writes of programs that are built and crashed here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest


def crashpad_dump(source: Path, compiler: str, level: str, folder: Path) -> Path:
    """The dump, with the program beside it. `source` includes `crashpad_client.h`, which says where the handler is."""
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is needed")
    client = (source.parent / "crashpad_client.h").read_text()
    handler = re.search(r'execl\("([^"]+)"', client)
    assert handler is not None
    if not Path(handler[1]).is_file():
        pytest.skip(f"Crashpad's handler is needed: {handler[1]}")
    command = [compiler, "-g", level, "-std=c++17", "-pthread", str(source), "-o", "program"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    subprocess.run(["./program"], cwd=folder, env={}, check=False, capture_output=True)
    (dump,) = (folder / "crashpad-db").glob("*/*.dmp")
    return dump


def folder_of_libraries() -> Path:
    """Where the C library of this machine is: dumps of Crashpad have names without folders."""
    maps = Path("/proc/self/maps").read_text()
    return Path(next(line for line in maps.splitlines() if "/libc.so" in line or "/libc-" in line).split()[-1]).parent
