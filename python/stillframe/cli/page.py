"""Lines of text for people: plain where they go to a file or a pipe, in colour on a terminal.

Names and texts come from files that nobody vouches for, so every control character is shown as an escape: a dump cannot
move the cursor, and a module's name cannot look like two lines.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDEST_COLUMN = 64
"""Characters; a longer cell does not move the column behind it in other rows."""
GAP = "  "

_UNPRINTABLE = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _UNPRINTABLE if code != 0x09}


def one_line(text: str) -> str:
    """`text` without anything that could leave its line or steer a terminal; tabs stay."""
    return text.translate(_ESCAPES)


class Styled(NamedTuple):
    """Text in a style of `rich`, such as `bold` or `yellow`."""

    text: str
    style: str

    def __len__(self) -> int:
        return len(self.text)


Part: TypeAlias = "str | Styled"


class Page:
    """Lines in the making."""

    def __init__(self) -> None:
        self._lines: list[tuple[Styled, ...]] = []

    def line(self, *parts: Part) -> None:
        """Adds a line of `parts`."""
        styled = (part if isinstance(part, Styled) else Styled(part, "") for part in parts)
        self._lines.append(tuple(Styled(one_line(part.text), part.style) for part in styled))

    def blank(self) -> None:
        """Adds an empty line, unless the page is empty or ends with one."""
        if self._lines and self._lines[-1]:
            self._lines.append(())

    def extend(self, other: Page) -> None:
        """Adds the lines of another page."""
        self._lines += other._lines

    def table(self, rows: Sequence[Sequence[Part]], *, right: frozenset[int] = frozenset(), indent: str = "") -> None:
        """Adds rows with aligned columns; the columns in `right` are flush right. All rows have as many cells."""
        columns = list(zip(*rows, strict=True))
        widths = [max((len(cell) for cell in column if len(cell) <= WIDEST_COLUMN), default=0) for column in columns]
        used = [any(len(cell) for cell in column) for column in columns]
        for row in rows:
            last = max((index for index, cell in enumerate(row) if len(cell)), default=0)
            parts: list[Part] = [indent] if indent else []
            for index, cell in enumerate(row[: last + 1]):
                if used[index]:
                    padding = " " * (widths[index] - len(cell))
                    gap = GAP if index < last else ""
                    parts += (padding, cell, gap) if index in right else (cell, padding * (index < last), gap)
            self.line(*parts)

    def screens(self, columns: int, rows: int) -> list[Page]:
        """The page in parts that fit a terminal, on which long lines take several rows. A line is never parted."""
        screens, left = [Page()], rows
        for line in self._lines:
            needed = max(-(-sum(len(part) for part in line) // max(columns, 1)), 1)
            if needed > left and screens[-1]._lines:
                screens.append(Page())
                left = rows
            screens[-1]._lines.append(line)
            left -= needed
        return screens

    def __str__(self) -> str:
        return "".join("".join(part.text for part in line) + "\n" for line in self._lines)

    def show(self) -> None:
        """Writes the page to standard output."""
        if not _wants_colour():
            write(str(self))
            return
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False, markup=False, emoji=False)
        for line in self._lines:
            text = Text(no_wrap=True)
            for part in line:
                text.append(part.text, part.style or None)
            console.print(text, soft_wrap=True)


def write(text: str) -> None:
    """Writes to standard output; what its encoding does not have is escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def _wants_colour() -> bool:
    """Colour goes to terminals only, and not where `NO_COLOR` (no-color.org) is set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
