"""The verbs `process` and `regions`."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from support.dump_builder import LINUX, DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

TEB, PEB, PARAMETERS, TEXTS = 0x7FF000000000, 0x7FF000010000, 0x200000, 0x300000
MISC_INFO, THREAD_LIST, COMMENT_A, ENVIRON, COMMAND_LINE, MAPS = 15, 3, 10, 0x47670007, 0x47670006, 0x47670009


def windows_dump(path: Path) -> Path:
    """A process whose parameters are in memory, at the offsets of winternl.h and of ntdll's debug information (x64)."""
    texts = {"directory": "C:\\work\\", "image": "C:\\app\\a.exe", "line": '"a.exe" --fast'}
    environment = "PATH=C:\\bin\0=C:=C:\\work\0TOKEN=secret\0\0"
    places, data = {}, b""
    for name, text in (*texts.items(), ("environment", environment)):
        places[name] = TEXTS + len(data)
        data += text.encode("utf-16-le") + b"\0\0"
    block = bytearray(0x100)
    for offset, name in ((0x38, "directory"), (0x60, "image"), (0x70, "line")):
        length = 2 * len(texts[name])
        struct.pack_into("<HHIQ", block, offset, length, length + 2, 0, places[name])
    struct.pack_into("<Q", block, 0x80, places["environment"])
    thread = struct.pack("<IIIIIQQIIII", 1, 7, 0, 0, 0, TEB, 0, 0, 0, 0, 0)
    builder = DumpBuilder("amd64").stream(THREAD_LIST, thread)
    builder.memory(TEB + 0x60, struct.pack("<Q", PEB)).memory(PEB + 0x20, struct.pack("<Q", PARAMETERS))
    builder.memory(PARAMETERS, bytes(block)).memory(TEXTS, data)
    # Flags: process id, and times.
    builder.stream(MISC_INFO, struct.pack("<IIIIII", 24, 3, 4242, 1_500_000_000, 7, 8)).stream(COMMENT_A, b"by hand\0")
    return builder.write(path)


def test_parameters_of_a_windows_process_come_from_its_memory(tmp_path: Path, stillframe_command: Command) -> None:
    dump = windows_dump(tmp_path / "windows.dmp")
    out = stillframe_command("process", dump).out
    assert [line.split("  ", 1)[0] for line in out.splitlines()] == [
        *("process", "program", "command line", "directory", "started", "time", "environment", "comment"),
    ]
    assert '"a.exe" --fast' in out
    assert "2017-07-14 02:40:00 UTC" in out  # `date -u -d @1500000000`
    assert "user 7 s, kernel 8 s" in out
    assert "secret" not in out
    answer = stillframe_command("process", dump, "--environment", "--json").json
    assert answer["pid"] == 4242
    assert answer["directory"] == "C:\\work\\"
    assert answer["image"] == "C:\\app\\a.exe"
    assert answer["environment"] == {"PATH": "C:\\bin", "TOKEN": "secret"}
    assert "environment" not in stillframe_command("process", dump, "--json").json


def test_parameters_that_the_dump_does_not_hold_are_absent_with_the_reason(
    tmp_path: Path, stillframe_command: Command
) -> None:
    dump = DumpBuilder("amd64").module("C:\\a.exe", 0x400000, 0x1000, 5).write(tmp_path / "small.dmp")
    answer = stillframe_command("process", dump, "--json").json
    assert answer["command_line"] is None
    assert answer["image"] == "C:\\a.exe"
    assert answer["absent"]["command_line"]["reason"] == "not in this dump"


def test_facts_of_a_linux_process_come_from_streams(tmp_path: Path, stillframe_command: Command) -> None:
    builder = DumpBuilder("amd64", platform=LINUX).stream(COMMAND_LINE, b"./app\0--slow\0")
    builder.stream(ENVIRON, b"HOME=/root\0LANG=C\0").stream(
        MAPS, b"1000-3000 r-xp 0 0:0 0 /app\n8000-9000 rw-p 0 0:0 0\n"
    )
    dump = builder.memory(0x2800, bytes(0x1000)).write(tmp_path / "linux.dmp")
    out = stillframe_command("process", dump, "--environment").out
    assert "./app --slow" in out
    assert out.splitlines()[-2:] == ["HOME=/root", "LANG=C"]
    rows = [line.split() for line in stillframe_command("regions", dump).out.splitlines()]
    assert rows == [
        ["0x0000000000001000", "0x0000000000003000", "committed", "r-x", "private", "2,048", "bytes"],
        ["0x0000000000008000", "0x0000000000009000", "committed", "rw-", "private"],
    ]
    (first, _) = stillframe_command("regions", dump, "--json").json["regions"]
    assert first == {
        "address": "0x0000000000001000",
        "size": 0x2000,
        "state": "committed",
        "protection": "r-x",
        "type": "private",
        "held_bytes": 0x800,
    }
