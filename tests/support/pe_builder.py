"""Builds tiny PE images, and what the loader would make of them. Shares nothing with the reader.

Source: Microsoft, "PE Format".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

CODE = 0x60000020
"""IMAGE_SCN_CNT_CODE, MEM_EXECUTE, MEM_READ."""
CONSTANTS = 0x40000040
"""IMAGE_SCN_CNT_INITIALIZED_DATA, MEM_READ."""
DATA = 0xC0000040
"""IMAGE_SCN_CNT_INITIALIZED_DATA, MEM_READ, MEM_WRITE."""
DISCARDABLE = 0x42000040
"""As CONSTANTS, and MEM_DISCARDABLE."""

PAGE = 0x1000
FILE_ALIGNMENT = 0x200
MACHINES = {"x86": 0x14C, "amd64": 0x8664}


@dataclass
class Section:
    name: str
    data: bytes
    characteristics: int
    rva: int


@dataclass
class PeBuilder:
    """One image. Sections are laid out in the order of `section`, from RVA 0x1000 on, one page or more each."""

    cpu: str = "x86"
    image_base: int = 0x400000
    time_date_stamp: int = 0x5F000001
    sections: list[Section] = field(default_factory=list)
    relocations: list[int] = field(default_factory=list)
    debug_rva: int | None = None
    export_rva: int | None = None

    @property
    def pointer_size(self) -> int:
        return 4 if self.cpu == "x86" else 8

    def section(self, name: str, data: bytes, characteristics: int) -> PeBuilder:
        self.sections.append(Section(name, data, characteristics, self.size_of_image))
        return self

    def pointer(self, rva: int, target_rva: int) -> PeBuilder:
        """Writes at `rva` a pointer to `target_rva`, which the loader relocates. Before `finish`."""
        section = next(s for s in self.sections if s.rva <= rva < s.rva + len(s.data))
        at = rva - section.rva
        value = (self.image_base + target_rva).to_bytes(self.pointer_size, "little")
        section.data = section.data[:at] + value + section.data[at + self.pointer_size :]
        self.relocations.append(rva)
        return self

    def codeview(self, path: str, guid: bytes, age: int) -> PeBuilder:
        """Adds a debug directory with an RSDS record."""
        record = b"RSDS" + guid + struct.pack("<I", age) + path.encode() + b"\0"
        self.debug_rva = self.size_of_image
        directory_size = 28
        entry = struct.pack("<IIHHIII", 0, self.time_date_stamp, 0, 0, 2, len(record), self.debug_rva + directory_size)
        return self.section(".buildid", entry + struct.pack("<I", 0) + record, CONSTANTS)

    def exports(self, **rvas: int) -> PeBuilder:
        """Adds an export directory with these names."""
        self.export_rva = start = self.size_of_image
        count, header_size = len(rvas), 40
        functions, names = start + header_size, start + header_size + 4 * count
        ordinals, texts = names + 4 * count, names + 6 * count
        table = struct.pack(f"<{count}I", *rvas.values())
        name_rvas, text = [], b""
        for name in sorted(rvas):
            name_rvas.append(texts + len(text))
            text += name.encode() + b"\0"
        table += struct.pack(f"<{count}I", *name_rvas)
        table += struct.pack(f"<{count}H", *(list(rvas).index(name) for name in sorted(rvas)))
        header = struct.pack("<IIHHIIIIIII", 0, 0, 0, 0, 0, 1, count, count, functions, names, ordinals)
        return self.section(".edata", header + table + text, CONSTANTS)

    def finish(self) -> PeBuilder:
        """Adds the section of relocations."""
        pages: dict[int, list[int]] = {}
        for rva in sorted(self.relocations):
            pages.setdefault(rva & ~(PAGE - 1), []).append(rva & (PAGE - 1))
        blocks = b""
        for page, offsets in pages.items():
            entries = [(3 if self.pointer_size == 4 else 10) << 12 | offset for offset in offsets]
            entries += [0] * (len(entries) % 2)
            blocks += struct.pack(f"<II{len(entries)}H", page, 8 + 2 * len(entries), *entries)
        return self.section(".reloc", blocks, DISCARDABLE)

    @property
    def size_of_image(self) -> int:
        last = self.sections[-1] if self.sections else None
        return PAGE if last is None else last.rva + round_up(max(len(last.data), 1), PAGE)

    def build(self) -> bytes:
        """The file."""
        header, body = self._headers(), b""
        header = header.ljust(round_up(len(header), FILE_ALIGNMENT), b"\0")
        for section in self.sections:
            body += section.data.ljust(round_up(len(section.data), FILE_ALIGNMENT), b"\0")
        entries = self._file_offsets(len(header))
        # A debug directory also holds the file offset of its record, known only now.
        if self.debug_rva is not None:
            at = next(offset for section, offset in entries if section.rva == self.debug_rva) - len(header)
            body = body[: at + 24] + struct.pack("<I", len(header) + at + 28) + body[at + 28 :]
        return header + body

    def loaded(self, base: int) -> bytes:
        """The image as the loader maps it at `base`: sections in place, pointers relocated, no headers."""
        memory = bytearray(self.size_of_image)
        for section in self.sections:
            memory[section.rva : section.rva + len(section.data)] = section.data
        for rva in self.relocations:
            value = int.from_bytes(memory[rva : rva + self.pointer_size], "little") + base - self.image_base
            memory[rva : rva + self.pointer_size] = value.to_bytes(self.pointer_size, "little")
        return bytes(memory)

    def _file_offsets(self, header_size: int) -> list[tuple[Section, int]]:
        offsets, offset = [], header_size
        for section in self.sections:
            offsets.append((section, offset))
            offset += round_up(len(section.data), FILE_ALIGNMENT)
        return offsets

    def _headers(self) -> bytes:
        is_32 = self.cpu == "x86"
        directories = [(0, 0)] * 16
        relocations = next((s for s in self.sections if s.name == ".reloc"), None)
        if relocations is not None:
            directories[5] = (relocations.rva, len(relocations.data))
        if self.export_rva is not None:
            directories[0] = (self.export_rva, next(len(s.data) for s in self.sections if s.rva == self.export_rva))
        if self.debug_rva is not None:
            directories[6] = (self.debug_rva, 28)
        optional = struct.pack("<HBBIIIII", 0x10B if is_32 else 0x20B, 14, 0, 0, 0, 0, PAGE, PAGE)
        optional += struct.pack("<II", 0, self.image_base) if is_32 else struct.pack("<Q", self.image_base)
        header_size = round_up(0x80 + 24 + (224 if is_32 else 240) + 40 * len(self.sections), FILE_ALIGNMENT)
        optional += struct.pack("<IIHHHHHHI", PAGE, FILE_ALIGNMENT, 6, 0, 0, 0, 6, 0, 0)
        optional += struct.pack("<IIIHH", self.size_of_image, header_size, 0, 3, 0x140)
        word = "I" if is_32 else "Q"
        optional += struct.pack(f"<4{word}II", 0x100000, 0x1000, 0x100000, 0x1000, 0, 16)
        optional += b"".join(struct.pack("<II", *directory) for directory in directories)
        machine = MACHINES[self.cpu]
        characteristics = 0x102 if is_32 else 0x22
        coff = struct.pack(
            "<HHIIIHH", machine, len(self.sections), self.time_date_stamp, 0, 0, len(optional), characteristics
        )
        dos = (b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x80)).ljust(0x80, b"\0")
        table = b"".join(
            struct.pack(
                "<8sIIIIIIHHI",
                section.name.encode(),
                len(section.data),
                section.rva,
                round_up(len(section.data), FILE_ALIGNMENT),
                offset,
                0,
                0,
                0,
                0,
                section.characteristics,
            )
            for section, offset in self._file_offsets(header_size)
        )
        return dos + b"PE\0\0" + coff + optional + table


def round_up(value: int, to: int) -> int:
    return (value + to - 1) // to * to
