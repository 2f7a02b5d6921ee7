"""From the text of an expression to tokens (C++17 [lex], with what debuggers add to it).

What is no token becomes one of kind `error`: behind the comma of format specifiers (`p,10x`) nothing is C++.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from stillframe.errors import ExpressionError
from stillframe.model.expression import literals

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillframe.model.expression.syntax import Node

LONGEST_TEXT = 32_768
"""Characters of an expression. Those of people have tens, of visualizers hundreds."""

Kind: TypeAlias = Literal["name", "module", "pseudo", "literal", "operator", "error", "end"]


class Token(NamedTuple):
    """A token, or what is wrong where one was expected."""

    kind: Kind
    text: str
    """As written; of a name spelled with blanks (`(anonymous namespace)`), with one blank each; of `module` and
    `pseudo` without the marks; of `error` the message."""
    column: int
    end: int
    """Index in the text behind the token."""
    literal: Node | None = None


_ALTERNATIVE = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "bitand": "&",
    "bitor": "|",
    "xor": "^",
    "compl": "~",
    "not_eq": "!=",
}
"""Other spellings of operators ([lex.digraph])."""

# A module's name is as WinDbg spells it: letters, digits, dots and underscores, before `!` and a symbol.
_TOKEN = re.compile(
    r"""
    (?P<blank>\s+)
  | (?P<string>(?:u8|[uUL])?"(?:[^"\\\n]|\\.)*")
  | (?P<character>(?:u8|[uUL])?'(?:[^'\\\n]|\\.)+')
  | (?P<number>0[xX](?:[0-9a-fA-F]|['`](?=[0-9a-fA-F]))*(?:\.[0-9a-fA-F']*)?(?:[pP][+-]?[0-9]+)?\w*
             | 0[nty][0-9]+\w*
             | (?:\.[0-9]|[0-9](?:[0-9]|'(?=[0-9]))*\.?)(?:[0-9]|'(?=[0-9]))*(?:[eE][+-]?[0-9]+)?\w*)
  | (?P<module>[A-Za-z_][\w.]{0,255})!(?=[A-Za-z_:`?<(])
  | (?P<decorated>(?<=!)\?[\w@?$]+)
  | (?P<name>[^\W\d][\w$]*
           | `[\w .,<>:*&()-]+'
           | \(\s*anonymous\s+(?:namespace|class|struct|union|enum)\s*\)
           | <(?:lambda|unnamed-|unnamed_)[\w$-]*>)
  | (?P<pseudo>@\$?[^\W\d]\w*|\$\w+)
  | (?P<operator><=>|=>|<<=|>>=|->\*|\.\.\.|::|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\.\*
               | [-+*/%&|^~!<>=?:.,()\[\]{};])
    """,
    re.VERBOSE,
)


def tokens_of(text: str) -> list[Token]:
    """The tokens of `text`; the last is `end`.

    :raises ExpressionError: if the text is longer than `LONGEST_TEXT`.
    """
    if len(text) > LONGEST_TEXT:
        raise ExpressionError(
            text, LONGEST_TEXT + 1, f"the expression has {len(text):,} characters; at most {LONGEST_TEXT:,} are read"
        )
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            token = Token("error", _why_none(text, position), position + 1, position + 1)
            position += 1
        else:
            position = found.end()
            if found.lastgroup == "blank":
                continue
            token = _token(found)
        tokens.append(token)
    tokens.append(Token("end", "", len(text) + 1, len(text)))
    return tokens


def _token(found: re.Match[str]) -> Token:
    kind, text, column, end = found.lastgroup or "", found.group(), found.start() + 1, found.end()
    if kind in _LITERALS:
        try:
            return Token("literal", text, column, end, _LITERALS[kind](text, column))
        except literals.BadLiteral as error:
            return Token("error", str(error), column + error.offset, end)
    if kind == "operator" or text in _ALTERNATIVE:
        return Token("operator", _ALTERNATIVE.get(text, text), column, end)
    if kind == "module":
        return Token("module", text[:-1], column, end)
    if kind == "pseudo":
        return Token("pseudo", text.lstrip("@$"), column, end)
    return Token("name", " ".join(text.split()).replace("( ", "(").replace(" )", ")"), column, end)


_LITERALS: dict[str, Callable[[str, int], Node]] = {
    "number": literals.number,
    "string": literals.string,
    "character": literals.character,
}


def _why_none(text: str, position: int) -> str:
    character = text[position]
    if character in "\"'":
        return f"this {'string' if character == chr(34) else 'character'} does not end"
    shown = repr(character) if character.isprintable() else f"U+{ord(character):04X}"
    return f"{shown} means nothing here"
