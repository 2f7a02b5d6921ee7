"""What an object opens to: parts with a name, each a value, or a text of the visualizer's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillframe.model.value.text import ELLIPSIS, Style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stillframe.model.value.value import Value


@dataclass(frozen=True, slots=True)
class Child:
    """One part."""

    name: str
    """`[3]`, `[capacity]`, `first`."""
    value: Value | None
    """None of what is no value: `text` is all there is."""
    text: str = ""
    is_index: bool = False
    """The name is the place in the list, and says nothing more."""
    is_remark: bool = False
    """The text says what is wrong: a cyclic list, a size that makes no sense."""
    inside: Callable[[], Iterator[Child]] | None = None
    """Children of what is no value."""

    @classmethod
    def remark(cls, text: str) -> Child:
        """Something that a person has to know."""
        return cls("", None, f"<{text}>", is_remark=True)

    def format(self, style: Style | None = None) -> str:
        """One line."""
        if self.value is not None:
            return self.value.format(style)
        length = (style or Style()).length
        return self.text if len(self.text) <= length else self.text[: max(length - 1, 0)] + ELLIPSIS

    def children(self) -> Iterator[Child]:
        """What it opens to, in turn; bounded, whatever it claims."""
        if self.value is not None:
            return self.value.children_()
        return iter(()) if self.inside is None else self.inside()
