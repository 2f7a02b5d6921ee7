"""Directories of this machine, asked for names written on another: case-insensitively, and never outside themselves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FolderReader:
    """Matches names in directories without regard to case, as the file systems do that the names come from.

    Directories are listed only when neither the exact nor the lower-case name is there, and then once.
    """

    def __init__(self) -> None:
        self._listings: dict[Path, dict[str, str]] = {}

    def child(self, folder: Path, name: str) -> Path:
        """The entry of `folder` that `name` means; the path of `name` itself if there is none."""
        for exact in (folder / name, folder / name.lower()):
            if os.path.lexists(exact):
                return exact
        actual = self._listing(folder).get(name.lower())
        return folder / (actual or name)

    def descendant(self, folder: Path, *names: str) -> Path:
        """`child` of `child`, name by name."""
        for name in names:
            folder = self.child(folder, name)
        return folder

    def _listing(self, folder: Path) -> dict[str, str]:
        if folder not in self._listings:
            try:
                with os.scandir(folder) as entries:
                    names = sorted(entry.name for entry in entries)
            except OSError:
                names = []
            self._listings[folder] = {name.lower(): name for name in reversed(names)}
        return self._listings[folder]


def is_plain_name(name: str) -> bool:
    """Whether `name`, which comes from a file, can only be an entry of a directory: no path, no parent, no stream."""
    return (
        name not in {"", ".", ".."} and not any(character in name for character in '/\\\0:*?"<>|') and len(name) < 256
    )
