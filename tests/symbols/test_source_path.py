"""Trees of source: mapped, or looked through for the ends of paths; shown wherever source is, and marked."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent
from stillframe.errors import SourcePathError
from stillframe.model.location import SourceText
from stillframe.repl import verbs
from stillframe.repl.session import Session
from stillframe.symbols.source_path import SourceTree, parse_source_path, parts_of
from support.cores import core_of
from support.data import EXAMPLES

if TYPE_CHECKING:
    from support.command import Command

DEPOT = EXAMPLES / "depot"
LINE = "double latitude = to->position.latitude;"
MARK = f"{LINE}    [other version of depot.cpp:88]"


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """The example without its source: `C:\\depot\\depot.cpp`, as the PDB has it."""
    folder = tmp_path / "dump"
    folder.mkdir()
    for name in ("depot.dmp", "depot.exe", "depot.pdb"):
        shutil.copy(DEPOT / name, folder)
    return folder / "depot.dmp"


def tree(folder: Path, *parts: str, text: bytes | None = None) -> Path:
    """A tree with the example's source, or another version of it."""
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((DEPOT / "depot.cpp").read_bytes() if text is None else text)
    return folder


def found(dump: Path, *sources: str | Path | tuple[str, Path]) -> SourceText | Absent:
    thread = stillframe.open(dump, sources=sources).crashed_thread
    assert thread is not None
    return thread.frames[0].source


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/src", SourceTree(Path("/src"))),
        ("C:\\build=/src", SourceTree(Path("/src"), "C:\\build")),
        ("/a=b/c=/src", SourceTree(Path("/src"), "/a=b/c")),
        (("/a=b", "/c=d"), SourceTree(Path("/c=d"), "/a=b")),
        (Path("/a=b"), SourceTree(Path("/a=b"))),
    ],
)
def test_elements(text: str, expected: SourceTree) -> None:
    assert parse_source_path([text]) == (expected,)


@pytest.mark.parametrize("text", ["", "=", "=/src", "C:\\build=", "/=/src"])
def test_elements_that_mean_nothing(text: str) -> None:
    with pytest.raises(SourcePathError):
        parse_source_path([text])


def test_a_folder_whose_name_has_an_equals_sign(tmp_path: Path) -> None:
    (tmp_path / "a=b").mkdir()
    assert parse_source_path([str(tmp_path / "a=b")]) == (SourceTree(tmp_path / "a=b"),)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("C:\\a/b\\.\\c.cpp", ["C:", "a", "b", "c.cpp"]),
        ("/build/app/../lib/./x.c", ["build", "lib", "x.c"]),
        ("../x.c", ["..", "x.c"]),
        ("//", []),
    ],
)
def test_components(path: str, parts: list[str]) -> None:
    assert parts_of(path) == parts


@pytest.mark.parametrize(
    ("built_as", "path", "expected"),
    [
        ("C:\\depot", "c:/DEPOT/src/x.cpp", ["src", "x.cpp"]),
        ("C:/depot/", "C:\\depot\\x.cpp", ["x.cpp"]),
        ("C:\\dep", "C:\\depot\\x.cpp", None),  # whole components
        ("C:\\depot\\x.cpp", "C:\\depot\\x.cpp", None),  # a file is no folder
        ("/build", "/build/x.c", ["x.c"]),
        ("/BUILD", "/build/x.c", None),
    ],
)
def test_prefixes(built_as: str, path: str, expected: list[str] | None) -> None:
    is_windows = path[1] == ":"
    assert SourceTree(Path("/src"), built_as).inside(parts_of(path), is_windows=is_windows) == expected


def test_a_mapped_tree(dump: Path, tmp_path: Path) -> None:
    root = tree(tmp_path / "checkout", "app", "Depot.CPP")
    text = found(dump, ("c:/DEPOT", root / "app"))
    assert isinstance(text, SourceText)
    assert (text.match, text.path) == ("verified", root / "app" / "Depot.CPP")
    assert found(dump, (r"C:\dep", root / "app")) == found(dump)
    assert isinstance(found(dump), Absent)


def test_the_longest_prefix_comes_first_and_a_checksum_decides(dump: Path, tmp_path: Path) -> None:
    old = tree(tmp_path / "old", "depot", "depot.cpp", text=b"another\n")
    new = tree(tmp_path / "new", "depot.cpp")
    for sources in ([("C:", old), ("C:\\depot", new)], [("C:\\depot", old / "depot"), ("C:\\depot", new)]):
        text = found(dump, *sources)
        assert isinstance(text, SourceText)
        assert (text.match, text.path) == ("verified", new / "depot.cpp")


