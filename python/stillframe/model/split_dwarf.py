"""Split DWARF: the `.dwo` files of a program, or the package (`.dwp`) that they were joined in, and where they are.

The package lies beside the binary and has its name. A `.dwo` file lies where the compiler wrote it, or wherever the
locator finds one of that name. The engine reads a unit only from a file that has its DWO id.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from stillframe._engine import EngineError
from stillframe.model.check import Check, Refused
from stillframe.model.locator import DebugFileRequest, Outcome
from stillframe.model.names import base_name

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe._engine import DebugFile
    from stillframe.model.locator import Locator

_ELF = b"\x7fELF"


class _ElfCheck(Check[None]):
    """Any ELF file: the engine knows whether it is the right one."""

    def examine(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                magic = file.read(len(_ELF))
        except OSError as error:
            raise Refused.unreadable(error) from error
        if magic != _ELF:
            raise Refused(Outcome.MISMATCH, "not an ELF file")


def attach(path: Path, file: DebugFile, locator: Locator) -> None:
    """Lets `file`, which was opened from `path`, read its units where they are. Of most files nothing is split."""
    skeletons = file.skeletons()
    if not skeletons:
        return
    package = _find(f"{path.name}.dwp", path.name, path, locator)
    if package is not None:
        with suppress(OSError, EngineError):
            file.attach_split({}, package)
            return
    files = {}
    for name, directory, dwo_id in skeletons:
        recorded = name if directory is None or name.startswith("/") else f"{directory}/{name}"
        if (found := _find(recorded, f"{dwo_id:016x}", path, locator)) is not None:
            files[dwo_id] = found
    file.attach_split(files)


def _find(recorded: str, key: str, binary: Path, locator: Locator) -> Path | None:
    if not base_name(recorded):
        return None
    check = _ElfCheck()
    confirmed = check.confirm(locator.debug_file(DebugFileRequest((recorded,), key, binary, check.verify)))
    return None if confirmed is None else confirmed[0]
