"""The crash that a dump was taken of: the plain facts. `stillframe.analysis.crash` adds the words and the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from stillframe.model.absent import Absent, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillframe._engine import ExceptionRecord, Instruction, Operand
    from stillframe.model.dump import Dump
    from stillframe.model.location import SourceLine
    from stillframe.model.thread import Thread

AccessKind: TypeAlias = Literal["read", "write", "execute"]
BasisSource: TypeAlias = Literal[
    "exception record",
    "registers",
    "instruction",
    "memory",
    "memory regions",
    "modules",
    "unloaded modules",
    "threads",
    "debug information",
    "stream",
]


class Basis(NamedTuple):
    """What a statement rests on: a part of the dump, and where in it."""

    source: BasisSource
    detail: str = ""
    """`rax`, `0x1000 to 0x1008`, `parameter 1`…; nothing where the part is meant as a whole."""

    def __str__(self) -> str:
        return f"{self.source} ({self.detail})" if self.detail else self.source


class Statement(NamedTuple):
    """One thing that can be said of a crash, and what it rests on."""

    kind: str
    """What it is about, for programs: docs/json.md lists them."""
    text: str
    basis: tuple[Basis, ...]

    def __str__(self) -> str:
        return self.text


class Access(NamedTuple):
    """The access to memory that the processor refused."""

    kind: AccessKind | None
    """None: neither the record nor the instruction says."""
    address: int
    size_bytes: int | None
    """None where the instruction is not known."""
    reported: int
    """The address as the exception record has it, which may be wrong: see `basis`."""
    basis: tuple[Basis, ...]


class CrashOperand(NamedTuple):
    """An operand of the faulting instruction, with the values of the crash."""

    text: str
    """As the instruction shows it; `[rsp-8]` of one that it does not show, such as where a call pushes to."""
    kind: Literal["register", "memory"]
    access: Literal["none", "read", "write", "read_write"]
    size_bytes: int
    address: int | Absent | None
    """Of memory; None of registers."""
    value: int | Absent
    """What the register or the memory holds before the instruction; little-endian."""
    name: str | None
    """The variable or symbol: `message`; of memory that a register points to, as C++ has it: `to->position.latitude`,
    `*where`; `*(where+0x10)` if the type of `where` has no such part.
    """
    pointer: str | None
    """The variable that the register holds: `where`."""
    origin: str | None
    """What the register that points to it was loaded from, if the code before the instruction says: `g_null`."""
    registers: tuple[str, ...]
    """The registers that the address is computed from, or the register itself."""
    operand: Operand | None
    """As the engine gives it; None of one that the instruction does not show."""


class BitFlip(NamedTuple):
    """A single bit that, had it been another one, would have made the access a plausible one."""

    bit: int
    """0 is the least significant."""
    register: str | None
    """Whose value would have differed; None: the address itself."""
    value: int
    """What the register or address would have held; 0: a null pointer."""
    address: int
    """What would have been accessed."""
    confidence: Literal["weak", "fair", "strong"]
    nearby_registers: int
    """Registers that point near `address`."""
    text: str
    """The reasoning."""


class Assertion(NamedTuple):
    """A failed assertion as Breakpad's handlers store it (stream 0x47670002)."""

    kind: Literal["unknown", "invalid parameter", "pure virtual call"]
    expression: str
    function: str
    file: str
    line: int

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.file else ""
        parts = [self.expression, f"in {self.function}" if self.function else "", f"at {where}" if where else ""]
        return " ".join(part for part in parts if part) or "no details"


class Account(NamedTuple):
    """What an expert sees at first glance."""

    instruction: Instruction | Absent
    is_raised_by_instruction: bool
    """Whether the processor raised the exception at `instruction`; else the program or the system did, by a call."""
    operands: tuple[CrashOperand, ...]
    access: Access | None
    guarded: frozenset[int]
    """Those addresses of operands that are likely in guard pages."""
    statements: tuple[Statement, ...]
    bit_flips: tuple[BitFlip, ...]
    assertion: Assertion | None
    exception_type: str | None
    exception_message: str | None


NO_ACCOUNT = Account(Absent.because(Reason.NO_ANALYSIS), False, (), None, frozenset(), (), (), None, None, None)
"""Of a crash that nobody has looked at."""


@dataclass(frozen=True, repr=False)
class Crash:
    """What happened, where, in which thread. Sentence and account are made when they are first asked for."""

    exception: ExceptionRecord
    thread: Thread | None
    """None if the dump does not list the thread."""
    reason: str
    """Standard name, for example `EXCEPTION_ACCESS_VIOLATION_WRITE`."""
    address: int | None
    """As minidump-stackwalk's `crash_info.address`: the address accessed, where there is one, else the instruction."""

    def __repr__(self) -> str:
        return f"<Crash {self.explanation}>"

    def _repr_html_(self) -> str:
        from stillframe.model.value.html import of_lines

        return of_lines(self.reason, [self.explanation, *(f"- {statement}" for statement in self.statements)])

    @property
    def explanation(self) -> str:
        """One sentence for people."""
        return f"exception {self.reason} at {self.exception.address:#x}"

    @property
    def source_line(self) -> SourceLine | Absent:
        """The line of source at which the thread was, marked if the file is not the one that was compiled."""
        frames = () if self.thread is None else self.thread.frames
        return frames[0].source_line if frames else Absent.because(Reason.NO_LINE)

    @property
    def account(self) -> Account:
        """All that the properties below give, as one value."""
        return NO_ACCOUNT

    @property
    def instruction(self) -> Instruction | Absent:
        """The instruction at which the thread was: see `account.is_raised_by_instruction` for whether it faulted."""
        return self.account.instruction

    @property
    def operands(self) -> tuple[CrashOperand, ...]:
        """Its registers and memory, with addresses, values and names."""
        return self.account.operands

    @property
    def access(self) -> Access | None:
        """The access that was refused; None if the crash was none."""
        return self.account.access

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What can be said, the most telling first, each with what it rests on."""
        return self.account.statements

    @property
    def bit_flips(self) -> tuple[BitFlip, ...]:
        """Single bits that may have been wrong, as in broken memory; usually there are none."""
        return self.account.bit_flips

    @property
    def assertion(self) -> Assertion | None:
        """The failed assertion that the handler stored."""
        return self.account.assertion

    @property
    def exception_type(self) -> str | None:
        """Of an unhandled C++ exception of Microsoft's compiler: the class of the object thrown."""
        return self.account.exception_type

    @property
    def exception_message(self) -> str | None:
        """What its `what()` would have said."""
        return self.account.exception_message


Explain: TypeAlias = "Callable[[Dump], Crash | None]"
"""`stillframe.analysis.crash.explain` has this type. `stillframe.open` hands it to `Dump`, which is a floor below."""


def plain_facts(dump: Dump) -> Crash | None:
    """The crash without interpretation: the code as a number, the address of the instruction."""
    exception = dump.exception
    if exception is None:
        return None
    return Crash(exception, dump.crashed_thread, f"0x{exception.code:08X}", exception.address)
