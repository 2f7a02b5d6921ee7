"""Values of enumerations, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.model.absent import Absent

if TYPE_CHECKING:
    from stillframe.model.typing.type import Enumerator, Type

WIDEST_BYTES = 16


def name_of(type_: Type, number: int) -> str | None:
    """`Blue`; `Read | Write` of an enumeration whose values are single bits; None of a value without a name."""
    enumerators = type_.enumerators
    exact = next((each.name for each in enumerators if each.value == number), None)
    if exact is not None:
        return exact
    size = type_.size_bytes
    return None if isinstance(size, Absent) or size > WIDEST_BYTES else _flags(enumerators, number, (1 << 8 * size) - 1)


def _flags(enumerators: tuple[Enumerator, ...], number: int, mask: int) -> str | None:
    values = [(each.name, each.value & mask) for each in enumerators if each.value]
    single: dict[int, str] = {}
    for name, value in values:
        if value & (value - 1) == 0:
            single.setdefault(value, name)
    named_bits = sum(single)
    if len(single) < 2 or any(value & ~named_bits for _, value in values):
        return None  # not all of them are made of bits that have names: no flags
    left = number & mask
    if left & ~named_bits:
        return None
    return " | ".join(name for value, name in single.items() if left & value) or None
