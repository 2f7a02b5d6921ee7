"""Values of literals, in the types that C++ gives them on the dumped process's system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.errors import OperationError
from stillframe.model.absent import Absent
from stillframe.model.typing.type import BuiltType
from stillframe.model.value.location import AtHand
from stillframe.model.value.value import Value

if TYPE_CHECKING:
    from stillframe.model.expression.syntax import Character, Integer, String
    from stillframe.model.process import Process
    from stillframe.model.typing.type import Type

_INTEGERS = ("int", "unsigned int", "long", "unsigned long", "long long", "unsigned long long")


def integer(process: Process, node: Integer) -> Value:
    """An integer literal: the first type of the list that holds it. Source: C++17 [lex.icon], table 8.

    :raises OperationError: if none does.
    """
    for name in _INTEGERS[2 * node.longs :]:
        is_unsigned = name.startswith("unsigned")
        # Decimal literals without `u` are never unsigned; with `u` all are.
        if is_unsigned != node.is_unsigned and (node.is_unsigned or node.is_decimal):
            continue
        type_ = _builtin(process, name)
        if node.value < 1 << (8 * _size(type_) - (not is_unsigned)):
            return Value.of_number(process, type_, node.value)
    if node.is_decimal and not node.is_unsigned:  # compilers warn, and take the unsigned type
        return Value.of_number(process, _builtin(process, "unsigned long long"), node.value)
    raise OperationError(f"{node.value} is larger than any integer type")


def character(process: Process, node: Character) -> Value:
    """A character literal."""
    type_ = _builtin(process, node.encoding)
    if not -128 <= node.value < 1 << 8 * _size(type_):
        raise OperationError(f"U+{node.value:04X} is more than one {node.encoding} here")
    return Value.of_number(process, type_, node.value)


def string(process: Process, node: String) -> Value:
    """A string literal: an array of constant characters with a zero behind them."""
    type_ = _builtin(process, node.encoding)
    size = _size(type_)
    units = node.units
    if size == 2 and node.encoding == "wchar_t":
        data = b"".join(map(_utf16, units)) + bytes(2)
    else:
        data = b"".join(unit.to_bytes(size, "little") for unit in (*units, 0))
    constant = BuiltType(process.types, "modified", target=type_, is_const=True)
    return Value(process, constant.array(len(data) // size), AtHand(data, "literal"))


def null(process: Process) -> Value:
    """`nullptr`, as a pointer to nothing in particular."""
    return Value.of_number(process, process.types.void.pointer(), 0)


def _utf16(code_point: int) -> bytes:
    if code_point >= 0x110000:
        raise OperationError(f"U+{code_point:X} is no character")
    return chr(code_point).encode("utf-16-le", "surrogatepass")


def _builtin(process: Process, name: str) -> Type:
    return process.types.builtin(name) or process.types.damaged


def _size(type_: Type) -> int:
    size = type_.size_bytes
    return 0 if isinstance(size, Absent) else size
