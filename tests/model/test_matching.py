"""Which image is believed, and what is said of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import stillframe
from stillframe import Reason
from stillframe.model.evidence import ImageFound, Missing, Rejected
from stillframe.model.locator import Outcome
from support import scene
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from support.pe_builder import PeBuilder


def changed_text(offset: int) -> PeBuilder:
    """The scene's image with one byte of `.text` changed."""
    pe = scene.image()
    text = bytearray(pe.sections[0].data)
    text[offset] ^= 0xFF
    pe.sections[0].data = bytes(text)
    return pe


def test_an_image_with_the_key_and_equal_bytes_is_found(tmp_path: Path) -> None:
    pe = scene.image()
    state = scene.write(tmp_path, pe, scene.dump(pe)).modules[0].find_image()
    assert isinstance(state, ImageFound)
    assert state.path == tmp_path / "hello.exe"
    assert (state.proof.compared_bytes, state.proof.compared_pages, state.proof.differing_bytes) == (32, 1, 0)
    assert [attempt.outcome for attempt in state.tried] == [Outcome.ACCEPTED]


def test_another_key_is_rejected_with_both_keys_and_the_place(tmp_path: Path) -> None:
    pe = scene.image()
    dump = scene.dump(pe)
    pe.time_date_stamp = 0x5F000002
    module = scene.write(tmp_path, pe, dump).modules[0]
    state = module.find_image()
    assert isinstance(state, Rejected)
    assert state.where == tmp_path / "hello.exe"
    assert "5F000001" in state.expected
    assert "5F000002" in state.found
    assert state.absent.reason is Reason.IMAGE_MISMATCH
    assert state.differing == ()
    assert module.image is state


def test_one_other_byte_is_rejected_with_its_address_and_bytes(tmp_path: Path) -> None:
    pe = changed_text(5)
    dump = scene.write(tmp_path, pe, scene.dump(scene.image()))
    state = dump.modules[0].find_image()
    assert isinstance(state, Rejected)
    address = scene.BASE + scene.TEXT + 5
    difference = state.differing[0]
    assert (len(state.differing), difference.address, difference.size_bytes) == (1, address, 1)
    assert (difference.expected, difference.found) == (bytes([0x45 ^ 0xFF]), b"\x45")
    assert difference.section == ".text"
    assert f"{address:#x}" in state.found
    with_reason = dump.memory.read_partial(scene.BASE + scene.TEXT, 33)
    assert (len(with_reason.data), with_reason.absent) == (32, state.absent)


def test_a_byte_that_the_dump_does_not_hold_cannot_speak_against_the_image(tmp_path: Path) -> None:
    pe = changed_text(32)  # the dump holds the bytes before it
    assert scene.write(tmp_path, pe, scene.dump(scene.image())).modules[0].find_image().state == "found"


def test_changes_of_writable_sections_are_no_difference(tmp_path: Path) -> None:
    pe = scene.image()
    dump = scene.dump(pe).memory(scene.BASE + scene.SECTION_DATA, b"changed")
    assert scene.write(tmp_path, pe, dump).modules[0].find_image().state == "found"


def test_relocated_bytes_are_compared_after_relocation(tmp_path: Path) -> None:
    pe = scene.image()
    held = pe.loaded(scene.BASE)[scene.TEXT : scene.TEXT + 32]
    assert held != pe.loaded(scene.PREFERRED_BASE)[scene.TEXT : scene.TEXT + 32]
    assert scene.write(tmp_path, pe, scene.dump(pe)).modules[0].find_image().state == "found"


def test_a_candidate_that_fails_does_not_end_the_search(tmp_path: Path) -> None:
    (tmp_path / "symbols").mkdir()
    (tmp_path / "hello.exe").write_bytes(changed_text(0).build())
    (tmp_path / "symbols" / "hello.exe").write_bytes(scene.image().build())
    path = scene.dump(scene.image()).write(tmp_path / "scene.dmp")
    state = stillframe.open(path, tmp_path / "symbols").modules[0].find_image()
    assert isinstance(state, ImageFound)
    assert state.path == tmp_path / "symbols" / "hello.exe"
    tried = [(attempt.place, attempt.outcome) for attempt in state.tried if "C:" not in attempt.place]
    assert tried == [
        (str(tmp_path / "hello.exe"), Outcome.MISMATCH),
        (str(tmp_path / "symbols" / "hello.exe"), Outcome.ACCEPTED),
    ]


