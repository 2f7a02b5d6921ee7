"""What an object opens to: as a rule's `<Expand>` has it, else its members, or the elements of an array."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stillframe.errors import ExpressionError, StillframeError, Unreadable
from stillframe.model.natvis import custom, display, lists
from stillframe.model.natvis.child import Child
from stillframe.model.natvis.rules import (
    ArrayItems,
    CustomItems,
    ExpandedItem,
    IndexItems,
    Item,
    LinkedItems,
    Synthetic,
)
from stillframe.model.natvis.scope import TooMuchWork, is_of_no_use
from stillframe.model.value.strings import character_bytes
from stillframe.model.value.text import Style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.expression.specifiers import Format
    from stillframe.model.natvis.presenter import Presenter
    from stillframe.model.natvis.rules import Expand, Part
    from stillframe.model.natvis.scope import Subject, Work
    from stillframe.model.typing.type import Type
    from stillframe.model.value.value import Value

DEEPEST = 16
"""Children that are another object's, and so on."""
MOST_CHILDREN = 20_000
"""Of one object, all its lists together."""
_INDEX = re.compile(r"\[\d+\]")


def bounded(children: Iterator[Child], work: Work) -> Iterator[Child]:
    """So many children, then a remark; whatever goes wrong on the way is a remark, too."""
    count = 0
    try:
        for child in children:
            count += 1
            if count > MOST_CHILDREN:
                yield Child.remark(f"more than {MOST_CHILDREN:,} children; the rest is not shown")
                return
            yield child
    except StillframeError as error:
        yield Child.remark(_words(error))
    finally:
        work.above.clear()


def children(presenter: Presenter, value: Value, view: str | None, work: Work, depth: int) -> Iterator[Child]:
    """What a value opens to. :raises StillframeError: if it cannot be read."""
    if depth < 0:
        yield Child.remark("opens to itself, or too deep")
        return
    format_ = getattr(value, "specifiers_", None)
    if value.type.is_reference:
        value = value.dereference() if _is_as_declared(format_) else value.dynamic
    type_ = value.type.resolved
    if type_.kind == "pointer" and type_.target is not None and type_.target.is_class and value:
        value = (value if _is_as_declared(format_) else value.dynamic).dereference()
        type_ = value.type.resolved
    if type_.kind == "array":
        yield from (Child(f"[{index}]", value.element_(index), is_index=True) for index in range(type_.count or 0))
    elif type_.kind == "pointer" and _opens_to_number(type_.target) and value:
        yield Child("*", value.dereference())
    elif type_.is_class and (format_ is None or "!" not in format_.names):
        yield from _of_class(presenter, value, view, work, depth)
    elif type_.is_class:
        yield from members(value)


def _opens_to_number(target: Type | None) -> bool:
    """Whether a pointer's target is worth a line of its own: text is shown with the pointer."""
    is_scalar = target is not None and target.resolved.kind in {"base", "enum", "pointer", "array"}
    return is_scalar and character_bytes(target) is None


def _is_as_declared(format_: Format | None) -> bool:
    return format_ is not None and bool(format_.names & {"nd", "!"})


def _of_class(presenter: Presenter, value: Value, view: str | None, work: Work, depth: int) -> Iterator[Child]:
    for subject in presenter.subjects(value, view, work):
        expand = subject.rule.expand
        if expand is None:
            break
        shown = _parts(presenter, subject, expand, depth, elements_only=False)
        try:
            first = next(shown, None)
        except ExpressionError as error:
            if not is_of_no_use(error):
                raise
            continue
        if first is not None:
            yield first
        yield from shown
        return
    yield from members(value)


def members(value: Value, depth: int = DEEPEST) -> Iterator[Child]:
    """Bases and fields, without visualizers. Those of parts without a name count as the class's own."""
    for member, part in value.members():
        if not member.is_unnamed_part:
            yield Child(member.name, part)
        elif depth > 0:
            yield from members(part, depth - 1)


def elements(presenter: Presenter, subject: Subject) -> Iterator[Child]:
    """The elements of a container alone, without what its rule tells besides."""
    expand = subject.rule.expand
    return iter(()) if expand is None else _parts(presenter, subject, expand, DEEPEST, elements_only=True)


def parts(presenter: Presenter, subject: Subject) -> Iterator[Child]:
    """All that a rule tells."""
    expand = subject.rule.expand
    return iter(()) if expand is None else _parts(presenter, subject, expand, DEEPEST, elements_only=False)


def _parts(
    presenter: Presenter, subject: Subject, expand: Expand, depth: int, *, elements_only: bool
) -> Iterator[Child]:
    """:raises ExpressionError: if an expression means nothing here, before anything was shown; if all that count do."""
    is_first = True
    useless: ExpressionError | None = None
    for part in expand.parts:
        if elements_only and isinstance(part, Item | Synthetic):
            continue
        try:
            subject.work.take()
            if not subject.holds(part.guard):
                continue
            for child in _part(presenter, subject, part, depth, elements_only=elements_only):
                is_first = False
                yield child
        except ExpressionError as error:
            if part.guard.is_optional and is_of_no_use(error):
                useless = error
                continue
            if is_first and is_of_no_use(error):
                raise
            yield Child.remark(f"{part.guard.place}: {error.reason}")
        except Unreadable as error:
            is_first = False
            yield Child.remark(error.reason)
        except TooMuchWork as error:
            yield Child.remark(error.message)
            return
    if useless is not None and is_first:
        raise useless


def _part(presenter: Presenter, subject: Subject, part: Part, depth: int, *, elements_only: bool) -> Iterator[Child]:
    match part:
        case Item():
            name = "" if part.name is None else display.filled(subject, part.name, Style())
            yield Child(name, subject.value(part.expression), is_index=_INDEX.fullmatch(name) is not None)
        case Synthetic():
            yield _synthetic(presenter, subject, part, depth)
        case ExpandedItem():
            yield from _expanded(presenter, subject, part, depth, elements_only=elements_only)
        case ArrayItems():
            yield from lists.of_array(subject, part)
        case IndexItems():
            yield from lists.of_indices(subject, part)
        case LinkedItems():
            yield from lists.of_links(subject, part)
        case CustomItems():
            yield from custom.items(subject, part)
        case _:
            yield from lists.of_tree(subject, part)


def _expanded(
    presenter: Presenter, subject: Subject, part: ExpandedItem, depth: int, *, elements_only: bool
) -> Iterator[Child]:
    value = subject.value(part.expression)
    format_ = getattr(value, "specifiers_", None)
    view = None if format_ is None else format_.view
    if elements_only and value.type.is_class:
        for inner in presenter.subjects(value, view, subject.work):
            expand = inner.rule.expand
            if expand is not None and expand.is_container and depth > 0:
                yield from _parts(presenter, inner, expand, depth - 1, elements_only=True)
                return
    yield from children(presenter, value, view, subject.work, depth - 1)


def _synthetic(presenter: Presenter, subject: Subject, part: Synthetic, depth: int) -> Child:
    name = display.filled(subject, part.name, Style())
    text = ""
    for each in part.displays:
        if subject.holds(each.guard):
            text = display.filled(subject, each.template, Style(work=subject.work))
            break
    expand = part.expand
    if expand is None:
        return Child(name, None, text)
    return Child(
        name,
        None,
        text,
        inside=lambda: bounded(_parts(presenter, subject, expand, depth - 1, elements_only=False), subject.work),
    )


def _words(error: StillframeError) -> str:
    return error.reason if isinstance(error, ExpressionError | Unreadable) else error.message
