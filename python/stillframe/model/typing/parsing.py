"""Types as people write them: a name with `const` and `volatile` before or behind it, and `*`, `&`, `&&`, `[3]` behind
that. All that declarators can be, `void (*)(int)`, is read where expressions are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillframe.model.typing.type import Type

KEYWORDS = ("struct ", "class ", "union ", "enum ", "const ", "volatile ")
MOST_MARKS = 64
_MARK = re.compile(r"(?P<mark>\*|&&|&|\[(?P<count>\d{1,18}|)\]|\bconst|\bvolatile)\s*$")


def parse(text: str, named: Callable[[str], Type | None]) -> Type | None:
    """The type that `text` spells; `named` knows the names. None if it spells none."""
    marks: list[re.Match[str]] = []
    text = text.strip()
    while len(marks) <= MOST_MARKS and (match := _MARK.search(text)) is not None:
        marks.append(match)
        text = text[: match.start()].rstrip()
    found = named(plain(text)) if text and len(marks) <= MOST_MARKS else None
    if found is not None:
        qualifiers = text[: text.rfind(plain(text))].split()
        found = found.qualified(is_const="const" in qualifiers, is_volatile="volatile" in qualifiers)
    counts: list[int | None] = []
    for match in reversed(marks):
        if found is None:
            break
        mark = match["mark"]
        if mark.startswith("["):
            counts.append(int(match["count"]) if match["count"] else None)
        elif mark == "*":
            found = found.pointer()
        elif mark.startswith("&"):
            found = found.reference(is_rvalue=mark == "&&")
        else:
            found = found.qualified(is_const=mark == "const", is_volatile=mark == "volatile")
    for count in reversed(counts):  # `int[3][4]` is three arrays of four
        found = None if found is None else found.array(count)
    return found


def plain(name: str) -> str:
    """Without the keywords that C++ allows before a class's name, and blanks around."""
    name = name.strip().removeprefix("::")
    while (keyword := next((each for each in KEYWORDS if name.startswith(each)), None)) is not None:
        name = name.removeprefix(keyword).lstrip()
    return name
