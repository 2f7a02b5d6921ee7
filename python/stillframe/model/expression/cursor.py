"""The tokens of an expression, read one after the other, and what every reader of them needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, NoReturn

from stillframe.errors import ExpressionError
from stillframe.model.expression.lexer import Token, tokens_of
from stillframe.model.expression.words import ELABORATED, FUNDAMENTAL, QUALIFIERS

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_NESTED = 100
"""How deep an expression may nest, in its text and as a tree: readers and evaluators call themselves at each level."""
MOST_IN_TEMPLATE = 500
"""Tokens between `<` and its `>`."""


class Cursor:
    """A place among the tokens. Going back is assigning `index`."""

    def __init__(self, text: str, is_type: Callable[[str], bool]) -> None:
        """:raises ExpressionError: if the text is too long to be read."""
        self.text = text
        self.is_type = is_type
        """Asked where C++ cannot be read without knowing what a name is: `(name)-1`, `name<1>(2)`."""
        self.tokens = tokens_of(text)
        self.index = 0
        self._depth = 0

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.index]

    def after(self, count: int = 1) -> Token:
        """The token `count` behind the next one; `end` behind the end."""
        return self.tokens[min(self.index + count, len(self.tokens) - 1)]

    def take(self) -> Token:
        """The next token, which is read by this."""
        token = self.token
        if token.kind != "end":
            self.index += 1
        return token

    def at(self, *operators: str) -> bool:
        """Whether the next token is one of these operators."""
        return self.token.kind == "operator" and self.token.text in operators

    def at_word(self, *words: str) -> bool:
        """Whether the next token is one of these words."""
        return self.token.kind == "name" and self.token.text in words

    def accept(self, operator: str) -> bool:
        """Reads `operator` if it comes next."""
        if not self.at(operator):
            return False
        self.index += 1
        return True

    def expect(self, operator: str, opened: Token | None = None) -> Token:
        """Reads `operator`, which closes what `opened` opened. :raises ExpressionError: if something else comes."""
        if not self.at(operator):
            if self.token.kind == "error":
                self.fail(self.token.text, self.token.column)
            whose = "" if opened is None else f" for the '{opened.text}' at column {opened.column}"
            self.fail(f"'{operator}' is missing{whose}", self.token.column)
        return self.take()

    def fail(self, reason: str, column: int) -> NoReturn:
        """:raises ExpressionError:"""
        raise ExpressionError(self.text, column, reason)

    def fail_here(self, wanted: str) -> NoReturn:
        """The next token is not what is wanted here. :raises ExpressionError:"""
        token = self.token
        if token.kind == "error":
            self.fail(token.text, token.column)
        found = "the expression ends" if token.kind == "end" else f"'{token.text}' stands"
        self.fail(f"{found} where {wanted} should be", token.column)

    def enter(self) -> None:
        """A level deeper. :raises ExpressionError: if that is too deep."""
        self._depth += 1
        if self._depth > MOST_NESTED:
            self.fail(f"nested more than {MOST_NESTED} levels deep", self.token.column)

    def leave(self) -> None:
        """A level up again."""
        self._depth -= 1


class QualifiedName(NamedTuple):
    """A name that was read, with scopes and template arguments."""

    name: str
    module: str | None
    column: int


def qualified_name(cursor: Cursor) -> QualifiedName:
    """Reads `module!::scope<arguments>::name`. :raises ExpressionError: if none stands here."""
    column = cursor.token.column
    module = cursor.take().text if cursor.token.kind == "module" else None
    words: list[str] = []
    if cursor.accept("::"):
        words.append("::")
    while True:
        if at_template_argument(cursor) and not words:
            words.append(f"${cursor.take().text}")
        elif cursor.token.kind == "name":
            words.append(cursor.take().text)
        else:
            cursor.fail_here("a name")
        if cursor.at("<"):
            arguments = _template_arguments(cursor, "".join(words))
            words.append(arguments)
        if not (cursor.at("::") and cursor.after().kind == "name"):
            break
        cursor.take()
        words.append("::")
    return QualifiedName("".join(words), module, column)


def at_template_argument(cursor: Cursor) -> bool:
    """Whether `$T1` or the like stands here: a visualizer's name for what its wildcard stands for."""
    token = cursor.token
    return token.kind == "pseudo" and token.text[:1] == "T" and token.text[1:].isdigit()


_ONLY_IN_TYPES = FUNDAMENTAL | QUALIFIERS | ELABORATED
_IN_ARGUMENTS = frozenset(("::", "*", "&", "&&", ",", "(", ")", "[", "]", "-", "...", "<", ">", ">>"))


def _template_arguments(cursor: Cursor, name: str) -> str:
    """The text of `<…>` if that is what stands here, else nothing: then `<` compares ([temp.names])."""
    start = cursor.index
    end = _end_of_arguments(cursor)
    if end is None:
        return ""
    inside = cursor.tokens[start:end]
    spelled = spell(inside)
    is_sure = any(token.text in _ONLY_IN_TYPES or token.kind == "pseudo" for token in inside)
    if _may_be_operand(cursor.tokens, end) and not is_sure and not cursor.is_type(name + spelled):
        return ""
    cursor.index = end
    return spelled


def _may_be_operand(tokens: list[Token], index: int) -> bool:
    """Whether what begins there could be the right side of a `>`; `*)` could not."""
    if tokens[index].kind in {"name", "module", "pseudo", "literal"}:
        return True
    while tokens[index].kind == "operator" and tokens[index].text in {"*", "&", "&&"}:
        index += 1
    token = tokens[index]
    return token.text in {"(", "-", "+", "!", "~"} or token.kind in {"name", "module", "pseudo", "literal"}


def _end_of_arguments(cursor: Cursor) -> int | None:
    """The index behind the `>` that closes the next token, `<`; None if what stands between is no arguments."""
    open_marks: list[str] = []
    for index in range(cursor.index, min(cursor.index + MOST_IN_TEMPLATE, len(cursor.tokens))):
        token = cursor.tokens[index]
        if token.kind in {"end", "error"} or (token.kind == "operator" and token.text not in _IN_ARGUMENTS):
            return None
        if token.kind != "operator":
            if _is_operand(cursor.tokens[index - 2 : index + 1]):
                return None
            continue
        if token.text in {"<", "(", "["}:
            open_marks.append(token.text)
        elif token.text in {")", "]"}:
            if open_marks.pop() != {")": "(", "]": "["}[token.text]:
                return None
        elif token.text.startswith(">"):
            closed = len(token.text)  # `>>` closes two
            if open_marks[-closed:] != ["<"] * closed:
                return None
            del open_marks[-closed:]
        if not open_marks:
            return index + 1
    return None


def _is_operand(tokens: list[Token]) -> bool:
    """Whether the last of three tokens is what the one before it is applied to: `size && j` of `i < size && j > 0`.

    In types nothing but `const` and `volatile` follows `*` and `&`; an argument itself may be `&name`.
    """
    before, operator, word = tokens
    if word.text in {"const", "volatile"} or operator.kind != "operator":
        return False
    return operator.text in {"*", "&&", "&", "-"} and not (before.text in {"<", ","} and operator.text in {"&", "-"})


def spell(tokens: list[Token]) -> str:
    """The tokens as one text, with blanks only where two words would become one."""
    text = ""
    for token in tokens:
        written = {"module": f"{token.text}!", "pseudo": f"${token.text}"}.get(token.kind, token.text)
        is_joined = text[-1:].isidentifier() or text[-1:].isdigit()
        text += f" {written}" if is_joined and (written[:1].isidentifier() or written[:1].isdigit()) else written
    return text
