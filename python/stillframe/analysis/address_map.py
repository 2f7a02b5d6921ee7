"""What an address belongs to, and what may be done with it: from regions, modules, stacks and saved memory.

Windows' handlers store what VirtualQuery says (stream MemoryInfoList), Linux' ones `/proc/PID/maps`; the engine gives
both as regions. Without either, only what is known to be there is known: a module, a stack, saved memory.
Sources: Microsoft, "MEMORY_BASIC_INFORMATION structure"; `NT_TIB` and `TEB` of `winternl.h` and the public symbols.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from stillframe.model.absent import Absent
from stillframe.model.crash import Basis

if TYPE_CHECKING:
    from stillframe._engine import MemoryRegion, UnloadedModuleRecord
    from stillframe.model.crash import AccessKind
    from stillframe.model.dump import Dump
    from stillframe.model.module import Module
    from stillframe.model.thread import Thread

MEM_COMMIT, MEM_FREE = 0x1000, 0x10000
PAGE_GUARD = 0x100
READABLE, WRITABLE, EXECUTABLE = 0xEE, 0xCC, 0xF0
"""PAGE_… constants that allow it: all but NOACCESS 0x01 and EXECUTE 0x10; READWRITE, WRITECOPY; EXECUTE…."""
PAGE_BYTES = 0x1000
LARGEST_GUARD_BYTES = 0x10000
"""A region without access that is larger is a reservation, not a guard."""
LARGEST_STACK_BYTES = 1 << 30
LARGEST_FRAME_BYTES = 1 << 20
"""How far below its stack the pointer of a function is sought that had just made room for its variables."""
MOST_UNLOADED_MODULES = 1024
"""Windows remembers the last 64."""
DEALLOCATION_STACK = {4: 0xE0C, 8: 0x1478}
"""Offset of the reserved stack's lowest address in the thread environment block, by the size of a pointer."""


class Permissions(NamedTuple):
    """What may be done with memory."""

    read: bool
    write: bool
    execute: bool
    basis: Basis

    def allows(self, kind: AccessKind) -> bool:
        """Whether an access of this kind is allowed."""
        return {"read": self.read, "write": self.write, "execute": self.execute}[kind]

    def __str__(self) -> str:
        """`read-only`, `read and write`, `execute and read`, `no access`."""
        if (self.read, self.write, self.execute) == (True, False, False):
            return "read-only"
        kinds = [("execute", self.execute), ("read", self.read), ("write", self.write)]
        return " and ".join(name for name, is_allowed in kinds if is_allowed) or "no access"


class StackBounds(NamedTuple):
    """The memory of a thread's stack: [`low`, `high`)."""

    thread: Thread
    low: int
    """Lowest address in use or ready for use."""
    high: int
    reserved_low: int | None
    """Lowest address that the stack could grow to, where it is known."""
    basis: Basis


