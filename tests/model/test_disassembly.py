"""Listings: their text, and where they end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

import stillframe
from stillframe import Absent, Reason
from stillframe.model.disassembly import InstructionLine
from stillframe.model.location import SourceLine, SourceLocation
from support import scene

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe._engine import Instruction

CODE = bytes.fromhex("55 8bec c3")  # push ebp; mov ebp,esp; ret


@dataclass
class FakeInstruction:
    address: int
    data: bytes
    mnemonic: str
    operands: str


@pytest.mark.parametrize(
    ("line", "text"),
    [
        # As Visual Studio shows them.
        (
            (0x9F1934, "c745f8307b9f00", "mov", "dword ptr [message],offset string (09F7B30h)", 8),
            "009F1934 C7 45 F8 30 7B 9F 00 mov         dword ptr [message],offset string (09F7B30h)",
        ),
        ((0x9F193E, "50", "push", "eax", 8), "009F193E 50                   push        eax"),
        ((0x9F193E, "c3", "ret", "", 16), "00000000009F193E C3                   ret"),
    ],
)
def test_an_instruction_is_shown_as_visual_studio_does(line: tuple[int, str, str, str, int], text: str) -> None:
    address, data, mnemonic, operands, digits = line
    fake = FakeInstruction(address, bytes.fromhex(data), mnemonic, operands)
    assert str(InstructionLine(cast("Instruction", fake), digits, 20)) == text


def test_source_of_another_version_is_marked_and_missing_source_gives_its_place() -> None:
    file = cast("Any", type("File", (), {"path": "C:\\src\\main.cpp", "checksum": None, "checksum_kind": None}))
    location = SourceLocation(file, 12)
    assert str(SourceLine(location, "    f();", is_mismatch=False)) == "    f();"
    assert str(SourceLine(location, "    f();", is_mismatch=True)) == "    f();    [other version of main.cpp:12]"
    absent = Absent.because(Reason.SOURCE_MISSING)
    assert str(SourceLine(location, absent, is_mismatch=False)) == "--- C:\\src\\main.cpp:12"


def dump_with_code(folder: Path) -> stillframe.Dump:
    pe = scene.image()
    return stillframe.open(scene.dump(pe, held=0).memory(0x1000, CODE).write(folder / "a.dmp"))


def test_a_listing_has_as_many_instructions_as_asked(tmp_path: Path) -> None:
    listing = dump_with_code(tmp_path).disassemble(0x1000, count=2)
    assert [(each.address, each.data) for each in listing.instructions] == [(0x1000, CODE[:1]), (0x1001, CODE[1:3])]
    assert (listing.end, listing.absent) == (0x1003, None)
    assert len(listing) == 2
    assert str(listing).splitlines()[0].startswith("00001000 55 ")


def test_a_listing_up_to_an_end(tmp_path: Path) -> None:
    listing = dump_with_code(tmp_path).disassemble(0x1000, end=0x1004)
    assert [each.mnemonic for each in listing.instructions] == ["push", "mov", "ret"]
    assert listing.absent is None


def test_a_listing_that_ends_early_says_why(tmp_path: Path) -> None:
    dump = dump_with_code(tmp_path)
    listing = dump.disassemble(0x1000, count=9)
    assert len(listing.instructions) == 3
    assert listing.absent == Absent.because(Reason.NOT_IN_DUMP)
    nothing = dump.disassemble(scene.BASE + scene.TEXT)
    assert nothing.instructions == ()
    assert nothing.absent == Absent.because(Reason.IMAGE_MISSING)
    assert str(nothing.start) == "hello.exe+0x1000"


def test_code_of_the_image_is_decoded_where_the_dump_has_none(tmp_path: Path) -> None:
    pe = scene.image()
    listing = scene.write(tmp_path, pe, scene.dump(pe, held=0)).disassemble("hello.exe+0x1000", count=3)
    # 40, 41, 42: inc eax, inc ecx, inc edx.
    assert [(each.address, each.mnemonic) for each in listing.instructions] == [
        (scene.BASE + scene.TEXT + offset, "inc") for offset in range(3)
    ]


def test_a_listing_takes_a_count_or_an_end(tmp_path: Path) -> None:
    dump = dump_with_code(tmp_path)
    with pytest.raises(ValueError, match="not both"):
        dump.disassemble(0x1000, count=1, end=0x1001)
    with pytest.raises(ValueError, match="negative"):
        dump.disassemble(0x1000, count=-1)
