"""The visualizers of a process: which rules there are for a class. What they make of an object is `Presenter`'s."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from stillframe.model.natvis.match import parse
from stillframe.model.natvis.sources import Sources
from stillframe.model.typing.members import with_bases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.natvis.child import Child
    from stillframe.model.natvis.match import Arguments
    from stillframe.model.natvis.presenter import Presenter
    from stillframe.model.natvis.rules import Rule
    from stillframe.model.process import Process
    from stillframe.model.typing.members import Member
    from stillframe.model.typing.type import Type
    from stillframe.model.value.text import Style
    from stillframe.model.value.value import Value

MOST_TYPES = 4096
"""Whose rules are remembered."""


class Match(NamedTuple):
    """A rule that is for a type, or for a base class of it."""

    rule: Rule
    arguments: Arguments
    path: tuple[Member, ...]
    """To the base class; empty: it is for the type itself."""


class Visualizers:
    """What natvis files say of the classes of one process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._sources = Sources(process.natvis_files)
        self._matches: dict[Type, tuple[Match, ...]] = {}
        self._found: list[str] = []

    @property
    def problems(self) -> list[str]:
        """What is wrong with the natvis files that were needed so far, one sentence each, with file and line."""
        return [*self._sources.problems, *self._found]

    @cached_property
    def _presenter(self) -> Presenter:
        from stillframe.model.natvis.presenter import Presenter  # most classes have no rule, and need no expressions

        return Presenter(self, self._process, self._found)

    def summary(self, value: Value, style: Style) -> str | None:
        """The object in one line; None if no rule is for it. Never fails: a remark says what is wrong with it."""
        return self._presenter.summary(value, style) if self.matches(value.type) else None

    def children(self, value: Value, view: str | None = None) -> Iterator[Child]:
        """What the object opens to, in turn: as its rule says, else its members, or elements of an array. Bounded."""
        return self._presenter.children(value, view)

    def elements(self, value: Value) -> Iterator[Child] | None:
        """The elements of a container, without what its rule tells besides; None if no rule says that it is one.
        Bounded; what is wrong is a remark.
        """
        return self._presenter.elements(value) if self.matches(value.type) else None

    def pointer_of(self, value: Value) -> Value | None:
        """What a smart pointer stands for; None if the object is none. :raises Unreadable:"""
        return self._presenter.pointer_of(value) if self.matches(value.type) else None

    def matches(self, type_: Type) -> tuple[Match, ...]:
        """The rules for a class: its own, then those that its bases leave it; the best first."""
        type_ = type_.resolved
        found = self._matches.get(type_)
        if found is None:
            if len(self._matches) >= MOST_TYPES:
                self._matches.clear()
            found = self._matches[type_] = tuple(self._find(type_))
        return found

    def _find(self, type_: Type) -> Iterator[Match]:
        for class_, path in with_bases(type_):
            name = parse(class_.tag)
            for rule, arguments in self._sources.matching(name, class_.module):
                if not path or rule.is_inheritable:
                    yield Match(rule, arguments, path)
