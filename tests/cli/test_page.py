"""Text for people: aligned, and unable to steer a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from stillframe.cli.page import Page, Styled, one_line, write


def test_columns_are_aligned_and_lines_have_no_trailing_space() -> None:
    page = Page()
    page.table([["#0", "main", "", "a.cpp:1"], ["#10", "f", "", ""]])
    assert str(page) == "#0   main  a.cpp:1\n#10  f\n"


def test_a_column_can_be_flush_right() -> None:
    page = Page()
    page.table([["7", "x"], ["123", "y"]], right=frozenset({0}), indent="  ")
    assert str(page) == "    7  x\n  123  y\n"


def test_one_very_long_name_does_not_move_the_column_of_the_others() -> None:
    page = Page()
    page.table([["short", "a.cpp:1"], ["x" * 200, "b.cpp:2"]])
    assert str(page).splitlines() == ["short  a.cpp:1", "x" * 200 + "  b.cpp:2"]


def test_blank_lines_do_not_pile_up_nor_begin_a_page() -> None:
    page = Page()
    page.blank()
    page.line("a")
    page.blank()
    page.blank()
    page.line("b")
    assert str(page) == "a\n\nb\n"


# A clear screen, a title of a terminal, a carriage return that hides the line, C1's CSI, and text run backwards.
@pytest.mark.parametrize(
    "hostile", ["\x1b[2J", "\x1b]0;x\x07", "real\rfake", "a\nb", "\x9b2J", "\u202egpj.exe", "\x7f"]
)
def test_names_from_files_cannot_steer_a_terminal(hostile: str) -> None:
    page = Page()
    page.line("module ", Styled(hostile, "bold"))
    (line,) = str(page).splitlines()
    assert all(character.isprintable() for character in line)


def test_tabs_of_source_lines_stay() -> None:
    assert one_line("\tint x;\t// y") == "\tint x;\t// y"


def test_what_the_output_cannot_encode_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", output)
    write("grün \U0001f4a5\n")
    assert output.buffer.getvalue() == b"gr\\xfcn \\U0001f4a5\n"
