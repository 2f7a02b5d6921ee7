"""Values as foldable HTML, for notebooks. All text is escaped: names come from files that nobody vouches for."""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from stillframe.errors import StillframeError
from stillframe.model.absent import Absent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stillframe.model.value.value import Value

    Named: TypeAlias = tuple[str, Value | Absent]

DEEPEST = 3
MOST_CHILDREN = 50
MOST_PARTS = 1000
"""Of one page."""
STYLE = "font-family:monospace;white-space:pre-wrap"


def of_value(name: str, value: Value | Absent) -> str:
    """One value, which opens to its parts."""
    return f'<div style="{STYLE}">{_Writer().part(name, value, DEEPEST)}</div>'


def of_values(values: Sequence[Named], title: str = "") -> str:
    """Values below each other, under a title that folds them."""
    writer = _Writer()
    inside = "".join(writer.part(name, value, DEEPEST) for name, value in values)
    if not title:
        return f'<div style="{STYLE}">{inside}</div>'
    return f'<details open style="{STYLE}"><summary>{escape(title)}</summary>{inside}</details>'


class _Writer:
    def __init__(self) -> None:
        self._left = MOST_PARTS

    def part(self, name: str, value: Value | Absent, depth: int) -> str:
        self._left -= 1
        heading = f"<b>{escape(name)}</b>" if name else ""
        if isinstance(value, Absent):
            return f'<div>{heading} <i title="{escape(value.remedy)}">{escape(str(value.reason))}</i></div>'
        about = escape(f"{value.type.name} {value.location}".rstrip())
        line = f'{heading} <span title="{about}">{escape(value.format())}</span>'
        children = self._children(value, depth) if depth > 0 and self._left > 0 else ""
        return f"<details><summary>{line}</summary>{children}</details>" if children else f"<div>{line}</div>"

    def _children(self, value: Value, depth: int) -> str:
        try:
            parts = list(islice(_parts(value), MOST_CHILDREN + 1))
        except StillframeError:  # what cannot be read is said in its line already
            return ""
        shown = [self.part(name, part, depth - 1) for name, part in parts[:MOST_CHILDREN] if self._left > 0]
        more = "<div>…</div>" if len(parts) > len(shown) else ""
        return f'<div style="margin-left:1.5em">{"".join(shown)}{more}</div>' if shown else ""


def _parts(value: Value) -> Iterator[tuple[str, Value]]:
    """What a value opens to: members, elements, what a pointer points to."""
    if value.type.is_reference:
        value = value.dereference()
    type_ = value.type.resolved
    if type_.kind == "array":
        count = min(type_.count or 0, MOST_CHILDREN + 1)
        yield from ((f"[{index}]", value.element_(index)) for index in range(count))
    elif type_.kind == "pointer" and type_.target is not None and type_.target.is_class and value:
        yield from _members(value.dynamic)
    elif type_.is_class:
        yield from _members(value)


def _members(value: Value, depth: int = DEEPEST) -> Iterator[tuple[str, Value]]:
    for member, part in value.members():
        if not member.is_unnamed_part:
            yield member.name, part
        elif depth > 0:
            yield from _members(part, depth - 1)
