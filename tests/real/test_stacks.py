"""Stacks of real dumps, against the call chains that the sources of the programs fix.

The lines are those of app.cpp, bare_crt.cpp, hello_bare.c, msstl.cpp and stl.cpp, from which the programs were built.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import stillframe
from support.data import shared_data

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


def test_a_release_build_by_microsofts_compiler() -> None:
    folder: Path = shared_data() / "others" / "symbolic" / "windows"
    dump = stillframe.open(folder / "mini.dmp")
    assert dump.crashed_thread is not None
    expected = [("crash", "main.cpp", 24), ("start", "main.cpp", 28), ("main", "main.cpp", 35)]
    assert chain(dump.crashed_thread.frames)[:3] == expected
    assert [frame.is_inlined for frame in dump.crashed_thread.frames[:3]] == [True, True, False]
