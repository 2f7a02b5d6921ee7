"""Windows: the thread environment block points to an array of blocks (`ThreadLocalStoragePointer`), in which the loader
gave every module an index; that stands where the module's TLS directory says.

Source: Microsoft, "PE Format", section ".tls"; "ARM64 ABI conventions": x18 points to the block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.model.absent import Absent, Reason

if TYPE_CHECKING:
    from stillframe._engine import ThreadRecord
    from stillframe.model.module import Module
    from stillframe.model.process import Process

TLS_POINTER_OFFSET = {4: 0x2C, 8: 0x58}
"""Of ThreadLocalStoragePointer in the TEB, by size of pointers."""
DATA_DIRECTORIES_OFFSET = {4: 96, 8: 112}
"""In the optional header."""
TLS_DIRECTORY = 9
HIGHEST_INDEX = 1 << 16


def block_of(process: Process, module: Module, thread: ThreadRecord) -> int | Absent:
    """The address of the thread's block of the module's variables. :raises FaultError: if memory is absent."""
    size, memory = process.pointer_size_bytes, process.memory
    header = module.base + memory.read_number(module.base + 0x3C, 4)
    if memory.read(header, 4) != b"PE\0\0":
        return Absent.because(Reason.TLS_NOT_FOUND)
    entry = header + 24 + DATA_DIRECTORIES_OFFSET[size] + 8 * TLS_DIRECTORY
    directory = memory.read_number(entry, 4)
    teb = _teb(process, thread)
    if not directory or not teb:
        return Absent.because(Reason.TLS_NOT_FOUND)
    index_address = memory.read_number(module.base + directory + 2 * size, size)
    index = memory.read_number(index_address, 4)
    blocks = memory.read_number(teb + TLS_POINTER_OFFSET[size], size)
    if index >= HIGHEST_INDEX or not blocks:
        return Absent.because(Reason.TLS_NOT_FOUND)
    return memory.read_number(blocks + index * size, size) or Absent.because(Reason.TLS_NOT_ALLOCATED)


def _teb(process: Process, thread: ThreadRecord) -> int | None:
    if thread.teb:
        return thread.teb
    registers = process.file.thread_context(thread.index)
    return None if registers is None or registers.cpu != "arm64" else registers.get("x18")
