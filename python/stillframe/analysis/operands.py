"""The faulting instruction's operands: which addresses, which values, whose variables.

x86 and x64. Source of what instructions access without showing it: Intel, "64 and IA-32 Architectures Software
Developer's Manual", volume 2, `CALL`, `PUSH`, `POP`, `RET`, `LEAVE`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe._engine import EngineError
from stillframe.analysis import origin
from stillframe.analysis.access import NULL_PAGES_BYTES
from stillframe.analysis.pointees import pointee
from stillframe.analysis.register_names import part_of, value_of
from stillframe.model.absent import Absent, Reason
from stillframe.model.crash import CrashOperand

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from stillframe._engine import Instruction, Operand, Registers
    from stillframe.analysis.origin import Origin
    from stillframe.model.crash import Access
    from stillframe.model.dump import Dump
    from stillframe.model.frame import Frame
    from stillframe.model.thread import Thread
    from stillframe.model.typing.type import Type
    from stillframe.model.variables import Variable

LARGEST_VALUE_BYTES = 64
"""Of a vector register; `fxsave` and the like move more, which nobody reads as a number."""
TEB_REGISTERS = {"x86": "fs", "amd64": "gs"}
"""The segment at whose start Windows keeps the thread environment block."""


def faulting_instruction(dump: Dump, address: int) -> Instruction | Absent:
    """The instruction at `address`."""
    try:
        listing = dump.disassemble(address, count=1)
    except EngineError:  # of a processor whose instructions are not disassembled yet
        return Absent.because(Reason.NO_DISASSEMBLER)
    if listing.instructions and listing.instructions[0].flow != "invalid":
        return listing.instructions[0]
    return Absent.because(Reason.NO_INSTRUCTION) if listing.absent is None else listing.absent


def operands_of(dump: Dump, thread: Thread, registers: Registers, instruction: Instruction) -> tuple[CrashOperand, ...]:
    """Registers and memory that `instruction` uses, with what they held; constants are left out."""
    frames = [frame for frame in thread.frames if frame.physical_index == 0]
    reader = _Reader(dump, thread, registers, frames)
    shown = [reader.operand(operand) for operand in instruction.operand_list]
    return (*(operand for operand in shown if operand is not None), *reader.not_shown(instruction))


def accessed(access: Access, operands: Sequence[CrashOperand]) -> CrashOperand | None:
    """The operand whose memory `access` was to."""
    for operand in operands if access.kind != "execute" else ():
        start = operand.address
        if isinstance(start, int) and start <= access.address < start + operand.size_bytes:
            return operand
    return None


def points_to_null(thread: Thread | None, access: Access, operands: Sequence[CrashOperand]) -> bool:
    """Whether the first register that the address is computed from is 0, and the rest a small offset."""
    operand = accessed(access, operands)
    registers = None if thread is None else thread.registers
    if operand is None or registers is None or isinstance(registers, Absent) or access.address >= NULL_PAGES_BYTES:
        return False
    values = [value_of(register, registers) for register in operand.registers[:1]]
    return values == [0]


class _Reader:
    """Looks values up, and names."""

    def __init__(self, dump: Dump, thread: Thread, registers: Registers, frames: Sequence[Frame]) -> None:
        self._dump = dump
        self._thread = thread
        self._registers = registers
        self._frames = frames
        self._pointer_mask = (1 << 8 * dump.pointer_size_bytes) - 1

    def operand(self, operand: Operand) -> CrashOperand | None:
        """What is known of a register or of memory; None of constants."""
        if operand.kind == "register" and operand.register is not None:
            held = self._variable_in(operand.register)
            name = None if held is None else held.name
            value = value_of(operand.register, self._registers)
            where = (operand.register,)
            size = operand.size_bytes
            return CrashOperand(
                operand.text, "register", operand.access, size, None, value, name, None, None, where, operand
            )
        if operand.kind != "memory":
            return None
        address = self._address(operand)
        name, pointer, origin_name = self._names(operand, address)
        return CrashOperand(
            operand.text,
            "memory",
            operand.access,
            operand.size_bytes,
            address,
            self._value(address, operand.size_bytes),
            name,
            pointer,
            origin_name,
            tuple(register for register in (operand.base, operand.index) if register is not None),
            operand,
        )

    def not_shown(self, instruction: Instruction) -> list[CrashOperand]:
        """What a call, a push, a return… does to the stack."""
        mnemonic, size = instruction.mnemonic, self._dump.pointer_size_bytes
        stack = "esp" if size == 4 else "rsp"
        if instruction.flow == "call" or mnemonic in {"push", "pushfd", "pushfq"}:
            return self._stack_operand(stack, -size, "write")
        if mnemonic == "pushad":
            return self._stack_operand(stack, -8 * size, "write", 8 * size)
        if mnemonic in {"pop", "popfd", "popfq"} or instruction.flow == "return":
            return self._stack_operand(stack, 0, "read")
        if mnemonic == "leave":
            return self._stack_operand("ebp" if size == 4 else "rbp", 0, "read")
        return []

    def _stack_operand(
        self, register: str, offset: int, access: Literal["read", "write"], size: int | None = None
    ) -> list[CrashOperand]:
        base = self._registers.get(register)
        address: int | Absent = Absent.because(Reason.REGISTER_UNKNOWN)
        if base is not None:
            address = (base + offset) & self._pointer_mask
        text = f"[{register}{f'-{-offset:#x}' if offset else ''}]"
        size = size or self._dump.pointer_size_bytes
        value = self._value(address, size)
        return [CrashOperand(text, "memory", access, size, address, value, None, None, None, (register,), None)]

    def _address(self, operand: Operand) -> int | Absent:
        address = self._sum(operand.value or 0, ((operand.base, 1), (operand.index, operand.scale)))
        if operand.segment is None or isinstance(address, Absent):
            return address
        base = self._segment_base(operand.segment)
        return base if isinstance(base, Absent) else (base + address) & self._pointer_mask

    def _sum(self, address: int, parts: tuple[tuple[str | None, int], ...]) -> int | Absent:
        mask = self._pointer_mask
        for register, scale in parts:
            if register is None:
                continue
            value = value_of(register, self._registers)
            size = part_of(register, self._registers).size_bytes
            if isinstance(value, Absent) or size > 8:  # each element of a gather has an address of its own
                return Absent.because(Reason.REGISTER_UNKNOWN)
            address += value * scale
            mask &= (1 << 8 * size) - 1  # an address of a smaller size wraps around in it
        return address & mask

    def _segment_base(self, segment: str) -> int | Absent:
        system = self._dump.system
        is_windows = not isinstance(system, Absent) and system.os.startswith("Windows")
        if is_windows and TEB_REGISTERS.get(self._dump.cpu) == segment and self._thread.record.teb:
            return self._thread.record.teb
        return Absent.because(Reason.SEGMENT_BASE_UNKNOWN)

    def _value(self, address: int | Absent, size: int) -> int | Absent:
        if isinstance(address, Absent):
            return address
        if not 0 < size <= LARGEST_VALUE_BYTES:
            return Absent.because(Reason.NO_ADDRESS)
        part = self._dump.memory.read_partial(address, size)
        return int.from_bytes(part.data, "little") if part.absent is None else part.absent

    def _names(self, operand: Operand, address: int | Absent) -> tuple[str | None, str | None, str | None]:
        """The operand's name, that of the pointer through which it is reached, and what that was loaded from."""
        if operand.name is not None:
            return operand.name, None, None
        found = self._variable_at(address)
        if found is not None:
            return found.name, None, None
        if operand.base is None or operand.segment is not None:
            return None, None, None
        before = self._frames[-1].instructions_before if self._frames else ()
        loaded_from = origin.of_register(before, part_of(operand.base, self._registers), self._registers)
        source = self._source(loaded_from) if loaded_from else None
        origin_name = None if source is None else source[0]
        held = self._variable_in(operand.base)
        pointer, type_ = (held.name, held.type) if held is not None else source or (None, None)
        if pointer is None:
            slot = loaded_from.operand.text if loaded_from and loaded_from.operand.base == loaded_from.base else None
            return None, None, f"[{slot.partition('[')[2]}" if slot and "[" in slot else None
        name = self._pointee(operand, address, pointer, type_)
        return name, pointer, origin_name if origin_name != pointer else None

    def _pointee(self, operand: Operand, address: int | Absent, pointer: str, type_: Type | None) -> str:
        if operand.index is None:
            return pointee(pointer, type_, operand.value or 0, operand.size_bytes)
        base = value_of(operand.base, self._registers) if operand.base else None
        if isinstance(address, Absent) or base is None or isinstance(base, Absent):
            return f"{pointer}[…]"
        return pointee(pointer, type_, address - base, operand.size_bytes, is_indexed=True)

    def _source(self, loaded_from: Origin) -> tuple[str, Type | None] | None:
        """Name and type of the variable that a register was loaded from."""
        operand = loaded_from.operand
        if operand.name is not None:
            named = (each.type for frame in self._frames for each in frame.variables if each.name == operand.name)
            return operand.name, next(named, None)
        index = (operand.index, operand.scale)
        if loaded_from.pointer_offset_bytes is None:
            address = self._sum(loaded_from.offset_bytes, ((loaded_from.base, 1), index))
        else:
            slot = self._sum(loaded_from.offset_bytes, ((loaded_from.base, 1),))
            start = self._value(slot, self._dump.pointer_size_bytes)
            if isinstance(start, Absent):
                return None
            address = self._sum(start + loaded_from.pointer_offset_bytes, (index,))
        found = self._variable_at(address)
        return None if found is None else (found.name, found.type)

    def _variable_at(self, address: int | Absent) -> Variable | None:
        variables = (each for frame in self._frames for each in frame.variables)
        return next((each for each in variables if isinstance(address, int) and each.address == address), None)

    def _variable_in(self, register: str) -> Variable | None:
        whole = part_of(register, self._registers).whole
        for frame in self._frames:
            for variable in frame.variables:
                held = variable.register
                if held is not None and part_of(held, self._registers).whole == whole:
                    return variable
        return None
