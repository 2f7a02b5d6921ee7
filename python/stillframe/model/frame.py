"""Frames of a stack. An inlined call is a frame of its own, as debuggers show it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from stillframe.errors import NoSuchVariable
from stillframe.model.absent import Absent, Reason
from stillframe.model.location import SourceLocation
from stillframe.model.naming import symbolize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe._engine import FrameRecord, Instruction, Registers, ThreadRecord, Trust
    from stillframe.model.expression.scope import FrameScope
    from stillframe.model.location import SourceLine, SourceText
    from stillframe.model.module import Module
    from stillframe.model.process import Process
    from stillframe.model.symbol import Function, NameKind, Symbolized
    from stillframe.model.value.value import Value
    from stillframe.model.variables import Variable, Variables

LARGEST_FUNCTION_BYTES = 1 << 20
"""Up to an instruction. More is a function that its debug information does not bound, or a hostile one."""


class Frame:
    """A function call on a stack. Several inlined frames share one physical frame and its registers."""

    def __init__(  # noqa: PLR0917 - threads alone make frames
        self,
        process: Process,
        stack: Sequence[FrameRecord],
        index: int,
        physical_index: int,
        scope_index: int,
        thread: ThreadRecord,
    ) -> None:
        self._process = process
        self._stack = stack
        self._thread = thread
        record = stack[physical_index]
        self._scope_index = scope_index
        self.record = record
        """The physical frame as the engine gives it."""
        self.index = index
        """In `Thread.frames`; 0 is the innermost."""
        self.physical_index = physical_index
        """Of the physical frame, counting only those."""
        self.instruction: int = record.instruction
        """The instruction pointer: in a caller, the return address."""
        self.lookup_address: int = record.lookup_address
        """The address to look up: in a caller, inside the call instruction."""
        self.module: Module | None = None if record.module is None else process.modules[record.module]
        self.trust: Trust = record.trust
        self.registers: Registers = record.registers
        """The physical frame's registers; what is not known is None."""
        scopes = self.module.scopes_at(record.lookup_address) if self.module else ()
        self._scope = scopes[scope_index] if scopes else None
        self.is_inlined = self._scope is not None and self._scope.is_inlined
        self.inline_depth = max(len(scopes) - 1 - scope_index, 0)
        """How many inlined calls deep; 0 is the function itself."""

    def __repr__(self) -> str:
        return f"<Frame {self.index} {self.name} {self.instruction:#x}>"

    @cached_property
    def _symbolized(self) -> Symbolized:
        return symbolize(self._process.modules, self.lookup_address)

    @property
    def name(self) -> str:
        """Of the (inlined) function; else the nearest symbol; else `module+0xoffset`; else the address."""
        if self._scope is not None:
            return self._scope.function
        if self._symbolized.name is not None:
            return self._symbolized.name
        if self.module is not None:
            return f"{self.module.name}+{self.instruction - self.module.base:#x}"
        return f"{self.instruction:#x}"

    @property
    def name_kind(self) -> NameKind:
        """What `name` rests on."""
        return "function" if self._scope is not None else self._symbolized.kind

    @property
    def function(self) -> Function | Absent:
        """The function that holds the instruction: of an inlined frame, the one into which it was inlined."""
        return self._symbolized.function

    @property
    def function_offset(self) -> int | Absent:
        """Bytes from the start of `function`, or of the symbol that names the frame, to `instruction`."""
        if self._symbolized.name is None:
            return Absent.because(Reason.NOT_IN_DEBUG_INFO)
        return self._symbolized.offset + self.instruction - self.lookup_address

    @property
    def location(self) -> SourceLocation | Absent:
        """File and line: where the frame is, or where it calls the next inner frame."""
        if self._scope is None:
            return self._symbolized.location
        return SourceLocation.of(self._scope.location)

    @property
    def source(self) -> SourceText | Absent:
        """The source file of `location`."""
        location = self.location
        return location if isinstance(location, Absent) else self._process.sources.text(location.file)

    @property
    def source_line(self) -> SourceLine | Absent:
        """The line of `location`, marked if the file is not the one that was compiled."""
        location = self.location
        return location if isinstance(location, Absent) else self._process.sources.line(location)

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """Variables in scope, innermost scope first: arguments, locals, static ones of the function. An inlined call
        has its own.
        """
        module = self.module
        if module is None:
            return ()
        from stillframe.model.placing import Frames  # few verbs need values
        from stillframe.model.variables import Variable

        frames = Frames(self._stack[self.physical_index :], self._thread)
        records = [each for each in module.variables_at(self.lookup_address) if each.inline_depth == self.inline_depth]
        return tuple(Variable(self._process, module, record, frames) for record in records)

    @property
    def locals(self) -> Variables:
        """Values of local variables by name, static ones of the function among them."""
        from stillframe.model.variables import Variables

        return Variables([variable for variable in self.variables if not variable.is_parameter])

    @property
    def arguments(self) -> Variables:
        """Values of arguments by name, `this` among them."""
        from stillframe.model.variables import Variables

        return Variables([variable for variable in self.variables if variable.is_parameter])

    def __getitem__(self, name: str) -> Value | Absent:
        """The variable that `name` means here: the innermost in scope, else static data of the class or namespace,
        else a global one.

        :raises NoSuchVariable: :raises AmbiguousSymbol:
        """
        from stillframe.model.variables import global_named, named_from

        found = next((variable for variable in self.variables if variable.name == name), None)
        if found is not None:
            return found.value
        for qualified in named_from(self._scope.function if self._scope else "", name):
            value = global_named(self._process, qualified, self.module, self._thread)
            if value is not None:
                return value
        raise NoSuchVariable(name, f"in {self.name}, nor a global one")

    def eval(self, text: str) -> Value | Absent:
        """The value of an expression of C++, whose names mean what they mean here: variables, members of `this`,
        globals, types, registers (`@rax`). Format specifiers behind it (`,x`, `,10`) say how the value is shown.

        :raises ExpressionError: with the column.
        """
        from stillframe.model.expression.expression import Expression

        return Expression(text).value_or_absent(self.scope)

    @cached_property
    def scope(self) -> FrameScope:
        """Where names are looked up by expressions that are evaluated here."""
        from stillframe.model.expression.scope import FrameScope

        return FrameScope(self._process, self, self._thread)

    @property
    def title(self) -> str:
        """`#2 main depot.cpp:115`."""
        location = "" if isinstance(self.location, Absent) else f" {self.location}"
        return f"#{self.index} {self.name}{location}"

    @property
    def named_values(self) -> list[tuple[str, Value | Absent]]:
        """All variables in scope, in the order of the debug information; a name may come twice."""
        return [(variable.name or "<unnamed>", variable.value) for variable in self.variables]

    def _repr_html_(self) -> str:
        from stillframe.model.value.html import of_values

        return of_values(self.named_values, self.title)

    @cached_property
    def call_site_address(self) -> int | Absent:
        """Address of the call instruction that a caller is in; of the innermost frame, its instruction."""
        if self.lookup_address == self.instruction:
            return self.instruction
        if self.registers.cpu == "arm64":
            return self.instruction - 4  # all instructions are as long
        if self.registers.cpu == "arm":
            return self._call_site_of_arm()
        decoded = self.instructions_before
        if decoded and decoded[-1].flow == "call":
            return decoded[-1].address
        return Absent.because(Reason.NO_CALL_FOUND)

    def _call_site_of_arm(self) -> int | Absent:
        """Calls have 4 bytes, but for Thumb's `blx register`, which is no second half of any other call.

        Source: Arm Architecture Reference Manual, ARMv7-A, A8.8.25 and A8.8.26 (BL, BLX).
        """
        half = self._process.memory.read_partial(self.instruction - 2, 2).data
        if len(half) < 2:
            return Absent.because(Reason.NO_CALL_FOUND)
        is_short = int.from_bytes(half, "little") & 0xFF87 == 0x4780
        return self.instruction - (2 if is_short else 4)

    @property
    def instructions_before(self) -> tuple[Instruction, ...]:
        """The function's instructions up to `instruction`, which is not among them; empty if they are not known.

        x86 and x64 only. The last one ends where `instruction` is.
        """
        # Instructions cannot be decoded backwards: start where the function does.
        function = self.function
        if isinstance(function, Absent) or self.registers.cpu == "arm":
            return ()
        if not 0 <= self.instruction - function.address <= LARGEST_FUNCTION_BYTES:
            return ()
        self._process.memory.read_partial(function.address, self.instruction - function.address)  # brings the image
        decoded = self._process.space.disassemble(function.address, end=self.instruction)
        is_whole = bool(decoded) and decoded[-1].address + len(decoded[-1].data) == self.instruction
        return tuple(decoded) if is_whole else ()
