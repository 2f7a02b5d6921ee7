"""Damaged dumps, images and PDBs: an answer or one line, never a traceback."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest

from support.data import EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

HELLO = EXAMPLES / "hello"
FILES = ("hello64.dmp", "hello64.exe", "hello64.pdb")
VERBS = [
    ["report"],
    ["report", "--json"],
    ["stack", "--thread", "all"],
    ["modules", "--verbose"],
    ["streams"],
    ["disasm", "0x7ff6009f1934"],
    ["eval", "*(char *)0x7ff6009f7b30 + 1"],
    ["memory", "0x7ff6009f1934", "19", "--provenance"],
    ["registers", "--frame", "1"],
]
"""The dump is put behind the verb."""
CUTS, MUTATIONS = 24, 24


def copy_of_the_example(folder: Path) -> Path:
    for name in FILES:
        shutil.copy(HELLO / name, folder)
    return folder


def assert_survives(command: Command, dump: Path, words: list[str]) -> None:
    result = command(words[0], dump, *words[1:])
    assert result.code in {0, 1, 2}, result.err
    if result.code:
        result.assert_one_line_of_error(result.code)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize("name", FILES)
def test_cut_short(name: str, verb: list[str], tmp_path: Path, stillframe_command: Command) -> None:
    folder = copy_of_the_example(tmp_path)
    data = (HELLO / name).read_bytes()
    for cut in range(CUTS):
        (folder / name).write_bytes(data[: len(data) * cut // CUTS])
        assert_survives(stillframe_command, folder / "hello64.dmp", verb)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize("name", FILES)
def test_changed_at_random(name: str, verb: list[str], tmp_path: Path, stillframe_command: Command) -> None:
    folder = copy_of_the_example(tmp_path)
    original = (HELLO / name).read_bytes()
    chance = random.Random(f"{name} {verb}")
    for _ in range(MUTATIONS):
        data = bytearray(original)
        for _ in range(chance.choice((1, 4, 64))):
            data[chance.randrange(len(data))] = chance.choice((0, 0xFF, 0x80, chance.randrange(256)))
        (folder / name).write_bytes(data)
        assert_survives(stillframe_command, folder / "hello64.dmp", verb)


def test_a_damaged_image_costs_its_own_information_only(tmp_path: Path, stillframe_command: Command) -> None:
    folder = copy_of_the_example(tmp_path)
    (folder / "hello64.exe").write_bytes(b"MZ")
    result = stillframe_command("report", folder / "hello64.dmp")
    assert result.code == 0
    assert "EXCEPTION_BREAKPOINT" in result.out
    assert "hello64.exe" in result.out
