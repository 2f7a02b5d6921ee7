"""Stacks of real dumps, against the call chains that the sources of the programs fix.

The lines are those of app.cpp, bare_crt.cpp, hello_bare.c, msstl.cpp and stl.cpp, from which the programs were built.
"""

from __future__ import annotations

import lzma
import shutil
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe.model.thread import StopReason
from support.data import shared_data

if TYPE_CHECKING:
    from pathlib import Path

CRASH = [
    ("poke", "app.cpp", 77),
    ("outer_poke", "app.cpp", 82),
    ("crash_here", "app.cpp", 98),
    ("recurse", "app.cpp", 109),
    *[("recurse", "app.cpp", 111)] * 4,
    ("main", "app.cpp", 146),
]
BARE_STARTUP = ("mainCRTStartup", "bare_crt.cpp", 37)

# Dumps, and the frames that their programs' sources say; what called these is the C runtime and the system.
CHAINS = {
    "app_x64.d.crash.t0.dmp": [*CRASH, BARE_STARTUP],
    "app_x64.O2.crash.t0.dmp": [*CRASH, BARE_STARTUP],
    "app_x86.d.crash.t0.dmp": [*CRASH, BARE_STARTUP],
    "app_x86.O2.crash.t0.dmp": [*CRASH, BARE_STARTUP],
    "app_arm64.d.crash.emu.dmp": [*CRASH, BARE_STARTUP],
    "app_arm64.O2.crash.emu.dmp": [*CRASH, BARE_STARTUP],
    "hello_arm64.d.bp.emu.dmp": [("main", "hello_bare.c", 7), ("mainCRTStartup", "hello_bare.c", 13)],
    "app_x86_64.O0.self.t0.dmp": CRASH,
    "app_x86_64.O2.self.t0.dmp": CRASH,
    "app_i686.O0.self.t0.dmp": CRASH,
    "app_i686.O2.self.t0.dmp": CRASH,
    "hello_x64.d.bp.dmp": [("main", "hello_bare.c", 7), ("mainCRTStartup", "hello_bare.c", 13)],
    "hello_x86.d.bp.dmp": [("main", "hello_bare.c", 7), ("mainCRTStartup", "hello_bare.c", 13)],
}

Chain = list[tuple[str, str, int]]


def chain(frames: tuple[stillframe.Frame, ...]) -> Chain:
    """Name, file and line of each frame that has all three."""
    found = []
    for frame in frames:
        if not isinstance(frame.location, stillframe.Absent):
            found.append((frame.name, frame.location.file.path.replace("\\", "/").split("/")[-1], frame.location.line))
    return found


@pytest.mark.parametrize("name", CHAINS)
def test_the_crashed_thread_has_the_call_chain_of_the_source(name: str) -> None:
    dump = stillframe.open(shared_data() / "made" / name)
    assert dump.crashed_thread is not None
    frames = dump.crashed_thread.frames
    expected = CHAINS[name]
    assert chain(frames[: len(expected)]) == expected
    assert all(frame.trust in {"context", "cfi"} for frame in frames[: len(expected)])


# Where each waiting thread was, innermost first, as `module+rva`: what lldb-19 and the unwind tables of Wine's own DLLs
# say. Those DLLs are not among the data, so that frames may be missing here; a frame that is not in the chain is wrong.
X64_WORKER = "ntdll+df54 kernelbase+5f90c app+{} kernel32+14819 ntdll+fa1b"
X86_WORKER = "ntdll+c16c kernelbase+5d481 app+{} kernel32+ea40 ntdll+ce83 ntdll+41aa5"
WAITS_FOR_EVENT = "ntdll+f574 kernelbase+6f760 kernelbase+6f80e app+16d6 kernel32+14819 ntdll+fa1b"
WAITING_THREADS: dict[str, list[str | None]] = {
    "app_x64.d.crash.t0.dmp": [None, *[X64_WORKER.format("166b")] * 3],
    "app_x64.O2.crash.t0.dmp": [None, *[X64_WORKER.format("17f7")] * 3],
    "app_x86.d.crash.t0.dmp": [None, *[X86_WORKER.format("15b3")] * 3],
    "app_x86.O2.crash.t0.dmp": [None, *[X86_WORKER.format("17a4")] * 3],
    "app_x86_64.O0.self.t0.dmp": [None, *[X64_WORKER.format("1c08")] * 3],
    "app_x86_64.O2.self.t0.dmp": [None, *[X64_WORKER.format("1dd7")] * 3],
    "app_i686.O0.self.t0.dmp": [None, *[X86_WORKER.format("1c39")] * 3],
    "app_i686.O2.self.t0.dmp": [None, *[X86_WORKER.format("1984")] * 3],
    "waiter_x86_64.pid.t0.dmp": [
        "ntdll+df54 kernelbase+5f90c app+1629 app+13ae app+14e6 kernel32+14819 ntdll+fa1b",
        WAITS_FOR_EVENT,
        "ntdll+f514 ntdll+38393 ntdll+39e9e ntdll+21db1 app+16c2 kernel32+14819 ntdll+fa1b",
        WAITS_FOR_EVENT,
    ],
}


