"""Where the exception record, the instruction and the memory map contradict each other.

Then something beside the program is wrong: the handler, the system, or the machine. The kinds are those that
minidump-stackwalk lists as `crash_inconsistencies`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.analysis.access import is_unreported
from stillframe.analysis.operands import accessed
from stillframe.model.absent import Absent
from stillframe.model.crash import Basis, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stillframe._engine import Instruction
    from stillframe.analysis.address_map import AddressMap
    from stillframe.model.crash import Access, CrashOperand
    from stillframe.model.dump import Dump

INT_DIVIDE_BY_ZERO = 0xC0000094
DIVISIONS = {"div", "idiv", "aam"}
RECORD, INSTRUCTION = Basis("exception record"), Basis("instruction")
PRIVILEGED_INSTRUCTION = 0xC0000096
PRIVILEGED = {
    *("cli", "sti", "clts", "hlt", "in", "out", "ins", "insb", "insd", "outs", "outsb", "outsd", "int", "into", "invd"),
    *("invlpg", "iret", "iretd", "iretq", "lgdt", "lidt", "lldt", "lmsw", "ltr", "monitor", "mwait", "rdmsr", "wrmsr"),
    *("rdpmc", "rdtsc", "rdtscp", "swapgs", "sysexit", "sysret", "wbinvd", "xsetbv", "vmcall", "vmlaunch", "vmresume"),
    *("vmread", "vmwrite", "vmxon", "vmxoff", "vmptrld", "vmptrst", "vmclear", "invept", "invvpid", "retf"),
}
"""Instructions that programs may not run, or not always; `mov` of control and debug registers besides."""
KINDS = {
    "priv_instruction_crash_without_priv_instruction",
    "int_div_by_zero_not_possible",
    "non_canonical_address_falsely_reported",
    "access_violation_when_access_allowed",
    "crashing_access_not_found_in_memory_accesses",
}


def contradictions(
    dump: Dump,
    instruction: Instruction | Absent,
    operands: Sequence[CrashOperand],
    access: Access | None,
    places: AddressMap,
) -> Iterator[Statement]:
    """What cannot be true together."""
    code = 0 if dump.exception is None else dump.exception.code
    if code == INT_DIVIDE_BY_ZERO and not isinstance(instruction, Absent) and instruction.mnemonic not in DIVISIONS:
        text = f"the record tells of a division, but the instruction, {instruction.mnemonic}, is none"
        yield Statement("int_div_by_zero_not_possible", text, (RECORD, INSTRUCTION))
    if code == PRIVILEGED_INSTRUCTION and not isinstance(instruction, Absent) and not _is_privileged(instruction):
        text = f"the record tells of a privileged instruction, but {instruction.mnemonic} is none"
        yield Statement("priv_instruction_crash_without_priv_instruction", text, (RECORD, INSTRUCTION))
    if access is not None:
        yield from _of_the_access(operands, access, places)
    elif dump.exception is not None and is_unreported(dump, dump.exception) and _accesses(operands):
        text = "the record tells of an address that is not canonical, but those of the instruction are"
        yield Statement("non_canonical_address_falsely_reported", text, (RECORD, INSTRUCTION))


def _is_privileged(instruction: Instruction) -> bool:
    registers = [operand.register or "" for operand in instruction.operand_list]
    return instruction.mnemonic.split()[-1] in PRIVILEGED or any(name.startswith(("cr", "dr")) for name in registers)


def _accesses(operands: Sequence[CrashOperand]) -> bool:
    """Whether the instruction accesses memory, at addresses that are all known."""
    memory = [each for each in operands if each.kind == "memory"]
    return bool(memory) and all(isinstance(each.address, int) and each.size_bytes for each in memory)


def _of_the_access(operands: Sequence[CrashOperand], access: Access, places: AddressMap) -> Iterator[Statement]:
    if access.kind is None or access.kind == "execute":
        return
    if _accesses(operands) and accessed(access, operands) is None:
        text = f"the record tells of an access to {access.address:#x}, but the instruction makes none to it"
        yield Statement("crashing_access_not_found_in_memory_accesses", text, (RECORD, INSTRUCTION))
    permissions = places.permissions(access.address) if places.has_regions else None
    if permissions is not None and permissions.allows(access.kind) and not places.is_likely_guard_page(access.address):
        text = (
            f"{access.address:#x} may be {'read' if access.kind == 'read' else 'written'}, says the dump: {permissions}"
        )
        yield Statement("access_violation_when_access_allowed", text, (RECORD, permissions.basis))
