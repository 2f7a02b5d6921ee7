"""Variables: of frames, static ones, thread-local ones, as values.

A variable that cannot be had is an `Absent` in its place: optimised away, in a register that is not known, without a
type. One whose memory is absent is a value all the same, which says so when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from stillframe.errors import AmbiguousSymbol, NoSuchVariable
from stillframe.model.absent import Absent, Reason
from stillframe.model.placing import Frames, locate
from stillframe.model.typing.names import scopes_of, without_parameters
from stillframe.model.typing.type import BuiltType, RecordedType
from stillframe.model.value.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stillframe._engine import ThreadRecord, VariableRecord
    from stillframe.model.module import Module
    from stillframe.model.process import Process
    from stillframe.model.typing.type import Type
    from stillframe.model.value.location import Location

NO_TYPE = Absent.because(Reason.TYPE_NOT_RECORDED)


class Variable:
    """A variable in scope at a frame's instruction, or a static one."""

    def __init__(self, process: Process, module: Module, record: VariableRecord, frames: Frames) -> None:
        self._process = process
        self._module = module
        self._frames = frames
        self.record = record
        """As the engine reads it."""
        self.name = record.name
        """Empty for a parameter without a name; qualified for a static variable."""
        self.is_parameter = record.is_parameter
        self.is_artificial = record.is_artificial
        """The compiler added it; `this` is one such."""

    def __repr__(self) -> str:
        return f"<Variable {self.name}>"

    @cached_property
    def type(self) -> Type | None:
        """Its type; None if it is not recorded. Arrays of variable length have the one that they have in this frame."""
        recorded = self._process.types.of(self._module, self.record.type_id)
        return recorded if recorded is None or not self._frames.stack else self._counted(recorded)

    def _counted(self, type_: Type) -> Type:
        array = type_.resolved
        if array.module is not self._module or not array.is_flexible_array or not isinstance(array, RecordedType):
            return type_
        found = self._process.space.array_counts(self._frames.stack, array.id)
        if len(found) != len(array.counts) or found.count(None) == len(found):
            return type_
        counts = tuple(known if made is None else made for known, made in zip(array.counts, found, strict=True))
        counted = BuiltType(self._process.types, "array", target=array.target, counts=counts)
        return counted.const() if type_.is_const else counted

    @cached_property
    def _where(self) -> Location | Absent:
        size = None if self.type is None else self.type.size_bytes
        size_bytes = None if isinstance(size, Absent) else size
        return locate(self._process, self._module, self.record, self._frames, size_bytes)

    @property
    def place(self) -> str | Absent:
        """Where it lives, in words: `esi`, `[ebp-8]`, `0x9f7b30`; `constant`."""
        return self._where if isinstance(self._where, Absent) else self._where.text

    @property
    def address(self) -> int | Absent | None:
        """Of a variable in memory; None if it is in registers or known otherwise."""
        return self._where if isinstance(self._where, Absent) else self._where.address

    @property
    def register(self) -> str | None:
        """The whole register that holds it, if one does: `rsi`."""
        return self.record.register if self.record.place == "register" else None

    @property
    def value(self) -> Value | Absent:
        """Its value."""
        if isinstance(self._where, Absent):
            return self._where
        return NO_TYPE if self.type is None else Value(self._process, self.type, self._where)


class Variables(Mapping[str, "Value | Absent"]):
    """Values by name, in the order of the debug information; of several with one name the innermost."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        self._by_name: dict[str, Variable] = {}
        for variable in variables:
            self._by_name.setdefault(variable.name, variable)

    def __getitem__(self, name: str) -> Value | Absent:
        if name not in self._by_name:
            raise NoSuchVariable(name, "in scope")
        return self._by_name[name].value

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"<Variables {', '.join(self._by_name)}>"

    def _repr_html_(self) -> str:
        from stillframe.model.value.html import of_values

        return of_values([(name, variable.value) for name, variable in self._by_name.items()])


def named_from(function: str, name: str) -> Iterator[str]:
    """The qualified names that `name` may stand for in `geo::Rect::area`: a static of the function, of the class, of
    the namespaces around, a global. Source: ISO C++, [basic.lookup.unqual].
    """
    scopes = [] if name.startswith("::") else scopes_of(without_parameters(function))
    name = name.removeprefix("::")
    for count in range(len(scopes), -1, -1):
        yield "::".join([*scopes[:count], name])


def global_named(
    process: Process, name: str, near: Module | None = None, thread: ThreadRecord | None = None
) -> Value | Absent | None:
    """The global or static variable with this qualified name, of `near` first; None if there is none.

    :raises AmbiguousSymbol: if one module has several of them. :raises NoSuchModule: of `module!name`.
    """
    variable = variable_named(process, name, near, thread)
    return None if variable is None else variable.value


def variable_named(
    process: Process, name: str, near: Module | None = None, thread: ThreadRecord | None = None
) -> Variable | None:
    """As `global_named`, with its name and place. One that lives somewhere comes before declarations."""
    module_name, mark, own_name = name.rpartition("!")
    modules = [process.modules[module_name]] if mark else list(process.modules)
    declared: Variable | None = None
    for module in [near, *(each for each in modules if each is not near)] if near and not mark else modules:
        debug = module.debug_file_or_absent()
        records = [] if isinstance(debug, Absent) else debug.data_named(own_name)
        placed = [record for record in records if record.place != "optimized_away"]
        frames = Frames((), thread)
        if placed:
            offsets = {record.offset for record in placed if record.place == "static"}
            if len(offsets) > 1:
                raise AmbiguousSymbol(name, tuple(sorted(module.base + (offset or 0) for offset in offsets)))
            return Variable(process, module, placed[0], frames)
        if records and declared is None:
            declared = Variable(process, module, records[0], frames)
    return declared


def static_named(process: Process, name: str, near: Module | None) -> Value | Absent:
    """A class's static data by its qualified name; absent if no variable of this name is recorded."""
    found = global_named(process, name, near)
    return Absent.because(Reason.STATIC_NOT_FOUND) if found is None else found
