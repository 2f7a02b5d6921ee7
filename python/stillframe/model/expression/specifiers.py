"""Format specifiers, behind the last comma of an expression: `flags,x`, `name,s8`, `items,[count]`, `node,!`.

Source: Microsoft, "Format specifiers for C++ in the Visual Studio debugger"; WinDbg's `dx` has the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from stillframe.model.expression.syntax import Integer

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillframe.model.expression.cursor import Cursor
    from stillframe.model.expression.syntax import Node

MEANINGS = {
    "d": "decimal integer",
    "i": "decimal integer",
    "u": "decimal integer without sign",
    "o": "octal integer",
    "x": "hexadecimal integer",
    "h": "hexadecimal integer",
    "X": "hexadecimal integer with capital letters",
    "H": "hexadecimal integer with capital letters",
    "xb": "hexadecimal integer without 0x",
    "hb": "hexadecimal integer without 0x",
    "Xb": "hexadecimal integer with capital letters, without 0x",
    "Hb": "hexadecimal integer with capital letters, without 0x",
    "b": "binary integer",
    "bb": "binary integer without 0b",
    "c": "character",
    "f": "floating number",
    "e": "floating number with an exponent",
    "g": "floating number, whichever is shorter",
    "s": "text of char",
    "sb": "text of char, without quotation marks",
    "s8": "text in UTF-8",
    "s8b": "text in UTF-8, without quotation marks",
    "su": "text in UTF-16",
    "sub": "text in UTF-16, without quotation marks",
    "s32": "text in UTF-32",
    "s32b": "text in UTF-32, without quotation marks",
    "bstr": "text in UTF-16 of a BSTR",
    "en": "name of an enumeration's value",
    "hr": "HRESULT or Win32 error code",
    "hv": "pointer to something on the heap",
    "wm": "window message",
    "wc": "window class flag",
    "na": "no address of a pointer",
    "nd": "no derived class: as declared",
    "nvo": "numeric value only",
    "nr": "no item for the raw view",
    "!": "no visualizers: as it is in memory",
}
"""Every specifier, with its meaning. Besides: a count (`,10`, `,[expression]`) and `,view(name)`."""

_NAME = re.compile("|".join(sorted(map(re.escape, MEANINGS), key=len, reverse=True)))
_VIEW = re.compile(r"view\(\s*([\w-]{1,200})\s*\)")
_COUNT = re.compile(r"[0-9]{1,9}")


class Format(NamedTuple):
    """How a value is to be shown."""

    names: frozenset[str] = frozenset()
    """Keys of `MEANINGS`."""
    elements: Node | None = None
    """How many, of a pointer or an array."""
    view: str | None = None
    """Of a visualizer."""


PLAIN = Format()


def format_behind_comma(cursor: Cursor, expression: Callable[[Cursor], Node]) -> Format:
    """Reads the comma that stands here, and the specifiers behind it, to the end. They are no tokens of C++.

    :raises ExpressionError: if something else stands there.
    """
    text, offset = cursor.text, cursor.take().end
    names: set[str] = set()
    count, view = None, None
    while (offset := _without_blanks(text, offset)) < len(text):
        column = offset + 1
        if text[offset] == "[" and count is None:
            count, offset = _count(cursor, offset, expression)
        elif text[offset] == "," and (names or count or view):
            offset += 1
        elif (found := _VIEW.match(text, offset)) is not None:
            view, offset = found[1], found.end()
        elif (found := _COUNT.match(text, offset)) is not None and count is None:
            count, offset = Integer(column, int(found[0])), found.end()
        elif (found := _NAME.match(text, offset)) is not None:
            names.add(found[0])
            offset = found.end()
        else:
            cursor.fail(f"'{text[offset : offset + 20].split()[0]}' is no format specifier", column)
    if not (names or count or view):
        cursor.fail("a format specifier is missing", len(text) + 1)
    return Format(frozenset(names), count, view)


def _without_blanks(text: str, offset: int) -> int:
    while offset < len(text) and text[offset].isspace():
        offset += 1
    return offset


def _count(cursor: Cursor, offset: int, expression: Callable[[Cursor], Node]) -> tuple[Node, int]:
    at = next((index for index, token in enumerate(cursor.tokens) if token.column == offset + 1), None)
    if at is None:
        cursor.fail("this '[' is inside of something else", offset + 1)
    cursor.index = at
    opened = cursor.take()
    count = expression(cursor)
    return count, cursor.expect("]", opened).end
