"""Functions that end with a jump to another one and leave the stack; what callers say of arguments that nobody keeps.

Frames and values are those of the source. gdb 13 shows the same frames of GCC's program, and none of Clang's jumps.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent
from support.cores import core_of

if TYPE_CHECKING:
    from pathlib import Path

FORGET = r"""
#define FORGET asm volatile("" ::: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "rbx", "r12", "r13", \
    "r14", "r15", "memory")
"""
PROGRAM = r"""
#ifdef __clang__
#define KEPT __attribute__((noinline))
#else
#define KEPT __attribute__((noinline, noclone))
#endif
volatile int *volatile g_null;
volatile int g_sink;
extern "C" {
void KEPT crash() { FORGET; *g_null = 1; }
int KEPT last(int first, int second) { g_sink = first + second; crash(); return 1 + g_sink; }
int KEPT middle(int x) { g_sink = x; return last(x + 1, 7); }
int KEPT outer(int y) { g_sink = y; return middle(2 * y); }
int KEPT left(int n) { g_sink = n; return last(n, 1); }
int KEPT right(int n) { g_sink = -n; return last(n, 2); }
int KEPT either(int n) { g_sink = n; if (n & 1) return left(n); return right(n); }
int KEPT odd(int n);
int KEPT even(int n) { g_sink = n; if (n == 0) return 0; return odd(n - 1); }
int KEPT odd(int n) { g_sink = n; if (n == 1) { crash(); return g_sink; } return even(n - 1); }
static int KEPT unused(int seen, int unseen) { g_sink = seen; crash(); return g_sink; }
int KEPT through(int given) { g_sink = given; int r = unused(given + 1, 5) + 1; return r + g_sink; }
}
int main(int count, char **) {
    int r;
    switch (count) {
    case 1: r = outer(20); break;
    case 2: r = either(3); break;
    case 3: r = even(4); break;
    default: r = through(3); break;
    }
    g_sink = r;
    return r + g_sink;
}
"""
NESTED = r"""
#define KEPT __attribute__((noinline, noclone))
volatile int *volatile g_null;
volatile int g_sink;
void KEPT crash(void) { FORGET; *g_null = 1; }
int KEPT last(int first, int second) { g_sink = first + second; crash(); return 1 + g_sink; }
int KEPT middle(int x) { g_sink = x; return last(x + 1, 7); }
int KEPT host(int n) {
    int KEPT inner(int k) { g_sink = k + n; if (k == 100) return last(k, 3); return k; }
    g_sink = inner(n) + inner(n + 1);
    return middle(n);
}
int main(void) { int r = host(6); g_sink = r; return r; }
"""
CHAIN = [("crash", {}), ("last", {"first": 41, "second": 7}), ("middle", {"x": 40}), ("outer", {"y": 20})]
TWO_WAYS = [("crash", {}), ("last", {"first": 3, "second": 1})]
"""Of the functions between it and `main` nothing is left."""
ROUNDS = [("crash", {}), ("odd", {"n": 1}), ("even", {"n": 2})]
"""`main` calls `even(4)`; the two jump to each other."""
REMOVED = [("crash", {}), ("unused", {"seen": 4, "unseen": 5}), ("through", {"given": 3})]
"""GCC removes the parameter that is not used; callers still say what it would have been."""


@pytest.fixture(scope="module", params=["g++", "clang++-19"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which(request.param) is None or sys.platform != "linux":
        pytest.skip(f"{request.param} is not installed")
    folder = tmp_path_factory.mktemp("tail_calls")
    (folder / "program.cpp").write_text(FORGET + PROGRAM)
    subprocess.run([request.param, "-g", "-O2", "program.cpp", "-o", "program"], cwd=folder, check=True)
    built: Path = folder / "program"
    return built


def values_of(program: Path, folder: Path, arguments: int) -> list[tuple[str, dict[str, object]]]:
    """Functions up to `main`, with those of their parameters that are known."""
    core = core_of(str(program), folder, *["x"] * arguments)
    thread = stillframe.open(core, symbols=program.parent).crashed_thread
    assert thread is not None
    frames = list(thread.frames)
    frames = frames[: [frame.name for frame in frames].index("main")]
    known: list[tuple[str, dict[str, object]]] = []
    for frame in frames:
        present = {each.name: each.value for each in frame.variables if not isinstance(each.value, Absent)}
        known.append((frame.name, {name: value.read() for name, value in present.items() if value.absent is None}))
    return known


@pytest.mark.parametrize(("arguments", "stack"), [(0, CHAIN), (1, TWO_WAYS), (2, ROUNDS), (3, REMOVED)])
def test_frames_and_what_they_were_given(
    program: Path, arguments: int, stack: list[tuple[str, dict[str, int]]], tmp_path: Path
) -> None:
    known = values_of(program, tmp_path, arguments)
    assert [name for name, _ in known] == [name for name, _ in stack]
    for (name, values), (_, expected) in zip(known, stack, strict=True):
        assert (name, values) == (name, {each: expected[each] for each in values})


def test_arguments_that_only_callers_know(program: Path, tmp_path: Path) -> None:
    """Clang says less of its calls."""
    (tmp_path / "chain").mkdir()
    (tmp_path / "removed").mkdir()
    chain = values_of(program, tmp_path / "chain", 0)
    removed = values_of(program, tmp_path / "removed", 3)
    if b"clang" in program.read_bytes():  # compilers sign what they make
        assert (chain[3], removed[2]) == (CHAIN[3], REMOVED[2])
    else:
        assert (chain, removed) == (CHAIN, REMOVED)


def test_a_function_off_the_stack_has_no_place_on_it(program: Path, tmp_path: Path) -> None:
    core = core_of(str(program), tmp_path)
    thread = stillframe.open(core, symbols=program.parent).crashed_thread
    assert thread is not None
    last, middle, outer, main = thread.frames[1:5]
    assert [frame.trust for frame in (last, middle, outer, main)] == ["cfi", "tail_call", "tail_call", "cfi"]
    assert (middle.registers.stack_pointer, middle.record.cfa) == (None, None)
    assert middle.registers.frame_pointer == main.registers.frame_pointer


def test_calls_of_a_function_inside_are_not_its_own(tmp_path: Path) -> None:
    """Else there were two ways from `host` to `last`. Functions in functions are an extension of GCC's C."""
    if shutil.which("gcc") is None or sys.platform != "linux":
        pytest.skip("gcc is not installed")
    (tmp_path / "nested.c").write_text(FORGET + NESTED)
    subprocess.run(["gcc", "-g", "-O2", "nested.c", "-o", "program"], cwd=tmp_path, check=True)
    expected = [("crash", {}), ("last", {"first": 7, "second": 7}), ("middle", {"x": 6}), ("host", {"n": 6})]
    assert values_of(tmp_path / "program", tmp_path, 0) == expected
