"""What handlers note: assertions, annotations of Crashpad, crash information of macOS; the tests lay out streams."""

from __future__ import annotations

import resource
import struct
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

import stillframe
from stillframe.analysis import handler_notes, linux, mach
from support.data import shared_data
from support.dump_builder import MACOS, DumpBuilder, File

if TYPE_CHECKING:
    from collections.abc import Callable

REPORT, CLIENT = UUID(int=0x0123456789ABCDEF0123456789ABCDEF), UUID(int=7)


def dump_with(folder: Path, kind: int, data: bytes | Callable[[File], bytes]) -> stillframe.Dump:
    builder = DumpBuilder(cpu="amd64", platform=MACOS).module("/usr/lib/libone.dylib", 0x400000, 0x10000, 0)
    builder.thread(7, {"rip": 0x401000, "rsp": 0x20000}, 0x20000, bytes(64)).exception(7, 10, 0x401000)
    return stillframe.open(builder.stream(kind, data).write(folder / "noted.dmp"))


def assertion(expression: str, function: str, file: str, line: int, kind: int) -> bytes:
    texts = [text.encode("utf-16-le").ljust(256, b"\0") for text in (expression, function, file)]
    return b"".join(texts) + struct.pack("<II", line, kind)


def test_an_assertion(tmp_path: Path) -> None:
    dump = dump_with(tmp_path, 0x47670002, assertion("x > 0", "check", "app.cpp", 12, 0))
    assert dump.crash is not None
    assert dump.crash.assertion == stillframe.model.crash.Assertion("unknown", "x > 0", "check", "app.cpp", 12)
    (statement,) = dump.crash.statements
    assert statement.text == "failed assertion: x > 0 in check at app.cpp:12"
    kinds = [
        handler_notes.assertion(dump_with(tmp_path, 0x47670002, assertion("", "", "", 0, kind))) for kind in (1, 2)
    ]
    assert [each.kind for each in kinds if each] == ["invalid parameter", "pure virtual call"]
    assert handler_notes.assertion(dump_with(tmp_path, 0x47670002, b"short")) is None


def counted(file: File, data: bytes) -> int:
    return file.add(struct.pack("<I", len(data)) + data)


def located(file: File, data: bytes) -> bytes:
    return struct.pack("<II", len(data), file.add(data))


def dictionary(file: File, values: dict[bytes, bytes]) -> bytes:
    entries = [struct.pack("<II", counted(file, name), counted(file, value)) for name, value in values.items()]
    return located(file, struct.pack("<I", len(entries)) + b"".join(entries))


def crashpad(file: File) -> bytes:
    objects = struct.pack("<I", 2)
    objects += struct.pack("<IHHI", counted(file, b"abort_message"), 1, 0, counted(file, b"out of cheese"))
    objects += struct.pack("<IHHI", counted(file, b"counter"), 0x8001, 0, counted(file, b"\x05"))
    messages = struct.pack("<II", 1, counted(file, b"abort() called"))
    module = struct.pack("<I", 1) + located(file, messages)
    module += dictionary(file, {b"flavour": b"plain"}) + located(file, objects)
    modules = struct.pack("<III", 1, 0, len(module)) + struct.pack("<I", file.add(module))
    simple = dictionary(file, {b"ver": b"1.2", b"prod": b"app"})
    return struct.pack("<I", 1) + REPORT.bytes_le + CLIENT.bytes_le + simple + located(file, modules)


def test_annotations_of_crashpad(tmp_path: Path) -> None:
    dump = dump_with(tmp_path, 0x43500001, crashpad)
    info = handler_notes.crashpad(dump)
    assert info is not None
    assert (info.report_id, info.client_id) == (str(REPORT), str(CLIENT))
    assert info.values == {"ver": "1.2", "prod": "app"}
    (module,) = info.modules
    assert module.messages == ("abort() called",)
    assert module.values == {"flavour": "plain"}
    assert module.objects == (("abort_message", 1, b"out of cheese"), ("counter", 0x8001, b"\x05"))
    assert dump.crash is not None
    assert [str(statement) for statement in dump.crash.statements] == [
        "libone.dylib said: abort() called",
        "abort_message: out of cheese",
    ]


def test_crashpad_that_refers_to_one_large_text_again_and_again(tmp_path: Path) -> None:
    def greedy(file: File) -> bytes:
        text = counted(file, b"x" * 0x10000)
        entries = struct.pack("<II", text, text) * 5000
        return struct.pack("<I", 1) + bytes(32) + located(file, struct.pack("<I", 0xFFFFFFFF) + entries)

    info = handler_notes.crashpad(dump_with(tmp_path, 0x43500001, greedy))
    assert info is not None
    assert sum(len(name) + len(value) for name, value in info.values.items()) <= handler_notes.MOST_BYTES


def test_a_crashpad_stream_that_is_cut(tmp_path: Path) -> None:
    whole = struct.pack("<I", 1) + bytes(32) + struct.pack("<IIII", 100, 0xFFFFFF00, 100, 0xFFFFFF00)
    for length in range(len(whole)):
        info = handler_notes.crashpad(dump_with(tmp_path, 0x43500001, whole[:length]))
        assert (info is None) == (length < 36)
        assert info is None or (info.values, info.modules) == ({}, ())


def mac_crash_info(version: int, start: int) -> Callable[[File], bytes]:
    def write(file: File) -> bytes:
        record = struct.pack("<4Q", 0x4D7A0001, version, 0x11, 0x22)
        record += struct.pack("<Q", 0x33) if start >= 40 else b""
        record += b"/usr/lib/libtwo.dylib\0first\0signature\0back\0second\0"
        locations = located(file, record) + bytes(8 * 19)
        return struct.pack("<III", 0x4D7A0001, 1, start) + locations

    return write


