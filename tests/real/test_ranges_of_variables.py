"""Where PDBs of optimised programs say that variables are, as llvm-pdbutil prints it: nothing that is somewhere is
called optimised away, nothing is found where it is not.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

import stillframe
from stillframe import Absent, Reason
from support.data import shared_data

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = re.compile(r"S_[GL]PROC32 .*`(.*)`")
ADDRESS = re.compile(r"parent = .* addr = 0001:(\d+)")
LOCAL = re.compile(r"S_LOCAL .*`(.*)`")
RANGE = re.compile(r"range start = 0001:(\d+), length = (\d+)|range = \[0001:(\d+),\+(\d+)\)")
GAP = re.compile(r"\((\d+),(\d+)\)")
DUMPS = [
    "app_x64.O2.crash.t0.dmp",
    "app_x86.O2.crash.t0.dmp",
    "app_arm64.O2.crash.emu.dmp",
    "app_x86_64.O2.self.t0.dmp",
    "app_i686.O2.self.t0.dmp",
]


class Covered(NamedTuple):
    """A range of code in which a variable is in one place; offsets are in the section of code."""

    function: str
    variable: str
    start: int
    end: int
    gaps: list[tuple[int, int]]
    """Start and length, counted from `start`."""

    def covers(self, offset: int) -> bool:
        return self.start <= offset < self.end and not any(
            start <= offset - self.start < start + length for start, length in self.gaps
        )


def ranges_of(pdb: Path) -> tuple[list[Covered], dict[str, int]]:
    """Ranges of all variables, and where functions begin."""
    if shutil.which("llvm-pdbutil-19") is None:
        pytest.skip("llvm-pdbutil-19 is not installed")
    command = ["llvm-pdbutil-19", "dump", "-symbols", str(pdb)]
    ranges: list[Covered] = []
    starts: dict[str, int] = {}
    function = variable = ""
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        if found := FUNCTION.search(line):
            function = found[1]
        elif found := ADDRESS.search(line):
            starts[function] = int(found[1])
        elif found := LOCAL.search(line):
            variable = found[1]
        if found := RANGE.search(line):
            start, length = (int(each) for each in found.groups() if each is not None)
            ranges.append(Covered(function, variable, start, start + length, []))
        if "gaps = [(" in line:
            ranges[-1].gaps.extend(
                (int(start), int(length)) for start, length in GAP.findall(line.partition("gaps")[2])
            )
    return ranges, starts


@pytest.mark.parametrize("name", DUMPS)
def test_variables_are_where_llvm_says(name: str) -> None:
    made = shared_data() / "made"
    ranges, starts = ranges_of(made / f"{name.partition('.O2')[0]}.O2.pdb")
    thread = stillframe.open(made / name).crashed_thread
    assert thread is not None
    section = None
    compared = 0
    for physical in {frame.physical_index for frame in thread.frames}:
        *_, outermost = frames = [frame for frame in thread.frames if frame.physical_index == physical]
        function = outermost.function
        if isinstance(function, Absent) or outermost.name not in {"crash_here", "recurse", "main"}:
            continue
        section = function.address - starts[outermost.name] if section is None else section
        offset = outermost.lookup_address - section
        in_function = [each for each in ranges if each.function == outermost.name]
        expected = {each.variable for each in in_function if each.covers(offset)}
        variables = [variable for frame in frames for variable in frame.variables]
        somewhere = {each.name for each in variables if each.value != Absent.because(Reason.OPTIMIZED_AWAY)}
        assert (outermost.name, somewhere) == (outermost.name, expected)
        compared += len(expected)
    assert compared >= 10
