"""fix_dump.py IN OUT DIRECTORY: make of a minidump that Wine wrote what Windows would have written.

Wine leaves the CodeView records out of the module list: they are taken from the images in DIRECTORY. Wine also adds
what tells of the machine below it: a private stream with the paths of Linux libraries, and the Linux version behind
SystemInfo. Only known streams, and only the bytes they refer to, are copied.

Source of the layouts: `minidumpapiset.h`, `winnt.h`. All offsets and sizes count bytes.
"""

import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

HEADER = struct.Struct("<4sIIIIIQ")
DIRECTORY_ENTRY = struct.Struct("<III")
LOCATION = struct.Struct("<II")  # size, offset in file
SYSTEM_INFO_SIZE = 56
THREAD_SIZE = 48
MODULE_SIZE = 108
MEMORY_SIZE = 16

THREAD_LIST, MODULE_LIST, MEMORY_LIST, EXCEPTION, SYSTEM_INFO, MISC_INFO = 3, 4, 5, 6, 7, 15


@dataclass(frozen=True)
class Image:
    """A PE file."""

    data: bytes

    @property
    def _optional_header(self) -> int:
        (pe_header,) = struct.unpack_from("<I", self.data, 0x3C)
        return int(pe_header) + 24

    @property
    def key(self) -> tuple[int, int]:
        """TimeDateStamp and SizeOfImage."""
        optional = self._optional_header
        (stamp,) = struct.unpack_from("<I", self.data, optional - 16)
        (size,) = struct.unpack_from("<I", self.data, optional + 56)
        return stamp, size

    def at(self, rva: int, size: int) -> bytes:
        """The file's bytes from `rva` on, within one section."""
        optional = self._optional_header
        (sections,) = struct.unpack_from("<H", self.data, optional - 18)
        (optional_size,) = struct.unpack_from("<H", self.data, optional - 4)
        for index in range(sections):
            header = optional + optional_size + 40 * index
            _, start, raw_size, raw = struct.unpack_from("<IIII", self.data, header + 8)
            if start <= rva < start + raw_size:
                return self.data[raw + rva - start : raw + min(rva - start + size, raw_size)]
        return b""

    def codeview(self) -> bytes:
        """The RSDS record, which names the PDB; empty if there is none."""
        optional = self._optional_header
        (magic,) = struct.unpack_from("<H", self.data, optional)
        directories = optional + (112 if magic == 0x20B else 96)
        rva, size = struct.unpack_from("<II", self.data, directories + 8 * 6)
        for entry in struct.iter_unpack("<IIHHIIII", self.at(rva, size)):
            kind, record_size, record = entry[4], entry[5], entry[7]
            if kind == 2:
                return self.data[record : record + record_size]
        return b""


@dataclass(frozen=True)
class Dump:
    """A minidump as it lies in its file."""

    data: bytes

    def streams(self) -> dict[int, tuple[int, int]]:
        """Offset and size of each stream, by its type."""
        _, _, count, directory, *_ = HEADER.unpack_from(self.data)
        entries = (DIRECTORY_ENTRY.unpack_from(self.data, directory + 12 * index) for index in range(count))
        return {kind: (offset, size) for kind, size, offset in entries}

    def stream(self, kind: int) -> bytes:
        """The stream of this type."""
        offset, size = self.streams()[kind]
        return self.data[offset : offset + size]

    def entries(self, kind: int, size: int) -> list[bytearray]:
        """The entries, of `size` bytes each, of a stream that is a counted list."""
        stream = self.stream(kind)
        (count,) = struct.unpack_from("<I", stream)
        return [bytearray(stream[4 + size * index : 4 + size * (index + 1)]) for index in range(count)]

    def memory(self) -> list[tuple[int, bytes]]:
        """Address and bytes of each range of memory."""
        ranges = (struct.unpack("<QII", entry) for entry in self.entries(MEMORY_LIST, MEMORY_SIZE))
        return [(start, self.data[offset : offset + size]) for start, size, offset in ranges]

    def string(self, offset: int) -> str:
        """The MINIDUMP_STRING at `offset`."""
        (size,) = struct.unpack_from("<I", self.data, offset)
        return self.data[offset + 4 : offset + 4 + size].decode("utf-16-le")


