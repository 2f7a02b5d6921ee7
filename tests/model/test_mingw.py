"""Programs of MinGW, which have no PDB: their debug information is DWARF in the image, x86 is unwound by `.eh_frame`.

The programs are those of the engine's tests (`engine/core/tests/shapes`): addresses and lines are llvm-symbolizer's.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent, Reason
from stillframe._engine import DebugFile
from stillframe.model.evidence import DebugInfoFound, Missing
from support.data import REPOSITORY
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

SHAPES = REPOSITORY / "engine" / "core" / "tests" / "shapes"
BASE, STACK = 0x9F0000, 0x20000


def open_dump(folder: Path, program: str, registers: dict[str, int], stack: list[int]) -> stillframe.Dump:
    """A dump of `program` at `BASE`, and the program beside it."""
    image = (SHAPES / program).read_bytes()
    (folder / program).write_bytes(image)
    (pe,) = struct.unpack_from("<I", image, 0x3C)
    (time_date_stamp,) = struct.unpack_from("<I", image, pe + 8)
    (size_of_image,) = struct.unpack_from("<I", image, pe + 24 + 56)
    builder = DumpBuilder().module(f"C:\\{program}", BASE, size_of_image, time_date_stamp)
    builder.thread(1, registers, STACK, struct.pack(f"<{len(stack)}I", *stack))
    return stillframe.open(builder.write(folder / "a.dmp"))


def test_a_crash_is_shown_by_the_dwarf_of_the_image(tmp_path: Path) -> None:
    # The write through a null pointer in `poke`, inlined in `crash`, called by `_start`.
    registers = {"eip": BASE + 0x1072, "esp": STACK, "ebp": STACK + 0x24}
    dump = open_dump(tmp_path, "shapes.x86.exe", registers, [0] * 9 + [STACK + 0x50, BASE + 0x1099] + [0] * 12)
    frames = dump.threads[0].frames
    crash = "(anonymous namespace)::crash"
    assert [(frame.name, frame.trust) for frame in frames] == [
        ("(anonymous namespace)::poke", "context"),
        (crash, "context"),
        ("_start", "cfi"),
    ]
    assert [None if isinstance(frame.location, Absent) else frame.location.line for frame in frames] == [28, 37, 45]
    state = dump.modules[0].find_debug_info()
    assert isinstance(state, DebugInfoFound)
    assert (state.path, state.file.format, state.identified_by) == (tmp_path / "shapes.x86.exe", "dwarf", "itself")
    assert BASE + 0x2000 in {symbol.address for symbol in dump.symbols("counter")}


def test_a_stripped_program_is_unwound_all_the_same(tmp_path: Path) -> None:
    # Without a frame pointer: EBP is anything.
    registers = {"eip": BASE + 0x1010, "esp": STACK, "ebp": 0xDEAD}
    dump = open_dump(tmp_path, "shapes.stripped.exe", registers, [BASE + 0x104F, 1, 2, 3, 4, 0, 0])
    frames = dump.threads[0].frames
    assert [(frame.instruction, frame.trust) for frame in frames] == [
        (BASE + 0x1010, "context"),
        (BASE + 0x104F, "cfi"),
    ]
    state = dump.modules[0].find_debug_info()
    assert isinstance(state, Missing)
    assert state.absent.reason is Reason.DEBUG_INFO_NOT_MADE


def mapped(image: bytes) -> bytes:
    """As the loader maps it where it wants to be. The string table, with the names of long sections, is not mapped."""
    (pe,) = struct.unpack_from("<I", image, 0x3C)
    (sections,) = struct.unpack_from("<H", image, pe + 6)
    (optional_size,) = struct.unpack_from("<H", image, pe + 20)
    (size_of_image, size_of_headers) = struct.unpack_from("<II", image, pe + 24 + 56)
    memory = bytearray(size_of_image)
    memory[:size_of_headers] = image[:size_of_headers]
    for index in range(sections):
        header = pe + 24 + optional_size + 40 * index
        size, rva, raw_size, raw = struct.unpack_from("<IIII", image, header + 8)
        memory[rva : rva + min(size, raw_size)] = image[raw : raw + min(size, raw_size)]
    return bytes(memory)


def dump_with_whole_image(folder: Path, program: str, eip: int, stack: list[int]) -> tuple[stillframe.Dump, int]:
    """The dump, and where the program is. The stack is given relative to that."""
    image = (SHAPES / program).read_bytes()
    (pe,) = struct.unpack_from("<I", image, 0x3C)
    (base,) = struct.unpack_from("<I", image, pe + 24 + 28)
    (stamp,), (size,) = struct.unpack_from("<I", image, pe + 8), struct.unpack_from("<I", image, pe + 24 + 56)
    whole = mapped(image).replace(b".eh_fram", b"/4\0\0\0\0\0\0")
    builder = DumpBuilder().module(f"C:\\{program}", base, size, stamp).memory(base, whole)
    words = struct.pack(f"<{len(stack)}I", *(base + word for word in stack))
    builder.thread(1, {"eip": base + eip, "esp": STACK, "ebp": STACK + 0x24}, STACK, words)
    return stillframe.open(builder.write(folder / "a.dmp")), base


def test_a_dump_with_the_whole_image_still_needs_the_file_for_its_dwarf(tmp_path: Path) -> None:
    program = tmp_path / "shapes.x86.exe"
    program.write_bytes((SHAPES / "shapes.x86.exe").read_bytes())
    dump, _ = dump_with_whole_image(tmp_path, "shapes.x86.exe", 0x1072, [0] * 10 + [0x1099] + [0] * 12)
    assert dump.modules[0].find_image().state == "captured"
    assert [frame.name for frame in dump.threads[0].frames][-1] == "_start"
    state = dump.modules[0].find_debug_info()
    assert isinstance(state, DebugInfoFound)
    assert (state.path, state.identified_by) == (program, "itself")


def test_call_frame_information_without_a_name_is_known_by_its_content(tmp_path: Path) -> None:
    dump, base = dump_with_whole_image(tmp_path, "shapes.stripped.exe", 0x1010, [0x104F, 0x1234, 2, 3, 4, 0, 0])
    assert dump.modules[0].find_image().state == "captured"
    assert [(frame.instruction, frame.trust) for frame in dump.threads[0].frames] == [
        (base + 0x1010, "context"),
        (base + 0x104F, "cfi"),
    ]


@pytest.mark.parametrize("program", ["shapes.x86.exe", "shapes.x64.exe"])
def test_the_engine_opens_a_program_as_debug_information(program: str) -> None:
    file = DebugFile.open(SHAPES / program)
    assert (file.format, file.guid, file.build_id) == ("dwarf", None, None)
    assert [symbol.name for symbol in file.symbols_named("geo::Rect::area")] == ["_ZNK3geo4Rect4areaEv"]
