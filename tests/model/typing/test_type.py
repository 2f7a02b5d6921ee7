"""Types: how they are spelled, sized, found; members by name; and records that no compiler writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stillframe import Absent, Reason
from stillframe.errors import NoSuchType
from stillframe.model.typing.names import scopes_of, template_arguments
from support.fake_debug import FakeDebug, FakeMember, Program, program

if TYPE_CHECKING:
    from pathlib import Path


def test_spelling(tmp_path: Path) -> None:
    debug = FakeDebug()
    int_ = debug.int_()
    rect = debug.class_("geo::Rect", 16, kind="class")
    const_rect = debug.add("modified", target=rect, is_const=True)
    pointer = debug.pointer(int_)
    array = debug.add("array", target=int_, counts=[3, 4])
    function = debug.add("function", parameters=[int_, pointer], is_variadic=True)
    method = debug.add("function", target=int_, parameters=[int_], class_id=rect)
    spelled = {
        debug.pointer(const_rect): "const geo::Rect *",
        debug.add("reference", target=const_rect): "const geo::Rect &",
        debug.add("rvalue_reference", target=rect): "geo::Rect &&",
        debug.add("modified", target=pointer, is_const=True, is_volatile=True): "int *const volatile",
        debug.pointer(debug.add("modified", target=pointer, is_const=True)): "int *const *",
        array: "int[3][4]",
        debug.pointer(array): "int (*)[3][4]",
        debug.add("array", target=pointer, counts=[4]): "int *[4]",
        debug.add("array", target=int_, counts=[None]): "int[]",
        debug.pointer(function): "void (*)(int, int *, ...)",
        debug.add("array", target=debug.pointer(function), counts=[2]): "void (*[2])(int, int *, ...)",
        debug.add("member_pointer", target=int_, class_id=rect): "int geo::Rect::*",
        debug.add("member_pointer", target=method, class_id=rect): "int (geo::Rect::*)(int)",
        debug.pointer(None): "void *",
        debug.class_("", 4, kind="union"): "<unnamed union>",
    }
    made = program(tmp_path, debug)
    assert {made.type(id_).name for id_ in spelled} == set(spelled.values())
    assert {id_: made.type(id_).name for id_ in spelled} == spelled


def test_what_is_behind_typedefs_and_const(tmp_path: Path) -> None:
    debug = FakeDebug()
    rect = debug.class_("geo::Rect", 16)
    alias = debug.add("typedef", "Box", target=debug.add("modified", target=rect, is_const=True))
    type_ = program(tmp_path, debug).type(alias)
    assert (type_.name, type_.resolved.name, type_.is_const, type_.size_bytes) == ("Box", "geo::Rect", True, 16)
    assert type_.unqualified.name == "Box"


def shapes() -> tuple[FakeDebug, int]:
    """`Rect` has `Shape` and `Named` as bases, an unnamed union, and a field that hides one of `Shape`."""
    debug = FakeDebug()
    int_ = debug.int_()
    shape = debug.class_("geo::Shape", 8, FakeMember("m_id", int_), FakeMember("hidden", int_, 4))
    named = debug.class_("geo::Named", 4, FakeMember("tag", int_))
    union = debug.class_("", 4, FakeMember("word", int_), FakeMember("other", int_), kind="union")
    rect = debug.class_(
        "geo::Rect",
        24,
        FakeMember("geo::Shape", shape, 0, "base"),
        FakeMember("geo::Named", named, 8, "base"),
        FakeMember("", union, 12),
        FakeMember("hidden", int_, 16),
        FakeMember("s_count", int_, None, "static"),
    )
    return debug, rect


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("hidden", ["hidden"]),
        ("m_id", ["geo::Shape", "m_id"]),
        ("tag", ["geo::Named", "tag"]),
        ("word", ["", "word"]),
        ("geo::Named", ["geo::Named"]),
        ("Shape", ["geo::Shape"]),
        ("s_count", ["s_count"]),
        ("nothing", []),
    ],
)
def test_members_are_found_through_bases_and_unnamed_parts(name: str, path: list[str], tmp_path: Path) -> None:
    debug, rect = shapes()
    type_ = program(tmp_path, debug).type(rect)
    assert [member.name for member in type_.path_to(name)] == path


def test_the_lists_of_members(tmp_path: Path) -> None:
    debug, rect = shapes()
    type_ = program(tmp_path, debug).type(rect)
    assert [member.name for member in type_.bases] == ["geo::Shape", "geo::Named"]
    assert [member.name for member in type_.fields] == ["", "hidden"]
    assert [member.name for member in type_.static_members] == ["s_count"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("std::map<int, std::pair<int, char> >", ("int", "std::pair<int, char>")),
        ("Array<Point,4>", ("Point", "4")),
        ("Fn<void (int, char), A<(1, 2)>>", ("void (int, char)", "A<(1, 2)>")),
        ("Outer<int>::Inner", ()),
        ("int", ()),
        ("Empty<>", ()),
    ],
)
def test_template_arguments(name: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert template_arguments(name) == arguments
    debug = FakeDebug()
    alias = debug.add("typedef", "Alias", target=debug.class_(name, 1))
    assert program(tmp_path, debug).type(alias).template_arguments == arguments


def test_scopes() -> None:
    assert scopes_of("geo::Box<a::b, c>::area") == ["geo", "Box<a::b, c>", "area"]


@pytest.mark.parametrize(
    ("text", "name", "size"),
    [
        ("int", "int", 4),
        ("unsigned", "unsigned int", 4),
        ("long unsigned int", "unsigned long", 4),
        ("long long", "long long", 8),
        ("unsigned __int64", "unsigned long long", 8),
        ("wchar_t", "wchar_t", 2),
        ("size_t", "size_t", 8),
        ("uint8_t", "uint8_t", 1),
        ("double", "double", 8),
        ("geo::Rect *", "geo::Rect *", 8),
        ("const struct geo::Rect *const &", "const geo::Rect *const &", 8),
        ("int const *", "const int *", 8),
        ("volatile int *", "volatile int *", 8),
        ("int volatile const", "const volatile int", 4),
        ("int *volatile", "int *volatile", 8),
        ("int &&", "int &&", 8),
        ("int[3][4]", "int[3][4]", 48),
    ],
)
def test_types_by_name(text: str, name: str, size: int, tmp_path: Path) -> None:
    debug, _ = shapes()
    type_ = program(tmp_path, debug).dump.type(text)
    assert (type_.name, type_.size_bytes) == (name, size)


def test_a_type_that_is_not_there(tmp_path: Path) -> None:
    dump = program(tmp_path, FakeDebug()).dump
    for text in ("geo::Nothing", "", "*", "int" + "*" * 100):
        with pytest.raises(NoSuchType):
            dump.type(text)


def test_a_declaration_is_resolved_by_name(tmp_path: Path) -> None:
    debug = FakeDebug()
    int_ = debug.int_()
    declared = debug.class_("Opaque", None, is_declaration=True)
    alone = debug.class_("Nowhere", None, is_declaration=True)
    debug.class_("Opaque", 4, FakeMember("inside", int_))
    made = program(tmp_path, debug)
    assert [member.name for member in made.type(declared).members] == ["inside"]
    assert made.type(declared).size_bytes == 4
    assert made.type(alone).size_bytes == Absent.because(Reason.SIZE_UNKNOWN)
    assert made.type(alone).members == ()


# --- records that no compiler writes ------------------------------------------------------------------------------


def assert_damaged(made: Program, id_: int) -> None:
    size = made.type(id_).size_bytes
    assert isinstance(size, Absent)
    assert size.reason is Reason.TYPE_DAMAGED
    assert made.type(id_).members == ()
    assert str(made.value(id_)) == f"<{Reason.TYPE_DAMAGED}>"


def test_a_typedef_of_itself_ends(tmp_path: Path) -> None:
    debug = FakeDebug()
    alone = debug.add("typedef", "Alone", target=0)
    debug.add("modified", target=2, is_const=True)
    debug.add("typedef", "Pair", target=1)
    made = program(tmp_path, debug, bytes(16))
    for id_ in (alone, 1, 2):
        assert_damaged(made, id_)
        assert len(made.type(id_).name) < 5000
        assert made.type(id_).is_const in {True, False}


def test_a_function_type_of_itself_is_spelled_in_bounded_time(tmp_path: Path) -> None:
    debug = FakeDebug()
    debug.add("function", target=0, parameters=[0, 0, 0])
    assert 0 < len(program(tmp_path, debug).type(0).name) < 20_000


def test_arrays_of_themselves_and_absurd_sizes(tmp_path: Path) -> None:
    debug = FakeDebug()
    debug.add("array", target=0, counts=[2])
    int_ = debug.int_()
    huge = debug.add("array", target=int_, counts=[1 << 62, 1 << 62])
    wide = debug.class_("Wide", 1 << 63, FakeMember("x", int_))
    made = program(tmp_path, debug, bytes(16))
    for id_ in (0, huge, wide):
        size = made.type(id_).size_bytes
        assert isinstance(size, Absent)
    assert str(made.value(wide)) == f"<{Reason.TYPE_DAMAGED}>"


def test_a_class_that_is_its_own_base_and_part(tmp_path: Path) -> None:
    debug = FakeDebug()
    int_ = debug.int_()
    parts = [FakeMember("", 1), FakeMember("me", 1), FakeMember("x", int_)]
    debug.class_("Self", 8, FakeMember("Self", 1, 0, "base"), *parts)
    made = program(tmp_path, debug, bytes(range(16)))
    assert [member.name for member in made.type(1).path_to("x")] == ["x"]
    assert made.type(1).path_to("nothing") == ()
    assert len(str(made.value(1))) <= 200


def test_an_id_that_leads_nowhere(tmp_path: Path) -> None:
    debug = FakeDebug()
    lost = debug.class_("Lost", 8, FakeMember("x", 999), FakeMember("y", None, 4))
    made = program(tmp_path, debug, bytes(16))
    assert str(made.value(lost)) == f"{{x=<{Reason.TYPE_DAMAGED}>, y=<void>}}"
