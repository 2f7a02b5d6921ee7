"""Against Rust's `minidump-stackwalk` (`cargo install minidump-stackwalk`) and its crates: dumps with `.sym` files."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench import measure, rust_minidump
from bench.result import Result, memory, times

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE = Path("test_app.pdb") / "5A9832E5287241C1838ED98914E9B7FF1" / "test_app.sym"
FUNCTIONS = 230_000
"""With 20 lines each, a file of more than 100 MB."""


def run(stillframe: Path, data: Path) -> Iterator[Result | str]:
    """`data` is the folder of rust-minidump's own test files."""
    dump = data / "test.dmp"
    if not dump.exists():
        yield "left out: rust-minidump (its test files are not there)"
        return
    yield from rust_minidump.run(dump, data / "symbols")
    peer = shutil.which("minidump-stackwalk")
    if peer is None:
        yield "left out: minidump-stackwalk (not installed)"
        return
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"

        def ours(symbols: Path, runs: int, *, keep: bool) -> measure.Cost:
            command: list[str | Path] = [stillframe, "stack", dump, "--thread", "all", "--symbols", symbols]
            environment = {"XDG_CACHE_HOME": str(cache)}
            forget = None if keep else partial(shutil.rmtree, cache, ignore_errors=True)
            return measure.command(command, runs=runs, environment=environment, before=forget)

        def theirs(symbols: Path, runs: int) -> measure.Cost:
            return measure.command([peer, dump, symbols], runs=runs)

        small, small_peer = ours(data / "symbols", 7, keep=True), theirs(data / "symbols", 7)
        yield times("`stack` with 0.8 MB of `.sym` against minidump-stackwalk", small, small_peer)
        yield memory("the same", small, small_peer)
        tree = Path(folder) / "symbols"
        size_bytes = large_symbols(data / "symbols" / MODULE, tree / MODULE)
        what = f"`stack` with {size_bytes / 1e6:.0f} MB of `.sym` against minidump-stackwalk"
        cold, warm, large_peer = ours(tree, 3, keep=False), ours(tree, 5, keep=True), theirs(tree, 3)
        yield times(f"{what}, without a kept index", cold, large_peer)
        yield times(f"{what}, with one", warm, large_peer)
        yield memory("the same", warm, large_peer)


def large_symbols(small: Path, target: Path) -> int:
    """A copy of `small` with many more functions behind its own; returns its size in bytes."""
    target.parent.mkdir(parents=True)
    with target.open("w", encoding="utf-8") as file:
        file.write(small.read_text(encoding="utf-8", errors="replace"))
        for index in range(FUNCTIONS):
            start = 0x1000000 + index * 0x200
            name = f"project::part_{index % 977}::Class{index % 31}::method_{index}(int, char const*)"
            file.write(f"FUNC {start:x} 1f0 8 {name}\n")
            file.writelines(f"{start + line * 0x18:x} 18 {100 + line} {line % 7}\n" for line in range(20))
            file.write(f"STACK CFI INIT {start:x} 1f0 .cfa: $esp 4 + .ra: .cfa 4 - ^\n")
    return target.stat().st_size
