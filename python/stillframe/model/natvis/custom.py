"""`<CustomListItems>`: a small program with variables, loops and branches that yields children. It ends, whatever it
says: every step counts.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from stillframe.errors import ExpressionError, OperationError
from stillframe.model.natvis.child import Child
from stillframe.model.natvis.lists import MOST_ELEMENTS, claimed, node_child, size_of
from stillframe.model.natvis.rules import Branches, Break, Exec, Item, Loop, Skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.natvis.rules import CustomItems, Steps
    from stillframe.model.natvis.scope import Subject
    from stillframe.model.value.value import Value

MOST_NESTED = 40


def items(subject: Subject, part: CustomItems) -> Iterator[Child]:
    """The children, in turn. :raises ExpressionError: :raises Unreadable: :raises TooMuchWork:"""
    names: dict[str, Value] = {}
    for name, expression in part.variables:
        names[name] = subject.on(names=names).value(expression)
    size = size_of(subject.on(names=names), part.sizes)
    limit = MOST_ELEMENTS if size is None else min(max(size, 0), MOST_ELEMENTS)
    program = _Program(subject, names)
    shown = 0
    if limit:
        for child in program.run(part.steps, MOST_NESTED):
            yield child
            shown += 1
            if shown >= limit:
                break
    if size is None and shown >= limit:
        yield Child.remark(f"at most {MOST_ELEMENTS:,} elements are shown")
    elif size is not None and not 0 <= size <= MOST_ELEMENTS:
        yield Child.remark(claimed(size))


class _Program:
    def __init__(self, subject: Subject, names: dict[str, Value]) -> None:
        self._subject = subject
        self._names = names
        self._index = 0
        self._is_leaving = False

    def _now(self) -> Subject:
        return self._subject.on(names=self._names)

    def run(self, steps: Steps, depth: int) -> Iterator[Child]:
        """Runs the steps in turn, up to a `<Break>`."""
        if depth < 0:
            raise OperationError(f"loops and branches nest more than {MOST_NESTED} deep")
        for step in steps:
            if self._is_leaving:
                return
            self._subject.work.take()
            match step:
                case Branches():
                    yield from self._branch(step, depth)
                case Loop():
                    yield from self._loop(step, depth)
                case Item():
                    yield from self._item(step)
                case Break():
                    self._is_leaving = self._now().holds(step.guard)
                case Exec():
                    self._assign(step)
                case Skip():
                    self._index += self._now().number(step.expression)

    def _branch(self, step: Branches, depth: int) -> Iterator[Child]:
        for guard, inside in step.branches:
            if self._now().holds(guard):
                yield from self.run(inside, depth - 1)
                return

    def _loop(self, step: Loop, depth: int) -> Iterator[Child]:
        while self._now().holds(step.guard):
            self._subject.work.take()
            yield from self.run(step.steps, depth - 1)
            if self._is_leaving:
                break
        self._is_leaving = False

    def _item(self, step: Item) -> Iterator[Child]:
        now = self._now()
        if now.holds(step.guard):
            yield node_child(now, step, self._index)
            self._index += 1

    def _assign(self, step: Exec) -> None:
        now = self._now()
        if not now.holds(step.guard):
            return
        if step.variable not in self._names:
            raise ExpressionError(step.variable, 1, f"{step.variable} is no variable of this list")
        value = now.value(step.expression)
        with suppress(OperationError):  # of a class: as it is
            value = value.cast(self._names[step.variable].type)
        self._names[step.variable] = value
