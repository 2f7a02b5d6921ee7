"""What natvis files say, as data: a `Rule` for each `<Type>`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from stillframe.model.expression.expression import Expression
    from stillframe.model.natvis.match import Pattern
    from stillframe.model.natvis.template import Template


class Place(NamedTuple):
    """Where something stands."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Guard:
    """When an element counts."""

    place: Place
    condition: Expression | None = None
    include: frozenset[str] = frozenset()
    """Views in which alone it counts; empty: in all."""
    exclude: frozenset[str] = frozenset()
    is_optional: bool = False
    """Whether an expression that means nothing costs but this element, silently."""
    module_name: str = ""
    """The module that has to record the type; empty: any."""

    def is_in_view(self, view: str | None) -> bool:
        """Whether it counts in this view; None is the usual one."""
        return view not in self.exclude and (not self.include or view in self.include)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several expressions: the first whose guard holds counts."""

    guard: Guard
    expression: Expression


Choices: TypeAlias = tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Display:
    """`<DisplayString>`"""

    guard: Guard
    template: Template


@dataclass(frozen=True, slots=True)
class Item:
    """`<Item>`, and `<ValueNode>`, whose name may be missing."""

    guard: Guard
    name: Template | None
    expression: Expression


@dataclass(frozen=True, slots=True)
class ExpandedItem:
    """`<ExpandedItem>`: the children of something else."""

    guard: Guard
    expression: Expression


@dataclass(frozen=True, slots=True)
class Synthetic:
    """`<Synthetic>`: a child that is no value."""

    guard: Guard
    name: Template
    displays: tuple[Display, ...]
    expand: Expand | None


@dataclass(frozen=True, slots=True)
class ArrayItems:
    """`<ArrayItems>`: elements that lie behind each other."""

    guard: Guard
    sizes: Choices
    pointers: Choices
    rank: Expression | None
    lower_bounds: Choices
    is_forward: bool
    """The last index counts fastest, as in C."""


@dataclass(frozen=True, slots=True)
class IndexItems:
    """`<IndexListItems>`: an expression of `$i`."""

    guard: Guard
    sizes: Choices
    values: Choices


@dataclass(frozen=True, slots=True)
class LinkedItems:
    """`<LinkedListItems>`"""

    guard: Guard
    sizes: Choices
    head: Expression
    next: Expression
    node: Item


@dataclass(frozen=True, slots=True)
class TreeItems:
    """`<TreeItems>`"""

    guard: Guard
    sizes: Choices
    head: Expression
    left: Expression
    right: Expression
    node: Item


@dataclass(frozen=True, slots=True)
class Loop:
    """`<Loop>`: repeats until it is left."""

    guard: Guard
    steps: Steps


@dataclass(frozen=True, slots=True)
class Branches:
    """`<If>`, `<Elseif>`, `<Else>`: the first whose guard holds is taken."""

    branches: tuple[tuple[Guard, Steps], ...]


@dataclass(frozen=True, slots=True)
class Exec:
    """`<Exec>`: gives a variable another value."""

    guard: Guard
    variable: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Break:
    """`<Break>`: leaves the loop."""

    guard: Guard


@dataclass(frozen=True, slots=True)
class Skip:
    """`<Skip>`: as many children are not shown, but counted."""

    guard: Guard
    expression: Expression


Step: TypeAlias = "Loop | Branches | Exec | Break | Skip | Item"
Steps: TypeAlias = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class CustomItems:
    """`<CustomListItems>`: a small program that yields the children."""

    guard: Guard
    variables: tuple[tuple[str, Expression], ...]
    sizes: Choices
    steps: Steps


Part: TypeAlias = "Item | ExpandedItem | Synthetic | ArrayItems | IndexItems | LinkedItems | TreeItems | CustomItems"


@dataclass(frozen=True, slots=True)
class Expand:
    """`<Expand>`"""

    parts: tuple[Part, ...]
    hides_raw: bool = False

    @property
    def is_container(self) -> bool:
        """Whether it counts elements, or passes on what something else is opened to."""
        return any(not isinstance(part, Item | Synthetic) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """`<Intrinsic>`: a function that expressions may call."""

    guard: Guard
    name: str
    parameters: tuple[tuple[str, str], ...]
    """Name and type."""
    expression: Expression


Intrinsics: TypeAlias = tuple[Intrinsic, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """`<Type>`"""

    guard: Guard
    patterns: tuple[Pattern, ...]
    priority: int
    is_inheritable: bool
    displays: tuple[Display, ...] = ()
    strings: Choices = ()
    """`<StringView>`: the text that it holds."""
    smart_pointer: Expression | None = None
    """`<SmartPointer>`: the pointer that it stands for."""
    expand: Expand | None = None
    intrinsics: Intrinsics = ()
    """Its own, then those of its file."""


@dataclass(frozen=True, slots=True)
class File:
    """A natvis file, as far as it could be read."""

    name: str
    rules: tuple[Rule, ...] = ()
    problems: list[str] = field(default_factory=list)
    """One sentence each, with the line."""
