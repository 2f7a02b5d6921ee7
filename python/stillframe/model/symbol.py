"""Names of addresses: functions, symbols, and what an address is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.absent import Absent
    from stillframe.model.location import SourceLocation
    from stillframe.model.module import Module

SymbolKind: TypeAlias = Literal["function", "public_code", "public_data", "variable", "export"]


@dataclass(frozen=True, slots=True)
class Function:
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


@dataclass(frozen=True, slots=True)
class Symbol:
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


@dataclass(frozen=True, slots=True)
class Symbolized:
    """What an address is called: by the best of function, symbol, module, bare address."""

    address: int
    kind: Literal["function", "symbol", "module", "address"]
    name: str | None
    """Of the function or symbol."""
    offset: int
    """Bytes from the start of what `kind` says; of `address`: 0."""
    module: Module | None
    function: Function | None
    location: SourceLocation | Absent

    def __str__(self) -> str:
        """`hello.exe!main+0x4`, `hello.exe+0x1934`, `0x9f1934`."""
        raise NotImplementedError


class Symbols:
    """The symbols of one module. Looking one up finds the module's debug information first."""

    def __init__(self, module: Module) -> None:
        self._module = module

    def named(self, name: str) -> list[Symbol]:
        """Symbols with exactly this name (decorated, undecorated or qualified), in address order.

        :raises SymbolsMissing: if the module's debug information was not found.
        """
        raise NotImplementedError

    def search(self, pattern: str, limit: int = 1000) -> list[Symbol]:
        """Up to `limit` symbols whose name matches `pattern` (`*`, `?`; case does not count), in address order.

        :raises SymbolsMissing: if the module's debug information was not found.
        """
        raise NotImplementedError

    def __getitem__(self, name: str) -> Symbol:
        """The symbol with this name.

        :raises NoSuchSymbol: :raises AmbiguousSymbol: :raises SymbolsMissing:
        """
        raise NotImplementedError

    def __iter__(self) -> Iterator[Symbol]:
        """All symbols, in address order."""
        raise NotImplementedError
