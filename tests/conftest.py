"""Puts `tests` on the import path, so that tests find `support`; fixtures that tests in several folders share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.command import Command
from support.natvis_box import Box

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stillframe_command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command line in this process."""
    return Command(capsys)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A program of one class, for natvis files."""
    return Box(tmp_path)
