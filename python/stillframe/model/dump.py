"""The dump: the entry to everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe._engine import (
        ExceptionRecord,
        HandleRecord,
        MemoryRegion,
        MiscInfo,
        SourceFile,
        Stream,
        SystemInfo,
        UnloadedModuleRecord,
    )
    from stillframe.model.absent import Absent
    from stillframe.model.crash import Crash, Explain
    from stillframe.model.disassembly import Listing
    from stillframe.model.frame import Frame
    from stillframe.model.location import SourceText
    from stillframe.model.locator import Locator
    from stillframe.model.memory import Memory
    from stillframe.model.module import Modules
    from stillframe.model.symbol import Function, Symbol, Symbolized
    from stillframe.model.thread import Thread


class Dump:
    """A crash dump, shown as the program it was taken of.

    Opening reads the header and the stream directory; everything else is read when it is asked for. Source of the
    format: Microsoft, "Minidump Files" (minidumpapiset.h).
    """

    path: Path
    size_bytes: int
    timestamp: int
    """When the dump was written: seconds since 1970."""
    flags: int
    """MINIDUMP_TYPE."""

    @classmethod
    def open(cls, path: Path, locator: Locator, explain: Explain | None = None) -> Dump:
        """Opens a dump whose missing files come from `locator`. `stillframe.open` is the usual way in.

        :raises DumpError: if the file cannot be opened or is not a minidump.
        """
        raise NotImplementedError

    @property
    def system(self) -> SystemInfo | Absent:
        """Processor and operating system."""
        raise NotImplementedError

    @property
    def cpu(self) -> str:
        """`x86`, `amd64`, `arm64`…; `unknown` if the dump does not say."""
        raise NotImplementedError

    @property
    def pointer_size_bytes(self) -> int:
        """4 or 8."""
        raise NotImplementedError

    @property
    def misc(self) -> MiscInfo | Absent:
        """Process id and times."""
        raise NotImplementedError

    @property
    def modules(self) -> Modules:
        """Loaded images, in the dump's order: `modules[0]`, `modules["hello.exe"]`, `modules.at(address)`."""
        raise NotImplementedError

    @property
    def unloaded_modules(self) -> list[UnloadedModuleRecord]:
        raise NotImplementedError

    @property
    def threads(self) -> tuple[Thread, ...]:
        """In the dump's order."""
        raise NotImplementedError

    @property
    def exception(self) -> ExceptionRecord | None:
        """The exception, if the dump was taken at one."""
        raise NotImplementedError

    @property
    def crash(self) -> Crash | None:
        """What happened; None if the dump was not taken at an exception."""
        raise NotImplementedError

    @property
    def crashed_thread(self) -> Thread | None:
        """The exception's thread; None if there is no exception or the dump does not list the thread."""
        raise NotImplementedError

    @property
    def memory(self) -> Memory:
        raise NotImplementedError

    @property
    def regions(self) -> list[MemoryRegion]:
        """The address space as VirtualQuery described it; empty if the dump does not hold this."""
        raise NotImplementedError

    @property
    def handles(self) -> list[HandleRecord]:
        raise NotImplementedError

    @property
    def comments(self) -> list[str]:
        raise NotImplementedError

    @property
    def streams(self) -> list[Stream]:
        """Every entry of the stream directory, known or not."""
        raise NotImplementedError

    def stream_bytes(self, index: int) -> bytes:
        """The bytes of a stream, as far as the file holds them. :raises IndexError:"""
        raise NotImplementedError

    @property
    def problems(self) -> list[str]:
        """What is broken in the file, one sentence each: which stream, why. Reads every stream."""
        raise NotImplementedError

    def disassemble(
        self, start: int | str | Function | Symbol | Frame, *, count: int | None = None, end: int | None = None
    ) -> Listing:
        """Instructions from `start` on, woven with source: `count` of them, or up to `end`.

        With neither, a function is shown whole, from an address to its function's end, and without a function 16
        instructions. A name is resolved as by `address_of`.
        """
        raise NotImplementedError

    def symbols(self, name: str) -> list[Symbol]:
        """Symbols called `name` (`hello!main`, `hello.exe!main`), or, without a module, of all modules that have debug
        information. Empty if there are none.
        """
        raise NotImplementedError

    def symbolize(self, address: int) -> Symbolized:
        """What `address` is called."""
        raise NotImplementedError

    def address_of(self, text: str) -> int:
        """The address that `text` stands for: `0x9f1934`, `main`, `hello!main+4`, `hello.exe+0x1934`.

        Numbers are decimal, or hexadecimal with `0x`.
        :raises NoSuchSymbol: :raises AmbiguousSymbol: :raises NoSuchModule:
        """
        raise NotImplementedError

    def source_text(self, file: SourceFile) -> SourceText | Absent:
        """The text of a source file that debug information names."""
        raise NotImplementedError
