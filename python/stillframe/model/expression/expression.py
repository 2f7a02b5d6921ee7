"""An expression: read once, evaluated in any scope, any number of times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.errors import ExpressionError, StillframeError, Unreadable
from stillframe.model.absent import Absent, absent_of
from stillframe.model.expression.evaluate import Evaluator
from stillframe.model.expression.formatting import FormattedValue, array_of
from stillframe.model.expression.reading import Text
from stillframe.model.expression.specifiers import PLAIN

if TYPE_CHECKING:
    from stillframe.model.expression.kept import Kept
    from stillframe.model.expression.scope import Scope
    from stillframe.model.value.value import Value


class Expression:
    """A text of C++, perhaps with format specifiers behind it.

    Reading it is postponed to the first evaluation: whether `(a)-1` is a cast or a difference depends on the scope. It
    is read again only where that is answered differently.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._text = Text(text)

    def __repr__(self) -> str:
        return f"<Expression {self.text}>"

    def value(self, scope: Scope, kept: Kept | None = None) -> Value:
        """Its value, lazy as all values: the last step is read when someone looks.

        :param kept: of an expression that is evaluated again and again: what did not change since the last time.
        :raises ExpressionError: if it is no expression, or worth nothing in this scope; with the column.
        :raises Unreadable: if something on the way to the value is not there (`FaultError`: in memory).
        """
        reading = self._text.reading(scope.is_type)
        evaluator = Evaluator(scope, self.text, kept)
        value = evaluator.value(reading.tree)
        if reading.format is PLAIN:
            return value
        if (elements := reading.format.elements) is not None:
            count = evaluator.value(elements)
            try:
                value = array_of(value, count.__index__())
            except Unreadable:
                raise
            except StillframeError as error:
                raise ExpressionError(self.text, elements.column, error.message) from error
        return FormattedValue(value, reading.format)

    def value_or_absent(self, scope: Scope) -> Value | Absent:
        """As `value`; what is not there is the reason. :raises ExpressionError:"""
        try:
            return self.value(scope)
        except Unreadable as error:
            return absent_of(error)
