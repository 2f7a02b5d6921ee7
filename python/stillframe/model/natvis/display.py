"""An object in one line, as a rule's `<DisplayString>` has it; of containers, their first elements behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.errors import ExpressionError, Unreadable
from stillframe.model.natvis.scope import is_of_no_use
from stillframe.model.value.text import ELLIPSIS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stillframe.model.natvis.child import Child
    from stillframe.model.natvis.rules import Display
    from stillframe.model.natvis.scope import Subject
    from stillframe.model.natvis.template import Template
    from stillframe.model.value.text import Style
    from stillframe.model.value.value import Value

SHORTEST_LIST = 12
"""Characters that have to be left for elements to be shown."""


def line(subject: Subject, elements: Iterable[Child] | None, style: Style) -> str | None:
    """What the rule says of its object; None if it says nothing in this view.

    :param elements: its children, if it is a container.
    :raises ExpressionError: if an expression means nothing here. :raises TooMuchWork:
    """
    display = _display(subject)
    template = None if display is None else display.template
    shown = None if template is None else filled(subject, template, style)
    if shown is None:
        string = subject.chosen(subject.rule.strings)
        shown = None if string is None else _text(string, style)
    is_passed_on = template is not None and not isinstance(template.parts[0], str) and len(template.parts) == 1
    if elements is None or is_passed_on:
        return shown
    if style.depth <= 0:
        return shown or "{…}"
    room = style.length - len(shown or "") - 1
    if shown and room < SHORTEST_LIST:
        return shown
    inside = listed(elements, style._replace(length=room))
    return f"{shown or ''}{' ' if shown else ''}{inside}"


def _display(subject: Subject) -> Display | None:
    """The first that holds. An optional one whose expressions mean nothing here does not."""
    for display in subject.rule.displays:
        try:
            if subject.holds(display.guard) and display.template.parts:
                if display.guard.is_optional:
                    for part in display.template.parts:
                        if not isinstance(part, str):
                            subject.value(part)
                return display
        except ExpressionError as error:
            if not (display.guard.is_optional and is_of_no_use(error)):
                raise
        except Unreadable:  # said by the next one, or by the members
            continue
    return None


def filled(subject: Subject, template: Template, style: Style) -> str:
    """The text with its expressions in place, cut at the style's length. What is not there is named.

    :raises ExpressionError: :raises TooMuchWork:
    """
    is_alone = len(template.parts) == 1
    inner = style._replace(depth=style.depth if is_alone else style.depth - 1, view=None, work=subject.work)
    shown = ""
    for part in template.parts:
        room = style.length - len(shown)
        if room <= 0:
            return shown[: max(style.length - 1, 0)] + ELLIPSIS
        if isinstance(part, str):
            shown += part
            continue
        try:
            shown += _text(subject.value(part), inner._replace(length=room))
        except Unreadable as error:
            shown += f"<{error.reason}>"
    return shown


def _text(value: Value, style: Style) -> str:
    return value.format(style._replace(nesting=style.nesting - 1))


def listed(children: Iterable[Child], style: Style) -> str:
    """`{1, 2, 3}`: as many children as there is room for; those that are not numbered with their names."""
    return "{" + ", ".join(_listed(children, style)) + "}"


def _listed(children: Iterable[Child], style: Style) -> Iterator[str]:
    used, is_first = 2, True
    for child in children:
        room = style.length - used
        if room < 4:
            yield ELLIPSIS
            return
        inner = style._replace(depth=style.depth - 1, length=room, nesting=style.nesting - 1, view=None)
        name = "" if child.is_index or not child.name else f"{child.name}="
        part = name + child.format(inner._replace(length=max(room - len(name), 4)))
        if len(part) > room - 3 and not is_first:
            yield ELLIPSIS
            return
        yield part
        used += len(part) + 2
        is_first = False
