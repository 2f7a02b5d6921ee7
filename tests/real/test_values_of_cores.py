"""Values of a program that is built by GCC and Clang, with and without optimisation, and crashed here.

The table is taken from the source: what is optimised away may be absent, nothing may be wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import stillframe
from stillframe import Absent, Value
from support.cores import BUILDS, built_core

if TYPE_CHECKING:
    from stillframe import Frame

PROGRAM = r"""
#include <pthread.h>
#include <unistd.h>
enum Access { Nothing, Read = 1, Write = 2, Execute = 4 };
enum class Mode : unsigned char { Idle, Busy = 7 };
struct Base { virtual ~Base() {} int base = 1; };
struct Left : virtual Base { int left = 2; };
struct Right : virtual Base { int right = 3; };
struct Both : Left, Right { int both = 4; };
struct Bits { unsigned a : 3; int b : 5; bool c : 1; unsigned long long d : 40; };
struct Plain { int x; int y; int sum() const { return x + y; } };
template <typename T, int N> struct Array { T items[N]; };
struct Unnamed { union { int word; float real; }; struct { short low, high; }; int Plain::*member; };
namespace app { struct Counter { static int s_count; int id; }; int Counter::s_count = 11; static int s_hidden = 12; }

Both g_both;
Bits g_bits = {5, -3, true, 0x123456789AULL};
Access g_access = Access(Read | Execute);
Array<Plain, 2> g_array = {{{1, 2}, {3, 4}}};
Unnamed g_unnamed = {{7}, {8, 9}, &Plain::y};
const wchar_t *g_wide = L"caf\u00e9 \u65e5";
const char16_t *g_16 = u"\u65e5x";
const char32_t *g_32 = U"\U0001F600";
long double g_long = 1.5L;
int (Plain::*g_method)() const = &Plain::sum;
int &g_reference = app::s_hidden;
thread_local int t_other = 3;
thread_local int t_slot = 9;
volatile int *volatile g_null = nullptr;
static int twice(int v) { return v + v; }
int (*g_function)(int) = twice;

