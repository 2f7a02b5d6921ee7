"""What is missing, as a value: why, and what would bring it back.

An `Absent` stands where the value would be. It is false, equals no number, and refuses arithmetic and formatting as a
number, so that it never passes for a zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from stillframe.errors import Unreadable


class Reason(StrEnum):
    """Why something is absent. The value is the reason in words; `remedy` says what would help."""

    remedy: str

    def __new__(cls, words: str, remedy: str) -> Reason:
        member = str.__new__(cls, words)
        member._value_ = words
        member.remedy = remedy
        return member

    @classmethod
    def of(cls, words: str) -> Reason:
        """The reason that is said in these words. :raises KeyError: if none is."""
        return {str(reason): reason for reason in cls}[words]

    NO_ADDRESS = "is no address of this process", "none: no memory can be there"
    FREE = "was free memory", "nothing was there to capture"
    NOT_IN_DUMP = "not in this dump", "capture with full memory"
    WRITABLE_SECTION = "writable section, which the dump did not save", "capture with data segments or full memory"
    LOADER_WRITTEN = "written by the loader and not saved in the dump", "capture with full memory"
    IMAGE_NOT_ASKED = "image not looked for", "ask for the module's image"
    IMAGE_MISSING = "image not found", "give the folder of the binary as symbols"
    IMAGE_MISMATCH = "only images of other builds found", "give the binary of this build"
    NOT_IN_IMAGE = "not stored in the image's file", "capture with full memory"
    OPTIMIZED_AWAY = "optimized away at this instruction", "look at another frame, or build with less optimization"
    FRAME_BASE_UNKNOWN = "relative to a frame base that is not known", "read the stack around the frame pointer"
    REGISTER_UNKNOWN = "in a register that is not known in this frame", "look at a frame nearer to the top"
    ENTRY_VALUE_UNKNOWN = (
        "depends on what the caller passed, which no caller tells",
        "look for it in the caller's frame",
    )
    EXPRESSION_FAILED = (
        "the debug information's expression is damaged, or asks for what no dump has",
        "look at the bytes around the frame",
    )
    PLACE_IN_ABSENT_MEMORY = "where it is stands in memory that is absent", "capture with full memory"
    NOT_COVERED = "some of its bytes are nowhere at this instruction", "build with less optimization"
    TYPE_NOT_RECORDED = "the debug information records no type", "none: the compiler wrote none"
    TYPE_DAMAGED = "its type makes no sense: the debug information is damaged", "give debug information that is whole"
    SIZE_UNKNOWN = "its type is declared but nowhere defined", "give the debug information that defines the type"
    COUNT_UNKNOWN = "how many elements it has is not recorded", "read its elements one by one"
    VALUE_TOO_LARGE = "too large to be read at once", "read a part of it"
    STATIC_NOT_FOUND = "no variable of this name is recorded", "none: the compiler kept none"
    DEFINED_ELSEWHERE = "declared here, and stored nowhere that is known", "none: the compiler kept no place"
    NO_THREAD = "thread-local, and no thread was given", "ask a frame for it"
    TLS_NOT_FOUND = "the thread's block of thread-local storage was not found", "capture with full memory"
    TLS_NOT_ALLOCATED = (
        "not yet allocated in this thread",
        "none: the thread has used no thread-local variable of this module",
    )
    TLS_LIBRARY_UNKNOWN = (
        "thread-local storage of libraries is found through the C library and its dynamic linker, which were not found",
        "give the folder of libc.so.6 and ld-linux as symbols",
    )
    THREAD_POINTER_UNKNOWN = (
        "thread-local, and the dump does not say where the thread keeps such variables",
        "capture a core, which holds the thread pointer",
    )
    TLS_UNSUPPORTED = (
        "thread-local storage of this module cannot be found on this system",
        "none: no dump says where it is",
    )
    DEBUG_INFO_NOT_ASKED = "the debug information was not looked for", "ask for the module's debug information"
    DEBUG_INFO_MISSING = "no debug information was found", "give the folder of the PDB as symbols"
    DEBUG_INFO_MISMATCH = "only debug information of other builds was found", "give the PDB of this build"
    DEBUG_INFO_UNIDENTIFIED = (
        "neither the dump nor an image says which debug information belongs here",
        "give the folder of the binary as symbols",
    )
    DEBUG_INFO_NOT_MADE = "the image was linked without debug information", "link with /DEBUG and keep the PDB"
    NOT_IN_DEBUG_INFO = "the debug information has no record of this address", "none: the compiler wrote none"
    NO_LINE = "the code was made of no line of source", "none: the compiler added it"
    NO_MODULE = "the address lies in no module", "none: this is no code of a module"
    NO_CALL_FOUND = "no call instruction ends at the return address", "none: trust this frame less"
    SOURCE_MISSING = "the source file was not found", "say where it is: a folder, or FROM=TO, as --source"
    SOURCE_TOO_SHORT = "the source file has fewer lines", "give the sources of this build"
    STREAM_MISSING = "the dump has no such stream", "none: its writer left it out"
    STREAM_BROKEN = "the dump's stream cannot be read", "none: the file is damaged"
    CONTEXT_MISSING = "the dump holds no registers of this thread", "none: its writer left them out"
    SEGMENT_BASE_UNKNOWN = "relative to a segment whose base the dump does not say", "none: no dump stores it"
    NO_DISASSEMBLER = "instructions of this processor are not decoded yet", "use another disassembler on the bytes"
    NO_INSTRUCTION = "the bytes are no instruction", "none: this is no code"
    NO_ANALYSIS = "nobody has analysed the crash", "open the dump with `stillframe.open`"


@dataclass(frozen=True, slots=True)
class Absent:
    """A value that is missing: the reason, and the remedy."""

    reason: Reason
    remedy: str

    @classmethod
    def because(cls, reason: Reason) -> Absent:
        """The absence with the usual remedy of `reason`."""
        return cls(reason, reason.remedy)

    def __bool__(self) -> Literal[False]:
        return False

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}"


def absent_of(error: Unreadable) -> Absent:
    """What an error says is missing, as the value that stands for it."""
    return Absent(Reason.of(error.reason), error.remedy)
