"""The documents of the command line say what it does: their examples are run, their tables compared."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from stillframe.cli.main import VERBS
from support.data import EXAMPLES, REPOSITORY
from support.dump_builder import LINUX, DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

CLI = (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8")
JSON = (REPOSITORY / "docs" / "json.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^```\n\$ stillframe (?P<words>.*)\n(?P<output>(?:(?!```).*\n)*)```$", re.MULTILINE)
EXAMPLES_OF_CLI = [(match["words"], match["output"]) for match in EXAMPLE.finditer(CLI)]


def pattern_of(output: str) -> re.Pattern[str]:
    """`…` stands for the rest of a line; alone on a line, for any lines."""
    escaped = re.escape(output)
    return re.compile(escaped.replace("\n…\\\n", "\n(?:.*\n)*").replace("…", ".*"))


@pytest.mark.parametrize(("words", "output"), EXAMPLES_OF_CLI, ids=[words for words, _ in EXAMPLES_OF_CLI])
def test_examples(words: str, output: str, monkeypatch: pytest.MonkeyPatch, stillframe_command: Command) -> None:
    monkeypatch.chdir(REPOSITORY)
    result = stillframe_command(*shlex.split(words))
    assert result.code == 0, result.err
    assert pattern_of(output).fullmatch(result.out), result.out


def test_there_are_examples_and_every_verb_has_a_section() -> None:
    assert len(EXAMPLES_OF_CLI) >= 5
    assert re.findall(r"^## ([a-z]+)$", CLI, re.MULTILINE) == list(VERBS)


def keys(value: object) -> set[str]:
    """Every key at any depth, but registers and vectors, whose keys are names of registers."""
    if isinstance(value, list):
        return {key for each in value for key in keys(each)}
    if not isinstance(value, dict):
        return set()
    deeper = {key: each for key, each in value.items() if key not in {"registers", "vectors"}}
    return set(value) | {key for each in deeper.values() for key in keys(each)}


def test_every_key_of_the_json_is_described(tmp_path: Path, stillframe_command: Command) -> None:
    hello = EXAMPLES / "hello" / "hello.dmp"
    linux = DumpBuilder(cpu="amd64", platform=LINUX).stream(0x47670005, b"DISTRIB_ID=Debian\n").stream(12, bytes(16))
    linux.thread(1, {"rip": 0x1000, "rsp": 0x2000}, 0x2000, bytes(8)).exception(1, 11, 0).write(tmp_path / "linux.dmp")
    commands: list[list[Any]] = [
        ["report", hello],
        ["report", tmp_path / "linux.dmp"],
        ["stack", hello],
        ["eval", hello, "message", "--frame", 1],
        ["threads", hello],
        ["locals", hello],
        ["report", hello, "--locals"],
        ["type", hello, "int"],
        ["modules", hello],
        ["disasm", hello, "0x9f1934", "--count", 5],
        ["memory", hello, "0x9f1934", 19],
        ["registers", hello],
        ["process", hello, "--environment"],
        ["regions", hello],
        ["streams", hello],
        ["search", hello, "--text", "Hello"],
    ]
    written = {key for words in commands for key in keys(stillframe_command(*words, "--json").json)}
    described = {word for quoted in re.findall(r"`([^`]+)`", JSON) for word in re.findall(r"[a-z_]+", quoted)}
    assert written - described == set()
