"""Members of classes, and how one is found by name.

Source of the rules: ISO C++, [class.member.lookup] (a class hides what its bases declare), [class.union.anon].
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from stillframe.model.typing.names import last_scope

if TYPE_CHECKING:
    from stillframe._engine import MemberRecord
    from stillframe.model.typing.type import Type

MemberKind: TypeAlias = Literal["field", "base", "virtual_base", "static", "nested_type"]
MOST_CLASSES = 4096
"""Looked into for one name."""
MOST_BASES = 64
"""Of one class, in lists of them."""


class Member:
    """Something that a class consists of."""

    def __init__(self, owner: Type, record: MemberRecord) -> None:
        self.owner = owner
        """The class whose record has it."""
        self.name = record.name
        """Empty for an unnamed structure or union; of a base class its qualified name."""
        self.kind: MemberKind = record.kind
        self.offset_bytes = record.offset_bytes
        """Of fields and bases, in the object. Of virtual bases, where their offset is found: see `_engine.pyi`."""
        self.bits = record.bits
        """Of a bit-field: its lowest bit in the little-endian number at `offset_bytes`, and how many."""
        self.table_index = record.table_index
        """Of Microsoft's virtual bases: the entry in the vbtable."""
        self.is_artificial = record.is_artificial
        """The compiler added it: a vtable pointer."""
        self.variant = record.variant
        """Of tagged unions: whether it tells which alternative is there, or is there in some alone."""
        self.discriminants = tuple(record.discriminants)
        """Of what is there in some: the ranges of what tells it, whose ends count."""
        self._type_id = record.type_id

    def __repr__(self) -> str:
        return f"<Member {self.name or '<unnamed>'} of {self.owner.name}>"

    @cached_property
    def type(self) -> Type:
        """Its type."""
        types, module = self.owner.types, self.owner.module
        return (None if module is None else types.of(module, self._type_id)) or types.void

    @property
    def is_base(self) -> bool:
        """Whether it is a base class."""
        return self.kind in {"base", "virtual_base"}

    @property
    def is_unnamed_part(self) -> bool:
        """An unnamed structure or union, whose members count as those of the class around it."""
        return self.kind == "field" and not self.name and self.type.is_class


def with_bases(class_: Type) -> list[tuple[Type, tuple[Member, ...]]]:
    """The class and its bases, nearest first, each once, with the way to them."""
    found: list[tuple[Type, tuple[Member, ...]]] = [(class_, ())]
    seen = {class_}
    for each, path in found:
        for member in each.bases:
            base = member.type.resolved
            if base not in seen and len(found) < MOST_BASES:
                seen.add(base)
                found.append((base, (*path, member)))
    return found


def member_names(class_: Type) -> list[str]:
    """Data of a class and its bases, as somebody may write them."""
    members = (member for each, _ in with_bases(class_) for member in each.members)
    return [each.name for each in members if each.name and each.kind in {"field", "static"} and not each.is_artificial]


def path_to(type_: Type, name: str) -> tuple[Member, ...]:
    """See `Type.path_to`. Breadth first, so that the nearest class wins; every class is looked into once."""
    level: list[tuple[Type, tuple[Member, ...]]] = [(type_.resolved, ())]
    seen = {level[0][0]}
    while level and len(seen) < MOST_CLASSES:
        following: list[tuple[Type, tuple[Member, ...]]] = []
        for class_, path in level:
            found = _direct(class_, name)
            if found:
                return (*path, *found)
            for base in (member for member in class_.members if member.is_base):
                if (inner := base.type.resolved) not in seen:
                    seen.add(inner)
                    following.append((inner, (*path, base)))
        level = following
    return ()


def _direct(class_: Type, name: str) -> tuple[Member, ...]:
    """A member of the class itself: also of its unnamed parts, and a base by its name."""
    pending: list[tuple[Type, tuple[Member, ...]]] = [(class_, ())]
    seen = {class_}
    while pending and len(seen) < MOST_CLASSES:
        part, path = pending.pop(0)
        for member in part.members:
            if member.name == name and member.kind in {"field", "static"}:
                return (*path, member)
        for member in part.members:
            if member.is_unnamed_part and (inner := member.type.resolved) not in seen:
                seen.add(inner)
                pending.append((inner, (*path, member)))
    bases = [member for member in class_.members if member.is_base]
    exact = [member for member in bases if member.name == name]
    return tuple((exact or [member for member in bases if last_scope(member.name) == name])[:1])
