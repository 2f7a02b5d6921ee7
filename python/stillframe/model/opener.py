"""How files of debug information are opened. The model opens them plainly; others may keep what was expensive once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from stillframe._engine import DebugFile

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe._engine import ImageFile


class Opener(Protocol):
    """Opens debug information. `stillframe.symbols.keeping.KeepingOpener` is the usual one."""

    def open(self, path: Path, supplementary: Path | None = None, cpu: str | None = None) -> DebugFile:
        """Opens a file; of one for several processors, the part for `cpu`.

        :raises OSError: :raises EngineError: if it holds no debug information.
        """

    def open_own(self, image: ImageFile) -> DebugFile | None:
        """What an image knows of itself; None if its format holds no such thing."""


class PlainOpener:
    """Keeps nothing."""

    def open(self, path: Path, supplementary: Path | None = None, cpu: str | None = None) -> DebugFile:
        """Opens a file; of one for several processors, the part for `cpu`.

        :raises OSError: :raises EngineError: if it holds no debug information.
        """
        return DebugFile.open(path, supplementary, cpu=cpu)

    def open_own(self, image: ImageFile) -> DebugFile | None:
        """What an image knows of itself; None if its format holds no such thing."""
        return image.own_debug_info()
