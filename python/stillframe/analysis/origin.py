"""Where a register's value came from: the load before the faulting instruction, in straight-line code.

Unoptimised code keeps every variable in memory and loads it into a register right before its use: `mov rax,[where]`,
`mov [rax],ecx`. No debug information says that `rax` is `where`; the instructions do. A jump into the middle of such a
pair is not excluded, but compilers make none. On ARM64 the same reads `ldr x9, [sp, #8]`, `str w8, [x9]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.analysis.register_names import part_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe._engine import Instruction, Operand, Registers
    from stillframe.analysis.register_names import Part

MOST_INSTRUCTIONS = 32
"""Looked at, backwards."""
_MOVES = {"mov", "movsxd", "movzx", "movsx", "ldr", "ldur", "ldrsw", "ldursw"}
_LOADS_WHOLE = {"mov", "ldr", "ldur"}
_WRITES_UNSHOWN = (
    *("mul", "imul", "div", "idiv", "cdq", "cqo", "cwde", "cdqe", "cwd", "cbw", "cpuid", "rdtsc", "rdmsr", "xgetbv"),
    *("cmpxchg", "lods", "stos", "movs", "scas", "cmps", "rep", "loop", "popad", "leave", "enter", "sahf", "lahf"),
)
"""Mnemonics, or their beginnings, of instructions that write registers which they do not show."""


class Origin(NamedTuple):
    """The load that a register has its value from."""

    operand: Operand
    """The memory that was loaded."""
    base: str | None
    """The register that its address counts from, which is still what it was; None: no register."""
    offset_bytes: int
    """From `base` to the address, without an index."""
    pointer_offset_bytes: int | None = None
    """If a pointer to the memory lies there instead: from where that leads to the address."""


class _Trace:
    """Backwards through straight-line code, one register at a time."""

    def __init__(self, before: Sequence[Instruction], registers: Registers) -> None:
        self._left = list(before[-MOST_INSTRUCTIONS:])
        self._registers = registers
        self.changed: set[str] = set()
        """Whole registers that instructions seen so far write: now they may hold something else."""

    def whole(self, register: str) -> str:
        return part_of(register, self._registers).whole

    def last_write(self, wanted: str) -> Instruction | None:
        """The instruction that last wrote a whole register, if only straight-line code lies between."""
        while self._left:
            instruction = self._left.pop()
            written = {
                self.whole(operand.register)
                for operand in instruction.operand_list
                if operand.kind == "register" and operand.access != "read" and operand.register is not None
            }
            if _moves_its_base(instruction):
                written |= {self.whole(operand.base) for operand in instruction.operand_list if operand.base}
            self.changed |= written
            if instruction.flow != "next":
                return None
            if wanted in written:
                return instruction
            if instruction.mnemonic.startswith(_WRITES_UNSHOWN) and instruction.mnemonic not in _MOVES:
                return None
        return None


def of_register(before: Sequence[Instruction], wanted: Part, registers: Registers) -> Origin | None:
    """What the register was last loaded from, if only straight-line code lies between.

    :param before: the instructions that lead to the faulting one, in address order.
    """
    trace, size = _Trace(before, registers), wanted.size_bytes
    while (instruction := trace.last_write(wanted.whole)) is not None:
        if instruction.mnemonic not in _MOVES or instruction.operand_list[0].size_bytes < size:
            return None
        source = instruction.operand_list[-1]
        if source.kind == "memory":
            return None if source.segment or _moves_its_base(instruction) else _origin(source, trace)
        if source.kind != "register" or source.register is None or source.size_bytes < size:
            return None
        wanted = part_of(source.register, registers)
    return None


def _origin(source: Operand, trace: _Trace) -> Origin | None:
    """Where `source` was, told by registers that have not changed since."""
    if source.index is not None and trace.whole(source.index) in trace.changed:
        return None
    if source.base is None or source.name is not None or trace.whole(source.base) not in trace.changed:
        return Origin(source, source.base, source.value or 0)
    before = trace.last_write(trace.whole(source.base))
    operands, offset_bytes = (before.operand_list if before else []), source.value or 0
    kinds = [operand.kind for operand in operands]
    # `add x9, sp, #0xa0`, `ldr x9, [x9]`
    if before and before.mnemonic == "add" and kinds == ["register", "register", "immediate"]:
        origin = Origin(source, operands[1].register, offset_bytes + (operands[2].value or 0))
    # `ldr x9, [sp, #8]`, `ldr x9, [x9]`
    elif before and before.mnemonic in _LOADS_WHOLE and kinds == ["register", "memory"] and operands[1].index is None:
        origin = Origin(source, operands[1].base, operands[1].value or 0, offset_bytes)
    else:
        return None
    return None if origin.base is None or trace.whole(origin.base) in trace.changed else origin


def _moves_its_base(instruction: Instruction) -> bool:
    """Whether a load or store of ARM64 changes the register that it goes by: `[x1, #8]!`, `[x1], #8`."""
    return instruction.operands.endswith("]!") or "], #" in instruction.operands
