"""The crash that a dump was taken of: the plain facts. `stillframe.analysis.crash` adds the words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillframe._engine import ExceptionRecord
    from stillframe.model.dump import Dump
    from stillframe.model.thread import Thread


class Crash(NamedTuple):
    """What happened, where, in which thread."""

    exception: ExceptionRecord
    thread: Thread | None
    """None if the dump does not list the thread."""
    reason: str
    """Standard name, for example `EXCEPTION_ACCESS_VIOLATION_WRITE`."""
    address: int | None
    """As minidump-stackwalk's `crash_info.address`: the address accessed, where there is one, else the instruction."""
    explanation: str
    """One sentence for people."""


Explain: TypeAlias = "Callable[[Dump], Crash | None]"
"""`stillframe.analysis.crash.explain` has this type. `stillframe.open` hands it to `Dump`, which is a floor below."""


def plain_facts(dump: Dump) -> Crash | None:
    """The crash without interpretation: the code as a number, the address of the instruction."""
    exception = dump.exception
    if exception is None:
        return None
    reason = f"0x{exception.code:08X}"
    explanation = f"exception {reason} at {exception.address:#x}"
    return Crash(exception, dump.crashed_thread, reason, exception.address, explanation)
