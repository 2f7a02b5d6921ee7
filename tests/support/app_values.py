"""What `app.cpp` fixes of its values at the crash: the table is from the source.

`recurse(shape, 4, 0x100000000 + 5)` calls itself down to depth 0, then `crash_here(shape, {0, 1}, 9 & 7)`, and that
`outer_poke(shape, 10 + 1)` with a rectangle of 6 by 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import stillframe
from stillframe import Absent, Value

if TYPE_CHECKING:
    from stillframe import Frame

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


def check_all(dump: stillframe.Dump) -> None:
    """Every variable of every frame is there, and right."""
    expected = expected_of(crashed_frames(dump))
    assert len(expected) == 3 + 3 + 9 + 5 * 6 + 8
    for frame, variable, value in expected:
        found = value_of(frame, variable)
        assert isinstance(found, Value), (frame, variable, found)
        assert (frame, variable, read(found)) == (frame, variable, value)


def count_right(dump: stillframe.Dump) -> int:
    """How many variables are there; those that are, are right."""
    expected = expected_of(crashed_frames(dump))
    assert len(expected) > 40
    right = 0
    for frame, variable, value in expected:
        found = value_of(frame, variable)
        if isinstance(found, Absent) or found.absent is not None:
            continue
        assert (frame, variable, read(found)) == (frame, variable, value)
        right += 1
    return right
