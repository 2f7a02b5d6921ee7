"""Which rules are for which types, by name.

The same class has many names: `class std::vector<int,class std::allocator<int> >` to Microsoft's tools,
`std::__1::vector<int, std::__1::allocator<int>>` to Clang with libc++. What differs without a meaning is taken away
before names are compared: blanks, keywords, inline namespaces, suffixes of numbers.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from stillframe.model.typing.builtin import described
from stillframe.model.typing.names import last_argument_list, scopes_of, template_arguments
from stillframe.model.typing.rust_names import slice_as_template

INLINE_NAMESPACES = frozenset({"__1", "__2", "__ndk1", "__Cr", "__cxx11", "_V2", "__8"})
"""Of libc++ (also Android's and Chromium's), libstdc++: versions, not parts of the names that people mean."""
DEEPEST = 40
_KEYWORD = re.compile(r"\b(?:class|struct|union|enum|typename)\s+(?=[\w:`(<$])")
_BLANKS = re.compile(r"\s+(?=\W)|(?<=\W)\s+|\s+$|^\s+")
_NUMBER = re.compile(r"(-?\d+)[uUlL]+")
_CONST_BEHIND = re.compile(r"^([\w:]+(?: [\w:]+)*?) const(?=$|[*&])")
_WILDCARD = "*"

Arguments: TypeAlias = tuple[str, ...]


class Name(NamedTuple):
    """A name in its parts."""

    scopes: tuple[tuple[str, Arguments | None], ...]
    """Of each scope, outermost first, what it is called and its template arguments; None if it has no list of them."""

    @property
    def key(self) -> str:
        """The name without template arguments."""
        return "::".join(name for name, _ in self.scopes)


@lru_cache(4096)
def plain(text: str) -> str:
    """The text without what does not count in comparisons."""
    text = _KEYWORD.sub("", text.replace("`anonymous namespace'", "(anonymous namespace)"))
    text = _NUMBER.sub(r"\1", text) if _NUMBER.fullmatch(text) else text
    base = described(text, pointer_size_bytes=8, is_windows=False)
    text = _const_first(_BLANKS.sub("", text))
    return text if base is None else base[0]


def _const_first(text: str) -> str:
    """`const char*` of `char const*`."""
    return _CONST_BEHIND.sub(r"const \1", text, count=1)


@lru_cache(4096)
def parse(text: str) -> Name:
    """The parts of a name, as it is written."""
    scopes = []
    text = slice_as_template(_KEYWORD.sub("", text.strip()))
    for scope in scopes_of(text.removeprefix("::")):
        start = last_argument_list(scope) if scope.endswith(">") else None
        arguments = None if start is None else template_arguments(scope)
        name = plain(scope if start is None else scope[:start])
        if name not in INLINE_NAMESPACES:
            scopes.append((name, arguments))
    return Name(tuple(scopes))


@lru_cache(4096)
def canonical(text: str) -> str:
    """One spelling for all those that mean the same."""
    return _canonical(text, DEEPEST)


def _canonical(text: str, depth: int) -> str:
    text = plain(text)
    end = text.rfind(">")
    if end < 0 or depth < 0:
        return parse(text).key
    start = 6 if text.startswith("const ") else 0
    spelled = [
        name + ("" if arguments is None else f"<{','.join(_canonical(each, depth - 1) for each in arguments)}>")
        for name, arguments in parse(text[start : end + 1]).scopes
    ]
    return text[:start] + "::".join(spelled) + text[end + 1 :]


class Pattern:
    """The name that a rule is for. An argument `*` stands for any, the last for one or more."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._name = parse(text)

    @property
    def key(self) -> str:
        """As `Name.key`; may hold wildcards."""
        return self._name.key

    @property
    def exactness(self) -> int:
        """Of two patterns that match, the one with the greater number says more."""
        return sum(character not in {_WILDCARD, " "} for character in self.text)

    def match(self, name: Name) -> Arguments | None:
        """What the wildcards stand for (`$T1`…), as the type's name has it; None if the name is another."""
        found: list[str] = []
        return tuple(found) if _match_names(self._name, name, found, DEEPEST) else None


def _match_names(pattern: Name, name: Name, found: list[str], depth: int) -> bool:
    if len(pattern.scopes) != len(name.scopes) or depth < 0:
        return False
    return all(
        (wanted == own or (_WILDCARD in wanted and fnmatchcase(own, wanted)))
        and _match_arguments(arguments, own_arguments, found, depth)
        for (wanted, arguments), (own, own_arguments) in zip(pattern.scopes, name.scopes, strict=True)
    )


def _match_arguments(pattern: Arguments | None, arguments: Arguments | None, found: list[str], depth: int) -> bool:
    if pattern is None or arguments is None:
        return pattern is arguments
    if pattern and pattern[-1] == _WILDCARD and len(arguments) >= len(pattern):
        if not _match_each(pattern[:-1], arguments[: len(pattern) - 1], found, depth):
            return False
        found += arguments[len(pattern) - 1 :]
        return True
    return len(pattern) == len(arguments) and _match_each(pattern, arguments, found, depth)


def _match_each(pattern: Arguments, arguments: Arguments, found: list[str], depth: int) -> bool:
    for wanted, own in zip(pattern, arguments, strict=True):
        if wanted == _WILDCARD:
            found.append(own)
        elif "<" in wanted and "<" in own and _mark(wanted) == _mark(own):
            if not _match_names(parse(_unmarked(wanted)), parse(_unmarked(own)), found, depth - 1):
                return False
        elif canonical(wanted) != canonical(own):
            return False
    return True


def _mark(text: str) -> str:
    """`*`, `&`, `const` around a type's name."""
    text = plain(text)
    return text[text.rfind(">") + 1 :] + ("const" if text.startswith("const ") else "")


def _unmarked(text: str) -> str:
    return plain(text).removeprefix("const ")[: plain(text).removeprefix("const ").rfind(">") + 1]
