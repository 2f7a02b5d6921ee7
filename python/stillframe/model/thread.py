"""Threads and their stacks."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from stillframe.model.absent import Absent, Reason
from stillframe.model.frame import Frame

if TYPE_CHECKING:
    from stillframe._engine import FrameRecord, Registers, ThreadRecord
    from stillframe.model.process import Process

FRAME_LIMIT = 1024
"""Physical frames after which a walk ends."""
MOST_FRAMES_SHOWN = 64
"""In a notebook."""


class StopReason(StrEnum):
    """Why a walk of a stack ended, in words."""

    END_OF_STACK = "end of the stack"
    NO_MEMORY = "the stack continues in memory that the dump does not hold"
    NO_CALLER = "no caller was found"
    LOOP = "the next frame would not lie above this one"
    LIMIT = "the limit of frames was reached"
    NO_CONTEXT = "the dump holds no registers of this thread"


class Stop(NamedTuple):
    """Why a walk ended."""

    reason: StopReason
    address: int | None = None
    """`NO_MEMORY`: the first absent byte."""

    def __str__(self) -> str:
        return str(self.reason) if self.address is None else f"{self.reason} ({self.address:#x})"


class Thread:
    """A thread of the process."""

    def __init__(self, process: Process, record: ThreadRecord, *, is_crashed: bool) -> None:
        self._process = process
        self.record = record
        """As the engine reads it: priorities, times, TEB, start address."""
        self.index = record.index
        """In the dump's list."""
        self.id = record.id
        self.name = record.name
        """As recorded; None if the dump has no name."""
        self.is_crashed = is_crashed
        self.stack_start = record.stack_start
        """Lowest address of the stack memory that the dump's list gives."""
        self.stack_size_bytes = record.stack_size_bytes

    def __repr__(self) -> str:
        return f"<Thread {self.index} id {self.id}{' crashed' if self.is_crashed else ''}>"

    def _repr_html_(self) -> str:
        from stillframe.model.value.html import of_stack

        name = f" {self.name}" if self.name else ""
        title = f"thread {self.index}{name}  id {self.id}{'  crashed' if self.is_crashed else ''}"
        return of_stack(title, ((frame.title, frame.named_values) for frame in self.frames[:MOST_FRAMES_SHOWN]))

    @cached_property
    def registers(self) -> Registers | Absent:
        """Registers of the innermost frame; of the crashed thread, those of the exception."""
        registers = self._process.file.context(self.index)
        return Absent.because(Reason.CONTEXT_MISSING) if registers is None else registers

    @cached_property
    def _walk(self) -> tuple[list[FrameRecord], Stop]:
        registers = self.registers
        if isinstance(registers, Absent):
            return [], Stop(StopReason.NO_CONTEXT)
        while True:
            walk = self._process.space.walk(registers, FRAME_LIMIT)
            if walk.wants is None or not self._process.settle(walk.wants):
                break
        reason = StopReason.NO_CALLER if walk.stop is None else StopReason[walk.stop.upper()]
        return walk.frames, Stop(reason, walk.stop_address)

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The stack, innermost first, inlined calls as frames of their own, and functions that ended by jumping to the
        next inner one. Walked when first asked for.
        """
        frames: list[Frame] = []
        stack = self._stack
        for physical_index, record in enumerate(stack):
            module = None if record.module is None else self._process.modules[record.module]
            scopes = module.scopes_at(record.lookup_address) if module else ()
            for scope_index in range(max(len(scopes), 1)):
                frames.append(Frame(self._process, stack, len(frames), physical_index, scope_index, self.record))
        return tuple(frames)

    @property
    def _stack(self) -> list[FrameRecord]:
        """Physical frames, and those that jumps have taken off the stack, which debug information alone knows."""
        walked = self._walk[0]
        for index in {record.module for record in walked if record.module is not None}:
            self._process.modules[index].debug_file_or_absent()
        return self._process.space.with_tail_calls(walked)

    @property
    def stop(self) -> Stop:
        """Why the stack ends where it does."""
        return self._walk[1]
