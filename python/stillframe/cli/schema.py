"""Objects as JSON, in the field names of minidump-stackwalk where it has one; what is ours alone is under `stillframe`.

Every field is described in docs/json.md. Keys are sorted and lists are in the dump's order, so that the same dump gives
the same text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from stillframe import Absent
from stillframe.cli.missing import problems_of
from stillframe.cli.page import write
from stillframe.model.evidence import DebugInfoFound, ImageFound, Rejected
from stillframe.model.locator import Outcome
from stillframe.model.names import base_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe import Dump, Frame, Listing, Module, Thread
    from stillframe._engine import Stream
    from stillframe.model.evidence import DebugInfoState, ImageState
    from stillframe.model.location import SourceLine
    from stillframe.model.memory import Span

Object: TypeAlias = dict[str, Any]


def show(value: object) -> None:
    """Writes `value` to standard output."""
    write(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def hex_text(dump: Dump, value: int) -> str:
    """`0x009f1934`, as wide as the process's pointers."""
    return f"0x{value:0{2 * dump.pointer_size_bytes}x}"


def absence(absent: Absent | None) -> Object | None:
    """Why something is missing."""
    return None if absent is None else {"reason": str(absent.reason), "remedy": absent.remedy}


# --- threads and frames -----------------------------------------------------------------------------------------------


def thread(dump: Dump, of: Thread, *, with_registers: bool = False) -> Object:
    """A thread with its stack; `with_registers` adds those of the innermost frame to it."""
    physical: dict[int, list[Frame]] = {}
    for each in of.frames:
        physical.setdefault(each.physical_index, []).append(each)
    frames = [_frame(dump, calls) for calls in physical.values()]
    if with_registers and of.frames:
        frames[0]["registers"] = registers(dump, of.frames[0])
    stop_address = None if of.stop.address is None else hex_text(dump, of.stop.address)
    return {
        **thread_summary(dump, of),
        "frame_count": len(frames),
        "frames": frames,
        "stillframe": {**_thread_extras(of), "stop": of.stop.reason.name.lower(), "stop_address": stop_address},
    }


def thread_summary(dump: Dump, of: Thread) -> Object:
    """A thread without its stack."""
    from stillframe.analysis.last_error import last_error

    return {
        "last_error_value": last_error(dump, of),
        "thread_id": of.id,
        "thread_name": of.name,
        "stillframe": _thread_extras(of),
    }


def _thread_extras(of: Thread) -> Object:
    return {"index": of.index, "is_crashed": of.is_crashed}


def _frame(dump: Dump, calls: Sequence[Frame]) -> Object:
    """A physical frame: the innermost inlined call first in `calls`, the function itself last."""
    frame = calls[-1]
    module, address = frame.module, frame.lookup_address
    is_named = frame.name_kind in {"function", "symbol"}
    function_offset = frame.function_offset if is_named else None
    unloaded = None if module else _unloaded_modules(dump, address)
    return {
        **call(frame),
        "frame": frame.physical_index,
        "function_offset": _offset_to_call(dump, frame, function_offset),
        "inlines": [call(inner) for inner in calls[:-1]] or None,
        "missing_symbols": not is_named,
        "module": module.name if module else None,
        "module_offset": hex_text(dump, address - module.base) if module else None,
        "offset": hex_text(dump, address),
        "trust": frame.trust,
        "unloaded_modules": unloaded,
        "stillframe": {
            "instruction": hex_text(dump, frame.instruction),
            "first_index": calls[0].index,
            "name_kind": frame.name_kind,
        },
    }


def call(frame: Frame) -> Object:
    """A call by name, file and line."""
    location = frame.location
    return {
        "file": None if isinstance(location, Absent) else location.path,
        "function": frame.name if frame.name_kind in {"function", "symbol"} else None,
        "line": None if isinstance(location, Absent) else location.line,
    }


def _offset_to_call(dump: Dump, frame: Frame, offset: int | Absent | None) -> str | None:
    """The schema counts to `offset`, which lies inside the call; the model counts to the return address."""
    if offset is None or isinstance(offset, Absent):
        return None
    return hex_text(dump, offset - (frame.instruction - frame.lookup_address))


def _unloaded_modules(dump: Dump, address: int) -> list[Object] | None:
    """Unloaded modules that once covered `address`, by name, with all offsets that this gives."""
    offsets: dict[str, set[int]] = {}
    for module in dump.unloaded_modules:
        if module.base <= address < module.base + module.size_bytes:
            offsets.setdefault(base_name(module.name), set()).add(address - module.base)
    found = [
        {"module": name, "offsets": [hex_text(dump, offset) for offset in sorted(offsets[name])]}
        for name in sorted(offsets)
    ]
    return found or None


