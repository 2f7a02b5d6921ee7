"""XML, read with the lines that its elements stand in. Nothing outside the text counts: document types are refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

from stillframe.errors import StillframeError

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_BYTES = 16 << 20
MOST_ELEMENTS = 200_000
DEEPEST = 64


class DocumentError(StillframeError):
    """A text that is no XML, or XML of a kind that is not read. `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass
class Element:
    """An element, without the prefix of its namespace."""

    name: str
    attributes: dict[str, str]
    line: int
    texts: list[str] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own characters, without blanks around."""
        return "".join(self.texts).strip()

    def named(self, *names: str) -> Iterator[Element]:
        """Its children of these names."""
        return (child for child in self.children if child.name in names)

    def child(self, name: str) -> Element | None:
        """Its first child of this name."""
        return next(self.named(name), None)


class _Builder:
    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self._open: list[Element] = []
        self._left = MOST_ELEMENTS
        self.root: Element | None = None

    def _fail(self, reason: str) -> None:
        raise DocumentError(self.parser.CurrentLineNumber, reason)

    def _refuse(self, *_: object) -> None:
        self._fail("a document type; natvis files have none, and entities are not read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._left -= 1
        if self._left < 0 or len(self._open) >= DEEPEST:
            self._fail(f"more than {MOST_ELEMENTS:,} elements, or nested more than {DEEPEST} deep")
        local = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        element = Element(name.rpartition(":")[2], local, self.parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        elif self.root is None:
            self.root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        if self._open:
            self._open[-1].texts.append(text)


def read(data: bytes) -> Element:
    """The outermost element. :raises DocumentError:"""
    if len(data) > LARGEST_BYTES:
        raise DocumentError(1, f"larger than {LARGEST_BYTES >> 20} MB")
    builder = _Builder()
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise DocumentError(error.lineno, expat.ErrorString(error.code)) from error
    except (LookupError, ValueError) as error:  # an encoding that Python does not know, or that expat cannot use
        raise DocumentError(1, f"an encoding that cannot be read ({error})") from error
    if builder.root is None:
        raise DocumentError(1, "no element")
    return builder.root
