"""Exceptions of macOS and iOS, by code.

Source: `mach/exception_types.h`, `mach/kern_return.h`, `mach/i386/exception.h`, `mach/arm/exception.h` and
`kern/exc_resource.h` of XNU. The record's code is the type of exception, its flags the first code that goes with it (of
EXC_RESOURCE and EXC_GUARD its upper half); Crashpad's parameters are the type as the kernel sent it and its codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BAD_ACCESS, BAD_INSTRUCTION, ARITHMETIC, SOFTWARE, BREAKPOINT, CRASH, RESOURCE, GUARD = 1, 2, 3, 5, 6, 10, 11, 12
GENERAL_PROTECTION = 13
"""EXC_I386_GPFLT: of BAD_ACCESS on x64, an address that is not canonical, which is not recorded."""
SIMULATED, NS_EXCEPTION = 0x43507378, 0x43506E78
"""Crashpad's own, `CPsx` and `CPnx`: a dump without a crash; an exception of Objective-C."""
NAMES = {
    BAD_ACCESS: "EXC_BAD_ACCESS",
    BAD_INSTRUCTION: "EXC_BAD_INSTRUCTION",
    ARITHMETIC: "EXC_ARITHMETIC",
    4: "EXC_EMULATION",
    SOFTWARE: "EXC_SOFTWARE",
    BREAKPOINT: "EXC_BREAKPOINT",
    7: "EXC_SYSCALL",
    8: "EXC_MACH_SYSCALL",
    9: "EXC_RPC_ALERT",
    CRASH: "EXC_CRASH",
    RESOURCE: "EXC_RESOURCE",
    GUARD: "EXC_GUARD",
    13: "EXC_CORPSE_NOTIFY",
    SIMULATED: "Simulated Exception",
    NS_EXCEPTION: "Uncaught NSException",
}
_CODES = {
    BAD_ACCESS: {
        1: "KERN_INVALID_ADDRESS",
        2: "KERN_PROTECTION_FAILURE",
        5: "KERN_FAILURE",
        8: "KERN_NO_ACCESS",
        9: "KERN_MEMORY_FAILURE",
        10: "KERN_MEMORY_ERROR",
        50: "KERN_CODESIGN_ERROR",
    },
    SOFTWARE: {
        0x10000: "SIGSYS",
        0x10001: "SIGPIPE",
        0x10002: "SIGABRT",
        0x10003: "EXC_SOFT_SIGNAL",
        0xDEADC0DE: "UNCAUGHT_NS_EXCEPTION",
    },
}
"""Codes of an exception that every processor has."""
_X86_CODES = {
    BAD_ACCESS: {GENERAL_PROTECTION: "EXC_I386_GPFLT"},
    BAD_INSTRUCTION: {
        1: "EXC_I386_INVOP",
        10: "EXC_I386_INVTSSFLT",
        11: "EXC_I386_SEGNPFLT",
        12: "EXC_I386_STKFLT",
        13: "EXC_I386_GPFLT",
        17: "EXC_I386_ALIGNFLT",
    },
    ARITHMETIC: {
        1: "EXC_I386_DIV",
        2: "EXC_I386_INTO",
        3: "EXC_I386_NOEXT",
        4: "EXC_I386_EXTOVR",
        5: "EXC_I386_EXTERR",
        6: "EXC_I386_EMERR",
        7: "EXC_I386_BOUND",
        8: "EXC_I386_SSEEXTERR",
    },
    BREAKPOINT: {1: "EXC_I386_SGL", 2: "EXC_I386_BPT"},
}
_ARM_CODES = {
    BAD_ACCESS: {0x101: "EXC_ARM_DA_ALIGN", 0x102: "EXC_ARM_DA_DEBUG", 0x103: "EXC_ARM_SP_ALIGN"},
    BAD_INSTRUCTION: {1: "EXC_ARM_UNDEFINED"},
    BREAKPOINT: {1: "EXC_ARM_BREAKPOINT", 0x101: "EXC_ARM_DA_ALIGN", 0x102: "EXC_ARM_DA_DEBUG"},
}
_HALF_CODES = {
    RESOURCE: {
        1: "RESOURCE_TYPE_CPU",
        2: "RESOURCE_TYPE_WAKEUPS",
        3: "RESOURCE_TYPE_MEMORY",
        4: "RESOURCE_TYPE_IO",
        5: "RESOURCE_TYPE_THREADS",
    },
    GUARD: {
        1: "GUARD_TYPE_MACH_PORT",
        2: "GUARD_TYPE_FD",
        3: "GUARD_TYPE_USER",
        4: "GUARD_TYPE_VN",
        5: "GUARD_TYPE_VIRT_MEMORY",
    },
}
"""By the three uppermost bits of the code's 64."""
SIGNALS = dict(
    enumerate(
        (
            *("SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGEMT", "SIGFPE", "SIGKILL", "SIGBUS"),
            *("SIGSEGV", "SIGSYS", "SIGPIPE", "SIGALRM", "SIGTERM"),
        ),
        start=1,
    )
)
"""Of `sys/signal.h`; some numbers differ from Linux'."""
WORDS = {
    BAD_INSTRUCTION: "illegal instruction",
    ARITHMETIC: "arithmetic error",
    BREAKPOINT: "breakpoint",
    RESOURCE: "use of more of a resource than the process is allowed",
    GUARD: "misuse of a guarded descriptor, port or range",
    SIMULATED: "no crash: the program asked for a dump",
    NS_EXCEPTION: "uncaught Objective-C exception",
}


def name(code: int, flags: int, parameters: Sequence[int] = (), cpu: str = "amd64") -> str:
    """`EXC_BAD_ACCESS / KERN_INVALID_ADDRESS`, as minidump-stackwalk gives it; `EXC_CRASH / SIGABRT`."""
    signal = crash_signal(code, parameters)
    if signal is not None:
        return f"EXC_CRASH / {SIGNALS.get(signal, f'signal {signal}')}"
    known = NAMES.get(code)
    if known is None:
        return f"unknown 0x{code:08x} / 0x{flags:08x}"
    if code in {SIMULATED, NS_EXCEPTION}:
        return known
    if code in _HALF_CODES and flags >> 29 in _HALF_CODES[code]:
        return f"{known} / {_HALF_CODES[code][flags >> 29]}"
    own = _ARM_CODES if cpu.startswith("arm") else _X86_CODES
    return f"{known} / {_CODES.get(code, {}).get(flags) or own.get(code, {}).get(flags) or f'0x{flags:08x}'}"


def crash_signal(code: int, parameters: Sequence[int]) -> int | None:
    """The signal of an EXC_CRASH that no exception of the processor preceded, such as that of `abort`; else None.

    EXC_CRASH tells a process' end; its code holds the signal (bits 24 to 31) and the exception before it (bits 20 to
    23). Crashpad puts that exception in the record, or 0 if there was none, and EXC_CRASH in the parameters.
    """
    if code not in {0, CRASH} or len(parameters) < 2 or parameters[0] != CRASH:
        return None
    signal = parameters[1] >> 24 & 0xFF
    return signal or None
