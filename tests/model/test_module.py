"""Modules by identity and by name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

import stillframe
from support.data import shared_data
from support.dump_builder import LINUX, DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path


def test_code_and_debug_id_are_those_of_minidump_stackwalk(tmp_path: Path) -> None:
    guid = bytes.fromhex("e532985a 7228 c141 838ed98914e9b7ff")
    builder = DumpBuilder().module("c:\\test_app.exe", 0x400000, 0x2D000, 0x45D35F6C, ("c:\\test_app.pdb", guid, 1))
    module = stillframe.open(builder.write(tmp_path / "a.dmp")).modules[0]
    # minidump-stackwalk's JSON of the dump that these values were taken from.
    assert module.code_id == "45d35f6c2d000"
    assert module.debug_id == "5A9832E5287241C1838ED98914E9B7FF1"
    assert module.debug_file == "test_app.pdb"
    assert (module.base, module.end) == (0x400000, 0x42D000)


def test_identities_of_a_real_dump_equal_minidump_stackwalks() -> None:
    folder = shared_data() / "others" / "rust-minidump"
    snapshot = (folder / "expected" / "test_minidump_stackwalk__json-pretty.snap").read_text()
    expected = json.loads(snapshot[re.search(r"^\{", snapshot, re.MULTILINE).start() :])["modules"]  # type: ignore[union-attr]
    dump = stillframe.open(folder / "test.dmp")
    found = {f"0x{module.base:08x}": module for module in dump.modules}
    assert len(found) == len(expected)
    for each in expected:
        module = found[each["base_addr"]]
        assert (
            module.name,
            module.code_id,
            module.debug_id,
            module.debug_file,
            module.version,
            f"0x{module.end:08x}",
        ) == (
            each["filename"],
            each["code_id"],
            each["debug_id"],
            each["debug_file"],
            each["version"],
            each["end_addr"],
        )


def test_an_elf_module_is_known_by_its_build_id(tmp_path: Path) -> None:
    build_id = bytes.fromhex("00112233445566778899aabbccddeeff01234567")
    builder = DumpBuilder("amd64", platform=LINUX).elf_module("/usr/lib/libhello.so", 0x1000, 0x1000, build_id)
    module = stillframe.open(builder.write(tmp_path / "a.dmp")).modules[0]
    assert module.code_id == build_id.hex()
    # Breakpad reads the first 16 bytes as a GUID: 4-, 2- and 2-byte numbers in little-endian order, then bytes.
    assert module.debug_id == "33221100554477668899AABBCCDDEEFF0"
    assert module.debug_file == "libhello.so"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("C:\\dir\\hello.exe", "hello.exe"),
        ("/usr/bin/hello", "hello"),
        ("C:/dir\\hello.exe", "hello.exe"),
        ("hello.exe", "hello.exe"),
        ("C:\\dir\\", ""),
    ],
)
def test_base_names_of_both_separators(tmp_path: Path, path: str, name: str) -> None:
    builder = DumpBuilder().module(path, 0x400000, 0x1000, 1)
    module = stillframe.open(builder.write(tmp_path / "a.dmp")).modules[0]
    assert (module.name, module.path) == (name, path)


def test_modules_are_looked_up_by_index_name_and_address(tmp_path: Path) -> None:
    builder = DumpBuilder().module("C:\\hello.exe", 0x400000, 0x1000, 1).module("C:\\HELLO.DLL", 0x500000, 0x1000, 1)
    modules = stillframe.open(builder.write(tmp_path / "a.dmp")).modules
    assert len(modules) == 2
    assert [module.index for module in modules] == [0, 1]
    assert modules["hello.dll"] is modules[1]
    assert modules["Hello.EXE"] is modules[0]
    assert modules["hello"] is modules[0]
    assert modules[-1] is modules[1]
    assert modules.at(0x400000) is modules[0]
    assert modules.at(0x400FFF) is modules[0]
    assert modules.at(0x401000) is None
    assert modules.at(-1) is None
    with pytest.raises(stillframe.NoSuchModule, match=r"^absent\.dll: no module") as caught:
        modules["absent.dll"]
    assert caught.value.name == "absent.dll"
    with pytest.raises(IndexError):
        modules[2]
