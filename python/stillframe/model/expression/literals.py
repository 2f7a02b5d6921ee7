"""Literals: numbers, characters, strings (C++17 [lex.literal]; Microsoft's `i64`; WinDbg's `0n10` and backquotes)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from stillframe.model.expression.syntax import Character, Float, Integer, Node, String

if TYPE_CHECKING:
    from stillframe.model.expression.syntax import Encoding

LONGEST_DIGITS = 400
"""Characters of a number. The longest with a meaning is a `double` written out, 309 digits before the point."""


class BadLiteral(Exception):  # noqa: N818 - the lexer's own; becomes an error token
    """What is wrong, and how many characters into the literal."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


_INTEGER = re.compile(
    r"(?:0[xX](?P<hex>[0-9a-fA-F'`]+)|0[bBy](?P<binary>[01']+)|0n(?P<decimal_>[0-9]+)|0t(?P<octal_>[0-7]+)"
    r"|(?P<octal>0[0-7']*)|(?P<decimal>[1-9][0-9']*))(?P<suffix>[A-Za-z_]\w*)?"
)
_BASES = {"hex": 16, "binary": 2, "decimal_": 10, "octal_": 8, "octal": 8, "decimal": 10}
_FLOAT = re.compile(
    r"(?P<digits>0[xX][0-9a-fA-F'.]*[pP][+-]?[0-9]+|[0-9'.]+(?:[eE][+-]?[0-9]+)?)"
    r"(?P<suffix>[A-Za-z_]\w*)?"
)
_SUFFIX = re.compile(r"(?P<u>u?)(?:(?P<long>l|ll|z|i64|i32|i16|i8)?)(?P<u2>u?)", re.IGNORECASE)
_LONGS = {"": 0, "l": 1, "ll": 2, "z": 2, "i64": 2, "i32": 0, "i16": 0, "i8": 0}
_FLOAT_TYPES: dict[str, Literal["float", "double", "long double"]] = {"": "double", "f": "float", "l": "long double"}


def number(text: str, column: int) -> Node:
    """:raises BadLiteral:"""
    if len(text) > LONGEST_DIGITS:
        raise BadLiteral(f"a number of {len(text):,} characters is larger than any type holds")
    found = _FLOAT.fullmatch(text)
    if found is not None and not found["digits"].replace("'", "").isdigit():
        return _float(found, column)
    found = _INTEGER.fullmatch(text)
    if found is not None:
        return _integer(found, column)
    raise BadLiteral(f"{text} is no number")


def _integer(found: re.Match[str], column: int) -> Integer:
    group = next(name for name in _BASES if found[name] is not None)
    value = int(found[group].replace("'", "").replace("`", ""), _BASES[group])
    if value >= 1 << 64:
        raise BadLiteral(f"{found.group()} is larger than 64 bits")
    spelled = found["suffix"] or ""
    suffix = _SUFFIX.fullmatch(spelled)
    if suffix is None or (suffix["u"] and suffix["u2"]):
        raise BadLiteral(f"{spelled} is no suffix of an integer", found.start("suffix"))
    longs = _LONGS[(suffix["long"] or "").lower()]
    return Integer(column, value, group.startswith("decimal"), bool(suffix["u"] or suffix["u2"]), longs)


def _float(found: re.Match[str], column: int) -> Float:
    suffix = (found["suffix"] or "").lower()
    if suffix not in _FLOAT_TYPES:
        raise BadLiteral(f"{found['suffix']} is no suffix of a floating number", found.start("suffix"))
    digits = found["digits"].replace("'", "")
    try:
        value = float.fromhex(digits) if digits[:2].lower() == "0x" else float(digits)
    except (ValueError, OverflowError):
        raise BadLiteral(f"{found.group()} is no number") from None
    return Float(column, value, _FLOAT_TYPES[suffix])


# --- characters and strings -----------------------------------------------------------------------------------------

_PREFIXES: dict[str, Encoding] = {"": "char", "u8": "char8_t", "u": "char16_t", "U": "char32_t", "L": "wchar_t"}
_SIMPLE = {"n": 10, "t": 9, "r": 13, "a": 7, "b": 8, "f": 12, "v": 11, "\\": 92, "'": 39, '"': 34, "?": 63}
_ESCAPE = re.compile(
    r"\\(?:x(?P<hex>[0-9a-fA-F]+)|(?P<octal>[0-7]{1,3})"
    r"|u(?P<u4>[0-9a-fA-F]{4})|U(?P<u8>[0-9a-fA-F]{8}))"
)
_UNIT_BITS: dict[Encoding, int] = {"char": 8, "char8_t": 8, "char16_t": 16, "char32_t": 32, "wchar_t": 32}


def string(text: str, column: int) -> String:
    """:raises BadLiteral:"""
    encoding, units = _units(text, '"')
    return String(column, units, encoding)


def character(text: str, column: int) -> Character:
    """:raises BadLiteral:"""
    encoding, units = _units(text, "'")
    if len(units) == 1:
        value = units[0]
        is_negative = encoding == "char" and value > 127  # plain `char` is signed wherever we read dumps but on ARM
        return Character(column, value - 256 if is_negative else value, encoding)
    if encoding != "char" or len(units) > 4:
        raise BadLiteral("more than one character")
    # Several characters: the first becomes the highest byte, as all three compilers do it ([lex.ccon] leaves it open).
    value = int.from_bytes(bytes(units), "big")
    return Character(column, value - (1 << 32) if value >> 31 else value, "int")


def _units(text: str, quote: str) -> tuple[Encoding, tuple[int, ...]]:
    prefix, _, rest = text.partition(quote)
    encoding = _PREFIXES[prefix]
    body = rest[:-1]
    units: list[int] = []
    index = 0
    while index < len(body):
        if body[index] != "\\":
            units += _encoded(body[index], encoding)
            index += 1
            continue
        offset = len(prefix) + 1 + index
        escape = _ESCAPE.match(body, index)
        if escape is None:
            simple = _SIMPLE.get(body[index + 1])
            if simple is None:
                raise BadLiteral(f"\\{body[index + 1]} is no escape sequence", offset)
            units.append(simple)
            index += 2
            continue
        units += _escaped(escape, encoding, offset)
        index = escape.end()
    return encoding, tuple(units)


def _escaped(escape: re.Match[str], encoding: Encoding, offset: int) -> list[int]:
    if (digits := escape["u4"] or escape["u8"]) is not None:
        code_point = int(digits, 16)
        if code_point > 0x10FFFF or 0xD800 <= code_point < 0xE000:
            raise BadLiteral(f"U+{code_point:04X} is no character", offset)
        return _encoded(chr(code_point), encoding)
    value = int(escape["hex"], 16) if escape["hex"] is not None else int(escape["octal"], 8)
    if value >= 1 << _UNIT_BITS[encoding]:
        raise BadLiteral(f"{escape.group()} is too large for a {encoding}", offset)
    return [value]


def _encoded(character: str, encoding: Encoding) -> list[int]:
    if encoding in {"char", "char8_t"}:
        return list(character.encode("utf-8", "surrogatepass"))
    if encoding == "char16_t":
        data = character.encode("utf-16-le", "surrogatepass")
        return [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]
    return [ord(character)]
