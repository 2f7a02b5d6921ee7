"""Values: reading, members, elements, casts, arithmetic. Every byte is written here, little-endian."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

import pytest

from stillframe import Absent, FaultError, Reason
from stillframe.errors import NoSuchMember, OperationError, Unreadable
from stillframe.model.value.floats import QUAD, SINGLE, X87, FloatFormat, decode, encode, shortest
from stillframe.model.value.location import AtHand, InParts, Missing, Nowhere, Part
from stillframe.model.value.value import Value
from support.dump_builder import LINUX
from support.fake_debug import BASE, HEAP, FakeDebug, FakeMember, FakeSymbol, FakeVariable, program

if TYPE_CHECKING:
    from pathlib import Path

CONSTANTS = 0x600000


@pytest.mark.parametrize(
    ("name", "size", "encoding", "data", "read", "text"),
    [
        ("int", 4, "signed", b"\xfe\xff\xff\xff", -2, "-2"),
        ("unsigned int", 4, "unsigned", b"\xfe\xff\xff\xff", 0xFFFFFFFE, "4294967294"),
        ("__int128", 16, "signed", b"\xff" * 16, -1, "-1"),
        ("bool", 1, "boolean", b"\1", True, "true"),
        ("bool", 1, "boolean", b"\2", True, "true (2)"),
        ("char", 1, "signed_character", b"a", 97, "97 'a'"),
        ("char", 1, "signed_character", b"\n", 10, "10 '\\n'"),
        ("char", 1, "signed_character", b"\xc3", -61, "-61 '\\xc3'"),
        ("unsigned char", 1, "unsigned_character", b"a", 97, "97"),
        ("wchar_t", 2, "unicode", "é".encode("utf-16-le"), 0xE9, "233 L'é'"),
        ("char32_t", 4, "unicode", b"\xff\xff\xff\xff", 0xFFFFFFFF, "4294967295 U'\\?'"),
        ("float", 4, "float", struct.pack("<f", 0.1), struct.unpack("<f", struct.pack("<f", 0.1))[0], "0.1"),
        ("double", 8, "float", struct.pack("<d", 2.0), 2.0, "2.0"),
        ("double", 8, "float", struct.pack("<d", 1e300), 1e300, "1e+300"),
        ("HRESULT", 4, "hresult", b"\x05\x00\x07\x80", -2147024891, "0x80070005"),
        ("odd", 3, "unknown", b"\1\2\3", b"\1\2\3", "<01 02 03>"),
        ("nullptr_t", 8, "null", bytes(8), None, "nullptr"),
        ("complex", 8, "complex", struct.pack("<ff", 1, -2), 1 - 2j, "1.0 + -2.0i"),
    ],
)
def test_fundamental_types(
    name: str, size: int, encoding: str, data: bytes, read: object, text: str, tmp_path: Path
) -> None:
    debug = FakeDebug()
    made = program(tmp_path, debug, data)
    value = made.value(debug.base(name, size, encoding))
    assert value.read() == read
    assert str(value) == text
    assert value.bytes_ == data


def test_floats_of_ten_and_sixteen_bytes() -> None:
    # 1.5 is 1.1b: x87 has the leading one in bit 63 of its fraction, IEEE's quad format has not.
    x87 = (0xC000000000000000).to_bytes(8, "little") + (16383).to_bytes(2, "little")
    assert decode(x87 + bytes(6), X87) == 1.5
    quad = (1 << 111 | 16383 << 112).to_bytes(16, "little")
    assert decode(quad, QUAD) == 1.5
    assert decode(bytes(9) + b"\x80", X87) == 0.0
    infinite = (1 << 63).to_bytes(8, "little") + b"\xff\xff"
    assert decode(infinite, X87) == float("-inf")
    assert shortest(struct.pack("<f", 16777216.0), SINGLE) == "16777216.0"


def test_bit_fields(tmp_path: Path) -> None:
    """`struct Flags { unsigned a : 3; unsigned b : 5; int c : 9; }` of a = 5, b = 17, c = -3."""
    debug = FakeDebug()
    unsigned, int_ = debug.base("unsigned int", 4, "unsigned"), debug.int_()
    members = (
        FakeMember("a", unsigned, 0, bits=(0, 3)),
        FakeMember("b", unsigned, 0, bits=(3, 5)),
        FakeMember("c", int_, 0, bits=(8, 9)),
    )
    flags = debug.class_("Flags", 4, *members)
    value = program(tmp_path, debug, (5 | 17 << 3 | (-3 & 0x1FF) << 8).to_bytes(4, "little")).value(flags)
    assert value.read() == {"a": 5, "b": 17, "c": -3}
    assert str(value) == "{a=5, b=17, c=-3}"
    assert value.c + 1 == -2
    with pytest.raises(OperationError):
        value["c"].address_of()


def test_a_bit_field_needs_no_bytes_beside_it(tmp_path: Path) -> None:
    debug = FakeDebug()
    flags = debug.class_("Flags", 4, FakeMember("a", debug.int_(), 0, bits=(0, 3)))
    assert program(tmp_path, debug, b"\x03").value(flags)["a"] == 3


def test_members_elements_and_pointers(tmp_path: Path) -> None:
    debug = FakeDebug()
    int_ = debug.int_()
    point = debug.class_("Point", 8, FakeMember("x", int_), FakeMember("y", int_, 4))
    row = debug.add("array", target=point, counts=[2, 2])
    pointer = debug.pointer(point)
    heap = struct.pack("<8i", *range(8)) + (HEAP + 8).to_bytes(8, "little")
    made = program(tmp_path, debug, heap)
    rows = made.value(row)
    assert (len(rows), len(rows[1])) == (2, 2)
    assert rows[1][0].y == 5
    assert [[each.x.read() for each in row] for row in rows] == [[0, 2], [4, 6]]
    assert rows.read() == [[{"x": 0, "y": 1}, {"x": 2, "y": 3}], [{"x": 4, "y": 5}, {"x": 6, "y": 7}]]
    held = made.value(pointer, HEAP + 32)
    assert [held.x, held["y"], held[1]["x"], held.dereference().y] == [2, 3, 4, 3]
    assert (held + 1).address is None
    assert int(held + 1) == HEAP + 16
    assert (held + 1) - held == 1
    assert held + 1 > held
    assert rows[0][1].address_of() == held
    with pytest.raises(NoSuchMember) as caught:
        held["z"]
    assert (caught.value.type, caught.value.name) == ("Point", "z")
    assert not hasattr(held, "z")
    assert not hasattr(rows, "z")
    with pytest.raises(OperationError, match="has no elements"):
        held.x[0]


def test_a_name_that_values_have_themselves_is_a_member_in_brackets(tmp_path: Path) -> None:
    debug = FakeDebug()
    made = program(tmp_path, debug, b"\7\0\0\0")
    value = made.value(debug.class_("Odd", 4, FakeMember("type", debug.int_())))
    assert value["type"] == 7
    assert value.type.name == "Odd"


def test_references_are_what_they_refer_to(tmp_path: Path) -> None:
    debug = FakeDebug()
    point = debug.class_("Point", 4, FakeMember("x", debug.int_()))
    made = program(tmp_path, debug, (HEAP + 8).to_bytes(8, "little") + b"\5\0\0\0")
    value = made.value(debug.add("reference", target=point, size_bytes=8))
    assert value.x == 5
    assert (str(value), value.read(), value.dereference().address) == ("{x=5}", {"x": 5}, HEAP + 8)
    assert value.address == HEAP


def test_enumerations(tmp_path: Path) -> None:
    debug = FakeDebug()
    int_ = debug.int_()
    color = debug.enum("Color", int_, Red=1, Green=2, Blue=40)
    access = debug.enum("Access", int_, Nothing=0, Read=1, Write=2, Both=3, All=-0x80000000)
    numbers = [40, 3, 2, 3, 0, -0x80000000 | 1, 8]
    made = program(tmp_path, debug, struct.pack("<7i", *numbers))
    texts = [
        str(made.value(type_, HEAP + 4 * at))
        for at, type_ in enumerate([color, color, access, access, access, access, access])
    ]
    assert texts == ["Blue", "3", "Write", "Both", "Nothing", "Read | All", "8"]
    assert made.value(color).read() == "Blue"
    assert made.value(color) == "Blue"
    assert made.value(color) == 40
    assert made.value(color, HEAP + 4).read() == 3


# --- what is absent -----------------------------------------------------------------------------------------------


def test_absent_memory_is_said_at_the_member_alone(tmp_path: Path) -> None:
    debug = FakeDebug()
    int_ = debug.int_()
    point = debug.class_("Point", 8, FakeMember("x", int_), FakeMember("y", int_, 4))
    value = program(tmp_path, debug, b"\1\0\0\0").value(point)
    assert str(value) == f"{{x=1, y=<{Reason.NOT_IN_DUMP}>}}"
    assert value.absent == Absent.because(Reason.NOT_IN_DUMP)
    assert value.x.absent is None
    with pytest.raises(FaultError) as caught:
        value.read()
    assert (caught.value.address, caught.value.reason) == (HEAP + 4, Reason.NOT_IN_DUMP)


def test_a_whole_object_that_is_absent_is_said_once(tmp_path: Path) -> None:
    debug = FakeDebug()
    point = debug.class_("Point", 8, FakeMember("x", debug.int_()))
    made = program(tmp_path, debug, HEAP.to_bytes(8, "little"))
    assert str(made.value(point, BASE + 0x20)) == f"<{Reason.IMAGE_MISSING}>"
    assert str(made.value(debug.pointer(point))).startswith("0x0000000000700000 {x=")


def test_pieces_and_registers(tmp_path: Path) -> None:
    debug = FakeDebug()
    int_ = debug.int_()
    point = debug.class_("Point", 12, *(FakeMember(name, int_, 4 * at) for at, name in enumerate("xyz")))
    made = program(tmp_path, debug)
    gone = Nowhere(Missing(Absent.because(Reason.OPTIMIZED_AWAY)))
    parts = (Part(0, 32, AtHand(b"\1\0\0\0\xff\xff\xff\xff", "rax")), Part(32, 32, gone))
    value = Value(made.process, made.type(point), InParts(parts))
    assert str(value) == f"{{x=1, y=<{Reason.OPTIMIZED_AWAY}>, z=<{Reason.NOT_COVERED}>}}"
    with pytest.raises(Unreadable) as caught:
        value.y.read()
    assert caught.value.reason is Reason.OPTIMIZED_AWAY
    bits = (Part(0, 12, AtHand(b"\xff\xff")), Part(12, 20, AtHand(b"\0\0\0\0")))
    assert Value(made.process, made.type(int_), InParts(bits)) == 0xFFF


def test_static_members(tmp_path: Path) -> None:
    debug = FakeDebug()
    int_ = debug.int_()
    shape = debug.class_(
        "geo::Shape", 4, FakeMember("s_count", int_, None, "static"), FakeMember("s_no", int_, None, "static")
    )
    debug.data.append(FakeVariable("geo::Shape::s_count", int_, HEAP - BASE + 4))
    made = program(tmp_path, debug, b"\1\0\0\0\3\0\0\0")
    value = made.value(shape)
    assert value.s_count == 3
    assert value.s_no.absent == Absent.because(Reason.STATIC_NOT_FOUND)
    assert made.dump["geo::Shape::s_count"] == 3
    assert made.dump["app!geo::Shape::s_count"] == 3


# --- casts and arithmetic -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "operator", "right", "result"),
    [
        (("int", 7), "/", ("int", -2), ("int", -3)),
        (("int", -7), "%", ("int", 2), ("int", -1)),
        (("int", 0x7FFFFFFF), "+", ("int", 1), ("int", -0x80000000)),
        (("unsigned int", 0), "-", ("int", 1), ("unsigned int", 0xFFFFFFFF)),
        (("int", -1), "<", ("unsigned int", 1), ("bool", 0)),
        (("int", -1), "<", ("long long", 1), ("bool", 1)),
        (("unsigned char", 200), "+", ("unsigned char", 100), ("int", 300)),
        (("short", -1), ">>", ("int", 4), ("int", -1)),
        (("unsigned int", 1), "<<", ("int", 31), ("unsigned int", 0x80000000)),
        (("int", 1), "/", ("double", 4), ("double", 0.25)),
        (("unsigned long long", 1 << 63), "*", ("int", 2), ("unsigned long long", 0)),
        (("int", 6), "^", ("int", 3), ("int", 5)),
    ],
)
def test_arithmetic(
    left: tuple[str, float],
    operator: str,
    right: tuple[str, float],
    result: tuple[str, float],
    tmp_path: Path,
) -> None:
    made = program(tmp_path, FakeDebug())
    first, second = (Value.of_number(made.process, made.dump.type(name), number) for name, number in (left, right))
    found = first._binary(operator, second, swapped=False)
    assert (found.type.name, found.read()) == result


def test_what_arithmetic_refuses(tmp_path: Path) -> None:
    debug = FakeDebug()
    made = program(tmp_path, debug, bytes(8))
    one = Value.of_number(made.process, made.dump.type("int"), 1)
    wrong = [("/", 0), ("%", 0), ("<<", 32), ("<<", -1), ("%", 1.0)]
    for operator, right in wrong:
        with pytest.raises(OperationError):
            one._binary(operator, right, swapped=False)
    with pytest.raises(OperationError):
        made.value(debug.class_("Empty", 1)) + one
    assert [1 + one, 10 - one, -one, ~one, one + 0.5] == [2, 9, -1, -2, 1.5]
    assert [10, 20][one] == 20
    assert int(one.cast("unsigned char") - 2) == -1


def inheritance(debug: FakeDebug) -> tuple[int, int, int]:
    """`struct D : A, B` with `B` 8 bytes in."""
    int_ = debug.int_()
    first = debug.class_("A", 8, FakeMember("a", int_))
    second = debug.class_("B", 4, FakeMember("b", int_))
    derived = debug.class_("D", 12, FakeMember("A", first, 0, "base"), FakeMember("B", second, 8, "base"))
    return first, second, derived


def test_casts_of_pointers_and_objects_go_along_bases(tmp_path: Path) -> None:
    debug = FakeDebug()
    _, second, derived = inheritance(debug)
    made = program(tmp_path, debug, struct.pack("<iii", 1, 0, 2))
    whole = made.value(derived)
    pointer = whole.address_of().cast("B *")
    assert int(pointer) == HEAP + 8
    assert int(pointer.cast("D *")) == HEAP
    assert int(pointer.cast("int *")) == HEAP + 8
    assert whole.cast("B").b == 2
    assert whole.cast("B &").b == 2
    assert whole["B"].cast("int &") == 2
    assert made.value(second, HEAP + 8).cast("D").a == 1
    assert whole["B"].address == HEAP + 8
    with pytest.raises(OperationError):
        whole.cast("int")
    assert whole.reinterpret("int[3]").read() == [1, 0, 2]
    assert Value.of_number(made.process, made.dump.type("D *"), 0).cast("B *") == 0


# --- dynamic types ------------------------------------------------------------------------------------------------


def polymorphic(debug: FakeDebug) -> tuple[int, int]:
    """`class Rect : Shape, Named`, both of which have a vtable pointer; `Named` is 16 bytes in."""
    int_, table = debug.int_(), debug.pointer(None)
    vtable = FakeMember("_vptr", table, is_artificial=True)
    shape = debug.class_("geo::Shape", 16, vtable, FakeMember("m_id", int_, 8), kind="class")
    named = debug.class_("geo::Named", 16, vtable, FakeMember("m_tag", int_, 8))
    bases = (FakeMember("geo::Shape", shape, 0, "base"), FakeMember("geo::Named", named, 16, "base"))
    debug.class_("geo::Rect", 40, *bases, FakeMember("m_w", int_, 32), kind="class")
    return shape, named


RECT = struct.pack("<QiiQiiii", BASE + 0x2000, 42, 0, BASE + 0x2100, 77, 0, 6, 0)


def test_dynamic_type_by_microsofts_names(tmp_path: Path) -> None:
    debug = FakeDebug()
    shape, named = polymorphic(debug)
    debug.symbols = [
        FakeSymbol("??_7Rect@geo@@6BShape@1@@", "geo::Rect::`vftable'", 0x2000),
        FakeSymbol("??_7Rect@geo@@6BNamed@1@@", "geo::Rect::`vftable'", 0x2100),
    ]
    made = program(tmp_path, debug, RECT)
    for id_, address in ((shape, HEAP), (named, HEAP + 16)):
        whole = made.value(id_, address).dynamic
        assert [whole.type.name, whole.address, whole["m_w"]] == ["geo::Rect", HEAP, 6]
        pointer = made.value(id_, address).address_of()
        assert (pointer.dynamic.type.name, int(pointer.dynamic)) == ("geo::Rect *", HEAP)
    text = "{geo::Shape={m_id=42}, geo::Named={m_tag=77}, m_w=6}"
    assert str(made.value(shape).address_of()) == f"0x0000000000700000 geo::Rect {text}"


def test_a_vtable_that_names_another_class_is_not_believed(tmp_path: Path) -> None:
    debug = FakeDebug()
    shape, _ = polymorphic(debug)
    debug.class_("Other", 8)
    debug.symbols = [FakeSymbol("??_7Other@@6B@", "Other::`vftable'", 0x2000)]
    value = program(tmp_path, debug, RECT).value(shape)
    assert value.dynamic.type.name == "geo::Shape"


def test_dynamic_type_by_microsofts_locator(tmp_path: Path) -> None:
    """No symbols: the word before the vtable leads to the locator, which has the offset and the type's name."""
    debug = FakeDebug()
    _, named = polymorphic(debug)
    locator = struct.pack("<6I", 1, 16, 0, 0x2300, 0, 0x2200)
    memory = {
        BASE + 0x20F8: (BASE + 0x2200).to_bytes(8, "little"),
        BASE + 0x2200: locator,
        BASE + 0x2310: b".?AVRect@geo@@\0",
    }
    made = program(tmp_path, debug, RECT, memory=memory)
    whole = made.value(named, HEAP + 16).dynamic
    assert (whole.type.name, whole.address) == ("geo::Rect", HEAP)


