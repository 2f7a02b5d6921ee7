"""Where the exception record, the instruction and the memory map contradict each other.

Then something beside the program is wrong: the handler, the system, or the machine. The kinds are those that
minidump-stackwalk lists as `crash_inconsistencies`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.analysis.access import UNREPORTED_ADDRESS, is_canonical
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
KINDS = {
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
    if access is None:
        return
    memory = [each for each in operands if each.kind == "memory"]
    is_known = bool(memory) and all(isinstance(each.address, int) and each.size_bytes for each in memory)
    if dump.cpu == "amd64" and access.reported == access.address == UNREPORTED_ADDRESS:
        if is_known and all(isinstance(each.address, int) and is_canonical(each.address) for each in memory):
            text = "the record tells of an address that is not canonical, but those of the instruction are"
            yield Statement("non_canonical_address_falsely_reported", text, (RECORD, INSTRUCTION))
        return
    if access.kind is None or access.kind == "execute":
        return
    if is_known and len(access.basis) == 1 and access.reported == access.address:
        text = f"the record tells of an access to {access.address:#x}, but the instruction makes none to it"
        yield Statement("crashing_access_not_found_in_memory_accesses", text, (RECORD, INSTRUCTION))
    permissions = places.permissions(access.address) if places.has_regions else None
    if permissions is not None and permissions.allows(access.kind) and not places.is_likely_guard_page(access.address):
        text = (
            f"{access.address:#x} may be {'read' if access.kind == 'read' else 'written'}, says the dump: {permissions}"
        )
        yield Statement("access_violation_when_access_allowed", text, (RECORD, permissions.basis))
