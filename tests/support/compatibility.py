"""Our stacks beside those of other tools, as the table of `docs/compatibility.md`.

`PYTHONPATH=tests python -m support.compatibility` prints it.
"""

from __future__ import annotations

import difflib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import stillframe
from support.data import shared_data
from support.expected_stacks import ExpectedFrame, Stacks, of_stackwalk_json, of_stackwalk_text, of_symbolic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stillframe import Frame

SNAPSHOTS = "rust-minidump/expected/test_minidump_stackwalk__"


class Case(NamedTuple):
    """A dump with an answer."""

    dump: str
    answer: str
    read: Callable[[Path], Stacks]
    symbols: str | None = None
    """Folder of symbols; without one the dump is opened alone, as the other tool did."""


CASES = [
    Case("breakpad/minidump2.dmp", "breakpad/minidump2.stackwalk.out", of_stackwalk_text, "breakpad/symbols"),
    Case("rust-minidump/test.dmp", f"{SNAPSHOTS}human.snap", of_stackwalk_text),
    Case("rust-minidump/test.dmp", f"{SNAPSHOTS}human-symbols.snap", of_stackwalk_text, "rust-minidump/symbols"),
    Case("rust-minidump/test.dmp", f"{SNAPSHOTS}json-pretty.snap", of_stackwalk_json),
    Case("rust-minidump/test.dmp", f"{SNAPSHOTS}json-pretty-symbols.snap", of_stackwalk_json, "rust-minidump/symbols"),
    Case("rust-minidump/linux-mini.dmp", f"{SNAPSHOTS}linux_human.snap", of_stackwalk_text),
    Case("rust-minidump/linux-mini.dmp", f"{SNAPSHOTS}linux_json_pretty.snap", of_stackwalk_json),
    Case("symbolic/windows/mini.dmp", "symbolic/expected/test_processor__process_state_windows.snap", of_symbolic),
    Case("symbolic/linux/mini.dmp", "symbolic/expected/test_processor__process_state_linux.snap", of_symbolic),
    Case(
        "symbolic/linux/mini.dmp",
        "symbolic/expected/test_processor__process_state_linux_cfi.snap",
        of_symbolic,
        "symbolic/linux",
    ),
    Case("symbolic/macos/mini.dmp", "symbolic/expected/test_processor__process_state_macos.snap", of_symbolic),
]


class Comparison(NamedTuple):
    """What came of one case."""

    case: Case
    theirs: int
    equal: int
    only_theirs: list[int]
    only_ours: list[int]
    other_names: list[str]
    """Frames at equal addresses with another function or line."""

    @property
    def row(self) -> str:
        """The row of the table."""
        answer = Path(self.case.answer).name.removeprefix("test_minidump_stackwalk__").removeprefix("test_processor__")
        lists = (
            ", ".join(f"{address:#x}" for address in self.only_theirs),
            ", ".join(f"{address:#x}" for address in self.only_ours),
            "; ".join(self.other_names),
        )
        cells = (self.case.dump, answer, str(self.theirs), str(self.equal), *lists)
        return "| " + " | ".join(cell or "-" for cell in cells) + " |"


def compare(case: Case) -> Comparison:
    """Opens the dump as the other tool did, and compares its stacks frame by frame."""
    others = shared_data() / "others"
    expected = case.read(others / case.answer)
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder) / "alone.dmp"
        shutil.copy(others / case.dump, alone)
        symbols = None if case.symbols is None else others / case.symbols
        dump = stillframe.open(alone, symbols=symbols)
        by_index = set(expected) == set(range(len(expected)))
        ours = {thread.index if by_index else thread.id: physical_frames(thread.frames) for thread in dump.threads}
        return _comparison(case, expected, ours)


def physical_frames(frames: Iterable[Frame]) -> list[Frame]:
    """Without inlined calls."""
    return [frame for frame in frames if not frame.is_inlined]


def _comparison(case: Case, expected: Stacks, ours: dict[int, list[Frame]]) -> Comparison:
    theirs_count, equal = 0, 0
    only_theirs: list[int] = []
    only_ours: list[int] = []
    names: list[str] = []
    for thread, frames in expected.items():
        own = ours.get(thread, [])
        theirs_count += len(frames)
        matcher = difflib.SequenceMatcher(
            None, [frame.address for frame in frames], [frame.instruction for frame in own], autojunk=False
        )
        for kind, start, end, own_start, own_end in matcher.get_opcodes():
            if kind == "equal":
                equal += end - start
                pairs = zip(frames[start:end], own[own_start:own_end], strict=True)
                names += [difference for pair in pairs if (difference := _other_name(*pair)) is not None]
            else:
                only_theirs += [frame.address for frame in frames[start:end]]
                only_ours += [frame.instruction for frame in own[own_start:own_end]]
    return Comparison(case, theirs_count, equal, only_theirs, only_ours, names)


def _other_name(theirs: ExpectedFrame, ours: Frame) -> str | None:
    if theirs.function is not None and theirs.function != ours.name:
        return f"{theirs.function} / {ours.name}"
    line = getattr(ours.location, "line", None)
    if theirs.line is not None and theirs.line != line:
        return f"{theirs.function}:{theirs.line} / {line}"
    return None


def table() -> str:
    """The table of `docs/compatibility.md`."""
    rows = [
        "| dump | answer | their frames | equal | only theirs | only ours | other names |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(compare(case).row for case in CASES),
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