@pytest.mark.parametrize("has_symbol", [True, False])
def test_dynamic_type_of_the_itanium_abi(has_symbol: bool, tmp_path: Path) -> None:
    """The vtable's group begins 16 bytes before the address point of `Shape`; that of `Named` lies 16 bytes in."""
    debug = FakeDebug()
    _, named = polymorphic(debug)
    if has_symbol:
        debug.symbols = [FakeSymbol("_ZTVN3geo4RectE", "{vtable(geo::Rect)}", 0x1FF0, size_bytes=0x200)]
    memory = {
        BASE + 0x20F0: struct.pack("<qQ", -16, BASE + 0x2400),
        BASE + 0x2400: struct.pack("<QQ", 0, BASE + 0x2500),
        BASE + 0x2500: b"N3geo4RectE\0",
    }
    made = program(tmp_path, debug, RECT, platform=LINUX, memory=memory)
    whole = made.value(named, HEAP + 16).dynamic
    assert (whole.type.name, whole.address) == ("geo::Rect", HEAP)


@pytest.mark.parametrize("twice", [None, "geo::Shape", "geo::Named"])
def test_dynamic_type_where_the_dump_has_no_vtables(twice: str | None, tmp_path: Path) -> None:
    """A Crashpad dump of a program that may be loaded anywhere lacks `.data.rel.ro`; the symbol is in the file. Where
    the object begins is certain if its class has the base once.
    """
    debug = FakeDebug()
    shape, named = polymorphic(debug)
    bases = [FakeMember("geo::Shape", shape, 0, "base"), FakeMember("geo::Named", named, 16, "base")]
    if twice is not None:
        base = debug.class_("Further", 24, FakeMember(twice, shape if twice == "geo::Shape" else named, 8, "base"))
        bases.append(FakeMember("Further", base, 32, "base"))
    debug.class_("Window", 64, *bases)
    debug.symbols = [FakeSymbol("_ZTV6Window", "{vtable(Window)}", 0x1FF0, size_bytes=0x200)]
    made = program(tmp_path, debug, RECT, platform=LINUX)
    for id_, address, name in ((shape, HEAP, "geo::Shape"), (named, HEAP + 16, "geo::Named")):
        whole = made.value(id_, address).dynamic
        assert (whole.type.name, whole.address) == ((name, address) if name == twice else ("Window", HEAP))


