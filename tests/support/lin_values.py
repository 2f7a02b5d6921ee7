"""What `lin.cpp` and `lin_cp.cpp` fix of their values at the crash: the table is from the source.

`recurse(&r, 4)` calls itself down to depth 0, then `crash_here(s, {0, 1}, 0)`, with a rectangle of 6 by 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe import Absent, Value

if TYPE_CHECKING:
    from stillframe import Dump, Frame, Thread

NAME = "a heap allocated string, long enough"
RECT = {"Shape": {"id": 3}, "w": 6, "h": 7}
POKED = 0 + 6 * 7 + ord("b") + len(NAME)  # local, s->area(), buf[depth & 3], name.size()
CRASH: dict[str, dict[str, object]] = {
    "poke": {"w": 0, "v": POKED, "doubled": 2 * POKED},
    "crash_here": {"s": RECT, "pt": {"x": 0, "y": 1}, "depth": 0, "local": 0, "buf": "buffer", "name": NAME},
    "main": {"argc": 1, "r": RECT},
}


def read(value: Value | Absent) -> object:
    """Texts as a person sees them, and objects behind pointers."""
    if isinstance(value, Absent):
        return value
    if value.type.name.endswith("string"):
        return str(value).strip('"')
    if value.type.is_pointer and value.type.resolved.target is not None and value.type.resolved.target.is_class:
        return value.dynamic.dereference().read()
    return value.read()


def expected_of(thread: Thread) -> list[tuple[Frame, str, object]]:
    """Variables of the stack. GCC makes a loop of the recursion: the one call that is left is no longer one of the
    source's, and what the debug information says of it (gdb shows the same) is of the first of them.
    """
    found: list[tuple[Frame, str, object]] = []
    depth = 0
    is_loop = sum(frame.name == "recurse" for frame in thread.frames) == 1
    for frame in thread.frames:
        if is_loop and frame.name == "recurse":
            continue
        table = CRASH.get(frame.name, {})
        if frame.name == "recurse":
            table, depth = {"s": RECT, "depth": depth, "pt": {"x": depth, "y": depth + 1}}, depth + 1
        found += [(frame, name, value) for name, value in table.items()]
    return found


def count_right(dump: Dump, level: str, *, leave_out: tuple[str, ...] = ()) -> int:
    """How many variables are there, without optimisation all; those that are, are right."""
    assert dump.crashed_thread is not None
    expected = [each for each in expected_of(dump.crashed_thread) if each[1] not in leave_out]
    right = 0
    for frame, name, value in expected:
        found = frame[name]
        if isinstance(found, Absent) or found.absent is not None:
            continue
        assert (frame, name, read(found)) == (frame, name, value)
        right += 1
    assert level != "-O0" or right == len(expected) == 3 + 6 + 5 * 3 + 2 - len(leave_out)
    return right


def check_workers(dump: Dump, level: str) -> None:
    """Each worker has a thread-local of its own, and knows its number and role."""
    slots = []
    for thread in dump.threads:
        worker = next((frame for frame in thread.frames if frame.name == "worker"), None)
        if worker is None:
            continue
        slot, number, role = (worker[name] for name in ("t_slot", "n", "role"))
        assert isinstance(slot, Value)
        slots.append(int(slot))
        assert level != "-O0" or not (isinstance(number, Absent) or isinstance(role, Absent))
        assert isinstance(number, Absent) or number * 100 == slot
        assert isinstance(role, Absent) or str(role) == ('"reader"' if slot == 100 else '"writer"')
    assert sorted(slots) == [100, 200, 300]
