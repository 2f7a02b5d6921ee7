"""A dump of one module with its image: the scene that tests of proof and provenance change in one place.

```
RVA     section  content                                   in the dump, by default
0x1000  .text    64 bytes of code, a pointer at +0x10       the first 32 bytes
0x2000  .rdata   "constant\\0", a pointer to .text at +0x10   nothing
0x3000  .data    "initial"                                 nothing
0x4000  .reloc
```
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import stillframe
from stillframe.model.locator import Found, NotFound
from support.dump_builder import DumpBuilder
from support.pe_builder import CODE, CONSTANTS, DATA, PeBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe.model.locator import DebugFileRequest, ImageRequest, SourceRequest

TEXT, RDATA, SECTION_DATA = 0x1000, 0x2000, 0x3000
CODE_BYTES = bytes(range(0x40, 0x80))
PREFERRED_BASE, BASE = 0x400000, 0x9F0000
NAME = "hello.exe"


def image(cpu: str = "x86") -> PeBuilder:
    """The image of the scene."""
    builder = PeBuilder(cpu, image_base=PREFERRED_BASE)
    builder.section(".text", CODE_BYTES, CODE)
    builder.section(".rdata", b"constant\0".ljust(32, b"\xaa"), CONSTANTS)
    builder.section(".data", b"initial\0", DATA)
    return builder.pointer(TEXT + 0x10, RDATA).pointer(RDATA + 0x10, TEXT).finish()


def dump(pe: PeBuilder, base: int = BASE, *, held: int = 32) -> DumpBuilder:
    """A dump of `pe` loaded at `base` that holds the first `held` bytes of its `.text`."""
    builder = DumpBuilder(pe.cpu).module(f"C:\\app\\{NAME}", base, pe.size_of_image, pe.time_date_stamp)
    return builder.memory(base + TEXT, pe.loaded(base)[TEXT : TEXT + held]) if held else builder


def write(folder: Path, pe: PeBuilder, dump_: DumpBuilder) -> stillframe.Dump:
    """Writes both files into `folder` and opens the dump."""
    (folder / NAME).write_bytes(pe.build())
    return stillframe.open(dump_.write(folder / "scene.dmp"))


@dataclass
class FakeLocator:
    """A locator that gives what it was told to give, and counts."""

    images: list[Path] = field(default_factory=list)
    asked_images: list[str] = field(default_factory=list)
    asked_debug_files: list[str] = field(default_factory=list)

    def image(self, request: ImageRequest) -> Found | NotFound:
        self.asked_images.append(request.path)
        return Found(self.images[0]) if self.images else NotFound()

    def debug_file(self, request: DebugFileRequest) -> Found | NotFound:
        self.asked_debug_files.append(request.key)
        return NotFound()

    def source(self, request: SourceRequest) -> Found | NotFound:
        return NotFound()
