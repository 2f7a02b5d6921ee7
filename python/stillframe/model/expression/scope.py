"""Where the names of an expression are looked up: in a frame, in an object, or in the whole process.

Order, as in C++ ([basic.lookup.unqual]): what the scope itself declares; members of `this`; what the class and the
namespaces around declare, from the inside out; globals. Then what debuggers add: enumerators, functions, symbols.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from stillframe.errors import NoSuchModule, SymbolsMissing
from stillframe.model.absent import Absent
from stillframe.model.expression.names import spellings
from stillframe.model.expression.pseudo import register_value
from stillframe.model.typing.members import member_names, with_bases
from stillframe.model.typing.names import last_scope, scopes_of
from stillframe.model.value.value import Value
from stillframe.model.variables import global_named, named_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stillframe._engine import Registers, ThreadRecord
    from stillframe.model.frame import Frame
    from stillframe.model.module import Module
    from stillframe.model.process import Process
    from stillframe.model.typing.type import Type

MOST_REMEMBERED = 4096
"""Names of which scopes know what they stand for."""

Key: TypeAlias = "tuple[str, str | None, str, int | None]"
"""A name, its module; where it is looked up: inside of what, near to which module."""


class Known(NamedTuple):
    """What was found out. It stays true: a dump does not change."""

    values: dict[Key, Value | Absent | None]
    types: dict[Key, Type | None]


class Scope:
    """The whole process. Its heirs know more names; what they override is said at each method."""

    def __init__(
        self,
        process: Process,
        near: Module | None = None,
        thread: ThreadRecord | None = None,
        registers: Registers | None = None,
    ) -> None:
        self.process = process
        self.near = near
        """The module whose names come first."""
        self.thread = thread
        """Whose thread-local variables and blocks are meant."""
        self.registers = registers
        self._known = Known({}, {})

    def share(self, other: Scope) -> None:
        """Has what `other` found out count here, too: scopes of many objects look the same names up."""
        self._known = other._known

    # --- what heirs override ------------------------------------------------------------------------------------------

    @property
    def inside(self) -> str:
        """The qualified name of the function or class whose names are visible; empty: none."""
        return ""

    @property
    def words(self) -> str:
        """Where it is, for errors: `here`, `in main`."""
        return "here"

    @property
    def names(self) -> list[str]:
        """Of a frame: what may have been meant by a name that nothing has."""
        return []

    def own(self, name: str) -> Value | Absent | None:  # noqa: ARG002 - heirs look at it
        """What the scope itself declares by this name: a local variable. None: nothing."""
        return None

    @property
    def this(self) -> Value | Absent | None:
        """The object that `this` points to, or a pointer to it. None: there is none."""
        return None

    def pseudo(self, name: str) -> Value | Absent | None:
        """What `$name` stands for. None: nothing."""
        if self.registers is None and self.thread is None:
            return None
        return register_value(self.process, self.registers, self.thread, name)

    def call(self, name: str, arguments: Sequence[Value]) -> Value | None:  # noqa: ARG002
        """The result of an intrinsic. None: there is none of this name.

        :raises OperationError: if the arguments do not fit.
        """
        return None

    def substituted(self, name: str) -> str:
        """The name with what is known for `$T1` and the like in it."""
        return name

    # --- values -------------------------------------------------------------------------------------------------------

    def value(self, name: str, module: str | None = None) -> Value | Absent | None:
        """What `name` or `module!name` stands for, if it is no type. None: nothing.

        :raises AmbiguousSymbol: :raises NoSuchModule:
        """
        name = self.substituted(name)
        if module is None and not name.startswith("::"):
            found = self.own(name)
            if found is None:
                found = self._member(name)
            if found is not None:
                return found
        key = self._key(name, module)
        if key not in self._known.values:
            _limit(self._known.values)
            self._known.values[key] = self._outside(name, module)
        return self._known.values[key]

    def _key(self, name: str, module: str | None) -> Key:
        return name, module, self.inside, None if self.near is None else self.near.index

    def _outside(self, name: str, module: str | None) -> Value | Absent | None:
        """What is declared outside of the scope and of `this`."""
        modules = [module_named(self.process, module)] if module else None
        for qualified in named_from("" if module else self.inside, name):
            for spelled in spellings(qualified):
                found = self._global(spelled, modules)
                if found is None:
                    found = self._enumerator(spelled, modules)
                if found is not None:
                    return found
        return self._symbol(name.removeprefix("::"), modules)

    def _member(self, name: str) -> Value | Absent | None:
        this = self.this
        if not isinstance(this, Value):
            return None
        class_ = class_of(this)
        if not class_.is_class:
            return None
        return member_of(this, name) if has_member(class_, name) else self._nested_enumerator(class_, name)

    def _nested_enumerator(self, class_: Type, name: str) -> Value | None:
        """The value of an enumeration that the class or one of its bases declares."""
        for each, _ in with_bases(class_):
            for member in each.members:
                if member.kind == "nested_type" and member.type.resolved.kind == "enum":
                    found = self.enumerator_of(member.type, name)
                    if found is not None:
                        return found
        return None

    def _global(self, name: str, modules: list[Module] | None) -> Value | Absent | None:
        if modules is None:
            return global_named(self.process, name, self.near, self.thread)
        return global_named(self.process, f"{modules[0].name}!{name}", None, self.thread)

    def _enumerator(self, name: str, modules: list[Module] | None) -> Value | None:
        """`Mode::Busy`; also `geo::Shape::Red` of an enumeration inside of a class."""
        *scopes, own = scopes_of(name)
        if not scopes:
            return None
        near = modules[0] if modules else self.near
        type_ = self.process.types.named("::".join(scopes), near)
        if type_ is None:
            return None
        if type_.resolved.kind == "enum":
            return self.enumerator_of(type_, own)
        return self._nested_enumerator(type_.resolved, own) if type_.is_class else None

    def enumerator_of(self, type_: Type, name: str) -> Value | None:
        """The value of an enumeration that is called `name`."""
        for enumerator in type_.enumerators:
            if enumerator.name == name:
                return Value.of_number(self.process, type_, enumerator.value)
        return None

    def _symbol(self, name: str, modules: list[Module] | None) -> Value | None:
        """A function; or data of which no more is known than where it begins."""
        nearest = [] if self.near is None else [self.near]
        for module in modules or [*nearest, *(each for each in self.process.modules if each is not self.near)]:
            for spelled in spellings(name):
                try:
                    symbols = module.symbols.named(spelled)
                except SymbolsMissing:
                    break
                if symbols:
                    return self._at_symbol(module, symbols[0].address)
        return None

    def _at_symbol(self, module: Module, address: int) -> Value:
        debug = module.debug_file_or_absent()
        id_ = None if isinstance(debug, Absent) else debug.function_type_at(address - module.base)
        type_ = self.process.types.of(module, id_) or self.process.types.void
        return Value.at_address(self.process, type_, address)

    # --- types --------------------------------------------------------------------------------------------------------

    def is_type(self, name: str) -> bool:
        """Whether `name` is a type here, whatever else it may be."""
        module, _, own = name.rpartition("!")
        try:
            return self.type(own, module or None) is not None
        except NoSuchModule:
            return False  # said when the name is evaluated

    def type(self, name: str, module: str | None = None) -> Type | None:
        """The type that `name` stands for here. None: none."""
        name = self.substituted(name)
        key = self._key(name, module)
        if key not in self._known.types:
            _limit(self._known.types)
            self._known.types[key] = self._find_type(name, module)
        return self._known.types[key]

    def _find_type(self, name: str, module: str | None) -> Type | None:
        types = self.process.types
        near = module_named(self.process, module) if module else self.near
        for qualified in named_from("" if module else self.inside, name):
            for spelled in spellings(qualified):
                found = types.named(spelled, near)
                if found is not None:
                    return found
        return None


class FrameScope(Scope):
    """A frame: its variables, its registers, its function's class and namespaces."""

    def __init__(self, process: Process, frame: Frame, thread: ThreadRecord | None) -> None:
        super().__init__(process, frame.module, thread, frame.registers)
        self._frame = frame

    @property
    def inside(self) -> str:
        """See `Scope.inside`."""
        return self._frame.name if self._frame.name_kind == "function" else ""

    @property
    def words(self) -> str:
        """See `Scope.words`."""
        return f"in {self._frame.name}"

    @property
    def names(self) -> list[str]:
        """See `Scope.names`: variables, and members of `this`."""
        this = self.this
        class_ = None if this is None or isinstance(this, Absent) else class_of(this)
        members = [] if class_ is None or not class_.is_class else member_names(class_)
        return [*(each.name for each in self._frame.variables), *members]

    def own(self, name: str) -> Value | Absent | None:
        """See `Scope.own`."""
        return next((each.value for each in self._frame.variables if each.name == name), None)

    @property
    def this(self) -> Value | Absent | None:
        """See `Scope.this`."""
        return self.own("this")


