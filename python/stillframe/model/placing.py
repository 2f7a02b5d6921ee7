"""From where a variable lives, as debug information says it, to where its bytes are in one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.model.absent import Absent, Reason
from stillframe.model.value.location import AtHand, InMemory, InParts, Location, Missing, Nowhere, Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe._engine import FrameRecord, Located, Registers, ThreadRecord, VariableRecord
    from stillframe.model.module import Module
    from stillframe.model.process import Process

MISSING = {
    "optimized_away": Reason.OPTIMIZED_AWAY,
    "register": Reason.REGISTER_UNKNOWN,
    "frame_base": Reason.FRAME_BASE_UNKNOWN,
    "entry_value": Reason.ENTRY_VALUE_UNKNOWN,
    "expression": Reason.EXPRESSION_FAILED,
}
FRAME_RELATIVE = frozenset({"cfa_relative", "virtual_frame_relative"})
VECTOR_BYTES = 16


class Frames(NamedTuple):
    """A frame with those that called it, innermost first, and its thread."""

    stack: Sequence[FrameRecord]
    """Empty for what depends on no frame."""
    thread: ThreadRecord | None


def locate(
    process: Process, module: Module, record: VariableRecord, frames: Frames, size_bytes: int | None
) -> Location | Absent:
    """Where the variable's bytes are; `size_bytes` is its type's, if that is known."""
    placer = _Placer(process, module, frames, size_bytes)
    if record.place == "static" and record.offset is not None:
        return placer.memory(module.base + record.offset)
    if record.place == "thread_local" and record.offset is not None:
        return placer.thread_local(record.offset)
    stack = frames.stack or _any_frame(process)
    if not stack or (not frames.stack and record.place != "constant"):
        return Absent.because(Reason.OPTIMIZED_AWAY if record.place == "optimized_away" else Reason.DEFINED_ELSEWHERE)
    return placer.place(process.space.locate(stack, record), stack[0].registers, _in_words(record))


def _any_frame(process: Process) -> Sequence[FrameRecord]:
    """Constants are the same in all frames, but the engine asks for one."""
    for thread in process.file.threads:
        registers = process.file.context(thread.index)
        if registers is not None:
            return process.space.walk(registers, 1).frames[:1]
    return ()


def _in_words(record: VariableRecord) -> str | None:
    if record.place in FRAME_RELATIVE:
        return f"[frame{_signed(record.offset or 0)}]"
    if record.place == "register_relative":
        return f"[{record.register}{_signed(record.offset or 0)}]"
    if record.place == "register_indirect":
        return f"[[{record.register}{_signed(record.offset or 0)}]]"
    return "constant" if record.place == "constant" else None


def _signed(offset: int) -> str:
    return f"{'-' if offset < 0 else '+'}{abs(offset):#x}" if offset else ""


class _Placer:
    """Turns the engine's answers into locations."""

    def __init__(self, process: Process, module: Module, frames: Frames, size_bytes: int | None) -> None:
        self._process = process
        self._module = module
        self._frames = frames
        self._size_bytes = size_bytes

    def memory(self, address: int, words: str | None = None) -> Location:
        """At an address."""
        mask = (1 << 8 * self._process.pointer_size_bytes) - 1
        return InMemory(self._process.memory, address & mask, mask, words or f"{address & mask:#x}")

    def thread_local(self, offset: int) -> Location | Absent:
        """In the thread's block of the module's thread-local storage."""
        if self._frames.thread is None:
            return Absent.because(Reason.NO_THREAD)
        block = self._process.thread_storage.block_of(self._module, self._frames.thread)
        return block if isinstance(block, Absent) else self.memory(block + offset)

    def place(self, located: Located, registers: Registers, words: str | None) -> Location | Absent:
        """Whatever the engine says."""
        if located.kind == "memory" and located.address is not None:
            return self.memory(located.address, words)
        if located.kind == "register" and located.register is not None:
            return self._register(located.register, located.first_byte, registers)
        if located.kind == "thread_local" and located.address is not None:
            return self.thread_local(located.address)
        if located.kind == "value" and located.data is not None:
            return AtHand(located.data, words or "computed")
        if located.kind == "pieces":
            return self._parts(located, registers)
        return self._absent(located)

    def _absent(self, located: Located) -> Absent:
        if located.missing == "memory" and located.address is not None:
            absent = self._process.memory.read_partial(located.address, 1).absent
            return Absent.because(Reason.PLACE_IN_ABSENT_MEMORY) if absent is None else absent
        return Absent.because(MISSING.get(located.missing or "", Reason.OPTIMIZED_AWAY))

    def _register(self, name: str, first_byte: int, registers: Registers) -> Location | Absent:
        value = registers.get(name)
        if value is None:
            return Absent.because(Reason.REGISTER_UNKNOWN)
        size = VECTOR_BYTES if name not in registers.names else self._process.pointer_size_bytes
        data = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
        return AtHand(data, part_name(registers.cpu, name, first_byte, self._size_bytes), first_byte)

    def _parts(self, located: Located, registers: Registers) -> Location | Absent:
        parts, absences = [], []
        for piece in located.pieces:
            size = None if piece.size_bits is None else (piece.size_bits + 7) // 8
            placer = _Placer(self._process, self._module, self._frames, size)
            place = placer.place(piece.located, registers, None)
            if isinstance(place, Absent):
                absences.append(place)
                place = Nowhere(Missing(place))
            parts.append(Part(piece.offset_bits, piece.size_bits, place))
        if len(absences) == len(parts):  # not a single one is there
            return absences[0] if absences else Absent.because(Reason.OPTIMIZED_AWAY)
        names = [part.location.text or "?" for part in parts]
        return InParts(tuple(parts), 0, ", ".join(names))


def part_name(cpu: str, register: str, first_byte: int, size_bytes: int | None) -> str:
    """What the processor calls so many bytes of a register: `esi` and `sil` of `rsi`, `ah`, `w3` of `x3`.

    Source: Intel, "64 and IA-32 Architectures Software Developer's Manual", volume 1, section 3.4.1.
    """
    if size_bytes not in {1, 2, 4}:
        return register
    if cpu == "arm64" and register[0] == "x":
        return f"w{register[1:]}"
    if cpu == "amd64" and register[0] == "r" and register[1:].isdigit():
        return register + {1: "b", 2: "w", 4: "d"}[size_bytes]
    if cpu not in {"x86", "amd64"} or register[:1] not in {"e", "r"} or len(register) != 3:
        return register
    word = register[1:]
    if size_bytes == 1:
        return f"{word[0]}{'h' if first_byte == 1 else 'l'}" if word.endswith("x") else f"{word}l"
    return word if size_bytes == 2 else f"e{word}"
