"""Frames of a stack. An inlined call is a frame of its own, as debuggers show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from stillframe._engine import Registers, Trust
    from stillframe.model.absent import Absent
    from stillframe.model.location import SourceLocation, SourceText
    from stillframe.model.module import Module
    from stillframe.model.symbol import Function


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable in scope at a frame's instruction."""

    name: str
    is_parameter: bool
    place: str | Absent
    """Where it lives, in words: `register esi`, `[ebp-8]`, `0x9f7b30`."""
    address: int | Absent | None
    """Of a variable in memory; None if it is in a register."""


class Frame:
    """A function call on a stack. Several inlined frames share one physical frame and its registers."""

    index: int
    """In `Thread.frames`; 0 is the innermost."""
    physical_index: int
    """Of the physical frame, counting only those."""
    is_inlined: bool
    inline_depth: int
    """How many inlined calls deep; 0 is the function itself."""
    instruction: int
    """The instruction pointer: in a caller, the return address."""
    lookup_address: int
    """The address to look up: in a caller, inside the call instruction."""
    module: Module | None
    trust: Trust
    registers: Registers
    """The physical frame's registers; what is not known is None."""

    @property
    def name(self) -> str:
        """Of the (inlined) function; else the nearest symbol; else `module+0xoffset`; else the address."""
        raise NotImplementedError

    @property
    def name_kind(self) -> Literal["function", "symbol", "module", "address"]:
        """What `name` rests on."""
        raise NotImplementedError

    @property
    def function(self) -> Function | Absent:
        """The function that holds the instruction: of an inlined frame, the one into which it was inlined."""
        raise NotImplementedError

    @property
    def function_offset(self) -> int | Absent:
        """Bytes from the start of `function`, or of the symbol that names the frame, to `instruction`."""
        raise NotImplementedError

    @property
    def location(self) -> SourceLocation | Absent:
        """File and line: where the frame is, or where it calls the next inner frame."""
        raise NotImplementedError

    @property
    def source(self) -> SourceText | Absent:
        """The source file of `location`."""
        raise NotImplementedError

    @property
    def source_line(self) -> str | Absent:
        """The line of `location`."""
        raise NotImplementedError

    @property
    def variables(self) -> list[Variable]:
        """Variables in scope, innermost scope first."""
        raise NotImplementedError

    @property
    def call_site_address(self) -> int | Absent:
        """Address of the call instruction that a caller is in; of the innermost frame, its instruction."""
        raise NotImplementedError
