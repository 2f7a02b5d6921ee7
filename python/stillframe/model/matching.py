"""Finding a module's files: what to ask the locator for, and what makes a candidate the right one.

An image is accepted if TimeDateStamp and SizeOfImage equal the dump's and no byte of its non-writable sections differs
from the bytes that the dump also holds: two builds can share the key (it has happened to kernel32), so the key alone
proves nothing. A PDB is accepted if its GUID and age are those that the dump records for the module; where the dump
has no CodeView record (Wine's writer leaves them out), those of the accepted image's debug directory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe._engine import DebugFile, EngineError, ImageFile
from stillframe.model.absent import Absent, Reason
from stillframe.model.check import Check, Refused
from stillframe.model.evidence import DebugInfoFound, ImageCaptured, ImageFound, Missing, Rejected
from stillframe.model.locator import DebugFileRequest, ImageRequest, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe._engine import ModuleRecord, Pdb70, Proof, Space
    from stillframe.model.evidence import DebugInfoState, ImageState
    from stillframe.model.locator import Attempt, Locator


class Matcher:
    """Finds and attaches the files of one dump's modules."""

    def __init__(self, space: Space, locator: Locator, *, holds_pe_images: bool) -> None:
        self._space = space
        self._locator = locator
        self._holds_pe_images = holds_pe_images

    def find_image(self, record: ModuleRecord) -> ImageState:
        """Looks for the module's image and lets it answer for the module's read-only memory.

        Where the dump holds the whole image, nothing is left to be filled in, and no file is looked for.
        """
        captured = self._space.captured_image(record.index)
        if captured is not None:
            self._space.declare_missing("image", record.index)
            return ImageCaptured(captured)
        state = self._seek_image(record)
        if isinstance(state, ImageFound):
            self._space.attach_image(record.index, state.file)
        else:
            self._space.declare_missing("image", record.index)
        return state

    def find_debug_info(self, record: ModuleRecord, image: ImageState) -> DebugInfoState:
        """Looks for the module's PDB; `image` is what came of looking for the image."""
        state = self._seek_debug_info(record, image)
        if isinstance(state, DebugInfoFound):
            self._space.attach_debug_file(record.index, state.file)
        else:
            self._space.declare_missing("debug_info", record.index)
        return state

    def _seek_image(self, record: ModuleRecord) -> ImageState:
        if not self._holds_pe_images:
            return Missing(Absent.because(Reason.UNSUPPORTED_IMAGE))
        check = _ImageCheck(self._space, record)
        request = ImageRequest(record.name, record.time_date_stamp, record.size_bytes, check.verify)
        answer = self._locator.image(request)
        if (confirmed := check.confirm(answer)) is not None:
            path, (file, proof) = confirmed
            return ImageFound(path, file, proof, answer.tried)
        return check.rejected(answer.tried) or Missing(Absent.because(Reason.IMAGE_MISSING), answer.tried)

    def _seek_debug_info(self, record: ModuleRecord, image: ImageState) -> DebugInfoState:
        if not self._holds_pe_images:
            return Missing(Absent.because(Reason.UNSUPPORTED_DEBUG_INFO))
        found_image = image if isinstance(image, ImageFound | ImageCaptured) else None
        recorded, of_image = record.pdb, found_image.file.pdb if found_image else None
        image_path = image.path if isinstance(image, ImageFound) else None
        wanted = recorded or of_image
        if wanted is None:
            reason = Reason.DEBUG_INFO_NOT_MADE if found_image else Reason.DEBUG_INFO_UNIDENTIFIED
            return Missing(Absent.because(reason))
        check = _DebugFileCheck(wanted)
        paths = tuple(dict.fromkeys(pdb.path for pdb in (recorded, of_image) if pdb is not None))
        request = DebugFileRequest(paths, wanted.debug_id, image_path, check.verify)
        answer = self._locator.debug_file(request)
        if (confirmed := check.confirm(answer)) is not None:
            return DebugInfoFound(*confirmed, "dump" if recorded else "image", answer.tried)
        return check.rejected(answer.tried) or Missing(Absent.because(Reason.DEBUG_INFO_MISSING), answer.tried)


class _ImageCheck(Check[tuple[ImageFile, "Proof"]]):
    """Checks candidates for one module's image, and remembers those that it refused."""

    def __init__(self, space: Space, record: ModuleRecord) -> None:
        super().__init__()
        self._space = space
        self._record = record
        self._refused: list[tuple[Path, Proof]] = []

    def examine(self, path: Path) -> tuple[ImageFile, Proof]:
        try:
            image = ImageFile.open(path)
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


class _DebugFileCheck(Check[DebugFile]):
    """Checks candidates for one module's PDB, and remembers those that it refused."""

    def __init__(self, wanted: Pdb70) -> None:
        super().__init__()
        self._wanted = wanted
        self._refused: list[tuple[Path, DebugFile]] = []

    def examine(self, path: Path) -> DebugFile:
        try:
            debug = DebugFile.open(path)
        except (OSError, EngineError) as error:
            raise Refused.unreadable(error) from error
        if (debug.guid, debug.age) != (self._wanted.guid, self._wanted.age):
            self._refused.append((path, debug))
            raise Refused(Outcome.MISMATCH, f"expected {self._wanted.debug_id}, found {debug.debug_id}")
        return debug

    def rejected(self, tried: tuple[Attempt, ...]) -> Rejected | None:
        """The refused candidate that came nearest: one with the right GUID before others."""
        if not self._refused:
            return None
        path, debug = max(self._refused, key=lambda candidate: candidate[1].guid == self._wanted.guid)
        absent = Absent.because(Reason.DEBUG_INFO_MISMATCH)
        return Rejected(absent, path, self._wanted.debug_id, debug.debug_id, (), tried)


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
