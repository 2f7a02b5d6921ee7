"""Types as rustc spells them in DWARF, where they are the arguments of other types' names.

`Vec<&str>`, `Vec<&i32>`, `Vec<[u8; 4]>`: a reference to something sized is a pointer, which has no name in the debug
information; a slice and `str` are classes whose names begin with `&`. For MSVC rustc itself writes slices as class
templates, `ref$<slice2$<u8> >`, so that the rules of natvis files can name them; here they get the same names.
Source: rustc's `debuginfo/type_names.rs`, as its programs have it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillframe.model.typing.type import Type

MOST_MARKS = 64
_POINTERS = ("&mut ", "&", "*const ", "*mut ")
_ARRAY = r"(?s)\[(?P<item>.+); (?P<count>\d{1,18})\]"
_SLICE = r"(?s)&(?P<mut>mut )?(?:(?P<text>str)|\[(?P<item>.+)\])"  # compiled when the first one is met


def parse(text: str, named: Callable[[str], Type | None]) -> Type | None:
    """The type that `text` spells, a pointer or an array of what has a name; `named` knows the names. None if it spells
    none.
    """
    marks: list[int | None] = []
    """Of arrays the number of elements, of pointers None; the outermost first."""
    while (found := named(text)) is None:
        prefix = next((each for each in _POINTERS if text.startswith(each)), None)
        match = re.fullmatch(_ARRAY, text)
        if len(marks) == MOST_MARKS or (prefix is None and match is None):
            return None
        if prefix is not None:
            marks.append(None)
            text = text.removeprefix(prefix)
        elif match is not None:
            marks.append(int(match["count"]))
            text = match["item"]
    for count in reversed(marks):
        found = found.pointer() if count is None else found.array(count)
    return found


def slice_as_template(text: str) -> str:
    """`ref$<str$>` of `&str`, `ref_mut$<slice2$<u8> >` of `&mut [u8]`; other names as they are."""
    match = re.fullmatch(_SLICE, text) if text.startswith("&") else None
    if match is None:
        return text
    target = "str$" if match["text"] else f"slice2$<{match['item']}> "
    return f"ref{'_mut' if match['mut'] else ''}$<{target}>"
