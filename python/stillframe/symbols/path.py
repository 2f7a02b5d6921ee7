"""Symbol paths: where to look, in order.

Source: Microsoft, "Symbol path for Windows debuggers" and "Using SymSrv" (elements `srv*`, `symsrv*`, `cache*`).
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from stillframe.errors import SymbolPathError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Folder(NamedTuple):
    """A plain directory: holds files under their names, or is the root of a local store."""

    path: Path


class Store(NamedTuple):
    """The root of a local symbol store: holds files as NAME/KEY/NAME only."""

    path: Path


Element: TypeAlias = Folder | Store


def parse_symbol_path(symbols: str | PathLike[str] | Iterable[str | PathLike[str]]) -> tuple[Element, ...]:
    """Elements in the order of search. A `str` is split at `;`; any other path is one folder.

    :raises SymbolPathError: if an element needs a server, or is malformed.
    """
    if isinstance(symbols, str):
        return tuple(element for text in symbols.split(";") if text.strip() for element in _parse(text.strip()))
    if isinstance(symbols, PathLike):
        return (Folder(Path(symbols)),)
    return tuple(element for each in symbols for element in parse_symbol_path(each))


def _parse(text: str) -> list[Element]:
    kind, *tokens = text.split("*")
    match kind.lower():
        case "srv":
            pass
        case "symsrv":
            if not tokens:
                raise SymbolPathError(text, "names no store")
            tokens = tokens[1:]  # the name of a DLL that would do the work
        case "cache":
            if len(tokens) > 1:
                raise SymbolPathError(text, "cache* takes one directory")
        case _ if tokens:
            raise SymbolPathError(text, f"unknown kind {kind}*; srv*, symsrv* and cache* are known")
        case _:
            return [Folder(_local(text, text))]
    # An empty token stands for the default downstream store, a cache of downloads: nothing is downloaded yet.
    stores: list[Element] = [Store(_local(token, text)) for token in tokens if token.strip()]
    if not stores:
        raise SymbolPathError(text, "names no store")
    return stores


def _local(token: str, element: str) -> Path:
    if token.strip().lower().startswith(("http:", "https:")):
        raise SymbolPathError(element, "symbol servers are not supported yet; download the files and give their folder")
    return Path(token.strip()).expanduser()
