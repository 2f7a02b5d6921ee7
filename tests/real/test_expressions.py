"""Expressions in the frame of the crash, over the programs of the laboratory. The answers follow from `app.cpp`:

`main` passes 0x100000000 + 5 to `recurse`, which adds 1 four times and passes the lowest three bits on as `depth`: 1.
`pt` is {0, 1}, so `local` is 10 and `ss` 1; `buffer` begins with "bcde"; `shape` is a `geo::Rect` of 6 by 7, id 42.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent
from support.data import shared_data

if TYPE_CHECKING:
    from stillframe import Dump, Frame

UNOPTIMISED = ["app_x64.d.crash.t0", "app_x86.d.crash.t0", "app_arm64.d.crash.emu"]
UNOPTIMISED += ["app_x86_64.O0.self.t0", "app_i686.O0.self.t0"]
OPTIMISED = ["app_x64.O2.crash.t0", "app_x86.O2.crash.t0", "app_arm64.O2.crash.emu"]
OPTIMISED += ["app_x86_64.O2.self.t0", "app_i686.O2.self.t0"]

ANSWERS = {
    "depth": 1,
    "local + ss": 11,
    "depth * 10 + pt.x == local": 1,
    "pt.y - 2u > 0": 1,
    "buffer[3] == 'e'": 1,
    "*(buffer + 1) - *buffer": 1,
    "fl.a + fl.b": 22,
    "fl.c": -3,
    "fl.d == 0x123456789AULL": 1,
    "v.i == 0x3f800000": 1,
    "*(float *)&v * 2 == 2.0": 1,
    "v.bytes[3]": 0x3F,
    "shape->m_id": 42,
    "shape->geo::Shape::m_id": 42,
    "((geo::Rect *)shape)->m_w * ((geo::Rect *)shape)->m_h": 42,
    "static_cast<geo::Rect *>(shape)->m_tag": 77,
    "((geo::Named *)(geo::Rect *)shape)->m_tag": 77,
    "dynamic_cast<geo::Rect *>(shape)->m_origin.y": 4,
    "((geo::Rect *)shape)->m_color == Blue": 1,
    "((geo::Rect *)shape)->m_inner.s": -5,
    "(int)(((geo::Rect *)shape)->m_inner.d * 2)": 5,
    "shape ? shape->m_name[1] == 'e' : -1": 1,
}
CONSTANT = {
    "(int)Mode::Busy + (int)Color::Blue": 47,
    "sizeof(Point) * 2": 16,
    "sizeof(Value) + sizeof(Mode)": 9,
    "sizeof(Array<Point, 4>)": 36,
    "sizeof(Array<Point,4>) / sizeof(int)": 9,
    "sizeof(geo::Rect::Inner)": 16,
    "(Mode)7 == Mode::Busy": 1,
}


def opened(name: str) -> tuple[Dump, Frame]:
    path = shared_data() / "made" / f"{name}.dmp"
    if not path.exists():
        pytest.skip(f"no real data: {path.name} is absent")
    dump = stillframe.open(path)
    thread = dump.crashed_thread
    assert thread is not None
    return dump, next(frame for frame in thread.frames if frame.name == "crash_here")


@pytest.mark.parametrize("name", UNOPTIMISED)
def test_unoptimised(name: str) -> None:
    _, frame = opened(name)
    found = {text: frame.eval(text) for text in ANSWERS | CONSTANT}
    assert {text: value if isinstance(value, Absent) else int(value) for text, value in found.items()} == {
        **ANSWERS,
        **CONSTANT,
    }


@pytest.mark.parametrize("name", OPTIMISED)
def test_optimised_is_right_or_absent(name: str) -> None:
    _, frame = opened(name)
    right = 0
    for text, answer in ANSWERS.items():
        value = frame.eval(text)
        if isinstance(value, Absent) or value.absent is not None:
            continue
        assert int(value) == answer, text
        right += 1
    assert right > 0
    constants = {text: frame.eval(text) for text in CONSTANT}
    assert {text: None if isinstance(value, Absent) else int(value) for text, value in constants.items()} == CONSTANT


@pytest.mark.parametrize("name", UNOPTIMISED + OPTIMISED)
def test_names_of_the_module_and_registers(name: str) -> None:
    dump, frame = opened(name)
    stem = dump.modules[0].name.removesuffix(".exe")
    mangled = "".join(each if each.isalnum() else "_" for each in stem)
    twice = dump.address_of("twice")
    for text in ("&twice", f"&{mangled}!twice", "(unsigned long long)twice"):
        value = frame.eval(text)
        assert not isinstance(value, Absent)
        assert int(value) == twice, text
    assert int(frame.eval("$pc")) == frame.instruction  # type: ignore[arg-type]
    if name in UNOPTIMISED:
        assert str(frame.eval("buffer,4")) == '"bcde"'
    # The address of a global is known, its value is not: small dumps leave writable data out.
    counter = dump.eval("&g_counter")
    assert not isinstance(counter, Absent)
    assert dump.modules[0].covers(int(counter))
