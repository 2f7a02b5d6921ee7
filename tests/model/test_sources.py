"""Source text: checked, and marked where it is another version."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from stillframe import Absent, Reason
from stillframe.model.location import SourceLocation, SourceText
from stillframe.model.sources import Sources, split_lines
from stillframe.symbols.locate import DirectoryLocator

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe._engine import SourceFile

TEXT = b"int main()\n{\n}\n"


@dataclass
class FakeSourceFile:
    path: str
    checksum_kind: str | None = None
    checksum: bytes | None = None


def text_of(folder: Path, path: str, kind: str | None = None, checksum: bytes | None = None) -> SourceText | Absent:
    return Sources(DirectoryLocator(folder)).text(cast("SourceFile", FakeSourceFile(path, kind, checksum)))


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
def test_a_file_with_the_recorded_checksum_is_verified(tmp_path: Path, kind: str) -> None:
    (tmp_path / "main.cpp").write_bytes(TEXT)
    text = text_of(tmp_path, "C:\\src\\main.cpp", kind, hashlib.new(kind, TEXT).digest())
    assert isinstance(text, SourceText)
    assert (text.match, text.path, text.line(1)) == ("verified", tmp_path / "main.cpp", "int main()")


def test_another_version_is_marked_and_used_only_if_nothing_else_is_there(tmp_path: Path) -> None:
    digest = hashlib.sha256(TEXT).digest()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.cpp").write_bytes(b"changed\n")
    text = text_of(tmp_path, "C:\\src\\main.cpp", "sha256", digest)
    assert isinstance(text, SourceText)
    assert (text.match, text.lines) == ("mismatch", ("changed",))
    (tmp_path / "main.cpp").write_bytes(TEXT)
    text = text_of(tmp_path, "C:\\src\\main.cpp", "sha256", digest)
    assert isinstance(text, SourceText)
    assert (text.match, text.path) == ("verified", tmp_path / "main.cpp")


def test_without_a_recorded_checksum_nothing_is_verified(tmp_path: Path) -> None:
    (tmp_path / "main.cpp").write_bytes(TEXT)
    text = text_of(tmp_path, "main.cpp")
    assert isinstance(text, SourceText)
    assert text.match == "unverified"


def test_a_missing_file_is_absent(tmp_path: Path) -> None:
    assert text_of(tmp_path, "C:\\src\\main.cpp") == Absent.because(Reason.SOURCE_MISSING)


@pytest.mark.parametrize("line", [0xF00F00, 0xFEEFEE, 0])
def test_marks_of_the_compiler_are_no_lines(line: int) -> None:
    record = type("Record", (), {"file": FakeSourceFile("main.cpp"), "line": line})
    assert SourceLocation.of(record) == Absent.because(Reason.NO_LINE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", ()),
        (b"a", ("a",)),
        (b"a\n", ("a",)),
        (b"a\r\nb\rc\nd", ("a", "b", "c", "d")),
        (b"\n\n", ("", "")),
        # A form feed does not end a line for a compiler, nor does U+2028.
        ("a\fb\u2028c\nd".encode(), ("a\fb\u2028c", "d")),
        (b"\xef\xbb\xbfa\n", ("a",)),
        ("a\nß\n".encode("utf-16"), ("a", "ß")),
        (b"\xdf\n", ("ß",)),
    ],
)
def test_lines_are_split_as_compilers_do(data: bytes, lines: tuple[str, ...]) -> None:
    assert split_lines(data) == lines


def test_lines_count_from_one(tmp_path: Path) -> None:
    (tmp_path / "main.cpp").write_bytes(TEXT)
    text = text_of(tmp_path, "main.cpp")
    assert isinstance(text, SourceText)
    assert [text.line(number) for number in (-1, 0, 1, 3, 4)] == [None, None, "int main()", "}", None]


def test_a_file_with_other_line_ends_is_the_same(tmp_path: Path) -> None:
    """A checkout of git on Windows, and the same tree on Linux; and the other way round."""
    for recorded, here in ((TEXT.replace(b"\n", b"\r\n"), TEXT), (TEXT, TEXT.replace(b"\n", b"\r\n"))):
        (tmp_path / "main.cpp").write_bytes(here)
        text = text_of(tmp_path, "C:\\src\\main.cpp", "md5", hashlib.md5(recorded).digest())
        assert isinstance(text, SourceText)
        assert (text.match, text.has_other_line_ends, text.line(1)) == ("verified", True, "int main()")
        text = text_of(tmp_path, "C:\\src\\main.cpp", "md5", hashlib.md5(here).digest())
        assert isinstance(text, SourceText)
        assert (text.match, text.has_other_line_ends) == ("verified", False)


@pytest.mark.parametrize("checksum", [None, hashlib.md5(TEXT).digest()])
def test_what_is_no_text_is_not_shown(checksum: bytes | None, tmp_path: Path) -> None:
    (tmp_path / "main.cpp").write_bytes(b"\x7fELF\0\0\0")
    assert text_of(tmp_path, "main.cpp", "md5" if checksum else None, checksum) == Absent.because(Reason.SOURCE_MISSING)
    (tmp_path / "main.cpp").write_bytes("int main()".encode("utf-16"))
    text = text_of(tmp_path, "main.cpp")
    assert isinstance(text, SourceText)
    assert text.lines == ("int main()",)
