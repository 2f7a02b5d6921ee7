"""Verbs of numbers: one in all its forms, the name of an error."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stillframe import Absent
from stillframe.analysis import last_error, ntstatus
from stillframe.analysis.signals import NAMES as SIGNALS
from stillframe.cli.page import Styled
from stillframe.cli.verb import Unanswered
from stillframe.repl.verb import Output, Verb

if TYPE_CHECKING:
    from stillframe.repl.session import Session

FILETIME_START_SECONDS = 11_644_473_600
"""From 1601, where Windows begins to count, to 1970. Source: Microsoft, "FILETIME structure"."""
FILETIME_UNITS = 10_000_000
"""Of 100 nanoseconds, in a second."""


class Formats(Verb):
    """Shows a number in all its forms: both bases, bits, characters, as a time, as floating point."""

    names = (".formats", "formats")
    usage = "EXPRESSION"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        if not arguments:
            raise Unanswered("say which expression")
        value = session.evaluate(arguments)
        data = value.bytes_
        if isinstance(data, Absent):
            raise Unanswered(f"{arguments}: {data}")
        if not 0 < len(data) <= 8:
            raise Unanswered(f"{arguments}: {len(data):,} bytes are no number")
        number = int.from_bytes(data, "little")
        forms = {
            "hexadecimal": f"{number:#0{2 + 2 * len(data)}x}",
            "decimal": str(int.from_bytes(data, "little", signed=True)),
            "unsigned": str(number),
            "octal": f"0{number:o}",
            "binary": " ".join(f"{byte:08b}" for byte in reversed(data)),
            "characters": "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in reversed(data)),
            "seconds since 1970": _time(number),
            "FILETIME": _time(number / FILETIME_UNITS - FILETIME_START_SECONDS),
            "float": f"{struct.unpack('<f', data[:4].ljust(4, bytes(1)))[0]:g}",
            "double": f"{struct.unpack('<d', data.ljust(8, bytes(1)))[0]:g}",
        }
        shown = {form: text for form, text in forms.items() if text}
        output = Output(data=lambda: shown)
        output.page.table([[Styled(form, "dim"), text] for form, text in shown.items()], indent="  ")
        return output


def _time(seconds: float) -> str:
    """Empty of what no program means by a time."""
    try:
        time = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC" if 1980 <= time.year <= 2100 else ""


class ErrorName(Verb):
    """Names an error: of Windows (Win32, NTSTATUS, HRESULT of a Win32 error), of Linux and macOS a signal.

    Without a number, the last error of the current thread.
    """

    names = ("!error", "error")
    usage = "[NUMBER]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        if not arguments:
            own = last_error.last_error(session.dump, session.thread)
            if own is None:
                raise Unanswered("the thread's last error is not in the dump; say which number")
            return _named(own)
        code = _number(arguments)
        system = "" if isinstance(session.dump.system, Absent) else session.dump.system.os
        found = {} if system.startswith("Windows") else {"signal": SIGNALS.get(code)}
        win32 = code & 0xFFFF if code >> 16 in {0x8007, 0xC007} else code
        found |= {"Win32": last_error.NAMES.get(win32), "NTSTATUS": ntstatus.NAMES.get(code)}
        names = {kind: text for kind, text in found.items() if text is not None}
        if not names:
            raise Unanswered(f"{code:#x}: no error that is known here")
        output = Output(data=lambda: names)
        output.page.table([[Styled(kind, "dim"), text, f"{code:#x}"] for kind, text in names.items()])
        return output


def _named(text: str) -> Output:
    output = Output(data=lambda: {"last": text})
    output.page.line(text)
    return output


def _number(text: str) -> int:
    """Decimal, or hexadecimal as error codes are written. :raises Unanswered:"""
    try:
        number = int(text, 10 if text.isdecimal() and len(text) < 8 else 16)
    except ValueError as error:
        raise Unanswered(f"{text}: no number") from error
    return number & 0xFFFFFFFF
