"""`stillframe memory`: the bytes, what is absent, and where each comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import scene
from support.data import EXAMPLES
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

HELLO = EXAMPLES / "hello" / "hello.dmp"
STACK = 0x20000


def dump_with_stack(folder: Path, data: bytes, cpu: str = "x86") -> Path:
    return DumpBuilder(cpu=cpu).memory(STACK, data).write(folder / "stack.dmp")


def test_few_bytes_stand_in_one_row(tmp_path: Path, stillframe_command: Command) -> None:
    dump = dump_with_stack(tmp_path, bytes(range(64)))
    result = stillframe_command("memory", dump, hex(STACK), 32)
    assert result.code == 0
    assert result.out == "0x00020000  " + bytes(range(32)).hex(" ") + "\n"


def test_more_bytes_stand_in_rows_with_their_characters(tmp_path: Path, stillframe_command: Command) -> None:
    dump = dump_with_stack(tmp_path, b"Hello World!\n\0\x7f\xff" + b"0123456789abcdef" + b"xyz")
    assert stillframe_command("memory", dump, hex(STACK), 35).out == (
        "0x00020000  48 65 6c 6c 6f 20 57 6f 72 6c 64 21 0a 00 7f ff  Hello World!....\n"
        "0x00020010  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n"
        "0x00020020  78 79 7a                                         xyz\n"
    )


def test_addresses_are_as_wide_as_pointers(tmp_path: Path, stillframe_command: Command) -> None:
    dump = dump_with_stack(tmp_path, b"ab", "amd64")
    assert stillframe_command("memory", dump, hex(STACK), 2).out == "0x0000000000020000  61 62\n"


def test_address_and_size_may_be_decimal_or_hexadecimal(tmp_path: Path, stillframe_command: Command) -> None:
    dump = dump_with_stack(tmp_path, bytes(range(32)))
    outputs = {stillframe_command("memory", dump, *words).out for words in ((131072, 16), ("0x20000", "0x10"))}
    assert outputs == {"0x00020000  " + bytes(range(16)).hex(" ") + "\n"}


def test_absent_bytes_are_marked_and_the_answer_is_partial(tmp_path: Path, stillframe_command: Command) -> None:
    dump = dump_with_stack(tmp_path, b"abcd")
    result = stillframe_command("memory", dump, hex(STACK - 2), 8)
    assert result.out == "0x0001FFFE  ?? ?? 61 62 63 64 ?? ??\n"
    result_on_error = stillframe_command("memory", dump, hex(STACK - 2), 8)
    assert (result_on_error.code, result_on_error.err.count("\n")) == (1, 1)
    assert "only 4 of 8 bytes" in result.err
    assert "0x1fffe" in result.err


def test_nothing_known_is_an_error_alone(tmp_path: Path, stillframe_command: Command) -> None:
    dump = dump_with_stack(tmp_path, b"abcd")
    result = stillframe_command("memory", dump, "0x50000", 8)
    result.assert_one_line_of_error(1)
    assert result.out == ""
    assert "0x50000" in result.err


@pytest.mark.parametrize("address", ["nosuch.dll", "nosuch.dll+4", "nosuch!f", "nosuch", "0x20000000000000000"])
def test_an_address_that_means_nothing(address: str, tmp_path: Path, stillframe_command: Command) -> None:
    dump = dump_with_stack(tmp_path, b"abcd")
    stillframe_command("memory", dump, address, 8).assert_one_line_of_error(1)


def test_past_the_last_address(tmp_path: Path, stillframe_command: Command) -> None:
    dump = dump_with_stack(tmp_path, b"abcd")
    stillframe_command("memory", dump, "0xffffffffffffffff", 2).assert_one_line_of_error(1)


def test_provenance_names_each_span_its_source_and_the_proof(tmp_path: Path, stillframe_command: Command) -> None:
    pe = scene.image()
    scene.write(tmp_path, pe, scene.dump(pe, held=32))
    start = scene.BASE + scene.TEXT + 24
    result = stillframe_command("memory", tmp_path / "scene.dmp", hex(start), 16, "--provenance")
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[1].split()[:4] == [f"0x{start:08X}", "8", "bytes", "dump"]
    assert lines[2].split() == [f"0x{start + 8:08X}", "8", "bytes", "image", "hello.exe+0x1020", "(.text)"]
    assert lines[3].startswith("8 bytes from hello.exe: ")
    assert "TimeDateStamp and SizeOfImage" in lines[3]
    assert "32 bytes" in lines[3]  # which the dump holds of .text
    assert len(lines) == 4


def test_provenance_says_why_bytes_are_absent(tmp_path: Path, stillframe_command: Command) -> None:
    pe = scene.image()
    scene.write(tmp_path, pe, scene.dump(pe))
    writable = scene.BASE + scene.SECTION_DATA
    result = stillframe_command("memory", tmp_path / "scene.dmp", hex(writable), 8, "--provenance")
    assert result.code == 1
    assert result.out.startswith(f"0x{writable:08X}  ?? ?? ?? ?? ?? ?? ?? ??\n")
    assert "writable section" in result.out
    assert "writable section" in result.err


def test_json_gives_bytes_and_origin(tmp_path: Path, stillframe_command: Command) -> None:
    dump = dump_with_stack(tmp_path, b"abcd")
    answer = stillframe_command("memory", dump, hex(STACK), 8, "--json")
    assert answer.code == 1
    assert answer.json["address"] == "0x00020000"
    known, absent = answer.json["spans"]
    assert (known["source"], known["bytes"], known["absent"]) == ("dump", "61626364", None)
    assert (absent["source"], absent["bytes"], absent["size"], absent["address"]) == ("absent", None, 4, "0x00020004")
    assert set(absent["absent"]) == {"reason", "remedy"}
