"""Values of PE files with DWARF and with PDBs: the lab's programs as MinGW and Clang build them, run under Wine.

Skipped where a compiler, Wine or the source is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent, Reason
from support.app_values import CONSTANTS, GLOBALS, check_all, count_right
from support.wine import BUILDS, FULL_MEMORY, NORMAL, Build, built, dump_of, wine

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
        for name in set(GLOBALS) - CONSTANTS:
            value = dump[name]
            assert not isinstance(value, Absent)
            if kind == FULL_MEMORY:
                assert (name, value.read()) == (name, GLOBALS[name])
            else:
                assert value.absent == Absent.because(Reason.WRITABLE_SECTION)
