"""Bytes to numbers and back, as fundamental types encode them. Little-endian."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillframe.model.typing.type import Encoding, Type

SIGNED: frozenset[Encoding | None] = frozenset({"signed", "signed_character", "hresult"})
FLOAT_FORMATS = {2: "<e", 4: "<f", 8: "<d"}
X87_BYTES = 10
"""That count of a `long double` of 10, 12 or 16 bytes on x86."""
X87_BIAS, QUAD_BIAS = 16383, 16383


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


def decode_float(data: bytes, *, is_x86: bool) -> float:
    """IEEE 754 of 2, 4, 8 or 16 bytes; x87's 80 bits in 10, 12 or 16 bytes on x86, rounded to a double.

    Source: Intel, "64 and IA-32 Architectures Software Developer's Manual", volume 1, section 4.2.2; IEEE 754, 3.4.
    """
    if len(data) in FLOAT_FORMATS:
        value: float = struct.unpack(FLOAT_FORMATS[len(data)], data)[0]
        return value
    if is_x86 or len(data) < 16:
        number = int.from_bytes(data[:X87_BYTES], "little")
        fraction, head = number & ((1 << 64) - 1), number >> 64
        return _scaled(head >> 15, head & 0x7FFF, fraction, 63)
    number = int.from_bytes(data, "little")
    sign, exponent, fraction = number >> 127, number >> 112 & 0x7FFF, number & ((1 << 112) - 1)
    return _scaled(sign, exponent, fraction | (1 << 112 if exponent not in {0, 0x7FFF} else 0), 112)


def _scaled(sign: int, exponent: int, fraction: int, point: int) -> float:
    """`fraction` has its binary point after `point` bits; both formats have 15 bits of exponent."""
    if exponent == 0x7FFF:
        is_infinite = fraction & ((1 << point) - 1) == 0
        magnitude = float("inf") if is_infinite else float("nan")
    else:
        power = (exponent or 1) - X87_BIAS - point
        try:
            magnitude = float(fraction << power) if power >= 0 else fraction / (1 << -power)
        except OverflowError:
            magnitude = float("inf")
    return -magnitude if sign else magnitude


def encode(number: float, type_: Type, size: int, *, is_x86: bool = True) -> bytes:
    """The bytes of a number in a resolved type; integers wrap at the type's width."""
    if is_float(type_):
        form = FLOAT_FORMATS.get(size)
        return _packed(form, float(number)) if form else encode_long_double(float(number), size, is_x86=is_x86)
    if type_.kind == "base" and type_.encoding == "boolean":
        return int(bool(number)).to_bytes(max(size, 1), "little")
    return (int(number) & ((1 << 8 * size) - 1)).to_bytes(size, "little")


def encode_long_double(number: float, size: int, *, is_x86: bool) -> bytes:
    """What `decode_float` reads back; a double is exact in both formats, and normal in them."""
    # x87 has the leading bit in its fraction of 64 bits; IEEE's format leaves it out of its 112.
    is_x87 = is_x86 or size < 16
    point = 63 if is_x87 else 112
    sign = int(math.copysign(1, number) < 0)
    if not math.isfinite(number):
        exponent, fraction = 0x7FFF, (1 << 63 if is_x87 else 0) | (1 << (point - 1) if math.isnan(number) else 0)
    elif number == 0:
        exponent, fraction = 0, 0
    else:
        mantissa, power = math.frexp(abs(number))  # in [0.5, 1)
        exponent, fraction = power - 1 + X87_BIAS, int(math.ldexp(mantissa, 53)) << (point + 1 - 53)
        fraction &= (1 << (64 if is_x87 else 112)) - 1
    encoded = (sign << 15 | exponent) << (64 if is_x87 else 112) | fraction
    return encoded.to_bytes(X87_BYTES if is_x87 else 16, "little").ljust(size, b"\0")[:size]


def _packed(form: str, number: float) -> bytes:
    try:
        return struct.pack(form, number)
    except OverflowError:
        return struct.pack(form, float("inf") if number > 0 else float("-inf"))


def shortest(number: float, size: int) -> str:
    """The shortest decimal that reads back as the same number of its size: `0.1`, `1`, `2.5`, `1e+20`, `nan`."""
    if not math.isfinite(number):
        return str(number)
    digits = {2: range(1, 6), 4: range(1, 10)}.get(size, range(15, 18))
    form = FLOAT_FORMATS.get(size, "<d")
    text = repr(number)
    for precision in digits:
        text = f"{number:.{precision}g}"
        if _packed(form, float(text)) == _packed(form, number):
            break
    return text
