"""Types and values of constant expressions, beside those of the C++ compiler of this machine."""

from __future__ import annotations

import random
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from stillframe.model.expression.expression import Expression
from support.dump_builder import LINUX
from support.fake_debug import FakeDebug, program

if TYPE_CHECKING:
    from pathlib import Path

WRITTEN = """
1 + 2 * 3
7 / 2
-7 / 2
-7 % 3
7 % -3
1u - 2
1 - 2u
1u - 2 > 0
-1 < 1u
-1L < 1u
-1 < 1ul
2147483647 + 1
2147483647
2147483648
4294967295
0x7fffffff
0x80000000
0xffffffff
0xffffffffff
0x8000000000000000
9223372036854775807
18446744073709551615u
1l + 1ll
1ul + 1ll
1u + 1l
true + true
!5
!0.0
!!7
'a' + 1
'a'
-'a'
+'a'
~'a'
'a' == 97
L'a' + 0
u'a' + 0
U'a' + 0
(char)200
(unsigned char)200 + 1
(signed char)200
(short)70000
(unsigned short)-1
(unsigned short)-1 * (unsigned short)-1
(int)3.99
(int)-3.99
(unsigned)-1
(bool)0.5
(bool)256
(char)(bool)7
(long long)1 << 40
1 << 31
1u << 31
-1 >> 1
-1u >> 1
(unsigned char)255 << 4
(short)-1 >> 1
~0u
~0
~0ul
5 & 3 | 8
5 ^ 3 & 1
1 == 1 == 1
3 > 2 > 1
1 < 2 == true
1 || 0 && 0
0 ? 1 : 2
1 ? 1 : 2.5
0 ? 1 : 2u
1 ? (char)1 : (short)2
1 ? true : false
1 ? 'a' : 98
1.0f / 3
1.0f / 3.0f
1 / 3.0
1 / 3
1e300 * 1e10
0.1 + 0.2
0.1f + 0.2f
(float)16777217
(double)(float)0.1
(float)0.1
1.5L + 1
0x1.8p3
.5
1'000'000 * 1'000
0b1010 | 0x50
017
sizeof(int)
sizeof(long)
sizeof(char) - 2
sizeof(long double)
sizeof(wchar_t)
sizeof(void *)
sizeof(int[3][4])
sizeof(int (*)[4])
sizeof("abc")
sizeof(L"abc")
sizeof('a')
sizeof(1 + 'a')
sizeof 1 + 2
sizeof(short) * 3
int(3.7) + unsigned(1)
static_cast<unsigned char>(300)
(long)(int)0x80000000
(unsigned long)(int)0x80000000
(unsigned long)(unsigned)-1
(long)0xffffffffu
"abc"[1]
1["abc"]
*"abc"
L"abc"[2]
(long unsigned int)5
(unsigned long long int)5
(short int)5
"""
"""An expression a line."""

OPERATORS = ["+", "-", "*", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=", "&&", "||"]
TYPES = ["char", "signed char", "unsigned char", "short", "unsigned short", "int", "unsigned", "long", "unsigned long"]
TYPES += ["long long", "unsigned long long", "bool"]
LITERALS = [
    "0",
    "1",
    "7",
    "255u",
    "-1",
    "2147483647",
    "0x80000000",
    "4294967296",
    "3ull",
    "'z'",
    "true",
    "100l",
    "65535",
]
PROGRAM = r"""
#include <cstdio>
#define SHOW(type, format) static void show(type value) { std::printf(#type " " format "\n", value); }
#define SHOW_AS(type, format, as) static void show(type value) { std::printf(#type " " format "\n", (as)value); }
SHOW(bool, "%%d") SHOW(char, "%%d") SHOW(signed char, "%%d") SHOW(unsigned char, "%%d") SHOW(short, "%%d")
SHOW(unsigned short, "%%d") SHOW(int, "%%d") SHOW(unsigned int, "%%u") SHOW(long, "%%ld") SHOW(unsigned long, "%%lu")
SHOW(long long, "%%lld") SHOW(unsigned long long, "%%llu") SHOW_AS(wchar_t, "%%ld", long)
SHOW_AS(char16_t, "%%ld", long) SHOW_AS(char32_t, "%%ld", long)
SHOW_AS(float, "%%.17g", double) SHOW(double, "%%.17g") SHOW_AS(long double, "%%.17g", double)
int main()
{
%s
}
"""
SAME_SIZE = {"long long": "long", "unsigned long long": "unsigned long", "size_t": "unsigned long", "ptrdiff_t": "long"}
"""Where we name another type of the same size and signedness than the compiler, as debug information does, too."""


def generated(count: int) -> list[str]:
    source = random.Random(11)

    def grown(depth: int) -> str:
        if depth == 0 or source.random() < 0.1:
            return source.choice(LITERALS)
        match source.randrange(8):
            case 0:
                return f"({source.choice(TYPES)}){operand(depth)}"
            case 1:
                return f"{source.choice('-~!+')} {operand(depth)}"
            case 2:
                return f"{operand(depth)} {source.choice(['/', '%'])} ({operand(depth)} | 1)"
            case 3:
                return f"({operand(depth)} {source.choice(['<<', '>>'])} ({operand(depth)} & 15))"
            case 4:
                return f"({grown(depth - 1)}) ? {operand(depth)} : {operand(depth)}"
            case _:
                return f"{grown(depth - 1)} {source.choice(OPERATORS)} {grown(depth - 1)}"

    def operand(depth: int) -> str:
        return f"({grown(depth - 1)})"

    return [grown(3) for _ in range(count)]


def by_compiler(folder: Path, expressions: list[str]) -> list[str]:
    compiler = next(filter(None, map(shutil.which, ("g++", "clang++", "clang++-19"))), None)
    if compiler is None:
        pytest.skip("no C++ compiler on this machine")
    source, binary = folder / "values.cpp", folder / "values"
    source.write_text(PROGRAM % "\n".join(f"    show({each});" for each in expressions), encoding="utf-8")
    flags = ["-std=c++20", "-w", "-fwrapv", "-fpermissive", "-O0"]
    subprocess.run([compiler, *flags, str(source), "-o", str(binary)], check=True, capture_output=True)
    output = subprocess.run([str(binary)], check=True, capture_output=True, text=True).stdout
    return output.splitlines()


def by_us(folder: Path, expressions: list[str]) -> list[str]:
    scope = program(folder, FakeDebug(), platform=LINUX).dump.scope
    lines = []
    for each in expressions:
        value = Expression(each).value(scope)
        number = value.number_()
        shown = f"{number:.17g}" if isinstance(number, float) else str(number)
        lines.append(f"{value.type.unqualified.name} {shown}")
    return lines


def is_same(ours: str, theirs: str) -> bool:
    (our_type, _, our_number), (their_type, _, their_number) = ours.rpartition(" "), theirs.rpartition(" ")
    return our_number == their_number and SAME_SIZE.get(our_type, our_type) == SAME_SIZE.get(their_type, their_type)


def test_types_and_values_are_those_of_the_compiler(tmp_path: Path) -> None:
    expressions = WRITTEN.strip().splitlines() + generated(600)
    theirs, ours = by_compiler(tmp_path, expressions), by_us(tmp_path, expressions)
    assert len(theirs) == len(expressions)
    both = zip(expressions, theirs, ours, strict=True)
    assert [each for each in both if not is_same(each[2], each[1])] == []
