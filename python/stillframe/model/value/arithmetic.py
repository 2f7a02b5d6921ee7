"""Arithmetic and comparison of values, by the rules of C++.

Source: ISO C++, [conv.prom], [expr.arith.conv], [expr.add] (pointers count in elements), [expr.mul] (division
truncates), [expr.shift]. Signed overflow, which C++ leaves undefined, wraps, as processors do.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stillframe.errors import OperationError
from stillframe.model.absent import Absent
from stillframe.model.value.numbers import is_float, is_signed

if TYPE_CHECKING:
    from stillframe.model.typing.type import Type
    from stillframe.model.typing.types import Types
    from stillframe.model.value.operators import Number
    from stillframe.model.value.value import Value

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
INTEGERS_ALONE = frozenset({"%", "&", "|", "^", "<<", ">>"})
POINTERS = frozenset({"pointer", "array"})
INT_BYTES = 4


def type_of_number(types: Types, number: Number) -> Type:
    """The type that C++ gives a literal: `int` if it fits, else a wider one."""
    if isinstance(number, bool):
        name = "bool"
    elif isinstance(number, float):
        name = "double"
    elif -(1 << 31) <= number < 1 << 31:
        name = "int"
    else:
        name = "long long" if -(1 << 63) <= number < 1 << 63 else "unsigned long long"
    return fundamental(types, name)


def fundamental(types: Types, name: str) -> Type:
    """The fundamental type of this name, which must be one."""
    found = types.builtin(name)
    return types.damaged if found is None else found


def binary(operator: str, left: Value, right: Value) -> Value:
    """`left operator right`; `&&` and `||` are not among the operators.

    :raises OperationError: if the types do not allow it, or it divides by zero. :raises Unreadable:
    """
    kinds = [_kind(left), _kind(right)]
    if any(kind in POINTERS for kind in kinds):
        return _pointers(operator, left, right)
    types = left.type.types
    common = _common(_promoted(left), _promoted(right))
    if operator in COMPARISONS:
        numbers = _in(common, left.number_()), _in(common, right.number_())
        return left.result_(fundamental(types, "bool"), _compare(operator, *numbers))
    if operator in INTEGERS_ALONE and is_float(common):
        raise OperationError(f"{operator} is not for {common.name}")
    if operator in {"<<", ">>"}:
        return _shift(operator, left, right)
    return left.result_(common, _compute(operator, _in(common, left.number_()), _in(common, right.number_())))


def unary(operator: str, value: Value) -> Value:
    """`-value`, `+value`, `~value`. :raises OperationError: :raises Unreadable:"""
    type_ = _promoted(value)
    number = _in(type_, value.number_())
    if operator == "-":
        return value.result_(type_, -number)
    if operator == "~":
        if isinstance(number, float):
            raise OperationError(f"~ is not for {type_.name}")
        return value.result_(type_, ~number)
    return value.result_(type_, number)


def _kind(value: Value) -> str:
    type_ = value.type.resolved
    if type_.kind in {"reference", "rvalue_reference"} and type_.target is not None:
        type_ = type_.target.resolved
    return type_.kind


def _promoted(value: Value) -> Type:
    """The type in which arithmetic is done with one operand."""
    type_ = value.type.resolved
    if type_.kind in {"reference", "rvalue_reference"} and type_.target is not None:
        type_ = type_.target.resolved
    if type_.kind == "enum":
        type_ = type_.target.resolved if type_.target is not None else fundamental(type_.types, "int")
    if type_.kind != "base":
        raise OperationError(f"{value.type.name} is no number")
    size = type_.size_bytes
    if value.bit_count_ is not None and value.bit_count_ < 8 * INT_BYTES:
        return fundamental(type_.types, "int")  # a bit-field whose values all fit
    if not is_float(type_) and not isinstance(size, Absent) and size < INT_BYTES:
        return fundamental(type_.types, "int")
    if type_.encoding in {"unicode", "boolean", "hresult"}:
        # `wchar_t` of 4 bytes has a sign on x86; that it has none on Arm shows only in what is no character.
        is_unsigned = type_.encoding == "unicode" and type_.tag != "wchar_t"
        return fundamental(type_.types, "unsigned int" if is_unsigned else "int")
    return type_


def _common(left: Type, right: Type) -> Type:
    """The wider one; of integers as wide as each other the unsigned one; a floating-point type above all integers."""
    if is_float(left) != is_float(right):
        return left if is_float(left) else right
    sizes = [0 if isinstance(size, Absent) else size for size in (left.size_bytes, right.size_bytes)]
    if sizes[0] != sizes[1]:
        return left if sizes[0] > sizes[1] else right
    return right if is_signed(left) else left


def _in(type_: Type, number: Number) -> Number:
    """The number converted to the type."""
    if is_float(type_):
        return float(number)
    size = type_.size_bytes
    bits = 8 * (INT_BYTES if isinstance(size, Absent) else size)
    if isinstance(number, float):
        if not math.isfinite(number):
            raise OperationError(f"{number} is no integer")
        number = int(number)
    wrapped = number & ((1 << bits) - 1)
    return wrapped - (1 << bits) if is_signed(type_) and wrapped >> (bits - 1) else wrapped


def _compare(operator: str, left: Number, right: Number) -> bool:
    return {
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[operator]


def _compute(operator: str, left: Number, right: Number) -> Number:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if isinstance(left, float) or isinstance(right, float):
        if operator == "/":
            return _float_division(float(left), float(right))
        raise OperationError(f"{operator} is not for floating-point numbers")
    if operator in {"/", "%"}:
        if right == 0:
            raise OperationError("division by zero")
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return quotient if operator == "/" else left - quotient * right
    if operator in {"&", "|", "^"}:
        return {"&": left & right, "|": left | right, "^": left ^ right}[operator]
    raise OperationError(f"{operator} is no operator of values")


def _float_division(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def _shift(operator: str, left: Value, right: Value) -> Value:
    type_ = _promoted(left)
    size = type_.size_bytes
    count, number = int(right.number_()), int(_in(type_, left.number_()))
    if isinstance(size, Absent) or not 0 <= count < 8 * size:
        raise OperationError(f"{type_.name} cannot be shifted by {count}")
    return left.result_(type_, number << count if operator == "<<" else number >> count)


def _pointers(operator: str, left: Value, right: Value) -> Value:
    types = left.type.types
    first, second = (_kind(each) in POINTERS for each in (left, right))
    if operator in COMPARISONS:
        mask = (1 << 8 * types.pointer_size_bytes) - 1
        numbers = int(left.number_()) & mask, int(right.number_()) & mask
        return left.result_(fundamental(types, "bool"), _compare(operator, *numbers))
    if operator == "-" and first and second:
        size = _target_size(left)
        difference = int(left.number_()) - int(right.number_())
        return left.result_(fundamental(types, "ptrdiff_t"), int(_compute("/", difference, size)))
    if operator == "+" and second and not first:
        left, right, first, second = right, left, True, False
    if operator not in {"+", "-"} or second:
        raise OperationError(f"{operator} is not for {left.type.name} and {right.type.name}")
    step = right.number_()
    if isinstance(step, float):
        raise OperationError(f"{right.type.name} is no number of elements")
    address = int(left.number_()) + (step if operator == "+" else -step) * _target_size(left)
    return left.result_(_as_pointer(left), address)


def _as_pointer(value: Value) -> Type:
    type_ = value.type.resolved
    if type_.kind in {"reference", "rvalue_reference"} and type_.target is not None:
        type_ = type_.target.resolved
    return type_.item.pointer() if type_.kind == "array" else type_


def _target_size(value: Value) -> int:
    pointer = _as_pointer(value)
    size = 1 if pointer.target is None else pointer.target.size_bytes
    if isinstance(size, Absent):
        raise OperationError(f"{pointer.name}: {size.reason}")
    return size or 1
