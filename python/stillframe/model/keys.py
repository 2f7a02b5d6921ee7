"""Keys: what tells one build of a file from another, as folder names of symbol stores.

Source: SSQP key conventions of Microsoft's symbol servers ("PE-timestamp-filesize", "ELF-buildid", "ELF-buildid-sym").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillframe._engine import ModuleRecord

BUILD_ID_BYTES = 20
"""Shorter build-ids are padded with zeros."""


def image_key(record: ModuleRecord) -> str | None:
    """Of PE images TimeDateStamp `%08X` and SizeOfImage `%x`; of ELF images the build-id; None if there is none."""
    if record.build_id is not None:
        return f"elf-buildid-{_padded(record.build_id)}"
    if record.time_date_stamp == 0:
        return None
    return f"{record.time_date_stamp:08X}{record.size_bytes:x}"


def elf_debug_key(build_id: bytes) -> str:
    """Of a file with the debug information of an ELF image."""
    return f"elf-buildid-sym-{_padded(build_id)}"


def _padded(build_id: bytes) -> str:
    return build_id.ljust(BUILD_ID_BYTES, b"\0").hex()
