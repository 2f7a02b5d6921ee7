"""The most derived type of an object, as its vtable tells it.

Microsoft: a vtable is called `??_7Circle@geo@@6B@`, that of a further base `??_7Rect@geo@@6BNamed@1@@`; the word before
it may point to a complete object locator (rttidata.h): signature, offset of the vtable pointer in the whole object,
offset of the constructor displacement, type. Itanium C++ ABI 2.5.2: `_ZTV…`; two words before the address point is the
offset to the top of the whole object, one word before it the `type_info`, which begins with its own vtable and the
mangled name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from stillframe.errors import StillframeError, Unreadable
from stillframe.model.absent import Absent
from stillframe.model.typing.names import last_scope
from stillframe.model.value.bases import fixed_offset, is_same_class, only_offset, path_to_base

if TYPE_CHECKING:
    from stillframe.model.module import Module
    from stillframe.model.process import Process
    from stillframe.model.symbol import Symbol
    from stillframe.model.typing.members import Member
    from stillframe.model.typing.type import Type
    from stillframe.model.value.value import Value

MOST_CLASSES = 256
LONGEST_NAME = 4096
_VFTABLE = re.compile(r"(?:const )?(?P<class>.+)::`vftable'.*")
_OF_BASE = re.compile(r".*@@6B(?:(?P<base>[A-Za-z_]\w*)@.*|@)")
"""The end of a decorated name: `6B@` is the only vtable, `6BNamed@1@@` that of a base."""
_ITANIUM = re.compile(r"\{?vtable(?: for |\()(?P<class>.+?)\)?\}?")
_LOCATOR_SIGNATURES = {4: 0, 8: 1}


class Whole(NamedTuple):
    """An object that another is a part of."""

    type: Type
    address: int


def dynamic(value: Value) -> Value:
    """See `Value.dynamic`."""
    try:
        if value.type.is_reference:
            return dynamic(value.dereference())
        if value.type.is_pointer:
            target = value.type.resolved.target
            if target is None or not target.is_class or not value:
                return value
            whole = _whole(value.dereference())
            return value if whole is None else value.result_(whole.type.pointer(), whole.address)
        whole = _whole(value) if value.type.is_class else None
        return value if whole is None else value.object_at_(whole.type, whole.address)
    except StillframeError:  # whatever is absent or damaged: nothing more derived is known
        return value


def _whole(value: Value) -> Whole | None:
    pointer = _vtable_pointer(value)
    if pointer is None or pointer.address is None:
        return None
    table = _Table(value, pointer, int(pointer.number_()))
    for found in (table.by_symbol(), table.by_locator(), table.by_type_info()):
        if found is not None and _is_plausible(found, value):
            same = is_same_class(found.type, value.type.resolved) and found.address == value.address
            return None if same else found
    return None


def _is_plausible(whole: Whole, value: Value) -> bool:
    size = whole.type.size_bytes
    if isinstance(size, Absent) or value.address is None:
        return False
    return 0 <= value.address - whole.address < max(size, 1) and path_to_base(whole.type, value.type) is not None


def _vtable_pointer(value: Value) -> Value | None:
    """The first pointer to a vtable in an object: its own, or that of a base."""
    level = [value]
    seen: set[Type] = set()
    while level and len(seen) < MOST_CLASSES:
        following = []
        for part in level:
            class_ = part.type.resolved
            if class_ in seen:
                continue
            seen.add(class_)
            own = _own_vtable_pointer(class_)
            if own is not None:
                return part.part_(own)
            following += [part.part_(base) for base in class_.bases]
        level = following
    return None


def _own_vtable_pointer(class_: Type) -> Member | None:
    pointers = (each for each in class_.members if each.kind == "field" and each.is_artificial and each.type.is_pointer)
    return next(pointers, None)


class _Table:
    """A vtable that an object points to."""

    def __init__(self, value: Value, pointer: Value, address: int) -> None:
        self._value = value
        self._process: Process = value.process_
        self._pointer = pointer.address or 0
        self._types = pointer.type.types
        self._address = address
        self._module: Module | None = self._process.modules.at(address)
        self._word_bytes = self._process.pointer_size_bytes

    def by_symbol(self) -> Whole | None:
        """By the name that the vtable has."""
        symbol = None if self._module is None else self._module.symbol_at(self._address)
        if symbol is None or isinstance(symbol, Absent):
            return None
        if symbol.decorated_name.startswith("??_7"):
            return self._microsoft(symbol) if symbol.address == self._address else None
        if "_ZTV" in symbol.decorated_name[:5]:
            match = _ITANIUM.fullmatch(symbol.name)
            type_ = self._class(match["class"]) if match else None
            return None if type_ is None else self._above(type_)
        return None

    def _microsoft(self, symbol: Symbol) -> Whole | None:
        match = _VFTABLE.fullmatch(symbol.name)
        type_ = None if match is None else self._class(match["class"])
        if match is None or type_ is None:
            return None
        located = self._locator()
        of_base = _OF_BASE.fullmatch(symbol.decorated_name)
        if located is not None:
            return Whole(type_, self._pointer - located[0])
        offset = None if of_base is None else _pointer_offset(type_, of_base["base"])
        return None if offset is None else Whole(type_, self._pointer - offset)

    def _above(self, type_: Type) -> Whole | None:
        """Where the whole object begins. Small dumps often lack the vtables of programs that may be loaded anywhere:
        these are in `.data.rel.ro`, which the loader writes. Then the object is where the class has this base.
        """
        try:
            to_top = self._number(self._address - 2 * self._word_bytes, self._word_bytes, signed=True)
        except Unreadable:
            offset, start = only_offset(type_, self._value.type), self._value.address
            return None if offset is None or start is None else Whole(type_, start - offset)
        return Whole(type_, self._pointer + to_top)

    def by_locator(self) -> Whole | None:
        """By Microsoft's complete object locator."""
        located = self._locator()
        type_ = None if located is None else self._class(located[1])
        return None if located is None or type_ is None else Whole(type_, self._pointer - located[0])

    def _locator(self) -> tuple[int, str] | None:
        """Offset of the pointer in the whole object, and the class's name (empty if it is a template's)."""
        if self._module is None:
            return None
        try:
            locator = self._number(self._address - self._word_bytes, self._word_bytes)
            if not self._module.covers(locator):
                return None
            signature, offset, displacement = (self._number(locator + 4 * index, 4) for index in range(3))
            descriptor = self._number(locator + 12, 4)
            if signature != _LOCATOR_SIGNATURES[self._word_bytes]:
                return None
            if self._word_bytes == 8:
                if self._module.base + self._number(locator + 20, 4) != locator:
                    return None
                descriptor += self._module.base
            name = self._text(descriptor + 2 * self._word_bytes)
            if displacement:
                offset += self._number(self._pointer - displacement, 4, signed=True)
        except Unreadable:
            return None
        return (offset, _plain_microsoft(name)) if name.startswith(".?A") else None

    def by_type_info(self) -> Whole | None:
        """By the `type_info` of the Itanium ABI."""
        try:
            type_info = self._number(self._address - self._word_bytes, self._word_bytes)
            if self._process.modules.at(type_info) is None:
                return None
            name = _plain_itanium(self._text(self._number(type_info + self._word_bytes, self._word_bytes)))
            type_ = self._class(name) if name else None
            return None if type_ is None else self._above(type_)
        except Unreadable:
            return None

    def _class(self, name: str) -> Type | None:
        """The class of this name; demanglers and compilers disagree about blanks."""
        tight = name.replace(", ", ",")
        for spelled in dict.fromkeys((name, tight, tight.replace(">>", "> >"), name.replace(">>", "> >"))):
            found = self._types.named(spelled, self._module) if spelled else None
            if found is not None and found.is_class:
                return found.resolved
        return None

    def _number(self, address: int, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self._process.memory.read(address, size), "little", signed=signed)

    def _text(self, address: int) -> str:
        return self._process.memory.read_c_string(address, LONGEST_NAME).decode("latin-1")


