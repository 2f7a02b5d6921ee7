"""Values of the lab's programs for Linux, from their sources: `lin.cpp` in cores, `lin_cp.cpp` in dumps of Crashpad,
`lin_arm64.c` in cores of ARM64. Right without optimisation, right or absent with it.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent, Reason, Value
from support.cores import BUILDS, built_core
from support.crashpad import crashpad_dump, folder_of_libraries
from support.data import shared_data
from support.lin_values import NAME, check_workers, count_right, read
from support.qemu_cores import COMPILER, as_linux_writes, files_of_program, qemu_core

if TYPE_CHECKING:
    from pathlib import Path

LEAST_RIGHT = 5
"""With optimisation: GCC keeps one call of the recursion."""


def source_of(name: str) -> Path:
    return shared_data().parent / "lab" / "src" / name


@pytest.mark.parametrize(("compiler", "level"), BUILDS)
def test_cores(compiler: str, level: str, tmp_path: Path) -> None:
    dump = stillframe.open(built_core(source_of("lin.cpp").read_text(), compiler, level, tmp_path))
    assert count_right(dump, level) >= LEAST_RIGHT
    check_workers(dump, level)
    assert (str(dump["g_points"]), str(dump["g_null"])) == ("size=1 {{x=3, y=4}}", "nullptr")
    assert dump["t_slot"] == 9


@pytest.mark.parametrize(("compiler", "level"), BUILDS)
def test_dumps_of_crashpad(compiler: str, level: str, tmp_path: Path) -> None:
    """They hold stacks, and neither heap nor data: `name` is too long for its object: its text is on the heap."""
    path = crashpad_dump(source_of("lin_cp.cpp"), compiler, level, tmp_path)
    dump = stillframe.open(path, symbols=[tmp_path, folder_of_libraries()])
    assert count_right(dump, level, leave_out=("name",)) >= LEAST_RIGHT
    check_workers(dump, level)
    assert dump.crashed_thread is not None
    name = next(frame for frame in dump.crashed_thread.frames if frame.name == "crash_here")["name"]
    assert isinstance(name, Value)
    assert name["_M_string_length"] == len(NAME)
    assert str(name) == f"<{Reason.NOT_IN_DUMP}>"
    for variable in ("g_points", "g_null"):
        value = dump[variable]
        assert isinstance(value, Value)
        assert value.absent == Absent.because(Reason.WRITABLE_SECTION)


CRASH_OF_ARM64 = {"d": 0, "n": 0, "local": 0}
REC_OF_ARM64 = [{"d": depth, "p": {"x": depth, "y": depth + 1}} for depth in range(4)]


@pytest.mark.parametrize("level", ["-O0", "-O2"])
def test_cores_of_arm64(level: str, tmp_path: Path) -> None:
    """With -O2 one call of `rec` is left, and `p` is said to be in memory that nothing writes: the write through null
    that follows is undefined, so that GCC trusts nobody to look.
    """
    if shutil.which(COMPILER) is None:
        pytest.skip(f"{COMPILER} is needed")
    program = tmp_path / "program"
    subprocess.run([COMPILER, "-g", level, "-static", source_of("lin_arm64.c"), "-o", program], check=True)
    core = qemu_core(tmp_path)
    core.write_bytes(as_linux_writes(core.read_bytes(), {}, files_of_program(program)))
    thread = stillframe.open(core).crashed_thread
    assert thread is not None
    crash, *callers = thread.frames
    assert crash.name == "crash"
    values = {name: crash[name] for name in CRASH_OF_ARM64}
    if level == "-O0":
        recursion = [frame for frame in callers if frame.name == "rec"]
        assert [{name: read(frame[name]) for name in ("d", "p")} for frame in recursion] == REC_OF_ARM64
        assert read(crash["p"]) == REC_OF_ARM64[0]["p"]
        assert values == CRASH_OF_ARM64
    else:
        right = {name: value for name, value in values.items() if not isinstance(value, Absent)}
        assert right == {name: CRASH_OF_ARM64[name] for name in right}
        assert "local" in right
