"""Against rust-minidump's crates, both in one process: a dump with a small symbol file, files in the cache."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, NamedTuple

import stillframe
from bench import measure
from bench.result import Result, milliseconds
from stillframe.model.dump import Dump
from stillframe.symbols.keeping import KeepingOpener
from stillframe.symbols.locate import DirectoryLocator
from stillframe.symbols.path import parse_symbol_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stillframe._engine import DebugFile

PACKAGE = Path(__file__).parent / "peers" / "rust_minidump"
RUNS = 300
SUBJECT = "a dump with 0.8 MB of `.sym`, in process, all frames with names and lines, against rust-minidump's crates"


class Row(NamedTuple):
    """A frame as both sides tell it."""

    thread: int
    module: str
    function: str
    file: str
    line: int


def run(dump: Path, symbols: Path) -> Iterator[Result | str]:
    """Both sides read the dump anew each time; its symbols too, or they keep them opened or parsed."""
    if shutil.which("cargo") is None:
        yield "left out: rust-minidump's crates in process (no cargo)"
        return
    subprocess.run(["cargo", "build", "--quiet", "--release"], cwd=PACKAGE, check=True)
    command: list[str | Path] = [PACKAGE / "target" / "release" / "rust-minidump-bench", dump, symbols, str(RUNS)]
    fresh, kept, *lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    theirs = [_peer_row(line) for line in lines]
    # It leaves out the thread that wrote the dump.
    threads = {row.thread for row in theirs}
    ours = [row for row in _rows(stillframe.open(dump, symbols)) if row.thread in threads]
    if ours != theirs:
        raise RuntimeError(f"other frames than rust-minidump's:\n{ours}\n{theirs}")
    yield _result(f"{SUBJECT}, symbols read each time", lambda: _rows(stillframe.open(dump, symbols)), fresh)
    locator, opener = DirectoryLocator(dump.parent, parse_symbol_path(symbols)), KeptFiles()
    yield _result("the same, symbols kept", lambda: _rows(Dump.open(dump, locator, lambda _: None, opener)), kept)


class KeptFiles(KeepingOpener):
    """Opens each file of debug information once."""

    def __init__(self) -> None:
        super().__init__()
        self._opened: dict[Path, DebugFile] = {}

    def open(self, path: Path, supplementary: Path | None = None, cpu: str | None = None) -> DebugFile:
        if path not in self._opened:
            self._opened[path] = super().open(path, supplementary, cpu)
        return self._opened[path]


def _result(subject: str, action: Callable[[], object], peer: str) -> Result:
    """`peer` is a line of the other side: a name and seconds."""
    seconds, theirs = measure.in_process(action, runs=RUNS), float(peer.partition("\t")[2])
    return Result(subject, milliseconds(seconds), milliseconds(theirs), f"{seconds / theirs:.2f}")


def _rows(dump: stillframe.Dump) -> list[Row]:
    return [_row(thread.index, frame) for thread in dump.threads for frame in thread.frames]


def _row(thread: int, frame: stillframe.Frame) -> Row:
    module = frame.module.name if frame.module else ""
    location = frame.location
    if isinstance(location, stillframe.Absent):
        return Row(thread, module, "", "", 0)
    return Row(thread, module, frame.name, location.file.path, location.line)


def _peer_row(text: str) -> Row:
    thread, module, function, file, line = text.split("\t")
    return Row(int(thread), PureWindowsPath(module).name, function, file, int(line))