class ObjectScope(Scope):
    """An object as its own member functions see it: for visualizers.

    Whatever else is visible comes from `outer`.
    """

    def __init__(self, object_: Value, outer: Scope, names: Mapping[str, Value] | None = None) -> None:
        """:param names: more names, which come first: `$i`, variables of a list."""
        super().__init__(object_.process_, object_.type.module or outer.near, outer.thread, outer.registers)
        self._object = object_
        self._outer = outer
        self._names = names or {}
        self.share(outer)

    @property
    def inside(self) -> str:
        """See `Scope.inside`."""
        return self._object.type.resolved.name

    @property
    def words(self) -> str:
        """See `Scope.words`."""
        return f"in {self.inside}"

    def own(self, name: str) -> Value | Absent | None:
        """See `Scope.own`."""
        return self._names.get(name)

    @property
    def this(self) -> Value:
        """See `Scope.this`."""
        return self._object

    def pseudo(self, name: str) -> Value | Absent | None:
        """See `Scope.pseudo`."""
        return self._names.get(f"${name}") or self._outer.pseudo(name)

    def call(self, name: str, arguments: Sequence[Value]) -> Value | None:
        """See `Scope.call`."""
        return self._outer.call(name, arguments)


def _limit(known: dict[Key, Any]) -> None:
    if len(known) >= MOST_REMEMBERED:
        known.clear()


