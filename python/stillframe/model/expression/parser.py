"""From tokens to a tree: operators by how tightly they bind (Pratt), C++17 [expr] and annex A.4.

What would change the program or run it is refused where it stands. Nothing here looks a name up, but for the one
question that C++ itself cannot do without: `Cursor.is_type`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.model.expression.cursor import MOST_NESTED, Cursor, at_template_argument, qualified_name
from stillframe.model.expression.syntax import (
    Binary,
    Boolean,
    Call,
    Cast,
    CastKind,
    Conditional,
    Index,
    Lambda,
    Member,
    Name,
    Node,
    Null,
    Pseudo,
    SizeOf,
    This,
    Unary,
    parts,
)
from stillframe.model.expression.type_names import specifier, starts_type, type_name, type_or_none

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillframe.model.expression.lexer import Token

MOST_ARGUMENTS = 32

_BINDING = {
    operator: strength
    for strength, operators in enumerate(("||", "&&", "|", "^", "&", "== !=", "< <= > >=", "<< >>", "+ -", "* / %"), 2)
    for operator in operators.split()
}
"""Of binary operators, which all group from the left ([expr.mul] to [expr.log.or])."""
_CONDITIONAL = 1
_UNARY = max(_BINDING.values()) + 1

_CHANGES = "expressions change nothing: stillframe shows what a dump holds"
_REFUSED = {
    **dict.fromkeys(("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="), f"no assignment; {_CHANGES}"),
    **dict.fromkeys(("++", "--"), f"no increment or decrement; {_CHANGES}"),
    "<=>": "three-way comparison is not supported; compare with < or ==",
    ".*": "pointers to members are not followed",
    "->*": "pointers to members are not followed",
    "=>": "an arrow stands in the parentheses of a method: .Where(x => x > 1)",
    "{": "braces are not supported: no initializers, no lambdas",
    ";": "one expression, no statements",
}
_REFUSED_WORDS = {
    **dict.fromkeys(("new", "delete"), f"no {{}}; {_CHANGES}"),
    **dict.fromkeys(("throw", "co_await", "co_yield"), "no {}; stillframe does not run code of the program"),
    **dict.fromkeys(("typeid", "alignof", "noexcept", "decltype", "auto", "operator"), "{} is not supported"),
    **dict.fromkeys(("if", "for", "while", "do", "return", "switch"), "one expression, no statements such as {}"),
}
_NAMED_CASTS: dict[str, CastKind] = {
    "static_cast": "static_cast",
    "reinterpret_cast": "reinterpret_cast",
    "const_cast": "const_cast",
    "dynamic_cast": "dynamic_cast",
}
_CONSTANTS: dict[str, Callable[[int], Node]] = {
    "true": lambda column: Boolean(column, True),
    "false": lambda column: Boolean(column, False),
    "nullptr": Null,
    "this": This,
}


def expression(cursor: Cursor) -> Node:
    """Reads an expression, up to what cannot belong to it. :raises ExpressionError:"""
    tree = _operation(cursor, _CONDITIONAL)
    _refuse_tall(cursor, tree)
    return tree


def refuse_rest(cursor: Cursor) -> None:
    """:raises ExpressionError: if anything but the end stands here, saying why it cannot."""
    token = cursor.token
    if token.kind == "end":
        return
    if token.kind == "error":
        cursor.fail(token.text, token.column)
    if token.text in {")", "]", "}"}:
        cursor.fail(f"this '{token.text}' closes nothing", token.column)
    cursor.fail(_REFUSED.get(token.text, f"an operator is missing before '{token.text}'"), token.column)


def _refuse_tall(cursor: Cursor, tree: Node) -> None:
    """`a+a+a+…` nests as a tree though not in the text; who evaluates it goes down all the same."""
    level: list[Node] = [tree]
    for _ in range(MOST_NESTED + 1):
        level = [part for node in level for part in parts(node)]
        if not level:
            return
    cursor.fail(f"more than {MOST_NESTED} operations build on one another", level[0].column)


def _operation(cursor: Cursor, weakest: int) -> Node:
    """Reads an operand and the operators behind it that bind at least as tightly as `weakest`."""
    cursor.enter()
    left = _operand(cursor)
    links = 0
    while cursor.token.kind == "operator":
        token = cursor.token
        strength = _BINDING.get(token.text)
        if token.text == "?" and weakest <= _CONDITIONAL:
            left = _conditional(cursor, left)
        elif strength is not None and strength >= weakest:
            cursor.take()
            left = Binary(token.column, token.text, left, _operation(cursor, strength + 1))
        elif token.text in _REFUSED:
            cursor.fail(_REFUSED[token.text], token.column)
        else:
            break
        links += 1
        if links > MOST_NESTED:
            cursor.fail(f"more than {MOST_NESTED} operations build on one another", token.column)
    cursor.leave()
    return left


def _conditional(cursor: Cursor, condition: Node) -> Node:
    column = cursor.take().column
    yes = _operation(cursor, _CONDITIONAL)
    cursor.expect(":")
    return Conditional(column, condition, yes, _operation(cursor, _CONDITIONAL))


# --- operands -------------------------------------------------------------------------------------------------------


def _operand(cursor: Cursor) -> Node:
    """A unary expression or a cast ([expr.unary], [expr.cast])."""
    token = cursor.token
    if cursor.at("+", "-", "!", "~", "*", "&"):
        cursor.take()
        return Unary(token.column, token.text, _operation(cursor, _UNARY))
    if cursor.at("&&"):
        cursor.fail("'&&' needs an operand on its left", token.column)
    if cursor.at_word("sizeof"):
        return _size_of(cursor)
    if cursor.at("("):
        found = _c_cast(cursor)
        if found is not None:
            return found
    return _postfix(cursor, _primary(cursor))


def _c_cast(cursor: Cursor) -> Node | None:
    """Reads `(type)operand` if it is one; else the cursor stays before the parenthesis."""
    start = cursor.index
    opened = cursor.take()
    found = type_or_none(cursor)
    if found is not None:
        type_, is_sure = found
        spelled = cursor.text[opened.column : cursor.token.column - 1].strip()
        closing = cursor.take()
        if is_sure or _is_cast(cursor, spelled):
            if cursor.token.kind == "end" or not _may_begin_operand(cursor.token):
                cursor.fail("a type in parentheses is a cast, and what it casts is missing", closing.column + 1)
            return Cast(opened.column, type_, _operation(cursor, _UNARY))
    cursor.index = start
    return None


def _is_cast(cursor: Cursor, name: str) -> bool:
    """Whether `(name)` before the next token is a cast: `(name)x` is, `(name).x` is not, `(name)-1` depends on it."""
    token = cursor.token
    if token.kind in {"name", "module", "pseudo", "literal"}:
        return True
    if token.kind == "operator" and token.text in {"!", "~", "::"}:
        return True
    return token.kind == "operator" and token.text in {"(", "*", "&", "-", "+"} and cursor.is_type(name)


def _may_begin_operand(token: Token) -> bool:
    return token.kind != "operator" or token.text in {"(", "*", "&", "-", "+", "!", "~", "::", "++", "--"}


def _size_of(cursor: Cursor) -> Node:
    column = cursor.take().column
    if not cursor.at("("):
        return SizeOf(column, _operation(cursor, _UNARY))
    start = cursor.index
    cursor.take()
    found = type_or_none(cursor)
    if found is not None and found[1] and cursor.accept(")"):
        return SizeOf(column, found[0])
    cursor.index = start
    # Not as a cast: `sizeof (x) - 1` subtracts.
    return SizeOf(column, _postfix(cursor, _parenthesized(cursor)))


def _postfix(cursor: Cursor, operand: Node) -> Node:
    """Reads `.x`, `->x`, `[i]`, `(…)` behind an operand ([expr.post])."""
    links = 0
    while cursor.at(".", "->", "[", "(", "++", "--"):
        token = cursor.take()
        if token.text in {".", "->"}:
            if not (cursor.token.kind == "name" or cursor.at("::")):
                cursor.fail_here("the name of a member")
            found = qualified_name(cursor)
            operand = Member(found.column, operand, found.name, token.text == "->")
        elif token.text == "[":
            index = _operation(cursor, _CONDITIONAL)
            cursor.expect("]", token)
            operand = Index(token.column, operand, index)
        elif token.text == "(":
            operand = Call(token.column, operand, _arguments(cursor, token))
        else:
            cursor.fail(_REFUSED[token.text], token.column)
        links += 1
        if links > MOST_NESTED:
            cursor.fail(f"more than {MOST_NESTED} operations build on one another", token.column)
    return operand


def _arguments(cursor: Cursor, opened: Token) -> tuple[Node, ...]:
    arguments: list[Node] = []
    while not cursor.at(")"):
        if arguments and not cursor.accept(","):
            break
        if len(arguments) == MOST_ARGUMENTS:
            cursor.fail(f"more than {MOST_ARGUMENTS} arguments", cursor.token.column)
        arguments.append(_argument(cursor))
    cursor.expect(")", opened)
    return tuple(arguments)


def _argument(cursor: Cursor) -> Node:
    if not (cursor.token.kind == "name" and cursor.after().text == "=>"):
        return _operation(cursor, _CONDITIONAL)
    parameter = cursor.take()
    cursor.expect("=>")
    return Lambda(parameter.column, parameter.text, _operation(cursor, _CONDITIONAL))


def _primary(cursor: Cursor) -> Node:
    token = cursor.token
    if token.literal is not None:
        cursor.take()
        return token.literal
    if token.kind == "pseudo" and not (at_template_argument(cursor) and cursor.after().text == "::"):
        cursor.take()
        return Pseudo(token.column, token.text)
    if cursor.at("("):
        return _parenthesized(cursor)
    if token.kind == "name" and (found := _word(cursor)) is not None:
        return found
    if token.kind in {"name", "module", "pseudo"} or cursor.at("::"):
        name = qualified_name(cursor)
        return Name(name.column, name.name, name.module)
    if token.kind == "operator" and token.text in _REFUSED:
        cursor.fail(_REFUSED[token.text], token.column)
    if cursor.at("[") and cursor.after().text in {"]", "&", "="}:
        cursor.fail("no lambdas; stillframe does not run code of the program", token.column)
    return cursor.fail_here("a value")


def _word(cursor: Cursor) -> Node | None:
    """Reads what begins with a word of the language; nothing if the next token is a name."""
    token = cursor.token
    if token.text in _REFUSED_WORDS:
        cursor.fail(_REFUSED_WORDS[token.text].format(token.text), token.column)
    if token.text in _CONSTANTS:
        cursor.take()
        return _CONSTANTS[token.text](token.column)
    if token.text in _NAMED_CASTS:
        return _named_cast(cursor)
    return _functional_cast(cursor) if starts_type(cursor) else None


def _parenthesized(cursor: Cursor) -> Node:
    opened = cursor.take()
    inside = _operation(cursor, _CONDITIONAL)
    if cursor.at(","):
        cursor.fail("no comma operator; format specifiers stand behind the last parenthesis", cursor.token.column)
    cursor.expect(")", opened)
    return inside


def _named_cast(cursor: Cursor) -> Node:
    word = cursor.take()
    opened = cursor.expect("<")
    type_ = type_name(cursor, ">")
    cursor.expect(">", opened)
    opened = cursor.expect("(")
    operand = _operation(cursor, _CONDITIONAL)
    cursor.expect(")", opened)
    return _postfix(cursor, Cast(word.column, type_, operand, _NAMED_CASTS[word.text]))


def _functional_cast(cursor: Cursor) -> Node:
    """`int(x)`, of a type of one word; with the name of a class it reads as a call."""
    type_ = specifier(cursor)
    if not cursor.at("("):
        cursor.fail("a type is no value; cast with (type)value or ask for sizeof(type)", type_.column)
    opened = cursor.take()
    operand = _operation(cursor, _CONDITIONAL)
    cursor.expect(")", opened)
    return Cast(type_.column, type_, operand)
