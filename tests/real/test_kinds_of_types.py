"""Values of the rarer types: floating-point formats, characters, wide integers, odd enumerations, pointers to members,
arrays of all kinds, alternatives. The tables are taken from the sources, which are compiled and crashed here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import stillframe
from stillframe import Absent, Value
from stillframe.model.absent import Reason
from support.cores import BUILDS, core_of

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe import Frame

PROGRAM = r"""
#include <complex>
#include <cstddef>
struct Empty {};
struct HoldsEmpty { Empty nothing; int after; };
struct NoAddress { [[no_unique_address]] Empty nothing; int after; };
struct Zero { int count; int items[0]; };
struct Flexible { int count; int items[]; };
struct Top { int top = 1; virtual ~Top() {} };
struct A { int x = 2; int a = 3; virtual int fa() { return 1; } };
struct B { int b = 4; virtual int fb() { return 2; } int plain() { return 3; } };
struct C : A, B { int c = 5; int fb() override { return 6; } };
struct D : virtual Top { int d = 7; };
enum class Huge : unsigned long long { Low = 1, Top = 0xFFFFFFFFFFFFFFFF };
enum class Tiny : signed char { Negative = -1, Positive = 1 };
enum class Flag : bool { Off, On };
enum class Letter : char16_t { Alpha = u'A' };

long double g_tenth = 0.1L, g_third = 1.0L / 3, g_large = 1e4000L, g_small = 3.6451995318824746025e-4951L;
long double g_infinite = __builtin_infl(), g_negative = -2.5L;
__float128 g_quad = 0.5, g_quad_third = (__float128)1 / 3;
_Complex float g_complex_float = 1.5f + 2.5jf;
_Complex double g_complex = -1.0 - 0.5j;
_Complex long double g_complex_long = 0.1L + 2.0jl;
std::complex<double> g_standard(3, 4);
float g_hundred = 100.0f, g_point_one = 0.1f;
char8_t g_c8 = u8'a'; char16_t g_c16 = u'\u65e5'; char32_t g_c32 = U'\U0001F600'; wchar_t g_wide = L'\u00e9';
__int128 g_int128 = (__int128)-1 << 100;
unsigned __int128 g_uint128 = ~(unsigned __int128)0;
std::nullptr_t g_nullptr = nullptr;
Huge g_huge = Huge::Top, g_odd = (Huge)0x8000000000000000ull;
Tiny g_tiny = Tiny::Negative; Flag g_flag = Flag::On; Letter g_letter = Letter::Alpha;
int A::*g_first = &A::x, A::*g_no_data = nullptr;
int C::*g_of_base = &C::b; int D::*g_beside_virtual = &D::d;
int (B::*g_plain)() = &B::plain; int (B::*g_no_function)() = nullptr;
int (C::*g_virtual)() = &C::fb; int (C::*g_adjusted)() = &C::plain; int (B::*g_inherited)() = &B::fb;
Empty g_empty; HoldsEmpty g_holds_empty = {{}, 8}; NoAddress g_no_address = {{}, 9};
Zero g_zero = {2}; Flexible g_flexible = {3, {7, 8, 9}};
C *g_c; B *g_b; D *g_d;
#ifdef __clang__
_BitInt(17) g_bits = -5; unsigned _BitInt(100) g_many_bits = (unsigned _BitInt(100))1 << 90;
#endif

