"""Reading: across ranges, out of images, and never out of thin air."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Reason
from support import scene
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

TOUCHING = [(0x1000, b"abcd"), (0x1004, b"ef")]


def open_with(folder: Path, *ranges: tuple[int, bytes]) -> stillframe.Dump:
    builder = DumpBuilder()
    for address, data in ranges:
        builder.memory(address, data)
    return stillframe.open(builder.write(folder / "memory.dmp"))


@pytest.mark.parametrize(
    ("address", "size", "expected"),
    [
        (0x1000, 6, b"abcdef"),
        (0x1002, 4, b"cdef"),
        (0x1003, 2, b"de"),
        (0x1005, 1, b"f"),
        (0x1000, 0, b""),
        (0x5000, 0, b""),
    ],
)
def test_read_joins_ranges_that_touch(tmp_path: Path, address: int, size: int, expected: bytes) -> None:
    assert open_with(tmp_path, *TOUCHING).memory.read(address, size) == expected


@pytest.mark.parametrize(
    ("address", "size", "first_absent", "before"),
    [
        (0x1004, 3, 0x1006, b"ef"),
        (0x1006, 1, 0x1006, b""),
        (0xFFF, 2, 0xFFF, b""),
        (0x1000, 1 << 40, 0x1006, b"abcdef"),
        ((1 << 64) - 2, 1, (1 << 64) - 2, b""),
    ],
)
def test_read_names_the_first_absent_byte(
    tmp_path: Path, address: int, size: int, first_absent: int, before: bytes
) -> None:
    memory = open_with(tmp_path, *TOUCHING).memory
    with pytest.raises(stillframe.FaultError, match=f"^{first_absent:#x} .*full memory$") as caught:
        memory.read(address, size)
    assert caught.value.address == first_absent
    assert caught.value.reason == Reason.NOT_IN_DUMP
    part = memory.read_partial(address, size)
    assert part.data == before
    assert part.absent == stillframe.Absent.because(Reason.NOT_IN_DUMP)


@pytest.mark.parametrize("address", [-1, (1 << 64) - 1, 1 << 64])
def test_no_address_is_a_fault(tmp_path: Path, address: int) -> None:
    memory = open_with(tmp_path, *TOUCHING).memory
    with pytest.raises(stillframe.FaultError) as caught:
        memory.read(address, 1)
    assert caught.value.reason == Reason.NO_ADDRESS
    with pytest.raises(ValueError, match="no range of addresses"):
        memory.provenance(address, 1)


def test_c_string_ends_at_zero_or_limit_and_faults_at_the_end_of_memory(tmp_path: Path) -> None:
    memory = open_with(tmp_path, (0x1000, b"one\0two")).memory
    assert memory.read_c_string(0x1000) == b"one"
    assert memory.read_c_string(0x1003) == b""
    assert memory.read_c_string(0x1000, limit=2) == b"on"
    with pytest.raises(stillframe.FaultError) as caught:
        memory.read_c_string(0x1004)
    assert caught.value.address == 0x1007


def test_free_memory_is_another_absence_than_memory_that_was_not_saved(tmp_path: Path) -> None:
    builder = DumpBuilder().memory(0x1000, b"a").region(0x20000, 0x1000, 0x10000).region(0x30000, 0x1000, 0x1000)
    memory = stillframe.open(builder.write(tmp_path / "regions.dmp")).memory
    assert memory.provenance(0x20000, 1)[0].reason is Reason.FREE
    assert memory.provenance(0x30000, 1)[0].reason is Reason.NOT_IN_DUMP


@pytest.mark.parametrize("base", [scene.PREFERRED_BASE, scene.BASE])
@pytest.mark.parametrize("cpu", ["x86", "amd64"])
def test_the_image_fills_what_the_dump_left_out_relocated(tmp_path: Path, cpu: str, base: int) -> None:
    pe = scene.image(cpu)
    memory = scene.write(tmp_path, pe, scene.dump(pe, base)).memory
    loaded = pe.loaded(base)
    assert memory.read(base + scene.TEXT, 64) == loaded[scene.TEXT : scene.TEXT + 64]
    assert memory.read(base + scene.RDATA, 32) == loaded[scene.RDATA : scene.RDATA + 32]
    assert memory.read_c_string(base + scene.RDATA) == b"constant"


def test_provenance_names_the_source_of_every_byte(tmp_path: Path) -> None:
    pe = scene.image()
    memory = scene.write(tmp_path, pe, scene.dump(pe)).memory
    start = scene.BASE + scene.TEXT
    spans = memory.provenance(start, 0x2008)
    assert spans[0].address == start
    assert spans[-1].end == start + 0x2008
    assert all(span.end == following.address for span, following in pairwise(spans))
    assert [(spans[0].source, spans[0].size_bytes), (spans[1].source, spans[1].offset)] == [
        ("dump", 32),
        ("image", scene.TEXT + 32),
    ]
    rdata = [span for span in spans if span.section == ".rdata" and span.source == "image"]
    assert [(span.address, span.size_bytes) for span in rdata if span.relocated] == [
        (scene.BASE + scene.RDATA + 0x10, 4)
    ]
    assert {span.proof for span in rdata} == {
        "proved by TimeDateStamp and SizeOfImage and by 32 bytes on 1 page that the dump holds"
    }
    assert all(span.module is not None and span.module.name == "hello.exe" for span in rdata)
    assert spans[-1].reason is Reason.WRITABLE_SECTION


def test_without_bytes_to_compare_the_proof_says_that_it_is_the_key_alone(tmp_path: Path) -> None:
    pe = scene.image()
    span = scene.write(tmp_path, pe, scene.dump(pe, held=0)).memory.provenance(scene.BASE + scene.TEXT, 1)[0]
    assert span.proof is not None
    assert "alone" in span.proof


def test_a_writable_section_never_answers(tmp_path: Path) -> None:
    pe = scene.image()
    memory = scene.write(tmp_path, pe, scene.dump(pe)).memory
    address = scene.BASE + scene.SECTION_DATA
    with pytest.raises(stillframe.FaultError, match=f"^{address:#x} in hello.exe: writable section") as caught:
        memory.read(address, 4)
    assert (caught.value.address, caught.value.reason) == (address, Reason.WRITABLE_SECTION)


def test_bytes_of_the_dump_win_over_the_image_in_a_writable_section(tmp_path: Path) -> None:
    pe = scene.image()
    builder = scene.dump(pe).memory(scene.BASE + scene.SECTION_DATA, b"changed")
    assert scene.write(tmp_path, pe, builder).memory.read(scene.BASE + scene.SECTION_DATA, 7) == b"changed"


def test_without_the_image_the_reason_is_the_image(tmp_path: Path) -> None:
    pe = scene.image()
    memory = stillframe.open(scene.dump(pe).write(tmp_path / "alone.dmp")).memory
    first_absent = scene.BASE + scene.TEXT + 32
    with pytest.raises(stillframe.FaultError, match=re.escape(Reason.IMAGE_MISSING.remedy)) as caught:
        memory.read(scene.BASE + scene.TEXT, 33)
    assert (caught.value.address, caught.value.reason) == (first_absent, Reason.IMAGE_MISSING)
    assert caught.value.module == "hello.exe"


def test_the_image_is_sought_only_when_a_byte_needs_it_and_once(tmp_path: Path) -> None:
    pe = scene.image()
    locator = scene.FakeLocator()
    dump = stillframe.open(scene.dump(pe).write(tmp_path / "lazy.dmp"), locator)
    dump.memory.read(scene.BASE + scene.TEXT, 32)
    assert locator.asked_images == []
    assert dump.modules[0].image.state == "not_asked"
    for _ in range(2):
        dump.memory.read_partial(scene.BASE + scene.TEXT, 33)
        dump.memory.provenance(scene.BASE, pe.size_of_image)
    assert locator.asked_images == ["C:\\app\\hello.exe"]
