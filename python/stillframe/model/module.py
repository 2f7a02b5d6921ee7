"""Modules: the images that the process had loaded, by identity."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, overload

from stillframe.errors import NoSuchModule
from stillframe.model import keys
from stillframe.model.absent import Absent, Reason
from stillframe.model.evidence import DebugInfoFound, ImageCaptured, ImageFound, NotAsked
from stillframe.model.names import base_name, stem
from stillframe.model.symbol import Function, Symbol, Symbols

if TYPE_CHECKING:
    from stillframe._engine import DebugFile, LineRow, ModuleRecord, Pdb70, ScopeRecord, Space, VariableRecord
    from stillframe.model.evidence import DebugInfoState, ImageState
    from stillframe.model.matching import Matcher


class Module:
    """A loaded image: the range [`base`, `end`).

    Its image and its debug information are looked for when a question needs them, once. Answers by address are kept.
    """

    def __init__(self, record: ModuleRecord, matcher: Matcher) -> None:
        self.record = record
        """As the engine reads it."""
        self.index = record.index
        """In the dump's list."""
        self.path = record.name
        """As recorded."""
        self.name = base_name(record.name)
        """Base name, for example `hello.exe`."""
        self.base = record.base
        self.size_bytes = record.size_bytes
        self.end = record.base + record.size_bytes
        self.version = record.version
        """File version `a.b.c.d`, if the dump has one."""
        self._matcher = matcher
        self._image: ImageState = NotAsked(Absent.because(Reason.IMAGE_NOT_ASKED))
        self._debug_info: DebugInfoState = NotAsked(Absent.because(Reason.DEBUG_INFO_NOT_ASKED))
        self._functions: dict[int, Function | Absent] = {}
        self._symbols: dict[int, Symbol | Absent] = {}
        self._scopes: dict[int, tuple[ScopeRecord, ...]] = {}

    def __repr__(self) -> str:
        return f"<Module {self.name} {self.base:#x}-{self.end:#x}>"

    @cached_property
    def code_id(self) -> str | None:
        """TimeDateStamp `%08x` and SizeOfImage `%x`; of an ELF image its build-id. As minidump-stackwalk shows it."""
        if self.record.build_id is not None:
            return self.record.build_id.hex()
        if self.record.time_date_stamp == 0:
            return None
        return f"{self.record.time_date_stamp:08x}{self.size_bytes:x}"

    @property
    def pdb(self) -> Pdb70 | None:
        """Which PDB belongs to the module: as the dump records it, else as the image does once it is found."""
        if self.record.pdb is None and isinstance(self._image, ImageFound | ImageCaptured):
            return self._image.file.pdb
        return self.record.pdb

    @property
    def debug_id(self) -> str | None:
        """GUID as 32 upper-case hex digits and age `%x`. Of an ELF image: its build-id in Breakpad's form."""
        return keys.breakpad_id(self.record, self.pdb)

    @property
    def debug_file(self) -> str | None:
        """Base name of the PDB; of an ELF image its own."""
        if self.record.build_id is not None:
            return self.name
        return base_name(self.pdb.path) if self.pdb else None

    @property
    def image_store_path(self) -> str | None:
        """Where a symbol store has the image: `NAME/KEY/NAME`; see `stillframe.model.keys`."""
        key = keys.image_key(self.record)
        return f"{self.name}/{key}/{self.name}" if key else None

    @property
    def debug_file_store_path(self) -> str | None:
        """Where a symbol store has the debug information: `NAME/KEY/NAME`; see `stillframe.model.keys`."""
        if self.record.build_id is not None:
            return f"_.debug/{keys.elf_debug_key(self.record.build_id)}/_.debug"
        pdb = self.pdb
        return f"{base_name(pdb.path)}/{pdb.debug_id}/{base_name(pdb.path)}" if pdb else None

    @property
    def image(self) -> ImageState:
        """What is known of the image so far. This does not look for it: `find_image` does."""
        return self._image

    @property
    def debug_info(self) -> DebugInfoState:
        """What is known of the debug information so far. This does not look for it: `find_debug_info` does."""
        return self._debug_info

    def find_image(self) -> ImageState:
        """Looks for the image, once; then as `image`."""
        if isinstance(self._image, NotAsked):
            self._image = self._matcher.find_image(self.record)
        return self._image

    def find_debug_info(self) -> DebugInfoState:
        """Looks for the debug information, once; then as `debug_info`.

        The image is looked for first, whoever asks: it may name the PDB and tell where it lies, and the answer must
        not depend on the order of questions.
        """
        if isinstance(self._debug_info, NotAsked):
            self._debug_info = self._matcher.find_debug_info(self.record, self.find_image())
        return self._debug_info

    def covers(self, address: int) -> bool:
        """Whether `address` lies in the module."""
        return self.base <= address < self.end

    @property
    def symbols(self) -> Symbols:
        """The module's symbols, by name."""
        return Symbols(self)

    def debug_file_or_absent(self) -> DebugFile | Absent:
        """The engine's debug file, after looking for it."""
        state = self.find_debug_info()
        return state.file if isinstance(state, DebugInfoFound) else state.absent

    def function_at(self, address: int) -> Function | Absent:
        """The function whose range covers `address`."""
        if address not in self._functions:
            self._functions[address] = self._function_at(address)
        return self._functions[address]

    def _function_at(self, address: int) -> Function | Absent:
        debug = self.debug_file_or_absent()
        if isinstance(debug, Absent):
            return debug
        record = debug.function_at(address - self.base) if self.covers(address) else None
        if record is None:
            return Absent.because(Reason.NOT_IN_DEBUG_INFO)
        return Function(record.name, self.base + record.rva, record.size_bytes, record.is_thunk, self)

    def symbol_at(self, address: int) -> Symbol | Absent:
        """The named address nearest at or below `address` in its section: of the debug information, else an export."""
        if address not in self._symbols:
            self._symbols[address] = self._symbol_at(address)
        return self._symbols[address]

    def _symbol_at(self, address: int) -> Symbol | Absent:
        debug, rva = self.debug_file_or_absent(), address - self.base
        record = None
        if self.covers(address) and not isinstance(debug, Absent):
            record = debug.symbol_at(rva)
        if record is None and self.covers(address) and isinstance(self._image, ImageFound | ImageCaptured):
            record = self._image.file.export_at(rva)
        if record is not None and record.size_bytes is not None and rva - record.rva >= max(record.size_bytes, 1):
            record = None  # what lies behind it has no name
        if record is not None:
            return Symbol.of(self, record)
        return debug if isinstance(debug, Absent) else Absent.because(Reason.NOT_IN_DEBUG_INFO)

    def scopes_at(self, address: int) -> tuple[ScopeRecord, ...]:
        """The chain of calls at `address`, innermost first; empty where no debug information covers it."""
        if address not in self._scopes:
            debug = self.debug_file_or_absent()
            if isinstance(debug, Absent) or not self.covers(address):
                self._scopes[address] = ()
            else:
                self._scopes[address] = tuple(debug.scopes_at(address - self.base))
        return self._scopes[address]

    def lines_in(self, start: int, end: int) -> list[LineRow]:
        """Rows of the line table that overlap [`start`, `end`); their RVAs count from `base`."""
        debug = self.debug_file_or_absent()
        start, end = max(start, self.base), min(end, self.end)
        return [] if isinstance(debug, Absent) or start >= end else debug.lines_in(start - self.base, end - self.base)

    def variables_at(self, address: int) -> list[VariableRecord]:
        """Variables in scope at `address`, innermost scope first."""
        debug = self.debug_file_or_absent()
        if isinstance(debug, Absent) or not self.covers(address):
            return []
        return debug.variables_at(address - self.base)


class Modules(Sequence[Module]):
    """The modules of a dump, in its order. `modules["hello.exe"]` or `modules["hello"]` looks one up by name."""

    def __init__(self, modules: tuple[Module, ...], space: Space) -> None:
        self._modules = modules
        self._space = space

    @overload
    def __getitem__(self, key: int | str) -> Module: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Module, ...]: ...
    def __getitem__(self, key: int | str | slice) -> Module | tuple[Module, ...]:
        """The module at an index, or the first with a name (case does not count; the extension may be left out).

        :raises IndexError: :raises NoSuchModule:
        """
        if not isinstance(key, str):
            return self._modules[key]
        wanted = key.lower()
        for name_of in (_full_name, _stem):
            for module in self._modules:
                if name_of(module) == wanted:
                    return module
        raise NoSuchModule(key)

    def __len__(self) -> int:
        return len(self._modules)

    def at(self, address: int) -> Module | None:
        """The module that covers `address`."""
        if not 0 <= address < 1 << 64:
            return None
        index = self._space.module_at(address)
        return None if index is None else self._modules[index]


def _full_name(module: Module) -> str:
    return module.name.lower()


def _stem(module: Module) -> str:
    return stem(module.name).lower()
