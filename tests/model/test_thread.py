"""Threads and the first frame, where no files are at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import stillframe
from stillframe import Absent, Reason
from stillframe.model.thread import StopReason
from support import scene
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path


def test_the_first_frame_is_the_context(tmp_path: Path) -> None:
    builder = DumpBuilder().module("C:\\hello.exe", 0x9F0000, 0x10000, 1)
    builder.thread(7, {"eip": 0x9F1934, "esp": 0x20000, "ebp": 0, "eax": 0xDEAD}, 0x20000, bytes(64))
    dump = stillframe.open(builder.write(tmp_path / "a.dmp"))
    thread = dump.threads[0]
    assert (thread.id, thread.is_crashed, thread.stack_start, thread.stack_size_bytes) == (7, False, 0x20000, 64)
    frame = thread.frames[0]
    assert (frame.index, frame.physical_index, frame.is_inlined, frame.trust) == (0, 0, False, "context")
    assert (frame.instruction, frame.lookup_address) == (0x9F1934, 0x9F1934)
    assert frame.registers.get("eax") == 0xDEAD
    assert frame.name == "hello.exe+0x1934"
    assert frame.name_kind == "module"
    assert isinstance(frame.function, Absent)
    assert isinstance(frame.location, Absent)
    assert frame.location.reason is Reason.DEBUG_INFO_UNIDENTIFIED
    assert isinstance(frame.function_offset, Absent)
    assert frame.call_site_address == 0x9F1934
    assert frame.variables == []
    assert dump.crash is None
    assert dump.crashed_thread is None


def test_a_frame_outside_of_all_modules_is_named_by_its_address(tmp_path: Path) -> None:
    builder = DumpBuilder().thread(7, {"eip": 0x1234, "esp": 0x20000}, 0x20000, bytes(4))
    frame = stillframe.open(builder.write(tmp_path / "a.dmp")).threads[0].frames[0]
    assert (frame.name, frame.module, frame.name_kind) == ("0x1234", None, "address")


def test_the_crashed_thread_is_the_exceptions(tmp_path: Path) -> None:
    builder = DumpBuilder().thread(1, {"eip": 0x1000}).thread(2, {"eip": 0x2000})
    builder.exception(2, 0xC0000005, 0x2000, (1, 0x45))
    dump = stillframe.open(builder.write(tmp_path / "a.dmp"))
    assert dump.crashed_thread is dump.threads[1]
    assert [thread.is_crashed for thread in dump.threads] == [False, True]
    assert dump.exception is not None
    assert dump.exception.parameters == [1, 0x45]
    assert dump.crash is not None
    assert dump.crash.thread is dump.threads[1]


def test_a_thread_without_registers_has_no_frames_and_says_why(tmp_path: Path) -> None:
    builder = DumpBuilder(has_system_info=False).thread(1, {})
    thread = stillframe.open(builder.write(tmp_path / "a.dmp")).threads[0]
    assert isinstance(thread.registers, Absent)
    assert thread.frames == ()
    assert thread.stop.reason is StopReason.NO_CONTEXT


def test_a_stack_asks_for_each_file_once(tmp_path: Path) -> None:
    pe = scene.image()
    builder = scene.dump(pe).thread(1, {"eip": scene.BASE + scene.TEXT, "esp": 0x20000}, 0x20000, bytes(64))
    locator = scene.FakeLocator()
    thread = stillframe.open(builder.write(tmp_path / "a.dmp"), locator).threads[0]
    assert locator.asked_images == []
    assert thread.frames == thread.frames
    assert len(locator.asked_images) == 1
