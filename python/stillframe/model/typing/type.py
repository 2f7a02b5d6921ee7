"""A type of the program: recorded in a module's debug information, or built from others.

Types are lazy: what one consists of is read when it is asked for. Nothing here trusts the file: chains of typedefs end,
sizes that make no sense are said to be so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from stillframe.model.absent import Absent, Reason
from stillframe.model.typing.members import Member, path_to
from stillframe.model.typing.names import template_arguments
from stillframe.model.typing.spelling import spelling

if TYPE_CHECKING:
    from stillframe._engine import TypeRecord
    from stillframe.model.module import Module
    from stillframe.model.typing.types import Types

Kind: TypeAlias = Literal[
    "void",
    "base",
    "pointer",
    "reference",
    "rvalue_reference",
    "member_pointer",
    "modified",
    "typedef",
    "array",
    "class",
    "struct",
    "union",
    "interface",
    "enum",
    "function",
]
Encoding: TypeAlias = Literal[
    "boolean",
    "signed",
    "unsigned",
    "float",
    "complex",
    "signed_character",
    "unsigned_character",
    "unicode",
    "hresult",
    "null",
    "unknown",
]
CLASSES = frozenset({"class", "struct", "union", "interface"})
REFERENCES = frozenset({"reference", "rvalue_reference"})
TRANSPARENT = frozenset({"typedef", "modified"})
LONGEST_CHAIN = 64
"""Typedefs of typedefs; a longer chain leads in a circle."""
LARGEST_SIZE_BYTES = 1 << 47
"""More than any address space has; a type that says so is damaged."""


class Enumerator(NamedTuple):
    """A name of an enumeration's value."""

    name: str
    """Without the enumeration's."""
    value: int


