"""The same small crash on Linux and macOS, whose chain of calls its authors publish (symbolic's data)."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

import stillframe
from support.data import shared_data

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE = "(anonymous namespace)::"


def chain(dump: stillframe.Dump) -> list[tuple[str, int | None, bool]]:
    """Name, line, whether inlined, of the frames with lines."""
    assert dump.crashed_thread is not None
    frames = [
        (frame.name, getattr(frame.location, "line", None), frame.is_inlined) for frame in dump.crashed_thread.frames
    ]
    return [frame for frame in frames if frame[1] is not None]


# DATA: Linux 0x401d72 is `crash` main.cpp:23 in `start` :27; macOS `crash()` main.cpp:21 in `start()`.
EXPECTED = {
    "linux": [(f"{NAMESPACE}crash", 23, True), (f"{NAMESPACE}start", 27, True), ("main", 35, False)],
    "macos": [(f"{NAMESPACE}crash", 21, True), (f"{NAMESPACE}start", 25, True), ("main", 32, False)],
}


@pytest.mark.parametrize("system", EXPECTED)
def test_with_the_files_beside_it(system: str) -> None:
    dump = stillframe.open(shared_data() / "others" / "symbolic" / system / "mini.dmp")
    assert chain(dump) == EXPECTED[system]
    image = dump.modules["crash"].image
    assert image.state == "found"
    assert "by" in image.proved_by


def test_a_separate_debug_file_is_found_by_its_build_id(tmp_path: Path) -> None:
    others = shared_data() / "others" / "symbolic" / "linux"
    for kind in ("crash.debug", "crash.debug-zstd"):
        folder = tmp_path / kind
        folder.mkdir()
        shutil.copy(others / "mini.dmp", folder)
        shutil.copy(others / kind, folder / "crash.debug")
        dump = stillframe.open(folder / "mini.dmp")
        assert chain(dump)[:2] == EXPECTED["linux"][:2]
        assert dump.modules["crash"].image.state == "missing"
        assert dump.modules["crash"].debug_info.state == "found"


def test_breakpad_symbols_serve_where_nothing_else_is(tmp_path: Path) -> None:
    others = shared_data() / "others" / "symbolic" / "macos"
    shutil.copy(others / "mini.dmp", tmp_path)
    shutil.copy(others / "crash.inlines.sym", tmp_path / "crash.sym")
    dump = stillframe.open(tmp_path / "mini.dmp")
    assert [line for _, line, _ in chain(dump)][:2] == [21, 25]
    assert "crash" in chain(dump)[0][0]


def test_a_file_of_another_build_is_refused_and_named(tmp_path: Path) -> None:
    others = shared_data() / "others" / "symbolic" / "linux"
    shutil.copy(others / "mini.dmp", tmp_path)
    data = bytearray((others / "crash").read_bytes())
    build_id = bytes.fromhex("f1c3bcc0279865fe3058404b2831d9e64135386c")
    data[data.index(build_id)] ^= 1
    (tmp_path / "crash").write_bytes(data)
    module = stillframe.open(tmp_path / "mini.dmp").modules["crash"]
    state = module.find_image()
    assert state.state == "rejected"
    assert state.expected == f"build-id {build_id.hex()}"
    assert state.found == f"build-id f0{build_id.hex()[2:]}"
