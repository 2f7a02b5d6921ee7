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

_POINTERS = ("&mut ", "&", "*const ", "*mut ")
_ARRAY = r"(?s)\[(?P<item>.+); (?P<count>\d{1,18})\]"
_SLICE = r"(?s)&(?P<mut>mut )?(?:(?P<text>str)|\[(?P<item>.+)\])"  # compiled when the first one is met


def parse(text: str, named: Callable[[str], Type | None]) -> Type | None:
    """The pointer or the array that `text` spells; `named` knows all other types. None if it spells none."""
    prefix = next((each for each in _POINTERS if text.startswith(each)), None)
    if prefix is not None:
        target = named(text.removeprefix(prefix))
        return None if target is None else target.pointer()
    match = re.fullmatch(_ARRAY, text)
    item = None if match is None else named(match["item"])
    return None if match is None or item is None else item.array(int(match["count"]))


def slice_as_template(text: str) -> str:
    """`ref$<str$>` of `&str`, `ref_mut$<slice2$<u8> >` of `&mut [u8]`; other names as they are."""
    match = re.fullmatch(_SLICE, text) if text.startswith("&") else None
    if match is None:
        return text
    target = "str$" if match["text"] else f"slice2$<{match['item']}> "
    return f"ref{'_mut' if match['mut'] else ''}$<{target}>"
