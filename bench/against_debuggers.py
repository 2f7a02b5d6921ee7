"""Against gdb and lldb on cores of Linux: a small program, and one with hundreds of megabytes of debug information."""

from __future__ import annotations

import resource
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench import measure
from bench.result import Result, memory, times

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE_PROGRAM = Path("/usr/bin/ceph-osd")
"""Of Debian's `ceph-osd`; `ceph-osd-dbg` holds 380 MB of DWARF for it, compressed."""
SOURCE = """
#include <pthread.h>
#include <string>
#include <unistd.h>
#include <vector>
volatile int *volatile g_null;
static void *worker(void *) { for (;;) pause(); }
__attribute__((noinline)) int crash_here(std::vector<std::string> names) { *g_null = names.size(); return 1; }
__attribute__((noinline)) int recurse(int depth) { return depth ? recurse(depth - 1) + 1 : crash_here({"a", "b"}); }
int main() {
    pthread_t thread;
    for (int i = 0; i < 3; i++) pthread_create(&thread, nullptr, worker, nullptr);
    usleep(50000);
    return recurse(5);
}
"""


def run(stillframe: Path) -> Iterator[Result | str]:
    """Peers that are not installed are left out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        core = small_core(folder)
        if core is None:
            yield "left out: cores (no g++, or this machine sends cores elsewhere)"
        else:
            yield from compare(stillframe, folder / "program", core, "a small program", runs=5)
        core = large_core(folder)
        if core is None:
            yield f"left out: a core of {LARGE_PROGRAM.name} (it, its debug information or gdb is not installed)"
        else:
            yield from compare(stillframe, LARGE_PROGRAM, core, "380 MB of DWARF", runs=2)
            yield from compare_values(stillframe, LARGE_PROGRAM, core, "380 MB of DWARF")


def compare(stillframe: Path, program: Path, core: Path, what: str, *, runs: int) -> Iterator[Result]:
    """All stacks by the whole command: ours with nothing kept from before and with it, theirs as they are."""
    cache = core.parent / "cache"
    environment = {"XDG_CACHE_HOME": str(cache)}
    command: list[str | Path] = [stillframe, "stack", core, "--thread", "all", "--symbols", program.parent]
    forget = partial(shutil.rmtree, cache, ignore_errors=True)
    first = measure.command(command, runs=runs, environment=environment, before=forget)
    second = measure.command(command, runs=5, environment=environment)
    peers: dict[str, list[str | Path]] = {
        "gdb -batch": ["gdb", "-nx", "-batch", "-ex", "thread apply all bt", program, core],
        "lldb-19 -b": ["lldb-19", "-b", "-c", core, "-o", "bt all", program],
    }
    for name, arguments in peers.items():
        if shutil.which(str(arguments[0])) is None:
            continue
        peer = measure.command(arguments, runs=min(runs, 3), warm_up=False)
        yield times(f"stacks of a core, {what}, against `{name}`, first run", first, peer)
        yield times("the same, second run", second, peer)
        yield memory("the same, second run", second, peer)


def compare_values(stillframe: Path, program: Path, core: Path, what: str) -> Iterator[Result]:
    """All variables of the thread's frames. gdb alone: lldb has no command for all frames."""
    cache = core.parent / "cache"
    environment = {"XDG_CACHE_HOME": str(cache)}
    command: list[str | Path] = [stillframe, "locals", core, "--symbols", program.parent]
    forget = partial(shutil.rmtree, cache, ignore_errors=True)
    first = measure.command(command, runs=2, environment=environment, before=forget)
    second = measure.command(command, runs=5, environment=environment)
    peer = measure.command(["gdb", "-nx", "-batch", "-ex", "bt full", program, core], runs=2, warm_up=False)
    yield times(
        f"variables of all frames of a core, {what}, against `gdb -batch -ex 'bt full'`, first run", first, peer
    )
    yield times("the same, second run", second, peer)
    yield memory("the same, second run", second, peer)


def small_core(folder: Path) -> Path | None:
    """The core of a program that is built and crashed here."""
    if shutil.which("g++") is None:
        return None
    (folder / "program.cpp").write_text(SOURCE)
    subprocess.run(["g++", "-g", "-O1", "-pthread", "program.cpp", "-o", "program"], cwd=folder, check=True)

    def allow_cores() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    subprocess.run(["./program"], cwd=folder, env={}, preexec_fn=allow_cores, check=False)
    return next(folder.glob("core*"), None)


def large_core(folder: Path) -> Path | None:
    """A core of the large program while it prints its version."""
    if not LARGE_PROGRAM.exists() or shutil.which("gdb") is None:
        return None
    core = folder / "large.core"
    script = ["-ex", "set auto-solib-add off", "-ex", "catch syscall write", "-ex", "run", "-ex", f"gcore {core}"]
    arguments = ["gdb", "-nx", "-batch", *script, "--args", str(LARGE_PROGRAM), "--version"]
    subprocess.run(arguments, capture_output=True, env={"PATH": "/usr/bin:/bin"}, check=False)
    return core if core.exists() else None