class Type(ABC):
    """A type of one module's debug information (`RecordedType`), or one made of other types (`BuiltType`)."""

    def __init__(self, types: Types, kind: Kind, tag: str = "") -> None:
        self.types = types
        """The types of the process."""
        self.kind: Kind = kind
        self.tag = tag
        """The qualified name that the program gave; empty for pointers, arrays, functions, unnamed classes."""
        self.encoding: Encoding | None = None
        """Of `base`: how its bytes are read."""
        self.module: Module | None = None
        """Whose debug information records it; None of types that are built."""
        self.is_declaration = False
        """Only its declaration is known here; `definition` looks for more."""
        self.is_variadic = False
        """Of `function`: whether more arguments may follow (`...`)."""
        self.counts: tuple[int | None, ...] = ()
        """Of `array`: elements of each dimension, the outermost first; None: not recorded."""
        self.record_is_const = False
        self.record_is_volatile = False
        self.recorded_size_bytes: int | None = None
        """As the debug information has it."""
        self._paths: dict[str, tuple[Member, ...]] = {}

    def __repr__(self) -> str:
        return f"<Type {self.name}>"

    def __str__(self) -> str:
        return self.name

    @abstractmethod
    def _key(self) -> object:
        """What is equal of equal types."""

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Type) and self._key() == other._key())

    def __hash__(self) -> int:
        return hash((self.kind, self.tag, self.counts))

    @cached_property
    def name(self) -> str:
        """As C++ spells it."""
        return spelling(self)

    @property
    def target(self) -> Type | None:
        """What is pointed to, modified, named again or returned; an array's element; an enumeration's integer type.

        None is `void`.
        """
        return None

    @property
    def class_type(self) -> Type | None:
        """Of member pointers and member functions: the class."""
        return None

    @property
    def parameters(self) -> tuple[Type | None, ...]:
        """Of `function`, in order, without `this`."""
        return ()

    @property
    def result(self) -> Type | None:
        """Of `function`: what it returns; None is `void`."""
        return self.target

    @property
    def own_members(self) -> tuple[Member, ...]:
        """Of this very record; `members` finds the definition first."""
        return ()

    @property
    def own_enumerators(self) -> tuple[Enumerator, ...]:
        """Of this very record; `enumerators` finds the definition first."""
        return ()

    # --- what it is behind its names ---------------------------------------------------------------------------------

    @cached_property
    def resolved(self) -> Type:
        """Without typedefs, `const` and `volatile`, and defined if a definition is known. `void` stays `void`."""
        return self._without(TRANSPARENT).definition

    @cached_property
    def unqualified(self) -> Type:
        """Without `const` and `volatile`."""
        return self._without(frozenset({"modified"}))

    def _without(self, kinds: frozenset[str]) -> Type:
        type_: Type | None = self
        for _ in range(LONGEST_CHAIN):
            if type_ is None:
                return self.types.void
            if type_.kind not in kinds:
                return type_
            type_ = type_.target
        return self.types.damaged

    @property
    def definition(self) -> Type:
        """The type's definition, looked for by name in this and the other modules; itself if there is none."""
        return self.types.definition_of(self) if self.is_declaration else self

    @cached_property
    def size_bytes(self) -> int | Absent:
        """Bytes of an object; absent of functions, declarations, unbounded arrays and damaged types."""
        type_ = self.resolved
        size = type_.recorded_size_bytes
        if type_.kind == "array" and not size:
            size = _array_size(type_)
        elif size is None and type_.kind in {"pointer", *REFERENCES}:
            size = self.types.pointer_size_bytes
        elif size is None and type_.kind == "enum" and type_.target is not None and type_.target.kind == "base":
            size = type_.target.recorded_size_bytes
        if size is None and type_.kind == "array" and None in type_.counts:
            return Absent.because(Reason.COUNT_UNKNOWN)
        if size is None:
            damaged = type_ is self.types.damaged
            return Absent.because(Reason.TYPE_DAMAGED if damaged else Reason.SIZE_UNKNOWN)
        return size if 0 <= size <= LARGEST_SIZE_BYTES else Absent.because(Reason.TYPE_DAMAGED)

    @property
    def is_const(self) -> bool:
        """Whether it is `const`, perhaps behind a typedef."""
        return any(type_.record_is_const for type_ in self._chain())

    @property
    def is_volatile(self) -> bool:
        """Whether it is `volatile`, perhaps behind a typedef."""
        return any(type_.record_is_volatile for type_ in self._chain())

    def _chain(self) -> list[Type]:
        chain: list[Type] = [self]
        while chain[-1].kind in TRANSPARENT and len(chain) < LONGEST_CHAIN:
            following = chain[-1].target
            if following is None:
                break
            chain.append(following)
        return chain

    @property
    def is_class(self) -> bool:
        """A class, structure, union or interface, perhaps behind a typedef."""
        return self.resolved.kind in CLASSES

    @property
    def is_reference(self) -> bool:
        """`&` or `&&`, perhaps behind a typedef."""
        return self.resolved.kind in REFERENCES

    @property
    def is_flexible_array(self) -> bool:
        """An array whose number of elements nobody recorded, perhaps behind a typedef."""
        return self.resolved.kind == "array" and None in self.resolved.counts

    @property
    def is_pointer(self) -> bool:
        """`*`, perhaps behind a typedef."""
        return self.resolved.kind == "pointer"

    # --- what it consists of -----------------------------------------------------------------------------------------

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """Of a class: fields, bases, static data, nested types, in the order of the source."""
        return self.resolved.own_members

    @property
    def fields(self) -> tuple[Member, ...]:
        """The data of an object, without that of its bases and what the compiler added."""
        return tuple(member for member in self.members if member.kind == "field" and not member.is_artificial)

    @property
    def bases(self) -> tuple[Member, ...]:
        """Direct base classes, virtual ones included."""
        return tuple(member for member in self.members if member.is_base)

    @property
    def static_members(self) -> tuple[Member, ...]:
        """Static data: variables named `Class::name`."""
        return tuple(member for member in self.members if member.kind == "static")

    def path_to(self, name: str) -> tuple[Member, ...]:
        """How a member is reached: through bases and unnamed members, outermost first; empty if there is none.

        What a class declares itself hides what its bases declare. A base class is named as such, with or without its
        namespace.
        """
        if name not in self._paths:
            self._paths[name] = path_to(self, name)
        return self._paths[name]

    @cached_property
    def enumerators(self) -> tuple[Enumerator, ...]:
        """Of an enumeration, in the order of the source."""
        return self.resolved.own_enumerators

    @property
    def element(self) -> Type | None:
        """Of an array: what all its dimensions hold."""
        return self.target if self.kind == "array" else None

    @cached_property
    def item(self) -> Type:
        """Of an array, perhaps behind a typedef: what one index leads to; an array if it has more dimensions."""
        array = self.resolved
        element = array.target or self.types.void
        rest = array.counts[1:]
        return BuiltType(self.types, "array", target=element, counts=rest) if rest else element

    @property
    def count(self) -> int | None:
        """Of an array, perhaps behind a typedef: elements of its outermost dimension; None: not recorded."""
        array = self.resolved
        return array.counts[0] if array.kind == "array" and array.counts else None

    @cached_property
    def template_arguments(self) -> tuple[str, ...]:
        """Of `std::map<int, std::pair<int, char> >`: `int` and `std::pair<int, char>`, as its name has them."""
        return template_arguments(self.unqualified._without(TRANSPARENT).tag)

    # --- types made of it --------------------------------------------------------------------------------------------

    def pointer(self) -> Type:
        """A pointer to it."""
        return BuiltType(self.types, "pointer", target=self)

    def reference(self, *, is_rvalue: bool = False) -> Type:
        """A reference to it: `&`, or `&&`."""
        return BuiltType(self.types, "rvalue_reference" if is_rvalue else "reference", target=self)

    def const(self) -> Type:
        """It, `const`."""
        return self.qualified(is_const=True, is_volatile=False)

    def qualified(self, *, is_const: bool, is_volatile: bool) -> Type:
        """It, with these qualifiers besides those that it has."""
        is_const, is_volatile = is_const or self.record_is_const, is_volatile or self.record_is_volatile
        if (is_const, is_volatile) == (self.record_is_const, self.record_is_volatile):
            return self
        plain = self.target if self.kind == "modified" and self.target is not None else self
        return BuiltType(self.types, "modified", target=plain, is_const=is_const, is_volatile=is_volatile)

    def array(self, count: int | None) -> Type:
        """An array of it."""
        return BuiltType(self.types, "array", target=self, counts=(count,))


