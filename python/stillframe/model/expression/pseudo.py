"""Registers and pseudo-variables: `@rax`, `$eax`, `@xmm0`, `$pc`, `@$teb`.

Source of the names: Microsoft, "Pseudovariables" (Visual Studio) and "Pseudo-Register Syntax" (WinDbg); of the parts of
registers: Intel, "64 and IA-32 Architectures Software Developer's Manual", volume 1, section 3.4.1, and Arm
Architecture Reference Manual for A-profile, B1.2.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.model.absent import Absent, Reason
from stillframe.model.value.location import AtHand
from stillframe.model.value.value import Value

if TYPE_CHECKING:
    from stillframe._engine import Registers, ThreadRecord
    from stillframe.model.process import Process
    from stillframe.model.typing.type import Type


class Part(NamedTuple):
    """Bytes of a register that have a name of their own."""

    register: str
    first_byte: int
    size_bytes: int


_WHOLE_X86 = ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip")
_UNSIGNED = {
    1: "unsigned char",
    2: "unsigned short",
    4: "unsigned int",
    8: "unsigned long long",
    16: "unsigned __int128",
}
_POINTERS = {"pc": "instruction_pointer", "ip": "instruction_pointer", "sp": "stack_pointer", "fp": "frame_pointer"}
VECTOR_BYTES = 16
PEB_OFFSET = {4: 0x30, 8: 0x60}
"""Of ProcessEnvironmentBlock in the TEB, by size of pointers."""


def _parts_of_amd64() -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for name in _WHOLE_X86:
        parts |= {f"e{name}": Part(f"r{name}", 0, 4), name: Part(f"r{name}", 0, 2)}
    for letter in "abcd":
        parts |= {f"{letter}l": Part(f"r{letter}x", 0, 1), f"{letter}h": Part(f"r{letter}x", 1, 1)}
    for name in ("si", "di", "bp", "sp"):
        parts[f"{name}l"] = Part(f"r{name}", 0, 1)
    for number in range(8, 16):
        parts |= {f"r{number}{end}": Part(f"r{number}", 0, size) for end, size in (("d", 4), ("w", 2), ("b", 1))}
    return parts


def _parts_of_x86() -> dict[str, Part]:
    parts = {name: Part(f"e{name}", 0, 2) for name in _WHOLE_X86}
    for letter in "abcd":
        parts |= {f"{letter}l": Part(f"e{letter}x", 0, 1), f"{letter}h": Part(f"e{letter}x", 1, 1)}
    return parts


_PARTS: dict[str, dict[str, Part]] = {
    "amd64": _parts_of_amd64(),
    "x86": _parts_of_x86(),
    "arm64": {f"w{number}": Part(f"x{number}", 0, 4) for number in range(29)}
    | {"x29": Part("fp", 0, 8), "w29": Part("fp", 0, 4), "x30": Part("lr", 0, 8), "w30": Part("lr", 0, 4)},
}


def register_value(
    process: Process, registers: Registers | None, thread: ThreadRecord | None, name: str
) -> Value | Absent | None:
    """The register or pseudo-variable of this name, in any case; None if there is none.

    Registers are unsigned integers of their width; `$pc`, `$sp`, `$fp`, `$teb`, `$peb` are pointers.
    """
    name = name.lower()
    if thread is not None and name in {"tid", "teb", "peb"}:
        return _of_thread(process, thread, name)
    if registers is None:
        return None
    if name in _POINTERS:  # on x86 `ip` and `sp` are also the lower halves of registers, which nobody means
        return _pointer(process, registers, name)
    part = _PARTS.get(registers.cpu, {}).get(name, Part(name, 0, 0))
    try:
        number = registers.get(part.register)
    except KeyError:
        return None
    if number is None:
        return Absent.because(Reason.REGISTER_UNKNOWN)
    size = part.size_bytes or _size_of(process, registers, part.register)
    number = number >> 8 * part.first_byte & ((1 << 8 * size) - 1)
    type_ = process.types.builtin(_UNSIGNED[size]) or process.types.damaged
    return Value(process, type_, AtHand(number.to_bytes(size, "little"), name))


def _size_of(process: Process, registers: Registers, name: str) -> int:
    if name not in registers.names:
        return VECTOR_BYTES
    return 4 if name in {"eflags", "cpsr"} else process.pointer_size_bytes


def _pointer(process: Process, registers: Registers, name: str) -> Value | Absent:
    number: int | None = getattr(registers, _POINTERS[name])
    if number is None:
        return Absent.because(Reason.REGISTER_UNKNOWN)
    return _pointer_value(process, process.types.void, number)


def _pointer_value(process: Process, target: Type, number: int) -> Value:
    return Value.of_number(process, target.pointer(), number)


def _of_thread(process: Process, thread: ThreadRecord, name: str) -> Value | Absent | None:
    types = process.types
    if name == "tid":
        return Value.of_number(process, types.builtin("unsigned int") or types.damaged, thread.id)
    if not thread.teb:
        return None
    if name == "teb":
        return _pointer_value(process, types.named("_TEB") or types.void, thread.teb)
    # The first member of the environment block that matters here; `_TEB` itself may be known to no PDB at hand.
    word = types.builtin("uintptr_t") or types.damaged
    address = int(Value.at_address(process, word, thread.teb + PEB_OFFSET[process.pointer_size_bytes]))
    return _pointer_value(process, types.named("_PEB") or types.void, address)
