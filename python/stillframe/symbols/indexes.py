"""Indexes of large Breakpad symbol files, kept on disk: made once, mapped from then on."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from stillframe._engine import DebugFile

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALLEST_INDEXED_BYTES = 2 << 20
"""An index of a smaller file is made faster than it is found."""
MOST_UNUSED_SECONDS = 90 * 24 * 3600
"""An index that was not used for so long is removed."""


def default_folder() -> Path:
    """Where this user's caches are: `$XDG_CACHE_HOME`, `%LOCALAPPDATA%`, `~/Library/Caches`, or `~/.cache`."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    else:
        base = os.environ.get("XDG_CACHE_HOME")
    fallback = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return (Path(base) if base else fallback) / "stillframe" / "indexes"


class IndexFolder:
    """Opens files of debug information, with the kept index where one helps. A folder that cannot be used costs time
    and nothing else: the engine checks that an index belongs to the file.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def open(self, path: Path) -> DebugFile:
        """Opens a file. :raises OSError: :raises EngineError: if it holds no debug information."""
        size_bytes = path.stat().st_size
        if path.suffix != ".sym" or size_bytes < SMALLEST_INDEXED_BYTES:
            return DebugFile.open(path)
        debug = DebugFile.open(path)
        if debug.format != "breakpad" or debug.debug_id is None:
            return debug
        try:
            index = (self._folder or default_folder()) / f"{debug.debug_id}-{size_bytes:x}.index"
            if index.is_file():
                os.utime(index)
                return DebugFile.open(path, index)
            self._keep(index, debug.index_bytes() or b"")
        except (OSError, RuntimeError):
            pass  # no home folder, no room, no right to write
        return debug

    def _keep(self, index: Path, content: bytes) -> None:
        index.parent.mkdir(parents=True, exist_ok=True)
        for old in self._unused(index.parent):
            old.unlink(missing_ok=True)
        # Complete or not there: others may look at the same time.
        new = index.with_name(f"{index.name}.{os.getpid()}.new")
        try:
            new.write_bytes(content)
            new.replace(index)
        finally:
            new.unlink(missing_ok=True)

    def _unused(self, folder: Path) -> Iterator[Path]:
        oldest = time.time() - MOST_UNUSED_SECONDS
        for path in folder.glob("*.index*"):
            if path.stat().st_mtime < oldest:
                yield path
