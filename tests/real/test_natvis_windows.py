"""Containers in full dumps of Windows, by the shipped visualizers; natvis files that a linker put into a PDB."""

from __future__ import annotations

import lzma
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Value
from stillframe._engine import DebugFile
from support.data import shared_data

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe import Frame

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
    made = shared_data() / "made"
    dump = folder / f"{program}.dmp"
    dump.write_bytes(lzma.decompress((made / f"{program}.crash.full.dmp.xz").read_bytes()))
    thread = stillframe.open(dump, symbols=made).crashed_thread
    assert thread is not None
    return next(frame for frame in thread.frames if frame.name.partition("(")[0] == "main")


@pytest.mark.parametrize("program", LINES)
def test_containers(program: str, tmp_path: Path) -> None:
    main = main_of(program, tmp_path)
    assert {name: str(main[name]) for name in LINES[program]} == LINES[program]


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
