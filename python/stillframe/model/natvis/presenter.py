"""What rules make of objects: a line, children, what a smart pointer stands for."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from stillframe.errors import ExpressionError, StillframeError, Unreadable
from stillframe.model.expression.scope import Scope
from stillframe.model.natvis import display, expand
from stillframe.model.natvis.scope import Subject, TooMuchWork, Work, is_of_no_use
from stillframe.model.natvis.sources import is_shipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.natvis.child import Child
    from stillframe.model.natvis.rules import Guard, Rule
    from stillframe.model.natvis.visualizers import Visualizers
    from stillframe.model.process import Process
    from stillframe.model.value.text import Style
    from stillframe.model.value.value import Value

MOST_PROBLEMS = 1000
LONGEST_EXPRESSION = 200
"""Characters of one in a problem."""
OF_A_LINE, OF_CHILDREN = 5_000, 100_000
"""Expressions that may be evaluated."""


class Presenter:
    """Shows objects of one process by the rules that `visualizers` find."""

    def __init__(self, visualizers: Visualizers, process: Process, problems: list[str]) -> None:
        """:param problems: gets what is found wrong."""
        self._visualizers = visualizers
        self._outer = Scope(process)
        self._problems = problems

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

    def elements(self, value: Value) -> Iterator[Child] | None:
        """See `Visualizers.elements`."""
        work = Work(OF_CHILDREN)
        for subject in self.subjects(value, None, work):
            if subject.rule.expand is None or not subject.rule.expand.is_container:
                continue
            shown = expand.elements(self, subject)
            try:
                first = next(shown, None)
            except ExpressionError as error:
                if is_of_no_use(error):
                    continue
                raise
            return expand.bounded(chain(() if first is None else (first,), shown), work)
        return None

    def pointer_of(self, value: Value) -> Value | None:
        """What a smart pointer stands for; None if the object is none. :raises Unreadable:"""
        for subject in self._subjects(value, None, Work(OF_A_LINE)):
            if subject.rule.smart_pointer is not None:
                try:
                    return subject.value(subject.rule.smart_pointer)
                except ExpressionError as error:
                    self._note(subject.rule.guard, error)
        return None

    def _subjects(self, value: Value, view: str | None, work: Work) -> Iterator[Subject]:
        """The object under each rule that is for it, best first."""
        for rule, arguments, path in self._visualizers.matches(value.type):
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

    def _note(self, guard: Guard, error: ExpressionError) -> None:
        """A rule that means nothing for a type that its name fits. Shipped ones are written for several libraries that
        share their names, so that this is no problem there.
        """
        if not is_shipped(guard.place.file) and len(self._problems) < MOST_PROBLEMS:
            text = error.text if len(error.text) <= LONGEST_EXPRESSION else f"{error.text[:LONGEST_EXPRESSION]}…"
            problem = f"{guard.place}: {text}: {error.reason}"
            if problem not in self._problems:
                self._problems.append(problem)


def _is_silent(rule: Rule) -> bool:
    """Whether a rule says nothing of what an object is; it may still declare a smart pointer."""
    return rule.expand is None and not rule.displays and not rule.strings
