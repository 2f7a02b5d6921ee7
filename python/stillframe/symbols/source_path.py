"""Source paths: folders with source, and what they were called on the machine that built the program.

Compilers record the paths of their machine: `C:\\agent\\_work\\7\\s\\app\\main.cpp`, `/build/app-1.2/main.cpp`. GDB
(`set substitute-path`), LLDB (`target.source-map`) and Visual Studio ("Source Search Paths") map those to trees of this
machine in the same two ways: from one prefix to another, or by the end of the path.
"""

from __future__ import annotations

import os
import re
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from stillframe.errors import SourcePathError

if TYPE_CHECKING:
    from collections.abc import Iterable


class SourceTree(NamedTuple):
    """A folder with source."""

    folder: Path
    built_as: str | None = None
    """What it was called where the program was built; None: it is asked for the ends of recorded paths."""

    @property
    def is_there(self) -> bool:
        """Whether the folder is one."""
        return _is_folder(self.folder)

    def inside(self, parts: list[str], *, is_windows: bool) -> list[str] | None:
        """The rest of a recorded path (as `parts_of` gives it) that was in this folder; None of one that was not."""
        if self.built_as is None:
            return None
        start = parts_of(self.built_as)
        same = (_folded if is_windows else list)(parts[: len(start)]) == (_folded if is_windows else list)(start)
        return parts[len(start) :] if same and len(parts) > len(start) else None


SourceArgument: TypeAlias = "str | PathLike[str] | tuple[str, str | PathLike[str]]"
"""A folder; `FROM=TO`, or the two as a tuple."""


def parse_source_path(sources: Iterable[SourceArgument]) -> tuple[SourceTree, ...]:
    """Trees in the order of search. `FROM=TO` is parted at its last `=`; a folder that exists is one, whatever its
    name.

    :raises SourcePathError: if one side is empty.
    """
    return tuple(_parse(source) for source in sources)


def _parse(source: SourceArgument) -> SourceTree:
    if isinstance(source, tuple):
        return SourceTree(Path(source[1]), source[0])
    text = fspath(source)
    if isinstance(source, PathLike) or "=" not in text or _is_folder(text):
        if not text:
            raise SourcePathError(text, "names no folder")
        return SourceTree(Path(text))
    built_as, _, folder = text.rpartition("=")
    if not parts_of(built_as) or not folder:
        raise SourcePathError(text, "is no FROM=TO")
    return SourceTree(Path(folder), built_as)


def parts_of(path: str) -> list[str]:
    """The components of a path of any system, without those that lead nowhere: `C:`, `src`, `main.cpp`."""
    parts: list[str] = []
    for part in re.split(r"[/\\]", path):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return parts


def is_windows_path(path: str) -> bool:
    """Whether a recorded path is one of a system that does not tell cases apart."""
    return re.match(r"[A-Za-z]:|\\\\", path) is not None


def _is_folder(path: Path | str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - of a name that cannot be one, pathlib raises


def _folded(parts: list[str]) -> list[str]:
    return [part.casefold() for part in parts]
