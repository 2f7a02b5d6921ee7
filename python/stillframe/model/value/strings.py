r"""Text in memory: characters of 1, 2 or 4 bytes, up to a zero or a limit.

Bytes are taken for UTF-8; those that are none stay visible, as `\xff`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.model.absent import Absent, Reason
from stillframe.model.value.location import InMemory, Location, Missing

if TYPE_CHECKING:
    from stillframe.model.typing.type import Type

ENCODINGS = {1: "utf-8", 2: "utf-16-le", 4: "utf-32-le"}
PREFIXES = {"wchar_t": "L", "char16_t": "u", "char32_t": "U", "char8_t": "u8"}
LONGEST_READ = 1 << 16
"""Characters of text that ends with a zero, where no other limit is given."""
ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\\": "\\\\", "\a": "\\a", "\b": "\\b"}
ESCAPES |= {"\f": "\\f", "\v": "\\v"}


class Text(NamedTuple):
    """Text as far as it was read."""

    characters: str
    """Bytes that are no UTF-8 as lone surrogates (`surrogateescape`)."""
    is_cut: bool
    """The limit came before the end."""
    missing: Missing | None
    """Why the rest is not there."""

    def plain(self) -> str:
        """The characters; what is no text as an escape."""
        return "".join(_escaped_surrogate(each) if 0xD800 <= ord(each) < 0xE000 else each for each in self.characters)


def character_bytes(type_: Type | None) -> int | None:
    """Bytes of a character, if the type is one that text consists of: not `signed char` and `unsigned char`."""
    if type_ is None:
        return None
    resolved = type_.resolved
    size = resolved.size_bytes
    is_character = resolved.encoding == "unicode" or (
        resolved.encoding in {"signed_character", "unsigned_character"} and resolved.tag == "char"
    )
    return size if is_character and not isinstance(size, Absent) and size in ENCODINGS else None


def prefix_of(type_: Type) -> str:
    """What stands before a literal of these characters: `L`, `u`, `U`, `u8` or nothing."""
    resolved = type_.resolved
    default = {2: "u", 4: "U"}.get(character_bytes(type_) or 1, "")
    return PREFIXES.get(resolved.tag, default if resolved.encoding == "unicode" else "")


def text_at(location: Location, size: int, limit: int, *, is_bounded: bool) -> Text:
    """Characters of `size` bytes, up to a zero.

    `is_bounded`: there are `limit` characters, of which the zero may be none, as in an array.
    """
    data, missing = _available(location, limit * size)
    end = next((at for at in range(0, len(data) - size + 1, size) if not any(data[at : at + size])), None)
    if end is not None:
        return Text(_decoded(data[:end], size), is_cut=False, missing=None)
    is_cut = missing is None and not is_bounded
    whole = len(data) // size * size
    return Text(_decoded(_without_half(data[:whole]) if size == 1 else data[:whole], size), is_cut, missing)


def _available(location: Location, size: int) -> tuple[bytes, Missing | None]:
    if isinstance(location, InMemory):
        part = location.memory.read_partial(location.address, size)
        at = location.address + len(part.data)
        return part.data, None if part.absent is None else Missing(part.absent, at)
    data = location.read(size)
    return (b"", data) if isinstance(data, Missing) else (data, None)


def _decoded(data: bytes, size: int) -> str:
    if size == 1:
        return data.decode("utf-8", "surrogateescape")
    if size == 2:
        return data.decode("utf-16-le", "surrogatepass")
    codes = (int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4))
    return "".join(chr(code) if code < 0x110000 else "\ufffd" for code in codes)


def _without_half(data: bytes) -> bytes:
    """Without a last character of UTF-8 that the limit cut in two."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return data[:-back] if length > back else data
    return data


def quoted(text: str, quote: str = '"') -> str:
    r"""A literal: `"Hello World!\n"`."""
    return quote + "".join(_escaped(character, quote) for character in text) + quote


def _escaped(character: str, quote: str) -> str:
    if character == quote:
        return f"\\{quote}"
    if character in ESCAPES:
        return ESCAPES[character]
    code = ord(character)
    if 0xD800 <= code < 0xE000:
        return _escaped_surrogate(character)
    if character.isprintable():
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escaped_surrogate(character: str) -> str:
    code = ord(character)
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code < 0xDD00 else f"\\u{code:04x}"


NOT_ENDED = Missing(Absent.because(Reason.VALUE_TOO_LARGE))
"""Of text without an end."""
