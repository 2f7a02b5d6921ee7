"""Where a thread keeps its thread-local variables of one module.

Windows: the thread environment block points to an array of blocks (`ThreadLocalStoragePointer`), in which the loader
gave every module an index; that stands where the module's TLS directory says. Source: Microsoft, "PE Format", section
".tls". Linux: "ELF Handling For Thread-Local Storage", variant II: the program's block ends at the thread pointer,
which x86-64 keeps in `fs_base`. Those of libraries are found only through the C library's private tables.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from stillframe.errors import Unreadable
from stillframe.model.absent import Absent, Reason, absent_of

if TYPE_CHECKING:
    from stillframe._engine import ThreadRecord
    from stillframe.model.memory import Memory
    from stillframe.model.module import Module
    from stillframe.model.process import Process

TLS_POINTER_OFFSET = {4: 0x2C, 8: 0x58}
"""Of ThreadLocalStoragePointer in the TEB, by size of pointers."""
DATA_DIRECTORIES_OFFSET = {4: 96, 8: 112}
"""In the optional header."""
TLS_DIRECTORY = 9
HIGHEST_INDEX = 1 << 16
NT_PRSTATUS = 1
PRSTATUS_BYTES, PRSTATUS_PID_OFFSET, PRSTATUS_FS_BASE_OFFSET = 336, 32, 112 + 21 * 8
"""Of x86-64: `elf_prstatus` of linux/elfcore.h; `fs_base` is the 22nd of `user_regs_struct`."""
PT_TLS = 7


def block_of(process: Process, module: Module, thread: ThreadRecord) -> int | Absent:
    """The address of the thread's block of the module's variables."""
    try:
        if process.is_windows:
            return _windows(process, module, thread)
        return _linux(process, module, thread)
    except Unreadable as error:
        return absent_of(error)


def _windows(process: Process, module: Module, thread: ThreadRecord) -> int | Absent:
    size, memory = process.pointer_size_bytes, process.memory
    header = module.base + _number(memory, module.base + 0x3C, 4)
    if memory.read(header, 4) != b"PE\0\0":
        return Absent.because(Reason.TLS_NOT_FOUND)
    entry = header + 24 + DATA_DIRECTORIES_OFFSET[size] + 8 * TLS_DIRECTORY
    directory = _number(memory, entry, 4)
    if not directory or not thread.teb:
        return Absent.because(Reason.TLS_NOT_FOUND)
    index_address = _number(memory, module.base + directory + 2 * size, size)
    index = _number(memory, index_address, 4)
    blocks = _number(memory, thread.teb + TLS_POINTER_OFFSET[size], size)
    if index >= HIGHEST_INDEX or not blocks:
        return Absent.because(Reason.TLS_NOT_FOUND)
    block = _number(memory, blocks + index * size, size)
    return block or Absent.because(Reason.TLS_NOT_FOUND)


def _linux(process: Process, module: Module, thread: ThreadRecord) -> int | Absent:
    is_program = module.index == 0
    if not (is_program and process.is_x86 and process.pointer_size_bytes == 8):
        return Absent.because(Reason.TLS_UNSUPPORTED)
    pointer = _fs_base(process, thread)
    segment = _tls_segment(process.memory, module.base)
    if pointer is None or segment is None:
        return Absent.because(Reason.TLS_NOT_FOUND)
    size, alignment = segment
    return pointer - -(-size // alignment) * alignment


def _fs_base(process: Process, thread: ThreadRecord) -> int | None:
    """From the thread's note in a core; a minidump has none."""
    if process.file.format != "elf_core":
        return None
    for stream in process.file.streams:
        if stream.type == NT_PRSTATUS and stream.size_bytes >= PRSTATUS_BYTES:
            note = process.file.stream_bytes(stream.index)
            if int.from_bytes(note[PRSTATUS_PID_OFFSET : PRSTATUS_PID_OFFSET + 4], "little") == thread.id:
                return int.from_bytes(note[PRSTATUS_FS_BASE_OFFSET : PRSTATUS_FS_BASE_OFFSET + 8], "little")
    return None


def _tls_segment(memory: Memory, base: int) -> tuple[int, int] | None:
    """Size in memory and alignment of the segment PT_TLS of a 64-bit ELF image."""
    header = memory.read(base, 64)
    if header[:5] != b"\x7fELF\x02":
        return None
    offset, entry_size, count = (*struct.unpack_from("<Q", header, 32), *struct.unpack_from("<HH", header, 54))
    for index in range(count if entry_size >= 56 else 0):
        entry = memory.read(base + offset + index * entry_size, 56)
        if struct.unpack_from("<I", entry)[0] == PT_TLS:
            size, alignment = struct.unpack_from("<QQ", entry, 40)
            return size, max(alignment, 1)
    return None


def _number(memory: Memory, address: int, size: int) -> int:
    return int.from_bytes(memory.read(address, size), "little")