@dataclass
class Writer:
    """A minidump that grows: a header with its directory, then blocks at multiples of 8."""

    source: Dump
    stream_count: int
    data: bytearray = field(init=False)
    copied: dict[tuple[int, int], int] = field(default_factory=dict)
    directory: list[tuple[int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.data = bytearray(HEADER.size + DIRECTORY_ENTRY.size * self.stream_count)

    def put(self, block: bytes | bytearray) -> int:
        """Appends `block` and returns its offset."""
        self.data += bytes(-len(self.data) % 8)
        offset = len(self.data)
        self.data += block
        return offset

    def put_string(self, text: str) -> int:
        """Appends a MINIDUMP_STRING and returns its offset."""
        encoded = text.encode("utf-16-le")
        return self.put(struct.pack("<I", len(encoded)) + encoded + b"\0\0")

    def put_stream(self, kind: int, block: bytes | bytearray) -> None:
        """Appends a stream and enters it in the directory."""
        self.directory.append((kind, len(block), self.put(block)))

    def put_list(self, kind: int, entries: list[bytearray]) -> None:
        """Appends a stream that is a counted list."""
        self.put_stream(kind, struct.pack("<I", len(entries)) + b"".join(entries))

    def move(self, entry: bytearray, at: int) -> None:
        """Copies, once, what the location at `at` of `entry` refers to, and makes it refer to the copy."""
        size, offset = LOCATION.unpack_from(entry, at)
        if (size, offset) not in self.copied:
            self.copied[size, offset] = self.put(self.source.data[offset : offset + size])
        LOCATION.pack_into(entry, at, size, self.copied[size, offset])

    def finish(self) -> bytes:
        """The file, with the source's version and time stamp."""
        signature, version, _, _, _, stamp, flags = HEADER.unpack_from(self.source.data)
        HEADER.pack_into(self.data, 0, signature, version, self.stream_count, HEADER.size, 0, stamp, flags)
        for index, entry in enumerate(self.directory):
            DIRECTORY_ENTRY.pack_into(self.data, HEADER.size + DIRECTORY_ENTRY.size * index, *entry)
        return bytes(self.data)


def fixed(dump: Dump, images: Path) -> bytes:
    """`dump` with the CodeView records of the images in the directory `images`, and nothing of the host."""
    writer = Writer(dump, stream_count=6)
    system = bytearray(dump.stream(SYSTEM_INFO)[:SYSTEM_INFO_SIZE])
    struct.pack_into("<I", system, 24, writer.put_string(""))  # CSDVersionRva
    writer.put_stream(SYSTEM_INFO, system)
    writer.put_stream(MISC_INFO, dump.stream(MISC_INFO))

    threads = dump.entries(THREAD_LIST, THREAD_SIZE)
    for thread in threads:
        writer.move(thread, 32)  # Stack.Memory
        writer.move(thread, 40)  # ThreadContext
    writer.put_list(THREAD_LIST, threads)
    exception = bytearray(dump.stream(EXCEPTION))
    (parameters,) = struct.unpack_from("<I", exception, 32)
    exception[40 + 8 * parameters : 160] = bytes(8 * (15 - parameters))  # Wine leaves bytes of its own stack here
    writer.move(exception, 160)  # ThreadContext
    writer.put_stream(EXCEPTION, exception)

    modules = dump.entries(MODULE_LIST, MODULE_SIZE)
    for module in modules:
        (name_offset,) = struct.unpack_from("<I", module, 20)
        name = dump.string(name_offset)
        struct.pack_into("<I", module, 20, writer.put_string(name))
        image = images / PureWindowsPath(name).name
        codeview = Image(image.read_bytes()).codeview() if image.is_file() else b""
        LOCATION.pack_into(module, 76, len(codeview), writer.put(codeview) if codeview else 0)
        LOCATION.pack_into(module, 84, 0, 0)  # MiscRecord
    writer.put_list(MODULE_LIST, modules)

    ranges = dump.entries(MEMORY_LIST, MEMORY_SIZE)
    for memory in ranges:
        writer.move(memory, 8)
    writer.put_list(MEMORY_LIST, ranges)
    return writer.finish()


if __name__ == "__main__":
    source, out, directory = map(Path, sys.argv[1:])
    out.write_bytes(fixed(Dump(source.read_bytes()), directory))
