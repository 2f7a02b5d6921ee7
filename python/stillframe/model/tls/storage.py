"""Where a thread keeps its thread-local variables of one module: its block of the module's storage."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from stillframe.errors import Unreadable
from stillframe.model.absent import Absent, Reason, absent_of
from stillframe.model.tls import windows
from stillframe.model.tls.glibc import Glibc
from stillframe.model.tls.images import link_maps_of
from stillframe.model.tls.musl import Musl
from stillframe.model.tls.pointers import has_variant_2, is_known, thread_pointer
from stillframe.model.tls.segments import PT_TLS, segment_of

if TYPE_CHECKING:
    from stillframe._engine import ThreadRecord
    from stillframe.model.module import Module
    from stillframe.model.process import Process
    from stillframe.model.tls.images import LinkMap

LINUX = frozenset({"Linux", "Android"})


class ThreadStorage:
    """The thread-local storage of a process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._blocks: dict[tuple[int, int], int | Absent] = {}

    def block_of(self, module: Module, thread: ThreadRecord) -> int | Absent:
        """The address of the thread's block of the module's variables."""
        key = (module.index, thread.index)
        if key not in self._blocks:
            try:
                self._blocks[key] = self._find(module, thread)
            except Unreadable as error:
                self._blocks[key] = absent_of(error)
        return self._blocks[key]

    def _find(self, module: Module, thread: ThreadRecord) -> int | Absent:
        if self._process.is_windows:
            return windows.block_of(self._process, module, thread)
        system = self._process.file.system
        if system is None or system.os not in LINUX or not is_known(system.cpu):
            return Absent.because(Reason.TLS_UNSUPPORTED)
        pointer = thread_pointer(self._process, thread)
        if pointer is None:
            return Absent.because(Reason.THREAD_POINTER_UNKNOWN)
        if module is self._program:
            return self._of_program(module, pointer)
        return self._of_library(module, pointer)

    def _of_library(self, module: Module, pointer: int) -> int | Absent:
        link_map = self._link_maps.get(module.index)
        if link_map is None:
            return Absent.because(Reason.TLS_NOT_FOUND)
        if self._musl is not None:
            return self._musl.block_of(module, pointer)
        return self._glibc.block_of(link_map, pointer)

    def _of_program(self, module: Module, pointer: int) -> int | Absent:
        """The linker has fixed how far the program's own block is from the thread pointer.

        Source: "ELF Handling For Thread-Local Storage", section 3.4; how alignment counts: what linkers do, such as
        `getTlsTpOffset` of LLVM's lld.
        """
        segment = segment_of(self._process.memory, module.base, PT_TLS)
        if segment is None:
            return Absent.because(Reason.TLS_NOT_FOUND)
        alignment = max(segment.alignment, 1)
        if has_variant_2(self._process):
            padding = -(segment.vaddr + segment.memory_bytes) % alignment
            return pointer - segment.memory_bytes - padding
        # Variant I: two words come first, the thread's own.
        words = 2 * self._process.pointer_size_bytes
        return pointer + words + -words % alignment + segment.vaddr % alignment

    @cached_property
    def _link_maps(self) -> dict[int, LinkMap]:
        return link_maps_of(self._process)

    @cached_property
    def _program(self) -> Module | None:
        """The first that the dynamic linker lists; without one the process is a single static program."""
        modules = self._process.modules
        for index in self._link_maps:
            return modules[index]
        return modules[0] if modules else None

    @cached_property
    def _glibc(self) -> Glibc:
        return Glibc(self._process)

    @cached_property
    def _musl(self) -> Musl | None:
        return Musl.of(self._process, self._link_maps)
