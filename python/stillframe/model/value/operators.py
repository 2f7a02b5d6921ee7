"""Python's operators on values, which mean C++'s."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeAlias

from stillframe.errors import OperationError

if TYPE_CHECKING:
    from stillframe.model.value.value import Value

Number: TypeAlias = "int | float"


class Operators(ABC):
    """What `Value` has of operators; each calls `_binary` or `_unary`."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    @abstractmethod
    def number_(self) -> Number:
        """Its number."""

    @abstractmethod
    def read(self) -> object:
        """The whole value in Python."""

    @abstractmethod
    def _binary(self, operator: str, other: object, *, swapped: bool) -> Value:
        """What C++'s operator makes of it and another."""

    @abstractmethod
    def _unary(self, operator: str) -> Value:
        """What C++'s operator makes of it."""

    def __int__(self) -> int:
        return int(self.number_())

    def __index__(self) -> int:
        number = self.number_()
        if isinstance(number, float):
            raise OperationError("a floating-point number is no index")
        return number

    def __float__(self) -> float:
        return float(self.number_())

    def __bool__(self) -> bool:
        return bool(self.number_())

    def _with(self, operator: str, other: object) -> Value:
        return self._binary(operator, other, swapped=False)

    def _behind(self, operator: str, other: object) -> Value:
        return self._binary(operator, other, swapped=True)

    def _is(self, operator: str, other: object) -> bool:
        result = self._with(operator, other)
        return NotImplemented if result is NotImplemented else bool(result)

    def __eq__(self, other: object) -> bool:
        """Compares as C++ does; with text: what `read` gives."""
        return self.read() == other if isinstance(other, str) else self._is("==", other)

    def __ne__(self, other: object) -> bool:
        return self.read() != other if isinstance(other, str) else self._is("!=", other)

    def __lt__(self, other: object) -> bool:
        return self._is("<", other)

    def __le__(self, other: object) -> bool:
        return self._is("<=", other)

    def __gt__(self, other: object) -> bool:
        return self._is(">", other)

    def __ge__(self, other: object) -> bool:
        return self._is(">=", other)

    def __add__(self, other: object) -> Value:
        return self._with("+", other)

    def __radd__(self, other: object) -> Value:
        return self._behind("+", other)

    def __sub__(self, other: object) -> Value:
        return self._with("-", other)

    def __rsub__(self, other: object) -> Value:
        return self._behind("-", other)

    def __mul__(self, other: object) -> Value:
        return self._with("*", other)

    def __rmul__(self, other: object) -> Value:
        return self._behind("*", other)

    def __truediv__(self, other: object) -> Value:
        return self._with("/", other)

    def __rtruediv__(self, other: object) -> Value:
        return self._behind("/", other)

    def __mod__(self, other: object) -> Value:
        return self._with("%", other)

    def __rmod__(self, other: object) -> Value:
        return self._behind("%", other)

    def __and__(self, other: object) -> Value:
        return self._with("&", other)

    def __rand__(self, other: object) -> Value:
        return self._behind("&", other)

    def __or__(self, other: object) -> Value:
        return self._with("|", other)

    def __ror__(self, other: object) -> Value:
        return self._behind("|", other)

    def __xor__(self, other: object) -> Value:
        return self._with("^", other)

    def __rxor__(self, other: object) -> Value:
        return self._behind("^", other)

    def __lshift__(self, other: object) -> Value:
        return self._with("<<", other)

    def __rlshift__(self, other: object) -> Value:
        return self._behind("<<", other)

    def __rshift__(self, other: object) -> Value:
        return self._with(">>", other)

    def __rrshift__(self, other: object) -> Value:
        return self._behind(">>", other)

    def __neg__(self) -> Value:
        return self._unary("-")

    def __pos__(self) -> Value:
        return self._unary("+")

    def __invert__(self) -> Value:
        return self._unary("~")