def registers(dump: Dump, frame: Frame) -> dict[str, str]:
    """Known general registers."""
    return {name: hex_text(dump, value) for name, value in frame.registers.known().items()}


def registers_of(dump: Dump, of: Thread, frame: Frame) -> Object:
    """The answer of `stillframe registers`."""
    return {
        "thread": of.index,
        "frame": frame.index,
        "trust": frame.trust,
        "registers": registers(dump, frame),
        "unknown": [name for name in frame.registers.names if frame.registers.get(name) is None],
        "vectors": {name: f"0x{value:032x}" for name, value in frame.registers.known_vectors().items()},
    }


# --- modules ----------------------------------------------------------------------------------------------------------


def module(dump: Dump, of: Module) -> Object:
    """A module, with what is known of its files so far."""
    debug_info = of.debug_info
    return {
        "base_addr": hex_text(dump, of.base),
        "cert_subject": None,
        "code_id": of.code_id,
        "corrupt_symbols": any(attempt.outcome is Outcome.UNREADABLE for attempt in debug_info.tried),
        "debug_file": of.debug_file,
        "debug_id": of.debug_id,
        "end_addr": hex_text(dump, of.end),
        "filename": of.name,
        "loaded_symbols": debug_info.state == "found",
        "missing_symbols": debug_info.state in {"missing", "rejected"},
        "symbol_url": None,
        "version": of.version,
        "stillframe": {"path": of.path, "image": file_state(of.image), "symbols": file_state(debug_info)},
    }


def file_state(state: ImageState | DebugInfoState) -> Object:
    """What is known of an image or of debug information."""
    found: Object = {
        "state": state.state,
        "path": None,
        "proved_by": None,
        "expected": None,
        "found": None,
        "absent": absence(state.absent),
        "problems": None,
        "tried": [
            {"place": attempt.place, "outcome": str(attempt.outcome), "detail": attempt.detail or None}
            for attempt in state.tried
        ],
    }
    if isinstance(state, ImageFound | DebugInfoFound):
        found |= {"path": str(state.path), "proved_by": state.proved_by, "problems": problems_of(state)}
    elif isinstance(state, Rejected):
        found |= {"path": str(state.where), "expected": state.expected, "found": state.found}
    return found


# --- memory, code, streams --------------------------------------------------------------------------------------------


def memory(dump: Dump, start: int, size: int, spans: Sequence[Span]) -> Object:
    """The answer of `stillframe memory`."""
    return {"address": hex_text(dump, start), "size": size, "spans": [_span(dump, span) for span in spans]}


def _span(dump: Dump, span: Span) -> Object:
    is_absent = span.absent is not None
    return {
        "address": hex_text(dump, span.address),
        "size": span.size_bytes,
        "source": str(span.source).replace(" ", "_"),
        "bytes": None if is_absent else dump.memory.read(span.address, span.size_bytes).hex(),
        "offset": None if span.offset is None else f"{span.offset:#x}",
        "module": span.module.name if span.module else None,
        "section": span.section,
        "proof": span.proof,
        "absent": absence(span.absent),
    }


def source_line(of: SourceLine) -> Object:
    """A line of source, with its text where there is one."""
    text = None if isinstance(of.text, Absent) else of.text
    return {"file": of.location.path, "line": of.location.line, "text": text, "is_mismatch": of.is_mismatch}


def listing(dump: Dump, of: Listing) -> Object:
    """The answer of `stillframe disasm`."""
    from stillframe.model.location import SourceLine

    lines: list[Object] = []
    source: Object | None = None
    for line in of:
        if isinstance(line, SourceLine):
            source = source_line(line)
            continue
        instruction = line.instruction
        lines.append(
            {
                "address": hex_text(dump, instruction.address),
                "bytes": instruction.data.hex(),
                "mnemonic": instruction.mnemonic,
                "operands": instruction.operands,
                "target": None if instruction.target is None else hex_text(dump, instruction.target),
                "source": source,
            }
        )
        source = None
    return {"start": str(of.start), "end": hex_text(dump, of.end), "instructions": lines, "absent": absence(of.absent)}


def stream(of: Stream) -> Object:
    """An entry of `stillframe streams`."""
    return {
        "index": of.index,
        "type": f"0x{of.type:08x}",
        "name": of.name,
        "offset": of.offset,
        "size": of.size_bytes,
        "problem": of.problem,
    }
