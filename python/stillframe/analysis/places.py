"""What an address belongs to, in words: a module, a stack, a region, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.analysis.address_map import MEM_COMMIT, MEM_FREE
from stillframe.analysis.windows import STACK_OVERFLOW
from stillframe.model.absent import Absent
from stillframe.model.crash import Basis, Statement
from stillframe.model.names import base_name

if TYPE_CHECKING:
    from stillframe.analysis.address_map import AddressMap
    from stillframe.model.crash import Access
    from stillframe.model.dump import Dump

BELOW_STACK_BYTES = 0x10000
"""Below a stack, where a guard page or the space that it may still grow into is."""
NEAR_BYTES = 0x100000
"""A neighbour further away explains nothing."""


class Place(NamedTuple):
    """Where an address lies."""

    kind: str
    text: str
    """What follows "0x1234 ": `is in the stack of thread 0`."""
    basis: tuple[Basis, ...]


def place_of(dump: Dump, places: AddressMap, address: int) -> Place:
    """The most telling thing that holds `address`."""
    module = dump.modules.at(address)
    if module is not None:
        return Place("module", f"is in {_in_module(dump, address)}{_allowed(places, address)}", (Basis("modules"),))
    for bounds in places.stacks:
        if bounds.low <= address < bounds.high:
            text = f"is in the stack of thread {bounds.thread.index}{_allowed(places, address)}"
            return Place("stack", text, (bounds.basis,))
    below = _below_stack(places, address)
    if below is not None:
        return below
    unloaded = places.unloaded_at(address)
    if unloaded:
        names = ", ".join(f"{each.name}+{address - each.base:#x}" for each in unloaded[:3])
        return Place("unloaded_module", f"was in a module that is unloaded: {names}", (Basis("unloaded modules"),))
    return _region(dump, places, address)


def _in_module(dump: Dump, address: int) -> str:
    symbolized = dump.symbolize(address)
    section = dump.memory.provenance(address, 1)[0].section
    return f"{symbolized}{f', section {section}' if section else ''}"


def _allowed(places: AddressMap, address: int) -> str:
    permissions = places.permissions(address)
    return "" if permissions is None else f" ({permissions})"


def _below_stack(places: AddressMap, address: int) -> Place | None:
    """Between what a stack may grow to and where it ends now."""
    for bounds in places.stacks:
        lowest = bounds.low - BELOW_STACK_BYTES if bounds.reserved_low is None else bounds.reserved_low
        if lowest <= address < bounds.low and (bounds.reserved_low is not None or not places.is_mapped(address)):
            distance = bounds.low - address
            page = ", in its guard page" if places.is_likely_guard_page(address) else ""
            text = f"is {distance:#x} bytes below the stack of thread {bounds.thread.index}{page}"
            return Place("below_stack", text, (bounds.basis, *_region_basis(places, address)))
    return None


def _region(dump: Dump, places: AddressMap, address: int) -> Place:
    from stillframe.analysis.linux import mapping_name

    region = places.region_at(address)
    if region is not None and region.state == MEM_COMMIT:
        name = mapping_name(dump, address)
        what = f"the mapping {base_name(name)}" if name else "memory of no module"
        return Place("region", f"is in {what}{_allowed(places, address)}", _region_basis(places, address))
    if region is not None and region.state != MEM_FREE:
        return Place("reserved", "is reserved and not committed", _region_basis(places, address))
    if places.is_mapped(address):
        return Place("saved_memory", "is in memory of no module that the dump holds", (Basis("memory"),))
    if places.has_regions:
        return Place("nothing", f"belongs to nothing{_nearest(dump, address)}", (places.regions_basis,))
    text = f"is in no module, stack or saved memory{_nearest(dump, address)}"
    return Place("unknown", text, (Basis("modules"), Basis("threads"), Basis("memory")))


def _nearest(dump: Dump, address: int) -> str:
    ends = [(address - module.end, module) for module in dump.modules if 0 <= address - module.end < NEAR_BYTES]
    if not ends:
        return ""
    distance, module = min(ends, key=lambda pair: pair[0])
    return f"; {module.name} ends {distance:#x} bytes below it"


def _region_basis(places: AddressMap, address: int) -> tuple[Basis, ...]:
    region = places.region_at(address)
    if region is None:
        return (places.regions_basis,) if places.has_regions else ()
    return (Basis("memory regions", f"{region.base:#x} to {region.base + region.size_bytes:#x}"),)


def stack_exhaustion(dump: Dump, places: AddressMap, access: Access) -> Statement | None:
    """Whether the crashed thread's stack was used up: Windows says so, or the access was just below the stack."""
    thread, exception = dump.crashed_thread, dump.exception
    bounds = None if thread is None else places.stack_of(thread)
    if thread is None or bounds is None or exception is None or isinstance(thread.registers, Absent):
        return None
    pointer = thread.registers.stack_pointer
    if pointer is None or access.kind == "execute":
        return None
    used = f"the stack of thread {thread.index} is used up: {max(bounds.high - pointer, 0):,} bytes are in use"
    if exception.code == STACK_OVERFLOW:
        return Statement("stack_exhaustion", used, (Basis("exception record", "code"), bounds.basis))
    address, reach = access.address, BELOW_STACK_BYTES
    is_guard = places.is_likely_guard_page(address)
    if not bounds.low - reach <= address < bounds.low + reach or abs(address - pointer) > reach:
        return None
    if places.is_mapped(address) and not is_guard:
        return None
    text = f"{used}, and {address:#x} is in the guard page below" if is_guard else f"{used}, and {address:#x} is below"
    return Statement("stack_exhaustion", text, (bounds.basis, Basis("registers", "stack pointer")))
