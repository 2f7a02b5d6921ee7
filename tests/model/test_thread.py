"""Threads and the first frame, where no files are at hand."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent, Reason
from stillframe.model.thread import StopReason
from support import scene
from support.dump_builder import LINUX, DumpBuilder

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
    assert frame.variables == ()
    assert dump.crash is None
    assert dump.crashed_thread is None


def test_a_frame_outside_of_all_modules_is_named_by_its_address(tmp_path: Path) -> None:
    builder = DumpBuilder().thread(7, {"eip": 0x1234, "esp": 0x20000}, 0x20000, bytes(4))
    frame = stillframe.open(builder.write(tmp_path / "a.dmp")).threads[0].frames[0]
    assert (frame.name, frame.module, frame.name_kind) == ("0x1234", None, "address")


ARM_STACK = 0x20000
ARM_CODE = 0x40000
THUMB_CALL, ARM_CALL = bytes.fromhex("9847"), bytes.fromhex("33ff2fe1")
"""`blx r3`, in Thumb and in ARM."""


@pytest.mark.parametrize(
    ("call", "return_address", "call_site"),
    [
        (THUMB_CALL, ARM_CODE + 0x103, ARM_CODE + 0x100),
        (ARM_CALL, ARM_CODE + 0x104, ARM_CODE + 0x100),
        (bytes.fromhex("00f07ef8"), ARM_CODE + 0x105, ARM_CODE + 0x100),  # Thumb: bl .+0x100
    ],
)
def test_frames_of_arm_have_addresses_without_the_bit_of_thumb(
    tmp_path: Path, call: bytes, return_address: int, call_site: int
) -> None:
    code = bytes(0x100) + call + bytes(0x200)
    stack = struct.pack("<4I", 0, 0, 0, return_address) + bytes(64)
    builder = DumpBuilder("arm", platform=LINUX).memory(ARM_CODE, code).region(ARM_CODE, 0x1000, 0x1000, 0x20)
    builder.thread(7, {"pc": ARM_CODE + 0x200, "sp": ARM_STACK, "fp": ARM_STACK + 8, "r7": 7}, ARM_STACK, stack)
    dump = stillframe.open(builder.write(tmp_path / "a.dmp"))
    assert (dump.cpu, dump.pointer_size_bytes) == ("arm", 4)
    inner, caller = dump.threads[0].frames[:2]
    assert (inner.call_site_address, inner.registers.get("r7"), inner.registers.get("d1")) == (ARM_CODE + 0x200, 7, 0)
    assert (caller.instruction, caller.trust) == (return_address & ~1, "frame_pointer")
    assert caller.call_site_address == call_site
    assert caller.instructions_before == ()


def test_a_call_of_arm_whose_code_is_absent_is_not_found(tmp_path: Path) -> None:
    stack = struct.pack("<4I", 0, 0, 0, ARM_CODE + 0x104) + bytes(64)
    builder = DumpBuilder("arm", platform=LINUX).region(ARM_CODE, 0x1000, 0x1000, 0x20)
    builder.thread(7, {"pc": ARM_CODE + 0x200, "sp": ARM_STACK, "fp": ARM_STACK + 8}, ARM_STACK, stack)
    caller = stillframe.open(builder.write(tmp_path / "a.dmp")).threads[0].frames[1]
    assert isinstance(caller.call_site_address, Absent)
    assert caller.call_site_address.reason is Reason.NO_CALL_FOUND


def test_a_processor_without_registers_is_named(tmp_path: Path) -> None:
    dump = stillframe.open(DumpBuilder("ppc64", platform=LINUX).thread(7, {}).write(tmp_path / "a.dmp"))
    assert (dump.cpu, dump.pointer_size_bytes) == ("ppc64", 8)
    assert isinstance(dump.threads[0].registers, Absent)
    assert len(dump.threads[0].frames) == 0


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
