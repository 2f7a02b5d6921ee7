"""Elements of containers: objects whose visualizer says that they hold some. No code of the program runs."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from stillframe.errors import OperationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.natvis.child import Child
    from stillframe.model.value.value import Value


def elements(container: Value) -> Iterator[Value] | None:
    """The elements in turn; None if no visualizer says that the object is a container.

    The iterator raises `OperationError` where the visualizer has a remark instead: a size that makes no sense, a list
    that goes round.
    """
    children = container.process_.visualizers.elements(container)
    return None if children is None else _values(container, children)


def _values(container: Value, children: Iterator[Child]) -> Iterator[Value]:
    for child in children:
        if child.value is None:
            raise OperationError(f"{container.type.name}: {child.text}")
        yield child.value


def element(container: Value, index: int) -> Value:
    """:raises OperationError: if it is no container, or has no such element."""
    found = elements(container)
    if found is None:
        raise OperationError(f"{container.type.name} has no elements; operators of the program do not run")
    value = next(islice(found, index, None), None) if index >= 0 else None
    if value is None:
        raise OperationError(f"{container.type.name} has no element {index}")
    return value
