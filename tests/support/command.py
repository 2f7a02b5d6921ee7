"""Running the command line: as a process, or faster in this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stillframe.cli.main import main

if TYPE_CHECKING:
    import pytest

SCRIPT = Path(sys.executable).parent / "stillframe"
Words = str | Path | int


def process(*words: Words, **environment: str) -> subprocess.CompletedProcess[str]:
    """The installed console script."""
    return subprocess.run(
        [str(SCRIPT), *map(str, words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
        env=os.environ | environment,
    )


@dataclass(frozen=True)
class Outcome:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The output as JSON."""
        value: dict[str, Any] = json.loads(self.out)
        return value

    def assert_one_line_of_error(self, code: int) -> None:
        """Nothing but one line on standard error, and the exit code."""
        assert self.code == code
        assert self.err.startswith("stillframe: ")
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err


class Command:
    """Runs the command line in this process."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *words: Words) -> Outcome:
        self._capture.readouterr()
        code = main([str(word) for word in words])
        captured = self._capture.readouterr()
        return Outcome(code, captured.out, captured.err)
