"""The example of the README: the dump holds the stack, the binary beside it the code, and the proof joins them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import stillframe

HELLO = Path(__file__).parent.parent / "examples" / "hello"

LISTING_X86 = """\
    const auto message = "Hello World!\\n";
009F1934 C7 45 F8 30 7B 9F 00 mov         dword ptr [message],offset string "Hello World!\\n" (09F7B30h)
    printf(message);
009F193B 8B 45 F8             mov         eax,dword ptr [message]
009F193E 50                   push        eax
009F193F E8 8E F7 FF FF       call        _printf (09F10D2h)
009F1944 83 C4 04             add         esp,4
"""
# Addresses and bytes as llvm-objdump shows hello64.exe.
LISTING_X64 = """\
    const auto message = "Hello World!\\n";
00007FF6009F1934 48 8D 05 F5 61 00 00 lea         rax,[string "Hello World!\\n" (07FF6009F7B30h)]
00007FF6009F193B 48 89 44 24 20       mov         qword ptr [message],rax
    printf(message);
00007FF6009F1940 48 8B 4C 24 20       mov         rcx,qword ptr [message]
00007FF6009F1945 E8 88 F7 FF FF       call        printf (07FF6009F10D2h)
"""
MAIN_X86 = bytes.fromhex("c745f8307b9f008b45f850e88ef7ffff83c404")


def stillframe_command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stillframe", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("dump", "address", "count", "listing"),
    [("hello.dmp", "0x9f1934", 5, LISTING_X86), ("hello64.dmp", "0x7ff6009f1934", 4, LISTING_X64)],
)
def test_the_listing_of_the_readme(dump: str, address: str, count: int, listing: str) -> None:
    result = stillframe_command("disasm", HELLO / dump, address, "--count", str(count))
    assert result.stdout == listing
    assert result.stderr == ""
    assert result.returncode == 0


def test_the_bytes_of_the_readme() -> None:
    result = stillframe_command("memory", HELLO / "hello.dmp", "0x9f1934", "19")
    assert result.stdout == "0x009F1934  c7 45 f8 30 7b 9f 00 8b 45 f8 50 e8 8e f7 ff ff 83 c4 04\n"


def test_all_bytes_come_from_the_image_and_say_so() -> None:
    dump = stillframe.open(HELLO / "hello.dmp")
    assert dump.memory.read(0x9F1934, 19) == MAIN_X86
    spans = dump.memory.provenance(0x9F1934, 19)
    assert {span.source for span in spans} == {"image"}
    assert sum(span.size_bytes for span in spans) == 19
    # It was loaded where it was linked for, so that nothing had to be relocated.
    assert not any(span.relocated for span in spans)
    output = stillframe_command("memory", HELLO / "hello.dmp", "0x9f1934", "19", "--provenance").stdout
    assert "hello.exe+0x1934" in output
    assert "TimeDateStamp and SizeOfImage" in output


def test_without_the_binary_there_is_nothing_to_show(tmp_path: Path) -> None:
    shutil.copy(HELLO / "hello.dmp", tmp_path)
    with pytest.raises(stillframe.FaultError, match="0x9f1934") as caught:
        stillframe.open(tmp_path / "hello.dmp").memory.read(0x9F1934, 19)
    assert caught.value.address == 0x9F1934
    result = stillframe_command("disasm", tmp_path / "hello.dmp", "0x9f1934", "--count", "5")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("stillframe: ")
    assert result.stderr.count("\n") == 1


def changed_copy(folder: Path, name: str, offset: int, byte: int) -> None:
    """hello.dmp with a copy of the file `name` in which one byte is another."""
    for file in ("hello.dmp", "hello.exe", "hello.pdb"):
        shutil.copy(HELLO / file, folder)
    data = bytearray((folder / name).read_bytes())
    assert data[offset] != byte
    data[offset] = byte
    (folder / name).write_bytes(data)


def test_an_image_that_differs_in_one_byte_that_the_dump_holds_is_not_believed(tmp_path: Path) -> None:
    # .text lies at RVA 0x1000 and file offset 0x400; the dump holds the thunk at RVA 0x10D2.
    changed_copy(tmp_path, "hello.exe", 0x400 + 0xD2, 0xCC)
    dump = stillframe.open(tmp_path / "hello.dmp")
    assert dump.memory.read_partial(0x9F1934, 19).data == b""
    state = dump.modules["hello.exe"].image
    assert state.state == "rejected"
    assert [(difference.address, difference.size_bytes) for difference in state.differing] == [(0x9F10D2, 1)]


def test_an_image_with_another_key_is_not_believed(tmp_path: Path) -> None:
    image = (HELLO / "hello.exe").read_bytes()
    time_date_stamp_offset = int.from_bytes(image[0x3C:0x40], "little") + 8
    changed_copy(tmp_path, "hello.exe", time_date_stamp_offset, image[time_date_stamp_offset] ^ 1)
    dump = stillframe.open(tmp_path / "hello.dmp")
    with pytest.raises(stillframe.FaultError):
        dump.memory.read(0x9F1934, 19)
    state = dump.modules["hello.exe"].image
    assert state.state == "rejected"
    assert state.where == tmp_path / "hello.exe"
    assert state.expected != state.found


def test_a_global_that_the_dump_does_not_hold_is_absent_not_initial() -> None:
    dump = stillframe.open(HELLO / "hello.dmp")
    module = dump.modules["hello.exe"]
    dump.memory.read(0x9F1934, 1)
    assert module.image.state == "found"
    writable = [section for section in module.image.file.sections if section.writable]
    assert writable
    for section in writable:
        partial = dump.memory.read_partial(module.base + section.rva, 1)
        assert partial.data == b""
        (span,) = dump.memory.provenance(module.base + section.rva, 1)
        assert (span.source, span.reason) == ("absent", stillframe.Reason.WRITABLE_SECTION)


@pytest.mark.parametrize(
    ("dump", "thunk", "return_address"),
    [("hello.dmp", 0x9F10D2, 0x9F1944), ("hello64.dmp", 0x7FF6009F10D2, 0x7FF6009F194A)],
)
def test_the_stack_inside_the_call(dump: str, thunk: int, return_address: int) -> None:
    frames = stillframe.open(HELLO / dump).threads[0].frames
    names = [frame.name for frame in frames[:3]]
    assert names[0] in {"printf", "_printf"}
    assert names[1:] == ["main", "mainCRTStartup"]
    assert [frames[0].instruction, frames[1].instruction] == [thunk, return_address]
    location = frames[1].location
    assert not isinstance(location, stillframe.Absent)
    source = (HELLO / "hello.cpp").read_text().splitlines()
    assert source[location.line - 1].strip() == "printf(message);"
    assert [frame.trust for frame in frames[:3]] == ["context", "cfi", "cfi"]
