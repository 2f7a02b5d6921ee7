"""Names, members, pointers, casts, sizes and registers in expressions. Every byte of memory is written here."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent, ExpressionError, FaultError, Reason
from stillframe.errors import Unreadable
from stillframe.model.expression.expression import Expression
from stillframe.model.expression.scope import ObjectScope, Scope
from stillframe.model.value.value import Value
from support.fake_debug import BASE, HEAP, FakeDebug, FakeMember, FakeSymbol, FakeVariable, Program, program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GLOBALS, TEXT = 0x8000, HEAP + 0x200


@dataclass
class FakeScope:
    """As `_engine.ScopeRecord`."""

    function: str
    location: None = None
    is_inlined: bool = False
    rva: int = 0x1000


@dataclass
class FrameDebug(FakeDebug):
    """With one function around the only frame, and its variables."""

    function: str = "geo::Rect::area"
    variables: list[FakeVariable] = field(default_factory=list)
    function_type: int | None = None

    def scopes_at(self, rva: int) -> list[object]:
        return [FakeScope(self.function)]

    def variables_at(self, rva: int) -> list[FakeVariable]:
        return self.variables

    def function_type_at(self, rva: int) -> int | None:
        return self.function_type


@pytest.fixture
def made(tmp_path: Path) -> Program:
    """The program:

    enum class Mode : unsigned char { Idle, Busy = 7 };   enum Color { Red = 1, Blue = 40 };
    namespace geo {
    struct Shape { int m_id; const char *m_name; static int s_count; enum Kind { Round = 3 }; };
    struct Rect : Shape { int m_w, m_h; Color m_color; Mode m_mode; unsigned m_low : 3; int m_data[4]; Shape *m_next; };
    int limit = 9;
    }
    int limit = 5, x = 6, m_w = 7; wchar_t wide[3] = L"hi";
    geo::Rect *rect; geo::Rect &ref = *rect;   (locals; `depth` = 3; `gone` has no type; `this` = rect)
    """
    debug = FrameDebug()
    int_, char = debug.int_(), debug.char()
    byte, word = debug.base("unsigned char", 1, "unsigned_character"), debug.base("unsigned int", 4, "unsigned")
    mode = debug.enum("Mode", byte, Idle=0, Busy=7)
    color = debug.enum("Color", int_, Red=1, Blue=40)
    kind = debug.enum("geo::Shape::Kind", int_, Round=3)
    text = debug.pointer(debug.add("modified", target=char, is_const=True))
    shape = debug.class_(
        "geo::Shape", 16, FakeMember("m_id", int_, 0), FakeMember("m_name", text, 8),
        FakeMember("s_count", int_, None, "static"), FakeMember("Kind", kind, None, "nested_type"),
    )  # fmt: skip
    data = debug.add("array", target=int_, counts=[4], size_bytes=16)
    rect = debug.class_(
        "geo::Rect", 64, FakeMember("geo::Shape", shape, 0, "base"), FakeMember("m_w", int_, 16),
        FakeMember("m_h", int_, 20), FakeMember("m_color", color, 24), FakeMember("m_mode", mode, 28),
        FakeMember("m_low", word, 32, bits=(0, 3)), FakeMember("m_data", data, 36),
        FakeMember("m_next", debug.pointer(shape), 56),
    )  # fmt: skip
    pointer, reference = debug.pointer(rect), debug.add("reference", target=rect, size_bytes=8)
    debug.add("typedef", "Handle", target=pointer)
    debug.class_("vec<int,alloc<int> >", 24)
    wide = debug.add("array", target=debug.base("wchar_t", 2, "unicode"), counts=[3], size_bytes=6)
    globals_ = {"geo::Shape::s_count": (int_, 11), "geo::limit": (int_, 9), "limit": (int_, 5), "x": (int_, 6)}
    globals_ |= {"m_w": (int_, 7)}
    places = {name: GLOBALS + 8 * index for index, name in enumerate(globals_)}
    debug.data = [FakeVariable(name, type_, places[name]) for name, (type_, _) in globals_.items()]
    debug.data += [FakeVariable("missing", int_, 0xF000), FakeVariable("wide", wide, 0x8100)]
    stack = 0x8200
    debug.variables = [
        FakeVariable("depth", int_, stack),
        FakeVariable("rect", pointer, stack + 8),
        FakeVariable("ref", reference, stack + 8),
        FakeVariable("this", pointer, stack + 8, is_parameter=True),
        FakeVariable("null", pointer, stack + 16),
        FakeVariable("wild", pointer, stack + 24),
        FakeVariable("bytes", text, stack + 32),
        FakeVariable("gone", None, stack),
    ]
    debug.symbols = [FakeSymbol("?work@@YAHH@Z", "work", 0x2000, "function"), FakeSymbol("raw", "raw", 0x3000)]
    debug.function_type = debug.add("function", target=int_, parameters=[int_])
    heap = struct.pack("<iiQiiiBxxxI4iiQ", 42, 0, TEXT, 6, -7, 40, 7, 5, 10, 20, 30, 40, 0, HEAP).ljust(0x200, b"\0")
    memory = {BASE + places[name]: struct.pack("<q", number) for name, (_, number) in globals_.items()}
    memory[BASE + 0x8100] = "hi\0".encode("utf-16-le")
    memory[BASE + stack] = struct.pack("<qQQQQ", 3, HEAP, 0, 0x123450, TEXT)
    return program(tmp_path, debug, heap + b"r\xc3\xa9ct\0more", memory=memory)


def evaluated(made: Program, text: str) -> Value | Absent:
    return made.dump.eval(text, made.dump.threads[0].frames[0])


def value(made: Program, text: str) -> Value:
    found = evaluated(made, text)
    assert isinstance(found, Value), found
    return found


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("depth", 3),  # a local variable
        ("m_w", 6),  # a member of `this` hides the global one
        ("::m_w", 7),
        ("this->m_w", 6),
        ("m_id", 42),  # of a base
        ("s_count", 11),  # static data of a base of the class
        ("geo::Shape::s_count", 11),
        ("Shape::s_count", 11),  # the function is in `geo`
        ("Shape::m_id", 42),
        ("Rect::m_w", 6),
        ("limit", 9),  # of the namespace around the function
        ("::limit", 5),
        ("geo::limit", 9),
        ("x", 6),
        ("app!x", 6),
        ("app.exe!geo::limit + 1", 10),
        ("app!limit", 5),  # behind a module nothing around counts
        ("Mode::Busy", 7),
        ("Color::Blue", 40),
        ("Round", 3),  # of an enumeration in a base
        ("geo::Shape::Round", 3),
        ("geo::Shape::Kind::Round", 3),
    ],
)
def test_names(made: Program, text: str, number: int) -> None:
    assert int(value(made, text)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("rect->m_w * rect->m_h", -42),
        ("(*rect).m_w", 6),
        ("ref.m_w", 6),
        ("rect->Shape::m_id", 42),
        ("rect->geo::Shape::m_id", 42),
        ("rect->Rect::m_w", 6),
        ("rect->m_data[1] + rect->m_data[2]", 50),
        ("2[rect->m_data]", 30),
        ("*rect->m_data", 10),
        ("*(rect->m_data + 3)", 40),
        ("rect->m_data->x", None),
        ("&rect->m_data[3] - &rect->m_data[0]", 3),
        ("(char*)&rect->m_data[1] - (char*)rect->m_data", 4),
        ("rect->m_low", 5),
        ("rect->m_low - 6", -1),  # a bit-field of 3 bits is promoted to `int` ([conv.prom])
        ("(int)-3.99 + (unsigned char)255.9", 252),
        ("rect->m_next->m_id", 42),
        ("((geo::Rect*)rect->m_next)->m_h", -7),
        ("static_cast<geo::Rect*>(rect->m_next)->m_h", -7),
        ("((Handle)rect->m_next)->m_w", 6),
        ("*(int*)rect", 42),
        ("*(unsigned char*)&depth", 3),
        ("rect->m_color == Blue", 1),
        ("Red != rect->m_color", 1),
        ("rect->m_color == 40", 1),
        ("rect->m_mode == Mode::Busy", 1),
        ("rect->m_color + 1", 41),
        ("(app!Color)-1 == -1", 1),
        ("null == nullptr", 1),
        ("null == 0", 1),
        ("rect != null && rect->m_w > 5", 1),
        ("null && null->m_w", 0),
        ("!null || null->m_w", 1),
        ("null ? null->m_w : -1", -1),
        ("rect ? rect->m_w : -1", 6),
        ("!rect", 0),
        ("rect > null", 1),
        ("(long long)rect", HEAP),
        ("&*null == null", 1),
        ("&ref == rect", 1),
        ("bytes[0]", 114),
        ("*bytes == 'r'", 1),
        ("this == rect", 1),
        ("&work", BASE + 0x2000),
        ("(long long)work == (long long)&work", 1),
        ("(unsigned long long)&raw", BASE + 0x3000),
        ("(unsigned long long)&app!raw + 1", BASE + 0x3001),
        ("int(3.9) + depth", 6),
        ("Color(40) == rect->m_color", 1),
        ("dynamic_cast<geo::Shape*>(rect) == rect->m_next", 1),
    ],
)
def test_members_pointers_and_casts(made: Program, text: str, number: int | None) -> None:
    if number is None:
        with pytest.raises(ExpressionError, match="int has no members"):
            evaluated(made, text)
        return
    assert int(value(made, text)) == number


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("sizeof(geo::Rect)", 64),
        ("sizeof(Rect)", 64),
        ("sizeof(struct geo::Shape)", 16),
        ("sizeof(rect)", 8),
        ("sizeof(*rect)", 64),
        ("sizeof *rect", 64),
        ("sizeof(ref)", 64),
        ("sizeof(rect->m_data)", 16),
        ("sizeof(null->m_data[0])", 4),
        ("sizeof(wild->m_next)", 8),
        ("sizeof(rect->m_data) / sizeof(rect->m_data[0])", 4),
        ("sizeof(Handle)", 8),
        ("sizeof(geo::Rect[2])", 128),
        ("sizeof(vec<int, alloc<int>>)", 24),
        ("sizeof(vec<int,alloc<int> >)", 24),
        ("sizeof(Handle[3])", 24),
        ("sizeof(wide)", 6),
        ("sizeof(long)", 4),
        ("sizeof(wchar_t)", 2),
        ("sizeof(unsigned long int)", 4),
    ],
)
def test_sizes_need_no_memory(made: Program, text: str, size: int) -> None:
    found = value(made, text)
    assert int(found) == size
    assert found.type.size_bytes == 8


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("rect", "geo::Rect *"),
        ("*rect", "geo::Rect"),
        ("&rect", "geo::Rect **"),
        ("&rect->m_data", "int (*)[4]"),
        ("rect->m_data + 1", "int *"),
        ("(const char*)rect", "const char *"),
        ("(int (*)[4])rect", "int (*)[4]"),
        ("(void (*)(int, char))0", "void (*)(int, char)"),
        ("(int (*)(const char *, ...))0", "int (*)(const char *, ...)"),
        ("(volatile int *)rect", "volatile int *"),
        ("(int *const volatile)rect", "int *const volatile"),
        ("(long unsigned int long)1", "unsigned long long"),
        ("(short unsigned)1", "unsigned short"),
        ("(double long)1", "long double"),
        # [expr.cond]: a null pointer constant has the other side's type, arrays decay
        ("depth == 3 ? 0 : rect", "geo::Rect *"),
        ("depth == 3 ? rect : 0", "geo::Rect *"),
        ("depth == 3 ? rect->m_data : 0", "int *"),
        ("depth == 3 ? 0 : rect->m_data", "int *"),
        ("(unsigned long long)1", "unsigned long long"),
        ("0x7fffffff + 1l", "long"),
        ("depth + 1u", "unsigned int"),
        ("rect->m_mode", "Mode"),
        ("work", "int (int)"),
        ("&work", "int (*)(int)"),
        ("rect == null", "bool"),
        ("2147483648", "long long"),  # `long` has 4 bytes on Windows
    ],
)
def test_types_of_results(made: Program, text: str, type_: str) -> None:
    assert value(made, text).type.name == type_


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("depth + nothing", 9, "nothing means nothing in geo::Rect::area: no variable"),
        ("depth + geo::Rect", 9, "geo::Rect is a type, not a value"),
        ("rect->m_x", 7, "geo::Rect has no member m_x"),
        ("depth.x", 7, "int has no members"),
        ("ref->m_w", 6, "geo::Rect is no pointer: use '.'"),
        ("depth[1]", 6, "int has no elements"),
        ("*depth", 1, "int is no pointer"),
        ("*(void*)rect", 1, "says not what it points to"),
        ("&3", 1, "has no address"),
        ("1 / (depth - 3)", 3, "division by zero"),
        ("1 + 10 % 0", 8, "division by zero"),
        ("1 << 32", 3, "int cannot be shifted by 32"),
        ("1 << -1", 3, "cannot be shifted by -1"),
        ("1.5 % 2", 5, "% is not for double"),
        ("rect * 2", 6, r"\* is not for geo::Rect \*"),
        ("rect + rect", 6, "is not for"),
        ("*rect + 1", 7, "geo::Rect is no number"),
        ("*rect && 1", 1, "geo::Rect is no number, so it is neither true nor false"),
        ("work(3)", 1, "does not run code of the program: work is not called"),
        ("rect->area()", 11, "does not run code of the program"),
        ("geo::Rect(1, 2)", 1, "no object of geo::Rect is made"),
        ("(Nothing*)rect", 2, "Nothing: no type of this name"),
        *((f"({words})1", 2, f"{words}: no type") for words in ("unsigned float", "signed unsigned", "long long long")),
        *((f"({words})1", 2, f"{words}: no type") for words in ("short char", "short long", "double int", "long bool")),
        ("sizeof(Nothing)", 8, "Nothing means nothing in"),
        ("nomodule!x", 1, "nomodule: no module of this name"),
        ("@rxx + 1", 1, "rxx is no register"),
        ("1 + (int)1e10", 5, "10000000000.0 does not fit in int"),
        ("(unsigned)-1.5", 1, "does not fit"),
        ("(long long)(1e308 * 10)", 1, "inf does not fit"),
        ("(int)(1e308 * 10 - 1e308 * 10)", 1, "nan does not fit"),
        ("sizeof(void)", 8, "void has no size"),
        ("sizeof(work)", 8, "has no size"),
        ("&rect->m_low", 1, "has no address"),
        ("(void)depth", 1, "nothing is left of what is cast to void"),
        ("depth,10", 7, "int has no elements"),
        ("rect,[0 - 1]", 9, "-1 elements are not shown"),
        ("rect,[1ull << 40]", 12, "1,099,511,627,776 elements are not shown"),
    ],
)
def test_mistakes_are_told_at_their_column(made: Program, text: str, column: int, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason) as caught:
        evaluated(made, text)
    assert caught.value.column == column


def test_what_is_missing_is_a_value(made: Program) -> None:
    frame = made.dump.threads[0].frames[0]
    assert frame.eval("gone") == Absent.because(Reason.TYPE_NOT_RECORDED)
    assert frame.eval("gone + 1") == Absent.because(Reason.TYPE_NOT_RECORDED)
    lazy = value(made, "wild->m_w")  # an address is known, its byte is not
    assert lazy.address == 0x123450 + 16
    assert lazy.absent is not None
    assert isinstance(frame.eval("wild->m_w + 1"), Absent)
    with pytest.raises(FaultError) as caught:
        Expression("wild->m_next->m_id").value(frame.scope)
    assert caught.value.address == 0x123450 + 56


def test_without_a_frame_there_are_globals_and_types(made: Program) -> None:
    assert int(made.dump.eval("limit + (int)Mode::Busy")) == 12  # type: ignore[arg-type]
    with pytest.raises(ExpressionError, match="depth means nothing here"):
        made.dump.eval("depth")
    with pytest.raises(ExpressionError, match="no 'this'"):
        made.dump.eval("this->m_w")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("depth", "3"),
        ("depth,x", "0x00000003"),
        ("depth,X", "0x00000003"),
        ("rect->m_h,x", "0xfffffff9"),
        ("rect->m_h,X", "0xFFFFFFF9"),
        ("rect->m_h,xb", "fffffff9"),
        ("rect->m_h,Xb", "FFFFFFF9"),
        ("rect->m_h,u", "4294967289"),
        ("rect->m_h,d", "-7"),
        ("depth,o", "03"),
        ("(char)5,b", "0b00000101"),
        ("(char)5,bb", "00000101"),
        ("97,c", "97 'a'"),
        ("rect->m_color", "Blue"),
        ("rect->m_color,d", "40"),
        ("rect->m_color,x", "0x00000028"),
        ("rect->m_color,en", "Blue"),
        ("1.5,e", "1.500000e+00"),
        ("0.1,g", "0.1"),
        ("rect->m_data", "{10, 20, 30, 40}"),
        ("rect->m_data,2", "{10, 20}"),
        ("rect->m_data,x", "{0x0000000a, 0x00000014, 0x0000001e, 0x00000028}"),
        ("&rect->m_data[1],3", "{20, 30, 40}"),
        ("&rect->m_data[1],[depth - 1]", "{20, 30}"),
        ("&rect->m_data[1],2x", "{0x00000014, 0x0000001e}"),
        ("bytes,s", '"réct"'),
        ("bytes,s8b", "réct"),
        ("(void*)bytes,s", '"réct"'),
        ("bytes,na", '"réct"'),
        ("wide,su", '"hi"'),
        ("(int*)wide,sub", "hi"),
        ("null,s", "nullptr"),
        ("wild,s", "<not in this dump>"),
        ("2147942405,hr", "0x0000000080070005"),
        ("(int)2147942405,hr", "0x80070005"),
    ],
)
def test_format_specifiers(made: Program, text: str, shown: str) -> None:
    assert str(value(made, text)) == shown


WORDS = ["depth", "rect", "*rect", "ref", "null", "wild", "bytes", "gone", "work", "raw", "wide", "limit", "missing"]
WORDS += ["rect->m_data", "rect->m_color", "rect->m_low", "Mode::Busy", "Blue", "geo::Rect", "this", "nothing", "@rip"]
WORDS += ["0", "1", "1.5", "1e308", "'a'", '"text"', "nullptr", "true", "18446744073709551615", "0x8000000000000000"]
BETWEEN = ["+", "-", "*", "/", "%", "<<", ">>", "<", "==", "&", "|", "^", "&&", "||", "?1:", "["]
BEFORE = [
    "-",
    "~",
    "!",
    "*",
    "&",
    "sizeof ",
    "(int)",
    "(char*)",
    "(geo::Shape*)",
    "(geo::Rect&)",
    "(Mode)",
    "(bool)",
    "(float)",
]
BEFORE += ["dynamic_cast<geo::Shape*>(", "reinterpret_cast<int>(", "(long double)", "(void*)", "(int(*)[2])", "work("]
BEHIND = ["", "", "", ".m_w", "->m_id", "[0]", "[-1]", ",x", ",s", ",su", ",3", ",c", ",!", ",e", ",[depth]s32b"]


def test_random_expressions_are_values_or_errors_with_a_column(made: Program) -> None:
    """Whatever is asked of whatever: no other exception, no endless text."""
    source = random.Random(4)
    scope = made.dump.threads[0].frames[0].scope

    def grown(depth: int) -> str:
        if not depth:
            return source.choice(WORDS)
        if source.random() < 0.5:
            before = source.choice(BEFORE)
            return f"{before}{grown(depth - 1)}{')' * (before.count('(') > before.count(')'))}"
        between = source.choice(BETWEEN)
        return f"({grown(depth - 1)}) {between} ({grown(depth - 1)}){']' * (between == '[')}"

    values = 0
    for _ in range(6000):
        text = f"({grown(source.randint(0, 3))}){source.choice(BEHIND)}"
        found, error = outcome(scope, text)
        if error is not None:
            assert 1 <= error.column <= len(text) + 1, text
            assert "\n" not in str(error), text
        elif found is not None:
            values += 1
            assert len(found.format()) <= 200, text
    assert values > 500


def outcome(scope: Scope, text: str) -> tuple[Value | None, ExpressionError | None]:
    try:
        return Expression(text).value(scope), None
    except ExpressionError as error:
        return None, error
    except Unreadable:
        return None, None


def test_deep_trees_are_evaluated(made: Program) -> None:
    assert int(value(made, "(" * 60 + "depth" + ")" * 60)) == 3
    assert int(value(made, "- " * 90 + "depth")) == 3
    assert int(value(made, "+".join(["depth"] * 90))) == 270
    assert int(value(made, "*&" * 45 + "depth")) == 3


def test_registers_and_pseudo_variables(tmp_path: Path) -> None:
    from support.dump_builder import DumpBuilder

    registers = {"rax": 0x1122334455667788, "rip": 0x401000, "rsp": 0x7000, "rbp": 0x7100, "r9": 0xFFEE}
    dump = stillframe.open(DumpBuilder("amd64").thread(5, registers).write(tmp_path / "registers.dmp"))
    frame = dump.threads[0].frames[0]
    expected = {
        "@rax": registers["rax"],
        "$rax": registers["rax"],
        "@eax": 0x55667788,
        "@AX": 0x7788,
        "@al": 0x88,
        "@ah": 0x77,
        "@r9w": 0xFFEE,
        "@r9b": 0xEE,
        "$ip": 0x401000,
        "@$pc": 0x401000,
        "$sp": 0x7000,
        "@rsp + 8": 0x7008,
        "(@rax >> 8) & 0xff": 0x77,
        "$tid": 5,
    }
    assert {text: int(frame.eval(text)) for text in expected} == expected  # type: ignore[arg-type]
    types = {text: frame.eval(text).type.name for text in ("@rax", "@eax", "@al", "$pc")}  # type: ignore[union-attr]
    assert types == {
        "@rax": "unsigned long long",
        "@eax": "unsigned int",
        "@al": "unsigned char",
        "$pc": "void *",
    }
    with pytest.raises(ExpressionError, match="x0 is no register"):
        frame.eval("@x0")


class Intrinsics(Scope):
    """A scope with a function of its own, as visualizers bring them."""

    def call(self, name: str, arguments: Sequence[Value]) -> Value | None:
        return arguments[0] * 2 if name == "twice" else None

    def substituted(self, name: str) -> str:
        return name.replace("$T1", "geo::Rect")


def test_an_object_is_a_scope(made: Program) -> None:
    """What visualizers need: members without `this`, names of their own, intrinsics, one text for many objects."""
    outer = Intrinsics(made.process, made.dump.modules[0])
    rect = value(made, "*rect")
    names: Mapping[str, Value] = {"m_w": value(made, "100"), "$i": value(made, "2")}
    assert int(Expression("m_w").value(ObjectScope(rect, outer))) == 6
    assert int(Expression("m_w + m_id").value(ObjectScope(rect, outer, names))) == 142
    assert int(Expression("m_data[$i]").value(ObjectScope(rect, outer, names))) == 30
    assert int(Expression("twice(this->m_w) + 1").value(ObjectScope(rect, outer))) == 13
    assert int(Expression("limit").value(ObjectScope(rect, outer))) == 9
    assert Expression("($T1*)m_next").value(outer_of(rect, outer)).type.name == "geo::Rect *"
    text = Expression("m_data[3] - m_w")
    second = rect.object_at_(rect.type, HEAP - 4)
    assert [int(text.value(ObjectScope(each, outer))) for each in (rect, second)] == [34, 30]


class Substituting(ObjectScope):
    """Hands the names in a visualizer's wildcards on."""

    def substituted(self, name: str) -> str:
        return self._outer.substituted(name)


def outer_of(rect: Value, outer: Scope) -> ObjectScope:
    return Substituting(rect, outer)
