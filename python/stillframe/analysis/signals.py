"""Signals of Linux, with their codes (`si_code`).

Source: `signal(7)`, `sigaction(2)`, `asm-generic/siginfo.h`. Breakpad and Crashpad store the signal as the exception's
code and `si_code` as its flags; the exception's address is `si_addr`, which only some signals have.
"""

from __future__ import annotations

from typing import NamedTuple

SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS = 4, 5, 6, 7, 8, 11, 31
OF_INSTRUCTIONS = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV}
"""Those that the processor raises."""
DUMP_REQUESTED = 0xFFFFFFFF
"""Breakpad's mark of a dump that was taken without a signal."""

NAMES = {
    **dict(
        enumerate(
            (
                *("SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL"),
                *("SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD"),
                *("SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ"),
                *("SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS"),
            ),
            start=1,
        )
    ),
    DUMP_REQUESTED: "DUMP_REQUESTED",
}

SI_USER = 0
_COMMON_CODES = {
    0x80: "SI_KERNEL",
    -1: "SI_QUEUE",
    -2: "SI_TIMER",
    -3: "SI_MESGQ",
    -4: "SI_ASYNCIO",
    -5: "SI_SIGIO",
    -6: "SI_TKILL",
    -7: "SI_DETHREAD",
    -60: "SI_ASYNCNL",
}
_CODES = {
    SIGILL: (
        *("ILL_ILLOPC", "ILL_ILLOPN", "ILL_ILLADR", "ILL_ILLTRP", "ILL_PRVOPC", "ILL_PRVREG"),
        *("ILL_COPROC", "ILL_BADSTK", "ILL_BADIADDR"),
    ),
    SIGTRAP: ("TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT", "TRAP_UNK", "TRAP_PERF"),
    SIGFPE: (
        *("FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV", "FPE_FLTOVF", "FPE_FLTUND", "FPE_FLTRES", "FPE_FLTINV"),
        "FPE_FLTSUB",
    ),
    SIGSEGV: ("SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"),
    SIGBUS: ("BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"),
    SIGSYS: ("SYS_SECCOMP", "SYS_USER_DISPATCH"),
}
"""The codes of a signal, from 1 on."""


class Sender(NamedTuple):
    """A process that sent a signal."""

    process_id: int
    user_id: int


class Signal(NamedTuple):
    """A signal as stored in an exception record."""

    number: int
    code: int
    """`si_code`, as the unsigned number that the record holds."""

    @property
    def code_name(self) -> str | None:
        """`SEGV_MAPERR`…; None for SI_USER, which old writers also store when they have no code."""
        own = _CODES.get(self.number, ())
        if 1 <= self.code <= len(own):
            return own[self.code - 1]
        signed = self.code - (1 << 32) if self.code >= 1 << 31 else self.code
        if signed == SI_USER:
            return None
        return _COMMON_CODES.get(signed, f"0x{self.code:08x}")

    @property
    def name(self) -> str:
        """`SIGSEGV / SEGV_MAPERR`, as minidump-stackwalk gives it."""
        known = NAMES.get(self.number)
        if known is None:
            return f"unknown 0x{self.number:08x} / 0x{self.code:08x}"
        return known if self.code_name is None else f"{known} / {self.code_name}"

    @property
    def has_address(self) -> bool:
        """Whether the record's address is one that the program accessed."""
        return self.number in {SIGSEGV, SIGBUS}

    def sender(self, address: int) -> Sender | None:
        """Who sent it, if a process did: `si_pid` and `si_uid` stand where other signals have `si_addr`.

        breakpad's linux_overflow.dmp has SIGABRT with the address 0x3e8000039be: process 0x39be of user 1000. Old
        writers store no code, so that those signals which the processor raises are left out by number.
        """
        if self.number in OF_INSTRUCTIONS | {SIGSYS, DUMP_REQUESTED} or not address:
            return None
        return Sender(address & 0xFFFFFFFF, address >> 32)


WORDS = {
    SIGILL: "illegal instruction",
    SIGTRAP: "breakpoint or trace trap",
    SIGABRT: "abort",
    SIGFPE: "arithmetic error",
    SIGSYS: "bad system call",
    DUMP_REQUESTED: "no crash: the program asked for a dump",
}
CODE_WORDS = {
    "SEGV_MAPERR": "where nothing is mapped",
    "SEGV_ACCERR": "which its protection forbids",
    "BUS_ADRALN": "which is misaligned",
    "BUS_ADRERR": "where no memory exists, such as past the end of a mapped file",
    "FPE_INTDIV": "integer division by zero",
    "FPE_INTOVF": "integer overflow",
    "FPE_FLTDIV": "floating-point division by zero",
}
