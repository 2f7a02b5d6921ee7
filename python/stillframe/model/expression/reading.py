"""The text of an expression, read once for all scopes in which it means the same tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.model.expression.cursor import Cursor
from stillframe.model.expression.parser import expression, refuse_rest
from stillframe.model.expression.specifiers import PLAIN, Format, format_behind_comma

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillframe.model.expression.syntax import Node

MOST_READINGS = 8
"""Kept of one text, for as many sets of answers to what the scopes were asked."""


class Reading(NamedTuple):
    """What a text means where its names are what was said."""

    tree: Node
    format: Format
    asked: tuple[tuple[str, bool], ...]
    """Names that it had to be known of whether they are types, with the answers. Most texts ask nothing."""

    def holds(self, is_type: Callable[[str], bool]) -> bool:
        """Whether the same would be read where `is_type` answers."""
        return all(is_type(name) == answer for name, answer in self.asked)


def read(text: str, is_type: Callable[[str], bool]) -> Reading:
    """Reads an expression and the format specifiers behind it.

    :raises ExpressionError: if it is none; with the column.
    """
    asked: dict[str, bool] = {}

    def ask(name: str) -> bool:
        if name not in asked:
            asked[name] = is_type(name)
        return asked[name]

    cursor = Cursor(text, ask)
    tree = expression(cursor)
    format_ = format_behind_comma(cursor, expression) if cursor.at(",") else PLAIN
    if format_ is PLAIN:
        refuse_rest(cursor)
    return Reading(tree, format_, tuple(asked.items()))


class Text:
    """A text that is evaluated in many scopes.

    It is read again only where one of its names is a type there and was none before, or the other way round.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._readings: list[Reading] = []

    def __repr__(self) -> str:
        return f"<Text {self.text}>"

    def reading(self, is_type: Callable[[str], bool]) -> Reading:
        """What it means where `is_type` answers. :raises ExpressionError:"""
        for known in self._readings:
            if known.holds(is_type):
                return known
        new = read(self.text, is_type)
        self._readings = [new, *self._readings[: MOST_READINGS - 1]]
        return new
