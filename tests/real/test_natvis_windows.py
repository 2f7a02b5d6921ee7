"""Containers in full dumps of Windows, by the shipped visualizers; natvis files that a linker put into a PDB."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Value
from stillframe._engine import DebugFile
from support.data import shared_data, unpacked
from support.wine import BUILDS, FULL_MEMORY, Build, built, dump_of, wine

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe import Dump, Frame

LONG = '"a fairly long string that is on the heap"'
LINES = {
    "msstl_x64": {
        "shortname": '"short"',
        "longname": LONG,
        "nums": "size=5 {1, 2, 3, 4, 5}",
        "owner": "{id=7, weight=2.5}",
    },
    "stl_x86_64.O0": {
        "shortname": '"short"',
        "longname": LONG,
        "nums": "size=5 {1, 2, 3, 4, 5}",
        "items": 'size=2 {{id=7, label="seven"}, {id=8, label="eight"}}',
        "ages": 'size=2 {["ann"]=30, ["bob"]=40}',
        "sp": '{id=9, label="nine"}',
    },
}
"""Of `main`, as the sources of the programs have it."""


def main_of(program: str, folder: Path) -> Frame:
    dump = unpacked(f"{program}.crash.full.dmp.xz", folder)
    return crashed_main(stillframe.open(dump, symbols=shared_data() / "made"))


def crashed_main(dump: Dump) -> Frame:
    assert dump.crashed_thread is not None
    return next(frame for frame in dump.crashed_thread.frames if frame.name.partition("(")[0] == "main")


@pytest.mark.parametrize("program", LINES)
def test_containers(program: str, tmp_path: Path) -> None:
    main = main_of(program, tmp_path)
    assert {name: str(main[name]) for name in LINES[program]} == LINES[program]


@pytest.mark.parametrize("level", ["-O0", "-O2"])
@pytest.mark.parametrize("build", BUILDS[2:], ids=str)
def test_containers_of_programs_that_are_built_here(build: Build, level: str, tmp_path: Path) -> None:
    """`stl.cpp` with libstdc++, by DWARF and by PDB; right or absent with optimisation."""
    wine()
    main = crashed_main(stillframe.open(dump_of(built(build, level, "stl.cpp", tmp_path), FULL_MEMORY)))
    expected = LINES["stl_x86_64.O0"]
    values = {name: main[name] for name in expected}
    right = {name: str(value) for name, value in values.items() if isinstance(value, Value) and value.absent is None}
    assert right == {name: expected[name] for name in right}
    assert len(right) == len(expected) or level == "-O2"
    assert right


def test_plain_values_beside_containers(tmp_path: Path) -> None:
    main = main_of("msstl_x64", tmp_path)
    store, item = main["store"], main["item"]
    assert isinstance(store, Value)
    assert isinstance(item, Value)
    assert store.read() == [1, 2, 3, 4, 5, 0, 0, 0]
    assert item.read() == {"id": 7, "weight": 2.5}


def test_what_containers_open_to(tmp_path: Path) -> None:
    main = main_of("msstl_x64", tmp_path)
    nums, owner = main["nums"], main["owner"]
    assert isinstance(nums, Value)
    assert isinstance(owner, Value)
    children = [(child.name, child.format()) for child in nums.children_()]
    assert children[:4] == [("[size]", "5"), ("[capacity]", "8"), ("[0]", "1"), ("[1]", "2")]
    assert int(main.eval("owner->id")) == 7  # type: ignore[arg-type]
    assert str(main.eval("nums,!")).startswith("{_Mypair=")


def test_natvis_files_in_pdbs_are_found(tmp_path: Path) -> None:
    if not (shutil.which("clang++-19") and shutil.which("lld-link-19")):
        pytest.skip("no clang or lld for Windows")
    text = '<AutoVisualizer><Type Name="A"><DisplayString>{x}</DisplayString></Type></AutoVisualizer>'
    (tmp_path / "one.natvis").write_text(text)
    (tmp_path / "two.natvis").write_text(text.replace("A", "B"))
    (tmp_path / "a.cpp").write_text("struct A { int x; } a; int main() { return a.x; }")
    compiler = ["clang++-19", "--target=x86_64-pc-windows-msvc", "-g", "-gcodeview", "-c", "a.cpp", "-o", "a.obj"]
    linker = ["lld-link-19", "/debug", "/entry:main", "/subsystem:console", "/nodefaultlib", "a.obj", "/out:a.exe"]
    subprocess.run(compiler, cwd=tmp_path, check=True)
    subprocess.run([*linker, "/natvis:one.natvis", "/natvis:two.natvis"], cwd=tmp_path, check=True)
    files = DebugFile.open(tmp_path / "a.pdb").natvis_files()
    assert [(name.rpartition("one")[1] or name.rpartition("two")[1], data) for name, data in files] == [
        ("one", text.encode()),
        ("two", text.replace("A", "B").encode()),
    ]
