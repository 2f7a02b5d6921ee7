"""Things of `dx` as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe import Absent, Value
from stillframe.cli import schema
from stillframe.cli.page import Styled
from stillframe.errors import StillframeError
from stillframe.model.expression.formatting import FormattedValue
from stillframe.repl.dx.things import Number, Object, Remark, Row, Rows, Thing, attempt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe import Dump
    from stillframe.cli.page import Page
    from stillframe.model.expression.specifiers import Format
    from stillframe.model.natvis.child import Child

LINE_LENGTH = 200
"""Characters of one element."""
ROOT_LENGTH = 2000
MOST_ROWS = 100
"""Shown of one list."""
MOST_LINES = 2000
"""Shown at all."""
WIDEST_NAME = 32


class Shown(NamedTuple):
    """Where something is cut off."""

    rows: list[Row]
    is_cut: bool


class Presentation:
    """One answer in the making; counts what it has shown."""

    def __init__(self, dump: Dump, format_: Format, count: int | None) -> None:
        """:param count: of elements, where the specifier says so."""
        self._dump = dump
        self._format = format_
        self._most_rows = MOST_ROWS if count is None else count
        self._left = MOST_LINES

    # --- text ---------------------------------------------------------------------------------------------------------

    def add(self, page: Page, thing: Thing, depth: int) -> None:
        """The thing, and below it what it opens to, so many levels."""
        if isinstance(thing, Value):
            where = f"  {thing.location}" if thing.location else ""
            type_ = Styled(f"({thing.type.name}) ", "dim")
            page.line(type_, line(self._formatted(thing), ROOT_LENGTH), Styled(where, "dim"))
        elif not isinstance(thing, Rows) or depth <= 0:
            page.line(line(self._formatted(thing), ROOT_LENGTH))
        self._add_rows(page, thing, depth, "    ")

    def _add_rows(self, page: Page, thing: Thing, depth: int, indent: str) -> None:
        if depth <= 0:
            return
        shown = self._rows(thing)
        width = max((len(row.name) for row in shown.rows if len(row.name) <= WIDEST_NAME), default=0)
        for row in shown.rows:
            self._left -= 1
            if self._left < 0:
                return
            style = "yellow" if isinstance(row.thing, Remark | Absent) else ""
            text = Styled(line(self._formatted(row.thing)), style)
            page.line(indent, Styled(f"{row.name:<{width}}", "bold"), "  " if row.name else "", text)
            if depth > 1 and not isinstance(row.thing, str):
                try:
                    self._add_rows(page, row.thing, depth - 1, indent + "    ")
                except StillframeError as error:
                    page.line(indent, "    ", Styled(f"<{error}>", "yellow"))
        if shown.is_cut:
            page.line(indent, Styled(f"… the first {len(shown.rows):,}; .Skip({len(shown.rows)}) shows more", "dim"))
        if self._left == 0:
            page.line(indent, Styled(f"… at most {MOST_LINES:,} lines", "dim"))

    def _rows(self, thing: Thing) -> Shown:
        """What it opens to, so far as that is shown. What goes wrong on the way is a remark.

        :raises StillframeError: if all of it is wrong: a mistake in a lambda, most of the time.
        """
        rows: list[Row] = []
        try:
            for row in self._all_rows(thing):
                if len(rows) == self._most_rows:
                    return Shown(rows, is_cut=True)
                rows.append(row)
        except StillframeError as error:
            if not rows:
                raise
            rows.append(Row("", Remark(error.message)))
        return Shown(rows, is_cut=False)

    def _all_rows(self, thing: Thing) -> Iterator[Row]:
        match thing:
            case Rows():
                return thing.iterate()
            case Object():
                return (Row(name, attempt(make)) for name, make in thing.members.items())
            case Value() if thing.absent is None or thing.type.resolved.kind == "array":
                return (Row(each.name, _of_child(each)) for each in thing.children_())
            case _:
                return iter(())

    def _formatted(self, thing: Thing) -> Thing:
        """As the specifiers behind the expression want it."""
        if isinstance(thing, Value) and (self._format.names or self._format.view):
            return FormattedValue(thing, self._format)
        if isinstance(thing, int) and not isinstance(thing, bool) and self._format.names:
            return Number(thing) if self._format.names & {"x", "h", "X", "H"} else int(thing)
        return thing

    # --- JSON ---------------------------------------------------------------------------------------------------------

    def data(self, thing: Thing, depth: int) -> dict[str, object]:
        """As JSON has it; described in docs/json.md."""
        known: dict[str, object] = {"value": line(self._formatted(thing), ROOT_LENGTH)}
        if isinstance(thing, Value):
            absent = thing.absent
            known |= {
                "value": None if absent is not None else known["value"],
                "type": thing.type.name,
                "place": thing.location or None,
                "address": None if thing.address is None else schema.hex_text(self._dump, thing.address),
                "absent": schema.absence(absent),
            }
        elif isinstance(thing, Absent):
            known |= {"value": None, "absent": schema.absence(thing)}
        if depth > 0 and not isinstance(thing, str):
            shown = self._rows(thing)
            known["children"] = [{"name": row.name, **self._inner(row.thing, depth - 1)} for row in shown.rows]
            known["is_cut"] = shown.is_cut
        return known

    def _inner(self, thing: Thing, depth: int) -> dict[str, object]:
        try:
            return self.data(thing, depth)
        except StillframeError as error:
            return {**self.data(thing, 0), "problem": error.message}


def _of_child(child: Child) -> Thing:
    if child.value is None:
        return Remark(child.text) if child.is_remark else child.text
    return child.value


def line(thing: Thing, length: int = LINE_LENGTH) -> str:  # noqa: PLR0911 - a table of the kinds
    """One line."""
    match thing:
        case Value():
            return thing.format(depth=2, length=length)
        case Object():
            return thing.text or "{…}"
        case Rows():
            return thing.text or "[…]"
        case Remark():
            return thing.text if thing.text.startswith("<") else f"<{thing.text}>"
        case Absent():
            return f"<{thing.reason}>"
        case Number():
            return f"{thing:#x}"
        case bool():
            return "true" if thing else "false"
        case _:
            text = str(thing)
            return text if len(text) <= length else text[: length - 1] + "…"
