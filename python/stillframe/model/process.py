"""What threads, frames and listings ask: one dump's address space, modules, memory and sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillframe._engine import DumpFile, Space
    from stillframe.model.absent import Absent
    from stillframe.model.memory import Memory
    from stillframe.model.module import Module, Modules
    from stillframe.model.sources import Sources
    from stillframe.model.typing.types import Types
    from stillframe.model.value.value import Value


class Process(NamedTuple):
    """The dumped process."""

    file: DumpFile
    space: Space
    modules: Modules
    memory: Memory
    sources: Sources
    pointer_size_bytes: int
    """4 or 8."""
    is_x86: bool
    """Whether `long double` may be of 80 bits."""
    types: Types
    find_static: Callable[[Process, str, Module | None], Value | Absent]
    """See `static`."""

    def static(self, name: str, near: Module | None) -> Value | Absent:
        """The static variable with this qualified name, of `near` if it has one."""
        return self.find_static(self, name, near)

    def settle(self, wants: tuple[Literal["image", "debug_info"], int]) -> bool:
        """Looks for a file that the engine wants; False if it was looked for before."""
        what, index = wants
        module = self.modules[index]
        before = module.image if what == "image" else module.debug_info
        if before.state != "not_asked":
            return False
        if what == "image":
            module.find_image()
        else:
            module.find_debug_info()
        return True
