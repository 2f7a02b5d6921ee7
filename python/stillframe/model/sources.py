"""Source files: found by the locator, checked against the checksum that the compiler recorded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stillframe.model.absent import Absent, Reason
from stillframe.model.check import Check, Refused
from stillframe.model.location import SourceText
from stillframe.model.locator import Outcome, SourceRequest

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe._engine import SourceFile
    from stillframe.model.location import SourceLocation
    from stillframe.model.locator import Locator

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

    def line(self, location: SourceLocation) -> str | Absent:
        """The text of one line, without its end."""
        source = self.text(location.file)
        if isinstance(source, Absent):
            return source
        text = source.line(location.line)
        return Absent.because(Reason.SOURCE_TOO_SHORT) if text is None else text

    def _find(self, file: SourceFile) -> SourceText | Absent:
        check = _SourceCheck(file)
        answer = self._locator.source(SourceRequest(file.path, check.verify))
        if (confirmed := check.confirm(answer)) is not None:
            path, data = confirmed
            if file.checksum is None:
                return SourceText(path, split_lines(data), "unverified", answer.tried)
            return SourceText(path, split_lines(data), "verified", answer.tried)
        if check.different is not None:
            path, data = check.different
            return SourceText(path, split_lines(data), "mismatch", answer.tried)
        return Absent.because(Reason.SOURCE_MISSING)


class _SourceCheck(Check[bytes]):
    """Checks candidates for one source file."""

    def __init__(self, file: SourceFile) -> None:
        super().__init__()
        self._file = file
        self.different: tuple[Path, bytes] | None = None
        """The first candidate with another checksum."""

    def examine(self, path: Path) -> bytes:
        try:
            if path.stat().st_size > LARGEST_SOURCE_BYTES:
                raise Refused(Outcome.UNREADABLE, "too large for a source file")
            data = path.read_bytes()
        except OSError as error:
            raise Refused.unreadable(error) from error
        kind, expected = self._file.checksum_kind, self._file.checksum
        if kind is not None and expected is not None:
            import hashlib  # slow to import, and not needed to open a dump

            found = hashlib.new(kind, data, usedforsecurity=False).digest()
            if found != expected:
                self.different = self.different or (path, data)
                raise Refused(Outcome.MISMATCH, f"expected {kind} {expected.hex()}, found {found.hex()}")
        return data


def split_lines(data: bytes) -> tuple[str, ...]:
    """Lines as compilers count them: `str.splitlines` also splits at form feeds and U+2028, which shifts the rest."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    lines = re.split(r"\r\n|\n|\r", text)
    return tuple(lines[:-1] if lines[-1] == "" else lines)
