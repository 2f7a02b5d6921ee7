"""Puts `tests` on the import path, so that tests find `support`; fixtures that tests in several folders share."""

from __future__ import annotations

import pytest

from support.command import Command


@pytest.fixture
def stillframe_command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command line in this process."""
    return Command(capsys)
