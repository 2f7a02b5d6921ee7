"""Cores of a program that is built and crashed here, beside what gdb says of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import stillframe
from support.cores import BUILDS, built_core, core_of

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe import Dump, Thread
    from support.command import Command

PROGRAM = """
#include <pthread.h>
#include <string>
#include <unistd.h>
#include <vector>

struct Shape { virtual ~Shape() {} virtual int area() const { return 0; } };
struct Rect : Shape { int w, h; Rect(int w, int h) : w(w), h(h) {} int area() const override { return w * h; } };
volatile int *volatile g_null = nullptr;

static inline __attribute__((always_inline)) void poke(volatile int *where, int value) {
    int doubled = value * 2;
    *where = doubled;  // CRASH
}
__attribute__((noinline)) int crash_here(Shape *shape, int depth) {
    std::vector<int> numbers(depth + 3, 7);
    if (g_null == nullptr) poke(g_null, numbers[1] + shape->area());  // POKE
    return numbers[2] + depth;
}
__attribute__((noinline)) int recurse(Shape *shape, int depth) {
    volatile int local = depth;
    return (depth == 0 ? crash_here(shape, depth) : recurse(shape, depth - 1)) + local;
}
static void *worker(void *) {
    for (;;) pause();
}
int main() {
    Rect rect(6, 7);
    pthread_t thread;
    pthread_create(&thread, nullptr, worker, nullptr);
    usleep(50000);
    return recurse(&rect, 3);
}
"""
GDB_SCRIPT = """
python
for thread in sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.ptid[1]):
    thread.switch()
    frame = gdb.newest_frame()
    while frame:
        if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
            print("FRAME", thread.ptid[1], hex(frame.pc()))
        frame = frame.older()
end
"""
"""Physical frames of all threads; tail calls have none, gdb makes theirs up."""


def line_of(mark: str) -> int:
    return next(number for number, line in enumerate(PROGRAM.splitlines(), 1) if mark in line)


@pytest.fixture(scope="module", params=BUILDS, ids="".join)
def core(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program's core, with the program and its source beside it."""
    compiler, level = request.param
    return built_core(PROGRAM, compiler, level, tmp_path_factory.mktemp("core"))


def calls(thread: Thread) -> list[tuple[str, int | None]]:
    """Function and line of the frames that are the program's own."""
    frames = [frame for frame in thread.frames if frame.module is not None and frame.module.name == "program"]
    return [(frame.name, getattr(frame.location, "line", None)) for frame in frames]


def crashed(dump: Dump) -> Thread:
    assert dump.crashed_thread is not None
    return dump.crashed_thread


def test_a_function_of_several_parts_is_one_name(core: Path) -> None:
    """GCC splits `crash_here.cold` off at -O2: that the vector is destroyed when an exception passes."""
    dump = stillframe.open(core)
    out = subprocess.run(["nm", "program"], cwd=core.parent, capture_output=True, text=True, check=True).stdout
    (offset,) = re.findall(r"^([0-9a-f]+) T _Z10crash_hereP5Shapei$", out, re.MULTILINE)
    assert dump.address_of("crash_here") == dump.modules["program"].base + int(offset, 16)


def test_the_chain_of_calls_is_that_of_the_source(core: Path) -> None:
    dump = stillframe.open(core)
    chain = calls(crashed(dump))
    assert chain[:2] == [("poke", line_of("// CRASH")), ("crash_here", line_of("// POKE"))]
    names = [name for name, _ in chain]
    # gcc makes one frame of several recursive calls at -O2.
    assert names[2] == "recurse"
    assert "main" in names
    assert dump.crash is not None
    assert dump.crash.reason == "SIGSEGV / SEGV_MAPERR"
    assert dump.crash.address == 0
    assert len(dump.threads) == 2
    assert "worker" in [name for name, _ in calls(dump.threads[1])]


def test_the_kernels_code_in_the_process_has_names(tmp_path: Path, stillframe_command: Command) -> None:
    if sys.platform != "linux" or shutil.which("gcc") is None:
        pytest.skip("cores are of Linux, and gcc is needed")
    source = "#include <time.h>\nint main(void) { return clock_gettime(CLOCK_MONOTONIC, (struct timespec *)8); }\n"
    (tmp_path / "clock.c").write_text(source)
    subprocess.run(["gcc", "-g", "clock.c", "-o", "clock"], cwd=tmp_path, check=True)
    dump = stillframe.open(core_of("./clock", tmp_path))
    frames = crashed(dump).frames
    if frames[0].module is None or frames[0].module.name != "linux-vdso.so.1":
        pytest.skip("this kernel gives the time without code in the process")
    assert frames[0].name in {"__vdso_clock_gettime", "clock_gettime"}  # linux/arch/x86/entry/vdso: an alias
    assert "main" in [frame.name for frame in frames]
    assert "give the folder" not in stillframe_command("report", dump.path).out


def test_every_frame_is_where_gdb_has_it(core: Path) -> None:
    if shutil.which("gdb") is None:
        pytest.skip("gdb is not installed")
    command = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-ex", "set backtrace past-main on"]
    (core.parent / "frames.gdb").write_text(GDB_SCRIPT)
    arguments = [*command, "-x", "frames.gdb", "program", core.name]
    out = subprocess.run(arguments, cwd=core.parent, capture_output=True, text=True, check=True).stdout
    theirs: dict[int, list[int]] = {}
    for thread, address in re.findall(r"^FRAME (\d+) (0x[0-9a-f]+)$", out, re.MULTILINE):
        theirs.setdefault(int(thread), []).append(int(address, 16))
    assert len(theirs) == 2
    ours = {
        thread.id: [frame.instruction for frame in thread.frames if not frame.is_inlined]
        for thread in stillframe.open(core).threads
    }
    assert ours == theirs


def test_a_core_that_is_cut_off_keeps_what_is_left(core: Path) -> None:
    cut = core.with_name("cut.core")
    cut.write_bytes(core.read_bytes()[: core.stat().st_size // 4])
    dump = stillframe.open(cut)
    assert any("cut off" in problem for problem in dump.problems)
    assert len(dump.threads) == 2
    assert crashed(dump).frames[0].name == "poke"


def test_a_living_process_that_gcore_saves(tmp_path: Path) -> None:
    if shutil.which("gcore") is None:
        pytest.skip("gcore is not installed")
    with subprocess.Popen(["sleep", "60"], env={}) as process:
        try:
            done = subprocess.run(
                ["gcore", "-o", "saved", str(process.pid)], cwd=tmp_path, capture_output=True, check=False
            )
        finally:
            process.kill()
    if done.returncode != 0:
        pytest.skip("this machine does not let gcore attach")
    dump = stillframe.open(tmp_path / f"saved.{process.pid}")
    assert dump.crash is None
    assert [thread.id for thread in dump.threads] == [process.pid]
    assert len(dump.threads[0].frames) > 1
    assert "sleep" in [module.name for module in dump.modules]
