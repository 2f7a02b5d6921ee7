"""What was expensive once, kept on disk: indexes of large Breakpad symbol files; inflated sections of ELF files and the
catalog of their types.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from stillframe._engine import DebugFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe._engine import ImageFile

SMALLEST_KEPT_BYTES = 1 << 20
"""Of a smaller file nothing is kept."""
MOST_UNUSED_SECONDS = 90 * 24 * 3600
"""What was not used for so long is removed."""
MOST_KEPT_BYTES = 20 << 30
"""If there is more, what was not used for longest is removed."""


def default_folder() -> Path:
    """Where this user's caches are: `$XDG_CACHE_HOME`, `%LOCALAPPDATA%`, `~/Library/Caches`, or `~/.cache`."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    else:
        base = os.environ.get("XDG_CACHE_HOME")
    fallback = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return (Path(base) if base else fallback) / "stillframe" / "debug"


class KeepingOpener:
    """A `stillframe.model.opener.Opener`: opens debug information with what was kept of it.

    A folder that cannot be used costs time and nothing else: the engine checks that what it is given belongs to the
    file.
    """

    def __init__(self, folder: Path | None = None, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._wanted = folder
        self._most_bytes = most_bytes

    @cached_property
    def folder(self) -> Path | None:
        """The folder, which is made and cleaned up when it is first needed; None if it cannot be."""
        try:
            folder = self._wanted or default_folder()
            folder.mkdir(parents=True, exist_ok=True)
            for path in _to_remove(folder, self._most_bytes):
                path.unlink(missing_ok=True)
        except (OSError, RuntimeError):
            return None  # no home folder, no room, no right to write
        return folder

    def open(self, path: Path, supplementary: Path | None = None, cpu: str | None = None) -> DebugFile:
        """Opens a file; of one for several processors, the part for `cpu`.

        :raises OSError: :raises EngineError: if it holds no debug information.
        """
        size_bytes = path.stat().st_size
        if size_bytes < SMALLEST_KEPT_BYTES or path.suffix.lower() == ".pdb":
            return DebugFile.open(path, supplementary, cpu=cpu)
        debug = DebugFile.open(path, supplementary, self.folder, cpu)
        if debug.format != "breakpad" or debug.debug_id is None or self.folder is None:
            return debug
        index = self.folder / f"{debug.debug_id}-{size_bytes:x}.index"
        try:
            if index.is_file():
                kept = DebugFile.open(path, index)
                if kept.uses_helper_as_index():
                    os.utime(index)
                    return kept
            self._keep(index, debug.index_bytes() or b"")
        except OSError:
            pass
        return debug

    def open_own(self, image: ImageFile) -> DebugFile | None:
        """What an image knows of itself."""
        return image.own_debug_info(self.folder)

    def _keep(self, index: Path, content: bytes) -> None:
        # Complete or not there: others may look at the same time.
        new = index.with_name(f"{index.name}.{os.getpid()}.new")
        try:
            new.write_bytes(content)
            new.replace(index)
        finally:
            new.unlink(missing_ok=True)


def _to_remove(folder: Path, most_bytes: int) -> Iterator[Path]:
    """What is too old or too much: from the latest used on, what fits is left."""
    oldest = time.time() - MOST_UNUSED_SECONDS
    kept = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process cleans up too
            if path.suffix in {".index", ".section", ".new"}:
                kept.append((path, path.stat()))
    used = {path: max(stat.st_atime, stat.st_mtime) for path, stat in kept}
    size_bytes = 0
    for path, stat in sorted(kept, key=lambda each: used[each[0]], reverse=True):
        size_bytes += stat.st_size
        if used[path] < oldest or size_bytes > most_bytes:
            yield path
