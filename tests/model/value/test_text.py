"""Values as one line: strings, nesting, limits, cycles, hostile types; and as HTML."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING

import pytest

from stillframe import Absent, Reason
from stillframe.errors import Unreadable
from stillframe.model.value.html import of_value, of_values
from stillframe.model.value.text import Style
from stillframe.model.value.value import Value
from support.fake_debug import BASE, HEAP, FakeDebug, FakeMember, FakeSymbol, program

if TYPE_CHECKING:
    from pathlib import Path

TEXT = HEAP + 0x100


def pointer_to(data: bytes) -> bytes:
    """A pointer, and the bytes that it leads to."""
    return TEXT.to_bytes(8, "little") + bytes(0xF8) + data


@pytest.mark.parametrize(
    ("name", "size", "encoding", "data", "text", "read"),
    [
        ("char", 1, "signed_character", b"Hello World!\n\0", '"Hello World!\\n"', "Hello World!\n"),
        ("char", 1, "signed_character", b'a"\\\1\xff\0', '"a\\"\\\\\\x01\\xff"', 'a"\\\1\\xff'),
        ("char", 1, "signed_character", "café\0".encode(), '"café"', "café"),
        ("char", 1, "signed_character", b"\0", '""', ""),
        ("wchar_t", 2, "unicode", "日本\0".encode("utf-16-le"), 'L"日本"', "日本"),
        ("char16_t", 2, "unicode", b"\x00\xd8a\0\0\0", 'u"\\ud800a"', "\\ud800a"),
        ("char32_t", 4, "unicode", "😀\0".encode("utf-32-le"), 'U"😀"', "😀"),
        ("char8_t", 1, "unicode", b"x\0", 'u8"x"', "x"),
    ],
)
def test_text_behind_pointers(
    name: str, size: int, encoding: str, data: bytes, text: str, read: str, tmp_path: Path
) -> None:
    debug = FakeDebug()
    pointer = debug.pointer(debug.base(name, size, encoding))
    value = program(tmp_path, debug, pointer_to(data)).value(pointer)
    assert str(value) == f"{TEXT:#018x} {text}"
    assert value.read() == read


def test_text_is_cut_and_says_so(tmp_path: Path) -> None:
    debug = FakeDebug()
    pointer = debug.pointer(debug.char())
    value = program(tmp_path, debug, pointer_to(b"a" * 1000 + b"\0")).value(pointer)
    assert value.format(length=40) == f'{TEXT:#018x} "' + "a" * 18 + '"…'
    assert value.format(length=60).endswith("…")
    assert value.read() == "a" * 1000


def test_text_that_ends_in_absent_memory(tmp_path: Path) -> None:
    debug = FakeDebug()
    pointer = debug.pointer(debug.char())
    made = program(tmp_path, debug, pointer_to(b"abc"))
    assert str(made.value(pointer)) == f'{TEXT:#018x} "abc"… <{Reason.NOT_IN_DUMP}>'
    with pytest.raises(Unreadable):
        made.value(pointer).read()
    null = Value.of_number(made.process, made.type(pointer), 0)
    assert (str(null), null.read()) == ("nullptr", None)


def test_arrays_of_characters(tmp_path: Path) -> None:
    debug = FakeDebug()
    char, byte = debug.char(), debug.base("unsigned char", 1, "unsigned_character")
    made = program(tmp_path, debug, b"abc\0defg")
    assert str(made.value(debug.add("array", target=char, counts=[8]))) == '"abc"'
    full = made.value(debug.add("array", target=char, counts=[3]))
    assert (str(full), full.read()) == ('"abc"', "abc")
    assert str(made.value(debug.add("array", target=byte, counts=[4]))) == "{97, 98, 99, 0}"


def nested(debug: FakeDebug) -> int:
    int_ = debug.int_()
    point = debug.class_("Point", 8, FakeMember("x", int_), FakeMember("y", int_, 4))
    rect = debug.class_("Rect", 16, FakeMember("min", point), FakeMember("max", point, 8))
    return debug.class_("Two", 32, FakeMember("a", rect), FakeMember("b", rect, 16))


@pytest.mark.parametrize(
    ("depth", "length", "text"),
    [
        (0, 200, "{…}"),
        (1, 200, "{a={…}, b={…}}"),
        (2, 200, "{a={min={…}, max={…}}, b={min={…}, max={…}}}"),
        (
            3,
            200,
            "{a={min={x=0, y=1}, max={x=2, y=3}}, b={min={x=4, y=5}, max={x=6, y=7}}}",
        ),
        (3, 40, "{a={min={x=0, y=1}, max={x=2, y=3}}, …}"),
    ],
)
def test_depth_and_length(depth: int, length: int, text: str, tmp_path: Path) -> None:
    debug = FakeDebug()
    value = program(tmp_path, debug, struct.pack("<8i", *range(8))).value(nested(debug))
    assert value.format(depth=depth, length=length) == text


def test_arrays_are_elided(tmp_path: Path) -> None:
    debug = FakeDebug()
    numbers = debug.add("array", target=debug.int_(), counts=[100])
    value = program(tmp_path, debug, struct.pack("<100i", *range(1, 101))).value(numbers)
    assert value.format(length=22) == "{1, 2, 3, 4, 5, 6, …}"
    assert value.format(length=1000).endswith("99, 100}")


def test_radix(tmp_path: Path) -> None:
    debug = FakeDebug()
    value = program(tmp_path, debug, b"\xfe\xff\xff\xff").value(debug.int_())
    assert value.format(Style(radix=16)) == "0xfffffffe"
    assert value.format(Style(radix=8)) == "037777777776"
    assert value.format(Style(radix=2)).startswith("0b1111")


def test_a_summary_comes_first(tmp_path: Path) -> None:
    debug = FakeDebug()
    value = program(tmp_path, debug, struct.pack("<8i", *range(8))).value(nested(debug))
    style = Style(summarize=lambda each, _: f"@{each.address:x}" if each.type.name == "Rect" else None)
    assert value.format(style) == "{a=@700000, b=@700010}"


def test_cycles_are_noticed(tmp_path: Path) -> None:
    debug = FakeDebug()
    int_ = debug.int_()
    node = debug.class_("Node", 16, FakeMember("value", int_), FakeMember("next", 2, 8))
    pointer = debug.pointer(node)
    assert pointer == 2
    heap = struct.pack("<iiQ", 1, 0, HEAP + 16) + struct.pack("<iiQ", 2, 0, HEAP)
    made = program(tmp_path, debug, heap)
    text = made.value(node).format(depth=9)
    second = "0x0000000000700010"
    assert text == f"{{value=1, next={second} {{value=2, next=0x0000000000700000 <cycle>}}}}"
    assert made.value(node).format(depth=1) == f"{{value=1, next={second}}}"


def test_functions_by_name(tmp_path: Path) -> None:
    debug = FakeDebug()
    int_ = debug.int_()
    function = debug.add("function", target=int_, parameters=[int_])
    method = debug.add("member_pointer", target=function, class_id=debug.class_("C", 1), size_bytes=16)
    debug.symbols = [FakeSymbol("?twice@@YAHH@Z", "twice", 0x1500, "public_code")]
    address = BASE + 0x1500
    made = program(tmp_path, debug, address.to_bytes(8, "little") + bytes(8))
    assert str(made.value(debug.pointer(function))) == f"app!twice ({address:#018x})"
    assert str(made.value(method)) == f"app!twice ({address:#018x})"
    far = Value.of_number(made.process, made.type(debug.pointer(function)), 0x123456)
    assert str(far) == "0x0000000000123456"


def test_pointers_to_data_members(tmp_path: Path) -> None:
    debug = FakeDebug()
    int_ = debug.int_()
    point = debug.class_("Point", 8, FakeMember("x", int_), FakeMember("y", int_, 4))
    pointer = debug.add("member_pointer", target=int_, class_id=point, size_bytes=8)
    made = program(tmp_path, debug, struct.pack("<qqq", 4, -1, 99))
    assert [str(made.value(pointer, HEAP + 8 * at)) for at in range(3)] == ["&Point::y", "nullptr", "99"]


def test_huge_arrays_cost_what_is_shown(tmp_path: Path) -> None:
    debug = FakeDebug()
    huge = debug.add("array", target=debug.int_(), counts=[1 << 40])
    of_text = debug.add("array", target=debug.char(), counts=[1 << 40])
    made = program(tmp_path, debug, b"\1\0\0\0" * 100)
    start = time.monotonic()
    assert str(made.value(huge)).startswith("{1, 1, 1, ")
    assert str(made.value(of_text)) == '"\\x01"'
    assert len(of_value("huge", made.value(huge))) < 20_000
    for id_ in (huge, of_text):
        value = made.value(id_)
        assert value.absent == Absent.because(Reason.VALUE_TOO_LARGE)
    with pytest.raises(Unreadable, match="too large"):
        made.value(huge).read()
    assert time.monotonic() - start < 5


def test_members_beyond_the_class_and_many_of_them(tmp_path: Path) -> None:
    debug = FakeDebug()
    int_ = debug.int_()
    odd = debug.class_("Odd", 4, FakeMember("far", int_, 1 << 62), FakeMember("near", int_))
    many = debug.class_("Many", 4, *(FakeMember(f"m{number}", int_) for number in range(100_000)))
    made = program(tmp_path, debug, b"\5\0\0\0")
    assert str(made.value(odd)) == f"{{far=<{Reason.NOT_IN_DUMP}>, near=5}}"
    assert str(made.value(many)).startswith("{m0=5, m1=5, ")
    assert len(str(made.value(many))) <= 200


def test_html_is_escaped_and_folds(tmp_path: Path) -> None:
    debug = FakeDebug()
    evil = debug.class_("<script>", 4, FakeMember("<b>&", debug.int_()))
    value = program(tmp_path, debug, b"\5\0\0\0").value(evil)
    page = of_values([("a<b", value), ("gone", Absent.because(Reason.OPTIMIZED_AWAY))], "<frame>")
    assert "<script>" not in page
    assert "&lt;b&gt;&amp;=5" in page
    assert page.count("<details") == 2
    assert str(Reason.OPTIMIZED_AWAY) in page
    assert value._repr_html_().startswith("<div")


def tagged(debug: FakeDebug) -> int:
    """A tag of one byte: 1 to 3 (or 255) is `number`, anything else `other`."""
    tag, number = debug.base("i8", 1, "signed"), debug.int_()
    members = [
        FakeMember("", tag, 0, is_artificial=True, variant="discriminant"),
        FakeMember("number", number, 4, variant="when", discriminants=((1, 3), (255, 255))),
        FakeMember("other", number, 8, variant="otherwise"),
        FakeMember("always", number, 12),
    ]
    return debug.class_("Tagged", 16, *members)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (0, "{other=8, always=9}"),
        (1, "{number=7, always=9}"),
        (3, "{number=7, always=9}"),
        (4, "{other=8, always=9}"),
        (-1, "{number=7, always=9}"),  # the file has it without a sign
    ],
)
def test_alternatives(tag: int, text: str, tmp_path: Path) -> None:
    debug = FakeDebug()
    made = program(tmp_path, debug, struct.pack("<b3xiii", tag, 7, 8, 9))
    assert str(made.value(tagged(debug))) == text


def test_alternatives_of_which_nothing_tells(tmp_path: Path) -> None:
    debug = FakeDebug()
    made = program(tmp_path, debug, b"")
    assert str(made.value(tagged(debug))) == "<not in this dump>"
