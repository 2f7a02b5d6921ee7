"""Builds minidumps, stream by stream. Shares nothing with the reader.

Source: Microsoft, minidumpapiset.h; contexts: winnt.h.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

THREAD_LIST, MODULE_LIST, MEMORY_LIST, EXCEPTION, SYSTEM_INFO = 3, 4, 5, 6, 7
MEMORY64_LIST, COMMENT_A, UNLOADED_MODULES, MISC_INFO, MEMORY_INFO, THREAD_NAMES = 9, 10, 14, 15, 16, 24

ARCHITECTURES = {"x86": 0, "amd64": 9, "arm64": 12, "arm": 5, "ppc64": 0x8002}
WINDOWS_NT, LINUX, MACOS = 2, 0x8201, 0x8101

# Offset of each register in CONTEXT, the flags' offset, all flags, and the size of the whole.
X86_REGISTERS = {"edi": 156, "esi": 160, "ebx": 164, "edx": 168, "ecx": 172, "eax": 176, "ebp": 180, "eip": 184}
X86_REGISTERS |= {"eflags": 192, "esp": 196}
AMD64_REGISTERS = {"rax": 120, "rcx": 128, "rdx": 136, "rbx": 144, "rsp": 152, "rbp": 160, "rsi": 168, "rdi": 176}
AMD64_REGISTERS |= {f"r{number}": 184 + 8 * (number - 8) for number in range(8, 16)} | {"rip": 248}
ARM64_REGISTERS = {f"x{number}": 8 + 8 * number for number in range(29)} | {"fp": 240, "lr": 248, "sp": 256, "pc": 264}
# Breakpad's minidump_cpu_arm.h, whose layout is that of winnt.h.
ARM_REGISTERS = {f"r{number}": 4 + 4 * number for number in range(11)}
ARM_REGISTERS |= {"fp": 48, "r12": 52, "sp": 56, "lr": 60, "pc": 64, "cpsr": 68}
CONTEXTS = {"arm64": (ARM64_REGISTERS, 0, 0x40000F, 912, 8), "arm": (ARM_REGISTERS, 0, 0x40000006, 368, 4)}
CONTEXTS |= {"ppc64": ({}, 0, 0x01000003, 1152, 8)}
CONTEXTS |= {"x86": (X86_REGISTERS, 0, 0x1003F, 716, 4), "amd64": (AMD64_REGISTERS, 48, 0x10000B, 1232, 8)}


@dataclass
class Module:
    name: str
    base: int
    size_bytes: int
    time_date_stamp: int
    codeview: bytes


@dataclass
class Thread:
    id: int
    registers: dict[str, int]
    stack_start: int
    stack: bytes
    teb: int


@dataclass
class DumpBuilder:
    """One dump. Each method adds something and returns the builder; `build` gives the file's bytes."""

    cpu: str = "x86"
    platform: int = WINDOWS_NT
    has_system_info: bool = True
    _memory: list[tuple[int, bytes]] = field(default_factory=list)
    _modules: list[Module] = field(default_factory=list)
    _threads: list[Thread] = field(default_factory=list)
    _regions: list[tuple[int, int, int, int]] = field(default_factory=list)
    _unloaded: list[tuple[str, int, int]] = field(default_factory=list)
    _exception: tuple[int, int, int, int, tuple[int, ...]] | None = None
    _raw: list[tuple[int, bytes | Callable[[File], bytes]]] = field(default_factory=list)

    def memory(self, address: int, data: bytes) -> DumpBuilder:
        self._memory.append((address, data))
        return self

    def module(
        self, name: str, base: int, size_bytes: int, time_date_stamp: int, pdb: tuple[str, bytes, int] | None = None
    ) -> DumpBuilder:
        """`pdb`: path, GUID, age of a CodeView record."""
        codeview = b"" if pdb is None else b"RSDS" + pdb[1] + struct.pack("<I", pdb[2]) + pdb[0].encode() + b"\0"
        self._modules.append(Module(name, base, size_bytes, time_date_stamp, codeview))
        return self

    def elf_module(self, name: str, base: int, size_bytes: int, build_id: bytes) -> DumpBuilder:
        """A module with Breakpad's `BpEL` record."""
        self._modules.append(Module(name, base, size_bytes, 0, struct.pack("<I", 0x4270454C) + build_id))
        return self

    def unloaded_module(self, name: str, base: int, size_bytes: int) -> DumpBuilder:
        self._unloaded.append((name, base, size_bytes))
        return self

    def thread(
        self,
        id: int,  # noqa: A002
        registers: dict[str, int],
        stack_start: int = 0,
        stack: bytes = b"",
        teb: int = 0,
    ) -> DumpBuilder:
        self._threads.append(Thread(id, registers, stack_start, stack, teb))
        return self

    def exception(
        self, thread_id: int, code: int, address: int, parameters: tuple[int, ...] = (), flags: int = 0
    ) -> DumpBuilder:
        self._exception = (thread_id, code, flags, address, parameters)
        return self

    def region(self, base: int, size_bytes: int, state: int, protect: int = 4) -> DumpBuilder:
        """`state`: MEM_COMMIT 0x1000, MEM_RESERVE 0x2000, MEM_FREE 0x10000. `protect`: PAGE_READWRITE 4…"""
        self._regions.append((base, size_bytes, state, protect))
        return self

    def stream(self, type: int, data: bytes | Callable[[File], bytes]) -> DumpBuilder:  # noqa: A002
        """A stream of given bytes, whatever they are; a function may add what they refer to."""
        self._raw.append((type, data))
        return self

    def write(self, path: Path) -> Path:
        path.write_bytes(self.build())
        return path

    def build(self) -> bytes:
        writers = [
            (SYSTEM_INFO, self._system_info, self.has_system_info),
            (THREAD_LIST, self._thread_list, bool(self._threads)),
            (MODULE_LIST, self._module_list, bool(self._modules)),
            (MEMORY_LIST, self._memory_list, bool(self._memory)),
            (EXCEPTION, self._exception_stream, self._exception is not None),
            (UNLOADED_MODULES, self._unloaded_modules, bool(self._unloaded)),
            (MEMORY_INFO, self._memory_info_list, bool(self._regions)),
        ]
        present = [(type_, write) for type_, write, is_present in writers if is_present]
        count = len(present) + len(self._raw)
        file = File(bytearray(32 + 12 * count))
        directory = []
        for type_, write in present:
            data = write(file)
            directory.append((type_, len(data), file.add(data)))
        for type_, raw in self._raw:
            data = raw if isinstance(raw, bytes) else raw(file)
            directory.append((type_, len(data), file.add(data)))
        struct.pack_into("<4sIIIIIQ", file.data, 0, b"MDMP", 0xA793, count, 32, 0, 0x5F000000, 0)
        for index, entry in enumerate(directory):
            struct.pack_into("<III", file.data, 32 + 12 * index, *entry)
        return bytes(file.data)

    def _system_info(self, file: File) -> bytes:
        csd = file.add_string("")
        fields = (ARCHITECTURES[self.cpu], 6, 0, 1, 1, 10, 0, 19041, self.platform, csd, 0, 0)
        return struct.pack("<HHHBBIIIIIHH", *fields) + bytes(24)

    def _thread_list(self, file: File) -> bytes:
        entries = b""
        for thread in self._threads:
            stack = (thread.stack_start, len(thread.stack), file.add(thread.stack))
            context = self._context(thread.registers)
            entries += struct.pack(
                "<IIIIQQIIII", thread.id, 0, 0, 0, thread.teb, *stack, len(context), file.add(context)
            )
        return struct.pack("<I", len(self._threads)) + entries

    def _context(self, registers: dict[str, int]) -> bytes:
        offsets, flags_offset, flags, size, width = CONTEXTS[self.cpu]
        context = bytearray(size)
        struct.pack_into("<I", context, flags_offset, flags)
        for name, value in registers.items():
            context[offsets[name] : offsets[name] + width] = value.to_bytes(width, "little")
        return bytes(context)

    def _module_list(self, file: File) -> bytes:
        entries = b""
        for module in self._modules:
            entries += struct.pack(
                "<QIIII52sIIIIQQ",
                module.base,
                module.size_bytes,
                0,
                module.time_date_stamp,
                file.add_string(module.name),
                b"",
                len(module.codeview),
                file.add(module.codeview),
                0,
                0,
                0,
                0,
            )
        return struct.pack("<I", len(self._modules)) + entries

    def _memory_list(self, file: File) -> bytes:
        entries = [struct.pack("<QII", address, len(data), file.add(data)) for address, data in self._memory]
        return struct.pack("<I", len(entries)) + b"".join(entries)

    def _exception_stream(self, file: File) -> bytes:
        assert self._exception is not None
        thread_id, code, flags, address, parameters = self._exception
        registers = next((thread.registers for thread in self._threads if thread.id == thread_id), {})
        context = self._context(registers)
        record = struct.pack("<IIQQII", code, flags, 0, address, len(parameters), 0)
        record += struct.pack("<15Q", *parameters, *[0] * (15 - len(parameters)))
        return struct.pack("<II", thread_id, 0) + record + struct.pack("<II", len(context), file.add(context))

    def _unloaded_modules(self, file: File) -> bytes:
        entries = [
            struct.pack("<QIIII", base, size_bytes, 0, 0x5F000000, file.add_string(name))
            for name, base, size_bytes in self._unloaded
        ]
        return struct.pack("<III", 12, 24, len(entries)) + b"".join(entries)

    def _memory_info_list(self, _: File) -> bytes:
        entries = [
            struct.pack("<QQIIQIIII", base, base, 4, 0, size_bytes, state, protect, 0x20000, 0)
            for base, size_bytes, state, protect in self._regions
        ]
        return struct.pack("<IIQ", 16, 48, len(entries)) + b"".join(entries)


@dataclass
class File:
    """The file so far."""

    data: bytearray

    def add(self, data: bytes) -> int:
        """Appends at a multiple of 4 and returns the offset."""
        self.data += bytes(-len(self.data) % 4)
        offset = len(self.data)
        self.data += data
        return offset

    def add_string(self, text: str) -> int:
        encoded = text.encode("utf-16-le")
        return self.add(struct.pack("<I", len(encoded)) + encoded + b"\0\0")
