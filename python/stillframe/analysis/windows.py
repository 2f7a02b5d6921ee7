"""Exceptions of Windows, by code.

Source: Microsoft, "EXCEPTION_RECORD structure" and `GetExceptionCode`; `winnt.h` of the Windows SDK.
"""

ACCESS_VIOLATION = 0xC0000005
IN_PAGE_ERROR = 0xC0000006
STACK_BUFFER_OVERRUN = 0xC0000409
"""STATUS_STACK_BUFFER_OVERRUN: raised by every `__fastfail`, whatever its code."""
STACK_OVERFLOW = 0xC00000FD
CPP_EXCEPTION = 0xE06D7363
"""`throw` of Microsoft's C++ compiler: `0xE0` and the letters `msc`."""
CLR_EXCEPTION = 0xE0434352
"""`throw` of .NET from version 4 on: `0xE0` and the letters `CCR`."""
HEAP_CORRUPTION = 0xC0000374
THREAD_NAMING = 0x406D1388
"""How programs tell debuggers the name of a thread: an exception that they handle themselves."""
OUT_OF_MEMORY = 0xE0000008
"""Raised by Chromium's allocators."""
SIMULATED = 0x0517A7ED
"""Crashpad's mark of a dump that was taken without an exception."""

NAMES = {
    0x80000001: "EXCEPTION_GUARD_PAGE",
    0x80000002: "EXCEPTION_DATATYPE_MISALIGNMENT",
    0x80000003: "EXCEPTION_BREAKPOINT",
    0x80000004: "EXCEPTION_SINGLE_STEP",
    ACCESS_VIOLATION: "EXCEPTION_ACCESS_VIOLATION",
    IN_PAGE_ERROR: "EXCEPTION_IN_PAGE_ERROR",
    0xC0000008: "EXCEPTION_INVALID_HANDLE",
    0xC000001D: "EXCEPTION_ILLEGAL_INSTRUCTION",
    0xC0000025: "EXCEPTION_NONCONTINUABLE_EXCEPTION",
    0xC0000026: "EXCEPTION_INVALID_DISPOSITION",
    0xC000008C: "EXCEPTION_BOUNDS_EXCEEDED",
    0xC000008D: "EXCEPTION_FLT_DENORMAL_OPERAND",
    0xC000008E: "EXCEPTION_FLT_DIVIDE_BY_ZERO",
    0xC000008F: "EXCEPTION_FLT_INEXACT_RESULT",
    0xC0000090: "EXCEPTION_FLT_INVALID_OPERATION",
    0xC0000091: "EXCEPTION_FLT_OVERFLOW",
    0xC0000092: "EXCEPTION_FLT_STACK_CHECK",
    0xC0000093: "EXCEPTION_FLT_UNDERFLOW",
    0xC0000094: "EXCEPTION_INT_DIVIDE_BY_ZERO",
    0xC0000095: "EXCEPTION_INT_OVERFLOW",
    0xC0000096: "EXCEPTION_PRIV_INSTRUCTION",
    STACK_OVERFLOW: "EXCEPTION_STACK_OVERFLOW",
    0xC0000194: "EXCEPTION_POSSIBLE_DEADLOCK",
    OUT_OF_MEMORY: "Out of Memory",
    CPP_EXCEPTION: "Unhandled C++ Exception",
    CLR_EXCEPTION: "MANAGED_EXCEPTION_CODE_V4",
    SIMULATED: "Simulated Exception",
}
"""Names as minidump-stackwalk gives them."""

ACCESS_KINDS = {0: "READ", 1: "WRITE", 8: "EXEC"}
"""What an access violation or in-page error was about, by its first parameter."""

WORDS = {
    0x80000001: "access to a guard page",
    0x80000002: "access to a misaligned address",
    0x80000003: "breakpoint",
    0x80000004: "single step",
    0xC0000008: "use of an invalid handle",
    0xC000001D: "illegal instruction",
    0xC0000025: "attempt to continue after an exception that does not allow it",
    0xC000008C: "array index out of bounds",
    0xC000008E: "floating-point division by zero",
    0xC0000094: "integer division by zero",
    0xC0000095: "integer overflow",
    0xC0000096: "privileged instruction",
    STACK_OVERFLOW: "stack overflow",
    0xC0000135: "a DLL was not found",
    0xC0000139: "an entry point was not found in a DLL",
    0xC0000142: "a DLL failed to initialize",
    HEAP_CORRUPTION: "heap corruption, noticed by the heap manager",
    0xC0000409: "stack buffer overrun or other fast-fail",
    0xC0000417: "invalid parameter passed to a function of the C runtime",
    0xC0000420: "failed assertion",
    0xC0000602: "fail-fast exception",
    THREAD_NAMING: "announcement of a thread's name to a debugger, which is no error",
    OUT_OF_MEMORY: "out of memory",
    CPP_EXCEPTION: "C++ exception thrown",
    CLR_EXCEPTION: ".NET exception thrown",
    SIMULATED: "no crash: the program asked for a dump",
}
"""The commonest, for people."""
