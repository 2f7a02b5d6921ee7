"""A C++ exception of Microsoft's compiler: the class that was thrown, and its message.

The exception's parameters are a magic number, the object, its ThrowInfo, and, where pointers have 64 bits, the base of
the module whose RVAs the structures hold. ThrowInfo leads to CatchableTypeArray, CatchableType and the TypeDescriptor,
whose name is `.?AV` or `.?AU`, the qualified name inside out, and `@@`.

Source: `ehdata.h` of the Visual C++ runtime (`_s_ThrowInfo`, `_s_CatchableTypeArray`, `_s_CatchableType`,
`TypeDescriptor`), `vcruntime_exception.h` (`std::exception`: virtual table, then the text).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.errors import FaultError
from stillframe.model.absent import Absent
from stillframe.model.crash import Basis

if TYPE_CHECKING:
    from stillframe._engine import ExceptionRecord
    from stillframe.model.dump import Dump

MAGICS = range(0x19930520, 0x19930523)
MOST_TYPES = 64
"""Of a class with its bases; a real one has a few."""
LONGEST_NAME_BYTES = 1024
CLASS_MARKS = (".?AV", ".?AU", ".?AW4")
"""Class, struct, enumeration."""
STANDARD_BASE = ".?AVexception@std@@"


class Thrown(NamedTuple):
    """What was thrown."""

    type_name: str
    message: str | None
    """Of a `std::exception`: its text."""
    basis: tuple[Basis, ...]


def thrown(dump: Dump, exception: ExceptionRecord) -> Thrown | None:
    """The object's class and message, as far as memory or symbols tell them."""
    has_64_bits = dump.pointer_size_bytes == 8
    if len(exception.parameters) < (4 if has_64_bits else 3) or exception.parameters[0] not in MAGICS:
        return None
    mask = (1 << 8 * dump.pointer_size_bytes) - 1
    _, thrown_object, throw_info = (parameter & mask for parameter in exception.parameters[:3])
    image_base = exception.parameters[3] if has_64_bits else 0
    if not throw_info:  # `throw;` without anything to throw again
        return None
    reader = _Reader(dump, image_base)
    names = reader.type_names(throw_info)
    if not names:
        name = reader.name_by_symbol(throw_info)
        return None if name is None else Thrown(name, None, (Basis("debug information", f"{throw_info:#x}"),))
    basis = [Basis("memory", f"ThrowInfo at {throw_info:#x}")]
    message = reader.message(thrown_object) if STANDARD_BASE in names else None
    if message is not None:
        basis.append(Basis("memory", f"object at {thrown_object:#x}"))
    return Thrown(plain_name(names[0]), message, tuple(basis))


class _Reader:
    """Follows the structures through memory."""

    def __init__(self, dump: Dump, image_base: int) -> None:
        self._dump = dump
        self._base = image_base
        self._size = dump.pointer_size_bytes

    def type_names(self, throw_info: int) -> list[str]:
        """Decorated names of the class and its bases, the class first; as far as they are readable."""
        catchable_types = self._reference(throw_info + 12)
        count = None if catchable_types is None else self._number(catchable_types, 4)
        names = []
        for index in range(min(count or 0, MOST_TYPES)):
            catchable_type = self._reference((catchable_types or 0) + 4 + 4 * index)
            descriptor = None if catchable_type is None else self._reference(catchable_type + 4)
            name = None if descriptor is None else self._descriptor_name(descriptor)
            if name is None:
                break
            names.append(name)
        return names

    def name_by_symbol(self, throw_info: int) -> str | None:
        """By the symbol of ThrowInfo: `_TI2?AVruntime_error@std@@`, `_TI1H` for `int`."""
        module = self._dump.modules.at(throw_info)
        symbol = None if module is None else module.symbol_at(throw_info)
        if symbol is None or isinstance(symbol, Absent) or symbol.address != throw_info:
            return None
        _, mark, decorated = symbol.decorated_name.partition("?A")
        return plain_name(f".?A{decorated}") if mark and "_TI" in symbol.decorated_name[:5] else None

    def message(self, thrown_object: int) -> str | None:
        """The text of a `std::exception`."""
        text = self._number(thrown_object + self._size, self._size)
        if not text:
            return None
        try:
            return self._dump.memory.read_c_string(text, LONGEST_NAME_BYTES).decode("utf-8", "replace")
        except FaultError:
            return None

    def _descriptor_name(self, descriptor: int) -> str | None:
        """TypeDescriptor lies in a writable section; where it was not saved, its symbol `??_R0?AVx@@@8` tells."""
        try:
            name = self._dump.memory.read_c_string(descriptor + 2 * self._size, LONGEST_NAME_BYTES)
        except FaultError:
            return self._name_by_descriptor_symbol(descriptor)
        return name.decode("ascii", "replace") if name.startswith(b".") else None

    def _name_by_descriptor_symbol(self, descriptor: int) -> str | None:
        module = self._dump.modules.at(descriptor)
        symbol = None if module is None else module.symbol_at(descriptor)
        if symbol is None or isinstance(symbol, Absent) or symbol.address != descriptor:
            return None
        decorated = symbol.decorated_name
        if not (decorated.startswith("??_R0") and decorated.endswith("@8")):
            return None
        return "." + decorated.removeprefix("??_R0").removesuffix("@8")

    def _reference(self, address: int) -> int | None:
        """Where a structure points to: by RVA where pointers have 64 bits, else by address."""
        value = self._number(address, 4)
        return self._base + value if value else None

    def _number(self, address: int, size: int) -> int | None:
        data = self._dump.memory.read_partial(address, size).data
        return int.from_bytes(data, "little") if len(data) == size else None


SIMPLE_TYPES = {
    ".H": "int",
    ".I": "unsigned int",
    ".J": "long",
    ".K": "unsigned long",
    ".D": "char",
    ".M": "float",
    ".N": "double",
    "._N": "bool",
    "._J": "__int64",
    "._K": "unsigned __int64",
    ".PAD": "char *",
    ".PEAD": "char *",
    ".PBD": "const char *",
    ".PEBD": "const char *",
    ".PB_W": "const wchar_t *",
    ".PEB_W": "const wchar_t *",
}
"""Those that programs throw though they are no classes; `PE` are pointers of 64 bits."""


def plain_name(decorated: str) -> str:
    """`std::runtime_error` of `.?AVruntime_error@std@@`; templates and the like stay as they are stored."""
    if decorated in SIMPLE_TYPES:
        return SIMPLE_TYPES[decorated]
    mark = next((mark for mark in CLASS_MARKS if decorated.startswith(mark)), None)
    inner = decorated.removeprefix(mark or "")
    if mark is None or not inner.endswith("@@") or "?" in inner:
        return decorated
    parts = inner.removesuffix("@@").split("@")
    return "::".join(reversed(parts)) if all(parts) else decorated
