"""Large inputs, made from small ones. They are sparse files: their size is real, their blocks mostly are not."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MEMORY64_LIST = 9
UNUSED_ADDRESS = 0x0000_0100_0000_0000


def large_dump(small: Path, target: Path, memory_bytes: int) -> Path:
    """A copy of the minidump `small` with `memory_bytes` more memory, as a full dump has.

    The stream directory moves to the end of the small part, with a Memory64List added (minidumpapiset.h:
    MINIDUMP_MEMORY64_LIST).
    """
    data = bytearray(small.read_bytes())
    streams, directory = struct.unpack_from("<II", data, 8)
    entries = bytes(data[directory : directory + 12 * streams])
    memory_list = len(data)
    data += struct.pack("<QQQQ", 1, memory_list + 32 + len(entries) + 12, UNUSED_ADDRESS, memory_bytes)
    struct.pack_into("<II", data, 8, streams + 1, len(data))
    data += entries + struct.pack("<III", MEMORY64_LIST, 32, memory_list)
    return _sparse(target, bytes(data), len(data) + memory_bytes)


def large_pdb(small: Path, target: Path, size_bytes: int) -> Path:
    """A copy of the PDB `small` that has grown to `size_bytes` by pages that no stream uses."""
    data = bytearray(small.read_bytes())
    (page_size_bytes,) = struct.unpack_from("<I", data, 32)
    pages = size_bytes // page_size_bytes
    struct.pack_into("<I", data, 40, pages)
    return _sparse(target, bytes(data), pages * page_size_bytes)


def _sparse(target: Path, start: bytes, size_bytes: int) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        file.write(start)
        file.truncate(size_bytes)
    return target
