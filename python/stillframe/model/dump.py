"""The dump: the entry to everything else."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from stillframe._engine import DumpFile, EngineError, Space
from stillframe.errors import DumpError, FaultError, NoSuchVariable, words_of
from stillframe.model.absent import Absent, Reason
from stillframe.model.frame import Frame
from stillframe.model.matching import Matcher
from stillframe.model.memory import ADDRESS_END, Memory
from stillframe.model.module import Module, Modules
from stillframe.model.naming import address_of, symbolize, symbols_named
from stillframe.model.opener import PlainOpener
from stillframe.model.process import Process
from stillframe.model.sources import Sources
from stillframe.model.symbol import Function, Symbol
from stillframe.model.thread import Thread

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    from stillframe.model.crash import Crash, Explain
    from stillframe.model.disassembly import Listing
    from stillframe.model.expression.scope import Scope
    from stillframe.model.location import SourceText
    from stillframe.model.locator import Locator
    from stillframe.model.matching import ImageFormat
    from stillframe.model.opener import Opener
    from stillframe.model.symbol import Symbolized
    from stillframe.model.typing.type import Type
    from stillframe.model.value.value import Value

SYSTEM_INFO_STREAM, MISC_INFO_STREAM = 7, 15
DEFAULT_INSTRUCTIONS = 16
"""Shown where neither a count nor an end is given and no function is known."""
CPUS_OF_32_BITS = frozenset({"x86", "arm", "mips", "ppc", "riscv", "sparc"})


class Dump:
    """A crash dump, shown as the program it was taken of.

    Opening reads the header and the stream directory; everything else is read when it is asked for. Source of the
    format: Microsoft, "Minidump Files" (minidumpapiset.h).
    """

    def __init__(  # noqa: PLR0917 - `open` alone makes dumps
        self,
        path: Path,
        file: DumpFile,
        locator: Locator,
        explain: Explain | None = None,
        opener: Opener | None = None,
        natvis: Sequence[Path] = (),
    ) -> None:
        self.path = path
        self._file = file
        self._locator = locator
        self._explain = explain
        self._opener = opener or PlainOpener()
        self._natvis = (*natvis, path.parent)

    @classmethod
    def open(
        cls,
        path: Path,
        locator: Locator,
        explain: Explain | None = None,
        opener: Opener | None = None,
        natvis: Sequence[Path] = (),
    ) -> Dump:
        """Opens a dump whose missing files come from `locator`. `stillframe.open` is the usual way in.

        :param natvis: visualizers, besides those beside the dump: files and folders, in the order in which they count.

        :raises DumpError: if the file cannot be opened or is not a dump.
        """
        try:
            file = DumpFile.open(path)
        except (OSError, EngineError) as error:
            raise DumpError(path, words_of(error)) from error
        return cls(path, file, locator, explain, opener, natvis)

    def __repr__(self) -> str:
        return f"<Dump {self.path}>"

    @property
    def size_bytes(self) -> int:
        """Size of the file."""
        return self._file.size_bytes

    @property
    def format(self) -> Literal["minidump", "elf_core"]:
        """What kind of file it is."""
        return self._file.format

    @property
    def timestamp(self) -> int | None:
        """When the dump was written: seconds since 1970; None if it does not say, as cores do not."""
        return self._file.timestamp

    @property
    def flags(self) -> int:
        """MINIDUMP_TYPE."""
        return self._file.flags

    @cached_property
    def system(self) -> SystemInfo | Absent:
        """Processor and operating system."""
        return self._file.system or self._why_absent(SYSTEM_INFO_STREAM)

    @property
    def cpu(self) -> str:
        """`x86`, `amd64`, `arm64`, `arm`, or one of which no registers are read (`ppc64`…).

        `unknown` if the dump does not say.
        """
        return "unknown" if isinstance(self.system, Absent) else self.system.cpu

    @property
    def pointer_size_bytes(self) -> int:
        """4 or 8; 8 if the dump does not say."""
        return 4 if self.cpu in CPUS_OF_32_BITS else 8

    @property
    def command_line(self) -> str | None:
        """What the process was started with, where the dump has it in a part of its own."""
        return self._file.command_line

    @cached_property
    def misc(self) -> MiscInfo | Absent:
        """Process id and times."""
        return self._file.misc or self._why_absent(MISC_INFO_STREAM)

    def _why_absent(self, stream_type: int) -> Absent:
        is_listed = any(stream.type == stream_type for stream in self._file.streams)
        return Absent.because(Reason.STREAM_BROKEN if is_listed else Reason.STREAM_MISSING)

    @cached_property
    def _process(self) -> Process:
        space = Space(self._file)
        matcher = Matcher(space, self._locator, self._image_format, self._opener, self.cpu)
        modules = Modules(tuple(Module(record, matcher) for record in self._file.modules), space)
        memory = Memory(self._file, space, modules)
        system = "" if isinstance(self.system, Absent) else self.system.os
        # Android's ABI has IEEE's 128 bits on x86-64 too.
        size, is_x86 = self.pointer_size_bytes, self.cpu in {"x86", "amd64"} and system != "Android"
        is_windows = self._image_format == "pe"
        return Process(
            self._file, space, modules, memory, Sources(self._locator), size, is_x86, is_windows, self._natvis
        )

    @property
    def _image_format(self) -> ImageFormat:
        system = "" if isinstance(self.system, Absent) else self.system.os
        if system in {"Mac OS X", "iOS"}:
            return "mach_o"
        return "elf" if system in {"Linux", "Android"} else "pe"

    @property
    def modules(self) -> Modules:
        """Loaded images, in the dump's order: `modules[0]`, `modules["hello.exe"]`, `modules.at(address)`."""
        return self._process.modules

    @cached_property
    def unloaded_modules(self) -> list[UnloadedModuleRecord]:
        """Images that were unloaded before the dump was taken; their ranges may overlap others."""
        return self._file.unloaded_modules

    @cached_property
    def threads(self) -> tuple[Thread, ...]:
        """In the dump's order."""
        crashed = None if self.exception is None else self.exception.thread_id
        return tuple(Thread(self._process, record, is_crashed=record.id == crashed) for record in self._file.threads)

    @cached_property
    def exception(self) -> ExceptionRecord | None:
        """The exception, if the dump was taken at one."""
        return self._file.exception

    @cached_property
    def crash(self) -> Crash | None:
        """What happened; None if the dump was not taken at an exception."""
        if self._explain is not None:
            return self._explain(self)
        from stillframe.model.crash import plain_facts  # few questions are about the crash

        return plain_facts(self)

    @property
    def crashed_thread(self) -> Thread | None:
        """The exception's thread; None if there is no exception or the dump does not list the thread."""
        return next((thread for thread in self.threads if thread.is_crashed), None)

    @property
    def memory(self) -> Memory:
        """The address space, with the origin of every byte."""
        return self._process.memory

    @cached_property
    def regions(self) -> list[MemoryRegion]:
        """The address space as VirtualQuery described it; empty if the dump does not hold this."""
        return self._file.memory_regions

    @cached_property
    def handles(self) -> list[HandleRecord]:
        """Open handles; empty if the dump does not hold them."""
        return self._file.handles

    @cached_property
    def comments(self) -> list[str]:
        """Texts that the writer of the dump left."""
        return self._file.comments

    @property
    def streams(self) -> list[Stream]:
        """Every entry of the stream directory, known or not. `problem` is known of the streams read so far."""
        return self._file.streams

    def stream_bytes(self, index: int) -> bytes:
        """The bytes of a stream, as far as the file holds them. :raises IndexError:"""
        return self._file.stream_bytes(index)

    @property
    def natvis_problems(self) -> list[str]:
        """What is wrong with the natvis files that were needed so far, one sentence each, with file and line."""
        return self._process.visualizers.problems

    @cached_property
    def problems(self) -> list[str]:
        """What is broken in the file, one sentence each: which stream, why. Reads every stream."""
        return self._file.check()

    def __getitem__(self, name: str) -> Value | Absent:
        """The global or static variable with this qualified name: `g_counter`, `geo::Shape::s_count`, `app!g_counter`.

        Without a module, the debug information of all modules is looked for. Thread-local ones are those of the crashed
        thread, else of the first.
        :raises NoSuchVariable: :raises AmbiguousSymbol: :raises NoSuchModule:
        """
        from stillframe.model.variables import global_named  # few verbs need values

        thread = self.crashed_thread or next(iter(self.threads), None)
        found = global_named(self._process, name, thread=None if thread is None else thread.record)
        if found is None:
            raise NoSuchVariable(name, "in the debug information at hand")
        return found

    def eval(self, text: str, frame: Frame | None = None) -> Value | Absent:
        """The value of an expression of C++ in a frame, as `Frame.eval`; without one, of globals, types and constants.

        :raises ExpressionError: with the column.
        """
        from stillframe.model.expression.expression import Expression

        return Expression(text).value_or_absent(self.scope if frame is None else frame.scope)

    @cached_property
    def scope(self) -> Scope:
        """Where names are looked up by expressions that belong to no frame: globals, and types of every module."""
        from stillframe.model.expression.scope import Scope

        thread = self.crashed_thread or next(iter(self.threads), None)
        return Scope(self._process, thread=None if thread is None else thread.record)

    def type(self, name: str) -> Type:
        """The type with this qualified name: `geo::Rect`, `unsigned long`, `const Node *`, `int[3][4]`.

        :raises NoSuchType:
        """
        return self._process.types.parse(name)

    def types_matching(self, pattern: str, limit: int = 1000) -> list[Type]:
        """Up to `limit` types whose qualified name matches `pattern` (`*`, `?`; case does not count), module by module.
        Reads all types of every module.
        """
        return self._process.types.matching(pattern, limit)

    def disassemble(
        self, start: int | str | Function | Symbol | Frame, *, count: int | None = None, end: int | None = None
    ) -> Listing:
        """Instructions from `start` on, woven with source: `count` of them, or up to `end`.

        With neither, a function is shown whole, from an address (of a frame: its call) to its function's end, and
        without a function 16 instructions. A name is resolved as by `address_of`.

        :raises ValueError: if both are given, or one is negative.
        :raises FaultError: if `start` is no address.
        """
        if count is not None and end is not None:
            raise ValueError("give a count or an end, not both")
        if (count or 0) < 0 or (end or 0) < 0:
            raise ValueError("a count or an end cannot be negative")
        address = self._start_of(start)
        if not 0 <= address < ADDRESS_END:
            raise FaultError(address, Reason.NO_ADDRESS, Reason.NO_ADDRESS.remedy)
        if count is None and end is None:
            function = start if isinstance(start, Function) else self.symbolize(address).function
            if isinstance(function, Absent):
                count = DEFAULT_INSTRUCTIONS
            else:
                end = function.end
        from stillframe.model.disassembly import disassemble  # few verbs need it

        return disassemble(self._process, address, count=count, end=None if end is None else min(end, ADDRESS_END))

    def _start_of(self, start: int | str | Function | Symbol | Frame) -> int:
        if isinstance(start, int):
            return start
        if isinstance(start, str):
            return self.address_of(start)
        if isinstance(start, Frame):
            call = start.call_site_address
            return start.instruction if isinstance(call, Absent) else call
        return start.address

    def symbols(self, name: str) -> list[Symbol]:
        """Symbols called `name` (`main`, `hello!main`, `hello.exe!main`), module by module.

        Without a module, all modules that have debug information are searched. Empty if there are none.
        :raises NoSuchModule: if the module named is not in the dump.
        """
        return symbols_named(self.modules, name)

    def symbolize(self, address: int) -> Symbolized:
        """What `address` is called; looks for the debug information of its module."""
        return symbolize(self.modules, address)

    def address_of(self, text: str) -> int:
        """The address that `text` stands for: `0x9f1934`, `main`, `hello!main+4`, `hello.exe+0x1934`.

        Numbers are decimal, or hexadecimal with `0x`.
        :raises NoSuchSymbol: :raises AmbiguousSymbol: :raises NoSuchModule: :raises SymbolsMissing:
        """
        return address_of(self.modules, text)

    @property
    def locator(self) -> Locator:
        """What is asked for files."""
        return self._locator

    def forget_sources(self) -> None:
        """Source files are looked for again when they are next needed, because the locator has other places now."""
        self._process.sources.forget()

    def source_text(self, file: SourceFile) -> SourceText | Absent:
        """The text of a source file that debug information names."""
        return self._process.sources.text(file)