@pytest.mark.parametrize(("version", "start", "abort_cause"), [(4, 32, None), (5, 40, 0x33)])
def test_crash_information_of_macos(tmp_path: Path, version: int, start: int, abort_cause: int | None) -> None:
    dump = dump_with(tmp_path, 0x4D7A0001, mac_crash_info(version, start))
    (record,) = handler_notes.mac_crash_info(dump)
    assert record == (version, 0x11, 0x22, abort_cause, "/usr/lib/libtwo.dylib", "first", "signature", "back", "second")
    assert dump.crash is not None
    assert dump.crash.statements[0].text == "libtwo.dylib said: first second"


# Code, flags, parameters, processor; the constants of XNU's headers.
MACH = [
    (1, 1, (), "amd64", "EXC_BAD_ACCESS / KERN_INVALID_ADDRESS"),
    (1, 13, (), "amd64", "EXC_BAD_ACCESS / EXC_I386_GPFLT"),
    (1, 0x101, (), "arm64", "EXC_BAD_ACCESS / EXC_ARM_DA_ALIGN"),
    (2, 1, (), "amd64", "EXC_BAD_INSTRUCTION / EXC_I386_INVOP"),
    (2, 1, (), "arm64", "EXC_BAD_INSTRUCTION / EXC_ARM_UNDEFINED"),
    (3, 1, (), "amd64", "EXC_ARITHMETIC / EXC_I386_DIV"),
    (6, 2, (), "amd64", "EXC_BREAKPOINT / EXC_I386_BPT"),
    (6, 1, (), "arm64", "EXC_BREAKPOINT / EXC_ARM_BREAKPOINT"),
    (5, 0x10002, (), "amd64", "EXC_SOFTWARE / SIGABRT"),
    (11, 3 << 29, (), "arm64", "EXC_RESOURCE / RESOURCE_TYPE_MEMORY"),
    (12, 2 << 29, (), "arm64", "EXC_GUARD / GUARD_TYPE_FD"),
    (0, 0, (10, 6 << 24, 0), "amd64", "EXC_CRASH / SIGABRT"),
    (10, 0, (10, 10 << 24, 0), "amd64", "EXC_CRASH / SIGBUS"),
    (1, 99, (), "amd64", "EXC_BAD_ACCESS / 0x00000063"),
    (0, 0, (), "amd64", "unknown 0x00000000 / 0x00000000"),
]


@pytest.mark.parametrize(("code", "flags", "parameters", "cpu", "name"), MACH)
def test_names_of_mach_exceptions(code: int, flags: int, parameters: tuple[int, ...], cpu: str, name: str) -> None:
    assert mach.name(code, flags, parameters, cpu) == name


def test_a_real_assertion() -> None:
    crash = stillframe.open(shared_data() / "others" / "rust-minidump" / "invalid-parameter.dmp").crash
    assert crash is not None
    assert crash.assertion is not None
    assert (crash.assertion.kind, crash.assertion.line) == ("invalid parameter", 32)
    assert crash.assertion.expression == "format != nullptr"


def test_real_annotations() -> None:
    dump = stillframe.open(shared_data() / "others" / "breakpad" / "minidump_crashpad_annotation.dmp")
    info = handler_notes.crashpad(dump)
    assert info is not None
    assert info.values == {"crashpad": "yes", "plat": "iOS", "prod": "xcuitest", "ver": "1"}
    assert info.texts["exceptionName"] == "NSRangeException"
    simple = handler_notes.crashpad(stillframe.open(shared_data() / "others" / "rust-minidump" / "simple-crashpad.dmp"))
    assert simple is not None
    assert simple.values == {"hello": "world"}
    assert [text for _, text in simple.messages] == ["abort() called", "dyld2 mode"]


def test_boot_arguments_of_macos(tmp_path: Path) -> None:
    text = "keepsyms=1 debug=0x144"
    dump = dump_with(
        tmp_path, 0x4D7A0002, lambda file: struct.pack("<IQ", 0x4D7A0002, counted(file, text.encode("utf-16-le")))
    )
    assert handler_notes.mac_boot_arguments(dump) == text
    assert handler_notes.mac_boot_arguments(dump_with(tmp_path, 0x4D7A0002, struct.pack("<IQ", 0, 1 << 60))) == ""
    assert handler_notes.mac_boot_arguments(dump_with(tmp_path, 0x4D7A0002, b"short")) is None


def test_limits_of_a_process_are_those_that_it_has(tmp_path: Path) -> None:
    text = Path("/proc/self/limits").read_bytes()
    limits = {limit.name: limit for limit in linux.proc_limits(dump_with(tmp_path, 0x4D7A0003, text)) or ()}
    for name, kind, unit in (
        ("Max open files", resource.RLIMIT_NOFILE, "files"),
        ("Max core file size", resource.RLIMIT_CORE, "bytes"),
        ("Max nice priority", resource.RLIMIT_NICE, "n/a"),
        ("Max cpu time", resource.RLIMIT_CPU, "seconds"),
    ):
        expected = ["unlimited" if it == resource.RLIM_INFINITY else it for it in resource.getrlimit(kind)]
        assert [limits[name].soft, limits[name].hard, limits[name].unit] == [*expected, unit]
    damaged = dump_with(tmp_path, 0x4D7A0003, b"Limit\nnonsense\n\xff\xff  1\n\n")
    assert linux.proc_limits(damaged) == ()
