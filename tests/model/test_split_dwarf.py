"""Split DWARF: where `.dwo` files and packages of them are found. Addresses and lines are llvm-symbolizer's."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe.model.evidence import DebugInfoFound
from stillframe.symbols.locate import DirectoryLocator
from support.data import REPOSITORY
from support.dump_builder import LINUX, DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

SHAPES = REPOSITORY / "engine" / "core" / "tests" / "shapes"
BASE, STACK = 0x400000, 0x20000
PROGRAM = "split5"
BUILD_ID = bytes.fromhex("0e8e6c64a35bf465be03e6b84fb74efe2650edb4")
POKE = 0x1227
CRASH, INLINED = "(anonymous namespace)::crash", "(anonymous namespace)::poke"


def frames_at_the_crash(folder: Path, *files: str) -> list[str]:
    """Names of the first frame's scopes, where `folder` has the dump, the program and these files."""
    for name in (PROGRAM, *files):
        shutil.copy(SHAPES / name, folder / name)
    builder = DumpBuilder("amd64", platform=LINUX).elf_module(f"/opt/{PROGRAM}", BASE, 0x3000, BUILD_ID)
    builder.thread(1, {"rip": BASE + POKE, "rsp": STACK}, STACK, bytes(16))
    locator = DirectoryLocator(folder, use_recorded_paths=False)
    dump = stillframe.open(builder.write(folder / "a.dmp"), locator)
    state = dump.modules[0].find_debug_info()
    assert isinstance(state, DebugInfoFound)
    return [frame.name for frame in dump.threads[0].frames]


@pytest.mark.parametrize("beside", ["split5.dwo", "split5.dwp"])
def test_units_are_read_from_the_file_beside_the_program(tmp_path: Path, beside: str) -> None:
    assert frames_at_the_crash(tmp_path, beside)[:2] == [INLINED, CRASH]


def test_without_it_the_symbol_table_names_the_function(tmp_path: Path) -> None:
    assert frames_at_the_crash(tmp_path)[0] == CRASH


def test_a_file_that_is_no_package_costs_the_package_alone(tmp_path: Path) -> None:
    (tmp_path / "split5.dwp").write_text("no package")
    assert frames_at_the_crash(tmp_path, "split5.dwo")[:2] == [INLINED, CRASH]
