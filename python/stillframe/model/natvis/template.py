"""Texts with expressions in braces: `size={_M_size}`, of which `{{` and `}}` are braces themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.model.expression.expression import Expression

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_PARTS = 1000


class Template:
    """A text whose expressions are read once."""

    def __init__(self, text: str) -> None:
        """:raises ValueError: if a brace has no partner."""
        self.text = text
        self.parts: tuple[str | Expression, ...] = tuple(_parts(text))
        """Texts and expressions, in turn."""
        if len(self.parts) > MOST_PARTS:
            raise ValueError(f"more than {MOST_PARTS} expressions")

    def __repr__(self) -> str:
        return f"<Template {self.text}>"


def _parts(text: str) -> Iterator[str | Expression]:
    literal, at = "", 0
    while at < len(text):
        if text[at : at + 2] in {"{{", "}}"}:
            literal += text[at]
            at += 2
        elif text[at] == "{":
            end = _end(text, at + 1)
            if literal:
                yield literal
            yield Expression(text[at + 1 : end].strip())
            literal, at = "", end + 1
        elif text[at] == "}":
            raise ValueError("a '}' that nothing opens; '}}' stands for itself")
        else:
            literal += text[at]
            at += 1
    if literal:
        yield literal


def _end(text: str, start: int) -> int:
    """Where the expression's brace closes; those in literals do not count."""
    quote, at = "", start
    while at < len(text):
        character = text[at]
        if quote and character == "\\":
            at += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and not (character == "'" and text[at - 1 : at].isalnum()):
            quote = character
        elif character == "}":
            return at
        at += 1
    raise ValueError("a '{' that nothing closes; '{{' stands for itself")
