"""Values of PE files with DWARF and with PDBs: the lab's programs as MinGW and Clang build them, run under Wine.

Skipped where a compiler, Wine or the source is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent, Reason
from support.app_values import CONSTANTS, GLOBALS, check_all, count_right
from support.data import shared_data
from support.wine import BUILDS, FULL_MEMORY, NORMAL, Build, built, dump_by_debugger, dump_of, wine

if TYPE_CHECKING:
    from pathlib import Path

LEAST_RIGHT = 12
"""With optimisation: clang keeps least, for x86."""


@pytest.mark.parametrize("level", ["-O0", "-O2"])
@pytest.mark.parametrize("build", BUILDS, ids=str)
def test_app(build: Build, level: str, tmp_path: Path) -> None:
    wine()
    program = built(build, level, "app.cpp", tmp_path)
    for kind in (NORMAL, FULL_MEMORY):
        dump = stillframe.open(dump_of(program, kind))
        if level == "-O0":
            check_all(dump)
        assert count_right(dump) >= LEAST_RIGHT
        check_globals(dump, kind)


def check_globals(dump: stillframe.Dump, kind: int) -> None:
    for name in set(GLOBALS) - CONSTANTS:
        value = dump[name]
        assert not isinstance(value, Absent)
        if kind == FULL_MEMORY:
            assert (name, value.read()) == (name, GLOBALS[name])
        else:
            assert value.absent == Absent.because(Reason.WRITABLE_SECTION)


@pytest.mark.parametrize("level", ["d", "O2"])
@pytest.mark.parametrize(("name", "cpu"), [("app_x64", "x86_64"), ("app_x86", "i686")])
def test_full_dumps_of_programs_without_a_library(name: str, cpu: str, level: str, tmp_path: Path) -> None:
    """Those of which there are small dumps among the real data."""
    wine()
    made = shared_data() / "made"
    path = dump_by_debugger(made / f"{name}.{level}.exe", cpu, FULL_MEMORY, tmp_path)
    dump = stillframe.open(path, symbols=made)
    if level == "d":
        check_all(dump)
    assert count_right(dump) >= LEAST_RIGHT
    check_globals(dump, FULL_MEMORY)