static inline __attribute__((always_inline)) void poke(volatile int *where, int value) {
    int doubled = value * 2;
    *where = doubled;
}
__attribute__((noinline)) int crash_here(Base *base, const Plain &plain, double ratio, Mode mode, const char *text) {
    static int calls = 20;
    int local = plain.x * 10 + plain.y;
    char buffer[8] = "abc";
    asm volatile("" : : "r"(buffer), "r"(&calls), "r"(base), "r"(text), "x"(ratio), "r"((int)mode) : "memory");
    ++calls;
    if (g_null == nullptr) poke(g_null, local + base->base + (int)ratio);
    return local + buffer[1] + text[0] + (int)mode;
}
static void *worker(void *number) {
    t_slot = 100 * (int)(long)number;
    for (;;) pause();
}
int main() {
    Plain plain = {3, 4};
    for (long number = 1; number <= 2; ++number) {
        pthread_t thread;
        pthread_create(&thread, nullptr, worker, (void *)number);
        usleep(50000);
    }
    t_slot = 5;
    return crash_here(&g_both, plain, 2.5, Mode::Busy, "text") + t_other + g_function(g_bits.a) + (plain.*g_method)()
        + app::Counter::s_count + app::s_hidden + g_reference + (int)g_long + g_16[0] + g_32[0] + g_wide[0] + plain.x
        + g_unnamed.word + g_array.items[0].x + g_access;
}
"""
BOTH = {
    "Left": {"Base": {"base": 1}, "left": 2},
    "Right": {"Base": {"base": 1}, "right": 3},
    "both": 4,
}
LOCALS: dict[str, dict[str, object]] = {
    "poke": {"where": 0, "value": 37, "doubled": 74},
    "crash_here": {
        "base": BOTH,
        "plain": {"x": 3, "y": 4},
        "ratio": 2.5,
        "mode": "Busy",
        "text": "text",
        "calls": 21,
        "local": 34,
        "buffer": "abc",
    },
    "main": {"plain": {"x": 3, "y": 4}},
}
GLOBALS = {
    "g_both": BOTH,
    "g_bits": {"a": 5, "b": -3, "c": True, "d": 0x123456789A},
    "g_access": "Read | Execute",
    "g_array": {"items": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]},
    "g_wide": "caf\u00e9 \u65e5",
    "g_16": "\u65e5x",
    "g_32": "\U0001f600",
    "g_long": 1.5,
    "g_null": 0,
    "g_reference": 12,
    "app::Counter::s_count": 11,
    "app::s_hidden": 12,
    "t_slot": 5,
    "t_other": 3,
}


@pytest.fixture(scope="module", params=BUILDS, ids="".join)
def core(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[stillframe.Dump, str]:
    """The dump, and the level of optimisation."""
    compiler, level = request.param
    return stillframe.open(built_core(PROGRAM, compiler, level, tmp_path_factory.mktemp("values"))), level


def frame_of(dump: stillframe.Dump, name: str) -> Frame:
    assert dump.crashed_thread is not None
    return next(frame for frame in dump.crashed_thread.frames if frame.name.partition("(")[0] == name)


def read(value: Value) -> object:
    target = value.type.resolved.target
    is_object = value.type.is_pointer and target is not None and target.is_class
    return value.dynamic.dereference().read() if is_object else value.read()


def test_locals(core: tuple[stillframe.Dump, str]) -> None:
    dump, level = core
    absent = []
    for function, table in LOCALS.items():
        frame = frame_of(dump, function)
        for name, expected in table.items():
            value = frame[name]
            if isinstance(value, Absent) and level == "-O2":
                absent.append(name)
                continue
            assert isinstance(value, Value), (function, name, value)
            assert (function, name, read(value)) == (function, name, expected)
    assert "doubled" not in absent
    assert len(absent) <= 6


def test_globals(core: tuple[stillframe.Dump, str]) -> None:
    dump, _ = core
    for name, expected in GLOBALS.items():
        value = dump[name]
        assert isinstance(value, Value), (name, value)
        assert (name, value.read()) == (name, expected)
    function: Any = dump["g_function"]
    assert str(function) == f"program!twice ({int(function):#018x})"
    method: Any = dump["g_method"]
    assert "program!Plain::sum (0x" in str(method)


def test_parts_without_names_and_pointers_to_members(core: tuple[stillframe.Dump, str]) -> None:
    dump, _ = core
    value: Any = dump["g_unnamed"]
    assert [value.word.read(), value.low.read(), value.high.read()] == [7, 8, 9]
    assert str(value["member"]) == "&Plain::y"
    assert str(value).startswith("{word=7, real=")


def test_virtual_bases(core: tuple[stillframe.Dump, str]) -> None:
    dump, _ = core
    both: Any = dump["g_both"]
    assert both.base == 1
    assert both["Left"]["Base"].address == both["Right"]["Base"].address
    base = frame_of(dump, "crash_here")["base"]
    if isinstance(base, Value):
        assert base.dynamic.type.name == "Both *"
        assert int(base.dynamic) == both.address


def test_names_are_looked_up_in_the_functions_namespace(core: tuple[stillframe.Dump, str]) -> None:
    frame = frame_of(core[0], "crash_here")
    assert frame["calls"] == 21  # the function's own static
    assert frame["g_access"] == "Read | Execute"


def test_every_thread_has_its_own(core: tuple[stillframe.Dump, str]) -> None:
    frames = [frame for thread in core[0].threads for frame in thread.frames if frame.name.startswith("worker")]
    slots = [frame["t_slot"] for frame in frames]
    assert all(isinstance(slot, Value) for slot in slots)
    assert sorted(int(slot) for slot in slots if isinstance(slot, Value)) == [100, 200]


def test_layouts(core: tuple[stillframe.Dump, str]) -> None:
    dump, _ = core
    bits = [
        (member.name, 8 * (member.offset_bytes or 0) + member.bits[0], member.bits[1])
        for member in dump.type("Bits").fields
        if member.bits is not None
    ]
    assert bits == [("a", 0, 3), ("b", 3, 5), ("c", 8, 1), ("d", 9, 40)]
    assert dump.type("Mode").size_bytes == 1
    assert {each.name: each.value for each in dump.type("Access").enumerators}["Execute"] == 4
    assert {base.kind for base in dump.type("Left").bases} == {"virtual_base"}
