"""Positions in source, and the text there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from stillframe.model.absent import Absent, Reason
from stillframe.model.names import base_name

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe._engine import SourceFile
    from stillframe._engine import SourceLocation as SourceLocationRecord
    from stillframe.model.locator import Attempt


NO_LINES = frozenset({0, 0xF00F00, 0xFEEFEE})
"""Line numbers that are marks and no lines: Microsoft's compiler gives 0xF00F00 ("always step into") and 0xFEEFEE
("never step into") to code of no statement, such as the glue of coroutines and `/RTC` checks; LLVM gives 0."""


class SourceLocation(NamedTuple):
    """A line of a source file, as the compiler recorded it."""

    file: SourceFile
    line: int
    """Counts from 1."""

    @classmethod
    def of(cls, record: SourceLocationRecord | None) -> SourceLocation | Absent:
        """The position that the engine gives, unless its line is no line."""
        if record is None or record.line in NO_LINES:
            return Absent.because(Reason.NO_LINE)
        return cls(record.file, record.line)

    @property
    def path(self) -> str:
        """The file's path in the spelling of the machine that built it."""
        return self.file.path

    @property
    def name(self) -> str:
        """The file's base name."""
        return base_name(self.file.path)

    def __str__(self) -> str:
        return f"{self.name}:{self.line}"


class SourceText(NamedTuple):
    """A source file that was found."""

    path: Path
    lines: tuple[str, ...]
    match: Literal["verified", "unverified", "mismatch"]
    """`verified`: the recorded checksum is equal; `unverified`: none is recorded; `mismatch`: it differs, so lines may
    be those of another version."""
    tried: tuple[Attempt, ...] = ()
    has_other_line_ends: bool = False
    """Verified, once its line ends were exchanged: it was compiled with CR LF and lies here with LF, or vice versa."""

    def line(self, number: int) -> str | None:
        """The line with this number (from 1) without its end, None past the end of the file."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else None


class SourceLine(NamedTuple):
    """A line of source, to be shown."""

    location: SourceLocation
    text: str | Absent
    """Without its end; absent if the file was not found or is shorter."""
    is_mismatch: bool
    """The file's checksum is not the recorded one: the text may be of another version."""

    def __str__(self) -> str:
        """The line, marked if it may be another version's; the position where there is no text."""
        if isinstance(self.text, Absent):
            return f"--- {self.location.path}:{self.location.line}"
        return f"{self.text}    [other version of {self.location}]" if self.is_mismatch else self.text
