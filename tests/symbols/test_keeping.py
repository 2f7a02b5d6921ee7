"""What is kept of debug information, and what happens where it cannot be kept."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from stillframe.symbols.keeping import MOST_UNUSED_SECONDS, KeepingOpener

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ID = "5A9832E5287241C1838ED98914E9B7FF1"


def large_symbol_file(path: Path, name: str = "first") -> Path:
    """More than a megabyte; functions of 16 bytes each."""
    functions = "".join(f"FUNC {0x1000 + 16 * index:x} 10 0 {name}{index:05}\n" for index in range(40_000))
    path.write_text(f"MODULE Linux x86_64 {ID} app\n{functions}")
    return path


def test_the_index_of_a_large_symbol_file_is_kept(tmp_path: Path) -> None:
    path, folder = large_symbol_file(tmp_path / "app.sym"), tmp_path / "kept"
    assert name_at(KeepingOpener(folder), path, 0x1018) == "first00001"
    (index,) = folder.iterdir()
    written = index.stat().st_ino
    assert name_at(KeepingOpener(folder), path, 0x1028) == "first00002"
    assert index.stat().st_ino == written
    index.write_bytes(b"damaged")
    assert name_at(KeepingOpener(folder), path, 0x1038) == "first00003"
    assert index.stat().st_size > len(b"damaged")


def test_an_index_of_another_file_is_not_believed(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    assert name_at(KeepingOpener(folder), large_symbol_file(tmp_path / "app.sym"), 0x1000) == "first00000"
    # The same size, the same identity.
    other = large_symbol_file(tmp_path / "app.sym", "other")
    assert name_at(KeepingOpener(folder), other, 0x1000) == "other00000"


def test_a_folder_that_cannot_be_made_costs_nothing_but_time(tmp_path: Path) -> None:
    path = large_symbol_file(tmp_path / "app.sym")
    assert name_at(KeepingOpener(path / "no folder"), path, 0x1018) == "first00001"


def test_what_was_not_used_for_long_is_removed(tmp_path: Path) -> None:
    old, new, foreign = (tmp_path / name for name in ("a.index", "b.section", "notes.txt"))
    for path in (old, new, foreign):
        path.write_bytes(b"x")
    long_ago = time.time() - MOST_UNUSED_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    os.utime(foreign, (long_ago, long_ago))
    assert KeepingOpener(tmp_path).folder == tmp_path
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.section", "notes.txt"]


def test_of_too_much_what_was_not_used_for_longest_is_removed(tmp_path: Path) -> None:
    for age, name in enumerate(("newest.index", "middle.section", "oldest.index")):
        (tmp_path / name).write_bytes(bytes(100))
        used = time.time() - 60 * age
        os.utime(tmp_path / name, (used, used))
    assert KeepingOpener(tmp_path, most_bytes=250).folder == tmp_path
    assert sorted(path.name for path in tmp_path.iterdir()) == ["middle.section", "newest.index"]


def test_the_folder_is_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert KeepingOpener().folder == tmp_path / "stillframe" / "debug"


def name_at(opener: KeepingOpener, path: Path, rva: int) -> str:
    function = opener.open(path).function_at(rva)
    assert function is not None
    return function.name