def test_virtual_bases(tmp_path: Path) -> None:
    debug = FakeDebug()
    base = debug.class_("V", 4, FakeMember("v", debug.int_()))
    microsoft = debug.class_("M", 16, FakeMember("V", base, 0, "virtual_base", table_index=1))
    itanium = debug.class_("I", 16, FakeMember("V", base, -24, "virtual_base"))
    lost = debug.class_("L", 16, FakeMember("V", base, 8, "virtual_base", table_index=1))
    heap = struct.pack("<QiI", CONSTANTS, 0, 9)
    memory = {CONSTANTS - 24: (12).to_bytes(8, "little") + bytes(16), CONSTANTS: struct.pack("<ii", 0, 12)}
    made = program(tmp_path, debug, heap, memory=memory)
    assert made.value(microsoft).v == 9
    assert made.value(itanium).v == 9
    assert made.value(lost)["V"].absent is not None
    assert str(made.value(lost)).startswith("{V=<")


@pytest.mark.parametrize("form", [X87, QUAD])
@pytest.mark.parametrize("number", [0.0, -0.0, 1.0, -1.5, 0.1, 1e300, 5e-324, math.inf, -math.inf])
def test_a_long_double_holds_every_double(number: float, form: FloatFormat) -> None:
    data = encode(number, form)
    assert len(data) == form.size_bytes
    read = decode(data, form)
    assert struct.pack("<d", read) == struct.pack("<d", number)
    assert math.isnan(decode(encode(math.nan, form), form))


def test_a_long_double_is_encoded_as_the_processor_has_it() -> None:
    # 1.5 is 1.1b: see above. On Arm the 112 bits of the fraction begin with the bit behind the point.
    x87 = (0xC000000000000000).to_bytes(8, "little") + (16383).to_bytes(2, "little")
    assert encode(-1.5, X87) == x87[:9] + bytes([x87[9] | 0x80])
    quad = ((16383 << 112) | (1 << 111)).to_bytes(16, "little")
    assert encode(1.5, QUAD) == quad
