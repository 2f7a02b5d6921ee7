"""All types of a process: by module and id, by name, and those that expressions need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.errors import NoSuchType
from stillframe.model.absent import Absent
from stillframe.model.typing.builtin import described
from stillframe.model.typing.parsing import parse, plain
from stillframe.model.typing.type import BuiltType, RecordedType, Type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe._engine import DebugFile
    from stillframe.model.module import Module, Modules


class Types:
    """The types of one process."""

    def __init__(self, modules: Modules, pointer_size_bytes: int, *, is_windows: bool) -> None:
        self._modules = modules
        self.pointer_size_bytes = pointer_size_bytes
        """4 or 8."""
        self.is_windows = is_windows
        """Whether `long` has 4 bytes and `wchar_t` 2."""
        self.void: Type = BuiltType(self, "void", "void")
        """`void`"""
        self.damaged: Type = BuiltType(self, "base", "<damaged type>", encoding="unknown")
        """Stands for a type whose record is damaged, such as a typedef of itself."""
        self._builtin: dict[str, Type] = {}
        self._recorded: dict[tuple[int, int], Type] = {}
        self._definitions: dict[str, Type] = {}
        self._unresolved: dict[tuple[str, int | None], int] = {}

    def debug_file(self, module: Module) -> DebugFile | None:
        """The module's debug information, after looking for it."""
        debug = module.debug_file_or_absent()
        return None if isinstance(debug, Absent) else debug

    def of(self, module: Module, id_: int | None) -> Type | None:
        """The type with this id in the module's debug information; None is `void`."""
        if id_ is None:
            return None
        key = (module.index, id_)
        if key not in self._recorded:
            debug = self.debug_file(module)
            record = None if debug is None else debug.type_of(id_)
            self._recorded[key] = self.damaged if record is None else RecordedType(self, module, id_, record)
        return self._recorded[key]

    def builtin(self, name: str) -> Type | None:
        """The fundamental type that `name` spells (`unsigned`, `long long int`, `size_t`, `void`); None if none."""
        if name not in self._builtin:
            found = described(name, pointer_size_bytes=self.pointer_size_bytes, is_windows=self.is_windows)
            if found is None:
                return self.void if name.strip() == "void" else None
            self._builtin[name] = BuiltType(self, "base", found[0], encoding=found[1], size_bytes=found[2])
        return self._builtin[name]

    def named(self, name: str, near: Module | None = None) -> Type | None:
        """The type with this qualified name: a definition of `near`, of the other modules in the dump's order, else a
        declaration. Looks for the debug information of one module after the other until it is found.
        """
        declared: Type | None = None
        for type_ in self.all_named(name, near):
            if not type_.is_declaration:
                return type_
            declared = declared or type_
        return declared or self.builtin(name)

    def parse(self, text: str, near: Module | None = None) -> Type:
        """The type that `text` spells: a name, perhaps with `const` before it, and `*`, `&`, `[3]` behind it.

        :raises NoSuchType:
        """
        found = parse(text, lambda name: self.named(name, near))
        if found is None:
            raise NoSuchType(text)
        return found

    def all_named(self, name: str, near: Module | None = None) -> Iterator[Type]:
        """Every type with this qualified name, module by module."""
        name = plain(name)
        for module in self._near_first(near):
            yield from self._in_module(module, name)

    def _in_module(self, module: Module, name: str) -> Iterator[Type]:
        debug = self.debug_file(module)
        for id_ in () if debug is None else debug.types_named(name):
            type_ = self.of(module, id_)
            if type_ is not None:
                yield type_

    def matching(self, pattern: str, limit: int) -> list[Type]:
        """Up to `limit` types whose name matches `pattern` (`*`, `?`; case does not count), module by module."""
        found: list[Type] = []
        for module in self._modules:
            debug = self.debug_file(module)
            ids = [] if debug is None else debug.types_matching(pattern, limit - len(found))
            found += [type_ for _, id_ in ids if (type_ := self.of(module, id_)) is not None]
            if len(found) >= limit:
                break
        return found[:limit]

    def _near_first(self, near: Module | None) -> Iterator[Module]:
        if near is not None:
            yield near
        yield from (module for module in self._modules if module is not near)

    def definition_of(self, declaration: Type) -> Type:
        """The definition of a class or enumeration that is only declared here; the declaration if there is none.

        Other modules are asked only if their debug information has been found before: an opaque handle is no reason
        to fetch that of every module.
        """
        name, home = declaration.tag, declaration.module
        if not name:
            return declaration
        key = (name, None if home is None else home.index)
        found = [module for module in self._modules if module.debug_info.state == "found"]
        if self._unresolved.get(key) == len(found):
            return declaration
        for module in self._near_first(home):
            if module is not home and module.debug_info.state != "found":
                continue
            for type_ in self._in_module(module, name):
                if not type_.is_declaration and type_.kind not in {"typedef", "modified"}:
                    return type_
        self._unresolved[key] = len(found)
        return declaration
