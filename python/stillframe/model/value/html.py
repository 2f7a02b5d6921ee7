"""Values as foldable HTML, for notebooks. All text is escaped: names come from files that nobody vouches for."""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from stillframe.model.absent import Absent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stillframe.model.natvis.child import Child
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
        if isinstance(value, Absent):
            return self._line(name, f'<i title="{escape(value.remedy)}">{escape(str(value.reason))}</i>', None, 0)
        about = escape(f"{value.type.name} {value.location}".rstrip())
        shown = f'<span title="{about}">{escape(value.format())}</span>'
        return self._line(name, shown, value.children_, depth)

    def _child(self, child: Child, depth: int) -> str:
        if child.value is not None:
            return self.part(child.name, child.value, depth)
        return self._line(child.name, f"<i>{escape(child.format())}</i>", child.children, depth)

    def _line(self, name: str, shown: str, children: Callable[[], Iterator[Child]] | None, depth: int) -> str:
        self._left -= 1
        line = f"<b>{escape(name)}</b> {shown}" if name else f" {shown}"
        opens = children is not None and depth > 0 and self._left > 0
        inside = self._inside(children(), depth) if opens and children is not None else ""
        return f"<details><summary>{line}</summary>{inside}</details>" if inside else f"<div>{line}</div>"

    def _inside(self, children: Iterator[Child], depth: int) -> str:
        parts = list(islice(children, MOST_CHILDREN + 1))
        if len(parts) == 1 and parts[0].is_remark:  # what cannot be read is said in its line already
            return ""
        shown = [self._child(part, depth - 1) for part in parts[:MOST_CHILDREN] if self._left > 0]
        more = "<div>…</div>" if len(parts) > len(shown) else ""
        return f'<div style="margin-left:1.5em">{"".join(shown)}{more}</div>' if shown else ""
