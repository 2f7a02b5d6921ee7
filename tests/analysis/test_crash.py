"""Crash reasons: names as minidump-stackwalk gives them, and the sentence for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import stillframe
from support.data import shared_data
from support.dump_builder import LINUX, WINDOWS_NT, DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

THREAD = 7
NULL = 0


def crash_of(folder: Path, builder: DumpBuilder) -> stillframe.Crash:
    crash = stillframe.open(builder.write(folder / "crash.dmp")).crash
    assert crash is not None
    return crash


def dump_with(
    code: int, parameters: tuple[int, ...] = (), *, cpu: str = "amd64", platform: int = WINDOWS_NT
) -> DumpBuilder:
    registers = {"eip": 0x401000, "esp": 0x20000} if cpu == "x86" else {"rip": 0x401000, "rsp": 0x20000}
    builder = DumpBuilder(cpu=cpu, platform=platform)
    builder.module("app.exe", 0x400000, 0x10000, 0x5F000000).thread(THREAD, registers, 0x20000, bytes(64))
    return builder.exception(THREAD, code, 0x401000, parameters)


# Code, parameters, and the words of minidump-stackwalk's crash_info.type; values are those of winnt.h and ntstatus.h.
WINDOWS_REASONS = [
    (0xC0000005, (0, 0x10), "EXCEPTION_ACCESS_VIOLATION_READ"),
    (0xC0000005, (1, 0x10), "EXCEPTION_ACCESS_VIOLATION_WRITE"),
    (0xC0000005, (8, 0x10), "EXCEPTION_ACCESS_VIOLATION_EXEC"),
    (0xC0000005, (3, 0x10), "EXCEPTION_ACCESS_VIOLATION"),
    (0xC0000005, (), "EXCEPTION_ACCESS_VIOLATION"),
    (0xC0000006, (0, 0x10, 0xC0000185), "EXCEPTION_IN_PAGE_ERROR_READ / STATUS_IO_DEVICE_ERROR"),
    (0xC0000006, (1, 0x10, 0xC7654321), "EXCEPTION_IN_PAGE_ERROR_WRITE / 0xc7654321"),
    (0xC0000006, (0, 0x10, 0xC000009C), "EXCEPTION_IN_PAGE_ERROR_READ / STATUS_DEVICE_DATA_ERROR"),
    (0xC00000FD, (), "EXCEPTION_STACK_OVERFLOW"),
    (0x80000003, (0,), "EXCEPTION_BREAKPOINT"),
    (0xC0000094, (), "EXCEPTION_INT_DIVIDE_BY_ZERO"),
    (0xC0000374, (), "STATUS_HEAP_CORRUPTION"),
    (0xC0000417, (), "STATUS_INVALID_CRUNTIME_PARAMETER"),
    (0xC0000409, (2,), "EXCEPTION_STACK_BUFFER_OVERRUN / FAST_FAIL_STACK_COOKIE_CHECK_FAILURE"),
    (0xC0000409, (7,), "EXCEPTION_STACK_BUFFER_OVERRUN / FAST_FAIL_FATAL_APP_EXIT"),
    (0xC0000409, (0x1234,), "EXCEPTION_STACK_BUFFER_OVERRUN / 0x00001234"),
    (0xC0000409, (), "STATUS_STACK_BUFFER_OVERRUN"),
    (0xE06D7363, (0x19930520, 0, 0), "Unhandled C++ Exception"),
    (0xE0434352, (), "MANAGED_EXCEPTION_CODE_V4"),
    (0x12345678, (), "unknown 0x12345678"),
]


@pytest.mark.parametrize(("code", "parameters", "reason"), WINDOWS_REASONS)
def test_windows_reasons(tmp_path: Path, code: int, parameters: tuple[int, ...], reason: str) -> None:
    assert crash_of(tmp_path, dump_with(code, parameters)).reason == reason


LINUX_REASONS = [
    (11, "SIGSEGV"),
    (6, "SIGABRT"),
    (8, "SIGFPE"),
    (0xFFFFFFFF, "DUMP_REQUESTED"),
    (99, "unknown 0x00000063 / 0x00000000"),
]


@pytest.mark.parametrize(("signal", "reason"), LINUX_REASONS)
def test_linux_reasons(tmp_path: Path, signal: int, reason: str) -> None:
    assert crash_of(tmp_path, dump_with(signal, platform=LINUX)).reason == reason


def test_the_address_is_the_one_accessed_where_there_is_one(tmp_path: Path) -> None:
    assert crash_of(tmp_path, dump_with(0xC0000005, (1, 0x45))).address == 0x45
    assert crash_of(tmp_path, dump_with(0xC0000006, (0, 0x46, 0xC000009C))).address == 0x46
    assert crash_of(tmp_path, dump_with(0xC0000005)).address == 0x401000
    assert crash_of(tmp_path, dump_with(0x80000003)).address == 0x401000


def test_an_address_of_32_bits_that_was_stored_with_its_sign_extended(tmp_path: Path) -> None:
    crash = crash_of(tmp_path, dump_with(0xC0000005, (1, 0xFFFF_FFFF_8000_0045), cpu="x86"))
    assert crash.address == 0x80000045
    assert "write to 0x80000045 by" in crash.explanation


SENTENCES = [
    (0xC0000005, (1, NULL), "write to 0x0 (null) by app.exe+0x1000"),
    (0xC0000005, (0, 0x45), "read from 0x45 (near null) by app.exe+0x1000"),
    (0xC0000005, (0, 0x41414141), "read from 0x41414141 by app.exe+0x1000"),
    (0xC0000005, (8, 0x20000), "execution of 0x20000, where no code may run"),
    (0xC00000FD, (), "stack overflow in app.exe+0x1000"),
    (
        0xC0000409,
        (2,),
        "fast-fail FAST_FAIL_STACK_COOKIE_CHECK_FAILURE (a stack cookie was overwritten) in app.exe+0x1000",
    ),
    (0x12345678, (), "exception 0x12345678 in app.exe+0x1000"),
]


@pytest.mark.parametrize(("code", "parameters", "sentence"), SENTENCES)
def test_sentences(tmp_path: Path, code: int, parameters: tuple[int, ...], sentence: str) -> None:
    assert crash_of(tmp_path, dump_with(code, parameters)).explanation == sentence


def test_a_fault_without_an_address_is_not_called_a_read_of_the_last_one(tmp_path: Path) -> None:
    not_canonical = crash_of(tmp_path, dump_with(0xC0000005, (0, 0xFFFF_FFFF_FFFF_FFFF)))
    assert "not canonical" in not_canonical.explanation
    assert not not_canonical.explanation.startswith("read")
    of_32_bits = crash_of(tmp_path, dump_with(0xC0000005, (0, 0xFFFFFFFF), cpu="x86"))
    assert of_32_bits.explanation.startswith("read from 0xffffffff ")


def test_a_thread_that_the_dump_does_not_list(tmp_path: Path) -> None:
    crash = crash_of(tmp_path, dump_with(0x80000003).exception(THREAD + 1, 0x80000003, 0x401000))
    assert crash.thread is None
    assert crash.explanation == "breakpoint"


def test_no_exception_is_no_crash(tmp_path: Path) -> None:
    builder = DumpBuilder().thread(THREAD, {"eip": 0x401000, "esp": 0x20000})
    assert stillframe.open(builder.write(tmp_path / "quiet.dmp")).crash is None


# Real dumps of Breakpad's, whose names say how the program crashed.
BREAKPAD = [
    ("null_read_av.dmp", "EXCEPTION_ACCESS_VIOLATION_READ", 0),
    ("null_write_av.dmp", "EXCEPTION_ACCESS_VIOLATION_WRITE", 0),
    ("exec_av_on_stack.dmp", "EXCEPTION_ACCESS_VIOLATION_EXEC", None),
    ("ascii_read_av.dmp", "EXCEPTION_ACCESS_VIOLATION_READ", 0x41414141),
    ("minidump_32bit_crash_addr.dmp", "EXCEPTION_ACCESS_VIOLATION_WRITE", 0x45),
    ("stack_exhaustion.dmp", "EXCEPTION_STACK_OVERFLOW", None),
    ("tiny-exe-fastfail.dmp", "EXCEPTION_STACK_BUFFER_OVERRUN / FAST_FAIL_FATAL_APP_EXIT", None),
    ("linux_divide_by_zero.dmp", "SIGFPE", None),
    ("linux_raise_sigabrt.dmp", "SIGABRT", None),
    ("linux_null_dereference.dmp", "SIGSEGV", 0),
]


@pytest.mark.parametrize(("name", "reason", "address"), BREAKPAD)
def test_real_crashes(name: str, reason: str, address: int | None) -> None:
    crash = stillframe.open(shared_data() / "others" / "breakpad" / name).crash
    assert crash is not None
    assert crash.reason == reason
    assert address is None or crash.address == address


def test_a_crash_of_macos() -> None:
    crash = stillframe.open(shared_data() / "others" / "symbolic" / "macos" / "mini.dmp").crash
    assert crash is not None
    assert (crash.reason, crash.address) == ("EXC_BAD_ACCESS / KERN_INVALID_ADDRESS", 0x45)
