"""The access that the processor refused: of which kind, to which address, and who says so.

Windows records kind and address (Microsoft, "EXCEPTION_RECORD structure"); Linux and macOS an address alone, so the
kind is the instruction's. Neither has the address of an access that is not canonical: the processor raises a general
protection fault, which has none (Intel, "Software Developer's Manual", volume 3, "Interrupt 13"). Windows then records
a read of 0xffffffffffffffff and Linux 0 with SI_KERNEL; the true address is the operand's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.model.absent import Absent
from stillframe.model.crash import Access, Basis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe._engine import ExceptionRecord, Instruction, Registers
    from stillframe.model.crash import AccessKind, CrashOperand
    from stillframe.model.dump import Dump

UNREPORTED_ADDRESS = (1 << 64) - 1
"""What Windows on x64 records for a general protection fault."""
NULL_PAGES_BYTES = 0x10000
"""Windows gives out no address below, and Linux usually does not either (`vm.mmap_min_addr`)."""
WINDOWS_CODES = {0xC0000005, 0xC0000006, 0x80000001, 0xC00000FD}
"""Access violation, in-page error, guard page, stack overflow: parameters 0 and 1 are kind and address."""
KINDS: dict[int, AccessKind] = {0: "read", 1: "write", 8: "execute"}

INSTRUCTION_CODES = WINDOWS_CODES | {0x80000002, 0x80000003, 0x80000004, 0xC000001D, 0xC000001E, 0xC0000409}
"""These, misalignment, breakpoints, illegal instructions and fast-fail are raised by an instruction…"""
ARITHMETIC_CODES = range(0xC000008C, 0xC0000097)
"""…as are bounds, floating-point and integer errors and privileged instructions; others by `RaiseException`."""


def is_raised_by_instruction(dump: Dump, exception: ExceptionRecord) -> bool:
    """Whether the processor raised the exception, so that the instruction tells something of it."""
    from stillframe.analysis import mach, signals

    system = "" if isinstance(dump.system, Absent) else dump.system.os
    if system in {"Linux", "Android"}:
        return exception.code in signals.OF_INSTRUCTIONS
    if system in {"Mac OS X", "iOS"}:
        return exception.code in {mach.BAD_ACCESS, mach.BAD_INSTRUCTION, mach.ARITHMETIC, mach.BREAKPOINT}
    return exception.code in INSTRUCTION_CODES or exception.code in ARITHMETIC_CODES


def is_canonical(address: int) -> bool:
    """Whether bits 47 to 63 of an address of x64 are equal (48-bit virtual addresses)."""
    return address >> 47 in {0, (1 << 17) - 1}


def address_bits_of_arm64(dump: Dump) -> int | None:
    """How many bits of a pointer are an address: those above hold signatures and tags; None of other processors.

    Source: Arm, "Architecture Reference Manual", D8.10; Linux, `Documentation/arch/arm64/memory.rst` (48 bits); XNU,
    `MACH_VM_MAX_ADDRESS` (47 bits).
    """
    if dump.cpu != "arm64":
        return None
    system = "" if isinstance(dump.system, Absent) else dump.system.os
    return 47 if system in {"Mac OS X", "iOS"} else 48


def access_of(
    dump: Dump,
    exception: ExceptionRecord,
    registers: Registers | Absent,
    instruction: Instruction | Absent,
    operands: Sequence[CrashOperand],
) -> Access | None:
    """The refused access; None if the exception is about something else, or nobody knows the address."""
    reported = _reported(dump, exception)
    if reported is None:
        return None
    kind, address, basis = reported
    address &= (1 << 8 * dump.pointer_size_bytes) - 1
    covering = next((operand for operand in operands if _covers(operand, address, kind)), None)
    if covering is None and dump.cpu == "amd64" and address in {0, UNREPORTED_ADDRESS}:
        true = _not_canonical(instruction, operands, address)
        if true is not None or is_unreported(dump, exception):
            return true
    pointer = None if isinstance(registers, Absent) else registers.instruction_pointer
    if kind is None and pointer is not None and pointer == address:
        return Access("execute", address, None, address, (basis, Basis("registers", "instruction pointer")))
    if covering is None:
        return Access(kind, address, None, address, (basis,))
    by_operand = _by_operand(covering, address, address)
    return by_operand._replace(kind=kind or by_operand.kind, basis=(basis, *by_operand.basis))


def is_unreported(dump: Dump, exception: ExceptionRecord) -> bool:
    """Whether the record says that the processor reported no address, as of one that is not canonical."""
    from stillframe.analysis import mach, signals

    system = "" if isinstance(dump.system, Absent) else dump.system.os
    if dump.cpu != "amd64":
        return False
    if system in {"Linux", "Android"}:
        return signals.Signal(exception.code, exception.flags).code_name == "SI_KERNEL" and not exception.address
    if system in {"Mac OS X", "iOS"}:
        return (exception.code, exception.flags) == (mach.BAD_ACCESS, mach.GENERAL_PROTECTION)
    return exception.code in WINDOWS_CODES and exception.parameters[:2] == [0, UNREPORTED_ADDRESS]


def branch_target(instruction: Instruction | Absent, operands: Sequence[CrashOperand]) -> int | None:
    """Where a call, a jump or a return would have gone; None of other instructions, or where it is not known."""
    if isinstance(instruction, Absent) or instruction.flow not in {"call", "jump", "return"}:
        return None
    if instruction.target is not None or not operands:
        return instruction.target
    value = operands[-1 if instruction.flow == "return" else 0].value
    return value if isinstance(value, int) else None


def _reported(dump: Dump, exception: ExceptionRecord) -> tuple[AccessKind | None, int, Basis] | None:
    from stillframe.analysis import mach, signals

    system = "" if isinstance(dump.system, Absent) else dump.system.os
    if system in {"Linux", "Android"}:
        if exception.code not in {signals.SIGSEGV, signals.SIGBUS}:
            return None
        return None, exception.address, Basis("exception record", "si_addr")
    if system in {"Mac OS X", "iOS"}:
        if exception.code != mach.BAD_ACCESS:
            return None
        return None, exception.address, Basis("exception record", "address")
    if exception.code not in WINDOWS_CODES or len(exception.parameters) < 2:
        return None
    kind, address = exception.parameters[:2]
    return KINDS.get(kind), address, Basis("exception record", "parameters 0 and 1")


def _not_canonical(instruction: Instruction | Absent, operands: Sequence[CrashOperand], reported: int) -> Access | None:
    """The access that the record has no address of: to an operand, or to where a branch would have gone."""
    for operand in operands:
        if isinstance(operand.address, int) and operand.size_bytes and not is_canonical(operand.address):
            return _by_operand(operand, operand.address, reported)
    target = branch_target(instruction, operands)
    if target is None or is_canonical(target) or isinstance(instruction, Absent):
        return None
    # The processor refuses the branch itself, so that the instruction pointer is still at it.
    return Access("execute", target, None, reported, (Basis("instruction", instruction.mnemonic), _source(operands)))


def _source(operands: Sequence[CrashOperand]) -> Basis:
    operand = next((each for each in operands if isinstance(each.value, int)), None)
    if operand is not None and isinstance(operand.address, int):
        return Basis("memory", f"{operand.address:#x} to {operand.address + operand.size_bytes:#x}")
    return Basis("registers", operand.text if operand else "")


def _by_operand(operand: CrashOperand, address: int, reported: int) -> Access:
    kind: AccessKind | None = {"read": "read", "write": "write", "read_write": "write"}.get(operand.access)  # type: ignore[assignment]
    basis = (Basis("instruction", operand.text), Basis("registers", " and ".join(operand.registers)))
    return Access(kind, address, operand.size_bytes, reported, basis if operand.registers else basis[:1])


def _covers(operand: CrashOperand, address: int, kind: AccessKind | None) -> bool:
    """Whether the operand's memory holds `address` and is used in this way."""
    if not isinstance(operand.address, int) or not operand.size_bytes or kind == "execute":
        return False
    if kind is not None and kind not in operand.access:
        return False
    return operand.address <= address < operand.address + operand.size_bytes