class AddressMap:
    """The address space of one dump."""

    def __init__(self, dump: Dump) -> None:
        self._dump = dump
        self._regions = sorted(dump.regions, key=lambda region: region.base)
        self._bases = [region.base for region in self._regions]
        self._range_bases = [each.address for each in dump.memory.ranges]

    @property
    def has_regions(self) -> bool:
        """Whether the dump says what was mapped where."""
        return bool(self._regions)

    @property
    def regions_basis(self) -> Basis:
        """The list of regions."""
        return Basis("memory regions")

    def region_at(self, address: int) -> MemoryRegion | None:
        """The region that covers `address`, free ones included."""
        index = bisect_right(self._bases, address) - 1
        if index < 0 or address >= self._regions[index].base + self._regions[index].size_bytes:
            return None
        return self._regions[index]

    def is_mapped(self, address: int) -> bool | None:
        """Whether there was memory; None if the dump does not say."""
        region = self.region_at(address)
        if region is not None:
            return region.state == MEM_COMMIT
        if self._dump.modules.at(address) is not None or self._is_saved(address):
            return True
        return False if self.has_regions else None

    def _is_saved(self, address: int) -> bool:
        index = bisect_right(self._range_bases, address) - 1
        ranges = self._dump.memory.ranges
        return index >= 0 and address < ranges[index].address + ranges[index].size_bytes

    def permissions(self, address: int) -> Permissions | None:
        """What may be done at `address`: as the region says, else as the section of the module's image does."""
        region = self.region_at(address)
        if region is not None and region.state == MEM_COMMIT:
            allowed = 0 if region.protect & PAGE_GUARD else region.protect & 0xFF
            basis = Basis("memory regions", _range_text(region.base, region.size_bytes))
            return Permissions(bool(allowed & READABLE), bool(allowed & WRITABLE), bool(allowed & EXECUTABLE), basis)
        module = None if self.has_regions else self._dump.modules.at(address)
        return None if module is None else _section_permissions(module, address)

    def is_likely_guard_page(self, address: int) -> bool:
        """Whether a small region without access covers `address`, beside one that may be written."""
        region = self.region_at(address)
        if region is None or region.state == MEM_FREE:
            return False
        if region.protect & PAGE_GUARD:
            return True
        if region.size_bytes > LARGEST_GUARD_BYTES or region.protect & (READABLE | EXECUTABLE):
            return False
        neighbours = (self.permissions(region.base - 1), self.permissions(region.base + region.size_bytes))
        return any(neighbour is not None and neighbour.write for neighbour in neighbours)

    def unloaded_at(self, address: int) -> list[UnloadedModuleRecord]:
        """The modules that had been there and were unloaded; several may have been, one after another."""
        if self._dump.modules.at(address) is not None:
            return []
        known = self._dump.unloaded_modules[:MOST_UNLOADED_MODULES]
        return [module for module in known if module.base <= address < module.base + module.size_bytes]

    @cached_property
    def stacks(self) -> list[StackBounds]:
        """The stacks of all threads, as far as they are known."""
        found = (self._bounds_of(thread) for thread in self._dump.threads)
        return [bounds for bounds in found if bounds is not None]

    def stack_of(self, thread: Thread) -> StackBounds | None:
        """The stack of `thread`."""
        return next((bounds for bounds in self.stacks if bounds.thread is thread), None)

    def _bounds_of(self, thread: Thread) -> StackBounds | None:
        registers = thread.registers
        pointer = None if isinstance(registers, Absent) else registers.stack_pointer
        by_teb = self._bounds_by_teb(thread)
        if by_teb is not None and (pointer is None or (by_teb.reserved_low or by_teb.low) <= pointer <= by_teb.high):
            return by_teb
        region = None if pointer is None else self._stack_region(pointer)
        if region is not None and region.state == MEM_COMMIT and region.protect & WRITABLE:
            end = region.base + region.size_bytes
            return StackBounds(
                thread, region.base, end, None, Basis("memory regions", _range_text(region.base, region.size_bytes))
            )
        if thread.stack_size_bytes:
            low, end = thread.stack_start, thread.stack_start + thread.stack_size_bytes
            return StackBounds(thread, low, end, None, Basis("threads", f"stack of thread {thread.index}"))
        return None

    def _stack_region(self, pointer: int) -> MemoryRegion | None:
        """The region of the stack pointer. Of a stack that is used up the pointer is below: then the next region."""
        region = self.region_at(pointer)
        if region is not None and region.state == MEM_COMMIT:
            return region
        index = bisect_right(self._bases, pointer)
        if index < len(self._regions) and self._bases[index] - pointer <= LARGEST_FRAME_BYTES:
            return self._regions[index]
        return None

    def _bounds_by_teb(self, thread: Thread) -> StackBounds | None:
        """By the thread environment block: StackBase and StackLimit, the second and third pointer."""
        system, teb, size = self._dump.system, thread.record.teb, self._dump.pointer_size_bytes
        if isinstance(system, Absent) or not system.os.startswith("Windows") or not teb:
            return None
        data = self._dump.memory.read_partial(teb + size, 2 * size).data
        if len(data) < 2 * size:
            return None
        high, low = int.from_bytes(data[:size], "little"), int.from_bytes(data[size:], "little")
        if not 0 < high - low <= LARGEST_STACK_BYTES:
            return None
        data = self._dump.memory.read_partial(teb + DEALLOCATION_STACK[size], size).data
        reserved = int.from_bytes(data, "little") if len(data) == size else 0
        is_plausible = 0 <= low - reserved <= LARGEST_STACK_BYTES
        basis = Basis("memory", f"thread environment block at {teb:#x}")
        return StackBounds(thread, low, high, reserved if is_plausible else None, basis)


def _section_permissions(module: Module, address: int) -> Permissions | None:
    file = getattr(module.find_image(), "file", None)
    if file is None:
        return None
    rva = address - module.base
    for section in file.sections:
        if section.rva <= rva < section.rva + section.size_bytes:
            basis = Basis("modules", f"section {section.name} of {module.name}")
            return Permissions(section.readable, section.writable, section.executable, basis)
    return None


def _range_text(base: int, size: int) -> str:
    return f"{base:#x} to {base + size:#x}"
