"""`stillframe eval` over the hello world of the README, whose one variable is `const char *const message`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.data import EXAMPLES
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

HELLO = EXAMPLES / "hello" / "hello.dmp"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("message", r'(const char *const) 0x009f7b30 "Hello World!\n"  [ebp-0x8]'),
        ("message + 6", r'(const char *) 0x009f7b36 "World!\n"'),
        ("message[4] == 'o'", "(bool) true"),
        ("message,5", '(const char[5]) "Hello"  0x9f7b30'),
        ("*message,x", "(const char) 0x48  0x9f7b30"),
        ("sizeof(message) * 2", "(size_t) 8"),
        ("(unsigned short)-1", "(unsigned short) 65535"),
        ("$pc", "(void *) 0x009f1944"),
        ("&main", "(int (*)()) hello!main (0x009f1916)"),
    ],
)
def test_values(text: str, shown: str, stillframe_command: Command) -> None:
    result = stillframe_command("eval", HELLO, text, "--frame", 1)
    assert (result.code, result.out.rstrip("\n"), result.err) == (0, shown, "")


def test_json(stillframe_command: Command) -> None:
    assert stillframe_command("eval", HELLO, "message[1]", "--frame", 1, "--json").json == {
        "expression": "message[1]",
        "type": "const char",
        "value": "101 'e'",
        "place": "0x9f7b31",
        "address": "0x009f7b31",
        "absent": None,
    }


def test_a_mistake_is_pointed_at(stillframe_command: Command) -> None:
    result = stillframe_command("eval", HELLO, "message + massage", "--frame", 1)
    assert (result.code, result.out) == (1, "")
    source, caret, line = result.err.splitlines()
    assert source == "message + massage"
    assert caret == " " * 10 + "^"
    assert line.startswith("stillframe: column 11: massage means nothing in main: ")


def test_hostile_texts_are_one_short_answer(stillframe_command: Command) -> None:
    for text in ("(" * 10_000 + "1" + ")" * 10_000, "9" * 100_000, "\x1b[31m\n" * 50):
        result = stillframe_command("eval", HELLO, text)
        assert result.code == 1
        assert len(result.err) < 600
        assert "\x1b" not in result.err


def test_what_is_absent_is_named(stillframe_command: Command) -> None:
    result = stillframe_command("eval", HELLO, "*(int *)0x10")
    assert (result.code, result.out) == (1, "(int) <not in this dump>  0x10\n")
    assert result.err.startswith("stillframe: *(int *)0x10: not in this dump; ")
    result = stillframe_command("eval", HELLO, "*(int *)0x10 + 1")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("stillframe: 0x10 not in this dump; ")


def test_a_dump_without_threads_has_constants(tmp_path: Path, stillframe_command: Command) -> None:
    path = DumpBuilder("amd64").write(tmp_path / "empty.dmp")
    assert stillframe_command("eval", path, "sizeof(void *) + 0x10").out == "(size_t) 24\n"
    assert stillframe_command("eval", path, "1", "--frame", 0).code == 1
