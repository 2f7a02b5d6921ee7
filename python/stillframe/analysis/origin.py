"""Where a register's value came from: the load before the faulting instruction, in straight-line code.

Unoptimised code keeps every variable in memory and loads it into a register right before its use: `mov rax,[where]`,
`mov [rax],ecx`. No debug information says that `rax` is `where`; the instructions do. A jump into the middle of such a
pair is not excluded, but compilers make none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.analysis.register_names import part_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe._engine import Instruction, Operand, Registers
    from stillframe.analysis.register_names import Part

MOST_INSTRUCTIONS = 32
"""Looked at, backwards."""
_MOVES = {"mov", "movsxd", "movzx", "movsx"}
_WRITES_UNSHOWN = (
    *("mul", "imul", "div", "idiv", "cdq", "cqo", "cwde", "cdqe", "cwd", "cbw", "cpuid", "rdtsc", "rdmsr", "xgetbv"),
    *("cmpxchg", "lods", "stos", "movs", "scas", "cmps", "rep", "loop", "popad", "leave", "enter", "sahf", "lahf"),
)
"""Mnemonics, or their beginnings, of instructions that write registers which they do not show."""


def of_register(before: Sequence[Instruction], wanted: Part, registers: Registers) -> Operand | None:
    """The memory operand that the register was last loaded from, if only straight-line code lies between.

    :param before: the instructions that lead to the faulting one, in address order.
    """
    size = wanted.size_bytes
    for instruction in reversed(before[-MOST_INSTRUCTIONS:]):
        if instruction.flow != "next":
            return None
        mnemonic = instruction.mnemonic
        written = [
            operand
            for operand in instruction.operand_list
            if operand.kind == "register" and operand.access != "read" and operand.register is not None
        ]
        if not any(part_of(operand.register or "", registers).whole == wanted.whole for operand in written):
            if mnemonic.startswith(_WRITES_UNSHOWN) and mnemonic not in _MOVES:
                return None
            continue
        source = instruction.operand_list[-1]
        if mnemonic not in _MOVES or instruction.operand_list[0].size_bytes < size:
            return None
        if source.kind == "memory":
            return source if source.segment is None else None
        if source.kind != "register" or source.register is None or source.size_bytes < size:
            return None
        wanted = part_of(source.register, registers)
    return None
