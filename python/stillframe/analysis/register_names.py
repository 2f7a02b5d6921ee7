"""Parts of registers: `al`, `r8d` and `eax` in terms of the registers that a dump holds.

Source: Intel, "64 and IA-32 Architectures Software Developer's Manual", volume 1, section 3.4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.model.absent import Absent, Reason

if TYPE_CHECKING:
    from stillframe._engine import Registers


class Part(NamedTuple):
    """Some bytes of a whole register."""

    whole: str
    """Its name in `Registers`."""
    offset_bytes: int
    size_bytes: int


def _parts(prefix: str, size_bytes: int) -> dict[str, Part]:
    """Every name of a part, by the prefix of whole registers: `e` or `r`."""
    parts = {}
    for word in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip"):
        whole = prefix + word
        low_byte = f"{word[0]}l" if word.endswith("x") else f"{word}l"
        parts[low_byte] = Part(whole, 0, 1)
        parts[word] = Part(whole, 0, 2)
        parts[f"e{word}"] = Part(whole, 0, 4)
        if word.endswith("x"):
            parts[f"{word[0]}h"] = Part(whole, 1, 1)
    for number in range(8, 16) if size_bytes == 8 else ():
        for suffix, size in (("d", 4), ("w", 2), ("b", 1), ("l", 1)):
            parts[f"r{number}{suffix}"] = Part(f"r{number}", 0, size)
    return parts


def _parts_of_arm64() -> dict[str, Part]:
    """Halves `w0` to `w30`; other names of `fp` and `lr`.

    Source: Arm Architecture Reference Manual, section B1.2.1.
    """
    special = {29: "fp", 30: "lr"}
    parts = {f"w{number}": Part(special.get(number, f"x{number}"), 0, 4) for number in range(31)}
    parts |= {f"x{number}": Part(name, 0, 8) for number, name in special.items()}
    parts["wsp"] = Part("sp", 0, 4)
    return parts


_PARTS = {"x86": _parts("e", 4), "amd64": _parts("r", 8), "arm64": _parts_of_arm64()}
_SIZES_BYTES = {"x86": 4, "amd64": 8}
_VECTOR_BYTES = 16


def part_of(name: str, registers: Registers) -> Part:
    """The whole register that `name` is a part of, or it itself; of no size if dumps do not hold it."""
    if name in registers.names:
        return Part(name, 0, _SIZES_BYTES.get(registers.cpu, 8))
    part = _PARTS.get(registers.cpu, {}).get(name)
    return part or Part(name, 0, _VECTOR_BYTES if name.startswith("xmm") else 0)


def value_of(name: str, registers: Registers) -> int | Absent:
    """What the register, or the part of one, holds."""
    part = part_of(name, registers)
    try:
        whole = registers.get(part.whole) if part.size_bytes else None
    except KeyError:  # a register that dumps do not hold, such as `st0`
        whole = None
    if whole is None:
        return Absent.because(Reason.REGISTER_UNKNOWN)
    return whole >> (8 * part.offset_bytes) & ((1 << 8 * part.size_bytes) - 1)
