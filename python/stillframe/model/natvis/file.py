"""Natvis files, read. A mistake costs the rule that it stands in, and is told with file and line; nothing else.

Source: Microsoft, "Create custom views of C++ objects in the debugger using the Natvis framework", and natvis.xsd.
What is only for the windows of Visual Studio (`UIVisualizer`, `CustomVisualizer`, `HResult`, `LocalizedStrings`,
`Version`) is read over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.model.natvis import document, parts
from stillframe.model.natvis.match import Pattern
from stillframe.model.natvis.rules import Choice, Display, Expand, File, Intrinsic, Place, Rule

if TYPE_CHECKING:
    from stillframe.model.expression.expression import Expression
    from stillframe.model.natvis.document import Element

PRIORITIES = {"Low": 0, "MediumLow": 1, "Medium": 2, "MediumHigh": 3, "High": 4}
MOST_RULES = 20_000
_READ_OVER = frozenset({"LocalizedStrings", "Version", "UIVisualizer", "CustomVisualizer", "MostDerivedType"})


def parse(data: bytes, name: str) -> File:
    """The rules of a file. `name` is what its problems say. Never fails: what cannot be read is among the problems."""
    try:
        root = document.read(data)
    except document.DocumentError as error:
        return File(name, (), [f"{Place(name, error.line)}: {error.reason}"])
    reader = parts.Reader(name)
    if root.name != "AutoVisualizer":
        return File(name, (), [f"{Place(name, root.line)}: <{root.name}> where <AutoVisualizer> should be"])
    shared = tuple(found for each in root.named("Intrinsic") if (found := _intrinsic(reader, each)) is not None)
    rules: list[Rule] = []
    for element in root.named("Type"):
        if len(rules) >= MOST_RULES:
            reader.problems.append(f"{Place(name, element.line)}: more than {MOST_RULES:,} types")
            break
        rule = _rule(reader, element, shared)
        if rule is not None:
            rules.append(rule)
    return File(name, tuple(rules), reader.problems)


def _rule(reader: parts.Reader, element: Element, shared: tuple[Intrinsic, ...]) -> Rule | None:
    """None, and a problem, if it cannot be read."""
    try:
        return _read_rule(reader, element, shared)
    except parts.Mistake as mistake:
        reader.problems.append(str(mistake))
        return None


def _read_rule(reader: parts.Reader, element: Element, shared: tuple[Intrinsic, ...]) -> Rule:
    names = [reader.attribute(element, "Name")]
    names += [reader.attribute(each, "Name") for each in element.named("AlternativeType")]
    priority = element.attributes.get("Priority", "Medium")
    if priority not in PRIORITIES:
        reader.fail(element, f"{priority} is no priority")
    displays: list[Display] = []
    strings: list[Choice] = []
    smart_pointer: Expression | None = None
    expand: Expand | None = None
    intrinsics: list[Intrinsic] = []
    for child in element.children:
        match child.name:
            case "DisplayString":
                displays.append(reader.display(child))
            case "StringView":
                strings.append(reader.choice(child))
            case "SmartPointer":
                smart_pointer = reader.expression(child)
            case "Expand":
                expand = reader.expand(child)
            case "Intrinsic":
                found = _intrinsic(reader, child)
                intrinsics += [] if found is None else [found]
            case "AlternativeType":
                pass
            case other if other not in _READ_OVER:
                reader.fail(child, f"<{other}> means nothing in a <Type>")
    return Rule(
        guard=reader.guard(element),
        patterns=tuple(map(Pattern, names)),
        priority=PRIORITIES[priority],
        is_inheritable=reader.is_true(element, "Inheritable", default=True),
        displays=tuple(displays),
        strings=tuple(strings),
        smart_pointer=smart_pointer,
        expand=expand,
        intrinsics=(*intrinsics, *shared),
    )


def _intrinsic(reader: parts.Reader, element: Element) -> Intrinsic | None:
    """None, and a problem, if it cannot be read: the functions of a file are not lost with one of them."""
    try:
        parameters = []
        for each in element.named("Parameter"):
            parameters.append((each.attributes.get("Name", ""), reader.attribute(each, "Type")))
        text = element.attributes.get("Expression")
        expression = reader.expression(element) if text is None else reader.expression_of(element, text)
        return Intrinsic(reader.guard(element), reader.attribute(element, "Name"), tuple(parameters), expression)
    except parts.Mistake as mistake:
        reader.problems.append(str(mistake))
        return None
