"""Finding files on this machine: beside the dump, at recorded paths, in folders and local symbol stores.

The order is that of Visual Studio, and every place is kept with what came of it ("Symbol Load Information"). A path
that stands in a dump, image or PDB is followed only to a plain file that already is on this machine's own disks; it is
never executed, and no network path is touched.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from stillframe.model.locator import Attempt, Found, NotFound, Outcome
from stillframe.model.names import base_name
from stillframe.symbols.folder import FolderReader, is_plain_name
from stillframe.symbols.path import Folder
from stillframe.symbols.source_path import is_windows_path, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from stillframe.model.locator import DebugFileRequest, ImageRequest, SourceRequest
    from stillframe.symbols.path import Element
    from stillframe.symbols.source_path import SourceTree

_ABSOLUTE = re.compile(r"[A-Za-z]:[/\\]" if os.name == "nt" else "/")
_SOURCE_NAME = re.compile(
    r".*\.(c|cc|cpp|cxx|c\+\+|h|hh|hpp|hxx|h\+\+|inc|inl|ipp|tcc|def|m|mm|s|asm|rs|go|swift|d|zig|f|f90|pas|cs|vb|java|y|l)",
    re.IGNORECASE,
)
_LIBRARY_HEADER = re.compile(r"(/(?!\.\./)[^/]+)*/include(/(?!\.\./)[^/]+)+")
"""Headers of the C++ library have no extension."""
SYSTEM_FOLDERS = (Path("/usr/lib/debug"),)
"""Where distributions of Linux install debug information."""
LONGEST_SOURCE_SUFFIX = 32
"""Parts of a recorded source path that are tried under a folder."""


class DirectoryLocator:
    """Looks beside the dump, then where the file says, then along a symbol path.

    It lists directories at most once, so a file that appears later is not seen.
    """

    def __init__(
        self,
        beside: Path,
        elements: Sequence[Element] = (),
        sources: Sequence[SourceTree] = (),
        *,
        use_recorded_paths: bool = True,
        system_folders: Sequence[Path] = SYSTEM_FOLDERS,
    ) -> None:
        self._beside = beside
        """The folder of the dump."""
        self._system_folders = system_folders
        """Where this machine keeps debug information by build-id."""
        self._elements = tuple(elements)
        self._sources = tuple(sources)
        self._use_recorded_paths = use_recorded_paths
        self._folders = FolderReader()

    def add_sources(self, sources: Sequence[SourceTree]) -> None:
        """More trees of source, which are asked before those that were given already."""
        self._sources = (*sources, *self._sources)

    def image(self, request: ImageRequest) -> Found | NotFound:
        """Beside the dump; at the path that the dump records; along the symbol path."""
        return _search(self._image_candidates(request), request.verify)

    def debug_file(self, request: DebugFileRequest) -> Found | NotFound:
        """Beside the dump; at the paths recorded in dump and image; beside the image; along the symbol path."""
        return _search(self._debug_file_candidates(request), request.verify)

    def source(self, request: SourceRequest) -> Found | NotFound:
        """In the trees that the recorded path was mapped to; at that path; then by the longest suffix of it, in the
        other trees, beside the dump and in folders.

        Who wrote the debug information chose the recorded path, so it is followed only if it looks like one of source:
        a listing that somebody shares must not show this machine's keys and settings.
        """
        return _search(self._source_candidates(request), request.verify)

    def _image_candidates(self, request: ImageRequest) -> Iterator[Path | Attempt]:
        name = base_name(request.path)
        if is_plain_name(name):
            yield self._folders.child(self._beside, name)
        yield from self._recorded(request.path)
        if is_plain_name(name):
            yield from self._along_symbol_path(name, name, request.key)
        if request.build_id is not None:
            yield from self._by_build_id(request.build_id, "")

    def _debug_file_candidates(self, request: DebugFileRequest) -> Iterator[Path | Attempt]:
        names = list(dict.fromkeys(name for path in request.paths if is_plain_name(name := base_name(path))))
        if request.build_id is None:
            names = names[:1]
        yield from (self._folders.descendant(self._beside, name, *request.inner) for name in names)
        for path in request.paths:
            yield from self._recorded(path)
        if request.build_id is not None:
            yield from self._by_build_id(request.build_id, ".debug")
        for name in names:
            if request.image is not None:
                yield self._folders.descendant(request.image.parent, name, *request.inner)
                yield self._folders.child(request.image.parent / ".debug", name)
            for element in self._elements if request.inner else ():
                yield self._folders.descendant(element.path, name, *request.inner)
            store_file = request.store_file or name
            yield from self._along_symbol_path(name, store_file, request.key, request.store_folder)

    def _source_candidates(self, request: SourceRequest) -> Iterator[Path | Attempt]:
        parts = parts_of(request.path)
        is_windows = is_windows_path(request.path)
        inside = [(tree, tree.inside(parts, is_windows=is_windows)) for tree in self._sources]
        mapped = [(tree.folder, rest) for tree, rest in inside if rest is not None]
        for folder, rest in sorted(mapped, key=lambda each: len(each[1])):  # the longest mapped prefix first
            if all(is_plain_name(part) for part in rest):
                yield self._folders.descendant(folder, *rest)
        if _SOURCE_NAME.fullmatch(request.path) or _LIBRARY_HEADER.fullmatch(request.path):
            yield from self._recorded(request.path)
        else:
            yield Attempt(request.path, Outcome.NOT_FOLLOWED, "does not look like the path of source")
        folders = [tree.folder for tree in self._sources if tree.built_as is None]
        folders += [self._beside, *(element.path for element in self._elements if isinstance(element, Folder))]
        for length in range(min(len(parts), LONGEST_SOURCE_SUFFIX), 0, -1):
            suffix = parts[-length:]
            if all(is_plain_name(part) for part in suffix):
                yield from (self._folders.descendant(folder, *suffix) for folder in folders)

    def _recorded(self, path: str) -> Iterator[Path | Attempt]:
        """The path itself, where it is absolute on this machine and not on another one's."""
        if not path or "\0" in path or base_name(path) == path:
            return
        if not self._use_recorded_paths:
            yield Attempt(path, Outcome.NOT_FOLLOWED, "recorded paths are switched off")
        elif path.replace("\\", "/").startswith("//"):
            yield Attempt(path, Outcome.NOT_FOLLOWED, "a network or device path")
        elif not _ABSOLUTE.match(path):
            yield Attempt(path, Outcome.NOT_FOLLOWED, "not an absolute path of this machine")
        else:
            yield Path(path)

    def _by_build_id(self, build_id: bytes, extension: str) -> Iterator[Path]:
        """FOLDER/.build-id/ab/cdef…, as GDB has them."""
        folders = [element.path for element in self._elements if isinstance(element, Folder)]
        first, rest = build_id[:1].hex(), build_id[1:].hex() + extension
        for folder in (*folders, *self._system_folders):
            yield folder / ".build-id" / first / rest

    def _along_symbol_path(
        self, name: str, store_name: str, key: str | None, store_folder: str | None = None
    ) -> Iterator[Path | Attempt]:
        for element in self._elements:
            if not element.path.is_dir():
                yield Attempt(str(element.path), Outcome.NOT_THERE, "no such directory")
                continue
            if isinstance(element, Folder):
                extension = name.rpartition(".")[2]
                yield self._folders.child(element.path, name)
                yield self._folders.descendant(element.path, extension, name)
                yield self._folders.descendant(element.path, "symbols", extension, name)
            if key is not None:
                yield from self._in_store(element.path, store_folder or store_name, key, store_name)

    def _in_store(self, root: Path, outer: str, key: str, name: str) -> Iterator[Path | Attempt]:
        """OUTER/KEY/NAME, and in a two-tier store (it has `index2.txt`) first OU/OUTER/KEY/NAME."""
        if not is_plain_name(outer):
            return
        tiers = [(outer[:2],)] if self._folders.has(root, "index2.txt") else []
        for tier in (*tiers, ()):
            folder = self._folders.descendant(root, *tier, outer)
            yield self._folders.descendant(folder, key, name)
            if self._folders.has(folder, key):
                yield from self._not_understood(self._folders.child(folder, key), name)

    def _not_understood(self, folder: Path, name: str) -> Iterator[Attempt]:
        """Forms in which a store may hold the file that are not read yet: named, so that nobody thinks it is absent."""
        for other, what in ((f"{name[:-1]}_", "compressed files"), ("file.ptr", "pointers to files")):
            path = self._folders.child(folder, other)
            if self._folders.has(folder, other) and path.is_file():
                yield Attempt(str(path), Outcome.UNREADABLE, f"{what} are not supported yet")


def _search(candidates: Iterable[Path | Attempt], verify: Callable[[Path], Attempt]) -> Found | NotFound:
    """Checks candidates in order up to the first that is accepted; each is tried once."""
    tried: list[Attempt] = []
    seen: set[Path] = set()
    for candidate in candidates:
        if isinstance(candidate, Attempt):
            tried.append(candidate)
            continue
        if candidate in seen:
            continue
        seen.add(candidate)
        attempt = _attempt(candidate, verify)
        tried.append(attempt)
        if attempt.outcome is Outcome.ACCEPTED:
            return Found(candidate, tuple(tried))
    return NotFound(tuple(tried))


def _attempt(path: Path, verify: Callable[[Path], Attempt]) -> Attempt:
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return verify(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last: a name with a zero byte in it
        return Attempt(str(path), Outcome.NOT_THERE)
    except OSError as error:
        return Attempt(str(path), Outcome.UNREADABLE, error.strerror or "cannot be looked at")
    if stat.S_ISDIR(mode):  # a folder of that name is what symbol stores are made of
        return Attempt(str(path), Outcome.NOT_THERE)
    # A pipe or a device: opening one of those can block or have effects.
    return Attempt(str(path), Outcome.UNREADABLE, "not a plain file")
