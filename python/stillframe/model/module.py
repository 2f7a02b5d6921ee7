"""Modules: the images that the process had loaded, by identity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from stillframe._engine import LineRow, ModuleRecord, ScopeRecord
    from stillframe.model.absent import Absent
    from stillframe.model.evidence import DebugInfoState, ImageState
    from stillframe.model.symbol import Function, Symbol, Symbols


class Module:
    """A loaded image: the range [`base`, `end`)."""

    index: int
    """In the dump's list."""
    name: str
    """Base name, for example `hello.exe`."""
    path: str
    """As recorded."""
    base: int
    end: int
    size_bytes: int
    version: str | None
    """File version `a.b.c.d`."""
    code_id: str | None
    """TimeDateStamp `%08x` and SizeOfImage `%x`; of an ELF image its build-id. As minidump-stackwalk shows it."""
    debug_id: str | None
    """GUID as 32 upper-case hex digits and age `%x`, as the dump records it, or as the image does once it is found."""
    debug_file: str | None
    """Base name of the PDB."""
    record: ModuleRecord
    """As the engine reads it."""

    @property
    def image(self) -> ImageState:
        """What is known of the image so far. This does not look for it: `find_image` does."""
        raise NotImplementedError

    @property
    def debug_info(self) -> DebugInfoState:
        """What is known of the debug information so far. This does not look for it: `find_debug_info` does."""
        raise NotImplementedError

    def find_image(self) -> ImageState:
        """Looks for the image, once; then as `image`."""
        raise NotImplementedError

    def find_debug_info(self) -> DebugInfoState:
        """Looks for the debug information (after the image, which may name it), once; then as `debug_info`."""
        raise NotImplementedError

    @property
    def symbols(self) -> Symbols:
        """The module's symbols, by name."""
        raise NotImplementedError

    def function_at(self, address: int) -> Function | Absent:
        """The function whose range covers `address`."""
        raise NotImplementedError

    def symbol_at(self, address: int) -> Symbol | Absent:
        """The named address nearest at or below `address` in its section."""
        raise NotImplementedError

    def scopes_at(self, address: int) -> tuple[ScopeRecord, ...]:
        """The chain of calls at `address`, innermost first; empty where no debug information covers it."""
        raise NotImplementedError

    def lines_in(self, start: int, end: int) -> tuple[LineRow, ...]:
        """Rows of the line table that overlap [`start`, `end`); their RVAs count from `base`."""
        raise NotImplementedError


class Modules(Sequence[Module]):
    """The modules of a dump, in its order. `modules["hello.exe"]` or `modules["hello"]` looks one up by name."""

    @overload
    def __getitem__(self, key: int | str) -> Module: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Module, ...]: ...
    def __getitem__(self, key: int | str | slice) -> Module | tuple[Module, ...]:
        """The module at an index, or the first with a name (case does not count; the extension may be left out).

        :raises IndexError: :raises NoSuchModule:
        """
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def at(self, address: int) -> Module | None:
        """The module that covers `address`."""
        raise NotImplementedError
