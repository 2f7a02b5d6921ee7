"""Source files: found by the locator, checked against the checksum that the compiler recorded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from stillframe.model.absent import Absent, Reason
from stillframe.model.check import Check, Refused
from stillframe.model.location import SourceLine, SourceText
from stillframe.model.locator import Outcome, SourceRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stillframe._engine import SourceFile
    from stillframe.model.location import SourceLocation
    from stillframe.model.locator import Locator

UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
LARGEST_SOURCE_BYTES = 64 << 20
"""A larger file is not taken for source."""


class Sources:
    """The source files of one dump, each looked for once."""

    def __init__(self, locator: Locator) -> None:
        self._locator = locator
        self._texts: dict[tuple[str, bytes | None], SourceText | Absent] = {}

    def text(self, file: SourceFile) -> SourceText | Absent:
        """The text of `file`. A file whose checksum differs is used only if no other is found, and is marked."""
        key = (file.path, file.checksum)
        if key not in self._texts:
            self._texts[key] = self._find(file)
        return self._texts[key]

    def line(self, location: SourceLocation) -> SourceLine:
        """The text of one line, marked if it may be another version's."""
        source = self.text(location.file)
        if isinstance(source, Absent):
            return SourceLine(location, source, is_mismatch=False)
        text = source.line(location.line)
        shown = Absent.because(Reason.SOURCE_TOO_SHORT) if text is None else text
        return SourceLine(location, shown, source.match == "mismatch")

    def forget(self) -> None:
        """Looks for all files again: there are other places now."""
        self._texts.clear()

    def _find(self, file: SourceFile) -> SourceText | Absent:
        check = _SourceCheck(file)
        answer = self._locator.source(SourceRequest(file.path, check.verify))
        if (confirmed := check.confirm(answer)) is not None:
            path, (data, has_other_line_ends) = confirmed
            match: Literal["verified", "unverified"] = "unverified" if file.checksum is None else "verified"
            return SourceText(path, split_lines(data), match, answer.tried, has_other_line_ends)
        if check.different is not None:
            path, data = check.different
            return SourceText(path, split_lines(data), "mismatch", answer.tried)
        return Absent.because(Reason.SOURCE_MISSING)


class _Accepted(NamedTuple):
    """The content of a file."""

    data: bytes
    has_other_line_ends: bool


class _SourceCheck(Check[_Accepted]):
    """Checks candidates for one source file.

    Folklore: git on Windows checks files out with CR LF, and compilers take the checksum of that; in a tree on Linux
    the same files have LF. So the text with the other line ends is as good.
    """

    def __init__(self, file: SourceFile) -> None:
        super().__init__()
        self._file = file
        self.different: tuple[Path, bytes] | None = None
        """The first candidate with another checksum."""

    def examine(self, path: Path) -> _Accepted:
        try:
            if path.stat().st_size > LARGEST_SOURCE_BYTES:
                raise Refused(Outcome.UNREADABLE, "too large for a source file")
            data = path.read_bytes()
        except OSError as error:
            raise Refused.unreadable(error) from error
        kind, expected = self._file.checksum_kind, self._file.checksum
        if kind is not None and expected is not None:
            import hashlib  # slow to import, and not needed to open a dump

            found = [hashlib.new(kind, text, usedforsecurity=False).digest() for text in _with_line_ends(data)]
            if expected in found:
                return _Accepted(data, found[0] != expected)
            if not _is_text(data):
                raise Refused(Outcome.MISMATCH, "no text")
            self.different = self.different or (path, data)
            raise Refused(Outcome.MISMATCH, f"expected {kind} {expected.hex()}, found {found[0].hex()}")
        if not _is_text(data):
            raise Refused(Outcome.UNREADABLE, "no text")
        return _Accepted(data, has_other_line_ends=False)


def _with_line_ends(data: bytes) -> Iterator[bytes]:
    """As it is, with LF, with CR LF."""
    yield data
    with_line_feeds = data.replace(b"\r\n", b"\n")
    yield with_line_feeds
    yield with_line_feeds.replace(b"\n", b"\r\n")


def _is_text(data: bytes) -> bool:
    return data.startswith(UTF_16_MARKS) or b"\0" not in data


def split_lines(data: bytes) -> tuple[str, ...]:
    """Lines as compilers count them: `str.splitlines` also splits at form feeds and U+2028, which shifts the rest."""
    if data.startswith(UTF_16_MARKS):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    lines = re.split(r"\r\n|\n|\r", text)
    return tuple(lines[:-1] if lines[-1] == "" else lines)
