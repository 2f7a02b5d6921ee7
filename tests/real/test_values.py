"""Values that a program's source fixes at its crash, in real dumps of it. The table is from the source, `app.cpp`.

`recurse(shape, 4, 0x100000000 + 5)` calls itself down to depth 0, then `crash_here(shape, {0, 1}, 9 & 7)`, and that
`outer_poke(shape, 10 + 1)` with a rectangle of 6 by 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import stillframe
from stillframe import Absent, Reason, Value
from support.data import shared_data

if TYPE_CHECKING:
    from stillframe import Frame

NOT_OPTIMISED = [
    "app_x64.d.crash.t0.dmp",
    "app_x86.d.crash.t0.dmp",
    "app_arm64.d.crash.emu.dmp",
    "app_x86_64.O0.self.t0.dmp",
    "app_i686.O0.self.t0.dmp",
]
OPTIMISED = [
    "app_x64.O2.crash.t0.dmp",
    "app_x86.O2.crash.t0.dmp",
    "app_arm64.O2.crash.emu.dmp",
    "app_x86_64.O2.self.t0.dmp",
    "app_i686.O2.self.t0.dmp",
]
SMALL = [name for name in NOT_OPTIMISED + OPTIMISED if "emu" not in name]
"""The emulator's dumps hold the whole image."""

RECT = {
    "geo::Shape": {"m_id": 42, "m_name": "rect"},
    "geo::Named": {"m_tag": 77},
    "m_inner": {"s": -5, "d": 2.5},
    "m_origin": {"x": 3, "y": 4},
    "m_w": 6,
    "m_h": 7,
    "m_color": "Blue",
}
BUFFER = "bcdefghijklmnopqrstuvwxyzabcdef"
CRASH: dict[str, dict[str, object]] = {
    "poke": {"where": 0, "what": 53, "doubled": 106},
    "outer_poke": {"s": RECT, "base": 11, "total": 53},
    "crash_here": {
        "shape": RECT,
        "pt": {"x": 0, "y": 1},
        "depth": 1,
        "local": 10,
        "buffer": BUFFER,
        "v.f": 1.0,
        "v.i": 0x3F800000,
        "fl": {"a": 5, "b": 17, "c": -3, "d": 0x123456789A},
        "ss": 1,
    },
    "main": {"rect": RECT, "shape": RECT, "numbers.count": 5, **{f"numbers.data.{at}": at * at for at in range(5)}},
}
GLOBALS = {
    "g_counter": 12345 + 1 + 0x3F800000 + 0x3456789A + ord("c"),
    "g_wide": "wide caf\u00e9 \u65e5\u672c",
    "s_ratio": 1.5,
    "g_matrix": [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]],
    "geo::Shape::s_count": 1,
    "g_go": 1,
    "g_null": 0,
}
CONSTANTS = {"s_ratio"}
"""Nothing writes it, so that a compiler may leave it out and record its value."""


def recursion(depth: int) -> dict[str, object]:
    return {
        "shape": RECT,
        "depth": depth,
        "big": 0x100000005 + 4 - depth,
        "pt": {"x": depth, "y": depth + 1},
        "mode": "Busy" if depth else "Done",
        "half": depth / 2,
    }


def expected_of(frames: list[Frame]) -> list[tuple[Frame, str, object]]:
    """Every frame of the table, a variable in it (or a part of one), and its value."""
    depth = 0
    found: list[tuple[Frame, str, object]] = []
    for frame in frames:
        name = frame.name.partition("(")[0]
        table = CRASH.get(name, {})
        if name == "recurse":
            table, depth = recursion(depth), depth + 1
        found += [(frame, variable, value) for variable, value in table.items()]
    return found


def value_of(frame: Frame, path: str) -> Value | Absent:
    """`numbers.data.3` is a part of `numbers`."""
    name, *parts = path.split(".")
    value = frame[name]
    for part in parts:
        if isinstance(value, Absent):
            break
        value = value[int(part) if part.isdigit() else part]
    return value


def read(value: Value) -> object:
    """As the table has it: pointers to objects are what they point to, as what it is."""
    is_object = value.type.is_pointer and value.type.resolved.target is not None and value.type.resolved.target.is_class
    return value.dynamic.dereference().read() if is_object else value.read()


def crashed_frames(dump: stillframe.Dump) -> list[Frame]:
    assert dump.crashed_thread is not None
    return list(dump.crashed_thread.frames)


