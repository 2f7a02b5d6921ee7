"""Bytes to numbers and back, as fundamental types encode them. Little-endian."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.model.value import floats

if TYPE_CHECKING:
    from stillframe.model.typing.type import Encoding, Type

SIGNED: frozenset[Encoding | None] = frozenset({"signed", "signed_character", "hresult"})


def is_float(type_: Type) -> bool:
    """Whether a resolved type is a floating-point type."""
    return type_.kind == "base" and type_.encoding == "float"


def is_signed(type_: Type) -> bool:
    """Whether a resolved type is a signed integer, or an enumeration of one."""
    if type_.kind == "enum":
        return type_.target is None or is_signed(type_.target.resolved)
    return type_.kind == "base" and type_.encoding in SIGNED


def decode_integer(data: bytes, *, signed: bool) -> int:
    """Two's complement if `signed`."""
    return int.from_bytes(data, "little", signed=signed)


def encode(number: float, type_: Type, size: int, *, is_x86: bool = True) -> bytes:
    """The bytes of a number in a resolved type; integers wrap at the type's width."""
    if is_float(type_):
        form = floats.format_of(type_, size, is_x86=is_x86)
        return bytes(size) if form is None else floats.encode(float(number), form).ljust(size, b"\0")
    if type_.kind == "base" and type_.encoding == "boolean":
        return int(bool(number)).to_bytes(max(size, 1), "little")
    return (int(number) & ((1 << 8 * size) - 1)).to_bytes(size, "little")
