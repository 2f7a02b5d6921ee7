"""What an expression of `dx` may be worth: values of the program, and the debugger's own objects, lists and texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from stillframe import Absent, Value
from stillframe.errors import OperationError, StillframeError, Unreadable
from stillframe.model.value.strings import character_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stillframe.model.natvis.child import Child

MOST_STEPS = 100_000
"""Elements that one command looks at, and questions that it asks of them."""


class Number(int):
    """An address or an identifier, which is shown in hexadecimal."""


class Remark(NamedTuple):
    """In place of what cannot be had: the rest of a list that is damaged."""

    text: str


@dataclass(frozen=True)
class Object:
    """An object of the debugger's: a thread, a module. Its members are found out when they are asked for."""

    kind: str
    """In words, for errors: `thread`."""
    text: str
    """One line."""
    members: dict[str, Callable[[], Thing]]


@dataclass(frozen=True)
class Rows:
    """A list. It is gone through anew each time that someone looks, and no further than is looked."""

    iterate: Callable[[], Iterator[Row]]
    find: Callable[[Thing], Thing | None] | None = None
    """What `list[key]` is, where that is not the element at a place."""
    key: Thing = field(default="")
    """Of a group: what its elements have in common."""
    text: str = ""


class Row(NamedTuple):
    """An element and what it is called: `[3]`, `["ann"]`."""

    name: str
    thing: Thing


Thing: TypeAlias = Value | Object | Rows | Remark | Absent | str | bool | int | float


class Work:
    """What a command may still do."""

    def __init__(self) -> None:
        self._left = MOST_STEPS

    def take(self) -> None:
        """:raises OperationError: if it was too much."""
        self._left -= 1
        if self._left < 0:
            raise OperationError(f"more than {MOST_STEPS:,} steps; narrow the list with .Take(n)")


def rows_of(thing: Thing) -> Rows | None:  # noqa: PLR0911 - a table of the kinds
    """The elements of a list, an array, a container that a visualizer knows; None of anything else.

    :raises Unreadable: if a pointer on the way is absent.
    """
    if isinstance(thing, Rows):
        return thing
    if not isinstance(thing, Value):
        return None
    value = thing.dereference() if thing.type.is_reference else thing
    if value.type.resolved.kind == "array":
        return Rows(lambda: _elements(value))
    if value.type.is_pointer:
        target = value.type.resolved.target
        if target is None or not target.is_class:
            return None
        value = value.dereference()
    if not value.type.is_class:
        return None
    children = value.process_.visualizers.elements(value)
    first = None if children is None else next(children, None)
    if children is None or (first is not None and not _is_element(first)):
        return None
    return Rows(lambda: _contained(value))


def _elements(array: Value) -> Iterator[Row]:
    return (Row(f"[{index}]", array.element_(index)) for index in range(array.type.count or 0))


def _contained(value: Value) -> Iterator[Row]:
    for child in value.process_.visualizers.elements(value) or ():
        if child.is_remark:
            yield Row("", Remark(child.text))
        elif _is_element(child):
            yield Row(child.name, child.text if child.value is None else child.value)


def _is_element(child: Child) -> bool:
    """A container tells of its capacity, too, and a pointer that owns of what it points to."""
    return child.is_remark or child.name.startswith("[")


def text_of(thing: Thing) -> str | None:
    """The text that a thing is: characters of the program, in an array, behind a pointer or in a string's class. None:
    it is no text.

    :raises Unreadable: if it is not there.
    """
    if isinstance(thing, str):
        return thing
    if not isinstance(thing, Value):
        return None
    value = thing.dereference() if thing.type.is_reference else thing
    type_ = value.type.resolved
    if type_.is_class:
        shown = value.format(length=MOST_STEPS)
        return shown[1:-1] if len(shown) > 1 and shown[0] == shown[-1] == '"' else None
    item = type_.item if type_.kind == "array" else type_.target if type_.kind == "pointer" else None
    if item is None or character_bytes(item) is None:
        return None
    read = value.read()
    return read if isinstance(read, str) else None


def number_of(thing: Thing) -> int | float:
    """:raises OperationError: if it is no number. :raises Unreadable: if it is not there."""
    match thing:
        case Value():
            return thing.number_()
        case Absent():
            raise Unreadable("a number", thing.reason, thing.remedy)
        case bool() | int() | float():
            return thing
        case _:
            raise OperationError(f"{described(thing)} is no number")


def key_of(thing: Thing) -> str | int | float:
    """What a thing is compared and told apart by. :raises OperationError: if it has no order. :raises Unreadable:"""
    text = text_of(thing)
    if text is not None:
        return text
    if isinstance(thing, Rows) and thing.key != "":
        return key_of(thing.key)
    try:
        return number_of(thing)
    except OperationError:
        raise OperationError(f"{described(thing)} is neither a number nor a text, and has no order") from None


def described(thing: Thing) -> str:  # noqa: PLR0911 - a table of the kinds
    """What it is, for errors."""
    match thing:
        case Value():
            return thing.type.name
        case Object():
            return f"a {thing.kind}"
        case Rows():
            return "a list"
        case Remark():
            return thing.text
        case Absent():
            return str(thing.reason)
        case str():
            return "a text"
        case _:
            return "a number"


def attempt(make: Callable[[], Thing]) -> Thing:
    """What `make` gives, for a listing: what is wrong stands in its place."""
    try:
        return make()
    except StillframeError as error:
        return Remark(error.message)
