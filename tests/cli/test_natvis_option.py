"""`--natvis`, and what is said of mistakes in such files: over a program with classes of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.data import shared_data

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

RULES = """<AutoVisualizer>
<Type Name="geo::Shape"><DisplayString>shape {m_id}: {m_name,s}</DisplayString></Type>
<Type Name="Point" Priority="High"><DisplayString>{z}</DisplayString></Type>
<Type Name="Point"><DisplayString>({x}, {y})</DisplayString></Type>
<Type/>
</AutoVisualizer>"""


def test_classes_are_shown_as_the_file_says(stillframe_command: Command, tmp_path: Path) -> None:
    dump = shared_data() / "made" / "app_x64.d.crash.t0.dmp"
    (tmp_path / "mine.natvis").write_text(RULES)
    for natvis in (tmp_path, tmp_path / "mine.natvis"):
        result = stillframe_command("locals", dump, "--natvis", natvis)
        assert result.code == 0
        # The object is a `geo::Rect`, which has a rule through its base class.
        assert 'geo::Rect shape 42: "rect"' in result.out
        assert "(0, 1)" in result.out
        lines = result.err.splitlines()
        assert lines[0] == "stillframe: natvis: mine.natvis:5: <Type> has no Name"
        assert lines[1].startswith("stillframe: natvis: mine.natvis:3: z: z means nothing in Point")
        assert len(lines) == 2


def test_a_path_that_is_none_is_bad_input(stillframe_command: Command, tmp_path: Path) -> None:
    result = stillframe_command("stack", "any.dmp", "--natvis", tmp_path / "missing")
    assert result.code == 2
    assert "--natvis" in result.err
    assert "no such file or folder" in result.err
