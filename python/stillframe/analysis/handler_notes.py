"""What the handler noted beside the crash: a failed assertion, Crashpad's annotations, macOS' crash information.

Sources: Breakpad, `minidump_format.h` (`MDRawAssertionInfo`, `MDRawMacCrashInfo`); Crashpad,
`minidump/minidump_extensions.h` (`MinidumpCrashpadInfo` and what it refers to).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal, NamedTuple

from stillframe.model.crash import Assertion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.dump import Dump

ASSERTION_INFO, CRASHPAD_INFO = 0x47670002, 0x43500001
MAC_CRASH_INFO, MAC_BOOT_ARGUMENTS, SOFT_ERRORS = 0x4D7A0001, 0x4D7A0002, 0x4D7A0004
TEXT_BYTES = 256
ASSERTION_KINDS: dict[int, Literal["unknown", "invalid parameter", "pure virtual call"]] = {
    1: "invalid parameter",
    2: "pure virtual call",
}
MOST_ENTRIES = 1024
"""Of one list."""
MOST_BYTES = 4 << 20
"""Of all texts together: entries of a damaged file may all refer to the same large text."""
MAC_RECORDS = 20
"""`MAC_CRASH_INFOS_MAX`."""
STRING_ANNOTATION = 1


class ModuleAnnotations(NamedTuple):
    """What one module's code noted."""

    module_index: int
    messages: tuple[str, ...]
    """Of `CrashpadInfo::extra_…` and of libraries such as `abort`: texts without a name."""
    values: dict[str, str]
    """By name, from its dictionary."""
    objects: tuple[tuple[str, int, bytes], ...]
    """`crashpad::Annotation`: name, type (1: text; programs choose others), value."""


class CrashpadInfo(NamedTuple):
    """Crashpad's stream."""

    report_id: str
    client_id: str
    values: dict[str, str]
    modules: tuple[ModuleAnnotations, ...]

    @property
    def messages(self) -> list[tuple[int, str]]:
        """Texts without a name, with the index of their module."""
        return [(module.module_index, text) for module in self.modules for text in module.messages]

    @property
    def texts(self) -> dict[str, str]:
        """Everything that is text and has a name."""
        found = dict(self.values)
        for module in self.modules:
            found.update(module.values)
            texts = ((name, value) for name, kind, value in module.objects if kind == STRING_ANNOTATION)
            found.update({name: value.decode("utf-8", "replace") for name, value in texts})
        return found


class MacCrashRecord(NamedTuple):
    """What `crashreporter` would have shown of one library (`__crash_info` of its image)."""

    version: int
    thread: int
    dialog_mode: int
    abort_cause: int | None
    """From version 5 on."""
    module: str
    message: str
    signature: str
    backtrace: str
    message2: str


def assertion(dump: Dump) -> Assertion | None:
    """The failed assertion; None if the dump has no such stream."""
    data = _stream(dump, ASSERTION_INFO)
    if len(data) < 3 * TEXT_BYTES + 8:
        return None
    texts = [data[start : start + TEXT_BYTES] for start in (0, TEXT_BYTES, 2 * TEXT_BYTES)]
    expression, function, file = (text.decode("utf-16-le", "replace").partition("\0")[0] for text in texts)
    line, kind = struct.unpack_from("<II", data, 3 * TEXT_BYTES)
    return Assertion(ASSERTION_KINDS.get(kind, "unknown"), expression, function, file, line)


def crashpad(dump: Dump) -> CrashpadInfo | None:
    """Crashpad's annotations; None if the dump has no such stream. What is damaged is left out."""
    data = _stream(dump, CRASHPAD_INFO)
    if len(data) < 36:
        return None
    from uuid import UUID  # which few dumps need

    parts = _Parts(dump)
    simple = parts.dictionary(*_location(data, 36))
    modules = tuple(parts.modules(*_location(data, 44)))
    return CrashpadInfo(str(UUID(bytes_le=data[4:20])), str(UUID(bytes_le=data[20:36])), simple, modules)


