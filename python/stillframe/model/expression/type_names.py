"""Types as they are written in casts and `sizeof` (C++17 [dcl.name], type-id)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from stillframe.model.expression.cursor import MOST_NESTED, at_template_argument, qualified_name
from stillframe.model.expression.syntax import (
    ArrayType,
    FunctionType,
    Integer,
    NamedType,
    PointerType,
    ReferenceType,
    TypeName,
    parts,
)
from stillframe.model.expression.words import ELABORATED, FUNDAMENTAL, QUALIFIERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillframe.model.expression.cursor import Cursor

_IGNORED = frozenset({"__ptr64", "__ptr32", "__unaligned", "__restrict", "__cdecl", "__stdcall", "__fastcall"})
MOST_ELEMENTS = 1 << 32
"""Of an array that is written out."""


def starts_type(cursor: Cursor) -> bool:
    """Whether a word stands here that only types begin with."""
    return cursor.at_word(*FUNDAMENTAL, *QUALIFIERS, *ELABORATED)


def type_or_none(cursor: Cursor) -> tuple[TypeName, bool] | None:
    """Reads the type that stands before a `)`, and whether it can be nothing else. If none does, the cursor stays.

    What is but a name, perhaps with `[…]` behind it, may be an expression.
    """
    if not _may_begin(cursor):
        return None
    start = cursor.index
    is_sure = starts_type(cursor)
    base = _specifiers(cursor)
    found = None if base is None else _abstract_declarator(cursor, base, may_be_array=is_sure)
    if found is None or not cursor.at(")"):
        cursor.index = start
        return None
    return found, is_sure or not isinstance(found, NamedType)


def _may_begin(cursor: Cursor) -> bool:
    return cursor.token.kind in {"name", "module"} or cursor.at("::") or at_template_argument(cursor)


def type_name(cursor: Cursor, closing: str = ")") -> TypeName:
    """Reads a type that has to stand here, before `closing`. :raises ExpressionError:"""
    base = _specifiers(cursor)
    found = None if base is None else _abstract_declarator(cursor, base, may_be_array=True)
    if found is None or not cursor.at(closing):
        cursor.fail_here("a type")
    return found


def specifier(cursor: Cursor) -> TypeName:
    """Reads a type without `*`, `&` or `[]`: that before `(` in `int(x)`. :raises ExpressionError:"""
    return _specifiers(cursor) or cursor.fail_here("a type")


def _specifiers(cursor: Cursor) -> NamedType | None:
    column = cursor.token.column
    qualifiers: set[str] = set()
    words: list[str] = []
    name, module = "", None
    while _may_begin(cursor):
        word = cursor.token.text
        if cursor.token.kind == "name" and word in QUALIFIERS:
            qualifiers.add(word)
        elif cursor.token.kind == "name" and word in FUNDAMENTAL and not name:
            words.append(word)
        elif cursor.token.kind == "name" and word in ELABORATED | _IGNORED:
            pass
        elif name or words:
            break
        else:
            name, module, _ = qualified_name(cursor)
            continue
        cursor.take()
    if words:
        spelled = " ".join(words)
        return NamedType(column, spelled, "const" in qualifiers, "volatile" in qualifiers, None, is_fundamental=True)
    return NamedType(column, name, "const" in qualifiers, "volatile" in qualifiers, module) if name else None


# --- declarators ----------------------------------------------------------------------------------------------------

Step: TypeAlias = "Callable[[TypeName], TypeName]"
"""What a part of a declarator makes of the type before it."""


def _abstract_declarator(cursor: Cursor, base: TypeName, *, may_be_array: bool) -> TypeName | None:
    """What `*`, `&`, `[3]`, `(*)(int)` make of `base`. None if something else stands here."""
    steps = _steps(cursor, may_be_array=may_be_array)
    if steps is None:
        return None
    for step in steps:
        base = step(base)
    if _height(base) > MOST_NESTED:
        cursor.fail(f"a type of more than {MOST_NESTED} levels", base.column)
    return base


def _height(base: TypeName) -> int:
    """Of the chain of targets alone: each parameter of a function was read, and measured, before."""
    height = 1
    while (below := parts(base)) and isinstance(below[0], TypeName):
        base, height = below[0], height + 1
    return height


def _steps(cursor: Cursor, *, may_be_array: bool) -> list[Step] | None:
    cursor.enter()
    steps = _pointers(cursor)
    inner: list[Step] = []
    is_nested = cursor.at("(") and cursor.after().kind == "operator" and cursor.after().text in {"*", "&", "&&"}
    if is_nested:
        cursor.take()
        nested = _steps(cursor, may_be_array=True)
        if nested is None or not cursor.accept(")"):
            return None
        inner = nested
    suffixes = _suffixes(cursor, is_function=is_nested) if may_be_array or steps or is_nested else []
    cursor.leave()
    # `int (*)[3]`: first the array, then the pointer to it.
    return None if suffixes is None else steps + suffixes + inner


def _pointers(cursor: Cursor) -> list[Step]:
    steps: list[Step] = []
    while cursor.at("*", "&", "&&"):
        token = cursor.take()
        if token.text == "*":
            qualifiers = set()
            while cursor.at_word(*QUALIFIERS, *_IGNORED):
                qualifiers.add(cursor.take().text)
            steps.append(partial(_pointer, token.column, "const" in qualifiers, "volatile" in qualifiers))
        else:
            steps.append(partial(_reference, token.column, token.text == "&&"))
    return steps


def _pointer(column: int, is_const: bool, is_volatile: bool, target: TypeName) -> TypeName:
    return PointerType(column, target, is_const, is_volatile)


def _reference(column: int, is_rvalue: bool, target: TypeName) -> TypeName:
    return ReferenceType(column, target, is_rvalue)


def _array(column: int, count: int | None, element: TypeName) -> TypeName:
    return ArrayType(column, element, count)


def _suffixes(cursor: Cursor, *, is_function: bool) -> list[Step] | None:
    if is_function and cursor.at("("):
        function = _function(cursor)
        return None if function is None else [function]
    steps: list[Step] = []
    while cursor.at("["):
        column = cursor.take().column
        count = None
        if isinstance(cursor.token.literal, Integer):
            count = cursor.token.literal.value
            if count > MOST_ELEMENTS:
                cursor.fail(f"an array of more than {MOST_ELEMENTS:,} elements", cursor.token.column)
            cursor.take()
        if not cursor.accept("]"):
            return None
        steps.append(partial(_array, column, count))
    return steps[::-1]  # `[3][4]`: three of four


def _function(cursor: Cursor) -> Step | None:
    column = cursor.take().column
    parameters: list[TypeName] = []
    is_variadic = False
    while not cursor.accept(")"):
        if cursor.accept("..."):
            is_variadic = True
            continue
        base = _specifiers(cursor)
        parameter = None if base is None else _abstract_declarator(cursor, base, may_be_array=True)
        if parameter is None or not (cursor.at(")") or cursor.accept(",")):
            return None
        parameters.append(parameter)
    if len(parameters) == 1 and parameters[0] == NamedType(0, "void", is_fundamental=True):
        parameters = []
    return lambda result: FunctionType(column, result, tuple(parameters), is_variadic)
