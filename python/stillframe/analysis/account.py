"""The account of a crash: what an expert says at first glance, and on which bytes each statement rests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.analysis import bit_flips, handler_notes, operands, statements
from stillframe.analysis.access import access_of, address_bits_of_arm64, is_raised_by_instruction
from stillframe.analysis.address_map import AddressMap
from stillframe.analysis.places import stack_exhaustion
from stillframe.analysis.windows import CPP_EXCEPTION
from stillframe.model.absent import Absent, Reason
from stillframe.model.crash import Account

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe._engine import Instruction, Registers
    from stillframe.analysis.cpp_exception import Thrown
    from stillframe.model.crash import Access, BitFlip, CrashOperand
    from stillframe.model.dump import Dump


def account_of(dump: Dump) -> Account:
    """The account of a dump that has an exception."""
    exception, thread = dump.exception, dump.crashed_thread
    if exception is None:
        raise ValueError("the dump was not taken at an exception")
    registers: Registers | Absent = Absent.because(Reason.CONTEXT_MISSING)
    instruction: Instruction | Absent = Absent.because(Reason.CONTEXT_MISSING)
    found: tuple[CrashOperand, ...] = ()
    if thread is not None:
        registers = thread.registers
    if thread is not None and not isinstance(registers, Absent) and registers.instruction_pointer is not None:
        instruction = operands.faulting_instruction(dump, registers.instruction_pointer)
        if not isinstance(instruction, Absent):
            found = operands.operands_of(dump, thread, registers, instruction)
    access = access_of(dump, exception, registers, instruction, found)
    places = AddressMap(dump)
    exhaustion = None if access is None else stack_exhaustion(dump, places, access)
    flips = () if exhaustion else _flips(dump, access, found, registers, places)
    thrown = _thrown(dump)
    facts = statements.Facts(
        dump, exception, thread, registers, instruction, found, access, places, flips, exhaustion, thrown
    )
    return Account(
        instruction,
        is_raised_by_instruction(dump, exception),
        found,
        access,
        _guarded(found, places),
        tuple(statements.all_of(facts)),
        flips,
        handler_notes.assertion(dump),
        thrown.type_name if thrown else None,
        thrown.message if thrown else None,
    )


def _guarded(operands: Sequence[CrashOperand], places: AddressMap) -> frozenset[int]:
    addresses = (operand.address for operand in operands if isinstance(operand.address, int))
    return frozenset(address for address in addresses if places.is_likely_guard_page(address))


def _flips(
    dump: Dump,
    access: Access | None,
    found: Sequence[CrashOperand],
    registers: Registers | Absent,
    places: AddressMap,
) -> tuple[BitFlip, ...]:
    bits = address_bits_of_arm64(dump)
    if access is None or isinstance(registers, Absent) or (bits is not None and access.address >> bits):
        return ()
    operand = operands.accessed(access, found)
    return bit_flips.possible_flips(access, operand, registers, places, dump.pointer_size_bytes)


def _thrown(dump: Dump) -> Thrown | None:
    exception = dump.exception
    if exception is None or exception.code != CPP_EXCEPTION:
        return None
    from stillframe.analysis.cpp_exception import thrown

    return thrown(dump, exception)
