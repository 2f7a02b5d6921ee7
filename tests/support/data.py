"""Where real files are: the examples of this repository, and data of others that may be beside it."""

import lzma
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
EXAMPLES = REPOSITORY / "examples"


def shared_data() -> Path:
    """The folder of real dumps made by others. The test is skipped where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is absent")
    return folder


def unpacked(name: str, folder: Path) -> Path:
    """A dump of `data/made` that is kept compressed (`.dmp.xz`)."""
    path = shared_data() / "made" / name
    dump = folder / path.stem
    dump.write_bytes(lzma.decompress(path.read_bytes()))
    return dump
