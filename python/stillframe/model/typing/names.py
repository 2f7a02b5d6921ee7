"""Parts of the names of types: template arguments, scopes. Brackets of any kind nest."""

from __future__ import annotations

OPENING, CLOSING = "<([{", ">)]}"
LONGEST_NAME = 1 << 16


def template_arguments(name: str) -> tuple[str, ...]:
    """Of `ns::pair<int, list<char> >`: `int` and `list<char>`. Of `outer<int>::inner` none: they are not its own."""
    name = name[:LONGEST_NAME].rstrip()
    if not name.endswith(">"):
        return ()
    start = last_argument_list(name)
    return () if start is None else tuple(split_outside(name[start + 1 : -1], ","))


def last_argument_list(name: str) -> int | None:
    """Where the bracket opens that closes at the end of `name`."""
    depth = 0
    for index in range(len(name) - 1, -1, -1):
        depth += (name[index] in CLOSING) - (name[index] in OPENING)
        if depth == 0:
            return index
    return None


def split_outside(text: str, separator: str) -> list[str]:
    """The parts of `text` between separators that stand in no bracket, without blanks around them."""
    parts, depth, start, index = [], 0, 0, 0
    while index < len(text):
        depth += (text[index] in OPENING) - (text[index] in CLOSING)
        if depth == 0 and text.startswith(separator, index):
            parts.append(text[start:index].strip())
            index += len(separator)
            start = index
        else:
            index += 1
    last = text[start:].strip()
    return [*parts, last] if last or parts else []


def scopes_of(name: str) -> list[str]:
    """`geo`, `Rect<a::b>`, `area` of `geo::Rect<a::b>::area`."""
    return split_outside(name[:LONGEST_NAME], "::")


def without_parameters(function: str) -> str:
    """`geo::Rect::area` of `geo::Rect::area(int) const`; `(anonymous namespace)::f`, `function<int(int)>::call` and
    `Call::operator()` are whole names.
    """
    parts = split_outside(function[:LONGEST_NAME], "::")
    last = parts[-1] if parts else ""
    start = len("operator()") if last.startswith("operator()") else 1
    depth = 0
    for index, character in enumerate(last):
        if character == "(" and depth == 0 and index >= start:
            return "::".join([*parts[:-1], last[:index]])
        depth += (character in OPENING) - (character in CLOSING)
    return "::".join(parts)


def last_scope(name: str) -> str:
    """`Rect` of `geo::Rect`."""
    scopes = scopes_of(name)
    return scopes[-1] if scopes else name
