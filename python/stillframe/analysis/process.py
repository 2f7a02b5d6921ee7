"""What the process was: how it was started, where, with what environment, for how long it ran.

On Windows the parameters are in the process's memory, which a dump holds if it was taken with enough: TEB → PEB →
RTL_USER_PROCESS_PARAMETERS (winternl.h; offsets as in the debug information of ntdll, stable since Windows XP). On
Linux Breakpad's and Crashpad's writers store files of `/proc`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.analysis import linux
from stillframe.errors import FaultError
from stillframe.model.absent import Absent, Reason

if TYPE_CHECKING:
    from stillframe._engine import HandleRecord
    from stillframe.model.dump import Dump

ENVIRON = 0x47670007
MOST_STRING_BYTES = 0xFFFE
"""Of a UNICODE_STRING."""
MOST_ENVIRONMENT_BYTES = 1 << 20


class Process(NamedTuple):
    """Facts of the process as far as the dump has them."""

    id: int | None
    command_line: str | Absent
    directory: str | Absent
    """The current directory."""
    image: str | Absent
    """Path of the program."""
    environment: dict[str, str] | Absent
    create_time: int | None
    """Seconds since 1970."""
    user_time: int | None
    """Seconds."""
    kernel_time: int | None
    """Seconds."""
    comments: list[str]
    handles: list[HandleRecord]


class _Layout(NamedTuple):
    """Offsets in bytes."""

    width: int
    peb: int
    """In the TEB."""
    parameters: int
    """In the PEB."""
    directory: int
    image: int
    command_line: int
    environment: int


_LAYOUTS = {4: _Layout(4, 0x30, 0x10, 0x24, 0x38, 0x40, 0x48), 8: _Layout(8, 0x60, 0x20, 0x38, 0x60, 0x70, 0x80)}


def process_of(dump: Dump) -> Process:
    """The process of `dump`."""
    misc = None if isinstance(dump.misc, Absent) else dump.misc
    parameters = _Parameters(dump)
    image: str | Absent = parameters.string("image")
    if isinstance(image, Absent) and dump.modules:
        image = dump.modules[0].path
    command_line: str | Absent = dump.command_line or parameters.string("command_line")
    return Process(
        linux.process_id(dump),
        command_line,
        parameters.string("directory"),
        image,
        _linux_environment(dump) or parameters.environment(),
        misc.process_create_time if misc else None,
        misc.process_user_time if misc else None,
        misc.process_kernel_time if misc else None,
        dump.comments,
        dump.handles,
    )


def _linux_environment(dump: Dump) -> dict[str, str] | None:
    for stream in dump.streams:
        if stream.type == ENVIRON:
            return _variables(dump.stream_bytes(stream.index).decode("utf-8", "replace"))
    return None


def _variables(text: str) -> dict[str, str]:
    """`NAME=value` strings, each ended by a NUL. Windows keeps the directory of each drive as `=C:=…`."""
    pairs = (variable.partition("=") for variable in text.split("\0"))
    return {name: value for name, equals, value in pairs if name and equals}


class _Parameters:
    """RTL_USER_PROCESS_PARAMETERS, read as far as the dump holds them."""

    def __init__(self, dump: Dump) -> None:
        is_windows = not isinstance(dump.system, Absent) and dump.system.os.startswith("Windows")
        self._why_absent = Reason.NOT_IN_DUMP if is_windows else Reason.STREAM_MISSING
        self._memory = dump.memory
        self._layout = _LAYOUTS[dump.pointer_size_bytes]
        self._address = self._find(dump) if is_windows else None

    def _find(self, dump: Dump) -> int | None:
        for thread in dump.threads:
            peb = self._pointer(thread.record.teb + self._layout.peb) if thread.record.teb else None
            if peb:
                return self._pointer(peb + self._layout.parameters)
        return None

    def _pointer(self, address: int) -> int | None:
        try:
            return int.from_bytes(self._memory.read(address, self._layout.width), "little")
        except FaultError:
            return None

    def string(self, field: str) -> str | Absent:
        """A UNICODE_STRING: length in bytes, capacity, pointer."""
        if self._address is None:
            return Absent.because(self._why_absent)
        place: int = self._address + getattr(self._layout, field)
        try:
            length = int.from_bytes(self._memory.read(place, 2), "little")
            text = int.from_bytes(self._memory.read(place + self._layout.width, self._layout.width), "little")
            return self._memory.read(text, min(length, MOST_STRING_BYTES)).decode("utf-16-le", "replace")
        except FaultError:
            return Absent.because(Reason.NOT_IN_DUMP)

    def environment(self) -> dict[str, str] | Absent:
        """A block of strings that ends with an empty one."""
        if self._address is None:
            return Absent.because(self._why_absent)
        block = self._pointer(self._address + self._layout.environment)
        if not block:
            return Absent.because(Reason.NOT_IN_DUMP)
        data = self._memory.read_partial(block, MOST_ENVIRONMENT_BYTES).data
        if not data:
            return Absent.because(Reason.NOT_IN_DUMP)
        text = data[: len(data) // 2 * 2].decode("utf-16-le", "replace")
        return _variables(text.partition("\0\0")[0])
