"""Disassembly woven with source."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, overload

from stillframe.model.absent import Absent
from stillframe.model.location import SourceLine, SourceLocation
from stillframe.model.naming import symbolize

if TYPE_CHECKING:
    from stillframe._engine import Instruction, LineRow
    from stillframe.model.module import Module
    from stillframe.model.process import Process
    from stillframe.model.symbol import Symbolized

MNEMONIC_WIDTH = 12
SHORTEST_BYTES_WIDTH = 20
"""Characters of seven bytes: fewer are padded to this."""


class InstructionLine(NamedTuple):
    """An instruction."""

    instruction: Instruction
    address_digits: int
    """8 or 16."""
    bytes_width: int
    """Characters of the listing's column of bytes."""

    @property
    def address(self) -> int:
        """Of the first byte."""
        return self.instruction.address

    def __str__(self) -> str:
        """`009F1934 C7 45 F8 30 7B 9F 00 mov         dword ptr [message],…`, as Visual Studio shows it."""
        data = self.instruction.data.hex(" ").upper()
        code = f"{self.instruction.mnemonic:<{MNEMONIC_WIDTH}}{self.instruction.operands}".rstrip()
        return f"{self.address:0{self.address_digits}X} {data:<{self.bytes_width}} {code}"


Line: TypeAlias = SourceLine | InstructionLine


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        return f"<Listing of {self.start}, {len(self.instructions)} instructions>"

    def _repr_html_(self) -> str:
        from stillframe.model.value.html import of_lines

        return of_lines("", map(str, self.lines))


def disassemble(process: Process, start: int, *, count: int | None, end: int | None) -> Listing:
    """The listing from `start` on: `count` instructions, or up to `end`."""
    instructions = _decode(process, start, count, end)
    reached = instructions[-1].address + len(instructions[-1].data) if instructions else start
    is_whole = len(instructions) == count if count is not None else end is None or reached >= end
    absent = None if is_whole else _first_absence(process, reached)
    digits = 2 * process.pointer_size_bytes
    width = max([SHORTEST_BYTES_WIDTH, *(3 * len(instruction.data) - 1 for instruction in instructions)])
    lines: list[Line] = []
    source = _SourceWeaver(process, start, reached)
    for instruction in instructions:
        before = source.line_before(instruction)
        if before is not None:
            lines.append(before)
        lines.append(InstructionLine(instruction, digits, width))
    return Listing(tuple(lines), symbolize(process.modules, start), reached, absent)


def _decode(process: Process, start: int, count: int | None, end: int | None) -> list[Instruction]:
    """Instructions with all the names that can be had: files of the modules they point to are looked for first."""
    asked: set[int] = set()
    while True:
        instructions = process.space.disassemble(start, count=count, end=end)
        reached = instructions[-1].address + len(instructions[-1].data) if instructions else start
        addresses = {start, reached, *(address for each in instructions for address in _pointed_to(each))}
        pointed_to = {module.index: module for address in addresses if (module := process.modules.at(address))}
        new = [module for index, module in sorted(pointed_to.items()) if index not in asked]
        asked.update(pointed_to)
        has_news = False
        for module in new:
            has_news |= module.debug_info.state == "not_asked" or module.image.state == "not_asked"
            module.find_debug_info()  # which looks for the image first
        if not has_news:
            return instructions


def _pointed_to(instruction: Instruction) -> list[int]:
    values = [operand.value for operand in instruction.operand_list]
    return [value for value in (*values, instruction.target) if value is not None and value >= 0]


def _first_absence(process: Process, address: int) -> Absent | None:
    """Why nothing could be decoded at `address`; None if its bytes are there, but are no instruction."""
    longest_instruction_bytes = 15
    return process.memory.read_partial(address, longest_instruction_bytes).absent


class _SourceWeaver:
    """Says which line of source stands before an instruction: one whenever the line changes."""

    def __init__(self, process: Process, start: int, end: int) -> None:
        self._process = process
        self._module: Module | None = process.modules.at(start)
        rows = self._module.lines_in(start, end) if self._module and end > start else []
        self._rows: list[LineRow] = sorted(rows, key=lambda row: row.rva)
        self._starts = [row.rva for row in self._rows]
        self._shown: tuple[str, int] | None = None

    def line_before(self, instruction: Instruction) -> SourceLine | None:
        """The line of source to show before `instruction`, if it differs from the one shown last."""
        if self._module is None:
            return None
        rva = instruction.address - self._module.base
        index = bisect_right(self._starts, rva) - 1
        if index < 0 or rva >= self._rows[index].end_rva:
            return None
        record = self._rows[index].location
        location = SourceLocation.of(record)
        if isinstance(location, Absent) or self._shown == (location.path, location.line):
            return None
        self._shown = (location.path, location.line)
        return self._process.sources.line(location)
