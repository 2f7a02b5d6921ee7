"""stillframe: open a crash dump on any machine and see the program again.

>>> dump = stillframe.open("crash.dmp", symbols="path/to/binaries")
>>> for frame in dump.threads[0].frames:
...     print(frame.name, frame.location)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from pathlib import Path

    from stillframe.errors import (
        AmbiguousSymbol,
        DumpError,
        ExpressionError,
        FaultError,
        NoSuchMember,
        NoSuchModule,
        NoSuchSymbol,
        NoSuchType,
        NoSuchVariable,
        OperationError,
        SourcePathError,
        StillframeError,
        SymbolPathError,
        SymbolsMissing,
        Unreadable,
    )
    from stillframe.model.absent import Absent, Reason
    from stillframe.model.crash import Crash
    from stillframe.model.disassembly import Listing
    from stillframe.model.dump import Dump
    from stillframe.model.frame import Frame
    from stillframe.model.locator import Locator
    from stillframe.model.memory import Memory
    from stillframe.model.module import Module
    from stillframe.model.thread import Thread
    from stillframe.model.typing.type import Type
    from stillframe.model.value.value import Value
    from stillframe.symbols.source_path import SourceArgument

__all__ = [
    "Absent",
    "AmbiguousSymbol",
    "Crash",
    "Dump",
    "DumpError",
    "ExpressionError",
    "FaultError",
    "Frame",
    "Listing",
    "Memory",
    "Module",
    "NoSuchMember",
    "NoSuchModule",
    "NoSuchSymbol",
    "NoSuchType",
    "NoSuchVariable",
    "OperationError",
    "Reason",
    "SourcePathError",
    "StillframeError",
    "SymbolPathError",
    "SymbolsMissing",
    "Thread",
    "Type",
    "Unreadable",
    "Value",
    "open",
]

_HOMES = {
    **dict.fromkeys(("Absent", "Reason"), "model.absent"),
    "Crash": "model.crash",
    "Dump": "model.dump",
    "Frame": "model.frame",
    "Listing": "model.disassembly",
    "Memory": "model.memory",
    "Module": "model.module",
    "Thread": "model.thread",
    "Type": "model.typing.type",
    "Value": "model.value.value",
}
"""Modules of the public names; of those not here, `errors`."""


def __getattr__(name: str) -> object:
    """Imports a public name when it is first used (PEP 562): `import stillframe` alone costs next to nothing."""
    if name == "_engine":
        return import_module("stillframe._engine")
    if name not in __all__:
        raise AttributeError(f"module 'stillframe' has no attribute {name!r}")
    value: object = getattr(import_module(f"stillframe.{_HOMES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


SymbolsArgument: TypeAlias = "str | PathLike[str] | Sequence[str | PathLike[str]] | Locator | None"


def open(  # noqa: A001 - stillframe.open, as gzip.open
    path: str | PathLike[str],
    symbols: SymbolsArgument = None,
    natvis: Sequence[str | PathLike[str]] = (),
    sources: Sequence[SourceArgument] = (),
) -> Dump:
    """Opens a dump. Nothing but its header and stream directory is read until it is asked for.

    :param symbols: where to find images, PDBs and sources besides the dump's own folder and the paths recorded in the
        files: a symbol path (`;`-separated folders, `srv*DIR*DIR`, `cache*DIR`), one folder, a sequence of those, or a
        `Locator` of your own, which is then asked alone.
    :param natvis: visualizers, which come before all others: natvis files, and folders of them.
    :param sources: trees of source, which come before the paths recorded in the files: folders, and pairs or `FROM=TO`
        of what a folder was called where the program was built and where it is here.
    :raises DumpError: if the file cannot be opened or is not a dump.
    :raises SymbolPathError: if `symbols` names something that is not supported, such as a server.
    :raises SourcePathError: if `sources` has something that is neither, or is given to a `Locator` of your own.
    """
    from pathlib import Path

    from stillframe.model.dump import Dump
    from stillframe.symbols.keeping import KeepingOpener

    path = Path(path)
    return Dump.open(path, _locator(path, symbols, sources), _explain, KeepingOpener(), [Path(each) for each in natvis])


def _explain(dump: Dump) -> Crash | None:
    from stillframe.analysis.crash import explain  # tables that most questions do not need

    return explain(dump)


def _locator(dump: Path, symbols: SymbolsArgument, sources: Sequence[SourceArgument]) -> Locator:
    from collections.abc import Sequence
    from os import PathLike

    from stillframe.symbols.locate import DirectoryLocator
    from stillframe.symbols.path import parse_symbol_path
    from stillframe.symbols.source_path import parse_source_path

    trees = parse_source_path(sources)
    if symbols is None:
        return DirectoryLocator(dump.parent, (), trees)
    if isinstance(symbols, str | PathLike | Sequence):
        return DirectoryLocator(dump.parent, parse_symbol_path(symbols), trees)
    if trees:
        from stillframe.errors import SourcePathError

        raise SourcePathError(str(trees[0].folder), "a locator of your own is asked alone")
    return symbols
