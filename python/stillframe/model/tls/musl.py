"""The C library musl: indices of images are their ranks among those that have thread-local storage, as nothing is ever
unloaded; every thread has a vector of blocks, whose first word is how many it has.

Source: musl, ldso/dynlink.c, src/internal/pthread_impl.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.model.absent import Absent, Reason
from stillframe.model.tls.pointers import has_variant_2
from stillframe.model.tls.segments import PT_INTERP, PT_TLS, loaded_at, segment_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stillframe.model.module import Module
    from stillframe.model.process import Process

LONGEST_PATH = 4096


class Musl:
    """Thread-local storage of images that musl has loaded."""

    def __init__(self, process: Process, loaded: Iterable[int]) -> None:
        self._process = process
        self._loaded = tuple(loaded)

    @classmethod
    def of(cls, process: Process, loaded: Iterable[int]) -> Musl | None:
        """None if the process has another C library: the program names its dynamic linker, `/lib/ld-musl-x86_64.so.1`,
        which on some systems is a link to a `libc.so`. `loaded`: indices of modules in the order of loading.
        """
        indices = tuple(loaded)
        program = process.modules[indices[0]] if indices else None
        interpreter = None if program is None else segment_of(process.memory, program.base, PT_INTERP)
        if program is None or interpreter is None:
            return None
        path = process.memory.read_c_string(loaded_at(process.memory, program.base, interpreter), LONGEST_PATH)
        return cls(process, indices) if b"/ld-musl-" in path else None

    def block_of(self, module: Module, pointer: int) -> int | Absent:
        """The thread's block of the module. :raises FaultError: if memory is absent."""
        memory, word = self._process.memory, self._process.pointer_size_bytes
        rank = 0
        for index in self._loaded:
            segment = segment_of(memory, self._process.modules[index].base, PT_TLS)
            rank += segment is not None and segment.memory_bytes > 0
            if index == module.index:
                if segment is None:
                    break
                # The second word of a thread's record on x86, the last one on ARM, which ends at the thread pointer.
                vector = memory.read_number(pointer + (word if has_variant_2(self._process) else -word), word)
                if rank > memory.read_number(vector, word):
                    return Absent.because(Reason.TLS_NOT_ALLOCATED)
                return memory.read_number(vector + rank * word, word)
        return Absent.because(Reason.TLS_NOT_FOUND)
