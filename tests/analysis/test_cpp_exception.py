"""C++ exceptions of Microsoft's compiler: class and message, from structures that the test lays out."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent, Module, Reason
from stillframe.analysis.cpp_exception import plain_name
from stillframe.model.symbol import Symbol
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

THREAD, BASE, DATA, OBJECT, TEXT = 7, 0x400000, 0x402000, 0x500000, 0x600000
CPP_EXCEPTION, MAGIC = 0xE06D7363, 0x19930520


def exception_data(names: list[str], cpu: str) -> bytes:
    """ThrowInfo at DATA, CatchableTypeArray at +0x20, CatchableTypes from +0x100, TypeDescriptors from +0x400 on."""
    pointer, origin = (4, 0) if cpu == "x86" else (8, BASE)

    def reference(address: int) -> bytes:
        return struct.pack("<I", address - origin)

    data = bytearray(0x1000)
    data[0:16] = struct.pack("<III", 0, 0, 0) + reference(DATA + 0x20)
    data[0x20:0x24] = struct.pack("<I", len(names))
    for index, name in enumerate(names):
        at, descriptor = 0x100 + 0x20 * index, 0x400 + 0x80 * index
        data[0x24 + 4 * index : 0x28 + 4 * index] = reference(DATA + at)
        data[at : at + 8] = struct.pack("<I", 0) + reference(DATA + descriptor)
        text = name.encode() + b"\0"
        data[descriptor + 2 * pointer : descriptor + 2 * pointer + len(text)] = text
    return bytes(data)


def crash_of(folder: Path, cpu: str, data: bytes, message: bytes | None) -> stillframe.Crash:
    registers = {"eip": 0x401000, "esp": 0x20000} if cpu == "x86" else {"rip": 0x401000, "rsp": 0x20000}
    pointer = 4 if cpu == "x86" else 8
    builder = DumpBuilder(cpu=cpu).module("app.exe", BASE, 0x10000, 0x5F000000).memory(DATA, data)
    builder.thread(THREAD, registers, 0x20000, bytes(64))
    if message is not None:
        builder.memory(OBJECT, bytes(pointer) + TEXT.to_bytes(pointer, "little")).memory(TEXT, message + b"\0")
    parameters = (MAGIC, OBJECT, DATA) if cpu == "x86" else (MAGIC, OBJECT, DATA, BASE)
    crash = stillframe.open(
        builder.exception(THREAD, CPP_EXCEPTION, 0x401000, parameters).write(folder / "thrown.dmp")
    ).crash
    assert crash is not None
    return crash


RUNTIME_ERROR = [".?AVruntime_error@std@@", ".?AVexception@std@@"]


@pytest.mark.parametrize("cpu", ["x86", "amd64"])
def test_class_and_message(tmp_path: Path, cpu: str) -> None:
    crash = crash_of(tmp_path, cpu, exception_data(RUNTIME_ERROR, cpu), b"disk full")
    assert (crash.exception_type, crash.exception_message) == ("std::runtime_error", "disk full")
    (statement,) = crash.statements
    assert statement.text == 'a std::runtime_error was thrown with the message "disk full"'
    assert crash.reason == "Unhandled C++ Exception"
    assert not crash.account.is_raised_by_instruction


def test_only_a_std_exception_has_a_message(tmp_path: Path) -> None:
    crash = crash_of(tmp_path, "amd64", exception_data([".?AUfailure@app@@"], "amd64"), b"not a message")
    assert (crash.exception_type, crash.exception_message) == ("app::failure", None)


def test_memory_that_is_not_there(tmp_path: Path) -> None:
    without_text = crash_of(tmp_path, "amd64", exception_data(RUNTIME_ERROR, "amd64"), None)
    assert (without_text.exception_type, without_text.exception_message) == ("std::runtime_error", None)
    cut = crash_of(tmp_path, "amd64", exception_data(RUNTIME_ERROR, "amd64")[:0x200], None)
    assert cut.exception_type is None
    assert cut.statements == ()


def test_structures_that_lead_astray(tmp_path: Path) -> None:
    """A count of four thousand millions, and types that refer to themselves."""
    data = bytearray(exception_data(RUNTIME_ERROR, "amd64"))
    data[0x20:0x24] = b"\xff" * 4
    assert crash_of(tmp_path, "amd64", bytes(data), None).exception_type == "std::runtime_error"
    data[0x100:0x200] = struct.pack("<I", DATA - BASE) * 64
    assert crash_of(tmp_path, "amd64", bytes(data), None).exception_type is None


NAMES = [
    (".?AVruntime_error@std@@", "std::runtime_error"),
    (".?AUPlain@@", "Plain"),
    (".?AW4Colour@app@@", "app::Colour"),
    (".H", "int"),
    (".PEBD", "const char *"),
    (".?AV?$vector@HV?$allocator@H@std@@@std@@", ".?AV?$vector@HV?$allocator@H@std@@@std@@"),
]


@pytest.mark.parametrize(("decorated", "plain"), NAMES)
def test_plain_names(decorated: str, plain: str) -> None:
    assert plain_name(decorated) == plain


def test_symbols_tell_the_class_where_memory_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TypeDescriptors lie in a writable section, which small dumps leave out; ThrowInfo does not."""

    def symbols(named: dict[int, str]) -> None:
        def symbol_at(module: Module, address: int) -> Symbol | Absent:
            decorated = named.get(address)
            if decorated is None:
                return Absent.because(Reason.NOT_IN_DEBUG_INFO)
            return Symbol(decorated, decorated, address, "public_data", None, module)

        monkeypatch.setattr(Module, "symbol_at", symbol_at)

    without_descriptors = exception_data(RUNTIME_ERROR, "amd64")[:0x200]
    symbols({DATA + 0x400: "??_R0?AVruntime_error@std@@@8"})
    assert crash_of(tmp_path, "amd64", without_descriptors, None).exception_type == "std::runtime_error"
    symbols({DATA: "_TI2?AVout_of_range@std@@"})
    assert crash_of(tmp_path, "amd64", without_descriptors, None).exception_type == "std::out_of_range"
    symbols({DATA: "some_table"})
    assert crash_of(tmp_path, "amd64", without_descriptors, None).exception_type is None
