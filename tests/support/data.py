"""Where real files are: the examples of this repository, and data of others that may be beside it."""

import lzma
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
EXAMPLES = REPOSITORY / "examples"
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
"""Dumps made by others, where they are."""


def shared_data() -> Path:
    """The folder of real dumps made by others. The test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data: {SHARED_DATA} is absent")
    return SHARED_DATA


def unpacked(name: str, folder: Path) -> Path:
    """A dump of `data/made` that is kept compressed (`.dmp.xz`)."""
    path = shared_data() / "made" / name
    dump = folder / path.stem
    dump.write_bytes(lzma.decompress(path.read_bytes()))
    return dump
