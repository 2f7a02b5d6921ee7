"""How debug information may spell the names of template instances.

The same type is `vec<a,b<c> >` to Microsoft's compilers, `vec<a, b<c> >` to GCC and Clang, `vec<a, b<c>>` to newer
ones; pointers are `T *` or `T*`.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMA = re.compile(r"\s*,\s*")
_CLOSING = re.compile(r">\s*(?=>)")
_MARK = re.compile(r"\s*([*&]+)")
_WORD_AND_MARK = re.compile(r"(?<=[\w>])\s*([*&]+)")


def spellings(name: str) -> Iterator[str]:
    """`name` itself, then other spellings of its template arguments, each once."""
    yield name
    if "<" not in name:
        return
    given = {name}
    plain = _MARK.sub(r"\1", _CLOSING.sub(">", _COMMA.sub(",", name)))
    for comma, closing, mark in product((",", ", "), ("> ", ">"), (r" \1", r"\1")):
        spelled = _WORD_AND_MARK.sub(mark, _CLOSING.sub(closing, plain.replace(",", comma)))
        if spelled not in given:
            given.add(spelled)
            yield spelled
