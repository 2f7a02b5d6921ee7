"""Disassembly woven with source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, overload

if TYPE_CHECKING:
    from stillframe._engine import Instruction
    from stillframe.model.absent import Absent
    from stillframe.model.location import SourceLocation
    from stillframe.model.symbol import Symbolized


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of source: the instructions after it were made of it."""

    location: SourceLocation
    text: str | Absent
    """Without its end; absent if the file was not found or is shorter."""
    is_mismatch: bool
    """The file's checksum is not the recorded one: the text may be of another version."""

    def __str__(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class InstructionLine:
    """An instruction."""

    instruction: Instruction
    address_digits: int
    """8 or 16."""
    bytes_width: int
    """Characters of the listing's column of bytes."""

    @property
    def address(self) -> int:
        return self.instruction.address

    def __str__(self) -> str:
        """`009F1934 C7 45 F8 30 7B 9F 00 mov         dword ptr [message],…`, as Visual Studio shows it."""
        raise NotImplementedError


Line: TypeAlias = SourceLine | InstructionLine


@dataclass(frozen=True)
class Listing(Sequence[Line]):
    """Lines of source and instructions, in address order; `str()` of it is the text."""

    lines: tuple[Line, ...]
    start: Symbolized
    """What the first address is called."""
    end: int
    """One past the last instruction's last byte."""
    absent: Absent | None
    """Why it ends before what was asked for; None if it does not."""

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """The instructions alone."""
        return tuple(line.instruction for line in self.lines if isinstance(line, InstructionLine))

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Line, ...]: ...
    def __getitem__(self, index: int | slice) -> Line | tuple[Line, ...]:
        return self.lines[index]

    def __len__(self) -> int:
        return len(self.lines)

    def __str__(self) -> str:
        return "\n".join(str(line) for line in self.lines)