def test_a_folder_is_asked_for_the_end_of_the_path(dump: Path, tmp_path: Path) -> None:
    root = tree(tmp_path / "checkout", "depot", "depot.cpp")
    tree(root, "depot.cpp", text=b"another\n")
    text = found(dump, root)
    assert isinstance(text, SourceText)
    assert (text.match, text.path) == ("verified", root / "depot" / "depot.cpp")


def test_other_versions_are_marked_wherever_they_are_shown(
    dump: Path, tmp_path: Path, stillframe_command: Command
) -> None:
    original = (DEPOT / "depot.cpp").read_bytes()
    root = tree(tmp_path / "other", "depot.cpp", text=original + b"// changed\n")
    option = ("--source", f"C:\\depot={root}")
    for arguments in (("report",), ("disasm", "add_stop")):
        assert MARK in stillframe_command(arguments[0], dump, *arguments[1:], *option).out
        assert MARK not in stillframe_command(arguments[0], dump, *arguments[1:], "--source", DEPOT).out
    session = Session(stillframe.open(dump, sources=[root]))
    for command in (".frame", "u", "uf"):
        assert "[other version of depot.cpp:" in str(verbs.execute(session, command).page)
    assert "another version than was compiled" in str(verbs.execute(session, "lsa").page)
    assert "another version than was compiled" in str(verbs.execute(session, ".srcpath").page)
    source = stillframe_command("report", dump, "--json", *option).json["crash_info"]["stillframe"]["source"]
    assert (source["line"], source["text"].strip(), source["is_mismatch"]) == (88, LINE, True)
    source = stillframe_command("report", dump, "--json").json["crash_info"]["stillframe"]["source"]
    assert (source["file"], source["text"], source["is_mismatch"]) == ("C:\\depot\\depot.cpp", None, False)


def test_a_folder_that_is_not_there_is_told(dump: Path, stillframe_command: Command) -> None:
    for option in ("/nowhere", "C:\\depot=/nowhere"):
        result = stillframe_command("report", dump, "--source", option)
        result.assert_one_line_of_error(2)
        assert "/nowhere: no such folder" in result.err
    stillframe_command("report", dump, "--source", "=").assert_one_line_of_error(2)


def test_the_debugger_is_told_later(dump: Path) -> None:
    session = Session(stillframe.open(dump))
    with pytest.raises(stillframe.StillframeError, match=r"\.srcpath\+"):
        verbs.execute(session, "lsa")
    shown = str(verbs.execute(session, f".srcpath+ C:\\depot={DEPOT}").page)
    assert f"C:\\depot\\depot.cpp  {DEPOT / 'depot.cpp'}  verified" in shown
    lines = str(verbs.execute(session, "lsa").page).splitlines()
    assert [line.split()[0] for line in lines] == [*map(str, range(83, 88)), ">", *map(str, range(89, 94))]
    assert lines[5].split(maxsplit=2) == [">", "88", LINE]
    assert verbs.execute(session, "lsa").data()["first_line"] == 94  # type: ignore[misc,index]
    assert "> " in str(verbs.execute(session, "lsa .").page)
    assert "int main()" in str(verbs.execute(session, "list main").page)
    with pytest.raises(stillframe.StillframeError, match="no such folder"):
        verbs.execute(session, ".srcpath+ /nowhere")


def test_md5_of_dwarf(tmp_path: Path) -> None:
    """Clang records it in DWARF 5; the source is elsewhere now, and then changed."""
    if shutil.which("clang++-19") is None:
        pytest.skip("no clang")
    build, moved = tmp_path / "build", tmp_path / "moved"
    build.mkdir()
    moved.mkdir()
    (build / "main.cpp").write_text("int main()\n{\n    volatile int *null = nullptr;\n    return *null;\n}\n")
    subprocess.run(["clang++-19", "-g", "-gdwarf-5", "-O0", build / "main.cpp", "-o", build / "main"], check=True)
    core = core_of("./main", build)
    (build / "main.cpp").rename(moved / "main.cpp")
    for content, match in ((None, "verified"), ("// other\n", "mismatch")):
        if content is not None:
            (moved / "main.cpp").write_text(content)
        text = found(core, (str(build), moved))
        assert isinstance(text, SourceText)
        assert (text.match, text.path) == (match, moved / "main.cpp")


def test_a_locator_of_ones_own_is_asked_alone(dump: Path) -> None:
    locator = stillframe.open(dump).locator
    with pytest.raises(SourcePathError):
        stillframe.open(dump, symbols=locator, sources=[DEPOT])
