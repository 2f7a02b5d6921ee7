"""Names in directories, whatever their case."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from stillframe.symbols.folder import FolderReader

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("names", "wanted", "found"),
    [
        (["App.pdb", "app.pdb", "APP.pdb"], "APP.pdb", "APP.pdb"),  # exactly it
        (["App.pdb", "app.pdb"], "APP.pdb", "app.pdb"),  # else in lower case
        (["aPP.pdb", "App.pdb"], "APP.pdb", "App.pdb"),  # else the first in order
        (["other"], "APP.pdb", None),
        ([], "APP.pdb", None),
    ],
)
@pytest.mark.parametrize("is_listed", [False, True])
def test_exactly_in_lower_case_in_any(
    tmp_path: Path, names: list[str], wanted: str, found: str | None, is_listed: bool
) -> None:
    for name in names:
        (tmp_path / name).touch()
    if len(list(tmp_path.iterdir())) != len(names):
        pytest.skip("a file system without regard to case")
    reader = FolderReader()
    if is_listed:
        assert not reader.has(tmp_path, "what is not there has the folder listed")
    assert reader.child(tmp_path, wanted) == tmp_path / (found or wanted)
    assert reader.has(tmp_path, wanted) is (found is not None)


def test_a_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Symbols").mkdir()
    (tmp_path / "Symbols" / "App.pdb").touch()
    listed: list[Path] = []
    listdir = os.listdir

    def counting(folder: Path) -> list[str]:
        listed.append(folder)
        return listdir(folder)

    monkeypatch.setattr(os, "listdir", counting)
    reader = FolderReader()
    for _ in range(2):
        assert reader.descendant(tmp_path, "SYMBOLS", "APP.PDB") == tmp_path / "Symbols" / "App.pdb"
        assert reader.descendant(tmp_path, "none", "of", "these") == tmp_path / "none" / "of" / "these"
    assert listed == [tmp_path, tmp_path / "Symbols"]


def test_in_a_folder_that_cannot_be_listed_exact_names_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(folder: Path) -> list[str]:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "listdir", forbidden)
    (tmp_path / "app.pdb").touch()
    reader = FolderReader()
    assert not reader.has(tmp_path, "none")
    assert reader.child(tmp_path, "APP.PDB") == tmp_path / "app.pdb"
