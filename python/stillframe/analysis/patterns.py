"""Values that allocators and compilers put where nothing of the program's is: they name the mistake.

Sources: Microsoft, "CRT debug heap details" and `/RTC`; the heap of Windows under a debugger (`ntdll`, as "Debugging
Tools for Windows" documents it); jemalloc(3), `opt.junk`; mozjemalloc, `kAllocPoison`; malloc(3) of macOS,
`MallocScribble`; Clang, `-ftrivial-auto-var-init`.
"""

from __future__ import annotations

FILLS = {
    0xCDCDCDCD: "allocated by the debug heap of Microsoft's C runtime, and never written",
    0xDDDDDDDD: "freed, to the debug heap of Microsoft's C runtime",
    0xFDFDFDFD: "guard bytes beside a block of the debug heap of Microsoft's C runtime",
    0xFEEEFEEE: "freed, to the heap of Windows in its debug mode",
    0xFEFEFEFE: "the filling behind a string that a debug build of Microsoft's C runtime copied",
    0xBAADF00D: "allocated by the heap of Windows in its debug mode, and never written",
    0xABABABAB: "guard bytes behind a block of the heap of Windows in its debug mode",
    0xCCCCCCCC: "a local variable of a debug build of Microsoft's compiler, never written",
    0xDEADBEEF: "a marker that programs themselves put where nothing valid is",
    0xE5E5E5E5: "freed, to Firefox's jemalloc",
    0x5A5A5A5A: "freed, to jemalloc with junk filling",
    0xA5A5A5A5: "allocated by jemalloc with junk filling, and never written",
    0xAAAAAAAA: "never written (MallocScribble of macOS, or a local variable that Clang fills)",
    0x55555555: "freed, with MallocScribble of macOS",
}
"""By the 32 bits that repeat: what memory that holds them is."""
NEAREST_BYTES = 0x1000
"""A pointer made of a fill is used with the offset of a field."""


def fill_of(value: int, pointer_size_bytes: int) -> tuple[int, str] | None:
    """The fill that `value` is made of, perhaps with an offset added: the fill's 32 bits and what it means.

    A pointer of 64 bits holds it twice, or once if its upper half is zero or all ones.
    """
    for fill, meaning in FILLS.items():
        wholes = [fill] if pointer_size_bytes == 4 else [fill << 32 | fill, fill, 0xFFFFFFFF << 32 | fill]
        if any(-NEAREST_BYTES < value - whole < NEAREST_BYTES for whole in wholes):
            return fill, meaning
    return None


def text_of(value: int, pointer_size_bytes: int) -> str | None:
    """The characters that the bytes of `value` are, if all are printable ASCII."""
    data = value.to_bytes(pointer_size_bytes, "little")
    return data.decode("ascii") if all(0x20 <= byte < 0x7F for byte in data) else None
