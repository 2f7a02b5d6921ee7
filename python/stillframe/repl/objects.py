"""Objects with offsets, as `dt` shows them: offset, type, name, value; members of members below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.cli.page import Styled
from stillframe.cli.type import add_type
from stillframe.errors import StillframeError

if TYPE_CHECKING:
    from stillframe.cli.page import Page
    from stillframe.model.typing.members import Member
    from stillframe.model.typing.type import Type
    from stillframe.model.value.value import Value

ROOT_LENGTH = 2000
"""Characters of the object itself."""
MOST_LINES = 2000


class _Lines:
    """How many more may be shown."""

    def __init__(self) -> None:
        self.left = MOST_LINES


def add_object(page: Page, value: Value, depth: int) -> None:
    """The value, and what its class, or that of what it points to, consists of, so many levels below the first."""
    value = value.dynamic if value.type.is_pointer or value.type.is_reference else value
    where = f"  {value.location}" if value.location else ""
    text = value.format(depth=1, length=ROOT_LENGTH)
    page.line(Styled(f"({value.type.name}) ", "dim"), text, Styled(where, "dim"))
    _add_members(page, value, depth, "  ", _Lines())


def _add_members(page: Page, value: Value, depth: int, indent: str, lines: _Lines) -> None:
    type_ = value.type.resolved
    target = type_.target.resolved if type_.target is not None and type_.kind != "array" else type_
    if not target.is_class:
        return
    try:
        parts = list(value.members())
    except StillframeError as error:
        page.line(indent, Styled(f"<{error}>", "yellow"))
        return
    widths = [max((len(cell) for cell in column), default=0) for column in zip(*map(_cells, parts), strict=True)]
    for member, part in parts:
        lines.left -= 1
        if lines.left < 0:
            return
        cells = [f"{cell:<{width}}" for cell, width in zip(_cells((member, part)), widths, strict=True)]
        page.line(indent, Styled(cells[0], "dim"), f"  {cells[1]}  ", Styled(cells[2], "bold"), f"  {part.format()}")
        if depth > 0:
            _add_members(page, part, depth - 1, indent + "    ", lines)
    if lines.left == 0:
        page.line(indent, Styled(f"… at most {MOST_LINES:,} lines", "dim"))


def _cells(of: tuple[Member, Value]) -> tuple[str, str, str]:
    member, part = of
    offset = (
        f"+{member.offset_bytes:#x}" if member.kind in {"field", "base"} and member.offset_bytes is not None else ""
    )
    if member.bits is not None:
        offset += f" bits {member.bits[0]} to {member.bits[0] + member.bits[1] - 1}"
    return offset, "" if member.is_base else part.type.name, member.name or "<unnamed>"


def add_inner_types(page: Page, type_: Type, depth: int) -> None:
    """The classes of members, so many levels deep, each once: a class may hold pointers to itself."""
    seen, level = {type_.resolved}, [type_.resolved]
    for _ in range(depth):
        inner: list[Type] = []
        for each in level:
            for member in each.members:
                found = member.type.resolved
                while found.target is not None and found.kind in {"pointer", "reference", "rvalue_reference", "array"}:
                    found = found.target.resolved
                if found.is_class and found not in seen and member.kind != "nested_type" and len(seen) < MOST_LINES:
                    seen.add(found)
                    inner.append(found)
        for each in inner:
            page.blank()
            add_type(page, each)
        level = inner
