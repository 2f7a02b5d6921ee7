"""Words that only types are written with (C++17 [dcl.type])."""

FUNDAMENTAL = frozenset(
    [
        "void",
        "bool",
        "char",
        "short",
        "int",
        "long",
        "signed",
        "unsigned",
        "float",
        "double",
        "wchar_t",
        "char8_t",
        "char16_t",
        "char32_t",
        "__int8",
        "__int16",
        "__int32",
        "__int64",
        "__int128",
    ]
)
"""Words of which the names of fundamental types consist."""
QUALIFIERS = frozenset({"const", "volatile"})
ELABORATED = frozenset({"struct", "class", "union", "enum", "typename"})
