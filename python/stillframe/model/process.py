"""What threads, frames and listings ask: one dump's address space, modules, memory and sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from stillframe._engine import DumpFile, Space
    from stillframe.model.memory import Memory
    from stillframe.model.module import Modules
    from stillframe.model.sources import Sources


class Process(NamedTuple):
    """The dumped process."""

    file: DumpFile
    space: Space
    modules: Modules
    memory: Memory
    sources: Sources
    pointer_size_bytes: int
    """4 or 8."""

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
