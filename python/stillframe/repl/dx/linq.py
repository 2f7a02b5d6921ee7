"""What lists can be asked (`.Where(x => …)`) and texts, by name.

Source of names and meanings: Microsoft, "Using LINQ With the debugger objects" and "Native Debugger Objects in NatVis".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from stillframe import Absent
from stillframe.errors import OperationError, Unreadable
from stillframe.model.absent import absent_of
from stillframe.repl.dx.things import Remark, Row, Rows, Thing, described, key_of, number_of, rows_of, text_of

if TYPE_CHECKING:
    from stillframe.repl.dx.things import Work

Function: TypeAlias = Callable[[Thing], Thing]
"""A lambda."""


class Query(NamedTuple):
    """A list, what is asked of it, and with what arguments."""

    list: Rows
    name: str
    arguments: tuple[Thing | Function, ...]
    work: Work

    def rows(self) -> Iterator[Row]:
        """The elements, and remarks among them."""
        for row in self.list.iterate():
            self.work.take()
            yield row

    def sure(self) -> Iterator[Row]:
        """The elements alone. :raises OperationError: where one is not there: what is said of all would be wrong."""
        for row in self.rows():
            if isinstance(row.thing, Remark):
                raise _not_there(row, row.thing.text)
            yield row

    def each(self) -> Iterator[Thing]:
        """What the lambda makes of the elements; without a lambda, the elements."""
        function = self.function()
        for row in self.sure():
            thing = row.thing if function is None else function(row.thing)
            if isinstance(thing, Absent):
                raise _not_there(row, thing.reason)
            yield thing

    def matching(self) -> Iterator[Row]:
        """The elements for which the lambda is true; without a lambda, all."""
        function = self.function()
        return (row for row in self.sure() if function is None or is_true(function(row.thing)))

    def function(self) -> Function | None:
        """The lambda, if there is an argument. :raises OperationError: if that is something else."""
        return self.needed() if self.arguments else None

    def needed(self) -> Function:
        """The lambda that is the only argument. :raises OperationError: if something else is, or nothing."""
        if len(self.arguments) != 1 or not callable(self.arguments[0]):
            raise OperationError(f".{self.name} takes a lambda: .{self.name}(x => …)")
        return self.arguments[0]

    def how_many(self) -> int:
        """The number that is the only argument. :raises OperationError:"""
        if len(self.arguments) != 1 or callable(self.arguments[0]):
            raise OperationError(f".{self.name} takes a number: .{self.name}(3)")
        number = number_of(self.arguments[0])
        if isinstance(number, float) or number < 0:
            raise OperationError(f"{number} is no number of elements")
        return number


def _not_there(row: Row, reason: str) -> OperationError:
    return OperationError(f"{row.name or 'the list'} is not there: {reason}")


def is_true(thing: Thing) -> bool:
    """:raises OperationError: if it is neither true nor false."""
    return bool(number_of(thing))


# --- lists of lists ---------------------------------------------------------------------------------------------------


def _select(query: Query) -> Thing:
    function = query.needed()

    def rows() -> Iterator[Row]:
        for row in query.rows():
            yield row if isinstance(row.thing, Remark) else Row(row.name, _or_absent(function, row.thing))

    return Rows(rows)


def _or_absent(function: Function, thing: Thing) -> Thing:
    """What depends on what the dump lacks is missing there, and nowhere else in the list."""
    try:
        return function(thing)
    except Unreadable as error:
        return absent_of(error)


def _where(query: Query) -> Thing:
    function = query.needed()

    def rows() -> Iterator[Row]:
        for row in query.rows():
            if isinstance(row.thing, Remark):
                yield row
                continue
            answer = _or_absent(function, row.thing)
            if isinstance(
                answer, Absent
            ):  # whether it belongs here nobody knows: it stands here, and cannot be counted
                yield Row(row.name, Remark(str(answer.reason)))
            elif is_true(answer):
                yield row

    return Rows(rows)


def _order(query: Query) -> Thing:
    function = query.function() or (lambda thing: thing)

    def rows() -> Iterator[Row]:
        keyed = [(key_of(function(row.thing)), row) for row in query.sure()]
        if len({isinstance(key, str) for key, _ in keyed}) > 1:
            raise OperationError("numbers and texts together have no order")
        keyed.sort(key=lambda each: each[0], reverse=query.name == "OrderByDescending")
        return (row for _, row in keyed)

    return Rows(rows)


def _group(query: Query) -> Thing:
    function = query.needed()

    def rows() -> Iterator[Row]:
        groups: dict[str | int | float, tuple[Thing, list[Row]]] = {}
        for row in query.sure():
            key = function(row.thing)
            groups.setdefault(key_of(key), (key, []))[1].append(row)
        for known, (key, members) in groups.items():
            yield Row(f'["{known}"]' if isinstance(known, str) else f"[{known}]", _listed(members, key))

    return Rows(rows)


def _listed(rows: list[Row], key: Thing = "") -> Rows:
    return Rows(lambda: iter(rows), key=key, text=f"{len(rows):,} element{'' if len(rows) == 1 else 's'}")


def _distinct(query: Query) -> Thing:
    function = query.function() or (lambda thing: thing)

    def rows() -> Iterator[Row]:
        seen: set[str | int | float] = set()
        for row in query.sure():
            key = key_of(function(row.thing))
            if key not in seen:
                seen.add(key)
                yield row

    return Rows(rows)


def _flatten(query: Query) -> Thing:
    function = query.function() or (lambda thing: thing)

    def rows() -> Iterator[Row]:
        count = 0
        for row in query.sure():
            outer = function(row.thing)
            inner = rows_of(outer)
            if inner is None:
                raise OperationError(f"{described(outer)} has no elements to be put into one list")
            for each in query._replace(list=inner).rows():
                yield Row(f"[{count}]", each.thing)
                count += 1

    return Rows(rows)


def _take(query: Query) -> Thing:
    count = query.how_many()

    def rows() -> Iterator[Row]:
        if count == 0:
            return
        for index, row in enumerate(query.rows(), 1):
            yield row
            if index == count:  # without a look at the next: it may cost much
                return

    return Rows(rows)


def _skip(query: Query) -> Thing:
    count = query.how_many()
    return Rows(lambda: (row for index, row in enumerate(query.rows()) if index >= count))


def _to_array(query: Query) -> Thing:
    return _listed([Row(f"[{index}]", row.thing) for index, row in enumerate(query.rows())])


# --- one thing of a list ----------------------------------------------------------------------------------------------


def _first(query: Query) -> Thing:
    row = next(query.matching(), None)
    if row is None:
        raise OperationError("no such element")
    return row.thing


def _last(query: Query) -> Thing:
    last = deque(query.matching(), maxlen=1)
    if not last:
        raise OperationError("no such element")
    return last[0].thing


def _count(query: Query) -> Thing:
    return sum(1 for _ in query.matching())


def _any(query: Query) -> Thing:
    return next(query.matching(), None) is not None


def _all(query: Query) -> Thing:
    function = query.needed()
    return all(is_true(function(row.thing)) for row in query.sure())


def _sum(query: Query) -> Thing:
    return sum(number_of(thing) for thing in query.each())


def _extreme(query: Query) -> Thing:
    things = [(key_of(thing), thing) for thing in query.each()]
    if not things:
        raise OperationError("an empty list has no smallest and no largest element")
    if len({isinstance(key, str) for key, _ in things}) > 1:
        raise OperationError("numbers and texts together have no order")
    choose = min if query.name == "Min" else max
    return choose(things, key=lambda each: each[0])[1]


def _contains(query: Query) -> Thing:
    if len(query.arguments) != 1 or callable(query.arguments[0]):
        raise OperationError(".Contains takes what is sought")
    wanted = key_of(query.arguments[0])
    return any(key_of(row.thing) == wanted for row in query.sure())


OF_LISTS: dict[str, Callable[[Query], Thing]] = {
    "All": _all,
    "Any": _any,
    "Contains": _contains,
    "Count": _count,
    "Distinct": _distinct,
    "First": _first,
    "Flatten": _flatten,
    "GroupBy": _group,
    "Last": _last,
    "Max": _extreme,
    "Min": _extreme,
    "OrderBy": _order,
    "OrderByDescending": _order,
    "Select": _select,
    "Skip": _skip,
    "Sum": _sum,
    "Take": _take,
    "ToArray": _to_array,
    "Where": _where,
}
"""Methods of lists."""

# --- texts ------------------------------------------------------------------------------------------------------------

_OF_TEXTS: dict[str, Callable[[str, str], Thing]] = {
    "Contains": lambda text, part: part in text,
    "EndsWith": lambda text, part: text.endswith(part),
    "StartsWith": lambda text, part: text.startswith(part),
}
_CHANGES: dict[str, Callable[[str], Thing]] = {
    "Length": len,
    "ToLower": str.lower,
    "ToUpper": str.upper,
}
OF_TEXTS = frozenset(_OF_TEXTS) | frozenset(_CHANGES)
"""Methods of texts."""


def of_text(text: str, name: str, arguments: tuple[Thing | Function, ...]) -> Thing:
    """What a text answers. :raises OperationError:"""
    if name in _CHANGES:
        if arguments:
            raise OperationError(f".{name} takes nothing")
        return _CHANGES[name](text)
    part = None if len(arguments) != 1 or callable(arguments[0]) else text_of(arguments[0])
    if part is None:
        raise OperationError(f'.{name} takes a text: .{name}("dll")')
    return _OF_TEXTS[name](text, part)
