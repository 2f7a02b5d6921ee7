"""What makes a candidate the wanted image, or the wanted file of debug information; and why others were refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe._engine import DebugFile, EngineError, ImageFile
from stillframe.model.absent import Absent, Reason
from stillframe.model.check import Check, Refused
from stillframe.model.evidence import Rejected
from stillframe.model.locator import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe._engine import ModuleRecord, Pdb70, Proof, Space
    from stillframe.model.locator import Attempt
    from stillframe.model.opener import Opener


class Wanted(NamedTuple):
    """The identity of debug information: GUID and age, a build-id, a UUID, or Breakpad's form of them."""

    pdb: Pdb70 | None = None
    build_id: bytes | None = None
    breakpad_id: str | None = None
    uuid: bytes | None = None

    def __str__(self) -> str:
        if self.pdb is not None:
            return self.pdb.debug_id
        if self.breakpad_id is not None:
            return self.breakpad_id
        if self.uuid is not None:
            return f"UUID {self.uuid.hex()}"
        return "any" if self.build_id is None else f"build-id {self.build_id.hex()}"

    def is_that_of(self, debug: DebugFile) -> bool:
        """Whether the file is the wanted one."""
        if self.pdb is not None:
            return (debug.guid, debug.age) == (self.pdb.guid, self.pdb.age)
        if self.breakpad_id is not None:
            return debug.format == "breakpad" and debug.debug_id == self.breakpad_id
        if self.uuid is not None:
            return debug.uuid == self.uuid
        return self.build_id is not None and debug.build_id == self.build_id

    def is_near(self, debug: DebugFile) -> bool:
        """Whether the file is of another build of the wanted one's kind."""
        return self.pdb is not None and debug.guid == self.pdb.guid


def identity_words(debug: DebugFile) -> str:
    """What identifies the file, in words."""
    if debug.debug_id is not None:
        return debug.debug_id
    if debug.uuid is not None:
        return f"UUID {debug.uuid.hex()}"
    return "no build-id" if debug.build_id is None else f"build-id {debug.build_id.hex()}"


class ImageCheck(Check[tuple[ImageFile, "Proof"]]):
    """Checks candidates for one module's image, and remembers those that it refused."""

    def __init__(self, space: Space, record: ModuleRecord, cpu: str) -> None:
        super().__init__()
        self._cpu = cpu
        self._space = space
        self._record = record
        self._refused: list[tuple[Path, Proof]] = []

    def examine(self, path: Path) -> tuple[ImageFile, Proof]:
        """Opens and proves the candidate. :raises Refused:"""
        try:
            image = ImageFile.open(path, self._cpu)
        except (OSError, EngineError) as error:
            raise Refused.unreadable(error) from error
        proof = self._space.prove(self._record.index, image)
        if not proof.accepted:
            self._refused.append((path, proof))
            raise Refused(Outcome.MISMATCH, "expected {}, found {}".format(*_expected_and_found(proof)))
        return image, proof

    def rejected(self, tried: tuple[Attempt, ...]) -> Rejected | None:
        """The refused candidate that came nearest: one with the right key before others."""
        if not self._refused:
            return None
        path, proof = max(self._refused, key=lambda candidate: candidate[1].key_matches)  # the first of equals
        expected, found = _expected_and_found(proof)
        absent = Absent.because(Reason.IMAGE_MISMATCH)
        return Rejected(absent, path, expected, found, tuple(proof.differing) if proof.key_matches else (), tried)


class DebugFileCheck(Check[DebugFile]):
    """Checks candidates for one module's debug information, and remembers those that it refused."""

    def __init__(self, wanted: Wanted, opener: Opener, cpu: str) -> None:
        super().__init__()
        self._cpu = cpu
        self._opener = opener
        self._wanted = wanted
        self._refused: list[tuple[Path, DebugFile]] = []

    def examine(self, path: Path) -> DebugFile:
        """Opens the candidate and compares its identity. :raises Refused:"""
        try:
            debug = self._opener.open(path, cpu=self._cpu)
        except (OSError, EngineError) as error:
            raise Refused.unreadable(error) from error
        if debug.format == "symbols":
            raise Refused(Outcome.MISMATCH, "it holds a symbol table, but no debug information")
        if not self._wanted.is_that_of(debug):
            self._refused.append((path, debug))
            raise Refused(Outcome.MISMATCH, f"expected {self._wanted}, found {identity_words(debug)}")
        return debug

    def rejected(self, tried: tuple[Attempt, ...]) -> Rejected | None:
        """The refused candidate that came nearest: one with the right GUID before others."""
        if not self._refused:
            return None
        path, debug = max(self._refused, key=lambda candidate: self._wanted.is_near(candidate[1]))
        absent = Absent.because(Reason.DEBUG_INFO_MISMATCH)
        return Rejected(absent, path, str(self._wanted), identity_words(debug), (), tried)


def _expected_and_found(proof: Proof) -> tuple[str, str]:
    if not proof.key_matches:
        return proof.expected_key, proof.found_key
    found = f"{proof.differing_bytes:,} of them different, on {proof.differing_pages} of {proof.compared_pages} pages"
    if proof.differing:
        first = proof.differing[0]
        found += (
            f", first {first.size_bytes} at {first.address:#x} in {first.section}:"
            f" file {first.expected.hex(' ')}, dump {first.found.hex(' ')}"
        )
    return f"the {proof.compared_bytes:,} read-only bytes that the dump holds", found