def mac_crash_info(dump: Dump) -> tuple[MacCrashRecord, ...]:
    """The crash information of macOS, library by library; empty if the dump has none."""
    data = _stream(dump, MAC_CRASH_INFO)
    if len(data) < 12:
        return ()
    _, count, start = struct.unpack_from("<III", data)
    parts = _Parts(dump)
    records = (parts.bytes_at(*_location(data, 12 + 8 * index)) for index in range(min(count, MAC_RECORDS)))
    return tuple(_mac_record(record, start) for record in records if len(record) >= max(start, 32))


def mac_boot_arguments(dump: Dump) -> str | None:
    """What the kernel of macOS was started with (`kern.bootargs`); None if the dump does not say."""
    data = _stream(dump, MAC_BOOT_ARGUMENTS)
    if len(data) < 12:
        return None
    (offset,) = struct.unpack_from("<Q", data, 4)
    return _Parts(dump).wide_text(offset)


def soft_errors(dump: Dump) -> object:
    """What went wrong while the dump was written, as Mozilla's writers note it: any JSON; None if there is none."""
    import json  # which the report in words does not need

    try:
        return json.loads(_stream(dump, SOFT_ERRORS), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _mac_record(record: bytes, start: int) -> MacCrashRecord:
    _, version, thread, dialog_mode = struct.unpack_from("<4Q", record)
    abort_cause = int.from_bytes(record[32:40], "little") if version >= 5 and start >= 40 else None
    texts = [text.decode("utf-8", "replace") for text in record[start:].split(b"\0")[:5]]
    texts += [""] * (5 - len(texts))
    return MacCrashRecord(version, thread, dialog_mode, abort_cause, *texts[:5])


def _stream(dump: Dump, kind: int) -> bytes:
    return next((dump.stream_bytes(each.index) for each in dump.streams if each.type == kind), b"")


def _location(data: bytes, at: int) -> tuple[int, int]:
    """Size and file offset of a MINIDUMP_LOCATION_DESCRIPTOR; nothing where there is none."""
    size, offset = struct.unpack_from("<II", data, at) if len(data) >= at + 8 else (0, 0)
    return size, offset


class _Parts:
    """Parts of the file that streams refer to by their offset."""

    def __init__(self, dump: Dump) -> None:
        self._path = dump.path
        self._file_bytes = dump.size_bytes
        self._left_bytes = MOST_BYTES

    def bytes_at(self, size: int, offset: int) -> bytes:
        """The part, as far as the file holds it and enough is left of what may be read."""
        size = min(size, self._left_bytes)
        if size <= 0 or not 0 < offset < self._file_bytes:
            return b""
        with self._path.open("rb") as file:
            file.seek(offset)
            data = file.read(size)
        self._left_bytes -= len(data)
        return data

    def _entries(self, size: int, offset: int, layout: str) -> Iterator[tuple[int, ...]]:
        """A count of 32 bits and as many entries."""
        data, width = self.bytes_at(size, offset), struct.calcsize(layout)
        count = int.from_bytes(data[:4], "little")
        for index in range(min(count, MOST_ENTRIES, max(len(data) - 4, 0) // width)):
            yield struct.unpack_from(layout, data, 4 + width * index)

    def _counted(self, offset: int) -> bytes:
        """A length of 32 bits and as many bytes."""
        return self.bytes_at(int.from_bytes(self.bytes_at(4, offset), "little"), offset + 4) if offset else b""

    def wide_text(self, offset: int) -> str:
        """A MINIDUMP_STRING."""
        return self._counted(offset).decode("utf-16-le", "replace")

    def _text(self, offset: int) -> str:
        return self._counted(offset).decode("utf-8", "replace")

    def dictionary(self, size: int, offset: int) -> dict[str, str]:
        """MinidumpSimpleStringDictionary."""
        return {self._text(key): self._text(value) for key, value in self._entries(size, offset, "<II")}

    def modules(self, size: int, offset: int) -> Iterator[ModuleAnnotations]:
        """MinidumpModuleCrashpadInfoList."""
        for index, size_bytes, at in self._entries(size, offset, "<III"):
            info = self.bytes_at(size_bytes, at)
            messages = tuple(self._text(text) for (text,) in self._entries(*_location(info, 4), "<I"))
            values = self.dictionary(*_location(info, 12))
            objects = tuple(
                (self._text(name), kind, self._counted(value))
                for name, kind, _, value in self._entries(*_location(info, 20), "<IHHI")
            )
            yield ModuleAnnotations(index, messages, values, objects)
