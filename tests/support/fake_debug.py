"""Debug information that a test makes up: types that no compiler writes, and the memory of their values.

`FakeDebug` answers as `_engine.DebugFile` does; `program` opens a dump whose one module it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import stillframe
from stillframe.model.evidence import DebugInfoFound
from stillframe.model.value.value import Value
from support.dump_builder import WINDOWS_NT, DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe._engine import DebugFile
    from stillframe.model.process import Process
    from stillframe.model.typing.type import Type

BASE, SIZE = 0x400000, 0x10000
HEAP = 0x700000


@dataclass
class FakeType:
    """As `_engine.TypeRecord`."""

    kind: str
    name: str = ""
    size_bytes: int | None = None
    encoding: str | None = None
    target: int | None = None
    class_id: int | None = None
    is_const: bool = False
    is_volatile: bool = False
    is_declaration: bool = False
    counts: list[int | None] = field(default_factory=list)
    parameters: list[int] = field(default_factory=list)
    is_variadic: bool = False


@dataclass
class FakeMember:
    """As `_engine.MemberRecord`."""

    name: str
    type_id: int | None
    offset_bytes: int | None = 0
    kind: str = "field"
    bits: tuple[int, int] | None = None
    table_index: int | None = None
    is_artificial: bool = False
    variant: str = "always"
    discriminants: tuple[tuple[int, int], ...] = ()


@dataclass
class FakeVariable:
    """As `_engine.VariableRecord`, of a static or thread-local variable."""

    name: str
    type_id: int | None
    offset: int | None
    place: str = "static"
    is_parameter: bool = False
    is_artificial: bool = False
    inline_depth: int = 0
    register: str | None = None


@dataclass
class FakeSymbol:
    """As `_engine.SymbolRecord`."""

    name: str
    display_name: str
    rva: int
    kind: str = "public_data"
    size_bytes: int | None = None


@dataclass
class FakeDebug:
    """Debug information in the making; each method that adds returns what others refer to it by."""

    types: list[FakeType] = field(default_factory=list)
    members: dict[int, list[FakeMember]] = field(default_factory=dict)
    enumerators: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    data: list[FakeVariable] = field(default_factory=list)
    symbols: list[FakeSymbol] = field(default_factory=list)
    natvis: list[tuple[str, bytes]] = field(default_factory=list)
    format: str = "dwarf"

    def add(self, kind: str, name: str = "", **facts: Any) -> int:
        self.types.append(FakeType(kind, name, **facts))
        return len(self.types) - 1

    def base(self, name: str, size: int, encoding: str) -> int:
        return self.add("base", name, size_bytes=size, encoding=encoding)

    def int_(self) -> int:
        return self.base("int", 4, "signed")

    def char(self) -> int:
        return self.base("char", 1, "signed_character")

    def pointer(self, target: int | None, size: int = 8) -> int:
        return self.add("pointer", size_bytes=size, target=target)

    def class_(self, name: str, size: int | None, *members: FakeMember, kind: str = "struct", **facts: Any) -> int:
        made = self.add(kind, name, size_bytes=size, **facts)
        self.members[made] = list(members)
        return made

    def enum(self, name: str, target: int, **values: int) -> int:
        made = self.add("enum", name, target=target, size_bytes=self.types[target].size_bytes)
        self.enumerators[made] = list(values.items())
        return made

    # --- what `DebugFile` answers ----------------------------------------------------------------------------------

    def type_of(self, id_: int) -> FakeType | None:
        return self.types[id_] if 0 <= id_ < len(self.types) else None

    def members_of(self, id_: int) -> list[FakeMember]:
        return self.members.get(id_, [])

    def enumerators_of(self, id_: int) -> list[tuple[str, int]]:
        return self.enumerators.get(id_, [])

    def types_named(self, name: str) -> list[int]:
        found = [id_ for id_, type_ in enumerate(self.types) if name and type_.name == name]
        return sorted(found, key=lambda id_: self.types[id_].is_declaration)

    def data_named(self, name: str) -> list[FakeVariable]:
        return [variable for variable in self.data if variable.name == name]

    def natvis_files(self) -> list[tuple[str, bytes]]:
        return self.natvis

    def symbol_at(self, rva: int) -> FakeSymbol | None:
        below = [symbol for symbol in self.symbols if symbol.rva <= rva]
        return max(below, key=lambda symbol: symbol.rva) if below else None

    def function_at(self, rva: int) -> None:
        return None

    def scopes_at(self, rva: int) -> list[object]:
        return []

    def variables_at(self, rva: int) -> list[FakeVariable]:
        return []

    def symbols_named(self, name: str) -> list[FakeSymbol]:
        return [symbol for symbol in self.symbols if name in {symbol.name, symbol.display_name}]


@dataclass
class Program:
    """A dump, its debug information, and values of its types."""

    dump: stillframe.Dump
    debug: FakeDebug

    @property
    def process(self) -> Process:
        return self.dump._process

    def type(self, id_: int) -> Type:
        found = self.process.types.of(self.dump.modules[0], id_)
        assert found is not None
        return found

    def value(self, id_: int, address: int = HEAP) -> Value:
        return Value.at_address(self.process, self.type(id_), address)


def program(
    folder: Path,
    debug: FakeDebug,
    heap: bytes = b"",
    *,
    cpu: str = "amd64",
    platform: int = WINDOWS_NT,
    memory: dict[int, bytes] | None = None,
    teb: int = 0,
    registers: dict[str, int] | None = None,
) -> Program:
    """A dump with `heap` at `HEAP`, other `memory` by address, and one module at `BASE` that `debug` describes."""
    builder = DumpBuilder(cpu, platform).module("C:\\app\\app.exe", BASE, SIZE, 0x5F000000)
    pc = "rip" if cpu == "amd64" else "eip" if cpu == "x86" else "pc"
    builder.thread(1, {pc: BASE + 0x1000, **(registers or {})}, teb=teb)
    for address, data in {HEAP: heap, **(memory or {})}.items():
        if data:
            builder.memory(address, data)
    dump = stillframe.open(builder.write(folder / "program.dmp"))
    module = dump.modules[0]
    module._debug_info = DebugInfoFound(folder / "app.pdb", cast("DebugFile", debug), "dump")
    return Program(dump, debug)
