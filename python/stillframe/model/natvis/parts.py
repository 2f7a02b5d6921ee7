"""The elements below a `<Type>`, read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from stillframe.errors import StillframeError
from stillframe.model.expression.expression import Expression
from stillframe.model.natvis.rules import (
    ArrayItems,
    Branches,
    Break,
    Choice,
    Choices,
    CustomItems,
    Display,
    Exec,
    Expand,
    ExpandedItem,
    Guard,
    IndexItems,
    Item,
    LinkedItems,
    Loop,
    Part,
    Place,
    Skip,
    Step,
    Steps,
    Synthetic,
    TreeItems,
)
from stillframe.model.natvis.template import Template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe.model.natvis.document import Element

LONGEST_EXPRESSION = 10_000
_ASSIGNMENT = re.compile(r"\s*([A-Za-z_]\w*)\s*(<<|>>|[-+*/%&|^]|)=(?!=)(.*)", re.DOTALL)
_STEP = re.compile(r"\s*(?:(?:\+\+|--)\s*(?P<after>[A-Za-z_]\w*)|(?P<before>[A-Za-z_]\w*)\s*(?:\+\+|--))\s*;?\s*")


class Mistake(StillframeError):  # noqa: N818
    """Something in a file that means nothing."""

    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place


class Reader:
    """Reads the elements of one file."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[str] = []
        """What was found wrong so far."""

    def fail(self, element: Element, reason: str) -> NoReturn:
        """:raises Mistake:"""
        raise Mistake(Place(self._file, element.line), reason)

    # --- attributes, expressions, texts -------------------------------------------------------------------------------

    def attribute(self, element: Element, name: str) -> str:
        """:raises Mistake: if it is missing."""
        text = element.attributes.get(name, "").strip()
        return text or self.fail(element, f"<{element.name}> has no {name}")

    def is_true(self, element: Element, name: str, *, default: bool) -> bool:
        """A yes or no. :raises Mistake: if it is neither."""
        text = element.attributes.get(name)
        if text is None:
            return default
        if text.strip().lower() not in {"true", "false", "1", "0"}:
            self.fail(element, f'{name}="{text}" is neither true nor false')
        return text.strip().lower() in {"true", "1"}

    def expression(self, element: Element) -> Expression:
        """That which an element consists of."""
        return self.expression_of(element, element.text)

    def expression_of(self, element: Element, text: str) -> Expression:
        """:raises Mistake: if there is none."""
        if not text.strip():
            self.fail(element, f"<{element.name}> is empty where an expression should be")
        if len(text) > LONGEST_EXPRESSION:
            self.fail(element, f"an expression of {len(text):,} characters")
        return Expression(text.strip())

    def template(self, element: Element, text: str) -> Template:
        """:raises Mistake: if its braces are wrong."""
        try:
            return Template(text)
        except ValueError as error:
            self.fail(element, str(error))

    def guard(self, element: Element) -> Guard:
        """When the element counts."""
        condition = element.attributes.get("Condition")
        return Guard(
            Place(self._file, element.line),
            None if condition is None else self.expression_of(element, condition),
            _views(element, "IncludeView"),
            _views(element, "ExcludeView"),
            self.is_true(element, "Optional", default=False),
            element.attributes.get("ModuleName", "").strip(),
        )

    def display(self, element: Element) -> Display:
        """`<DisplayString>`"""
        return Display(self.guard(element), self.template(element, element.text))

    def choice(self, element: Element) -> Choice:
        """An expression under a condition."""
        return Choice(self.guard(element), self.expression(element))

    def _choices(self, element: Element, name: str) -> Choices:
        return tuple(self.choice(each) for each in element.named(name))

    def _needed(self, element: Element, name: str) -> Choices:
        return self._choices(element, name) or self.fail(element, f"<{element.name}> has no <{name}>")

    def _one(self, element: Element, name: str) -> Element:
        return element.child(name) or self.fail(element, f"<{element.name}> has no <{name}>")

    # --- what an object opens to --------------------------------------------------------------------------------------

    def expand(self, element: Element) -> Expand:
        """`<Expand>`"""
        parts = tuple(self._part(child) for child in element.children)
        hides_raw = self.is_true(element, "HideRawView", default=False)
        return Expand(parts, hides_raw)

    def _part(self, element: Element) -> Part:  # noqa: PLR0911 - a table of the elements
        match element.name:
            case "Item":
                return self._item(element)
            case "ExpandedItem":
                return ExpandedItem(self.guard(element), self.expression(element))
            case "Synthetic":
                return self._synthetic(element)
            case "ArrayItems":
                return self._array(element)
            case "IndexListItems":
                values = self._needed(element, "ValueNode")
                return IndexItems(self.guard(element), self._choices(element, "Size"), values)
            case "LinkedListItems":
                return self._linked(element)
            case "TreeItems":
                return self._tree(element)
            case "CustomListItems":
                return self._custom(element)
            case other:
                return self.fail(element, f"<{other}> means nothing in an <Expand>")

    def _item(self, element: Element) -> Item:
        name = element.attributes.get("Name")
        template = None if name is None else self.template(element, name)
        return Item(self.guard(element), template, self.expression(element))

    def _synthetic(self, element: Element) -> Synthetic:
        displays = tuple(self.display(each) for each in element.named("DisplayString"))
        expand = element.child("Expand")
        name = self.template(element, self.attribute(element, "Name"))
        return Synthetic(self.guard(element), name, displays, None if expand is None else self.expand(expand))

    def _array(self, element: Element) -> ArrayItems:
        rank, direction = element.child("Rank"), element.child("Direction")
        order = "Forward" if direction is None else direction.text
        if order not in {"Forward", "Backward"}:
            self.fail(element, f"the direction {order} is neither Forward nor Backward")
        return ArrayItems(
            self.guard(element),
            self._needed(element, "Size"),
            self._needed(element, "ValuePointer"),
            None if rank is None else self.expression(rank),
            self._choices(element, "LowerBound"),
            order == "Forward",
        )

    def _linked(self, element: Element) -> LinkedItems:
        return LinkedItems(
            self.guard(element),
            self._choices(element, "Size"),
            self.expression(self._one(element, "HeadPointer")),
            self.expression(self._one(element, "NextPointer")),
            self._item(self._one(element, "ValueNode")),
        )

    def _tree(self, element: Element) -> TreeItems:
        return TreeItems(
            self.guard(element),
            self._choices(element, "Size"),
            self.expression(self._one(element, "HeadPointer")),
            self.expression(self._one(element, "LeftPointer")),
            self.expression(self._one(element, "RightPointer")),
            self._item(self._one(element, "ValueNode")),
        )

    # --- CustomListItems ----------------------------------------------------------------------------------------------

    def _custom(self, element: Element) -> CustomItems:
        variables = []
        for each in element.named("Variable"):
            initial = self.attribute(each, "InitialValue")
            variables.append((self.attribute(each, "Name"), self.expression_of(each, initial)))
        steps = [child for child in element.children if child.name not in {"Variable", "Size"}]
        return CustomItems(self.guard(element), tuple(variables), self._choices(element, "Size"), self._steps(steps))

    def _steps(self, elements: Sequence[Element]) -> Steps:
        steps: list[Step] = []
        for element in elements:
            if element.name in {"Elseif", "Else"}:
                if not steps or not isinstance(steps[-1], Branches):
                    self.fail(element, f"an <{element.name}> without an <If>")
                steps[-1] = Branches((*steps[-1].branches, self._branch(element)))
            else:
                steps.append(self._step(element))
        return tuple(steps)

    def _branch(self, element: Element) -> tuple[Guard, Steps]:
        return self.guard(element), self._steps(element.children)

    def _step(self, element: Element) -> Step:  # noqa: PLR0911 - a table of the elements
        match element.name:
            case "Loop":
                return Loop(self.guard(element), self._steps(element.children))
            case "If":
                return Branches((self._branch(element),))
            case "Exec":
                return self._exec(element)
            case "Item":
                return self._item(element)
            case "Break":
                return Break(self.guard(element))
            case "Skip":
                return Skip(self.guard(element), self.expression(element))
            case other:
                return self.fail(element, f"<{other}> means nothing in a <CustomListItems>")

    def _exec(self, element: Element) -> Exec:
        text = element.text
        step, assignment = _STEP.fullmatch(text), _ASSIGNMENT.fullmatch(text)
        if step is not None:
            name = step["after"] or step["before"]
            return Exec(self.guard(element), name, Expression(f"{name} {'+' if '++' in text else '-'} 1"))
        if assignment is None:
            self.fail(element, f"'{text[:60]}' gives no variable a value")
        name, operator, right = assignment.groups()
        whole = f"{name} {operator} ({right.strip()})" if operator else right
        return Exec(self.guard(element), name, self.expression_of(element, whole))


def _views(element: Element, name: str) -> frozenset[str]:
    return frozenset(filter(None, (view.strip() for view in element.attributes.get(name, "").split(";"))))
