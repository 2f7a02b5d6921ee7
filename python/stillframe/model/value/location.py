"""Where the bytes of a value come from.

A location is one of four: memory, bytes that are at hand (a register's, a constant's, a result's), parts in several
places, or nowhere. All bytes are little-endian.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from stillframe.model.absent import Absent, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe.model.memory import Memory, Span

LARGEST_READ_BYTES = 1 << 26
"""At once. A type of a damaged file may claim any size."""


class Location(Protocol):
    """Where the bytes of a value come from."""

    @property
    def address(self) -> int | None:
        """Of memory; None elsewhere."""

    @property
    def text(self) -> str:
        """In words: `[rbp-0x10]`, `esi`, `0x9f7b30`; empty of results of computations."""

    def read(self, size: int) -> bytes | Missing:
        """The first `size` bytes."""

    def bits(self, first: int, count: int) -> int | Missing:
        """`count` bits from the bit `first` on, counted from the least significant of the first byte."""

    def at(self, offset_bytes: int) -> Location:
        """The location of a part that begins so many bytes further."""


class Missing(NamedTuple):
    """Bytes that are not there."""

    absent: Absent
    address: int | None = None
    """The first byte that is absent; None if it is in no memory."""


TOO_LARGE = Missing(Absent.because(Reason.VALUE_TOO_LARGE))


class InMemory(NamedTuple):
    """Memory of the process."""

    memory: Memory
    address: int
    mask: int
    """The largest address; sums wrap around at it."""
    text: str

    def read(self, size: int) -> bytes | Missing:
        """See `Location`."""
        if size > LARGEST_READ_BYTES:
            return TOO_LARGE
        part = self.memory.read_partial(self.address, size)
        return part.data if part.absent is None else Missing(part.absent, self.address + len(part.data))

    def bits(self, first: int, count: int) -> int | Missing:
        """See `Location`."""
        return _bits_of(self.at(first // 8), first % 8, count)

    def at(self, offset_bytes: int) -> InMemory:
        """See `Location`."""
        address = (self.address + offset_bytes) & self.mask
        return InMemory(self.memory, address, self.mask, f"{address:#x}" if offset_bytes else self.text)

    def provenance(self, size: int) -> list[Span]:
        """Where the bytes come from."""
        return self.memory.provenance(self.address, min(size, LARGEST_READ_BYTES))


class AtHand(NamedTuple):
    """Bytes of a register, of a constant, of a result."""

    data: bytes
    text: str = ""
    offset_bytes: int = 0

    @property
    def address(self) -> None:
        """None."""
        return

    def read(self, size: int) -> bytes | Missing:
        """See `Location`."""
        data = self.data[self.offset_bytes : self.offset_bytes + size]
        return data if len(data) == size else Missing(Absent.because(Reason.NOT_COVERED))

    def bits(self, first: int, count: int) -> int | Missing:
        """See `Location`."""
        return _bits_of(self.at(first // 8), first % 8, count)

    def at(self, offset_bytes: int) -> AtHand:
        """See `Location`."""
        offset = self.offset_bytes + offset_bytes
        # A negative offset leads before the first byte, which slices would count from the last.
        return AtHand(self.data if offset >= 0 else b"", self.text, max(offset, 0))


class Part(NamedTuple):
    """Some bits of a value that is in several places."""

    offset_bits: int
    size_bits: int | None
    """None: all the rest."""
    location: Location


class InParts(NamedTuple):
    """Several places. What no part covers is not there."""

    parts: Sequence[Part]
    offset_bits: int = 0
    text: str = ""

    @property
    def address(self) -> None:
        """None: there is not one."""
        return

    def read(self, size: int) -> bytes | Missing:
        """See `Location`."""
        if size > LARGEST_READ_BYTES:
            return TOO_LARGE
        whole = self._whole(size)
        if whole is not None:
            return whole
        value = self.bits(0, 8 * size)
        return value if isinstance(value, Missing) else value.to_bytes(size, "little")

    def _whole(self, size: int) -> bytes | None:
        """The bytes, if one part has them all."""
        for part in self.parts:
            start, end = part.offset_bits, None if part.size_bits is None else part.offset_bits + part.size_bits
            inside = self.offset_bits - start
            if inside >= 0 and inside % 8 == 0 and (end is None or self.offset_bits + 8 * size <= end):
                data = part.location.at(inside // 8).read(size)
                return None if isinstance(data, Missing) else data
        return None

    def bits(self, first: int, count: int) -> int | Missing:
        """See `Location`."""
        if count > 8 * LARGEST_READ_BYTES:
            return TOO_LARGE
        first += self.offset_bits
        value, at, end = 0, first, first + count
        for part in sorted(self.parts, key=lambda part: part.offset_bits):
            part_end = end if part.size_bits is None else part.offset_bits + part.size_bits
            if part.offset_bits > at or at >= end:
                break
            if part_end <= at:
                continue
            taken = min(part_end, end) - at
            bits = part.location.bits(at - part.offset_bits, taken)
            if isinstance(bits, Missing):
                return bits
            value |= bits << (at - first)
            at += taken
        return value if at >= end else Missing(Absent.because(Reason.NOT_COVERED))

    def at(self, offset_bytes: int) -> InParts:
        """See `Location`."""
        return InParts(self.parts, self.offset_bits + 8 * offset_bytes, self.text)


class Nowhere(NamedTuple):
    """No bytes at all, and why."""

    missing: Missing
    text: str = ""

    @property
    def address(self) -> None:
        """None."""
        return

    def read(self, size: int) -> Missing:  # noqa: ARG002 - whatever is asked
        """See `Location`."""
        return self.missing

    def bits(self, first: int, count: int) -> Missing:  # noqa: ARG002
        """See `Location`."""
        return self.missing

    def at(self, offset_bytes: int) -> Nowhere:  # noqa: ARG002
        """See `Location`."""
        return self


def _bits_of(location: Location, first: int, count: int) -> int | Missing:
    """Bits of the bytes that hold them, no others: those beside them may be absent."""
    data = location.read((first + count + 7) // 8)
    if isinstance(data, Missing):
        return data
    return int.from_bytes(data, "little") >> first & ((1 << count) - 1)
