"""Values as their format specifiers want them shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stillframe.errors import StillframeError, TooManyElements
from stillframe.model.absent import Absent
from stillframe.model.value import numbers, strings
from stillframe.model.value.text import Style
from stillframe.model.value.value import Value

if TYPE_CHECKING:
    from stillframe.model.expression.specifiers import Format
    from stillframe.model.typing.type import Type

MOST_ELEMENTS = 1 << 24
"""Of an array that a specifier makes of a pointer. What is read are the few that are shown."""
_RADIX = {**dict.fromkeys("xhXH", 16), **dict.fromkeys(("xb", "hb", "Xb", "Hb"), 16), "o": 8, "b": 2, "bb": 2}
_DIGITS = {16: "x", 8: "o", 2: "b", 10: "d"}
_PREFIXES = {16: "0x", 8: "0", 2: "0b", 10: ""}
_TEXT_BYTES = {"s": 1, "sb": 1, "s8": 1, "s8b": 1, "su": 2, "sub": 2, "bstr": 2, "s32": 4, "s32b": 4}
_FLOATS = {"f": "f", "e": "e", "g": "g"}
_ADDRESS = re.compile(r"0x[0-9a-f]+ (?=.)")
_INTEGERS = frozenset({"base", "enum", "pointer"})


class FormattedValue(Value):
    """A value that is shown as the specifiers behind its expression say; in everything else a value like any other."""

    __slots__ = ("specifiers_",)

    def __init__(self, value: Value, specifiers: Format) -> None:
        super().__init__(value.process_, value.type, value.place_, value._bits)
        self.specifiers_ = specifiers
        """Behind the expression that it is the value of."""

    def format(self, style: Style | None = None, *, depth: int | None = None, length: int | None = None) -> str:
        """See `Value.format`."""
        style = style or Style()
        style = style._replace(depth=style.depth if depth is None else depth)
        return shown(self, self.specifiers_, style._replace(length=style.length if length is None else length))


def array_of(value: Value, count: int) -> Value:
    """The first `count` elements of an array, or of what a pointer points to.

    :raises OperationError: if it is neither, or (`TooManyElements`) the count makes no sense.
    :raises Unreadable: if the pointer is absent.
    """
    if not 0 <= count <= MOST_ELEMENTS:
        raise TooManyElements(f"{count:,} elements are not shown; at most {MOST_ELEMENTS:,} are")
    first = value.element_(0)
    return first.located_(first.type.array(count), first.place_)


def shown(value: Value, format_: Format, style: Style) -> str:
    """The value in one line. Never fails, as `Value.format`."""
    names = format_.names
    radix = next((_RADIX[name] for name in sorted(names) if name in _RADIX), None)
    style = style._replace(radix=radix or style.radix, view=format_.view)
    if "!" in names:
        style = style._replace(summarize=None)
    try:
        text = _special(value, names, style)
    except StillframeError as error:
        return f"<{error}>"
    if text is None:
        text = Value.format(value, style)
        if "na" in names:
            text = _ADDRESS.sub("", text, count=1) if _ADDRESS.match(text) else text
    return text if len(text) <= style.length else text[: max(style.length - 1, 0)] + "…"


def _special(value: Value, names: frozenset[str], style: Style) -> str | None:
    """What no style can say; None if the usual text will do."""
    type_ = _plain(value.type)
    for name, size in _TEXT_BYTES.items():
        if name in names and type_.kind in {"pointer", "array"}:
            return _text(value, size, name, style.length)
    if type_.kind not in _INTEGERS:
        return None
    if numbers.is_float(type_):
        form = next((_FLOATS[name] for name in sorted(names) if name in _FLOATS), None)
        return None if form is None else format(float(value.number_()), form)
    return _number(value, type_, names)


def _number(value: Value, type_: Type, names: frozenset[str]) -> str | None:
    number, size = int(value.number_()), len(value.data_())
    pattern = number & ((1 << 8 * size) - 1)
    if "c" in names and type_.kind == "base":
        return f"{number} {strings.quoted(chr(pattern) if pattern < 0x110000 else '?', chr(39))}"
    if names & {"hr", "wm", "wc"}:
        return f"0x{pattern:0{2 * size}x}"
    radix_name = next((name for name in sorted(names) if name in _RADIX), None)
    if radix_name is not None and type_.kind != "pointer":
        return _in_radix(pattern, size, radix_name)
    if names & {"d", "i", "nvo"}:
        return str(number)
    if "u" in names:
        return str(pattern)
    return None


def _in_radix(pattern: int, size: int, name: str) -> str:
    radix = _RADIX[name]
    width = {16: 2 * size, 2: 8 * size}.get(radix, 0)
    digits = f"{pattern:0{width}{_DIGITS[radix]}}"
    has_prefix = name in {"x", "h", "X", "H", "o", "b"}
    return (_PREFIXES[radix] if has_prefix else "") + (digits.upper() if name[0] in "XH" else digits)


def _text(value: Value, size: int, name: str, length: int) -> str | None:
    """Characters behind a pointer or in an array, whatever their declared type."""
    type_ = _plain(value.type)
    if type_.kind == "pointer" and not int(value.number_()):
        return "nullptr"
    limit, is_bounded = max(length, 8), False
    if type_.kind == "array":
        bytes_ = type_.size_bytes
        if not isinstance(bytes_, Absent):
            limit, is_bounded = min(limit, bytes_ // size), bytes_ // size <= limit
        first = value
    else:
        first = value.object_at_(value.type.types.void, int(value.number_()))
    found = strings.text_at(first.place_, size, limit, is_bounded=is_bounded)
    if found.missing is not None and not found.characters:
        return f"<{found.missing.absent.reason}>"
    quoted = found.plain() if name.endswith("b") and name != "b" else strings.quoted(found.characters)
    return quoted + ("…" if found.is_cut or found.missing is not None else "")


def _plain(type_: Type) -> Type:
    resolved = type_.resolved
    if resolved.kind in {"reference", "rvalue_reference"} and resolved.target is not None:
        return resolved.target.resolved
    return resolved
