"""What is known of a module's image and of its debug information: not asked, found, missing or rejected.

An image may also be captured: held by the dump itself. All have `state` (which type checkers take for the class),
`tried` (every place with its outcome) and `absent` (None where the file was found).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe._engine import DebugFile, DifferingRange, ImageFile, Proof
    from stillframe.model.absent import Absent
    from stillframe.model.locator import Attempt


class NotAsked(NamedTuple):
    """No question has needed the file yet, so nobody looked for it."""

    absent: Absent
    tried: tuple[Attempt, ...] = ()

    @property
    def state(self) -> Literal["not_asked"]:
        """Which of the cases this is."""
        return "not_asked"

    def __str__(self) -> str:
        return "not looked for"


class Missing(NamedTuple):
    """No place had the file, or there is nothing to look for; `absent` says which, and what would help."""

    absent: Absent
    tried: tuple[Attempt, ...] = ()

    @property
    def state(self) -> Literal["missing"]:
        """Which of the cases this is."""
        return "missing"

    def __str__(self) -> str:
        return str(self.absent)


class Rejected(NamedTuple):
    """Only files that do not match were found. This describes the one that came nearest; `tried` names all."""

    absent: Absent
    where: Path
    expected: str
    """The key that the dump asks for, or `equal bytes`."""
    found: str
    """The key that the file has, or what differs."""
    differing: tuple[DifferingRange, ...] = ()
    """Images: ranges in which the dump and the file differ though the key matches; the first 64."""
    tried: tuple[Attempt, ...] = ()

    @property
    def state(self) -> Literal["rejected"]:
        """Which of the cases this is."""
        return "rejected"

    def __str__(self) -> str:
        return f"{self.where} does not match: expected {self.expected}, found {self.found}"


class ImageFound(NamedTuple):
    """An image whose key matches and that differs in no byte which the dump also holds."""

    path: Path
    file: ImageFile
    proof: Proof
    tried: tuple[Attempt, ...] = ()
    absent: None = None

    @property
    def state(self) -> Literal["found"]:
        """Which of the cases this is."""
        return "found"

    @property
    def proved_by(self) -> str:
        """What the proof rests on, in words."""
        keys = self.proof.key_name
        if self.proof.compared_bytes == 0:
            return f"proved by {keys} alone: the dump holds none of its read-only bytes"
        pages = "page" if self.proof.compared_pages == 1 else "pages"
        return (
            f"proved by {f'{keys} and by ' if keys else ''}{self.proof.compared_bytes:,} bytes"
            f" on {self.proof.compared_pages:,} {pages} that the dump holds"
        )

    def __str__(self) -> str:
        return f"{self.path}, {self.proved_by}"


class ImageCaptured(NamedTuple):
    """The dump holds the whole image, as dumps with all memory do: no file has to be found."""

    file: ImageFile
    """The image as it was mapped; for its tables."""
    tried: tuple[Attempt, ...] = ()
    absent: None = None

    @property
    def state(self) -> Literal["captured"]:
        """Which of the cases this is."""
        return "captured"

    def __str__(self) -> str:
        return "held by the dump"


class DebugInfoFound(NamedTuple):
    """A file with the GUID and age, or with the build-id, that the module asks for."""

    path: Path
    file: DebugFile
    identified_by: Literal["dump", "image", "itself"]
    """Who said which one it is: the dump's record, or, where it has none, the accepted image; `itself`: the image holds
    the information."""
    tried: tuple[Attempt, ...] = ()
    absent: None = None

    @property
    def state(self) -> Literal["found"]:
        """Which of the cases this is."""
        return "found"

    @property
    def proved_by(self) -> str:
        """What the match rests on, in words."""
        if self.identified_by == "itself":
            return "part of the image"
        if self.file.format in {"pdb", "breakpad"}:
            whose = "the dump's record" if self.identified_by == "dump" else "the image's debug directory"
            return f"GUID and age as in {whose}"
        what = "UUID" if self.file.uuid else "build-id"
        return f"{what} as in the {'dump' if self.identified_by == 'dump' else 'image'}"

    @property
    def problem(self) -> str | None:
        """Why a matching PDB answers little, if it does."""
        if self.file.format == "symbols":
            return "a symbol table only: no lines, no variables"
        return "linked with /DEBUG:FASTLINK: holds no symbols" if self.file.is_stripped_of_symbols else None

    def __str__(self) -> str:
        return ", ".join(filter(None, [str(self.path), self.proved_by, self.problem]))


ImageState: TypeAlias = NotAsked | ImageFound | ImageCaptured | Missing | Rejected
DebugInfoState: TypeAlias = NotAsked | DebugInfoFound | Missing | Rejected