def _pointer_offset(type_: Type, base: str | None) -> int | None:
    """Where in a class the vtable pointer lies of one of its bases; without a base, the first one."""
    if base is None:
        return _first_pointer_offset(type_)
    for member in type_.bases:
        inner = member.type.resolved
        if member.kind == "base" and (last_scope(inner.tag) == last_scope(base)):
            offset = _first_pointer_offset(inner)
            return None if offset is None else (member.offset_bytes or 0) + offset
    return None


def _first_pointer_offset(type_: Type) -> int | None:
    level: list[tuple[Type, int]] = [(type_.resolved, 0)]
    seen: set[Type] = set()
    while level and len(seen) < MOST_CLASSES:
        following = []
        for class_, start in level:
            own = _own_vtable_pointer(class_)
            if own is not None:
                return start + (own.offset_bytes or 0)
            if class_ not in seen:
                seen.add(class_)
                fixed = [member for member in class_.bases if fixed_offset((member,)) is not None]
                following += [(member.type.resolved, start + (member.offset_bytes or 0)) for member in fixed]
        level = following
    return None


def _plain_microsoft(decorated: str) -> str:
    """`geo::Rect` of `.?AVRect@geo@@`; nothing of templates."""
    inner = decorated[4:].removesuffix("@@")
    return "" if "?" in inner or not inner else "::".join(reversed(inner.split("@")))


def _plain_itanium(mangled: str) -> str:
    """`geo::Rect` of `N3geo4RectE`; nothing of templates."""
    text = mangled.removeprefix("*")  # GCC marks classes of unnamed namespaces so
    text = text[1:-1] if text.startswith("N") and text.endswith("E") else text
    names = []
    while text:
        digits = re.match(r"\d{1,4}", text)
        if digits is None:
            return ""
        start, length = digits.end(), int(digits[0])
        names.append(text[start : start + length])
        text = text[start + length :]
    return "::".join("(anonymous namespace)" if name.startswith("_GLOBAL__N") else name for name in names)
