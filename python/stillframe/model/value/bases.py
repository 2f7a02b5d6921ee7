"""Base classes of an object: where virtual ones are, and casts along them.

Source: Itanium C++ ABI, 2.5.2 (offsets of virtual bases in the vtable); Microsoft's vbtables: entries of 4 bytes, each
an offset from the place of the pointer to the table.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stillframe.errors import OperationError, Unreadable
from stillframe.model.absent import Absent, Reason, absent_of
from stillframe.model.value.location import Missing, Nowhere
from stillframe.model.value.numbers import is_float, is_signed

if TYPE_CHECKING:
    from stillframe.model.typing.members import Member
    from stillframe.model.typing.type import Type
    from stillframe.model.value.operators import Number
    from stillframe.model.value.value import Value

DEEPEST = 32
MOST_CLASSES = 512
NUMBERS = frozenset({"base", "enum", "pointer"})


def virtual_base(value: Value, member: Member) -> Value:
    """The virtual base of an object. Where it is stands in the object's tables, so that it may be absent."""
    try:
        address = _virtual_base_address(value, member)
    except Unreadable as error:
        return value.located_(member.type, Nowhere(Missing(absent_of(error))))
    if address is None:
        return value.located_(member.type, Nowhere(Missing(Absent.because(Reason.NOT_COVERED))))
    return value.object_at_(member.type, address)


def _virtual_base_address(value: Value, member: Member) -> int | None:
    start, types = value.address, value.type.types
    if start is None:
        return None
    word = types.builtin("uintptr_t") or types.damaged
    offset = member.offset_bytes or 0
    if member.table_index is None:
        table = int(value.object_at_(word, start))
        signed = types.builtin("intptr_t") or types.damaged
        return start + int(value.object_at_(signed, table + offset))
    table = int(value.object_at_(word, start + offset))
    entry = types.builtin("int") or types.damaged
    return start + offset + int(value.object_at_(entry, table + 4 * member.table_index))


def path_to_base(derived: Type, base: Type) -> tuple[Member, ...] | None:
    """The steps from a class to one of its bases, breadth first; empty if they are the same, None if it is none."""
    base = base.resolved
    level: list[tuple[Type, tuple[Member, ...]]] = [(derived.resolved, ())]
    seen: set[Type] = set()
    for _ in range(DEEPEST):
        following = []
        for class_, path in level:
            if is_same_class(class_, base):
                return path
            if class_ in seen or len(seen) > MOST_CLASSES:
                continue
            seen.add(class_)
            following += [(member.type.resolved, (*path, member)) for member in class_.bases]
        level = following
    return None


def is_same_class(one: Type, other: Type) -> bool:
    """Whether two types are one class, perhaps recorded by two modules."""
    return one == other or bool(one.tag and one.tag == other.tag and one.kind == other.kind)


def fixed_offset(path: tuple[Member, ...]) -> int | None:
    """Bytes to the last of the bases; None if a virtual one is among them."""
    if any(member.kind == "virtual_base" for member in path):
        return None
    return sum(member.offset_bytes or 0 for member in path)


def only_offset(derived: Type, base: Type) -> int | None:
    """Bytes to a base that the class has once, in a fixed place; None if it has more of them, or a virtual one."""
    found: list[int | None] = []
    level: list[tuple[Type, int | None]] = [(derived.resolved, 0)]
    looked_at = 0
    while level:
        class_, offset = level.pop()
        looked_at += 1
        if looked_at > MOST_CLASSES:
            return None
        if is_same_class(class_, base.resolved):
            found.append(offset)
            continue
        for member in class_.bases:
            step = fixed_offset((member,))
            level.append((member.type.resolved, None if offset is None or step is None else offset + step))
    return found[0] if len(found) == 1 else None


def cast(value: Value, type_: Type) -> Value:
    """`(type_)value`, as C++ does: by static casts where they exist, else by reinterpretation of pointers."""
    wanted = type_.resolved
    if value.type.is_reference:
        value = value.dereference()
    have = value.type.resolved
    if wanted.kind in {"reference", "rvalue_reference"}:
        target = wanted.target or wanted.types.void
        found = _object(value, target)
        return value.reinterpret(target) if found is None else found
    if wanted.kind == "pointer":
        return _pointer(value, type_, wanted)
    if wanted.kind in NUMBERS or wanted.kind == "member_pointer":
        if isinstance(wanted.size_bytes, Absent):
            raise OperationError(f"{type_.name}: {wanted.size_bytes.reason}")
        return value.result_(type_, _fitting(value.number_(), wanted))
    if wanted.is_class and have.is_class:
        found = _object(value, type_)
        if found is not None:
            return found
    if wanted == have:
        return value.reinterpret(type_)
    raise OperationError(f"{value.type.name} cannot be cast to {type_.name}")


def _fitting(number: Number, type_: Type) -> Number:
    """What is left of a floating-point number in an integer type; what does not fit has no meaning ([conv.fpint])."""
    if not isinstance(number, float) or is_float(type_) or type_.encoding == "boolean":
        return number
    size = type_.size_bytes
    bits = 0 if isinstance(size, Absent) else 8 * size
    low, high = (-(1 << bits - 1), 1 << bits - 1) if is_signed(type_) else (0, 1 << bits)
    if not math.isfinite(number) or not low <= int(number) < high:
        raise OperationError(f"{number} does not fit in {type_.name}")
    return int(number)


def _pointer(value: Value, type_: Type, wanted: Type) -> Value:
    have = value.type.resolved
    number = int(value.number_())
    classes = have.kind == "pointer" and have.target is not None and wanted.target is not None
    if classes and number and have.target is not None and wanted.target is not None:
        source, target = have.target.resolved, wanted.target.resolved
        if source.is_class and target.is_class:
            found = _object(value.object_at_(have.target, number), wanted.target)
            if found is not None and found.address is not None:
                number = found.address
    return value.result_(type_, number)


def _object(value: Value, type_: Type) -> Value | None:
    """The object as one of its bases or as a class derived from its own; None if they are not related."""
    have, wanted = value.type.resolved, type_.resolved
    if not (have.is_class and wanted.is_class):
        return None
    up = path_to_base(have, wanted)
    if up is not None:
        for member in up:
            value = value.part_(member)
        return value if up else value.reinterpret(type_)
    down = path_to_base(wanted, have)
    offset = None if down is None else fixed_offset(down)
    if offset is None or value.address is None:
        return None
    return value.object_at_(type_, value.address - offset)
