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
    """A wanted image."""

    path: str
    """As recorded in the dump."""
    key: str | None
    """Folder name in a symbol store: of PE images TimeDateStamp `%08X`, SizeOfImage `%x`; of ELF `elf-buildid-…`."""
    verify: Callable[[Path], Attempt]
    """Opens and proves a candidate. Never raises; the outcome is `ACCEPTED`, `MISMATCH` or `UNREADABLE`."""
    build_id: bytes | None = None
    """Of ELF images."""


class DebugFileRequest(NamedTuple):
    """A wanted file of debug information."""

    paths: tuple[str, ...]
    """As recorded in the dump and in the image. Of a PDB, the base name of the first is its name; of ELF files, each
    base name is a possible one."""
    key: str
    """Folder name in a symbol store: of PDBs GUID as 32 hex digits, age `%x`; of ELF `elf-buildid-sym-…`."""
    image: Path | None
    """The module's image, if it was found."""
    verify: Callable[[Path], Attempt]
    build_id: bytes | None = None
    """Of ELF files."""
    store_file: str | None = None
    """The name of the file in a symbol store, where that is not its name elsewhere."""
    store_folder: str | None = None
    """The outer folder in a symbol store, where that is not the name of the file there."""
    inner: tuple[str, ...] = ()
    """Where the name is that of a bundle: the path of the file in it."""


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
