"""Floating-point formats: bytes to numbers and back, and the shortest decimal that stands for one.

Source: IEEE 754, section 3.4; Intel, "64 and IA-32 Architectures Software Developer's Manual", volume 1, section 4.2.2
(80 bits, of which one is the leading bit that other formats leave out).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from decimal import Decimal

    from stillframe.model.typing.type import Type


class FloatFormat(NamedTuple):
    """A binary format: sign, exponent, fraction, from the most significant bit on."""

    size_bytes: int
    """What it is padded with in memory is not counted."""
    exponent_bits: int
    fraction_bits: int
    """Behind the point."""
    has_leading_bit: bool = False
    """Whether the bit before the point is stored."""

    @property
    def bias(self) -> int:
        """The exponent that is stored for a power of 0."""
        return (1 << (self.exponent_bits - 1)) - 1

    @property
    def highest_exponent(self) -> int:
        """That of infinities and of what is no number."""
        return (1 << self.exponent_bits) - 1

    @property
    def most_digits(self) -> int:
        """So many decimal digits tell any two numbers apart."""
        return 2 + (self.fraction_bits + 1) * 30103 // 100000


HALF = FloatFormat(2, 5, 10)
BFLOAT = FloatFormat(2, 8, 7)
SINGLE = FloatFormat(4, 8, 23)
DOUBLE = FloatFormat(8, 11, 52)
X87 = FloatFormat(10, 15, 63, has_leading_bit=True)
QUAD = FloatFormat(16, 15, 112)
_OF_SIZE = {4: SINGLE, 8: DOUBLE, 10: X87, 12: X87}
_BFLOAT_NAME = re.compile(r"bf(loat)?16")
_QUAD_NAME = re.compile(r"float128|\bf128\b|ieee128|kind=16")
"""`__float128` and `_Float128` of GCC, `f128` of Rust, `real(kind=16)` of Fortran."""
POSITIONAL = range(-4, 16)
"""Powers of ten of numbers that are shown without exponent."""


def format_of(type_: Type, size: int, *, is_x86: bool) -> FloatFormat | None:
    """The format of a floating-point type, or of a part of a complex one, that has `size` bytes; None if none has.

    Sizes tell, but for two: 2 bytes may be Google's format, and on x86 16 bytes are x87's with 6 unused ones, or those
    of a type whose name says that it has 128 bits. `is_x86`: whether the system's `long double` is x87's.
    """
    if size == HALF.size_bytes:
        return BFLOAT if _BFLOAT_NAME.search(type_.tag) else HALF
    if size == QUAD.size_bytes:
        return X87 if is_x86 and not _QUAD_NAME.search(type_.tag.lower()) else QUAD
    return _OF_SIZE.get(size)


class _Parts(NamedTuple):
    """A finite number is `fraction` · 2^(`exponent` - bias - bits behind the point)."""

    is_negative: bool
    exponent: int
    fraction: int
    """With the leading bit."""
    special: float | None
    """Infinity, or no number."""


def _parts(data: bytes, form: FloatFormat) -> _Parts:
    number = int.from_bytes(data[: form.size_bytes], "little")
    stored_bits = form.fraction_bits + form.has_leading_bit
    sign = number >> (stored_bits + form.exponent_bits)
    exponent = number >> stored_bits & form.highest_exponent
    fraction = number & ((1 << stored_bits) - 1)
    if exponent == form.highest_exponent:
        is_infinite = not fraction & ((1 << form.fraction_bits) - 1)
        return _Parts(bool(sign), 0, 0, float("inf" if is_infinite else "nan"))
    if exponent and not form.has_leading_bit:
        fraction |= 1 << form.fraction_bits
    return _Parts(bool(sign), exponent or 1, fraction, None)


def _ratio(parts: _Parts, form: FloatFormat) -> tuple[int, int]:
    power = parts.exponent - form.bias - form.fraction_bits
    return (parts.fraction << power, 1) if power >= 0 else (parts.fraction, 1 << -power)


def decode(data: bytes, form: FloatFormat) -> float:
    """The number, rounded to a double: infinite if it is larger than any."""
    parts = _parts(data, form)
    if parts.special is None:
        numerator, denominator = _ratio(parts, form)
        try:
            magnitude = numerator / denominator
        except OverflowError:
            magnitude = float("inf")
    else:
        magnitude = parts.special
    return -magnitude if parts.is_negative else magnitude


def read(data: bytes, form: FloatFormat) -> float | Decimal:
    """The number as a double, rounded; one that is too large or too small for that, as a decimal."""
    number, parts = decode(data, form), _parts(data, form)
    is_lost = parts.special is None and parts.fraction and (number == 0 or math.isinf(number))
    if not is_lost:
        return number
    from decimal import Decimal

    return Decimal(shortest(data, form))


def encode(number: float, form: FloatFormat) -> bytes:
    """The bytes of the number that is nearest; of two, the one that ends with a zero bit."""
    stored_bits = form.fraction_bits + form.has_leading_bit
    is_negative = math.copysign(1, number) < 0
    if math.isnan(number):
        exponent, fraction = form.highest_exponent, 3 << (form.fraction_bits - 1)
    elif math.isinf(number):
        exponent, fraction = form.highest_exponent, 1 << form.fraction_bits
    else:
        exponent, fraction = _nearest(*abs(number).as_integer_ratio(), form)
    fraction &= (1 << stored_bits) - 1
    bits = (is_negative << form.exponent_bits | exponent) << stored_bits | fraction
    return bits.to_bytes(form.size_bytes, "little")


def _nearest(numerator: int, denominator: int, form: FloatFormat) -> tuple[int, int]:
    """Stored exponent, and fraction with its leading bit, of a ratio that is not negative."""
    power = numerator.bit_length() - denominator.bit_length()
    if numerator << max(-power, 0) < denominator << max(power, 0):
        power -= 1
    exponent = max(power, 1 - form.bias)
    shift = form.fraction_bits - exponent
    numerator, denominator = numerator << max(shift, 0), denominator << max(-shift, 0)
    fraction, rest = divmod(numerator, denominator)
    fraction += 2 * rest > denominator or (2 * rest == denominator and fraction & 1)
    if fraction >> (form.fraction_bits + 1):
        fraction, exponent = fraction >> 1, exponent + 1
    if not fraction >> form.fraction_bits:
        return 0, fraction
    stored = exponent + form.bias
    return (stored, fraction) if stored < form.highest_exponent else (form.highest_exponent, 1 << form.fraction_bits)


def shortest(data: bytes, form: FloatFormat) -> str:
    """The shortest decimal that is nearest to this number of the format: `0.1`, `1.0`, `1e+20`, `nan`."""
    parts = _parts(data, form)
    sign = "-" if parts.is_negative else ""
    if parts.special is not None:
        return f"{sign}{parts.special}"
    if not parts.fraction:
        return f"{sign}0.0"
    if form == DOUBLE:
        return repr(decode(data, form))  # Python spells its own numbers so
    numerator, denominator = _ratio(parts, form)
    wanted = _nearest(numerator, denominator, form)
    fewest, most = 1, form.most_digits
    while fewest < most:
        middle = (fewest + most) // 2
        if _nearest(*_rounded(numerator, denominator, middle).as_integer_ratio(), form) == wanted:
            most = middle
        else:
            fewest = middle + 1
    return sign + _spelled(_rounded(numerator, denominator, fewest))


def _rounded(numerator: int, denominator: int, digits: int) -> Decimal:
    from decimal import Decimal, localcontext  # slow to import, and rarely needed

    with localcontext() as context:
        context.prec = digits
        return Decimal(numerator) / Decimal(denominator)


def _spelled(number: Decimal) -> str:
    power = number.adjusted()
    text = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    if power not in POSITIONAL:
        return f"{text[0]}{'.' if text[1:] else ''}{text[1:]}e{power:+03d}"
    if power < 0:
        return f"0.{'0' * (-power - 1)}{text}"
    return f"{text[: power + 1].ljust(power + 1, '0')}.{text[power + 1 :] or '0'}"
