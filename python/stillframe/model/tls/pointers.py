"""The thread pointers of Linux: what thread-local storage of a thread is found from.

x86-64 keeps it as the base of the segment `fs`, x86 as that of `gs`, ARM in a register of its own (TPIDR_EL0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe._engine import Stream, ThreadRecord
    from stillframe.model.process import Process

PRSTATUS_FS_BASE_OFFSET = 112 + 21 * 8
"""x86-64: `pr_reg` of `elf_prstatus` (linux/elfcore.h), `fs_base` of `user_regs_struct` (sys/user.h)."""
PRSTATUS_GS_OFFSET = 72 + 10 * 4
"""x86: the same of `gs`."""
DESCRIPTOR_BYTES = 16
"""x86: `user_desc` (asm/ldt.h): the entry's number, the segment's base, its limit, flags."""
VARIANT_2 = frozenset({"x86", "amd64"})
"""Blocks of programs lie below the thread pointer; of ARM above it."""


def is_known(cpu: str) -> bool:
    """Whether it is known here how threads of this processor keep their pointer."""
    return cpu in {"x86", "amd64", "arm64", "arm"}


def has_variant_2(process: Process) -> bool:
    """Of "ELF Handling For Thread-Local Storage": whether blocks lie below the thread pointer."""
    return process.file.system is not None and process.file.system.cpu in VARIANT_2


def thread_pointer(process: Process, thread: ThreadRecord) -> int | None:
    """The thread's pointer; None if the dump does not say.

    Of minidumps only Crashpad's do, in the field for Windows' thread environment block
    (`ThreadSnapshotLinux::ThreadSpecificDataAddress` of Crashpad).
    """
    if process.file.format != "elf_core":
        return thread.teb or None
    notes = {stream.name: process.file.stream_bytes(stream.index) for stream in _notes_of(process, thread.index)}
    status = notes.get("NT_PRSTATUS", b"")
    cpu = process.file.system.cpu if process.file.system else ""
    if cpu == "amd64":
        return _number(status, PRSTATUS_FS_BASE_OFFSET, 8)
    if cpu == "arm64":
        return _number(notes.get("NT_ARM_TLS", b""), 0, 8)
    return _base_of_gs(status, notes.get("NT_386_TLS", b"")) if cpu == "x86" else None


def _notes_of(process: Process, thread_index: int) -> Iterator[Stream]:
    """Every thread's notes begin with NT_PRSTATUS. Those of the process stand between those of the first."""
    index = -1
    for stream in process.file.streams:
        index += stream.name == "NT_PRSTATUS"
        if index == thread_index:
            yield stream


def _base_of_gs(status: bytes, descriptors: bytes) -> int | None:
    selector = _number(status, PRSTATUS_GS_OFFSET, 2)
    for offset in range(0, len(descriptors), DESCRIPTOR_BYTES):
        if selector is not None and _number(descriptors, offset, 4) == selector >> 3:
            return _number(descriptors, offset + 4, 4)
    return None


def _number(data: bytes, offset: int, size: int) -> int | None:
    """None if there is none, or it is 0, which is no address."""
    field = data[offset : offset + size]
    return int.from_bytes(field, "little") or None if len(field) == size else None
