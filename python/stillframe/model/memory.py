"""The memory of a dumped process, with the origin of every byte.

Addresses and sizes are in bytes; a range includes its start, not its end. Bytes that the dump holds come first; where
it holds none, read-only sections of proved images answer. Writable sections never do: what a global held is unknown.
Source: streams MemoryList (5) and Memory64List (9), and the sections of PE images, layered by `_engine.Space`.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import StrEnum
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from stillframe.errors import FaultError
from stillframe.model.absent import Absent, Reason
from stillframe.model.evidence import ImageFound

if TYPE_CHECKING:
    from stillframe._engine import DumpFile, MemoryRange, MemoryRegion, Space
    from stillframe._engine import Span as SpanRecord
    from stillframe.model.module import Module, Modules

ADDRESS_END = (1 << 64) - 1
"""One past the last address that memory can have: the very last byte is in no range, whose end would be 0."""


class ByteSource(StrEnum):
    """Where bytes come from."""

    DUMP = "dump"
    IMAGE = "image"
    ABSENT = "absent"


class Span(NamedTuple):
    """A range of addresses with one source."""

    address: int
    size_bytes: int
    source: ByteSource
    relocated: bool
    """Images: whether bytes of it were changed as the loader changes them for the module's address."""
    offset: int | None
    """`dump`: file offset of the first byte; images: its RVA; absent: None."""
    module: Module | None
    """Images, and absent ranges that a module covers."""
    section: str | None
    """Images: name of the section."""
    proof: str | None
    """Images: why the file is taken for the module's, in words."""
    absent: Absent | None
    """Absent ranges: why, and what would help."""

    @property
    def end(self) -> int:
        """One past the last byte."""
        return self.address + self.size_bytes

    @property
    def reason(self) -> Reason | None:
        """Absent ranges: why."""
        return None if self.absent is None else self.absent.reason


class PartialRead(NamedTuple):
    """The bytes that are there, up to the first absent one."""

    data: bytes
    absent: Absent | None
    """Why the byte after `data` is absent; None if all bytes asked for are there."""


LONGEST_PATTERN_BYTES = 4096


