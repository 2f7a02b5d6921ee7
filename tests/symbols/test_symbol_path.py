"""Symbol paths as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillframe.errors import SymbolPathError
from stillframe.symbols.path import Element, Folder, Store, parse_symbol_path


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("", []),
        (";;", []),
        ("/a", [Folder(Path("/a"))]),
        ("/a; /b ;", [Folder(Path("/a")), Folder(Path("/b"))]),
        ("srv*/a", [Store(Path("/a"))]),
        ("SRV*/a*/b", [Store(Path("/a")), Store(Path("/b"))]),
        ("srv**/b", [Store(Path("/b"))]),
        ("symsrv*symsrv.dll*/a*/b", [Store(Path("/a")), Store(Path("/b"))]),
        ("cache*/c;/a", [Store(Path("/c")), Folder(Path("/a"))]),
        ("~/a", [Folder(Path.home() / "a")]),
    ],
)
def test_elements_in_order(text: str, elements: list[Element]) -> None:
    assert list(parse_symbol_path(text)) == elements


@pytest.mark.parametrize(
    ("text", "element"),
    [
        ("https://symbols.example.com", "https://symbols.example.com"),
        ("/a;srv*/c*https://symbols.example.com", "srv*/c*https://symbols.example.com"),
        ("srv*", "srv*"),
        ("symsrv*", "symsrv*"),
        ("cache*/a*/b", "cache*/a*/b"),
        ("ftp*/a", "ftp*/a"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, element: str) -> None:
    with pytest.raises(SymbolPathError) as caught:
        parse_symbol_path(text)
    assert caught.value.element == element
    assert "\n" not in str(caught.value)


def test_paths_are_not_split_and_sequences_are_joined() -> None:
    assert parse_symbol_path(Path("/a;b")) == (Folder(Path("/a;b")),)
    assert parse_symbol_path(["/a;/b", Path("/c")]) == (Folder(Path("/a")), Folder(Path("/b")), Folder(Path("/c")))
