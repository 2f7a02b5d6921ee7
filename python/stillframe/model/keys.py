"""Keys: what tells one build of a file from another, as folder names of symbol stores.

Source: SSQP key conventions of Microsoft's symbol servers ("PE-timestamp-filesize", "ELF-buildid", "ELF-buildid-sym").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillframe._engine import ModuleRecord, Pdb70

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


def macho_debug_key(uuid: bytes) -> str:
    """Of a file with the debug information of a Mach-O image."""
    return f"mach-uuid-sym-{uuid.hex()}"


def macho_uuid(record: ModuleRecord) -> bytes | None:
    """LC_UUID of a module: Breakpad stores it as the GUID of a PDB, whose first three fields are turned around."""
    if record.pdb is None or not any(record.pdb.guid):
        return None
    guid = record.pdb.guid
    return guid[3::-1] + guid[5:3:-1] + guid[7:5:-1] + guid[8:]


def breakpad_id(record: ModuleRecord, pdb: Pdb70 | None) -> str | None:
    """GUID as 32 upper-case hex digits and age `%x`; of an ELF image, the first 16 bytes of its build-id as a GUID, and
    age 0. `pdb` is the record of the dump, or of the image.
    """
    if record.build_id is not None:
        guid = record.build_id[:16].ljust(16, b"\0")
        swapped = guid[3::-1] + guid[5:3:-1] + guid[7:5:-1] + guid[8:]
        return f"{swapped.hex().upper()}0"
    return pdb.debug_id if pdb else None


def breakpad_name(name: str) -> str:
    """Of the symbol file: `.sym` takes the place of `.pdb`, `.exe` and `.dll`, and is added to other names."""
    head, _, extension = name.rpartition(".")
    return f"{head}.sym" if head and extension.lower() in {"pdb", "exe", "dll"} else f"{name}.sym"


def _padded(build_id: bytes) -> str:
    return build_id.ljust(BUILD_ID_BYTES, b"\0").hex()
