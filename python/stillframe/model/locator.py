"""The protocol by which the model asks for files. The model never searches for a file itself.

A request says what is wanted and can check a candidate (`verify`). A locator looks through its places in order, checks
each candidate, returns the first that is accepted, and keeps a record of every place that it tried.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Outcome(StrEnum):
    """What came of a place that was tried."""

    ACCEPTED = "matches"
    MISMATCH = "does not match"
    UNREADABLE = "cannot be read"
    NOT_THERE = "no such file"
    NOT_FOLLOWED = "not followed"


class Attempt(NamedTuple):
    """One place that was tried: a line of what Visual Studio calls "Symbol Load Information"."""

    place: str
    """The path, as tried."""
    outcome: Outcome
    detail: str = ""
    """What was expected and what was found, or why it could not be read."""

    def __str__(self) -> str:
        return f"{self.place}: {self.outcome}" + (f" ({self.detail})" if self.detail else "")


class Found(NamedTuple):
    """A file that the request accepted."""

    path: Path
    tried: tuple[Attempt, ...] = ()
    """Every place that was tried, the accepted one last."""


class NotFound(NamedTuple):
    """No place had a file that the request accepts."""

    tried: tuple[Attempt, ...] = ()


class ImageRequest(NamedTuple):
    """A wanted PE image."""

    path: str
    """As recorded in the dump."""
    time_date_stamp: int
    size_bytes: int
    """SizeOfImage."""
    verify: Callable[[Path], Attempt]
    """Opens and proves a candidate. Never raises; the outcome is `ACCEPTED`, `MISMATCH` or `UNREADABLE`."""

    @property
    def key(self) -> str:
        """Folder name in a symbol store: TimeDateStamp `%08X`, SizeOfImage `%x`."""
        return f"{self.time_date_stamp:08X}{self.size_bytes:x}"


class DebugFileRequest(NamedTuple):
    """A wanted PDB."""

    paths: tuple[str, ...]
    """As recorded in the dump and in the image; the base name of the first is the PDB's name."""
    key: str
    """Folder name in a symbol store: GUID as 32 hex digits, age `%x`."""
    image: Path | None
    """The module's image, if it was found."""
    verify: Callable[[Path], Attempt]


class SourceRequest(NamedTuple):
    """A wanted source file."""

    path: str
    """As the compiler recorded it."""
    verify: Callable[[Path], Attempt]
    """Compares the checksum; without a recorded checksum any readable file is accepted."""


@runtime_checkable
class Locator(Protocol):
    """Finds files. `stillframe.symbols.locate.DirectoryLocator` is the usual one; a test may use any object like it."""

    def image(self, request: ImageRequest) -> Found | NotFound:
        """The image of a module."""

    def debug_file(self, request: DebugFileRequest) -> Found | NotFound:
        """The PDB of a module."""

    def source(self, request: SourceRequest) -> Found | NotFound:
        """A source file."""