def places(thread: stillframe.Thread) -> list[str]:
    """`module+rva` of each physical frame."""
    found = {}
    for frame in thread.frames:
        assert frame.module is not None
        name = frame.module.name.split(".")[0] if frame.module.name.endswith(".dll") else "app"
        found[frame.physical_index] = f"{name}+{frame.instruction - frame.module.base:x}"
    return list(found.values())


@pytest.mark.parametrize("name", WAITING_THREADS)
def test_waiting_threads_have_no_wrong_frame(name: str) -> None:
    dump = stillframe.open(shared_data() / "made" / name)
    assert len(dump.threads) == len(WAITING_THREADS[name])
    for thread, expected in zip(dump.threads, WAITING_THREADS[name], strict=True):
        if expected is None:
            continue
        truth = iter(expected.split())
        found = places(thread)
        assert all(place in truth for place in found), f"thread {thread.index}: {found} is no part of {expected}"
        # The program's own frames are all there, and so is what called them.
        own = [place for place in expected.split() if place.startswith(("app", "kernel32"))]
        assert [place for place in found if place.startswith(("app", "kernel32"))] == own


COMPRESSED_CHAINS = {
    "hello_x64.d.bp.full.dmp.xz": [("main", "hello_bare.c", 7), ("mainCRTStartup", "hello_bare.c", 13)],
    "msstl_x64.crash.full.dmp.xz": [("main", "msstl.cpp", 30), BARE_STARTUP],
    "stl_x86_64.O0.crash.full.dmp.xz": [("main", "stl.cpp", 15)],
}


@pytest.mark.parametrize("name", COMPRESSED_CHAINS)
def test_dumps_with_all_memory_have_the_call_chain_of_the_source(name: str, tmp_path: Path) -> None:
    folder = shared_data() / "made"
    path = tmp_path / name.removesuffix(".xz")
    with lzma.open(folder / name) as compressed, path.open("wb") as file:
        shutil.copyfileobj(compressed, file)
    dump = stillframe.open(path, symbols=folder)
    assert dump.crashed_thread is not None
    expected = COMPRESSED_CHAINS[name]
    assert chain(dump.crashed_thread.frames[: len(expected)]) == expected
    # All memory is there, and with it the system's own unwind tables and exports: the stack goes on to the functions
    # that every thread of Windows begins with, though no file of theirs is at hand.
    outermost = dump.crashed_thread.frames[-2:]
    assert [frame.name.split("+")[0] for frame in outermost] == ["BaseThreadInitThunk", "RtlUserThreadStart"]
    assert [frame.trust for frame in outermost] == ["cfi", "cfi"]
    assert dump.crashed_thread.stop.reason is StopReason.END_OF_STACK


def test_a_release_build_by_microsofts_compiler() -> None:
    folder: Path = shared_data() / "others" / "symbolic" / "windows"
    dump = stillframe.open(folder / "mini.dmp")
    assert dump.crashed_thread is not None
    expected = [("crash", "main.cpp", 24), ("start", "main.cpp", 28), ("main", "main.cpp", 35)]
    assert chain(dump.crashed_thread.frames)[:3] == expected
    assert [frame.is_inlined for frame in dump.crashed_thread.frames[:3]] == [True, True, False]
