"""Containers of libstdc++ and libc++ in a program that is built and crashed here, by the shipped visualizers."""

from __future__ import annotations

import shutil
import subprocess
import time
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Value
from stillframe.model.natvis.sources import ROOTS, shipped
from support.containers import CHILDREN, EXPRESSIONS, LINES, PROGRAM
from support.cores import core_of

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe import Frame

BUILDS = {
    "gcc": ["g++"],
    "gcc-dwarf4-O1": ["g++", "-gdwarf-4", "-O1"],
    "clang-libstdc++": ["clang++-19"],
    "clang-libc++": ["clang++-19", "-stdlib=libc++"],
}


@pytest.fixture(scope="module", params=BUILDS)
def main(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Frame:
    """The frame with all the containers."""
    compiler, *options = BUILDS[request.param]
    folder: Path = tmp_path_factory.mktemp("containers")
    (folder / "program.cpp").write_text(PROGRAM, encoding="utf-8")
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    command = [compiler, "-std=c++17", "-g", *options, "program.cpp", "-o", "program"]
    built = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if "file not found" in built.stderr:
        pytest.skip(f"{compiler} has no such library: {built.stderr.splitlines()[0]}")
    assert built.returncode == 0, built.stderr
    dump = stillframe.open(core_of("./program", folder))
    assert dump.crashed_thread is not None
    return next(frame for frame in dump.crashed_thread.frames if frame.name.partition("(")[0] == "main")


def value_of(frame: Frame, name: str) -> Value:
    value = frame[name]
    assert isinstance(value, Value), (name, value)
    return value


def test_every_container_in_one_line(main: Frame) -> None:
    shown = {name: str(value_of(main, name)) for name in LINES}
    assert shown == LINES


def test_every_container_opened(main: Frame) -> None:
    for name, expected in CHILDREN.items():
        value = value_of(main, name)
        if name == "owner":
            value = next(value.children_()).value or value
        children = {child.name: child.format() for child in value.children_()}
        assert {key: children.get(key) for key in expected} == expected, name
        assert expected or not children
        assert not any(child.is_remark for child in value.children_())


def test_pointers_that_own_are_followed_in_expressions(main: Frame) -> None:
    for text, expected in EXPRESSIONS.items():
        value = main.eval(text)
        assert isinstance(value, Value)
        assert (text, int(value)) == (text, expected)


def test_garbage_in_place_of_containers(main: Frame) -> None:
    """Objects of every type where there are none: each is a line and some children, soon."""
    values = [value_of(main, name) for name in LINES]
    addresses = [value.address for value in values if value.address is not None]
    chance = Random(1)
    for _ in range(150):
        value = chance.choice(values)
        address = chance.randrange(min(addresses), max(addresses)) & ~7
        garbage = Value.at_address(value.process_, value.type, address)
        start = time.monotonic()
        assert len(garbage.format()) <= 200
        for child in islice(garbage.children_(), 30):
            assert len(child.format()) <= 200
        assert time.monotonic() - start < 10, (value.type.name, hex(address))


def test_long_lines_are_cut(main: Frame) -> None:
    assert value_of(main, "queue").format(length=30) == "size=299 {1, 4, 9, 16, 25, …}"


def test_the_shipped_files_are_without_mistakes() -> None:
    files = shipped()
    assert [file.name for file in files] == [
        "stillframe/libcxx.natvis", "stillframe/libstdcxx.natvis", "stillframe/microsoft_stl.natvis",
        "stillframe/rust.natvis",
    ]  # fmt: skip
    assert [problem for file in files for problem in file.problems] == []
    keys = {pattern.key for file in files for rule in file.rules for pattern in rule.patterns}
    assert {key.partition("::")[0] for key in keys} <= ROOTS
