"""The visualizers of a process: which rules there are for an object, and what they make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.errors import ExpressionError, StillframeError, Unreadable
from stillframe.model.expression.scope import Scope
from stillframe.model.natvis import display, expand
from stillframe.model.natvis.match import parse
from stillframe.model.natvis.scope import Subject, TooMuchWork, Work, is_of_no_use
from stillframe.model.natvis.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.natvis.child import Child
    from stillframe.model.natvis.match import Arguments
    from stillframe.model.natvis.rules import Guard, Rule
    from stillframe.model.process import Process
    from stillframe.model.typing.members import Member
    from stillframe.model.typing.type import Type
    from stillframe.model.value.text import Style
    from stillframe.model.value.value import Value

MOST_BASES = 64
MOST_TYPES = 4096
"""Whose rules are remembered."""
MOST_PROBLEMS = 1000
LONGEST_EXPRESSION = 200
"""Characters of one in a problem."""
OF_A_LINE, OF_CHILDREN = 5_000, 100_000
"""Expressions that may be evaluated."""


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
        self._outer = Scope(process)
        self._matches: dict[Type, tuple[Match, ...]] = {}
        self._problems: dict[str, None] = {}

    @property
    def problems(self) -> list[str]:
        """What is wrong with the natvis files that were needed so far, one sentence each, with file and line."""
        return [*self._sources.problems, *self._problems]

    # --- what they say ------------------------------------------------------------------------------------------------

    def summary(self, value: Value, style: Style) -> str | None:
        """The object in one line; None if no rule is for it. Never fails: a remark says what is wrong with it."""
        work = style.work or Work(OF_A_LINE)
        style = style._replace(work=work)
        if style.nesting < 0:
            return "…"
        for subject in self._subjects(value, style.view, work):
            try:
                shown = self._line(subject, style)
            except ExpressionError as error:
                if not is_of_no_use(error):
                    return self._remark(subject, error, style)
                self._note(subject.rule.guard, error)
            except (Unreadable, TooMuchWork) as error:
                return self._remark(subject, error, style)
            else:
                if shown is not None:
                    return shown
        return None

    def _line(self, subject: Subject, style: Style) -> str | None:
        rule, value, above = subject.rule, subject.object, subject.work.above
        shown = (value.address, value.type.resolved.name, id(rule), style.view)
        if value.address is not None and shown in above:
            return "<cycle>"
        above.append(shown)
        try:
            is_container = rule.expand is not None and rule.expand.is_container
            elements = expand.elements(self, subject) if is_container else None
            if elements is None and not rule.displays and not rule.strings:
                if rule.expand is None or not rule.expand.parts:
                    return None
                children = expand.parts(self, subject)
                return display.listed(children, style) if style.depth > 0 else "{…}"
            return display.line(subject, elements, style)
        finally:
            above.pop()

    def _remark(self, subject: Subject, error: StillframeError, style: Style) -> str:
        reason = error.reason if isinstance(error, ExpressionError | Unreadable) else error.message
        remark = f"<{reason}>"
        if isinstance(error, TooMuchWork):
            return remark
        raw = subject.object.format(style._replace(summarize=None, length=max(style.length - len(remark) - 1, 1)))
        return f"{remark} {raw}"

    def children(self, value: Value, view: str | None = None) -> Iterator[Child]:
        """What the object opens to, in turn: as its rule says, else its members, or elements of an array. Bounded."""
        work = Work(OF_CHILDREN)
        return expand.bounded(expand.children(self, value, view, work, expand.DEEPEST), work)

    def pointer_of(self, value: Value) -> Value | None:
        """What a smart pointer stands for; None if the object is none. :raises Unreadable:"""
        for subject in self._subjects(value, None, Work(OF_A_LINE)):
            if subject.rule.smart_pointer is not None:
                try:
                    return subject.value(subject.rule.smart_pointer)
                except ExpressionError as error:
                    self._note(subject.rule.guard, error)
        return None

    # --- which rules --------------------------------------------------------------------------------------------------

    def _subjects(self, value: Value, view: str | None, work: Work) -> Iterator[Subject]:
        """The object under each rule that is for it, best first."""
        for rule, arguments, path in self.matches(value.type):
            if not rule.guard.is_in_view(view):
                continue
            object_ = value
            for member in path:
                object_ = object_.part_(member)
            subject = Subject(object_, rule, arguments, self._outer, work, view)
            try:
                if not subject.holds(rule.guard):
                    continue
            except StillframeError:
                continue
            yield subject

    def subjects(self, value: Value, view: str | None, work: Work) -> Iterator[Subject]:
        """The object under each rule that tells what it opens to, best first."""
        return (subject for subject in self._subjects(value, view, work) if not _is_silent(subject.rule))

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
        for class_, path in _with_bases(type_):
            name = parse(class_.tag)
            rules = self._sources.rules_of(class_.module)
            for rule, arguments in rules.matching(name):
                if not path or rule.is_inheritable:
                    yield Match(rule, arguments, path)

    def _note(self, guard: Guard, error: ExpressionError) -> None:
        """A rule that means nothing for a type that its name fits. Shipped ones are written for several libraries that
        share their names, so that this is no problem there.
        """
        if not self._sources.is_shipped(guard.place.file) and len(self._problems) < MOST_PROBLEMS:
            text = error.text if len(error.text) <= LONGEST_EXPRESSION else f"{error.text[:LONGEST_EXPRESSION]}…"
            self._problems[f"{guard.place}: {text}: {error.reason}"] = None


def _is_silent(rule: Rule) -> bool:
    """Whether a rule says nothing of what an object is; it may still declare a smart pointer."""
    return rule.expand is None and not rule.displays and not rule.strings


def _with_bases(type_: Type) -> list[tuple[Type, tuple[Member, ...]]]:
    """The class and its bases, nearest first, each once, with the way to them."""
    found: list[tuple[Type, tuple[Member, ...]]] = [(type_, ())]
    seen = {type_}
    for class_, path in found:
        for member in class_.bases:
            base = member.type.resolved
            if base not in seen and len(found) < MOST_BASES:
                seen.add(base)
                found.append((base, (*path, member)))
    return found
