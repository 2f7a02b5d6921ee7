"""A value of the program: a type, and where its bytes come from.

Values are lazy: nothing is read until someone looks. One whose bytes are absent says so by `absent`, and raises when it
is read. C++'s rules hold: members are reached through bases, pointers and references, numbers wrap at their width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from stillframe.errors import FaultError, NoSuchMember, OperationError, Unreadable
from stillframe.model.absent import Absent, Reason, absent_of
from stillframe.model.value import floats, numbers
from stillframe.model.value.location import AtHand, InMemory, Location, Missing, Nowhere
from stillframe.model.value.operators import Operators

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.memory import Span
    from stillframe.model.natvis.child import Child
    from stillframe.model.process import Process
    from stillframe.model.typing.members import Member
    from stillframe.model.typing.type import Type
    from stillframe.model.value.floats import FloatFormat
    from stillframe.model.value.text import Style

Bits: TypeAlias = "tuple[int, int]"
Number: TypeAlias = "int | float"
NUMBER_PRESENTATIONS = frozenset("bcdeEfFgGnoxX%")
"""Of Python's format specifications, section "Format Specification Mini-Language"."""
SCALARS = frozenset({"base", "enum", "pointer", "member_pointer"})


class Value(Operators):
    """A value of the dumped process.

    `value["m_id"]` and `value.m_id` are members (through pointers too; the brackets also take names that `Value` has
    itself, of which the less common end with `_`), `value[3]` is an element, `int(value)` a number, `str(value)` one
    line for a person.
    """

    __slots__ = ("_bits", "place_", "process_", "type")

    def __init__(self, process: Process, type_: Type, location: Location, bits: Bits | None = None) -> None:
        self.process_ = process
        """What it is a value of."""
        self.place_ = location
        """Where its bytes come from."""
        self._bits = bits
        self.type = type_
        """Its type, as declared."""

    @classmethod
    def at_address(cls, process: Process, type_: Type, address: int, text: str | None = None) -> Value:
        """The object of this type in memory; `text` says where, in words."""
        mask = (1 << 8 * process.pointer_size_bytes) - 1
        address &= mask
        return cls(process, type_, InMemory(process.memory, address, mask, text or f"{address:#x}"))

    @classmethod
    def of_number(cls, process: Process, type_: Type, number: Number) -> Value:
        """A result: a number in this type, wrapped at its width."""
        resolved = type_.resolved
        size = resolved.size_bytes
        size = 0 if isinstance(size, Absent) else size
        return cls(process, type_, AtHand(numbers.encode(number, resolved, size, is_x86=process.is_x86)))

    def result_(self, type_: Type, number: Number) -> Value:
        """A number in this type, in the same process."""
        return Value.of_number(self.process_, type_, number)

    def object_at_(self, type_: Type, address: int) -> Value:
        """The object of this type in memory, in the same process."""
        return Value.at_address(self.process_, type_, address)

    def located_(self, type_: Type, location: Location) -> Value:
        """Another type, other bytes, the same process."""
        return Value(self.process_, type_, location)

    # --- where it is -------------------------------------------------------------------------------------------------

    @property
    def address(self) -> int | None:
        """Of its first byte; None if it is in registers or computed. Of a bit-field: of the number that holds it."""
        return self.place_.address

    @property
    def bit_count_(self) -> int | None:
        """Of a bit-field: how many bits it has."""
        return None if self._bits is None else self._bits[1]

    @property
    def location(self) -> str:
        """Where it is, in words: `[rbp-0x10]`, `esi`, `0x9f7b30`; empty of results of computations."""
        return self.place_.text

    @property
    def provenance(self) -> list[Span]:
        """Where its bytes come from; empty if it is not in memory."""
        size = self.type.size_bytes
        if isinstance(self.place_, InMemory) and not isinstance(size, Absent):
            return self.place_.provenance(size)
        return []

    @property
    def absent(self) -> Absent | None:
        """Why its bytes are not there, all of them; None if they are."""
        data = self._bytes()
        return data.absent if isinstance(data, Missing) else None

    @property
    def bytes_(self) -> bytes | Absent:
        """Its bytes, little-endian; of a reference those of what it refers to."""
        data = self._bytes()
        return data.absent if isinstance(data, Missing) else data

    def _bytes(self) -> bytes | Missing:
        try:
            return self._object()._own_bytes()
        except Unreadable as error:
            return Missing(absent_of(error), error.address if isinstance(error, FaultError) else None)

    def _own_bytes(self) -> bytes | Missing:
        size = self.type.size_bytes
        if isinstance(size, Absent):
            return Missing(size)
        if self._bits is None:
            return self.place_.read(size)
        number = self._bit_field(self._bits)
        return number if isinstance(number, Missing) else numbers.encode(number, self.type.resolved, size)

    def _bit_field(self, bits: Bits) -> int | Missing:
        first, count = bits
        number = self.place_.bits(first, count)
        if isinstance(number, Missing) or not numbers.is_signed(self.type.resolved) or not count:
            return number
        return number - (1 << count) if number >> (count - 1) else number

    def data_(self) -> bytes:
        """Its bytes, little-endian.

        :raises FaultError: if a byte is absent; `address` is the first. :raises Unreadable: if it is in no memory.
        """
        data = self._bytes()
        if isinstance(data, Missing):
            raise self._unreadable(data)
        return data

    def _unreadable(self, missing: Missing) -> Unreadable:
        absent = missing.absent
        if missing.address is None:
            return Unreadable(self.type.name, absent.reason, absent.remedy)
        module = self.process_.modules.at(missing.address)
        return FaultError(missing.address, absent.reason, absent.remedy, module.name if module else None)

    # --- what it is --------------------------------------------------------------------------------------------------

    def read(self) -> object:
        """The whole value in Python: int, float, bool; the name of an enumeration's value (a number if it has none);
        text of characters in an array or behind a pointer (None of a null pointer); a dict of a class, with its bases
        by name; a list of an array.

        :raises FaultError: if a byte is absent. :raises Unreadable: if it is in no memory, or too large.
        """
        from stillframe.model.value.reading import read

        return read(self)

    def number_(self) -> Number:
        """Of a number, a character, an enumeration, a pointer: its number. An array is a pointer to its first element.

        :raises OperationError: if it is something else. :raises Unreadable: if it is not there.
        """
        value = self._object()
        type_ = value.type.resolved
        if type_.kind in {"array", "function"} and value.address is not None:
            return value.address
        if type_.kind not in SCALARS:
            raise OperationError(f"{self.type.name} is no number")
        data = value.data_()
        if numbers.is_float(type_):
            return floats.decode(data, self.float_format_(type_, len(data)))
        return numbers.decode_integer(data, signed=numbers.is_signed(type_))

    def float_format_(self, type_: Type, size: int) -> FloatFormat:
        """How `size` bytes of this type are a floating-point number.

        :raises Unreadable: if no format has so many bytes.
        """
        form = floats.format_of(type_, size, is_x86=self.process_.is_x86)
        if form is None:
            raise Unreadable(self.type.name, Reason.TYPE_DAMAGED, Reason.TYPE_DAMAGED.remedy)
        return form

    def _object(self) -> Value:
        """What a reference refers to; other values themselves."""
        return self.dereference() if self.type.is_reference else self

    def dereference(self) -> Value:
        """What a pointer points to or a reference refers to.

        :raises OperationError: if it is neither, or points to `void`. :raises Unreadable: if it is not there.
        """
        type_ = self.type.resolved
        if type_.kind in {"reference", "rvalue_reference"}:
            data = self._own_bytes()
            if isinstance(data, Missing):
                raise self._unreadable(data)
            return Value.at_address(self.process_, type_.target or type_.types.void, int.from_bytes(data, "little"))
        if type_.kind == "array":
            return self[0]
        if type_.kind != "pointer":
            raise OperationError(f"{self.type.name} is no pointer")
        if type_.target is None or type_.target.resolved.kind == "void":
            raise OperationError(f"{self.type.name} says not what it points to")
        return Value.at_address(self.process_, type_.target, int(self.number_()))

    def address_of(self) -> Value:
        """A pointer to it. :raises OperationError: if it is in no memory."""
        value = self._object()
        if value.address is None or value._bits is not None:
            raise OperationError(f"{self.location or 'a result'} has no address")
        return Value.of_number(self.process_, value.type.pointer(), value.address)

    # --- parts -------------------------------------------------------------------------------------------------------

    def member(self, name: str) -> Value:
        """A member of the class, of its bases or of its unnamed parts; a base class by its name. Through pointers too.

        :raises NoSuchMember: :raises OperationError: if it is no class. :raises Unreadable: if a pointer is not there.
        """
        class_ = self._class()
        path = class_.path_to(name)
        if not path:
            raise NoSuchMember(class_.name, name)
        value = self._class_object()
        for step in path:
            value = value.part_(step)
        return value

    def _class(self) -> Type:
        """The class whose members it has, itself or behind references and one pointer. Reads nothing."""
        type_ = self.type.resolved
        for kinds in (("reference", "rvalue_reference"), ("pointer",)):
            if type_.kind in kinds and type_.target is not None:
                type_ = type_.target.resolved
        if not type_.is_class:
            raise OperationError(f"{self.type.name} has no members")
        return type_

    def _class_object(self) -> Value:
        value = self._object()
        return value.dereference() if value.type.is_pointer else value

    def members(self) -> Iterator[tuple[Member, Value]]:
        """Bases and fields, in the order of the source, without what the compiler added and static data; of
        alternatives the one that is there.

        :raises Unreadable: if what tells the alternative is not there.
        """
        from stillframe.model.value.variants import present

        value = self._class_object()
        for member in present(value, self._class().members):
            if member.kind in {"field", "base", "virtual_base"} and not member.is_artificial:
                yield member, value.part_(member)

    def part_(self, member: Member) -> Value:
        """The part of the object that a member of its very class is."""
        if member.kind == "static":
            found = self.process_.static(f"{member.owner.name}::{member.name}", member.owner.module)
            if isinstance(found, Value):
                return found
            return Value(self.process_, member.type, Nowhere(Missing(found)))
        if member.kind == "virtual_base":
            from stillframe.model.value.bases import virtual_base

            return virtual_base(self, member)
        location = self.place_.at(member.offset_bytes or 0)
        return Value(self.process_, member.type, location, member.bits)

    def element_(self, index: int) -> Value:
        """An element of an array or of a container, or what lies so many elements behind what a pointer points to."""
        value = self._object()
        type_ = value.type.resolved
        if type_.kind == "pointer":
            target = value.dereference()
            return Value(self.process_, target.type, target.place_.at(index * _stride(target.type)))
        if type_.kind != "array":
            from stillframe.model.value.containers import element

            return element(value, index)
        return Value(self.process_, type_.item, value.place_.at(index * _stride(type_.item)))

    def __getitem__(self, key: str | int | Value) -> Value:
        """`value["m_id"]`: a member; `value[3]`: an element, counted as C++ does: nothing is counted from the end."""
        return self.member(key) if isinstance(key, str) else self.element_(int(key))

    def __getattr__(self, name: str) -> Value:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        try:
            return self.member(name)
        except OperationError as error:
            raise NoSuchMember(self.type.name, name) from error

    def __len__(self) -> int:
        """Elements of an array or a container. :raises OperationError: if it is none, or of unknown length."""
        value = self._object()
        count = value.type.count
        if count is None:
            from stillframe.model.value.containers import elements

            found = elements(value) if value.type.is_class else None
            if found is None:
                raise OperationError(f"{self.type.name} has no length")
            count = sum(1 for _ in found)
        return count

    def __iter__(self) -> Iterator[Value]:
        """The elements of an array or a container."""
        value = self._object()
        if value.type.is_class:
            from stillframe.model.value.containers import elements

            found = elements(value)
            if found is not None:
                return found
        return (self.element_(index) for index in range(len(self)))

    # --- as another type ---------------------------------------------------------------------------------------------

    def cast(self, type_: Type | str) -> Value:
        """As C++ casts: numbers are converted, pointers and references to classes adjusted to bases and derived ones.

        :raises OperationError: if it cannot be.
        """
        from stillframe.model.value.bases import cast

        return cast(self, self._type(type_))

    def reinterpret(self, type_: Type | str) -> Value:
        """The same bytes as another type."""
        return Value(self.process_, self._type(type_), self._object().place_)

    def _type(self, type_: Type | str) -> Type:
        return self.type.types.parse(type_, self.type.module) if isinstance(type_, str) else type_

    @property
    def dynamic(self) -> Value:
        """The object as its most derived type, as its vtable says; of a pointer, a pointer to that. Itself if it has no
        vtable, or one that is not known.
        """
        from stillframe.model.value.dynamic import dynamic

        return dynamic(self)

    def children_(self, view: str | None = None) -> Iterator[Child]:
        """What a person sees when the value is opened: what its natvis says, else its members, the elements of an
        array, what a pointer points to. Lazy and bounded; what is wrong is a child that says so.
        """
        format_ = getattr(self, "specifiers_", None)
        view = view or (None if format_ is None else format_.view)
        return self.process_.visualizers.children(self, view)

    # --- for people --------------------------------------------------------------------------------------------------

    def format(self, style: Style | None = None, *, depth: int | None = None, length: int | None = None) -> str:
        """One line: `{min={x=1, y=2}, max={…}}`, `"Hello World!\\n"`. Never fails: what is absent is named in it.

        :param depth: levels of classes that are shown. :param length: characters after which it is cut.
        """
        from stillframe.model.value.text import text

        return text(self, style, depth=depth, length=length)

    def __str__(self) -> str:
        return self.format()

    def __format__(self, specification: str) -> str:
        """`f"{value:x}"`: the number, as Python formats it; without a presentation of numbers, the text."""
        if specification[-1:] in NUMBER_PRESENTATIONS:
            return format(self.number_(), specification)
        return format(self.format(), specification)

    def __repr__(self) -> str:
        return f"<Value ({self.type.name}) {self.format()}>"

    def _repr_html_(self) -> str:
        from stillframe.model.value.html import of_value

        return of_value("", self)

    # --- arithmetic: see `Operators` ---------------------------------------------------------------------------------

    def _binary(self, operator: str, other: object, *, swapped: bool) -> Value:
        from stillframe.model.value.arithmetic import binary, type_of_number

        if isinstance(other, bool | int | float):
            other = self.result_(type_of_number(self.type.types, other), other)
        if not isinstance(other, Value):
            return NotImplemented  # type: ignore[no-any-return]
        return binary(operator, other, self) if swapped else binary(operator, self, other)

    def _unary(self, operator: str) -> Value:
        from stillframe.model.value.arithmetic import unary

        return unary(operator, self)


def _stride(type_: Type) -> int:
    size = type_.size_bytes
    if isinstance(size, Absent):
        raise OperationError(f"{type_.name}: {size.reason}")
    return size
