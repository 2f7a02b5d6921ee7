"""Values as foldable HTML, for notebooks. All text is escaped: names come from files that nobody vouches for."""

from __future__ import annotations

from html import escape
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from stillframe.model.absent import Absent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from stillframe.model.natvis.child import Child
    from stillframe.model.value.value import Value

    Named: TypeAlias = tuple[str, Value | Absent]

DEEPEST = 3
MOST_CHILDREN = 50
MOST_PARTS = 1000
"""Of one page."""
STYLE = "font-family:monospace;white-space:pre-wrap"
DIM = "opacity:0.6"  # grey is too dark on a dark page, or too light on a light one


def of_value(name: str, value: Value | Absent) -> str:
    """One value, which opens to its parts."""
    return f'<div style="{STYLE}">{_Writer().part(name, value, DEEPEST)}</div>'


def of_values(values: Sequence[Named], title: str = "") -> str:
    """Values below each other, under a title that folds them."""
    inside = _Writer().parts(values)
    return f'<div style="{STYLE}">{_folded(title, inside, is_open=True) if title else inside}</div>'


def of_stack(title: str, frames: Iterable[tuple[str, Sequence[Named]]]) -> str:
    """A stack: each frame opens to its values, so many on the page in all."""
    writer = _Writer()
    inside = "".join(_folded(name, writer.parts(values), is_open=False) for name, values in frames)
    return f'<div style="{STYLE}">{_folded(title, inside, is_open=True)}</div>'


def of_lines(title: str, lines: Iterable[str]) -> str:
    """Plain text below a title."""
    inside = "".join(f"<div>{escape(line)}</div>" for line in lines)
    return f'<div style="{STYLE}">{f"<b>{escape(title)}</b>" if title else ""}{inside}</div>'


def _folded(title: str, inside: str, *, is_open: bool) -> str:
    if not inside:
        return f"<div>{escape(title)}</div>"
    shown = f'<div style="margin-left:1.5em">{inside}</div>'
    return f"<details{' open' if is_open else ''}><summary>{escape(title)}</summary>{shown}</details>"


class _Writer:
    def __init__(self) -> None:
        self._left = MOST_PARTS

    def parts(self, values: Sequence[Named]) -> str:
        shown = [self.part(name, value, DEEPEST) for name, value in values if self._left > 0]
        return "".join(shown) + ("<div>…</div>" if len(shown) < len(values) else "")

    def part(self, name: str, value: Value | Absent, depth: int) -> str:
        if isinstance(value, Absent):
            return self._line(name, f'<i title="{escape(value.remedy)}">{escape(str(value.reason))}</i>', None, 0)
        where = escape(value.location)
        type_ = f'<span style="{DIM}">{escape(value.type.name)}</span>'
        return self._line(
            name, f'<span title="{where}">{escape(value.format())}</span>  {type_}', value.children_, depth
        )

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