class RecordedType(Type):
    """A type of a module's debug information."""

    def __init__(self, types: Types, module: Module, id_: int, record: TypeRecord) -> None:
        super().__init__(types, record.kind, record.name)
        self.module: Module = module
        self.id = id_
        """Of the module's debug information."""
        self.encoding = record.encoding
        self.is_declaration = record.is_declaration
        self.is_variadic = record.is_variadic
        self.counts = tuple(record.counts)
        self.record_is_const = record.is_const
        self.record_is_volatile = record.is_volatile
        self.recorded_size_bytes = record.size_bytes
        self._record = record

    def _key(self) -> object:
        return (id(self.module), self.id)

    @cached_property
    def target(self) -> Type | None:
        """See `Type.target`."""
        return self.types.of(self.module, self._record.target)

    @property
    def class_type(self) -> Type | None:
        """See `Type.class_type`."""
        return self.types.of(self.module, self._record.class_id)

    @property
    def parameters(self) -> tuple[Type | None, ...]:
        """See `Type.parameters`."""
        return tuple(self.types.of(self.module, id_) for id_ in self._record.parameters)

    @cached_property
    def own_members(self) -> tuple[Member, ...]:
        """See `Type.own_members`."""
        debug = self.types.debug_file(self.module)
        return () if debug is None else tuple(Member(self, record) for record in debug.members_of(self.id))

    @cached_property
    def own_enumerators(self) -> tuple[Enumerator, ...]:
        """See `Type.own_enumerators`."""
        debug = self.types.debug_file(self.module)
        return () if debug is None else tuple(Enumerator(*each) for each in debug.enumerators_of(self.id))


class BuiltType(Type):
    """A type that is made of others, or a fundamental type; equal to any other that is built alike."""

    def __init__(
        self,
        types: Types,
        kind: Kind,
        tag: str = "",
        *,
        target: Type | None = None,
        class_type: Type | None = None,
        counts: tuple[int | None, ...] = (),
        encoding: Encoding | None = None,
        size_bytes: int | None = None,
        is_const: bool = False,
        is_volatile: bool = False,
        parameters: tuple[Type | None, ...] = (),
        is_variadic: bool = False,
    ) -> None:
        super().__init__(types, kind, tag)
        self._target = target
        self._class_type = class_type
        self._parameters = parameters
        self.counts = counts
        self.encoding = encoding
        self.recorded_size_bytes = size_bytes
        self.record_is_const = is_const
        self.record_is_volatile = is_volatile
        self.is_variadic = is_variadic

    def _key(self) -> object:
        parts = (self._target, self._class_type, self._parameters, self.is_variadic)
        qualifiers = (self.record_is_const, self.record_is_volatile)
        return (self.kind, self.tag, self.counts, self.encoding, self.recorded_size_bytes, qualifiers, parts)

    @property
    def target(self) -> Type | None:
        """See `Type.target`."""
        return self._target

    @property
    def class_type(self) -> Type | None:
        """See `Type.class_type`."""
        return self._class_type

    @property
    def parameters(self) -> tuple[Type | None, ...]:
        """See `Type.parameters`."""
        return self._parameters


def _array_size(array: Type) -> int | None:
    """Bytes of all elements. An array of arrays of itself has no size."""
    total = 1
    for _ in range(LONGEST_CHAIN):
        for count in array.counts:
            if count is None:
                return None
            total *= count
        element = array.target
        if element is None or total > LARGEST_SIZE_BYTES:
            return None if element is None else total
        inner = element.resolved
        if inner.kind != "array" or inner.recorded_size_bytes:
            size = inner.size_bytes
            return None if isinstance(size, Absent) else total * size
        array = inner
    return None
