"""The verb `regions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.cli.verb import verb

if TYPE_CHECKING:
    from stillframe import Dump
    from stillframe._engine import MemoryRegion
    from stillframe.cli.page import Part
    from stillframe.cli.verb import Request

_STATES = {0x1000: "committed", 0x2000: "reserved", 0x10000: "free"}
_TYPES = {0x20000: "private", 0x40000: "mapped", 0x1000000: "image"}
_PROTECTIONS = {
    0x01: "---",
    0x02: "r--",
    0x04: "rw-",
    0x08: "rc-",
    0x10: "--x",
    0x20: "r-x",
    0x40: "rwx",
    0x80: "rcx",
}
"""PAGE_…; `c` is copy on write."""
_GUARD = 0x100


def run(request: Request) -> None:
    """Lists the address space as the system saw it: ranges, state, protection, and how much of each the dump holds."""
    dump = request.open()
    if request.as_json:
        from stillframe.cli import schema

        schema.show({"regions": [as_json(dump, region) for region in dump.memory.regions]})
        return
    from stillframe.cli.page import Page

    page = Page()
    page.table([row(dump, region) for region in dump.memory.regions], right=frozenset({5}))
    page.show()


def protection(region: MemoryRegion) -> str:
    """As Linux writes it: `rw-`; a guard page ends with `g`."""
    letters = _PROTECTIONS.get(region.protect & 0xFF, "")
    return f"{letters} g" if region.protect & _GUARD else letters


def state(region: MemoryRegion) -> str:
    """`committed`, `reserved`, `free`."""
    return _STATES.get(region.state, f"{region.state:#x}")


def kind(region: MemoryRegion) -> str:
    """`private`, `mapped`, `image`; empty of what is free."""
    return _TYPES.get(region.type, "")


def row(dump: Dump, region: MemoryRegion) -> list[Part]:
    """From, to, state, protection, kind, how much the dump holds, module."""
    from stillframe.cli.page import Styled
    from stillframe.cli.stacktext import address_text

    module = dump.modules.at(region.base)
    held = dump.memory.held_bytes(region.base, region.size_bytes)
    return [
        Styled(address_text(dump, region.base), "dim"),
        Styled(address_text(dump, region.base + region.size_bytes), "dim"),
        state(region),
        protection(region),
        kind(region),
        f"{held:,} bytes" if held else "",
        "" if module is None else Styled(module.name, "bold"),
    ]


def as_json(dump: Dump, region: MemoryRegion) -> dict[str, object]:
    """A region, as docs/json.md has it."""
    from stillframe.cli.schema import hex_text

    return {
        "address": hex_text(dump, region.base),
        "size": region.size_bytes,
        "state": _STATES.get(region.state),
        "protection": protection(region),
        "type": _TYPES.get(region.type),
        "held_bytes": dump.memory.held_bytes(region.base, region.size_bytes),
    }


command = verb(run)
