"""Names of the debugger, besides those of the program: what WinDbg's assembler-style expressions have.

Registers need no `@` where nothing of the program has their name; `poi(x)` is the pointer at an address, `by`, `wo`,
`dwo`, `qwo` are numbers of 1, 2, 4 and 8 bytes; `$ra` is where the frame returns to, `$retreg` what a function returns.

Source: Microsoft, "MASM Numbers and Operators", "Pseudo-Register Syntax" (WinDbg).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.errors import OperationError
from stillframe.model.absent import Absent, Reason
from stillframe.model.expression.scope import FrameScope
from stillframe.model.value.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe import Frame, Thread

OPERATORS = {"by": "unsigned char", "wo": "unsigned short", "dwo": "unsigned int", "qwo": "unsigned long long"}
RESULTS = {"amd64": "rax", "x86": "eax", "arm64": "x0", "arm": "r0"}


class DebuggerScope(FrameScope):
    """A frame, as the debugger's expressions see it."""

    def __init__(self, thread: Thread, frame: Frame) -> None:
        super().__init__(frame.scope.process, frame, frame.scope.thread)
        self.share(frame.scope)
        self._frames = thread.frames

    def value(self, name: str, module: str | None = None) -> Value | Absent | None:
        """See `Scope.value`; last of all, a register."""
        found = super().value(name, module)
        return self.pseudo(name) if found is None and module is None else found

    def pseudo(self, name: str) -> Value | Absent | None:
        """See `Scope.pseudo`."""
        if name.lower() == "ra":
            return self._return_address()
        if name.lower() == "retreg" and self.registers is not None:
            name = RESULTS.get(self.registers.cpu, name)
        return super().pseudo("sp" if name.lower() == "csp" else name)

    def call(self, name: str, arguments: Sequence[Value]) -> Value | None:
        """See `Scope.call`."""
        spelled = "uintptr_t" if name == "poi" else OPERATORS.get(name)
        type_ = None if spelled is None else self.process.types.builtin(spelled)
        if type_ is None:
            return None
        if len(arguments) != 1:
            raise OperationError(f"{name} takes one address")
        address = int(arguments[0]) & ((1 << 8 * self.process.pointer_size_bytes) - 1)
        return Value.at_address(self.process, type_, address)

    def _return_address(self) -> Value | Absent:
        outer = (each for each in self._frames if each.physical_index > self._frame.physical_index)
        caller = next(outer, None)
        if caller is None:
            return Absent.because(Reason.NO_CALL_FOUND)
        return Value.of_number(self.process, self.process.types.void.pointer(), caller.instruction)
