"""What happened: the exception of a dump, named as minidump-stackwalk names it, and in one plain sentence.

Sources: the tables beside this file, one for each system. Numbers that no table has keep their hexadecimal digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.model.absent import Absent
from stillframe.model.crash import Crash

if TYPE_CHECKING:
    from stillframe._engine import ExceptionRecord
    from stillframe.model.dump import Dump
    from stillframe.model.thread import Thread

NULL_PAGES_BYTES = 0x10000
"""Windows gives out no address below, and Linux usually does not either (`vm.mmap_min_addr`)."""
UNREPORTED_ADDRESS = (1 << 64) - 1
"""What Windows on x64 records for a general protection fault, which has no address."""


class _Reason(NamedTuple):
    """An exception in the terms of its system."""

    name: str
    address: int
    deed: str
    """What happened, in words."""
    link: str = "in"
    """Joins the innermost function to them; empty if the sentence ends before."""


def explain(dump: Dump) -> Crash | None:
    """What happened; None if the dump was not taken at an exception.

    The sentence names the innermost function, so this may walk a stack and look for files.
    """
    exception = dump.exception
    if exception is None:
        return None
    thread = dump.crashed_thread
    reason = _reason(dump, exception)
    address = reason.address & ((1 << 8 * dump.pointer_size_bytes) - 1)
    where = _innermost(thread) if reason.link else ""
    sentence = f"{reason.deed} {reason.link} {where}" if where else reason.deed
    return Crash(exception, thread, reason.name, address, sentence)


def _reason(dump: Dump, exception: ExceptionRecord) -> _Reason:
    system = "" if isinstance(dump.system, Absent) else dump.system.os
    if system in {"Linux", "Android"}:
        return _linux(exception, dump.pointer_size_bytes)
    if system in {"Mac OS X", "iOS"}:
        return _mach(exception, dump.pointer_size_bytes)
    if system.startswith("Windows") or not system:
        return _windows(exception, dump)
    name = f"unknown 0x{exception.code:08x} / 0x{exception.flags:08x}"
    return _Reason(name, exception.address, f"exception 0x{exception.code:08x}")


# The tables of other systems than the dump's are not imported.


def _windows(exception: ExceptionRecord, dump: Dump) -> _Reason:
    from stillframe.analysis import fast_fail, ntstatus, windows

    code, parameters = exception.code, exception.parameters
    if code == windows.ACCESS_VIOLATION and len(parameters) >= 2:
        return _access_violation(parameters[0], parameters[1], dump)
    if code == windows.IN_PAGE_ERROR and len(parameters) >= 3:
        kind = windows.ACCESS_KINDS.get(parameters[0])
        status = ntstatus.name(parameters[2] & 0xFFFFFFFF)
        name = f"EXCEPTION_IN_PAGE_ERROR_{kind} / {status}" if kind else "EXCEPTION_IN_PAGE_ERROR"
        address = _address_in_words(parameters[1], dump.pointer_size_bytes)
        return _Reason(name, parameters[1], f"the page of {address} could not be loaded ({status})")
    if code == windows.STACK_BUFFER_OVERRUN and parameters:
        fail = parameters[0] & 0xFFFFFFFF
        words = fast_fail.WORDS.get(fail)
        deed = f"fast-fail {fast_fail.name(fail)}" + (f" ({words})" if words else "")
        return _Reason(f"EXCEPTION_STACK_BUFFER_OVERRUN / {fast_fail.name(fail)}", exception.address, deed)
    name = windows.NAMES.get(code) or ntstatus.NAMES.get(code) or f"unknown 0x{code:08x}"
    deed = windows.WORDS.get(code) or (f"exception {name}" if code in ntstatus.NAMES else f"exception 0x{code:08x}")
    return _Reason(name, exception.address, deed)


def _access_violation(kind: int, address: int, dump: Dump) -> _Reason:
    from stillframe.analysis import windows

    known = windows.ACCESS_KINDS.get(kind)
    name = f"EXCEPTION_ACCESS_VIOLATION_{known}" if known else "EXCEPTION_ACCESS_VIOLATION"
    where = _address_in_words(address, dump.pointer_size_bytes)
    if known == "READ" and address == UNREPORTED_ADDRESS and dump.cpu == "amd64":
        # breakpad's write_av_non_canonical.dmp, as its name says, is a write, recorded as a read of this address: the
        # processor reports neither which address it was, if that is not canonical, nor what was done to it.
        return _Reason(
            name, address, f"access to an address that is not canonical (recorded as a read of {where})", "by"
        )
    if known == "EXEC":
        return _Reason(name, address, f"execution of {where}, where no code may run", link="")
    deed = {"READ": f"read from {where}", "WRITE": f"write to {where}"}.get(known or "", f"access to {where}")
    return _Reason(name, address, deed, "by")


def _linux(exception: ExceptionRecord, pointer_size_bytes: int) -> _Reason:
    from stillframe.analysis.signals import CODE_WORDS, DUMP_REQUESTED, WORDS, Signal

    signal = Signal(exception.code, exception.flags)
    if signal.number == DUMP_REQUESTED:
        return _Reason("DUMP_REQUESTED", exception.address, WORDS[DUMP_REQUESTED], link="")
    more = CODE_WORDS.get(signal.code_name or "")
    if signal.has_address and signal.code_name == "SI_KERNEL":
        return _Reason(signal.name, exception.address, "access to an address that the processor did not report", "by")
    if signal.has_address:
        deed = f"access to {_address_in_words(exception.address, pointer_size_bytes)}" + (f", {more}," if more else "")
        return _Reason(signal.name, exception.address, deed, "by")
    deed = more or WORDS.get(signal.number, f"signal {signal.name}")
    return _Reason(signal.name, exception.address, deed)


def _mach(exception: ExceptionRecord, pointer_size_bytes: int) -> _Reason:
    from stillframe.analysis import mach

    name = mach.name(exception.code, exception.flags)
    if exception.code == mach.BAD_ACCESS:
        return _Reason(
            name, exception.address, f"access to {_address_in_words(exception.address, pointer_size_bytes)}", "by"
        )
    return _Reason(name, exception.address, mach.WORDS.get(exception.code, f"exception 0x{exception.code:08x}"))


def _address_in_words(address: int, pointer_size_bytes: int) -> str:
    address &= (1 << 8 * pointer_size_bytes) - 1
    if address == 0:
        return "0x0 (null)"
    if address < NULL_PAGES_BYTES:
        return f"{address:#x} (near null)"
    return f"{address:#x}"


def _innermost(thread: Thread | None) -> str:
    """`poke at app.cpp:77`; nothing if there is no frame."""
    if thread is None or not thread.frames:
        return ""
    frame = thread.frames[0]
    return frame.name if isinstance(frame.location, Absent) else f"{frame.name} at {frame.location}"
