"""Pointers to members: what they say, by the rules of two ABIs.

Source: Itanium C++ ABI, 2.3 (data: an offset, -1 for null; functions: an address, or 1 plus an offset in the vtable,
and what is added to `this`); "C++ ABI for the Arm Architecture", 3.2.1 (which has the 1 in the second word, the rest of
it doubled). Microsoft's, as Clang's MicrosoftCXXABI.cpp makes them: numbers of 4 bytes, more of them for classes with
more kinds of bases; functions have an address first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.errors import SymbolsMissing, Unreadable
from stillframe.model.absent import Absent
from stillframe.model.value.bases import MOST_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.typing.type import Type
    from stillframe.model.value.value import Value

INT_BYTES = 4
HEADER_WORDS = 2
"""Of an Itanium vtable, before its functions."""


class ToData(NamedTuple):
    """A pointer to data."""

    offset_bytes: int


class ToFunction(NamedTuple):
    """A pointer to a function."""

    address: int | None
    """None: the object tells."""
    vtable_offset: int
    """Of a virtual function, in bytes."""
    adjustment_bytes: int
    """What is added to `this`."""


def target_of(value: Value) -> ToData | ToFunction | None:
    """What a pointer to a member points to; None: nothing.

    :raises Unreadable: if it is not there.
    """
    type_ = value.type.resolved
    data, word = value.data_(), value.process_.pointer_size_bytes
    is_function = type_.target is not None and type_.target.resolved.kind == "function"
    if _is_microsoft(value):
        return _microsoft(data, word if is_function else 0)
    numbers = [int.from_bytes(data[at : at + word], "little", signed=True) for at in range(0, len(data), word)]
    if not is_function:
        return ToData(numbers[0]) if numbers and numbers[0] != -1 else None
    pointer, adjustment = (*numbers, 0, 0)[:2]
    if value.process_.file.system is not None and value.process_.file.system.cpu in {"arm", "arm64"}:
        is_virtual, offset, adjustment = adjustment & 1, pointer, adjustment >> 1
    else:
        is_virtual, offset = pointer & 1, pointer - 1
    if not is_virtual and not pointer:
        return None
    address = pointer & ((1 << 8 * word) - 1)
    return ToFunction(None if is_virtual else address, offset if is_virtual else 0, adjustment)


def read(value: Value) -> object:
    """See `Value.read`: the offset of data; of functions what Itanium's ABI calls them; None points to nothing."""
    target = target_of(value)
    if isinstance(target, ToFunction):
        return {"ptr": target.address or target.vtable_offset + 1, "adj": target.adjustment_bytes}
    return None if target is None else target.offset_bytes


def member_at(class_: Type, offset_bytes: int, type_: Type | None) -> str | None:
    """The name of the data at an offset in objects of the class or of its bases; one of this type comes first."""
    found = [
        member
        for part, start in _parts(class_)
        for member in part.fields
        if start + (member.offset_bytes or 0) == offset_bytes and member.bits is None and member.name
    ]
    same = [member for member in found if type_ is not None and member.type.resolved == type_.resolved]
    return (same or found)[0].name if found else None


def function_of(value: Value, target: ToFunction) -> int | None:
    """The address of a virtual function: that of the pointer's class, of which derived classes may have their own."""
    class_ = value.type.resolved.class_type
    if class_ is None:
        return None
    word = value.process_.pointer_size_bytes
    for part, start in _parts(class_):
        table = _vtable(part) if start == target.adjustment_bytes else None
        if table is not None:
            try:
                return value.process_.memory.read_number(table + HEADER_WORDS * word + target.vtable_offset, word)
            except Unreadable:
                return None
    return None


def _is_microsoft(value: Value) -> bool:
    module = value.type.resolved.module
    debug = None if module is None else module.debug_file_or_absent()
    return debug is not None and not isinstance(debug, Absent) and debug.format == "pdb"


def _microsoft(data: bytes, address_bytes: int) -> ToData | ToFunction | None:
    """`address_bytes`: of a function's address. The offset of data is the first number; the last one tells the virtual
    base, and is -1 in a pointer to nothing.
    """
    rest = range(address_bytes, len(data), INT_BYTES)
    numbers = [int.from_bytes(data[at : at + INT_BYTES], "little", signed=True) for at in rest]
    if address_bytes:
        address = int.from_bytes(data[:address_bytes], "little")
        return ToFunction(address, 0, numbers[0] if numbers else 0) if address else None
    return ToData(numbers[0]) if numbers and numbers[-1] != -1 else None


def _parts(class_: Type) -> Iterator[tuple[Type, int]]:
    """The class and its bases with fixed places, nearest first, and where they are."""
    level = [(class_.resolved, 0)]
    for _ in range(MOST_CLASSES):
        if not level:
            return
        part, start = level.pop(0)
        yield part, start
        bases = (base for base in part.bases if base.kind == "base")
        level += [(base.type.resolved, start + (base.offset_bytes or 0)) for base in bases]


def _vtable(class_: Type) -> int | None:
    if class_.module is None or not class_.tag:
        return None
    for name in (f"{{vtable({class_.tag})}}", f"vtable for {class_.tag}"):  # demanglers differ
        try:
            symbols = class_.module.symbols.named(name)
        except SymbolsMissing:
            return None
        if symbols:
            return symbols[0].address
    return None
