"""The fundamental types of C++ as expressions name them, with the sizes of the dumped process's system.

Source: ISO C++, [dcl.type.simple] (which words make which type); sizes of `long` and `wchar_t`: Microsoft, "x64 ABI
conventions" (LLP64), and the System V and Arm ABIs (LP64).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillframe.model.typing.type import Encoding

_SIGNED: Encoding = "signed"
_UNSIGNED: Encoding = "unsigned"

FIXED: dict[str, tuple[Encoding, int]] = {
    "bool": ("boolean", 1),
    "char": ("signed_character", 1),
    "signed char": ("signed", 1),
    "unsigned char": ("unsigned_character", 1),
    "char8_t": ("unicode", 1),
    "char16_t": ("unicode", 2),
    "char32_t": ("unicode", 4),
    "short": (_SIGNED, 2),
    "unsigned short": (_UNSIGNED, 2),
    "int": (_SIGNED, 4),
    "unsigned int": (_UNSIGNED, 4),
    "long long": (_SIGNED, 8),
    "unsigned long long": (_UNSIGNED, 8),
    "float": ("float", 4),
    "double": ("float", 8),
    "__int128": (_SIGNED, 16),
    "unsigned __int128": (_UNSIGNED, 16),
    **{f"int{8 * size}_t": (_SIGNED, size) for size in (1, 2, 4, 8)},
    **{f"uint{8 * size}_t": (_UNSIGNED, size) for size in (1, 2, 4, 8)},
}
"""Types whose size is the same on all systems here."""
ALIASES = {
    "__int8": "char",
    "__int16": "short",
    "__int32": "int",
    "__int64": "long long",
    "unsigned __int8": "unsigned char",
    "unsigned __int16": "unsigned short",
    "unsigned __int32": "unsigned int",
    "unsigned __int64": "unsigned long long",
    "_Bool": "bool",
}
_KINDS = frozenset({"int", "char", "double", "float", "bool", "__int64", "__int32", "__int16", "__int8", "__int128"})
_SIGNED_KINDS = _KINDS - {"double", "float", "bool"}
_SIZES = {"int": [[], ["short"], ["long"], ["long", "long"]], "double": [[], ["long"]]}
"""Words that may stand beside `int`, which may be left out, and `double`."""
_WORDS = _KINDS | {"signed", "unsigned", "short", "long"}


def described(name: str, *, pointer_size_bytes: int, is_windows: bool) -> tuple[str, Encoding, int] | None:
    """The usual spelling, encoding and size of the fundamental type that `name` spells in any order of its words."""
    words = name.split()
    usual = _usual(words)
    usual = ALIASES.get(usual, usual)
    if usual in FIXED:
        return usual, *FIXED[usual]
    long_size = 4 if is_windows else pointer_size_bytes
    systems: dict[str, tuple[Encoding, int]] = {
        "long": (_SIGNED, long_size),
        "unsigned long": (_UNSIGNED, long_size),
        "wchar_t": ("unicode", 2 if is_windows else 4),
        "long double": ("float", 8 if is_windows else 16 if pointer_size_bytes == 8 else 12),
        **dict.fromkeys(("size_t", "uintptr_t"), (_UNSIGNED, pointer_size_bytes)),
        **dict.fromkeys(("ptrdiff_t", "intptr_t", "ssize_t"), (_SIGNED, pointer_size_bytes)),
    }
    return (usual, *systems[usual]) if usual in systems else None


def _is_allowed(words: list[str]) -> bool:
    """Whether these words go together ([dcl.type.simple], table 10): one type, one sign, `long` at most twice."""
    (kind, *others) = [word for word in words if word in _KINDS] or ["int"]
    rest = sorted(word for word in words if word not in _KINDS)
    signs = [word for word in rest if word in {"signed", "unsigned"}]
    sizes = [word for word in rest if word not in signs]
    return not others and len(signs) <= (kind in _SIGNED_KINDS) and sizes in _SIZES.get(kind, [[]])


def _usual(words: list[str]) -> str:
    """`unsigned long` of `long unsigned int`, `long int unsigned`…; other names as they are."""
    if len(words) < 2 and words not in (["signed"], ["unsigned"]):
        return words[0] if words else ""
    if not set(words) <= _WORDS or not _is_allowed(words):
        return " ".join(words)
    longs = words.count("long")
    if "char" in words:
        return " ".join([*(sign for sign in ("signed", "unsigned") if sign in words), "char"])
    if "double" in words:
        return "long double" if longs else "double"
    size = (
        "__int64"
        if "__int64" in words
        else "short"
        if "short" in words
        else "long long"
        if longs > 1
        else "long" * longs
    )
    return " ".join([*(["unsigned"] if "unsigned" in words else []), size or "int"])
