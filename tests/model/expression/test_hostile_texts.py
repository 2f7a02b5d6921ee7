"""Texts that nobody types: deep, long, huge, random. Each ends in time, with a tree or one error."""

from __future__ import annotations

import random
import time

import pytest

from stillframe.errors import ExpressionError
from stillframe.model.expression.reading import read

SECONDS = 5.0
"""For one text, on a slow machine. What is not bounded takes minutes."""

DEEP = {
    "parentheses": "(" * 10_000 + "1" + ")" * 10_000,
    "open parentheses": "(" * 10_000,
    "negations": "- " * 10_000 + "1",
    "complements": "~" * 10_000 + "1",
    "stars": "*" * 10_000 + "p",
    "casts": "(int)" * 3_000 + "1",
    "casts of names": "(x)" * 5_000 + "1",
    "types in parentheses": "(int (" + "*(" * 5_000,
    "types that end": "(int " + "(*" * 2_000 + ")" * 2_000 + ")p",
    "pointers": "(int" + "*" * 10_000 + ")p",
    "functions of functions": "(int (*)(" * 1_500,
    "sums": "+".join(["a"] * 8_000),
    "products of sums": "+a*".join(["a"] * 4_000),
    "members": ".a".join(["a"] * 5_000),
    "indexes": "a" + "[0]" * 5_000,
    "indexes in indexes": "a[" * 8_000,
    "calls": "f(" * 8_000,
    "conditions": "a?" * 8_000,
    "otherwises": "a?b:" * 4_000 + "c",
    "sizes": "sizeof " * 2_000 + "a",
    "less than": "a<" * 8_000 + "a",
    "template arguments": "a<" * 4_000 + "b" + ">" * 4_000,
    "commas and less": "f(" + ",".join(["a<a"] * 3_000) + ")",
    "static casts": "static_cast<int>(" * 900,
    "counts in counts": "p,[a[" * 3_000,
    "array bounds": "sizeof(int" + "[9]" * 5_000 + ")",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_deep_texts_are_refused_in_time(text: str) -> None:
    started = time.monotonic()
    for answer in (False, True):
        with pytest.raises(ExpressionError) as caught:
            read(text, lambda name, answer=answer: answer)  # type: ignore[misc]
        assert 1 <= caught.value.column <= len(text) + 1
        assert len(caught.value.pointed) < 400
    assert time.monotonic() - started < SECONDS


def test_ten_thousand_parentheses_are_told_by_their_limit() -> None:
    with pytest.raises(ExpressionError, match=r"^column \d+: nested more than 100 levels deep$"):
        read("(" * 10_000 + "1" + ")" * 10_000, lambda name: False)


def test_fifty_levels_are_read() -> None:
    for text in (
        "(" * 50 + "1" + ")" * 50,
        "- " * 50 + "1",
        "a" + "->a" * 90,
        "+".join("a" * 90),
        "(int" + "*" * 50 + ")p",
    ):
        read(text, lambda name: False)


@pytest.mark.parametrize("text", ["a::" * 5_000 + "a", "(" + "unsigned " * 3_000 + ")p", "f(a)," + "x" * 5_000])
def test_long_texts_are_read_in_time(text: str) -> None:
    started = time.monotonic()
    read(text, lambda name: False)
    assert time.monotonic() - started < SECONDS


def refusal(text: str) -> ExpressionError | None:
    try:
        read(text, lambda name: name.startswith("T"))
    except ExpressionError as error:
        return error
    return None


def test_a_megabyte_is_refused_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(ExpressionError, match=r"1,048,576 characters; at most 32,768 are read$") as caught:
        read("a" * (1 << 20), lambda name: False)
    assert caught.value.column == 32_769
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("text", ["9" * 16_000, "0x" + "f" * 16_000, "0b" + "1" * 16_000, "'" + "a" * 16_000 + "'"])
def test_huge_literals_are_refused(text: str) -> None:
    error = refusal(text)
    assert error is not None
    assert error.column == 1
    assert len(str(error)) < 200


PIECES = [
    *"()[]<>{}+-*/%&|^~!?:.,;=@$#'\"\\` \n\x00é",
    "->",
    "::",
    "<<",
    ">>",
    "&&",
    "||",
    "==",
    "++",
    "0x1f",
    "1.5e3",
    "7u",
]
PIECES += [
    "int",
    "unsigned",
    "const",
    "sizeof",
    "static_cast",
    "this",
    "x",
    "T",
    "app!y",
    "@rax",
    "'a'",
    '"s"',
    "operator",
]


def test_random_texts_end_in_a_tree_or_one_error() -> None:
    source = random.Random(4)
    refused = 0
    for _ in range(20_000):
        text = "".join(source.choice(PIECES) for _ in range(source.randint(0, 14)))
        error = refusal(text)
        if error is not None:
            refused += 1
            assert 1 <= error.column <= len(text) + 1, text
            assert "\n" not in str(error), text
    assert 0 < refused < 20_000
