"""From text to addresses and from addresses to text, where no debug information is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import stillframe
from support import scene
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def dump(tmp_path: Path) -> stillframe.Dump:
    builder = DumpBuilder().module("C:\\hello.exe", 0x9F0000, 0x10000, 1).module("C:\\a.b.dll", 0x500000, 0x1000, 1)
    return stillframe.open(builder.write(tmp_path / "a.dmp"))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0x9f1934", 0x9F1934),
        ("0X9F1934", 0x9F1934),
        ("10426676", 0x9F1934),
        ("0", 0),
        ("0xffffffffffffffff", (1 << 64) - 1),
        ("hello.exe", 0x9F0000),
        ("HELLO.exe+0x1934", 0x9F1934),
        (" hello.exe + 16 ", 0x9F0010),
        ("hello.exe-1", 0x9EFFFF),
        ("a.b.dll+0x10-8+1", 0x500009),
        ("0x10+010", 0x1A),
    ],
)
def test_address_of(dump: stillframe.Dump, text: str, address: int) -> None:
    assert dump.address_of(text) == address


@pytest.mark.parametrize("text", ["main", "", "+4", "0x", "0x1-2", "0xffffffffffffffff+1", "nothing.exe", "operator+"])
def test_what_stands_for_nothing_is_no_address(dump: stillframe.Dump, text: str) -> None:
    with pytest.raises(stillframe.NoSuchSymbol) as caught:
        dump.address_of(text)
    assert "\n" not in str(caught.value)


def test_a_symbol_of_a_module_without_symbols_says_so(dump: stillframe.Dump) -> None:
    with pytest.raises(stillframe.SymbolsMissing, match=r"^hello.exe: ") as caught:
        dump.address_of("hello!main+4")
    assert caught.value.module == "hello.exe"
    with pytest.raises(stillframe.NoSuchModule):
        dump.address_of("absent!main")
    assert dump.symbols("main") == []


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (0x9F0000, "hello.exe+0x0"),
        (0x9F1934, "hello.exe+0x1934"),
        (0x9FFFFF, "hello.exe+0xffff"),
        (0xA00000, "0xa00000"),
        (0, "0x0"),
    ],
)
def test_addresses_without_symbols_are_named_by_module(dump: stillframe.Dump, address: int, text: str) -> None:
    assert str(dump.symbolize(address)) == text
    assert dump.address_of(text) == address


def test_without_debug_information_exports_name_code(tmp_path: Path) -> None:
    pe = scene.image().exports(second=scene.TEXT + 0x20, first=scene.TEXT)
    dump = scene.write(tmp_path, pe, scene.dump(pe))
    assert str(dump.symbolize(scene.BASE + scene.TEXT)) == "hello.exe!first"
    assert str(dump.symbolize(scene.BASE + scene.TEXT + 0x1F)) == "hello.exe!first+0x1f"
    symbolized = dump.symbolize(scene.BASE + scene.TEXT + 0x21)
    assert (str(symbolized), symbolized.kind) == ("hello.exe!second+0x1", "symbol")
    assert isinstance(symbolized.function, stillframe.Absent)
    # Another section, and headers: no export names them.
    assert str(dump.symbolize(scene.BASE + scene.RDATA)) == "hello.exe+0x2000"
    assert str(dump.symbolize(scene.BASE)) == "hello.exe+0x0"
