"""What Breakpad and Crashpad store of a Linux system: texts of `/proc` and `/etc`, one a stream.

Source: Breakpad, `minidump_format.h`, streams 0x47670001 to 0x4767000A; Mozilla's writers add 0x4D7A0003.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.model.absent import Absent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe.model.dump import Dump

CPU_INFO, PROC_STATUS, LSB_RELEASE, MAPS = 0x47670003, 0x47670004, 0x47670005, 0x47670009
LIMITS = 0x4D7A0003
UNSAID_VERSION = "0.0.0"


def process_id(dump: Dump) -> int | None:
    """Of stream MiscInfo, which Windows writes; else `Pid` of `/proc/PID/status`."""
    if not isinstance(dump.misc, Absent) and dump.misc.process_id is not None:
        return dump.misc.process_id
    text = _value(dump, PROC_STATUS, "Pid")
    return int(text) if text is not None and text.isdecimal() else None


def microcode_version(dump: Dump) -> str | None:
    """`microcode` of `/proc/cpuinfo`: hexadecimal with `0x`."""
    text = _value(dump, CPU_INFO, "microcode")
    try:
        return None if text is None else f"{int(text, 16):#x}"
    except ValueError:
        return None


def os_version(dump: Dump) -> str | None:
    """Version and build, as minidump-stackwalk joins them.

    Breakpad's writer leaves the version zero on Linux and stores what `uname -srvmo` prints in its place: `Linux
    4.9.60-linuxkit-aufs #1 SMP … x86_64`. Of that, the first word and the last say nothing of the version.
    """
    system = dump.system
    if isinstance(system, Absent):
        return None
    words = system.csd_version.split()
    if system.os == "Linux" and system.os_version == UNSAID_VERSION and not words:
        return None
    if system.os != "Linux" or system.os_version != UNSAID_VERSION or len(words) < 3:
        return f"{system.os_version} {system.csd_version}".rstrip()
    last = -2 if words[-1] in {"GNU/Linux", "Linux/GNU"} else -1
    return " ".join(words[1:last])


def memory_map_count(dump: Dump) -> int | None:
    """Lines of `/proc/PID/maps`."""
    text = _text(dump, MAPS)
    return None if text is None else sum(1 for line in text.splitlines() if line.strip())


def lsb_release(dump: Dump) -> dict[str, str] | None:
    """The distribution: `/etc/lsb-release`, or `/etc/os-release` where there is none."""
    text = _text(dump, LSB_RELEASE)
    if text is None:
        return None
    pairs = (line.partition("=") for line in text.splitlines())
    values = {key.strip(): value.strip().strip('"') for key, equals, value in pairs if equals}
    names = {
        "id": ("DISTRIB_ID", "ID"),
        "release": ("DISTRIB_RELEASE", "VERSION_ID"),
        "codename": ("DISTRIB_CODENAME", "VERSION_CODENAME"),
        "description": ("DISTRIB_DESCRIPTION", "PRETTY_NAME"),
    }
    return {field: next((values[key] for key in keys if key in values), "") for field, keys in names.items()}


class ProcLimit(NamedTuple):
    """A limit of the process: numbers, or `unlimited`."""

    name: str
    soft: int | str
    hard: int | str
    unit: str
    """`n/a` where the system gives none."""


def proc_limits(dump: Dump) -> tuple[ProcLimit, ...] | None:
    """Lines of `/proc/PID/limits`, below their heading; None if the dump has no such stream.

    Columns are apart by two spaces or more, names have single ones: `Max file locks  unlimited  unlimited  locks`.
    """
    text = _text(dump, LIMITS)
    if text is None:
        return None
    rows = ([word.strip() for word in line.split("  ") if word.strip()] for line in text.splitlines()[1:])
    return tuple(
        ProcLimit(row[0], _limit(row[1]), _limit(row[2]), row[3] if len(row) > 3 else "n/a")
        for row in rows
        if len(row) >= 3
    )


def _limit(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _value(dump: Dump, stream_type: int, wanted: str) -> str | None:
    """The first value of `wanted` in lines such as `Pid: 1304`."""
    for line in (_text(dump, stream_type) or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == wanted:
            return value.strip()
    return None


def _text(dump: Dump, stream_type: int) -> str | None:
    for stream in dump.streams:
        if stream.type == stream_type:
            return dump.stream_bytes(stream.index).decode("utf-8", "replace").rstrip("\0")
    return None


def mapping_name(dump: Dump, address: int) -> str | None:
    """What `/proc/PID/maps` calls the mapping at `address`: `[heap]`, `/dev/shm/x`; None if it has no name."""
    for start, end, _, name in mappings(dump):
        if start <= address < end:
            return name or None
    return None


def mappings(dump: Dump) -> Iterator[tuple[int, int, str, str]]:
    """Lines of `/proc/PID/maps`: start, end, permissions such as `rw-p`, name; damaged lines are left out."""
    for line in (_text(dump, MAPS) or "").splitlines():
        words = line.split(maxsplit=5)
        start, _, end = words[0].partition("-") if words else ("", "", "")
        try:
            yield int(start, 16), int(end, 16), words[1], words[5].strip() if len(words) > 5 else ""
        except (ValueError, IndexError):
            continue
