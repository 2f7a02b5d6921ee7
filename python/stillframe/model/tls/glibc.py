"""The GNU C library: every thread has a vector of blocks (DTV), in which the linker at run time gave modules indices.

The layout of its tables changes from version to version, so the library describes it for debuggers: `libthread_db`
reads it from objects called `_thread_db_…`, three numbers for each field (its bits, how many there are, its offset).
They are in the library's read-only data, and so in its image. Source: glibc, nptl_db/structs.def, td_thr_tlsbase.c.
"""

from __future__ import annotations

import re
import struct
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from stillframe.errors import SymbolsMissing
from stillframe.model.absent import Absent, Reason
from stillframe.model.tls.pointers import has_variant_2

if TYPE_CHECKING:
    from stillframe.model.process import Process
    from stillframe.model.tls.images import LinkMap

LIBRARY = re.compile(r"libc[.-]|libpthread[.-]")
"""The description is in `libc.so.6`; before glibc 2.34 in `libpthread.so.0`."""
LINKER = re.compile(r"ld[.-]")
FIELDS = (
    "link_map_l_tls_modid",
    "link_map_l_tls_offset",
    "pthread_dtvp",
    "dtv_dtv",
    "dtv_t_counter",
    "dtv_t_pointer_val",
    "rtld_global__dl_tls_dtv_slotinfo_list",
    "dtv_slotinfo_list_len",
    "dtv_slotinfo_list_next",
    "dtv_slotinfo_list_slotinfo",
    "dtv_slotinfo_gen",
    "dtv_slotinfo_map",
)
MOST_LISTS = 1 << 12
LARGEST_FIELD_OFFSET = 1 << 20


class Field(NamedTuple):
    """A field as the library describes it."""

    size_bytes: int
    """Of one element, of fields that are arrays."""
    offset: int


class Layout(NamedTuple):
    """What the library and its linker say."""

    fields: dict[str, Field]
    rtld_global: int
    """The address of `_rtld_global`, the linker's tables."""


class Glibc:
    """Thread-local storage of images that the dynamic linker of glibc has loaded."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._memory = process.memory
        self._word = process.pointer_size_bytes

    def block_of(self, link_map: LinkMap, pointer: int) -> int | Absent:
        """The thread's block of the image. :raises FaultError: if memory is absent."""
        layout = self._layout
        if layout is None:
            return Absent.because(Reason.TLS_LIBRARY_UNKNOWN)
        module_id = self._field(layout, link_map.address, "link_map_l_tls_modid")
        offset = self._field(layout, link_map.address, "link_map_l_tls_offset")
        if not module_id:
            return Absent.because(Reason.TLS_NOT_FOUND)
        none = (1 << 8 * self._word) - 1
        # 0, -1 and -2 stand for no such offset, and for that it is never to have one (include/link.h).
        if offset not in {0, none, none - 1}:
            return pointer - offset if has_variant_2(self._process) else pointer + offset
        return self._in_vector(layout, link_map, module_id, pointer)

    def _in_vector(self, layout: Layout, link_map: LinkMap, module_id: int, pointer: int) -> int | Absent:
        """Blocks of images that were loaded later are made when a thread asks for them, as are longer vectors."""
        size = layout.fields["dtv_dtv"].size_bytes
        # ARM: the ABI has the vector's address at the thread pointer.
        field = layout.fields["pthread_dtvp"].offset if has_variant_2(self._process) else 0
        vector = self._memory.read_number(pointer + field, self._word)
        length = self._field(layout, vector - size, "dtv_t_counter")
        generation = self._field(layout, vector, "dtv_t_counter")
        of_image = self._generation(layout, link_map, module_id)
        if of_image is None:
            return Absent.because(Reason.TLS_NOT_FOUND)
        if module_id > length or of_image > generation:
            return Absent.because(Reason.TLS_NOT_ALLOCATED)
        block = self._field(layout, vector + module_id * size, "dtv_t_pointer_val")
        is_unallocated = block in {0, (1 << 8 * self._word) - 1}
        return Absent.because(Reason.TLS_NOT_ALLOCATED) if is_unallocated else block

    def _generation(self, layout: Layout, link_map: LinkMap, module_id: int) -> int | None:
        """When the image got its index, which another may have had before. None if the index is not the image's."""
        slots = layout.fields["dtv_slotinfo_list_slotinfo"]
        list_ = self._field(layout, layout.rtld_global, "rtld_global__dl_tls_dtv_slotinfo_list")
        for _ in range(MOST_LISTS):
            if not list_:
                break
            length = self._field(layout, list_, "dtv_slotinfo_list_len")
            if module_id < length:
                slot = list_ + slots.offset + module_id * slots.size_bytes
                is_its_own = self._field(layout, slot, "dtv_slotinfo_map") == link_map.address
                return self._field(layout, slot, "dtv_slotinfo_gen") if is_its_own else None
            module_id -= length
            list_ = self._field(layout, list_, "dtv_slotinfo_list_next")
        return None

    def _field(self, layout: Layout, address: int, name: str) -> int:
        return self._memory.read_number(address + layout.fields[name].offset, self._word)

    @cached_property
    def _layout(self) -> Layout | None:
        rtld_global = self._symbol(LINKER, "_rtld_global")
        fields = {name: self._described(name) for name in FIELDS}
        known = {name: field for name, field in fields.items() if field is not None}
        return None if rtld_global is None or len(known) < len(fields) else Layout(known, rtld_global)

    def _described(self, name: str) -> Field | None:
        address = self._symbol(LIBRARY, f"_thread_db_{name}")
        if address is None:
            return None
        bits, _, offset = struct.unpack("<IIi", self._memory.read(address, 12))
        return Field(bits // 8, offset) if 0 <= offset <= LARGEST_FIELD_OFFSET else None

    def _symbol(self, image: re.Pattern[str], name: str) -> int | None:
        for module in self._process.modules:
            if image.match(module.name) is None:
                continue
            try:
                found = module.symbols.named(name)
            except SymbolsMissing:
                continue
            if found:
                return found[0].address
        return None
