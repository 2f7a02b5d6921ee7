"""README and ARCHITECTURE say what is there: the example in Python runs, and every path that is named exists."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from support.data import REPOSITORY

if TYPE_CHECKING:
    import pytest

    from support.command import Command

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_the_example_in_python(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(REPOSITORY)
    exec(compile(example, "README.md", "exec"), {})
    out = capsys.readouterr().out
    # `examples/hello/hello.cpp` calls printf in its second line of `main`.
    assert re.search(r"^1 main .*hello\.cpp:\d+ cfi$", out, re.MULTILINE), out
    assert "009F193F E8 8E F7 FF FF       call        _printf (09F10D2h)\n" in out


def test_what_the_readme_shows_is_what_commands_say(
    monkeypatch: pytest.MonkeyPatch, stillframe_command: Command
) -> None:
    """Of the longer ones it shows some lines, in their order."""
    blocks = re.findall(r"```\n(\$ .*?)```", README, re.DOTALL)
    monkeypatch.chdir(REPOSITORY)
    shown = [part.splitlines() for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE) if part]
    assert len(shown) == 4
    for command, *lines in shown:
        program, *arguments = shlex.split(command)
        assert program == "stillframe"
        said = iter(stillframe_command(*arguments).out.splitlines())
        assert lines
        for line in lines:
            assert line in said, line


def test_every_path_of_the_architecture_exists() -> None:
    shortened = ("", "python/stillframe", "engine", "engine/core/src")
    paths = set(re.findall(r"`([\w./]+(?:/|\.\w+))`", ARCHITECTURE))
    paths |= {f"engine/core/src/{path}" for path in re.findall(r"^    (\w+/) ", ARCHITECTURE, re.MULTILINE)}
    assert len(paths) > 10
    missing = {path for path in paths if not any((REPOSITORY / base / path).exists() for base in shortened)}
    assert not missing
