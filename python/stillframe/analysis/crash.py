"""What happened: the exception of a dump, named as minidump-stackwalk names it, and in one plain sentence.

Sources: the tables beside this file, one for each system. Numbers that no table has keep their hexadecimal digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from stillframe.analysis.access import NULL_PAGES_BYTES, UNREPORTED_ADDRESS
from stillframe.model.absent import Absent
from stillframe.model.crash import Crash

if TYPE_CHECKING:
    from stillframe._engine import ExceptionRecord
    from stillframe.model.crash import Access, Account
    from stillframe.model.dump import Dump
    from stillframe.model.thread import Thread


class _Reason(NamedTuple):
    """An exception in the terms of its system."""

    name: str
    address: int
    deed: str
    """What happened, in words."""
    link: str = "in"
    """Joins the innermost function to them; empty if the sentence ends before."""
    is_access: bool = False
    """Whether they are about an access to memory, of which the account may know more."""
    more: str = ""
    """Of an access: what else the system says of the address."""


def explain(dump: Dump) -> Crash | None:
    """What happened; None if the dump was not taken at an exception."""
    exception = dump.exception
    if exception is None:
        return None
    reason = _reason(dump, exception)
    address = reason.address & ((1 << 8 * dump.pointer_size_bytes) - 1)
    return _ExplainedCrash(exception, dump.crashed_thread, reason.name, address, dump, reason)


@dataclass(frozen=True, repr=False)
class _ExplainedCrash(Crash):
    """A crash with its account."""

    _dump: Dump
    _reason: _Reason

    @cached_property
    def explanation(self) -> str:
        """The sentence names the innermost function, so this may walk a stack and look for files."""
        reason, access, thrown = self._reason, self.account.access, self.account.exception_type
        if thrown is not None:
            reason = reason._replace(deed=f"C++ exception {thrown} thrown")
        if reason.is_access and access is not None:
            reason = _access_in_words(reason, access, self._dump)
        where = _innermost(self.thread) if reason.link else ""
        return f"{reason.deed} {reason.link} {where}" if where else reason.deed

    @cached_property
    def account(self) -> Account:
        """All that the properties give, as one value."""
        from stillframe.analysis.account import account_of  # which the reason alone does not need

        return account_of(self._dump)


def _reason(dump: Dump, exception: ExceptionRecord) -> _Reason:
    system = "" if isinstance(dump.system, Absent) else dump.system.os
    if system in {"Linux", "Android"}:
        return _linux(exception, dump.pointer_size_bytes)
    if system in {"Mac OS X", "iOS"}:
        return _mach(exception, dump)
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
    deed = f"access to {where}"
    if known == "READ" and address == UNREPORTED_ADDRESS and dump.cpu == "amd64":
        # breakpad's write_av_non_canonical.dmp, as its name says, is a write, recorded as a read of this address: the
        # processor reports neither which address it was, if that is not canonical, nor what was done to it. Only the
        # instruction tells; these are the words where it is not known.
        deed = f"access to an address that is not canonical (recorded as a read of {where})"
    return _Reason(name, address, deed, "by", is_access=True)


def _access_in_words(reason: _Reason, access: Access, dump: Dump) -> _Reason:
    """`write to 0x0 (null)`, linked by `by`."""
    where = _address_in_words(access.address, dump.pointer_size_bytes)
    is_found = access.address != access.reported
    if access.kind == "execute":
        why = "which is not canonical," if is_found else "where no code may run"
        return reason._replace(deed=f"execution of {where}, {why}", link="by" if is_found else "")
    deed = {"read": f"read from {where}", "write": f"write to {where}"}.get(access.kind or "", f"access to {where}")
    more = ", which is not canonical," if is_found else reason.more
    return reason._replace(deed=deed + more, link="by")


def _linux(exception: ExceptionRecord, pointer_size_bytes: int) -> _Reason:
    from stillframe.analysis.signals import CODE_WORDS, DUMP_REQUESTED, WORDS, Signal

    signal = Signal(exception.code, exception.flags)
    if signal.number == DUMP_REQUESTED:
        return _Reason("DUMP_REQUESTED", exception.address, WORDS[DUMP_REQUESTED], link="")
    more = CODE_WORDS.get(signal.code_name or "")
    if signal.has_address and signal.code_name == "SI_KERNEL":
        unreported = "access to an address that the processor did not report"
        return _Reason(signal.name, exception.address, unreported, "by", is_access=True)
    if signal.has_address:
        where = _address_in_words(exception.address, pointer_size_bytes)
        more = f", {more}," if more else ""
        return _Reason(signal.name, exception.address, f"access to {where}{more}", "by", is_access=True, more=more)
    deed = more or WORDS.get(signal.number, f"signal {signal.name}")
    return _Reason(signal.name, exception.address, deed)


def _mach(exception: ExceptionRecord, dump: Dump) -> _Reason:
    from stillframe.analysis import mach

    code, parameters = exception.code, exception.parameters
    name = mach.name(code, exception.flags, parameters, dump.cpu)
    signal = mach.crash_signal(code, parameters)
    if signal is not None:
        return _Reason(name, exception.address, f"end by signal {mach.SIGNALS.get(signal, signal)}")
    if code == mach.BAD_ACCESS:
        where = _address_in_words(exception.address, dump.pointer_size_bytes)
        return _Reason(name, exception.address, f"access to {where}", "by", is_access=True)
    return _Reason(name, exception.address, mach.WORDS.get(code, f"exception {name}"))


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
