"""Values of the lab's smaller programs, from their sources: `hello.c`, `waiter.c`, `lin.cpp`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent, Value
from stillframe.model.memory import ByteSource
from support.cores import BUILDS, built_core
from support.data import shared_data

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe import Frame, Thread

# --- hello.c ----------------------------------------------------------------------------------------------------------

TEXT = "Hello World!\n"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("hello_x64.d.bp.dmp", ByteSource.IMAGE),
        ("hello_x86.d.bp.dmp", ByteSource.IMAGE),
        ("hello_arm64.d.bp.emu.dmp", ByteSource.DUMP),  # holds the whole image
    ],
)
def test_hello(name: str, source: ByteSource) -> None:
    thread = stillframe.open(shared_data() / "made" / name).crashed_thread
    assert thread is not None
    message = next(frame for frame in thread.frames if frame.name == "main")["message"]
    assert isinstance(message, Value)
    assert message.type.name == "const char *"
    assert message.read() == TEXT
    (span,) = message.process_.memory.provenance(int(message), len(TEXT) + 1)
    assert span.source is source


# --- waiter.c ---------------------------------------------------------------------------------------------------------


def test_waiter() -> None:
    dump = stillframe.open(shared_data() / "made" / "waiter_x86_64.pid.t0.dmp")
    workers = [(thread, frame) for thread in dump.threads for frame in thread.frames if frame.name == "waits"]
    assert [frame["mine"] for _, frame in workers] == [1, 2, 3]
    for number, (thread, frame) in enumerate(workers, 1):
        assert frame["p"] == number
        name = frame["n"]
        assert isinstance(name, Value)
        assert name.read() == thread.name == f"worker-{number}"
    heap = next(frame for frame in dump.threads[0].frames if frame.name == "main")["heap"]
    assert isinstance(heap, Absent)  # in a register that ntdll.dll saves, which is not here to say where
    data = dump["g_data"]
    assert isinstance(data, Value)
    assert (len(data), data.absent is None) == (64, False)


# --- lin.cpp: right with -O0, right or absent with -O2 ----------------------------------------------------------------

NAME = "a heap allocated string, long enough"
RECT = {"Shape": {"id": 3}, "w": 6, "h": 7}
POKED = 0 + 6 * 7 + ord("b") + len(NAME)  # local, s->area(), buf[depth & 3], name.size()
CRASH: dict[str, dict[str, object]] = {
    "poke": {"w": 0, "v": POKED, "doubled": 2 * POKED},
    "crash_here": {"s": RECT, "pt": {"x": 0, "y": 1}, "depth": 0, "local": 0, "buf": "buffer", "name": NAME},
    "main": {"argc": 1, "r": RECT},
}


def read(value: Value) -> object:
    """Texts as a person sees them, and objects behind pointers."""
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


@pytest.mark.parametrize(("compiler", "level"), BUILDS)
def test_lin(compiler: str, level: str, tmp_path: Path) -> None:
    source = (shared_data().parent / "lab" / "src" / "lin.cpp").read_text()
    dump = stillframe.open(built_core(source, compiler, level, tmp_path))
    assert dump.crashed_thread is not None
    expected = expected_of(dump.crashed_thread)
    if level == "-O0":
        assert len(expected) == 3 + 6 + 5 * 3 + 2
    right = 0
    for frame, name, value in expected:
        found = frame[name]
        if isinstance(found, Absent) or found.absent is not None:
            continue
        assert (frame, name, read(found)) == (frame, name, value)
        right += 1
    assert right == len(expected) if level == "-O0" else right >= 5

    points, null = dump["g_points"], dump["g_null"]
    assert (str(points), str(null)) == ("size=1 {{x=3, y=4}}", "nullptr")
    slots = []
    for thread in dump.threads:
        worker = next((frame for frame in thread.frames if frame.name == "worker"), None)
        slot = thread.frames[0].eval("t_slot")
        assert isinstance(slot, Value)
        if worker is None:
            assert slot == 9
            continue
        slots.append(int(slot))
        number = worker["n"]
        assert isinstance(number, Absent) or number * 100 == slot
        role = worker["role"]
        assert isinstance(role, Absent) or str(role) == ('"reader"' if slot == 100 else '"writer"')
    assert sorted(slots) == [100, 200, 300]