def module_named(process: Process, name: str) -> Module:
    """The module of `name!…`: by its file's name, with or without the extension, or as WinDbg spells it: what is
    neither letter nor digit is `_` there.

    :raises NoSuchModule:
    """
    try:
        return process.modules[name]
    except NoSuchModule:
        for module in process.modules:
            stem = module.name.rpartition(".")[0] or module.name
            if "".join(each if each.isalnum() else "_" for each in stem).lower() == name.lower():
                return module
        raise


def member_of(object_: Value, name: str) -> Value:
    """A member; of `Base::x` the one of that base, or of the class itself if that is its name.

    :raises NoSuchMember: :raises OperationError: :raises Unreadable:
    """
    qualifier, own = _split(class_of(object_), name)
    return (object_.member(qualifier) if qualifier else object_).member(own)


def has_member(class_: Type, name: str) -> bool:
    """Whether `member_of` finds one of this name in objects of the class."""
    qualifier, own = _split(class_, name)
    if not qualifier:
        return bool(class_.path_to(own))
    path = class_.path_to(qualifier)
    return bool(path) and path[-1].is_base and bool(path[-1].type.path_to(own))


def _split(class_: Type, name: str) -> tuple[str, str]:
    """The base that is named, empty for the class itself, and the member."""
    if "::" not in name:
        return "", name
    *scopes, own = scopes_of(name)
    qualifier = "::".join(scopes)
    return "" if qualifier in {class_.name, last_scope(class_.name)} else qualifier, own


def class_of(value: Value) -> Type:
    """The type of the object behind references and one pointer."""
    type_ = value.type.resolved
    for kinds in (("reference", "rvalue_reference"), ("pointer",)):
        if type_.kind in kinds and type_.target is not None:
            type_ = type_.target.resolved
    return type_
