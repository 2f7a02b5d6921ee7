"""What stays the same while an expression is evaluated again and again with one other name: `$i` of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.model.expression.syntax import Pseudo, parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillframe.model.expression.syntax import Node
    from stillframe.model.value.value import Value


class Kept:
    """Values of the parts of trees in which none of the names that change stands. For one scope, but for these."""

    def __init__(self, changing: frozenset[str]) -> None:
        """:param changing: pseudo-variables, without `$`."""
        self._changing = changing
        # By identity, and with the node, so that no other one takes its place.
        self._fixed: dict[int, tuple[Node, bool]] = {}
        self._values: dict[int, tuple[Node, Value]] = {}

    def value(self, node: Node, evaluate: Callable[[Node], Value]) -> Value:
        """The value of a node: `evaluate` makes it, of what does not change once."""
        known = self._values.get(id(node))
        if known is not None:
            return known[1]
        value = evaluate(node)
        if self._is_fixed(node):
            self._values[id(node)] = (node, value)
        return value

    def _is_fixed(self, node: Node) -> bool:
        known = self._fixed.get(id(node))
        if known is None:
            changes = isinstance(node, Pseudo) and node.name in self._changing
            known = self._fixed[id(node)] = (node, not changes and all(map(self._is_fixed, parts(node))))
        return known[1]
