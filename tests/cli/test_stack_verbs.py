"""`stillframe stack`, `threads`, `registers`, `modules`, `streams`, `disasm` on dumps built here and on the example."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from support import scene
from support.command import SCRIPT
from support.data import EXAMPLES
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

HELLO = EXAMPLES / "hello" / "hello.dmp"
HELLO64 = EXAMPLES / "hello" / "hello64.dmp"
BREAKPOINT = 0x80000003


def two_threads(folder: Path) -> Path:
    """Thread 1 crashed; both stand in a module that nobody has. Each has a frame of its own and a caller by ebp."""
    builder = DumpBuilder().module("C:\\app\\app.exe", 0x400000, 0x10000, 0x5F000000)
    for thread_id, base in ((11, 0x20000), (22, 0x30000)):
        stack = (base + 0x80).to_bytes(4, "little") + (0x402005).to_bytes(4, "little") + bytes(0x100)
        builder.thread(thread_id, {"eip": 0x401000, "esp": base, "ebp": base, "eax": 0x1234}, base, stack)
    return builder.exception(22, BREAKPOINT, 0x401000).write(folder / "two.dmp")


def test_stack_shows_the_crashed_thread(tmp_path: Path, stillframe_command: Command) -> None:
    lines = stillframe_command("stack", two_threads(tmp_path)).out.splitlines()
    assert lines[0] == "thread 1  id 22  crashed"
    assert lines[1].split() == ["#0", "0x00401000", "app.exe+0x1000", "(context)"]
    assert lines[2].split() == ["#1", "0x00402005", "app.exe+0x2005", "(frame", "pointer)"]


def test_what_the_frames_lack_is_said_once_with_the_remedy(tmp_path: Path, stillframe_command: Command) -> None:
    out = stillframe_command("stack", two_threads(tmp_path)).out
    (line,) = [line for line in out.splitlines() if line.startswith("frames ")]
    assert line == "frames 0-1: app.exe: no image found, no symbols found; give the folder of the binary with --symbols"


def test_stack_of_all_threads_or_one(tmp_path: Path, stillframe_command: Command) -> None:
    dump = two_threads(tmp_path)
    out = stillframe_command("stack", dump, "--thread", "all").out
    assert [line for line in out.splitlines() if line.startswith("thread ")] == [
        "thread 0  id 11",
        "thread 1  id 22  crashed",
    ]
    assert stillframe_command("stack", dump, "--thread", 0).out.startswith("thread 0  id 11\n")
    for unknown in ("2", "-1", "x", "00000000000000000000000002"):
        stillframe_command("stack", dump, "--thread", unknown).assert_one_line_of_error(1)


def test_stack_of_a_dump_without_threads(tmp_path: Path, stillframe_command: Command) -> None:
    dump = DumpBuilder().memory(0x1000, b"x").write(tmp_path / "none.dmp")
    stillframe_command("stack", dump).assert_one_line_of_error(1)
    assert stillframe_command("report", dump).code == 0


def test_stack_of_the_example_has_names_lines_and_trust(stillframe_command: Command) -> None:
    lines = stillframe_command("stack", HELLO64).out.splitlines()
    assert lines[1].startswith("#0  0x00007FF6009F10D2  hello64.exe!printf")
    assert lines[1].endswith("(context)")
    assert lines[2].split()[:3] == ["#1", "0x00007FF6009F194A", "hello64.exe!main"]
    assert "hello.cpp:" in lines[2]
    assert "(" not in lines[2]  # found by unwind tables, as it should be


def test_threads(tmp_path: Path, stillframe_command: Command) -> None:
    first, second = stillframe_command("threads", two_threads(tmp_path)).out.splitlines()
    assert first.split() == ["0", "id", "11", "0x00401000", "app.exe+0x1000"]
    assert second.split() == ["*", "1", "id", "22", "0x00401000", "app.exe+0x1000", "crashed"]


def test_registers_of_a_frame(tmp_path: Path, stillframe_command: Command) -> None:
    dump = two_threads(tmp_path)
    words = stillframe_command("registers", dump).out.split()
    assert words[words.index("eax") + 1] == "00001234"
    assert words[words.index("eip") + 1] == "00401000"


def test_a_register_that_is_not_known_is_no_zero(tmp_path: Path, stillframe_command: Command) -> None:
    dump = two_threads(tmp_path)
    words = stillframe_command("registers", dump, "--frame", 1).out.split()
    assert words[words.index("eip") + 1] == "00402005"
    assert words[words.index("eax") + 1] == "????????"
    answer = stillframe_command("registers", dump, "--frame", 1, "--json").json
    assert "eax" in answer["unknown"]
    assert "eax" not in answer["registers"]
    assert answer["registers"]["eip"] == "0x00402005"
    for frame in (99, -1):
        stillframe_command("registers", dump, "--frame", frame).assert_one_line_of_error(1)


def test_modules_and_where_they_were_sought(tmp_path: Path, stillframe_command: Command) -> None:
    dump = two_threads(tmp_path)
    folder = tmp_path / "symbols"
    folder.mkdir()
    (line,) = stillframe_command("modules", dump).out.splitlines()
    assert re.split(r"  +", line) == [
        "0x00400000",
        "0x00410000",
        "app.exe",
        "image",
        "not found",
        "symbols",
        "not found",
    ]
    verbose = stillframe_command("modules", dump, "--verbose", "--symbols", folder).out
    assert "5f00000010000" in verbose  # TimeDateStamp and SizeOfImage
    assert f"tried {tmp_path / 'app.exe'}: no such file" in verbose
    assert f"tried {folder / 'app.exe'}: no such file" in verbose
    assert "a symbol store has it as app.exe/5F00000010000/app.exe" in verbose


def test_an_image_that_does_not_match_says_what_was_expected_and_found(
    tmp_path: Path, stillframe_command: Command
) -> None:
    pe = scene.image()
    dump = DumpBuilder(pe.cpu).module("hello.exe", scene.BASE, pe.size_of_image, pe.time_date_stamp ^ 1)
    scene.write(tmp_path, pe, dump)
    out = stillframe_command("modules", tmp_path / "scene.dmp", "--verbose").out
    assert "image  no match" in out
    assert f"{pe.time_date_stamp ^ 1:08X}" in out.upper()
    assert f"{pe.time_date_stamp:08X}" in out.upper()


def test_streams_and_their_bytes(tmp_path: Path, stillframe_command: Command) -> None:
    content = bytes(range(256))
    dump = DumpBuilder().stream(0x12345678, content).write(tmp_path / "odd.dmp")
    lines = stillframe_command("streams", dump).out.splitlines()
    assert [line.split()[:2] for line in lines] == [["0", "0x00000007"], ["1", "0x12345678"]]
    raw = subprocess.run([SCRIPT, "streams", dump, "--raw", "1"], capture_output=True, check=True).stdout
    assert raw == content
    stillframe_command("streams", dump, "--raw", 2).assert_one_line_of_error(1)


def test_a_broken_stream_is_named_and_the_rest_is_shown(tmp_path: Path, stillframe_command: Command) -> None:
    data = bytearray(two_threads(tmp_path).read_bytes())
    entry = next(at for at in range(32, 32 + 12 * data[8], 12) if data[at] == 4)  # ModuleList
    data[entry + 8 : entry + 12] = b"\xff\xff\xff\x7f"
    (tmp_path / "broken.dmp").write_bytes(data)
    result = stillframe_command("report", tmp_path / "broken.dmp")
    assert result.code == 0
    assert "EXCEPTION_BREAKPOINT" in result.out
    (line,) = [line for line in result.out.splitlines() if line.startswith("damaged: ")]
    assert "ModuleList" in line


def test_disasm_by_symbol_module_offset_and_frame_agree(stillframe_command: Command) -> None:
    by_symbol = stillframe_command("disasm", HELLO, "main")
    assert by_symbol.code == 0
    assert "009F1934 C7 45 F8 30 7B 9F 00 mov" in by_symbol.out
    assert stillframe_command("disasm", HELLO, "hello!main").out == by_symbol.out
    by_offset = stillframe_command("disasm", HELLO, "hello.exe+0x193f", "--count", 1)
    by_frame = stillframe_command("disasm", HELLO, "--thread", "crashed", "--frame", 1, "--count", 1)
    assert by_offset.out == by_frame.out
    assert by_frame.out.splitlines()[-1].startswith("009F193F E8 8E F7 FF FF       call        _printf")


@pytest.mark.parametrize("cpu", ["arm", "ppc64"])
def test_disasm_of_another_processor_is_refused_in_one_line(
    cpu: str, tmp_path: Path, stillframe_command: Command
) -> None:
    dump = DumpBuilder(cpu).memory(0x40000, bytes(64)).write(tmp_path / "a.dmp")
    answer = stillframe_command("disasm", dump, "0x40000")
    answer.assert_one_line_of_error(1)
    assert f"instructions of {cpu} cannot be disassembled yet" in answer.err


def test_registers_of_arm_have_eight_digits(tmp_path: Path, stillframe_command: Command) -> None:
    builder = DumpBuilder("arm").thread(7, {"pc": 0x40001, "sp": 0x20000, "r12": 0xABC, "cpsr": 0x30})
    words = stillframe_command("registers", builder.write(tmp_path / "a.dmp"), "--thread", 0).out.split()
    for name, value in [("pc", "00040000"), ("sp", "00020000"), ("r12", "00000ABC"), ("cpsr", "00000030")]:
        assert words[words.index(name) + 1] == value


def test_disasm_as_json(stillframe_command: Command) -> None:
    answer = stillframe_command("disasm", HELLO, "0x9f193e", "--count", 2, "--json").json
    push, call = answer["instructions"]
    assert (push["address"], push["bytes"], push["mnemonic"], push["operands"]) == ("0x009f193e", "50", "push", "eax")
    assert (call["target"], call["bytes"]) == ("0x009f10d2", "e88ef7ffff")


@pytest.mark.parametrize("target", ["nosuch", "hello!nosuch", "nosuch.dll+4", "0x10000000000000000"])
def test_disasm_of_what_is_not_there(target: str, stillframe_command: Command) -> None:
    stillframe_command("disasm", HELLO, target).assert_one_line_of_error(1)
