"""Cores of ARM64 programs that are run here by QEMU's emulator of Linux."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from typing import NamedTuple

import pytest

from support.cores import core_of

PT_LOAD, PT_NOTE = 1, 4
NT_PRSTATUS, NT_ARM_TLS, NT_FILE = 1, 0x401, 0x46494C45
PAGE_BYTES = 4096
COMPILER = "aarch64-linux-gnu-gcc"


def qemu_core(folder: Path, *arguments: str) -> Path:
    """The core that QEMU writes of `program`, which crashes."""
    if shutil.which("qemu-aarch64") is None:
        pytest.skip("qemu-aarch64 is needed")
    core_of("qemu-aarch64", folder, *arguments, "./program")
    (core,) = folder.glob("qemu_*.core")
    return core


class Mapped(NamedTuple):
    """A line of /proc/PID/maps."""

    start: int
    end: int
    offset: int
    path: str


def mapped_files(maps: str) -> list[Mapped]:
    files = []
    for line in maps.splitlines():
        fields = line.split()
        if len(fields) == 6 and fields[5].startswith("/"):
            start, _, end = fields[0].partition("-")
            files.append(Mapped(int(start, 16), int(end, 16), int(fields[2], 16), fields[5]))
    return files


def files_of_program(path: Path) -> list[Mapped]:
    """Of a 64-bit program that is linked with all it needs, to be loaded where it says."""
    program, files = path.read_bytes(), []
    table, count = struct.unpack_from("<Q", program, 32) + struct.unpack_from("<H", program, 56)
    for at in range(table, table + 56 * count, 56):
        kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", program, at)
        if kind == PT_LOAD:
            before = address % PAGE_BYTES
            end = -(-(address + size) // PAGE_BYTES) * PAGE_BYTES
            files.append(Mapped(address - before, end, offset - before, str(path)))
    return files


def as_linux_writes(core: bytes, pointers: dict[int, int], files: list[Mapped]) -> bytes:
    """A core of QEMU with what Linux writes and QEMU leaves out: NT_ARM_TLS of threads, NT_FILE, headers of images.

    `pointers` are the thread pointers by the threads' numbers; a thread that is not among them gets none.

    Source: elf(5), core(5); linux/elf.h; `fill_files_note` of fs/binfmt_elf.c.
    """
    patched = bytearray(core)
    starts = {file.start: file.path for file in files if not file.offset}
    table, count = struct.unpack_from("<Q", core, 32) + struct.unpack_from("<H", core, 56)
    for at in range(table, table + 56 * count, 56):
        kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", core, at)
        if kind == PT_NOTE:
            data = _notes(core[offset : offset + size], pointers, files)
        elif not size and address in starts:
            data = Path(starts[address]).read_bytes()[:PAGE_BYTES]
        else:
            continue
        struct.pack_into("<Q", patched, at + 8, len(patched))
        struct.pack_into("<Q", patched, at + 32, len(data))
        patched += data
    return bytes(patched)


def _notes(old: bytes, pointers: dict[int, int], files: list[Mapped]) -> bytes:
    new, at = b"", 0
    while at < len(old):
        name_size, size, kind = struct.unpack_from("<III", old, at)
        data_at = at + 12 + -(-name_size // 4) * 4
        after = data_at + -(-size // 4) * 4
        new += old[at:after]
        if kind == NT_PRSTATUS:
            (thread,) = struct.unpack_from("<I", old, data_at + 32)
            if thread in pointers:
                new += struct.pack("<III8sQ", 6, 8, NT_ARM_TLS, b"LINUX", pointers[thread])
        at = after
    listed = struct.pack("<QQ", len(files), PAGE_BYTES)
    listed += b"".join(struct.pack("<QQQ", file.start, file.end, file.offset // PAGE_BYTES) for file in files)
    listed += b"".join(file.path.encode() + b"\0" for file in files)
    return new + struct.pack("<III8s", 5, len(listed), NT_FILE, b"CORE") + listed + bytes(-len(listed) % 4)
