"""How C++ spells types: `int (*)[4]`, `const geo::Rect *`, `void (*)(int)`.

Source: ISO C++, [dcl.name] (type-id). Debug information names classes, enumerations, typedefs and fundamental types;
what is made of them is composed here, from the inside out, as declarators are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillframe.model.typing.type import Type

MOST_PARTS = 200
"""Of one spelling: a damaged function type may have itself as both of its parameters."""
MARKS = {"pointer": "*", "reference": "&", "rvalue_reference": "&&"}
UNNAMED = {"class", "struct", "union", "interface", "enum"}


def spelling(type_: Type | None) -> str:
    """The type's name as C++ writes it; None is `void`."""
    return _Speller().spell(type_, "")


class _Speller:
    def __init__(self) -> None:
        self._left = MOST_PARTS

    def spell(self, type_: Type | None, declarator: str) -> str:
        """`type_` around what has been spelled of the declarator."""
        self._left -= 1
        if self._left < 0:
            return _joined("…", declarator)
        if type_ is None or type_.kind == "void":
            return _joined("void", declarator)
        if type_.kind in MARKS or type_.kind == "member_pointer":
            mark = MARKS.get(type_.kind) or f"{self.spell(type_.class_type, '')}::*"
            return self._pointer(type_.target, mark + declarator)
        if type_.kind in {"array", "function"}:
            suffix = self._bounds(type_) if type_.kind == "array" else f"({self._parameters(type_)})"
            return self.spell(type_.target, declarator + suffix)
        return self._modified(type_, declarator) if type_.kind == "modified" else _joined(_own_name(type_), declarator)

    def _pointer(self, target: Type | None, declarator: str) -> str:
        is_inside = target is not None and target.kind in {"array", "function"}
        return self.spell(target, f"({declarator})" if is_inside else declarator)

    def _modified(self, type_: Type, declarator: str) -> str:
        words = " ".join(
            word
            for word, applies in (("const", type_.record_is_const), ("volatile", type_.record_is_volatile))
            if applies
        )
        target = type_.target
        if not words:
            return self.spell(target, declarator)
        if target is not None and target.kind in {*MARKS, "member_pointer"}:
            return self.spell(target, f"{words} {declarator}".rstrip())
        if target is not None and target.kind == "function":
            return f"{self.spell(target, declarator)} {words}"
        return f"{words} {self.spell(target, declarator)}"

    @staticmethod
    def _bounds(type_: Type) -> str:
        return "".join(f"[{'' if count is None else count}]" for count in type_.counts)

    def _parameters(self, type_: Type) -> str:
        parameters = [self.spell(parameter, "") for parameter in type_.parameters]
        return ", ".join([*parameters, "..."] if type_.is_variadic else parameters)


def _own_name(type_: Type) -> str:
    if type_.tag:
        return type_.tag
    return f"<unnamed {type_.kind}>" if type_.kind in UNNAMED else "<unnamed type>"


def _joined(name: str, declarator: str) -> str:
    return f"{name}{declarator}" if not declarator or declarator[0] == "[" else f"{name} {declarator}"
