"""Whether one wrong bit explains the access, as memory or a processor that is broken makes them.

Every bit of the address, and of each register that it is computed from, is turned over in turn: at most 64 bits of
three values. What comes out must be memory that the refused access could have used. Most flips prove nothing: a
process with much memory has something at many addresses. So each says why it is believed, and how far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.analysis.access import NULL_PAGES_BYTES, is_canonical
from stillframe.analysis.patterns import fill_of
from stillframe.analysis.register_names import part_of, value_of
from stillframe.model.crash import BitFlip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from stillframe._engine import Registers
    from stillframe.analysis.address_map import AddressMap
    from stillframe.model.crash import Access, CrashOperand

PAGE_BITS = 12
"""Bits below choose a byte in a page, which is there or not as a whole."""
NEAR_BYTES = 0x1000
"""Another register that points this near speaks for the corrected address."""
MOST_FLIPS = 8
"""More possibilities than this say that the process has much memory, and no more."""


def possible_flips(
    access: Access, operand: CrashOperand | None, registers: Registers, places: AddressMap, pointer_size_bytes: int
) -> tuple[BitFlip, ...]:
    """The flips that would have made `access` a plausible one; none if the address is mapped, near null or a fill.

    Where the dump does not say what was mapped, a flip needs more than a place that happens to be known.
    """
    if not _is_suspect(access.address, pointer_size_bytes) or places.is_mapped(access.address):
        return ()
    search = _Search(access, registers, places, 8 * pointer_size_bytes)
    found: dict[int, BitFlip] = {}
    for register, scale in _sources(operand):
        value = value_of(register, registers)
        is_whole = part_of(register, registers).size_bytes == pointer_size_bytes
        if is_whole and isinstance(value, int) and _is_suspect(value, pointer_size_bytes):
            for flip in search.flips(register, value, scale):
                found.setdefault(flip.address, flip)
    for flip in search.flips(None, access.address, 1):
        found.setdefault(flip.address, flip)
    order = ("strong", "fair", "weak")
    ranked = sorted(found.values(), key=lambda flip: (order.index(flip.confidence), flip.register is None, flip.bit))
    if len(ranked) > MOST_FLIPS or not places.has_regions:
        ranked = [flip for flip in ranked if flip.confidence != "weak"]
    return tuple(ranked[:MOST_FLIPS])


def _is_suspect(value: int, pointer_size_bytes: int) -> bool:
    """Whether a wrong bit may be what is wrong with a value: nulls and fills have better explanations."""
    return value >= NULL_PAGES_BYTES and fill_of(value, pointer_size_bytes) is None


def _sources(operand: CrashOperand | None) -> list[tuple[str, int]]:
    if operand is None or operand.operand is None:
        return []
    engine = operand.operand
    pairs = ((engine.base, 1), (engine.index, engine.scale))
    return [(register, scale) for register, scale in pairs if register is not None]


class _Search(NamedTuple):
    """What flips are tried on."""

    access: Access
    registers: Registers
    places: AddressMap
    bits: int

    def flips(self, register: str | None, value: int, scale: int) -> Iterator[BitFlip]:
        """Each bit of `value`, which counts `scale` times in the address, turned over where that helps."""
        for bit in range(PAGE_BITS, self.bits):
            flipped = value ^ 1 << bit
            address = (self.access.address + (flipped - value) * scale) & ((1 << self.bits) - 1)
            if flipped == 0 and register is not None:
                text = f"{register} would be null, for which programs test, were bit {bit} the other way"
                yield BitFlip(bit, register, 0, address, "fair", 0, text)
            elif self._could_use(address):
                yield self._explained(bit, register, flipped, address)

    def _could_use(self, address: int) -> bool:
        if address < NULL_PAGES_BYTES or not self.places.is_mapped(address):
            return False
        permissions = self.places.permissions(address)
        return permissions is None or permissions.allows(self.access.kind or "read")

    def _explained(self, bit: int, register: str | None, value: int, address: int) -> BitFlip:
        near = sorted(
            name
            for name, held in self.registers.known().items()
            if name not in {register, "eflags", "rflags"} and abs(held - address) < NEAR_BYTES
        )
        reasons = []
        if self.bits == 64 and not is_canonical(self.access.address):
            reasons.append("the address is not canonical and would be")
        if near:
            reasons.append(f"{' and '.join(near)} {'points' if len(near) == 1 else 'point'} near {address:#x}")
        confidences: tuple[Literal["weak", "fair", "strong"], ...] = ("weak", "fair", "strong")
        text = (
            f"were bit {bit} of {register or 'the address'} the other way, the {self.access.kind or 'access'} would go"
            f" to {address:#x}, where it is allowed: {'; '.join(reasons) or 'nothing else speaks for it'}"
        )
        return BitFlip(bit, register, value, address, confidences[len(reasons)], len(near), text)
