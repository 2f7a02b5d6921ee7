"""What threads, frames and listings ask: one dump's address space, modules, memory, sources and types."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe._engine import DumpFile, Space
    from stillframe.model.absent import Absent
    from stillframe.model.memory import Memory
    from stillframe.model.module import Module, Modules
    from stillframe.model.natvis.visualizers import Visualizers
    from stillframe.model.sources import Sources
    from stillframe.model.tls.storage import ThreadStorage
    from stillframe.model.typing.types import Types
    from stillframe.model.value.value import Value


@dataclass(frozen=True)
class Process:
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
    is_windows: bool
    """Whether `long` has 4 bytes, and threads a TEB."""
    natvis_files: tuple[Path, ...] = ()
    """That the user gave, or that lie beside the dump; in the order in which they count."""

    @cached_property
    def types(self) -> Types:
        """The types of all modules."""
        from stillframe.model.typing.types import Types  # few verbs need them

        return Types(self.modules, self.pointer_size_bytes, is_windows=self.is_windows)

    @cached_property
    def thread_storage(self) -> ThreadStorage:
        """Where threads keep their thread-local variables."""
        from stillframe.model.tls.storage import ThreadStorage  # few variables are thread-local

        return ThreadStorage(self)

    @cached_property
    def visualizers(self) -> Visualizers:
        """What natvis files say of classes."""
        from stillframe.model.natvis.visualizers import Visualizers  # reads files

        return Visualizers(self)

    def static(self, name: str, near: Module | None) -> Value | Absent:
        """The static variable with this qualified name, of `near` if it has one; absent if none is recorded."""
        from stillframe.model.variables import static_named

        return static_named(self, name, near)

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
