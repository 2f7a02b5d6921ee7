"""Finding a module's files: what to ask the locator for, and what makes a candidate the right one.

An image is accepted if its key (of PE images TimeDateStamp and SizeOfImage, of ELF images the build-id) equals the
dump's and no byte of its non-writable sections differs from the bytes that the dump also holds: two builds can share
the key (it has happened to kernel32), so the key alone proves nothing. A PDB is accepted if its GUID and age are those
that the dump records for the module; where the dump has no CodeView record (Wine's writer leaves them out), those of
the accepted image's debug directory; where there is none, DWARF in the image serves. ELF debug information is the
image's own, or a file with the same build-id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from stillframe._engine import EngineError
from stillframe.model import keys, split_dwarf
from stillframe.model.absent import Absent, Reason
from stillframe.model.checks import DebugFileCheck, ImageCheck, Wanted
from stillframe.model.evidence import DebugInfoFound, ImageCaptured, ImageFound, Missing
from stillframe.model.locator import DebugFileRequest, ImageRequest
from stillframe.model.names import base_name

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe._engine import DebugFile, ModuleRecord, Space
    from stillframe.model.evidence import DebugInfoState, ImageState
    from stillframe.model.locator import Attempt, Locator
    from stillframe.model.opener import Opener

ImageFormat: TypeAlias = Literal["pe", "elf", "mach_o"]
"""What the images of a system are."""
_SeparateFile: TypeAlias = "tuple[DebugFileCheck, DebugFileRequest | None, Literal['dump', 'image']]"
"""A file beside the image: how it is checked, how it is asked for (None: nobody knows which), who says which."""


class Matcher:
    """Finds and attaches the files of one dump's modules."""

    def __init__(self, space: Space, locator: Locator, images: ImageFormat, opener: Opener, cpu: str) -> None:
        self._space = space
        self._locator = locator
        self._images = images
        self._opener = opener
        self._cpu = cpu

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
        check = ImageCheck(self._space, record, self._cpu)
        # Linux names a file that was replaced while it was mapped so.
        path = record.name.removesuffix(" (deleted)")
        answer = self._locator.image(ImageRequest(path, keys.image_key(record), check.verify, record.build_id))
        if (confirmed := check.confirm(answer)) is not None:
            found, (file, proof) = confirmed
            return ImageFound(found, file, proof, answer.tried)
        return check.rejected(answer.tried) or Missing(Absent.because(Reason.IMAGE_MISSING), answer.tried)

    def _seek_debug_info(self, record: ModuleRecord, image: ImageState) -> DebugInfoState:
        state = self._seek_native_debug_info(record, image)
        if isinstance(state, DebugInfoFound) and state.file.format != "symbols":
            return state
        # Breakpad symbol files serve modules of every system.
        return self._seek_breakpad_symbols(record, image, state.tried) or state

    def _seek_native_debug_info(self, record: ModuleRecord, image: ImageState) -> DebugInfoState:
        match self._images:
            case "pe":
                return self._seek_pe_debug_info(record, image)
            case "elf" | "mach_o":
                return self._seek_dwarf(record, image)

    def _seek_breakpad_symbols(
        self, record: ModuleRecord, image: ImageState, tried: tuple[Attempt, ...]
    ) -> DebugInfoFound | None:
        pdb = record.pdb
        if pdb is None and isinstance(image, ImageFound | ImageCaptured):
            pdb = image.file.pdb
        debug_id = keys.breakpad_id(record, pdb)
        if debug_id is None:
            return None
        folder = base_name(record.name if pdb is None or not pdb.path else pdb.path)
        check = DebugFileCheck(Wanted(breakpad_id=debug_id), self._opener, self._cpu)
        image_path = image.path if isinstance(image, ImageFound) else None
        request = DebugFileRequest(
            (keys.breakpad_name(folder),), debug_id, image_path, check.verify, store_folder=folder
        )
        answer = self._locator.debug_file(request)
        confirmed = check.confirm(answer)
        return None if confirmed is None else DebugInfoFound(*confirmed, "dump", tried + answer.tried)

    def _seek_pe_debug_info(self, record: ModuleRecord, image: ImageState) -> DebugInfoState:
        """The PDB; else what the image itself holds: MinGW's programs have DWARF and a symbol table."""
        state = self._seek_pdb(record, image)
        if isinstance(state, DebugInfoFound):
            return state
        if isinstance(image, ImageCaptured):  # as it was loaded, and DWARF is not: the file has it
            image = self._seek_image(record)
        if not isinstance(image, ImageFound):
            return state
        own = self._opener.open_own(image.file)
        return state if own is None else DebugInfoFound(image.path, own, "itself", state.tried)

    def _seek_pdb(self, record: ModuleRecord, image: ImageState) -> DebugInfoState:
        found_image = image if isinstance(image, ImageFound | ImageCaptured) else None
        recorded, of_image = record.pdb, found_image.file.pdb if found_image else None
        image_path = image.path if isinstance(image, ImageFound) else None
        wanted = recorded or of_image
        if wanted is None:
            reason = Reason.DEBUG_INFO_NOT_MADE if found_image else Reason.DEBUG_INFO_UNIDENTIFIED
            return Missing(Absent.because(reason))
        check = DebugFileCheck(Wanted(pdb=wanted), self._opener, self._cpu)
        paths = tuple(dict.fromkeys(pdb.path for pdb in (recorded, of_image) if pdb is not None))
        request = DebugFileRequest(paths, wanted.debug_id, image_path, check.verify)
        answer = self._locator.debug_file(request)
        if (confirmed := check.confirm(answer)) is not None:
            return DebugInfoFound(*confirmed, "dump" if recorded else "image", answer.tried)
        return check.rejected(answer.tried) or Missing(Absent.because(Reason.DEBUG_INFO_MISSING), answer.tried)

    def _seek_dwarf(self, record: ModuleRecord, image: ImageState) -> DebugInfoState:
        """The image's own DWARF; else a separate file of the same build; else what the image's symbol table knows."""
        found_image = image if isinstance(image, ImageFound) else None
        own = self._opener.open_own(found_image.file) if found_image else None
        if found_image is not None and own is not None and own.format == "dwarf":
            return DebugInfoFound(found_image.path, self._completed(found_image.path, own), "itself")
        request = self._elf_request if self._images == "elf" else self._macho_request
        separate = self._seek_separate_dwarf(*request(record, found_image))
        if not isinstance(separate, DebugInfoFound) and found_image is not None and own is not None:
            return DebugInfoFound(found_image.path, own, "itself", separate.tried)
        return separate

    def _seek_separate_dwarf(
        self, check: DebugFileCheck, request: DebugFileRequest | None, source: Literal["dump", "image"]
    ) -> DebugInfoState:
        if request is None:
            return Missing(Absent.because(Reason.DEBUG_INFO_UNIDENTIFIED))
        answer = self._locator.debug_file(request)
        if (confirmed := check.confirm(answer)) is not None:
            path, file = confirmed
            return DebugInfoFound(path, self._completed(path, file), source, answer.tried)
        return check.rejected(answer.tried) or Missing(Absent.because(Reason.DEBUG_INFO_MISSING), answer.tried)

    def _elf_request(self, record: ModuleRecord, image: ImageFound | None) -> _SeparateFile:
        build_id = record.build_id or (image.file.build_id if image else None)
        check = DebugFileCheck(Wanted(build_id=build_id), self._opener, self._cpu)
        source: Literal["dump", "image"] = "dump" if record.build_id else "image"
        if build_id is None:
            return check, None, source
        name = base_name(record.name)
        names = tuple(dict.fromkeys(filter(None, (image.file.debug_link if image else None, f"{name}.debug", name))))
        key, path = keys.elf_debug_key(build_id), image.path if image else None
        return check, DebugFileRequest(names, key, path, check.verify, build_id, "_.debug"), source

    def _macho_request(self, record: ModuleRecord, image: ImageFound | None) -> _SeparateFile:
        """A dSYM: a bundle in which the file has the name of the image."""
        uuid = keys.macho_uuid(record) or (image.file.uuid if image else None)
        check = DebugFileCheck(Wanted(uuid=uuid), self._opener, self._cpu)
        source: Literal["dump", "image"] = "dump" if keys.macho_uuid(record) else "image"
        name = base_name(record.name)
        if uuid is None or not name:
            return check, None, source
        inner = ("Contents", "Resources", "DWARF", name)
        key, path = keys.macho_debug_key(uuid), image.path if image else None
        request = DebugFileRequest((f"{name}.dSYM",), key, path, check.verify, store_file="_.dwarf", inner=inner)
        return check, request, source

    def _completed(self, path: Path, file: DebugFile) -> DebugFile:
        """The file together with others that it needs, as far as they are there."""
        file = self._with_supplement(path, file)
        split_dwarf.attach(path, file, self._locator)
        return file

    def _with_supplement(self, path: Path, file: DebugFile) -> DebugFile:
        """The file together with the one that `.gnu_debugaltlink` names, which lies where the link says or nowhere."""
        if file.alt_link is None:
            return file
        link, build_id = file.alt_link
        other = path.parent / link
        try:
            if not other.is_file() or self._opener.open(other).build_id != build_id:
                return file
            return self._opener.open(path, other)
        except (OSError, EngineError):
            return file
