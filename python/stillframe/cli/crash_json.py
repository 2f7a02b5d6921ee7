"""The crash as JSON: `crash_info` of minidump-stackwalk's schema, and what is ours alone under `stillframe`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe import Absent
from stillframe.analysis import handler_notes
from stillframe.analysis.access import branch_target, is_canonical
from stillframe.analysis.contradictions import KINDS as CONTRADICTIONS
from stillframe.analysis.operands import points_to_null
from stillframe.cli import schema

if TYPE_CHECKING:
    from stillframe import Crash, Dump
    from stillframe.cli.schema import Object
    from stillframe.model.crash import BitFlip, CrashOperand, Statement

ACCESS_TYPES = {"read": "read", "write": "write", "read_write": "readwrite"}
CONFIDENCE = {"weak": 0.25, "fair": 0.5, "strong": 0.9}


def crash_info(dump: Dump) -> Object:
    """`crash_info`; all of it is null if there was no crash."""
    crash = dump.crash
    if crash is None:
        return dict.fromkeys(_FIELDS)
    instruction = crash.instruction
    text = None if isinstance(instruction, Absent) else f"{instruction.mnemonic} {instruction.operands}".rstrip()
    return {
        "address": None if crash.address is None else schema.hex_text(dump, crash.address),
        "adjusted_address": _adjusted_address(dump, crash),
        "assertion": None if crash.assertion is None else str(crash.assertion),
        "crash_inconsistencies": [each.kind for each in crash.statements if each.kind in CONTRADICTIONS],
        "crashing_thread": crash.thread.index if crash.thread else None,
        "instruction": text,
        "instruction_pointer_update": _instruction_pointer_update(dump, crash),
        "memory_accesses": _memory_accesses(dump, crash) if text is not None else None,
        "possible_bit_flips": [_bit_flip(dump, crash, flip) for flip in crash.bit_flips],
        "stillframe": _extras(dump, crash),
        "type": crash.reason,
    }


_FIELDS = (
    *("address", "adjusted_address", "assertion", "crash_inconsistencies", "crashing_thread", "instruction"),
    *("instruction_pointer_update", "memory_accesses", "possible_bit_flips", "stillframe", "type"),
)


def mac_crash_info(dump: Dump) -> Object | None:
    """Stream MacosCrashInfo."""
    records = handler_notes.mac_crash_info(dump)
    if not records:
        return None
    return {
        "num_records": len(records),
        "records": [
            {
                "abort_cause": None if record.abort_cause is None else f"{record.abort_cause:#x}",
                "backtrace": record.backtrace or None,
                "dialog_mode": f"{record.dialog_mode:#x}",
                "message": record.message or None,
                "message2": record.message2 or None,
                "module": record.module or None,
                "signature_string": record.signature or None,
                "thread": f"{record.thread:#x}",
            }
            for record in records
        ],
    }


def crashpad_info(dump: Dump) -> Object | None:
    """Crashpad's stream. Names of annotations are the program's, so they are values here, not keys."""
    info = handler_notes.crashpad(dump)
    if info is None:
        return None
    return {
        "client_id": info.client_id,
        "report_id": info.report_id,
        "annotations": _pairs(info.values),
        "modules": [
            {
                "module_index": module.module_index,
                "messages": list(module.messages),
                "annotations": _pairs(module.values),
                "objects": [
                    {"name": name, "type": kind, "value": _object_value(kind, value)}
                    for name, kind, value in module.objects
                ],
            }
            for module in info.modules
        ],
    }


def _pairs(values: dict[str, str]) -> list[Object]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _object_value(kind: int, value: bytes) -> str:
    return value.decode("utf-8", "replace") if kind == handler_notes.STRING_ANNOTATION else value.hex()


def _adjusted_address(dump: Dump, crash: Crash) -> Object | None:
    access = crash.access
    if access is None:
        return None
    if access.address != access.reported:
        return {"address": schema.hex_text(dump, access.address), "kind": "non-canonical"}
    if points_to_null(crash.thread, access, crash.operands):
        return {"kind": "null-pointer", "offset": schema.hex_text(dump, access.address)}
    return None


def _memory_accesses(dump: Dump, crash: Crash) -> list[Object]:
    found = []
    for operand in crash.operands:
        if operand.kind != "memory" or not isinstance(operand.address, int) or operand.access == "none":
            continue
        access: Object = {
            "access_type": ACCESS_TYPES[operand.access],
            "address": schema.hex_text(dump, operand.address),
            "size": operand.size_bytes,
        }
        if operand.address in crash.account.guarded:
            access["is_likely_guard_page"] = True  # there only if it is so, as minidump-stackwalk has it
        found.append(access)
    return found


def _instruction_pointer_update(dump: Dump, crash: Crash) -> Object | None:
    """Where a call, a jump or a return would have gone."""
    target = branch_target(crash.instruction, crash.operands)
    return None if target is None else {"address": schema.hex_text(dump, target)}


def _bit_flip(dump: Dump, crash: Crash, flip: BitFlip) -> Object:
    access = crash.access
    return {
        "address": schema.hex_text(dump, flip.address),
        "confidence": CONFIDENCE[flip.confidence],
        "details": {
            "is_null": flip.value == 0,
            "nearby_registers": flip.nearby_registers,
            "poison_registers": False,  # a fill has a better explanation, so nothing is flipped then
            "was_low": False,  # nor of an address near null
            "was_non_canonical": dump.cpu == "amd64" and access is not None and not is_canonical(access.address),
        },
        "source_register": flip.register,
        "stillframe": {"bit": flip.bit, "confidence": flip.confidence, "text": flip.text},
    }


def _extras(dump: Dump, crash: Crash) -> Object:
    access = crash.access
    return {
        "access": None
        if access is None
        else {
            "address": schema.hex_text(dump, access.address),
            "basis": [str(basis) for basis in access.basis],
            "kind": access.kind,
            "reported": schema.hex_text(dump, access.reported),
            "size": access.size_bytes,
        },
        "exception_message": crash.exception_message,
        "exception_type": crash.exception_type,
        "is_raised_by_instruction": crash.account.is_raised_by_instruction,
        "operands": [_operand(dump, operand) for operand in crash.operands],
        "source": None if isinstance(crash.source_line, Absent) else schema.source_line(crash.source_line),
        "statements": [_statement(statement) for statement in crash.statements],
    }


def _operand(dump: Dump, operand: CrashOperand) -> Object:
    address, value = operand.address, operand.value
    return {
        "absent": schema.absence(next((each for each in (address, value) if isinstance(each, Absent)), None)),
        "access": operand.access,
        "address": schema.hex_text(dump, address) if isinstance(address, int) else None,
        "kind": operand.kind,
        "name": operand.name,
        "origin": operand.origin,
        "pointer": operand.pointer,
        "size": operand.size_bytes,
        "text": operand.text,
        "value": f"0x{value:0{2 * operand.size_bytes}x}" if isinstance(value, int) else None,
    }


def _statement(statement: Statement) -> Object:
    return {"basis": [str(basis) for basis in statement.basis], "kind": statement.kind, "text": statement.text}
