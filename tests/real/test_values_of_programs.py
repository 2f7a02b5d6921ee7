"""Values of the lab's smaller programs, from their sources: `hello.c`, `waiter.c`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent, Value
from stillframe.model.memory import ByteSource
from support.data import shared_data, unpacked

if TYPE_CHECKING:
    from pathlib import Path

# --- hello.c ----------------------------------------------------------------------------------------------------------

TEXT = "Hello World!\n"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("hello_x64.d.bp.dmp", ByteSource.IMAGE),
        ("hello_x86.d.bp.dmp", ByteSource.IMAGE),
        ("hello_x64.d.bp.full.dmp.xz", ByteSource.DUMP),
        ("hello_arm64.d.bp.emu.dmp", ByteSource.DUMP),  # holds the whole image
    ],
)
def test_hello(name: str, source: ByteSource, tmp_path: Path) -> None:
    made = shared_data() / "made"
    dump = unpacked(name, tmp_path) if name.endswith(".xz") else made / name
    thread = stillframe.open(dump, symbols=made).crashed_thread
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
