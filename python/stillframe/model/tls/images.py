"""What the dynamic linker says of the images that it has loaded.

Source: System V ABI, "Dynamic Linking"; the list (`r_debug`, `link_map`): <link.h> of the C libraries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.errors import Unreadable
from stillframe.model.tls.segments import PT_DYNAMIC, loaded_at, segment_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.module import Module
    from stillframe.model.process import Process

DT_NULL, DT_DEBUG = 0, 21
MOST_DYNAMIC_BYTES = 1 << 16
MOST_IMAGES = 1 << 14
MOST_NAMESPACES = 64
"""Of `dlmopen`; glibc has 16."""
EXTENDED_VERSION = 2
"""Of `r_debug`: `r_next` follows, which leads to the next namespace."""


class LinkMap(NamedTuple):
    """The dynamic linker's record of an image."""

    address: int
    """Of the record."""
    dynamic: int
    """The address of the image's dynamic section."""


def link_maps_of(process: Process) -> dict[int, LinkMap]:
    """By the index of the module, in the order in which they were loaded, the program first. Empty of static programs,
    and where the list is absent.
    """
    found: dict[int, LinkMap] = {}
    for module in process.modules:
        try:
            start = _debug_address(process, module)
        except Unreadable:
            continue
        if start:
            _add_namespaces(process, start, found)
            break
    return found


def _debug_address(process: Process, module: Module) -> int:
    """Where `r_debug` is: the linker leaves that in the program's dynamic section. 0 if this is not the program."""
    memory, word = process.memory, process.pointer_size_bytes
    dynamic = segment_of(memory, module.base, PT_DYNAMIC)
    if dynamic is None:
        return 0
    address = loaded_at(memory, module.base, dynamic)
    table = memory.read(address, min(dynamic.memory_bytes, MOST_DYNAMIC_BYTES))
    for offset in range(0, len(table) - 2 * word + 1, 2 * word):
        tag = int.from_bytes(table[offset : offset + word], "little")
        if tag == DT_NULL:
            break
        if tag == DT_DEBUG:
            return int.from_bytes(table[offset + word : offset + 2 * word], "little")
    return 0


def _add_namespaces(process: Process, address: int, found: dict[int, LinkMap]) -> None:
    memory, word = process.memory, process.pointer_size_bytes
    for _ in range(MOST_NAMESPACES):
        try:
            version = memory.read_number(address, 4)
            for link_map in _chain(process, memory.read_number(address + word, word)):
                module = process.modules.at(link_map.dynamic)
                if module is not None:
                    found.setdefault(module.index, link_map)
            address = memory.read_number(address + 5 * word, word) if version >= EXTENDED_VERSION else 0
        except Unreadable:
            return
        if not address:
            return


def _chain(process: Process, address: int) -> Iterator[LinkMap]:
    """`l_addr`, `l_name`, `l_ld`, `l_next`, `l_prev`."""
    memory, word = process.memory, process.pointer_size_bytes
    for _ in range(MOST_IMAGES):
        if not address:
            return
        yield LinkMap(address, memory.read_number(address + 2 * word, word))
        address = memory.read_number(address + 3 * word, word)
