"""Stacks that other tools have printed, as thread id → frames, innermost first."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class ExpectedFrame(NamedTuple):
    """A physical frame."""

    address: int
    """The instruction pointer: in a caller, the return address."""
    function: str | None = None
    line: int | None = None


Stacks = dict[int, list[ExpectedFrame]]


def of_stackwalk_text(path: Path) -> Stacks:
    """Human-readable output of Breakpad's or Rust's minidump-stackwalk. Breakpad's has no thread ids: they count."""
    stacks: Stacks = {}
    frames: list[ExpectedFrame] = []
    pending: tuple[str | None, int | None] = (None, None)
    for line in path.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"Thread (\d+).*?(?:tid: (\d+))?$", line):
            frames = stacks.setdefault(int(heading[2] or heading[1]), [])
        elif frame := re.match(r"\s*\d+  (?:\S+?!(.+?)(?: \[.* : (\d+) \+ .*\]| \+ 0x[0-9a-f]+)?|.*)$", line):
            pending = (frame[1], int(frame[2]) if frame[2] else None)
        elif pointer := re.search(r"\b[er]ip = 0x([0-9a-f]+)", line):
            frames.append(ExpectedFrame(int(pointer[1], 16), *pending))
        elif line.startswith("Loaded modules"):
            break
    return stacks


def of_stackwalk_json(path: Path) -> Stacks:
    """JSON output of Rust's minidump-stackwalk. Offsets are those of the call, one below the return address."""
    text = path.read_text(encoding="utf-8")
    report = json.loads(text[text.index("{") :])
    stacks: Stacks = {}
    for thread in report["threads"]:
        frames = [
            ExpectedFrame(int(frame["offset"], 16) + (frame["frame"] > 0), frame["function"], frame["line"])
            for frame in thread["frames"]
        ]
        stacks[thread["thread_id"]] = frames
    return stacks


def of_symbolic(path: Path) -> Stacks:
    """A snapshot of symbolic's `ProcessState`."""
    stacks: Stacks = {}
    threads = path.read_text(encoding="utf-8").partition("\n    modules: ")[0]
    for part in threads.split("thread_id: ")[1:]:
        addresses = re.findall(r"return_address: (\d+)", part)
        stacks[int(part.partition(",")[0])] = [ExpectedFrame(int(address)) for address in addresses]
    return stacks
