"""Tagged unions, such as enumerations of Rust: which alternative an object is. Tuples, whose fields have places only.

Source: DWARF 5, section 5.7.10, "Variant Entries"; rustc calls the fields of tuples `__0`, `__1`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.model.absent import Absent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe.model.typing.members import Member
    from stillframe.model.typing.type import Type
    from stillframe.model.value.value import Value


def present(value: Value, members: Sequence[Member]) -> Sequence[Member]:
    """The members that are there in this very object.

    :raises Unreadable: if what tells is not there.
    """
    tag = next((member for member in members if member.variant == "discriminant"), None)
    if tag is None:  # of a single alternative, which nothing has to tell
        return members
    number = int(value.part_(tag).number_())
    size = tag.type.size_bytes
    mask = (1 << 8 * (8 if isinstance(size, Absent) else size)) - 1
    # Files have numbers with or without sign; only the bits count.
    matching = [
        member
        for member in members
        if member.variant == "when"
        and any((number - first) & mask <= (last - first) & mask for first, last in member.discriminants)
    ]
    chosen = matching or [member for member in members if member.variant == "otherwise"]
    return [member for member in members if member.variant == "always" or member in chosen]


def alternative(value: Value) -> tuple[str, Value] | None:
    """Name and object of the alternative that is there, of a tagged union that has nothing beside.

    :raises Unreadable: if what tells is not there.
    """
    members = value.type.resolved.members
    if not any(member.variant in {"when", "otherwise"} for member in members):
        return None
    found = [each for each in present(value, members) if each.kind == "field" and each.variant != "discriminant"]
    if len(found) != 1 or not found[0].name or not found[0].type.is_class:
        return None
    return found[0].name, value.part_(found[0])


def is_place(name: str) -> bool:
    """Whether the field of a tuple is called so."""
    return name.startswith("__") and name[2:].isdecimal()


def is_tuple(type_: Type) -> bool:
    """Whether a class is a tuple."""
    names = [member.name for member in type_.members if member.kind == "field"]
    return bool(names) and names == [f"__{place}" for place in range(len(names))]
