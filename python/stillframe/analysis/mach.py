"""Exceptions of macOS and iOS, by code.

Source: `mach/exception_types.h` and `mach/kern_return.h` of XNU. The exception's code is the type of exception, its
flags the first code that goes with it.
"""

BAD_ACCESS = 1
NAMES = {
    BAD_ACCESS: "EXC_BAD_ACCESS",
    2: "EXC_BAD_INSTRUCTION",
    3: "EXC_ARITHMETIC",
    4: "EXC_EMULATION",
    5: "EXC_SOFTWARE",
    6: "EXC_BREAKPOINT",
    7: "EXC_SYSCALL",
    8: "EXC_MACH_SYSCALL",
    9: "EXC_RPC_ALERT",
    11: "EXC_RESOURCE",
    12: "EXC_GUARD",
    0x43507378: "Simulated Exception",
}
_BAD_ACCESS_CODES = {
    1: "KERN_INVALID_ADDRESS",
    2: "KERN_PROTECTION_FAILURE",
    5: "KERN_FAILURE",
    8: "KERN_NO_ACCESS",
    9: "KERN_MEMORY_FAILURE",
    10: "KERN_MEMORY_ERROR",
    50: "KERN_CODESIGN_ERROR",
}
WORDS = {
    2: "illegal instruction",
    3: "arithmetic error",
    6: "breakpoint",
    0x43507378: "no crash: the program asked for a dump",
}


def name(code: int, flags: int) -> str:
    """`EXC_BAD_ACCESS / KERN_INVALID_ADDRESS`, as minidump-stackwalk gives it."""
    known = NAMES.get(code)
    if known is None:
        return f"unknown 0x{code:08x} / 0x{flags:08x}"
    if known == "Simulated Exception":
        return known
    if code == BAD_ACCESS and flags in _BAD_ACCESS_CODES:
        return f"{known} / {_BAD_ACCESS_CODES[flags]}"
    return f"{known} / 0x{flags:08x}"
