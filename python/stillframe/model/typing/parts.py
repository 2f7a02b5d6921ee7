"""Which part of an object lies at an offset: `.position.latitude`, `.items[2].size`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.model.absent import Absent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.typing.members import Member
    from stillframe.model.typing.type import Type

DEEPEST = 16
MOST_PARTS = 2000
"""Looked at for one name: types come from files, and may be absurd."""


def part_at(type_: Type, offset_bytes: int, size_bytes: int) -> str | None:
    """How C++ writes the part of an object of this type that begins at `offset_bytes` and has `size_bytes` or more.

    Empty of a number at 0; `.position.latitude`, `[2].size`. Only numbers, pointers and the like are parts; of a union
    it is the first member that fits. None if there is none.
    """
    return next(_Parts(size_bytes).inside(type_.resolved, offset_bytes, "", DEEPEST), None)


class _Parts:
    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        self._left = MOST_PARTS

    def inside(self, type_: Type, offset: int, path: str, depth: int) -> Iterator[str]:
        """All that fit, in the order of the source."""
        whole = type_.size_bytes
        if isinstance(whole, Absent) or not 0 <= offset <= offset + self._size_bytes <= whole or not depth:
            return
        if type_.kind == "array":
            item = type_.item
            step = item.size_bytes
            if isinstance(step, int) and step > 0:
                index, inner = divmod(offset, step)
                yield from self.inside(item.resolved, inner, f"{path}[{index}]", depth - 1)
        elif type_.is_class:
            for member in type_.members:
                self._left -= 1
                if self._left < 0:
                    return
                yield from self._member(member, offset, path, depth - 1)
        elif offset == 0:
            yield path

    def _member(self, member: Member, offset: int, path: str, depth: int) -> Iterator[str]:
        is_part = member.kind in {"field", "base"} and member.bits is None and not member.is_artificial
        if is_part and member.offset_bytes is not None:
            name = f"{path}.{member.name}" if member.name and not member.is_base else path
            yield from self.inside(member.type.resolved, offset - member.offset_bytes, name, depth)
