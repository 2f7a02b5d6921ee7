"""Opening: what is no dump, what is broken in one, and what a dump may lack."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent, Reason
from support.dump_builder import COMMENT_A, MISC_INFO, MODULE_LIST, SYSTEM_INFO, DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("data", [b"", b"MDMP", b"\x7fELF" + bytes(100), b"MDMP" + bytes(27)])
def test_what_is_no_dump_is_said_in_one_line_with_its_path(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "no.dmp"
    path.write_bytes(data)
    with pytest.raises(stillframe.DumpError) as caught:
        stillframe.open(path)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_a_dump_error(tmp_path: Path) -> None:
    with pytest.raises(stillframe.DumpError, match="No such file") as caught:
        stillframe.open(str(tmp_path / "absent.dmp"))
    assert caught.value.path == tmp_path / "absent.dmp"


def test_a_broken_stream_costs_that_stream(tmp_path: Path) -> None:
    lie = struct.pack("<I", 0xFFFFFFFF)  # that many modules
    builder = DumpBuilder().memory(0x1000, b"abcd").thread(1, {"eip": 0x1000}).stream(MODULE_LIST, lie)
    dump = stillframe.open(builder.write(tmp_path / "broken.dmp"))
    assert dump.memory.read(0x1000, 4) == b"abcd"
    assert len(dump.threads) == 1
    assert len(dump.modules) == 0
    assert any("ModuleList" in problem for problem in dump.problems)
    (stream,) = [stream for stream in dump.streams if stream.type == MODULE_LIST]
    assert stream.problem is not None


def test_a_whole_dump_has_no_problems(tmp_path: Path) -> None:
    builder = DumpBuilder().memory(0x1000, b"abcd").thread(1, {"eip": 0x1000}).module("a.exe", 0x400000, 0x1000, 1)
    assert (
        stillframe.open(builder.exception(1, 1, 0x1000).region(0, 0x1000, 0x10000).write(tmp_path / "a")).problems == []
    )


def test_unknown_streams_are_listed_and_readable(tmp_path: Path) -> None:
    builder = DumpBuilder().stream(0xBEEF, b"content").stream(COMMENT_A, b"a comment\0")
    dump = stillframe.open(builder.write(tmp_path / "a.dmp"))
    streams = {stream.type: stream for stream in dump.streams}
    assert dump.stream_bytes(streams[0xBEEF].index) == b"content"
    assert streams[0xBEEF].size_bytes == 7
    assert "beef" in streams[0xBEEF].name.lower()
    assert dump.comments == ["a comment"]
    with pytest.raises(IndexError):
        dump.stream_bytes(len(dump.streams))


def test_what_a_dump_lacks_is_absent_or_empty(tmp_path: Path) -> None:
    dump = stillframe.open(DumpBuilder(has_system_info=False).write(tmp_path / "bare.dmp"))
    missing = Absent.because(Reason.STREAM_MISSING)
    assert (dump.system, dump.misc) == (missing, missing)
    assert (dump.cpu, dump.exception, dump.crash, dump.crashed_thread) == ("unknown", None, None, None)
    assert (dump.threads, list(dump.modules), dump.handles, dump.regions, dump.comments) == ((), [], [], [], [])
    assert dump.memory.ranges == []


def test_a_stream_that_cannot_be_read_is_another_absence_than_none(tmp_path: Path) -> None:
    builder = DumpBuilder(has_system_info=False).stream(SYSTEM_INFO, b"cut")
    dump = stillframe.open(builder.write(tmp_path / "a.dmp"))
    assert dump.system == Absent.because(Reason.STREAM_BROKEN)


@pytest.mark.parametrize(("cpu", "size"), [("x86", 4), ("amd64", 8)])
def test_the_processor_says_how_wide_an_address_is(tmp_path: Path, cpu: str, size: int) -> None:
    dump = stillframe.open(DumpBuilder(cpu).write(tmp_path / "a.dmp"))
    assert (dump.cpu, dump.pointer_size_bytes) == (cpu, size)
    assert isinstance(dump.system, stillframe.Absent) is False


def test_misc_info_gives_what_its_flags_vouch_for(tmp_path: Path) -> None:
    # MINIDUMP_MISC_INFO: size, flags (1: process id, 2: times), process id, three times.
    data = struct.pack("<6I", 24, 1, 1234, 7, 7, 7)
    misc = stillframe.open(DumpBuilder().stream(MISC_INFO, data).write(tmp_path / "a.dmp")).misc
    assert not isinstance(misc, Absent)
    assert (misc.process_id, misc.process_create_time) == (1234, None)
