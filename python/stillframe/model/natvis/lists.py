"""Children that are counted: arrays, expressions of an index, linked lists, trees. Cycles and sizes that make no sense
end with a remark.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from stillframe.errors import OperationError, Unreadable
from stillframe.model.expression.kept import Kept
from stillframe.model.natvis import display
from stillframe.model.natvis.child import Child
from stillframe.model.value.location import Missing
from stillframe.model.value.text import Style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.natvis.rules import ArrayItems, Choices, IndexItems, Item, LinkedItems, TreeItems
    from stillframe.model.natvis.scope import Subject
    from stillframe.model.value.value import Value

MOST_ELEMENTS = 10_000
"""Of one container."""
MOST_NODES = 100_000
"""Looked at in one tree."""
MOST_DIMENSIONS = 8
MOST_ABSENT = 8
"""Elements in a row that are not there: what follows them is not, either."""


NOT_THERE = "the elements behind are not there, either"


def index_value(subject: Subject, index: int) -> Value:
    """What `$i` stands for."""
    types = subject.scope.process.types
    return subject.object.result_(types.builtin("ptrdiff_t") or types.damaged, index)


def size_of(subject: Subject, sizes: Choices) -> int | None:
    """How many elements are claimed; None if nothing says so. :raises ExpressionError: :raises Unreadable:"""
    value = subject.chosen(sizes)
    return None if value is None else int(value.number_())


def is_absent(value: Value) -> bool:
    """Whether not even the first byte of an element is there."""
    return isinstance(value.place_.read(1), Missing)


def claimed(size: int) -> str:
    """What is said of a size that makes no sense."""
    return f"{size:,} elements are claimed; at most {MOST_ELEMENTS:,} are shown"


def of_array(subject: Subject, part: ArrayItems) -> Iterator[Child]:
    """`<ArrayItems>`"""
    rank = 1 if part.rank is None else subject.number(part.rank)
    if not 1 <= rank <= MOST_DIMENSIONS:
        yield Child.remark(f"an array of {rank} dimensions")
        return
    sizes, bounds = [], []
    for dimension in range(rank):
        at = subject.on(names={"$i": index_value(subject, dimension)})
        sizes.append(size_of(at, part.sizes) or 0)
        bounds.append(size_of(at, part.lower_bounds) or 0)
    pointer = subject.chosen(part.pointers)
    if pointer is None:
        return
    absent = 0
    for position, name in enumerate(_indices(sizes, bounds, is_forward=part.is_forward)):
        if position >= MOST_ELEMENTS:
            break
        subject.work.take()
        element = pointer.element_(position)
        absent = absent + 1 if is_absent(element) else 0
        yield Child(name, element, is_index=True)
        if absent >= MOST_ABSENT:
            yield Child.remark(NOT_THERE)
            break
    if any(size < 0 or size > MOST_ELEMENTS for size in sizes):
        yield Child.remark(next(claimed(size) for size in sizes if size < 0 or size > MOST_ELEMENTS))


def _indices(sizes: list[int], bounds: list[int], *, is_forward: bool) -> Iterator[str]:
    """The names of the elements, as they lie in memory."""
    order = sizes if is_forward else sizes[::-1]
    # `product` keeps what it is given: no range is longer than what is shown
    for counted in product(*(range(min(max(size, 0), MOST_ELEMENTS + 1)) for size in order)):
        index = counted if is_forward else counted[::-1]
        yield f"[{','.join(str(each + low) for each, low in zip(index, bounds, strict=True))}]"


def of_indices(subject: Subject, part: IndexItems) -> Iterator[Child]:
    """`<IndexListItems>`"""
    size, absent, kept = size_of(subject, part.sizes) or 0, 0, Kept(frozenset({"i"}))
    for index in range(min(size, MOST_ELEMENTS)):
        try:
            value = subject.on(names={"$i": index_value(subject, index)}, kept=kept).chosen(part.values)
        except Unreadable as error:
            absent += 1
            yield Child(f"[{index}]", None, f"<{error.reason}>", is_index=True)
        else:
            if value is None:
                continue
            absent = absent + 1 if is_absent(value) else 0
            yield Child(f"[{index}]", value, is_index=True)
        if absent >= MOST_ABSENT:
            yield Child.remark(NOT_THERE)
            break
    if not 0 <= size <= MOST_ELEMENTS:
        yield Child.remark(claimed(size))


def node_child(subject: Subject, node: Item, index: int) -> Child:
    """The child that a node is."""
    name = f"[{index}]" if node.name is None else display.filled(subject, node.name, Style(work=subject.work))
    return Child(name, subject.value(node.expression), is_index=node.name is None)


def _address(pointer: Value) -> int:
    if pointer.type.resolved.kind not in {"pointer", "array"}:
        raise OperationError(f"{pointer.type.name} is no pointer to a node")
    return int(pointer.number_())


def of_links(subject: Subject, part: LinkedItems) -> Iterator[Child]:
    """`<LinkedListItems>`: ends at a null pointer, or after as many nodes as are claimed."""
    size = size_of(subject, part.sizes)
    limit = MOST_ELEMENTS if size is None else min(size, MOST_ELEMENTS)
    pointer, seen, index = subject.value(part.head), set[int](), 0
    while index < limit:
        address = _address(pointer)
        if not address:
            if size is not None:
                yield Child.remark(f"the list ends here, of {size:,} elements that are claimed")
            return
        if address in seen:
            of = "" if size is None else f", of {size:,} that are claimed"
            yield Child.remark(f"the list is cyclic after {index:,} elements{of}")
            return
        seen.add(address)
        node = subject.on(pointer.dereference())
        if node.holds(part.node.guard):
            yield node_child(node, part.node, index)
        index += 1
        pointer = node.value(part.next)
    if size is None or not 0 <= size <= MOST_ELEMENTS:
        yield Child.remark(claimed(size) if size is not None else f"at most {MOST_ELEMENTS:,} elements are shown")


def of_tree(subject: Subject, part: TreeItems) -> Iterator[Child]:
    """`<TreeItems>`: from left to right. A node whose value does not count is no node: some libraries mark so what they
    have in place of null pointers.
    """
    size = size_of(subject, part.sizes)
    limit = MOST_ELEMENTS if size is None else min(max(size, 0), MOST_ELEMENTS)
    waiting: list[Subject] = []
    pointer: Value | None = subject.value(part.head)
    seen: set[int] = set()
    index, is_cyclic = 0, False
    while index < limit and len(seen) < MOST_NODES:
        node = None
        if pointer is not None:
            node, is_again = _tree_node(subject, part, pointer, seen)
            is_cyclic |= is_again
        if node is not None:
            waiting.append(node)
            pointer = node.value(part.left)
        elif waiting:
            node = waiting.pop()
            yield node_child(node, part.node, index)
            index += 1
            pointer = node.value(part.right) if index < limit else None
        else:
            break
    if is_cyclic:
        yield Child.remark(f"the tree is cyclic; {index:,} elements were found")
    elif size is not None and not 0 <= size <= MOST_ELEMENTS:
        yield Child.remark(claimed(size))
    elif size is not None and index < size:
        yield Child.remark(f"the tree ends here, of {size:,} elements that are claimed")


def _tree_node(subject: Subject, part: TreeItems, pointer: Value, seen: set[int]) -> tuple[Subject | None, bool]:
    """The node, if the pointer leads to one that was not seen before; whether it was."""
    address = _address(pointer)
    if not address:
        return None, False
    node = subject.on(pointer.dereference())
    if not node.holds(part.node.guard):
        return None, False
    if address in seen:
        return None, True
    seen.add(address)
    return node, False
