"""Threads and their stacks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillframe._engine import Registers, ThreadRecord
    from stillframe.model.absent import Absent
    from stillframe.model.frame import Frame


class StopReason(StrEnum):
    """Why a walk of a stack ended, in words."""

    END_OF_STACK = "end of the stack"
    NO_MEMORY = "the stack continues in memory that the dump does not hold"
    NO_CALLER = "no caller was found"
    LOOP = "the next frame would not lie above this one"
    LIMIT = "the limit of frames was reached"
    NO_CONTEXT = "the dump holds no registers of this thread"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a walk ended."""

    reason: StopReason
    address: int | None = None
    """`NO_MEMORY`: the first absent byte."""

    def __str__(self) -> str:
        return str(self.reason) if self.address is None else f"{self.reason} ({self.address:#x})"


class Thread:
    """A thread of the process."""

    index: int
    """In the dump's list."""
    id: int
    name: str | None
    """As recorded; None if the dump has no name."""
    record: ThreadRecord
    """As the engine reads it: priorities, times, TEB, start address."""
    is_crashed: bool
    stack_start: int
    """Lowest address of the stack memory that the dump's list gives."""
    stack_size_bytes: int

    @property
    def registers(self) -> Registers | Absent:
        """Registers of the innermost frame; of the crashed thread, those of the exception."""
        raise NotImplementedError

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The stack, innermost first, inlined calls as frames of their own. Walked when first asked for."""
        raise NotImplementedError

    @property
    def stop(self) -> Stop:
        """Why the stack ends where it does."""
        raise NotImplementedError