class Memory:
    """The address space of one dump. Reading may look for the image of a module that covers an absent byte."""

    def __init__(self, file: DumpFile, space: Space, modules: Modules) -> None:
        self._file = file
        self._space = space
        self._modules = modules

    @cached_property
    def ranges(self) -> list[MemoryRange]:
        """What the dump itself holds, in address order, without overlap."""
        return self._file.memory_ranges

    @cached_property
    def regions(self) -> list[MemoryRegion]:
        """The address space as the system saw it, in address order: of Windows VirtualQuery, of Linux `maps`, of a core
        its segments. Constants are those of winnt.h for all of them. Empty if the dump does not say.
        """
        return self._file.memory_regions

    def held_bytes(self, address: int, size: int) -> int:
        """How many bytes of [`address`, `address` + `size`) the dump itself holds."""
        first = bisect_right(self.ranges, address, key=lambda held: held.address + held.size_bytes)
        total = 0
        for held in islice(self.ranges, first, None):
            if held.address >= address + size:
                break
            total += min(held.address + held.size_bytes, address + size) - max(held.address, address)
        return total

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes from `address` on.

        :raises FaultError: if a byte is absent; its `address` is the first such byte.
        """
        part = self.read_partial(address, size)
        if part.absent is not None:
            raise self._fault(address + len(part.data), part.absent)
        return part.data

    def read_number(self, address: int, size: int) -> int:
        """The unsigned number of `size` bytes at `address`, little-endian.

        :raises FaultError: if a byte is absent.
        """
        return int.from_bytes(self.read(address, size), "little")

    def read_partial(self, address: int, size: int) -> PartialRead:
        """Bytes from `address` on up to the first absent one, at most `size`."""
        if size < 0:
            raise ValueError(f"size {size} is negative")
        if not 0 <= address < ADDRESS_END:
            return PartialRead(b"", Absent.because(Reason.NO_ADDRESS) if size else None)
        within = min(size, ADDRESS_END - address)
        data = self._space.read(address, within)
        while len(data) < within and self._has_asked_for_images_of(self._space.provenance(address + len(data), 1)):
            data = self._space.read(address, within)
        return PartialRead(data, self._absence_at(address + len(data)) if len(data) < size else None)

    def read_c_string(self, address: int, limit: int = 4096) -> bytes:
        """Bytes from `address` up to a zero byte, which is left out, or `limit` bytes if there is none.

        :raises FaultError: if an absent byte comes first.
        """
        part = self.read_partial(address, limit)
        text, zero, _ = part.data.partition(b"\0")
        if not zero and part.absent is not None:
            raise self._fault(address + len(part.data), part.absent)
        return text

    def search(
        self, pattern: bytes, *, start: int = 0, end: int = ADDRESS_END - 1, alignment: int = 1, limit: int = 1000
    ) -> list[int]:
        """The first addresses in [`start`, `end`) at which `pattern` begins: in what the dump holds, and in the images
        of its modules, which are looked for first. With an `alignment`, only its multiples count.

        :raises ValueError: if `pattern` is empty or longer than 4096 bytes, or the range is none.
        """
        if not 0 < len(pattern) <= LONGEST_PATTERN_BYTES:
            raise ValueError(f"{len(pattern)} bytes: between 1 and {LONGEST_PATTERN_BYTES} can be sought")
        if not (0 <= start <= end < ADDRESS_END and alignment > 0 and limit >= 0):
            raise ValueError(f"{start:#x} to {end:#x} is no range of addresses, or {alignment} no alignment")
        for module in self._modules:
            if module.base < end and module.end > start:
                module.find_image()
        return self._space.search(pattern, start, end, alignment, limit)

    def provenance(self, address: int, size: int) -> list[Span]:
        """Spans in address order that cover the range without gap, after looking for the images that it needs.

        :raises ValueError: if the range is none of an address space.
        """
        if not (address >= 0 and size >= 0 and address + size <= ADDRESS_END):
            raise ValueError(f"{size} bytes at {address:#x} are no range of addresses")
        records = self._space.provenance(address, size)
        while self._has_asked_for_images_of(records):
            records = self._space.provenance(address, size)
        return [self._span(record) for record in records]

    def _fault(self, address: int, absent: Absent) -> FaultError:
        module = self._modules.at(address)
        return FaultError(address, absent.reason, absent.remedy, module.name if module else None)

    def _absence_at(self, address: int) -> Absent:
        """Why the byte at `address` is absent; it must be."""
        if address >= ADDRESS_END:
            return Absent.because(Reason.NO_ADDRESS)
        absent = self.provenance(address, 1)[0].absent
        return Absent.because(Reason.NOT_IN_DUMP) if absent is None else absent

    def _has_asked_for_images_of(self, records: list[SpanRecord]) -> bool:
        """Looks for images that nobody has looked for; whether there were any."""
        wanted = {
            record.module for record in records if record.reason == "image_not_asked" and record.module is not None
        }
        new = [module for module in map(self._modules.__getitem__, sorted(wanted)) if module.image.state == "not_asked"]
        for module in new:
            module.find_image()
        return bool(new)

    def _span(self, record: SpanRecord) -> Span:
        module = None if record.module is None else self._modules[record.module]
        proof = absent = None
        if record.source == "dump":
            source = ByteSource.DUMP
        elif record.source == "image":
            source = ByteSource.IMAGE
            proof = module.image.proved_by if module and isinstance(module.image, ImageFound) else None
        else:
            source = ByteSource.ABSENT
            absent = self._absent(record, module)
        where = (record.offset, module, record.section)
        return Span(record.address, record.size_bytes, source, record.relocated, *where, proof, absent)

    def _absent(self, record: SpanRecord, module: Module | None) -> Absent:
        if record.reason in {"image_missing", "image_not_asked"} and module is not None:
            known = module.image.absent  # says whether there was no image, or only other builds
            if known is not None:
                return known
        return Absent.because(_REASONS.get(record.reason or "", Reason.NOT_IN_DUMP))


_REASONS = {
    "free": Reason.FREE,
    "not_in_dump": Reason.NOT_IN_DUMP,
    "writable_section": Reason.WRITABLE_SECTION,
    "loader_written": Reason.LOADER_WRITTEN,
    "image_not_asked": Reason.IMAGE_NOT_ASKED,
    "image_missing": Reason.IMAGE_MISSING,
    "not_in_image": Reason.NOT_IN_IMAGE,
}
