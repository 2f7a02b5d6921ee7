"""Names of addresses: functions, symbols, and what an address is called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from stillframe.errors import AmbiguousSymbol, NoSuchSymbol, SymbolsMissing
from stillframe.model.absent import Absent

if TYPE_CHECKING:
    from stillframe._engine import DebugFile, SymbolRecord
    from stillframe.model.location import SourceLocation
    from stillframe.model.module import Module

SymbolKind: TypeAlias = Literal["function", "public_code", "public_data", "variable", "export"]
NameKind: TypeAlias = Literal["function", "symbol", "module", "address"]


_CLONE = re.compile(r"\.(cold|part|isra|constprop|lto_priv)(\.\d+)*$")


class Function(NamedTuple):
    """A function of a module: the range [`address`, `end`)."""

    name: str
    address: int
    size_bytes: int
    is_thunk: bool
    module: Module

    @property
    def end(self) -> int:
        """One past the last byte."""
        return self.address + self.size_bytes


class Symbol(NamedTuple):
    """A named address of a module."""

    name: str
    """Undecorated, without argument lists."""
    decorated_name: str
    """As stored."""
    address: int
    kind: SymbolKind
    size_bytes: int | None
    """None where the debug information does not say."""
    module: Module

    @classmethod
    def of(cls, module: Module, record: SymbolRecord) -> Symbol:
        """The symbol of `module` that the engine describes by `record`."""
        address = module.base + record.rva
        return cls(record.display_name, record.name, address, record.kind, record.size_bytes, module)


class Symbolized(NamedTuple):
    """What an address is called: by the best of function, symbol, module, bare address."""

    address: int
    kind: NameKind
    name: str | None
    """Of the function or symbol."""
    offset: int
    """Bytes from the start of what `kind` says; of `address`: 0."""
    module: Module | None
    function: Function | Absent
    location: SourceLocation | Absent

    def __str__(self) -> str:
        """`hello.exe!main+0x4`, `hello.exe+0x1934`, `0x9f1934`."""
        if self.module is None:
            return f"{self.address:#x}"
        name = self.module.name if self.name is None else f"{self.module.name}!{self.name}"
        return f"{name}+{self.offset:#x}" if self.offset or self.name is None else name


class Symbols:
    """The symbols of one module. Looking one up finds the module's debug information first."""

    def __init__(self, module: Module) -> None:
        self._module = module

    def named(self, name: str) -> list[Symbol]:
        """Symbols with exactly this name (decorated, undecorated or qualified), in address order.

        :raises SymbolsMissing: if the module's debug information was not found.
        """
        return [Symbol.of(self._module, record) for record in self._debug_file().symbols_named(name)]

    def search(self, pattern: str, limit: int = 1000) -> list[Symbol]:
        """Up to `limit` symbols whose name matches `pattern` (`*`, `?`; case does not count), in address order.

        :raises SymbolsMissing: if the module's debug information was not found.
        """
        return [Symbol.of(self._module, record) for record in self._debug_file().symbols_matching(pattern, limit)]

    def __getitem__(self, name: str) -> Symbol:
        """The symbol with this name.

        :raises NoSuchSymbol: :raises AmbiguousSymbol: :raises SymbolsMissing:
        """
        return only(self.named(name), f"{self._module.name}!{name}")

    def _debug_file(self) -> DebugFile:
        debug = self._module.debug_file_or_absent()
        if isinstance(debug, Absent):
            raise SymbolsMissing(self._module.name, str(debug))
        return debug


def only(symbols: list[Symbol], name: str) -> Symbol:
    """The one symbol of `symbols`; several at one address count as one, of which the first stands for all.

    :raises NoSuchSymbol: :raises AmbiguousSymbol:
    """
    # GCC splits functions: `name.cold` is the part that hardly ever runs, and is shown under the same name.
    symbols = [symbol for symbol in symbols if _CLONE.search(symbol.decorated_name) is None] or symbols
    addresses = tuple(dict.fromkeys(symbol.address for symbol in symbols))
    if not addresses:
        raise NoSuchSymbol(name, "no symbol of this name")
    if len(addresses) > 1:
        raise AmbiguousSymbol(name, addresses)
    return symbols[0]
