"""The memory of a dumped process, with the origin of every byte.

Addresses and sizes are in bytes; a range includes its start, not its end. Bytes that the dump holds come first; where
it holds none, read-only sections of proved images answer. Writable sections never do: what a global held is unknown.
Source: streams MemoryList (5) and Memory64List (9), and the sections of PE images, layered by `_engine.Space`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillframe._engine import MemoryRange
    from stillframe.model.absent import Absent
    from stillframe.model.module import Module


class ByteSource(StrEnum):
    """Where bytes come from."""

    DUMP = "dump"
    IMAGE = "image"
    RELOCATED_IMAGE = "relocated image"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Span:
    """A range of addresses with one source."""

    address: int
    size_bytes: int
    source: ByteSource
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


class Memory:
    """The address space of one dump. Reading may look for the image of a module that covers an absent byte."""

    @property
    def ranges(self) -> list[MemoryRange]:
        """What the dump itself holds, in address order, without overlap."""
        raise NotImplementedError

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes from `address` on.

        :raises FaultError: if a byte is absent; its `address` is the first such byte.
        """
        raise NotImplementedError

    def read_partial(self, address: int, size: int) -> bytes:
        """Bytes from `address` on up to the first absent one, at most `size`."""
        raise NotImplementedError

    def read_c_string(self, address: int, limit: int = 4096) -> bytes:
        """Bytes from `address` up to a zero byte, which is left out, or `limit` bytes if there is none.

        :raises FaultError: if an absent byte comes first.
        """
        raise NotImplementedError

    def provenance(self, address: int, size: int) -> list[Span]:
        """Spans in address order that cover the range without gap, after looking for the images that it needs."""
        raise NotImplementedError