def test_the_rejected_candidate_that_is_described_is_the_one_with_the_right_key(tmp_path: Path) -> None:
    (tmp_path / "symbols").mkdir()
    other = scene.image()
    other.time_date_stamp = 1
    (tmp_path / "hello.exe").write_bytes(other.build())
    (tmp_path / "symbols" / "hello.exe").write_bytes(changed_text(0).build())
    path = scene.dump(scene.image()).write(tmp_path / "scene.dmp")
    state = stillframe.open(path, tmp_path / "symbols").modules[0].find_image()
    assert isinstance(state, Rejected)
    assert state.where == tmp_path / "symbols" / "hello.exe"


def test_a_file_that_is_no_image_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "hello.exe").write_bytes(b"MZ no image")
    state = stillframe.open(scene.dump(scene.image()).write(tmp_path / "scene.dmp")).modules[0].find_image()
    assert isinstance(state, Missing)
    assert state.tried[0].outcome is Outcome.UNREADABLE
    assert state.tried[0].detail


def test_a_locator_that_did_not_check_is_not_believed(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.exe"
    wrong.write_bytes(changed_text(0).build())
    dump = stillframe.open(scene.dump(scene.image()).write(tmp_path / "scene.dmp"), scene.FakeLocator([wrong]))
    assert isinstance(dump.modules[0].find_image(), Rejected)
    right = tmp_path / "right.exe"
    right.write_bytes(scene.image().build())
    dump = stillframe.open(tmp_path / "scene.dmp", scene.FakeLocator([right]))
    assert isinstance(dump.modules[0].find_image(), ImageFound)


def test_which_pdb_belongs_to_a_module_is_said_by_the_dump_else_by_the_image(tmp_path: Path) -> None:
    dump_guid, image_guid = bytes(range(16)), bytes(range(16, 32))
    pe = scene.image().codeview("C:\\build\\hello.pdb", image_guid, 3)
    (tmp_path / "hello.exe").write_bytes(pe.build())

    def key_asked(pdb: tuple[str, bytes, int] | None) -> set[str]:
        builder = DumpBuilder().module("C:\\app\\hello.exe", scene.BASE, pe.size_of_image, pe.time_date_stamp, pdb)
        locator = scene.FakeLocator([tmp_path / "hello.exe"])
        module = stillframe.open(builder.write(tmp_path / "scene.dmp"), locator).modules[0]
        assert module.find_debug_info().state == "missing"
        assert module.debug_id == locator.asked_debug_files[0]
        return set(locator.asked_debug_files)  # of the PDB, then of Breakpad's symbol file

    # A GUID's first three fields are little-endian numbers.
    assert key_asked(("hello.pdb", dump_guid, 1)) == {"03020100050407060809" + "0A0B0C0D0E0F" + "1"}
    assert key_asked(None) == {"13121110151417161819" + "1A1B1C1D1E1F" + "3"}


def test_without_record_and_image_nobody_knows_the_pdb(tmp_path: Path) -> None:
    locator = scene.FakeLocator()
    dump = stillframe.open(scene.dump(scene.image()).write(tmp_path / "scene.dmp"), locator)
    state = dump.modules[0].find_debug_info()
    assert isinstance(state, Missing)
    assert state.absent.reason is Reason.DEBUG_INFO_UNIDENTIFIED
    assert locator.asked_debug_files == []


def test_an_image_without_debug_directory_has_no_pdb(tmp_path: Path) -> None:
    pe = scene.image()
    state = scene.write(tmp_path, pe, scene.dump(pe)).modules[0].find_debug_info()
    assert isinstance(state, Missing)
    assert state.absent.reason is Reason.DEBUG_INFO_NOT_MADE
