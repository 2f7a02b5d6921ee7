"""Where a register's value came from: real code, assembled by hand from Intel's and Arm's manuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe.analysis import origin
from stillframe.analysis.register_names import part_of
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

CODE, STACK = 0x401000, 0x20000


def traced(folder: Path, cpu: str, code: str, register: str) -> tuple[str | None, int, int | None] | None:
    """What `register` was loaded from by `code`, all of which has run."""
    data = bytes.fromhex(code)
    pointers = {"amd64": {"rip": CODE, "rsp": STACK}, "arm64": {"pc": CODE, "sp": STACK}}[cpu]
    builder = DumpBuilder(cpu=cpu).thread(7, pointers, STACK, bytes(64)).memory(CODE, data)
    dump = stillframe.open(builder.write(folder / "traced.dmp"))
    instructions = dump.disassemble(CODE, count=len(data)).instructions
    registers = dump.threads[0].registers
    assert not isinstance(registers, stillframe.Absent)
    before = [each for each in instructions if each.flow != "invalid" and each.address < CODE + len(data)]
    found = origin.of_register(before, part_of(register, registers), registers)
    return found and (found.base, found.offset_bytes, found.pointer_offset_bytes)


@pytest.mark.parametrize(
    ("cpu", "code", "register", "expected"),
    [
        ("amd64", "488b442408", "rax", ("rsp", 8, None)),  # mov rax,[rsp+8]
        ("amd64", "488b442408 488bc8", "rcx", ("rsp", 8, None)),  # …; mov rcx,rax
        # mov rax,[rsp+8]; mov rax,[rax+10h]: what RAX was then, only the stack still tells.
        ("amd64", "488b442408 488b4010", "rax", ("rsp", 8, 16)),
        # mov rax,[rcx]; mov rcx,1: where RCX led is lost.
        ("amd64", "488b01 48c7c101000000", "rax", None),
        ("amd64", "488b442408 ffd0", "rax", None),  # …; call rax
        ("arm64", "e90740f9", "x9", ("sp", 8, None)),  # ldr x9, [sp, #8]
        ("arm64", "e9830291 290140f9", "x9", ("sp", 0xA0, None)),  # add x9, sp, #0xa0; ldr x9, [x9]
        ("arm64", "e90740f9 290140f9", "x9", ("sp", 8, 0)),  # ldr x9, [sp, #8]; ldr x9, [x9]
        # ldr x9, [sp, #8]; ldr x8, [x9], #8: X9 has moved on.
        ("arm64", "e90740f9 288540f8", "x9", None),
        ("arm64", "e90740f9 288540f8", "x8", None),
    ],
)
def test_a_register_was_loaded_from(
    cpu: str, code: str, register: str, expected: tuple[str, int, int | None] | None, tmp_path: Path
) -> None:
    assert traced(tmp_path, cpu, code, register) == expected