@pytest.mark.parametrize("name", NOT_OPTIMISED)
def test_all_values_without_optimisation(name: str) -> None:
    dump = stillframe.open(shared_data() / "made" / name)
    expected = expected_of(crashed_frames(dump))
    assert len(expected) == 3 + 3 + 9 + 5 * 6 + 8
    for frame, variable, value in expected:
        found = value_of(frame, variable)
        assert isinstance(found, Value), (frame, variable, found)
        assert (frame, variable, read(found)) == (frame, variable, value)


@pytest.mark.parametrize("name", OPTIMISED)
def test_values_with_optimisation_are_right_or_absent(name: str) -> None:
    dump = stillframe.open(shared_data() / "made" / name)
    expected = expected_of(crashed_frames(dump))
    assert len(expected) > 40
    right = 0
    for frame, variable, value in expected:
        found = value_of(frame, variable)
        if isinstance(found, Absent) or found.absent is not None:
            continue
        assert (frame, variable, read(found)) == (frame, variable, value)
        right += 1
    assert right >= 9
    poke, outer = (
        next(frame for frame in crashed_frames(dump) if frame.name == name) for name in ("poke", "outer_poke")
    )
    assert poke["doubled"] == 106
    assert outer["base"] == 11


@pytest.mark.parametrize("name", SMALL)
def test_globals_that_a_small_dump_left_out_are_absent_with_the_reason(name: str) -> None:
    dump = stillframe.open(shared_data() / "made" / name)
    for global_name in set(GLOBALS) - CONSTANTS:
        value = dump[global_name]
        assert isinstance(value, Value)
        assert value.absent is not None
        assert value.absent.reason is Reason.WRITABLE_SECTION
        with pytest.raises(stillframe.FaultError) as caught:
            value.read()
        assert caught.value.address == value.address
    slot = dump["t_slot"]  # where it is stands in the writable section too
    assert isinstance(slot, Absent)
    assert slot.reason is Reason.WRITABLE_SECTION


@pytest.mark.parametrize("name", ["app_arm64.d.crash.emu.dmp", "app_arm64.O2.crash.emu.dmp"])
def test_globals_where_the_dump_has_them(name: str) -> None:
    dump = stillframe.open(shared_data() / "made" / name)
    for global_name, expected in GLOBALS.items():
        value = dump[global_name]
        assert isinstance(value, Value)
        assert (global_name, value.read()) == (global_name, expected)
    head: Any = dump["g_head"]
    assert (head.value.read(), head.next.value.read(), head.next.next.value.read(), int(head.next.next.next)) == (
        1,
        2,
        3,
        0,
    )
    points: Any = dump["g_points"]
    assert (points.count.read(), points.data[0].read()) == (1, {"x": 3, "y": 4})
    assert str(dump["g_callback"]).startswith("app_arm64.")
    assert "!twice (0x" in str(dump["g_callback"])


@pytest.mark.parametrize("name", ["app_x64.d.crash.t0.dmp", "app_x86.d.crash.t0.dmp", "app_x64.O2.crash.t0.dmp"])
def test_workers_know_their_number(name: str) -> None:
    dump = stillframe.open(shared_data() / "made" / name)
    workers = [frame for thread in dump.threads for frame in thread.frames if frame.name == "worker"]
    assert len(workers) == 3
    for number, frame in enumerate(workers, 1):
        for variable, expected in (("number", number), ("role", "reader" if number == 1 else "writer")):
            value = {**frame.locals, **frame.arguments}.get(variable)
            if ".d." in name or isinstance(value, Value):
                assert isinstance(value, Value)
                assert value.read() == expected


def test_types_have_the_layout_of_the_source() -> None:
    dump = stillframe.open(shared_data() / "made" / "app_x64.d.crash.t0.dmp")
    rect = dump.type("geo::Rect")
    assert [base.name for base in rect.bases] == ["geo::Shape", "geo::Named"]
    assert [field.name for field in rect.fields] == ["m_inner", "m_origin", "m_w", "m_h", "m_color"]
    assert rect.size_bytes == 80  # 8 + 4 + (4) + 8, 8 + 4 + (4), 2 + (6) + 8, 8, 4, 4, 4, (4)
    color = dump.type("Color")
    assert {each.name: each.value for each in color.enumerators} == {"Red": 1, "Green": 2, "Blue": 40}
    assert dump.type("Array<int,8>").template_arguments == ("int", "8")
    assert [(each.name, each.bits) for each in dump.type("Flags").fields] == [
        ("a", (0, 3)),
        ("b", (3, 5)),
        ("c", (8, 9)),
        ("d", (0, 40)),
    ]
