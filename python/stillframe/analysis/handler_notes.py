"""What the handler noted of the crash: a failed assertion.

Source: Breakpad, `minidump_format.h`, `MDRawAssertionInfo`: three texts of 128 UTF-16 units, line, type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from stillframe.model.crash import Assertion

if TYPE_CHECKING:
    from stillframe.model.dump import Dump

ASSERTION_INFO = 0x47670002
TEXT_BYTES = 256
KINDS: dict[int, Literal["unknown", "invalid parameter", "pure virtual call"]] = {
    1: "invalid parameter",
    2: "pure virtual call",
}


def assertion(dump: Dump) -> Assertion | None:
    """The failed assertion; None if the dump has no such stream."""
    data = next((dump.stream_bytes(each.index) for each in dump.streams if each.type == ASSERTION_INFO), b"")
    if len(data) < 3 * TEXT_BYTES + 8:
        return None
    texts = [_text(data[start : start + TEXT_BYTES]) for start in (0, TEXT_BYTES, 2 * TEXT_BYTES)]
    line, kind = (int.from_bytes(data[at : at + 4], "little") for at in (3 * TEXT_BYTES, 3 * TEXT_BYTES + 4))
    return Assertion(KINDS.get(kind, "unknown"), texts[0], texts[1], texts[2], line)


def _text(data: bytes) -> str:
    return data.decode("utf-16-le", "replace").partition("\0")[0]