__attribute__((noinline)) int lengths(int n, int m) {
    int items[n]; char text[m]; short grid[n][m]; int none[n - 4];
    for (int i = 0; i < n; ++i) { items[i] = i * i; for (int j = 0; j < m; ++j) grid[i][j] = 10 * i + j; }
    for (int i = 0; i < m; ++i) text[i] = 'a' + i;
    text[m - 1] = 0;
    asm volatile("" : : "r"(items), "r"(text), "r"(grid), "r"(none) : "memory");
    *(volatile int *)0 = 1;
    asm volatile("" : : "r"(items), "r"(text), "r"(grid), "r"(none), "r"(n), "r"(m) : "memory");
    return 0;
}
int main(int count, char **) {
    g_c = new C; g_b = new B; g_d = new D;
    return lengths(count + 3, count + 4);
}
"""
VALUES: dict[str, object] = {
    "g_third": 1 / 3,
    "g_tenth": 0.1,
    "g_large": Decimal("1E+4000"),
    "g_small": Decimal("4E-4951"),  # 3.6451995318824746025e-4951 is the smallest there is
    "g_infinite": float("inf"),
    "g_negative": -2.5,
    "g_quad": 0.5,
    "g_quad_third": 1 / 3,
    "g_complex_float": 1.5 + 2.5j,
    "g_complex": -1 - 0.5j,
    "g_complex_long": 0.1 + 2j,
    "g_standard": {"_M_value": 3 + 4j},
    "g_hundred": 100.0,
    "g_c8": ord("a"),
    "g_c16": 0x65E5,
    "g_c32": 0x1F600,
    "g_wide": 0xE9,
    "g_int128": -1 << 100,
    "g_uint128": (1 << 128) - 1,
    "g_nullptr": None,
    "g_huge": "Top",
    "g_odd": 1 << 63,
    "g_tiny": "Negative",
    "g_flag": "On",
    "g_letter": "Alpha",
    "g_first": 8,  # behind the vtable pointer
    "g_no_data": None,
    "g_of_base": 24,  # A has 16 bytes, and B begins with a vtable pointer
    "g_no_function": None,
    "g_empty": {},
    "g_holds_empty": {"nothing": {}, "after": 8},
    "g_no_address": {"nothing": {}, "after": 9},
    "g_zero": {"count": 2, "items": []},
    "g_flexible": {"count": 3, "items": Absent.because(Reason.COUNT_UNKNOWN)},
}
BIT_PRECISE = {"g_bits": -5, "g_many_bits": 1 << 90}
TEXTS = {
    "g_tenth": "0.1",
    "g_third": "0.33333333333333333334",  # 1/3 in 64 bits is 0.333333333333333333342
    "g_large": "1e+4000",
    "g_quad_third": "0.3333333333333333333333333333333333",
    "g_hundred": "100.0",
    "g_point_one": "0.1",
    "g_infinite": "inf",
    "g_complex": "-1.0 + -0.5i",
    "g_c8": "97 u8'a'",
    "g_c16": "26085 u'日'",
    "g_wide": "233 L'é'",
    "g_nullptr": "nullptr",
    "g_first": "&A::x",
    "g_no_data": "nullptr",
    "g_of_base": "&C::b",
    "g_beside_virtual": "&D::d",
    "g_no_function": "nullptr",
    "g_empty": "{}",
    "g_flexible": "{count=3, items={…}}",
}
FUNCTIONS = {
    "g_plain": r"^program!B::plain \(0x",
    "g_virtual": r"^virtual program!C::fb \(0x",
    "g_inherited": r"^virtual program!B::fb \(0x",
    "g_adjusted": r"^program!B::plain \(0x[0-9a-f]+\) this\+16$",
}
LENGTHS = {
    "items": ("int[4]", 16, [0, 1, 4, 9]),
    "text": ("char[5]", 5, "abcd"),
    "grid": ("short[4][5]", 40, [[10 * row + column for column in range(5)] for row in range(4)]),
    "none": ("int[0]", 0, []),
}


@pytest.fixture(scope="module", params=BUILDS, ids="".join)
def core(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[stillframe.Dump, tuple[str, str]]:
    compiler, level = request.param
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "program.cpp").write_text(PROGRAM)
    command = [compiler, "-g", level, "-std=gnu++20", "-w", "program.cpp", "-o", "program"]
    # Of classes that are not constructed here clang describes nothing else.
    command += ["-fstandalone-debug"] if compiler.startswith("clang") else []
    subprocess.run(command, cwd=folder, check=True)
    return stillframe.open(core_of("./program", folder)), request.param


def test_values(core: tuple[stillframe.Dump, tuple[str, str]]) -> None:
    dump, (compiler, _) = core
    for name, expected in (VALUES | (BIT_PRECISE if compiler.startswith("clang") else {})).items():
        value = dump[name]
        assert isinstance(value, Value), (name, value)
        assert (name, value.read()) == (name, expected)


def test_texts(core: tuple[stillframe.Dump, tuple[str, str]]) -> None:
    dump, _ = core
    assert {name: str(dump[name]) for name in TEXTS} == TEXTS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_pointers_to_member_functions(name: str, core: tuple[stillframe.Dump, tuple[str, str]]) -> None:
    assert re.search(FUNCTIONS[name], str(core[0][name]))


def frame_of(dump: stillframe.Dump, name: str) -> Frame:
    assert dump.crashed_thread is not None
    return next(frame for frame in dump.crashed_thread.frames if frame.name.partition("(")[0] == name)


def test_arrays_of_variable_length(core: tuple[stillframe.Dump, tuple[str, str]]) -> None:
    dump, (_, level) = core
    frame = frame_of(dump, "lengths")
    for name, (type_name, size_bytes, expected) in LENGTHS.items():
        value: Any = frame[name]
        if isinstance(value, Absent) and level == "-O2":
            continue
        spelled = value.type.name.replace("short int", "short")
        if level == "-O2" and value.type.is_flexible_array:  # the count is optimised away
            assert isinstance(value.type.size_bytes, Absent)
            continue
        assert (name, spelled, value.type.size_bytes) == (name, type_name, size_bytes)
        assert (name, value.read()) == (name, expected)


def test_alternatives_of_rust(tmp_path: Path) -> None:
    if shutil.which("rustc") is None:
        pytest.skip("rustc is needed")
    (tmp_path / "program.rs").write_text(RUST)
    subprocess.run(["rustc", "-g", "-Awarnings", "program.rs"], cwd=tmp_path, check=True)
    dump = stillframe.open(core_of("./program", tmp_path))
    frame = frame_of(dump, "program::crash")
    for name, expected in ALTERNATIVES.items():
        value = frame[name]
        assert isinstance(value, Value), (name, value)
        assert (name, str(value), value.read()) == (name, *expected)
    shapes: Any = frame["shapes"]
    *shown, tagged = (str(shape) for shape in shapes.dereference())
    assert shown == ["Empty", "Circle(2.5)", "Rect{width=3, height=4}"]
    assert re.fullmatch(r"Tagged\(9, Some\(0x[0-9a-f]+\)\)", tagged)


RUST = r"""
enum Shape { Empty, Circle(f64), Rect { width: u32, height: u32 }, Tagged(u8, Option<Box<u32>>) }
#[repr(i8)]
enum Signed { Low(u8) = -5, High(u16) = 7 }
enum Single { Only(u32) }
enum Plain { One = 1, Two = 2 }
#[inline(never)]
fn crash(shapes: &[Shape; 4], none: Option<u32>, some: Option<u32>, nothing: Option<&u32>, error: Result<u8, i64>,
         low: Signed, high: Signed, single: Single, plain: Plain, niche: Option<bool>) {
    unsafe { std::ptr::null_mut::<i32>().write_volatile(shapes.len() as i32) };
    std::hint::black_box((shapes, none, some, nothing, error, low, high, single, plain, niche));
}
fn main() {
    let shapes = [Shape::Empty, Shape::Circle(2.5), Shape::Rect { width: 3, height: 4 },
                  Shape::Tagged(9, Some(Box::new(6)))];
    crash(&shapes, None, Some(7), None, Err(-8), Signed::Low(1), Signed::High(2), Single::Only(11), Plain::Two,
          Some(false));
}
"""
ALTERNATIVES: dict[str, tuple[str, object]] = {
    "none": ("None", {"None": {}}),
    "some": ("Some(7)", {"Some": {"__0": 7}}),
    "nothing": ("None", {"None": {}}),
    "error": ("Err(-8)", {"Err": {"__0": -8}}),
    "low": ("Low(1)", {"Low": {"__0": 1}}),
    "high": ("High(2)", {"High": {"__0": 2}}),
    "single": ("Only(11)", {"Only": {"__0": 11}}),
    "plain": ("Two", "Two"),
    "niche": ("Some(false)", {"Some": {"__0": False}}),
}
