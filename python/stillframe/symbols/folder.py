"""Directories of this machine, asked for names written on another: case-insensitively, and never outside themselves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


class FolderReader:
    """Matches names in directories without regard to case, as the file systems do that the names come from.

    Directories are listed only when neither the exact nor the lower-case name is there, and then once: after that, what
    is in them is known without asking the system.
    """

    def __init__(self) -> None:
        self._listings: dict[Path, _Listing | None] = {}

    def child(self, folder: Path, name: str) -> Path:
        """The entry of `folder` that `name` means; the path of `name` itself if there is none."""
        return folder / (self._entry(folder, name) or name)

    def descendant(self, folder: Path, *names: str) -> Path:
        """`child` of `child`, name by name."""
        for index, name in enumerate(names):
            entry = self._entry(folder, name)
            if entry is None:
                return folder.joinpath(*names[index:])  # in what is not there nothing is looked for
            folder /= entry
        return folder

    def has(self, folder: Path, name: str) -> bool:
        """Whether `folder` has an entry that `name` means."""
        return self._entry(folder, name) is not None

    def _entry(self, folder: Path, name: str) -> str | None:
        """The name of the entry that `name` means: exactly it, else in lower case, else in any."""
        listing = self._listings.get(folder)
        if listing is None:
            for exact in dict.fromkeys((name, name.lower())):
                if os.path.lexists(folder / exact):
                    return exact
            if folder not in self._listings:
                listing = self._listings[folder] = _Listing.of(folder)
        return None if listing is None else listing.entry(name)


class _Listing:
    """The names in a directory."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._in_lower_case = {name.lower(): name for name in sorted(names, reverse=True)}

    @classmethod
    def of(cls, folder: Path) -> _Listing | None:
        """None if there may be names in it that this user must know."""
        try:
            return cls(os.listdir(folder))  # noqa: PTH208 - the names are all that is wanted
        except (FileNotFoundError, NotADirectoryError):
            return cls(())
        except OSError:
            return None

    def entry(self, name: str) -> str | None:
        lower = name.lower()
        for exact in (name, lower):
            if exact in self._names:
                return exact
        return self._in_lower_case.get(lower)


def is_plain_name(name: str) -> bool:
    """Whether `name`, which comes from a file, can only be an entry of a directory: no path, no parent, no stream."""
    return name not in {"", ".", ".."} and len(name) < 256 and _NOT_IN_NAMES.isdisjoint(name)


_NOT_IN_NAMES = frozenset('/\\\0:*?"<>|')
