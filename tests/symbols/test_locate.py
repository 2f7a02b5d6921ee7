"""Where files are sought, in which order, and what is said of each place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from stillframe.model.locator import Attempt, DebugFileRequest, Found, ImageRequest, NotFound, Outcome, SourceRequest
from stillframe.symbols.locate import DirectoryLocator
from stillframe.symbols.path import parse_symbol_path

if TYPE_CHECKING:
    from pathlib import Path

KEY = "5F00000114000"
GOOD = b"the wanted file"


def verify(path: Path) -> Attempt:
    """Accepts files with the content that is wanted."""
    outcome = Outcome.ACCEPTED if path.read_bytes() == GOOD else Outcome.MISMATCH
    return Attempt(str(path), outcome, "" if outcome is Outcome.ACCEPTED else "another build")


def put(path: Path, content: bytes = GOOD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def image(path: str = "C:\\app\\Hello.exe") -> ImageRequest:
    return ImageRequest(path, KEY, verify)


def debug_file(*paths: str, beside: Path | None = None) -> DebugFileRequest:
    return DebugFileRequest(paths, "00112233445566778899AABBCCDDEEFF1", beside, verify)


def find_image(dump_folder: Path, symbols: str = "", request: ImageRequest | None = None) -> Found | NotFound:
    return DirectoryLocator(dump_folder, parse_symbol_path(symbols)).image(request or image())


def found_path(answer: Found | NotFound) -> Path:
    assert isinstance(answer, Found), answer.tried
    return answer.path


@pytest.mark.parametrize("name", ["Hello.exe", "hello.exe", "HELLO.EXE", "hElLo.ExE"])
def test_beside_the_dump_whatever_the_case(tmp_path: Path, name: str) -> None:
    wanted = put(tmp_path / name)
    assert found_path(find_image(tmp_path)).samefile(wanted)


@pytest.mark.parametrize(
    "place",
    [
        "Hello.exe",
        "exe/Hello.exe",
        "EXE/hello.EXE",
        "symbols/exe/Hello.exe",
        f"Hello.exe/{KEY}/Hello.exe",
        f"hello.exe/{KEY.lower()}/HELLO.exe",
    ],
)
def test_places_in_a_folder(tmp_path: Path, place: str) -> None:
    put(tmp_path / "symbols dir" / place)
    answer = find_image(tmp_path / "nowhere", str(tmp_path / "symbols dir"))
    assert found_path(answer) == tmp_path / "symbols dir" / place


def test_a_store_holds_files_by_key_only(tmp_path: Path) -> None:
    put(tmp_path / "store" / "Hello.exe")
    assert isinstance(find_image(tmp_path, f"srv*{tmp_path / 'store'}"), NotFound)
    wanted = put(tmp_path / "other" / "hello.exe" / KEY / "hello.exe")
    answer = find_image(tmp_path, f"srv*{tmp_path / 'store'}*{tmp_path / 'other'}")
    assert found_path(answer) == wanted


def test_a_store_of_two_tiers(tmp_path: Path) -> None:
    wanted = put(tmp_path / "store" / "he" / "hello.exe" / KEY / "hello.exe")
    assert isinstance(find_image(tmp_path, f"srv*{tmp_path / 'store'}"), NotFound)
    put(tmp_path / "store" / "index2.txt", b"")
    assert found_path(find_image(tmp_path, f"srv*{tmp_path / 'store'}")) == wanted


@pytest.mark.parametrize(("name", "words"), [("hello.ex_", "compressed"), ("file.ptr", "pointers")])
def test_forms_of_a_store_that_are_not_read_yet_are_named(tmp_path: Path, name: str, words: str) -> None:
    path = put(tmp_path / "store" / "hello.exe" / KEY / name)
    answer = find_image(tmp_path, f"srv*{tmp_path / 'store'}")
    assert isinstance(answer, NotFound)
    (attempt,) = [attempt for attempt in answer.tried if attempt.place == str(path)]
    assert attempt.outcome is Outcome.UNREADABLE
    assert words in attempt.detail


def test_the_order_and_the_record_of_every_place(tmp_path: Path) -> None:
    beside = put(tmp_path / "dump" / "hello.exe", b"other")
    first = put(tmp_path / "first" / "hello.exe", b"other")
    wanted = put(tmp_path / "second" / "hello.exe")
    symbols = f"{tmp_path / 'missing'};{tmp_path / 'first'};{tmp_path / 'second'}"
    answer = find_image(tmp_path / "dump", symbols)
    assert found_path(answer) == wanted
    outcomes = {attempt.place: attempt.outcome for attempt in answer.tried}
    order = [str(beside), "C:\\app\\Hello.exe", str(tmp_path / "missing"), str(first), str(wanted)]
    assert [place for place in outcomes if place in order] == order
    assert [outcomes[place] for place in order] == [
        Outcome.MISMATCH,
        Outcome.NOT_FOLLOWED,
        Outcome.NOT_THERE,
        Outcome.MISMATCH,
        Outcome.ACCEPTED,
    ]


def test_a_recorded_path_of_this_machine_is_followed_unless_switched_off(tmp_path: Path) -> None:
    recorded = put(tmp_path / "build" / "hello.exe")
    request = image(str(recorded))
    assert found_path(find_image(tmp_path, request=request)) == recorded
    switched_off = DirectoryLocator(tmp_path, use_recorded_paths=False).image(request)
    assert isinstance(switched_off, NotFound)
    assert Outcome.NOT_FOLLOWED in {attempt.outcome for attempt in switched_off.tried}


@pytest.mark.parametrize("path", ["\\\\server\\share\\hello.exe", "//server/share/hello.exe", "\\\\.\\pipe\\hello.exe"])
def test_network_and_device_paths_are_not_followed(tmp_path: Path, path: str) -> None:
    answer = find_image(tmp_path, request=image(path))
    (attempt,) = [attempt for attempt in answer.tried if attempt.place == path]
    assert attempt.outcome is Outcome.NOT_FOLLOWED


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hello.exe")
    answer = find_image(tmp_path)
    assert isinstance(answer, NotFound)
    assert answer.tried[0] == Attempt(str(tmp_path / "hello.exe"), Outcome.UNREADABLE, "not a plain file")


@pytest.mark.parametrize("path", ["", "..", "C:\\app\\..", "/", "a\\\0", "C:\\app\\a:b", "x" * 300])
def test_names_that_are_no_names_are_sought_nowhere(tmp_path: Path, path: str) -> None:
    answer = find_image(tmp_path, str(tmp_path), image(path))
    assert isinstance(answer, NotFound)
    assert all(str(tmp_path) not in attempt.place or attempt.place == str(tmp_path) for attempt in answer.tried)


def test_places_of_a_pdb_in_order(tmp_path: Path) -> None:
    places = [
        put(tmp_path / "dump" / "hello.pdb"),
        put(tmp_path / "recorded" / "hello.pdb"),
        put(tmp_path / "image" / "hello.pdb"),
        put(tmp_path / "folder" / "hello.pdb"),
        put(tmp_path / "folder" / "pdb" / "hello.pdb"),
    ]
    request = debug_file(str(places[1]), "C:\\b\\hello.pdb", beside=tmp_path / "image" / "hello.exe")
    for place in places:
        locator = DirectoryLocator(tmp_path / "dump", parse_symbol_path(str(tmp_path / "folder")))
        assert found_path(locator.debug_file(request)) == place
        place.unlink()


def test_a_source_is_sought_by_the_longest_suffix_first(tmp_path: Path) -> None:
    request = SourceRequest("C:\\src\\.\\app\\Main.cpp", verify)
    places = [
        put(tmp_path / "folder" / "src" / "app" / "main.cpp"),
        put(tmp_path / "dump" / "app" / "Main.cpp"),
        put(tmp_path / "folder" / "app" / "main.cpp"),
        put(tmp_path / "dump" / "main.cpp"),
        put(tmp_path / "folder" / "main.cpp"),
    ]
    for place in places:
        locator = DirectoryLocator(tmp_path / "dump", parse_symbol_path(str(tmp_path / "folder")))
        assert found_path(locator.source(request)) == place
        place.unlink()


def test_a_source_path_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    put(tmp_path / "secret" / "main.cpp")
    (tmp_path / "dump").mkdir()
    answer = DirectoryLocator(tmp_path / "dump").source(SourceRequest("C:\\..\\secret\\main.cpp", verify))
    assert isinstance(answer, NotFound)
    assert all(".." not in attempt.place for attempt in answer.tried if attempt.outcome is not Outcome.NOT_FOLLOWED)


@pytest.mark.skipif(os.name == "nt", reason="the recorded paths are those of Unix")
@pytest.mark.parametrize(
    ("name", "is_followed"),
    [
        ("main.cpp", True),
        ("include/c++/12/vector", True),
        ("id_rsa", False),
        ("app.cpp.env", False),
        ("include/../id_rsa", False),
        ("include/x.h/../../id_rsa", False),
    ],
)
def test_a_recorded_path_of_source_is_followed_if_it_looks_like_one(
    tmp_path: Path, name: str, *, is_followed: bool
) -> None:
    put(tmp_path / "src" / name)
    put(tmp_path / "src" / "include" / "x.h" / "file")
    (tmp_path / "dump").mkdir()
    recorded = f"{tmp_path}/src/{name}"
    answer = DirectoryLocator(tmp_path / "dump").source(SourceRequest(recorded, verify))
    assert isinstance(answer, Found) == is_followed
    refused = [attempt.detail for attempt in answer.tried if attempt.outcome is Outcome.NOT_FOLLOWED]
    assert refused == ([] if is_followed else ["does not look like the path of source"])
