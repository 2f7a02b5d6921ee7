"""Segments of ELF images, as their headers in memory say. Source: System V ABI, "Program Header"."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.memory import Memory

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_TLS = 1, 2, 3, 7
MOST_ENTRIES = 1 << 12


class Segment(NamedTuple):
    """One entry of the program header table."""

    kind: int
    vaddr: int
    """As linked."""
    memory_bytes: int
    alignment: int


def segments(memory: Memory, base: int) -> Iterator[Segment]:
    """Segments of the image at `base`; none if there is no ELF header. :raises FaultError: if it is absent."""
    header = memory.read(base, 64)
    is_64 = header[4] == 2
    if header[:4] != b"\x7fELF" or header[4] not in {1, 2}:
        return
    offset = struct.unpack_from("<Q" if is_64 else "<I", header, 32 if is_64 else 28)[0]
    entry_bytes, count = struct.unpack_from("<HH", header, 54 if is_64 else 42)
    if entry_bytes != (56 if is_64 else 32):
        return
    table = memory.read(base + offset, entry_bytes * min(count, MOST_ENTRIES))
    for entry in range(0, len(table), entry_bytes):
        if is_64:
            kind, _, _, vaddr, _, _, memory_bytes, alignment = struct.unpack_from("<IIQQQQQQ", table, entry)
        else:
            kind, _, vaddr, _, _, memory_bytes, _, alignment = struct.unpack_from("<8I", table, entry)
        yield Segment(kind, vaddr, memory_bytes, alignment)


def segment_of(memory: Memory, base: int, kind: int) -> Segment | None:
    """The first segment of this kind of the image at `base`. :raises FaultError: if its headers are absent."""
    return next((each for each in segments(memory, base) if each.kind == kind), None)


def loaded_at(memory: Memory, base: int, segment: Segment) -> int:
    """Where a segment of the image at `base` is, which is where the first one that is loaded begins."""
    first = segment_of(memory, base, PT_LOAD)
    return base + segment.vaddr - (0 if first is None else first.vaddr)
