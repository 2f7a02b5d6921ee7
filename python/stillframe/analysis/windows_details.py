"""What Windows' own exceptions carry in their parameters: the heap's verdict, the class of a .NET exception.

Sources: `RtlpHeapFailureInfo` of ntdll's public symbols (`_HEAP_FAILURE_INFORMATION`); .NET, `corerror.h` (HRESULTs).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.analysis.windows import CLR_EXCEPTION, HEAP_CORRUPTION
from stillframe.model.crash import Basis, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe._engine import ExceptionRecord
    from stillframe.model.dump import Dump

HEAP_FAILURES = {
    0: "its own check failed",
    1: "for an unknown reason",
    2: "for a general reason",
    3: "an entry is corrupted",
    4: "several entries are corrupted",
    5: "a large block is corrupted",
    6: "a block was written past its end",
    7: "a block was written before its start",
    8: "a block that was not in use was freed or used, as in a double free",
    9: "an invalid address was given to it",
    10: "a block was used after it was freed",
    11: "a block was freed to another heap than its own",
    12: "its lists of free blocks are corrupted",
    13: "a list entry is corrupted",
}
"""HEAP_FAILURE_TYPE."""
MANAGED_CLASSES = {
    0x80004003: "System.NullReferenceException",
    0x8007000E: "System.OutOfMemoryException",
    0x80070002: "System.IO.FileNotFoundException",
    0x80070003: "System.IO.DirectoryNotFoundException",
    0x80070005: "System.UnauthorizedAccessException",
    0x80070057: "System.ArgumentException",
    0x80020012: "System.DivideByZeroException",
    0x800703E9: "System.StackOverflowException",
    0x80131500: "System.Exception",
    0x80131501: "System.SystemException",
    0x80131502: "System.ArgumentOutOfRangeException",
    0x80131503: "System.ArrayTypeMismatchException",
    0x80131505: "System.TimeoutException",
    0x80131506: "System.ExecutionEngineException",
    0x80131508: "System.IndexOutOfRangeException",
    0x80131509: "System.InvalidOperationException",
    0x80131513: "System.MissingMethodException",
    0x80131515: "System.NotSupportedException",
    0x80131516: "System.OverflowException",
    0x80131522: "System.TypeLoadException",
    0x80131534: "System.TypeInitializationException",
    0x80131537: "System.FormatException",
    0x80131577: "System.Collections.Generic.KeyNotFoundException",
    0x80131620: "System.IO.IOException",
    0x80131622: "System.ObjectDisposedException",
    0x80131623: "System.Environment.FailFast",
    0x8013153B: "System.OperationCanceledException",
    0x80004002: "System.InvalidCastException",
    0x80004001: "System.NotImplementedException",
}
"""By HRESULT; classes derived from them may have the same."""


def statements(dump: Dump, exception: ExceptionRecord) -> Iterator[Statement]:
    """What the parameters tell."""
    if not exception.parameters:
        return
    first = exception.parameters[0]
    if exception.code == CLR_EXCEPTION:
        result = first & 0xFFFFFFFF
        known = MANAGED_CLASSES.get(result)
        text = f"a .NET exception with HRESULT {result:#010x}" + (f", which is that of {known}" if known else "")
        yield Statement("managed_exception", text, (Basis("exception record", "parameter 0"),))
    elif exception.code == HEAP_CORRUPTION:
        yield from _heap_failure(dump, first)


def _heap_failure(dump: Dump, address: int) -> Iterator[Statement]:
    """Version, size and type, 32 bits each; then, aligned, the addresses of the heap and of the block."""
    size = dump.pointer_size_bytes
    start = 12 if size == 4 else 16
    data = dump.memory.read_partial(address, start + 2 * size).data
    if len(data) < start + 2 * size:
        return
    kind = int.from_bytes(data[8:12], "little")
    heap, block = (int.from_bytes(data[at : at + size], "little") for at in (start, start + size))
    if kind in HEAP_FAILURES:
        text = f"the heap at {heap:#x} says of the block at {block:#x}: {HEAP_FAILURES[kind]}"
        yield Statement("heap_failure", text, (Basis("memory", f"failure information at {address:#x}"),))
