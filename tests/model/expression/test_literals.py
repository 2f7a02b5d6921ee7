"""Literals; the expected values are those of ISO C++17, [lex.literal]."""

from __future__ import annotations

import pytest

from stillframe.model.expression.reading import read
from stillframe.model.expression.syntax import Character, Float, Integer, Node, String


def literal(text: str) -> Node:
    return read(text, lambda name: False).tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("42", 42),
        ("052", 42),
        ("0x2a", 42),
        ("0X2A", 42),
        ("0b101010", 42),
        ("1'000'000", 1_000_000),
        ("0xdead'beef", 0xDEADBEEF),
        ("0n42", 42),
        ("0t52", 42),
        ("0x00007ff6`12340000", 0x7FF612340000),
        ("18446744073709551615", (1 << 64) - 1),
    ],
)
def test_integers(text: str, value: int) -> None:
    node = literal(text)
    assert isinstance(node, Integer)
    assert node.value == value


@pytest.mark.parametrize(
    ("text", "is_decimal", "is_unsigned", "longs"),
    [
        ("1", True, False, 0),
        ("01", False, False, 0),
        ("0x1", False, False, 0),
        ("1u", True, True, 0),
        ("1L", True, False, 1),
        ("1lu", True, True, 1),
        ("1ULL", True, True, 2),
        ("1LLU", True, True, 2),
        ("1i64", True, False, 2),
        ("1ui64", True, True, 2),
        ("1zu", True, True, 2),
    ],
)
def test_suffixes(text: str, is_decimal: bool, is_unsigned: bool, longs: int) -> None:
    assert literal(text) == Integer(1, 1, is_decimal, is_unsigned, longs)


@pytest.mark.parametrize(
    ("text", "value", "type_"),
    [
        ("1.5", 1.5, "double"),
        (".5", 0.5, "double"),
        ("5.", 5.0, "double"),
        ("1e3", 1000.0, "double"),
        ("1.5e-3f", 0.0015, "float"),
        ("2.L", 2.0, "long double"),
        ("0x1.8p1", 3.0, "double"),
        ("1'0.5", 10.5, "double"),
    ],
)
def test_floating_numbers(text: str, value: float, type_: str) -> None:
    node = literal(text)
    assert isinstance(node, Float)
    assert (node.value, node.type) == (value, type_)


@pytest.mark.parametrize(
    ("text", "value", "encoding"),
    [
        ("'a'", 97, "char"),
        (r"'\n'", 10, "char"),
        (r"'\0'", 0, "char"),
        (r"'\''", 39, "char"),
        (r"'\x41'", 65, "char"),
        (r"'\xff'", -1, "char"),
        (r"'\101'", 65, "char"),
        ("L'é'", 0xE9, "wchar_t"),
        (r"u'\u65e5'", 0x65E5, "char16_t"),
        ("U'😀'", 0x1F600, "char32_t"),
        ("u8'a'", 97, "char8_t"),
        ("'ab'", 0x6162, "int"),
        ("'RIFF'", 0x52494646, "int"),
    ],
)
def test_characters(text: str, value: int, encoding: str) -> None:
    node = literal(text)
    assert isinstance(node, Character)
    assert (node.value, node.encoding) == (value, encoding)


@pytest.mark.parametrize(
    ("text", "units", "encoding"),
    [
        ('""', (), "char"),
        ('"ab"', (97, 98), "char"),
        (r'"a\tb\\"', (97, 9, 98, 92), "char"),
        ('"é"', (0xC3, 0xA9), "char"),
        (r'"\xe9\0"', (0xE9, 0), "char"),
        ('u8"é"', (0xC3, 0xA9), "char8_t"),
        ('u"😀"', (0xD83D, 0xDE00), "char16_t"),
        ('U"😀"', (0x1F600,), "char32_t"),
        ('L"é"', (0xE9,), "wchar_t"),
    ],
)
def test_strings(text: str, units: tuple[int, ...], encoding: str) -> None:
    assert literal(text) == String(1, units, encoding)  # type: ignore[arg-type]


def test_a_sum_is_no_exponent_of_a_hexadecimal_number() -> None:
    """`0xe+1` is one token of C++, and no valid one; people who type it mean the sum."""
    node = literal("0xe+1")
    assert getattr(node, "operator", None) == "+"
