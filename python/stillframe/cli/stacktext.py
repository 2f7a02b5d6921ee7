"""Stacks as text: a line a frame, and below it why something is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe import Absent
from stillframe.cli.missing import frames_in_words, lacks
from stillframe.cli.page import Styled
from stillframe.model.thread import StopReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe import Dump, Frame, Thread
    from stillframe.cli.missing import Lack
    from stillframe.cli.page import Page, Part

TRUST_WORDS = {
    "context": "context",
    "cfi": "",
    "tail_call": "tail call",
    "frame_pointer": "frame pointer",
    "scan": "scan",
}
"""How a frame was found; `cfi`, found by unwind tables, is the rule and is not said."""
INNERMOST_FRAMES, OUTERMOST_FRAMES = 24, 8
"""Shown of a stack that is abridged."""
QUIET_ENDS = {StopReason.END_OF_STACK, StopReason.NO_CONTEXT}


def address_text(dump: Dump, address: int) -> str:
    """`0x009F1934`, as wide as the process's pointers."""
    return f"0x{address:0{2 * dump.pointer_size_bytes}X}"


def add_thread(page: Page, dump: Dump, thread: Thread, *, abridged: bool = False) -> None:
    """The thread's heading, its stack, and why the stack ends if it is not at its end.

    `abridged` leaves out the middle of a very deep stack, such as that of an endless recursion.
    """
    page.line(Styled(thread_title(thread), "bold"))
    if isinstance(thread.registers, Absent):
        page.line("no stack: ", Styled(str(thread.registers.reason), "yellow"))
        return
    frames = thread.frames
    left_out = len(frames) - OUTERMOST_FRAMES - INNERMOST_FRAMES if abridged else 0
    if left_out > 1:
        page.table([_row(dump, frame) for frame in frames[:INNERMOST_FRAMES]])
        page.line(
            Styled(f"… {left_out:,} frames left out; `stillframe stack --thread {thread.index}` shows all", "dim")
        )
        frames = frames[-OUTERMOST_FRAMES:]
    page.table([_row(dump, frame) for frame in frames])
    if thread.stop.reason not in QUIET_ENDS:
        page.line(Styled(f"the stack ends here: {thread.stop}", "yellow"))


def thread_title(thread: Thread) -> str:
    """`thread 0  id 3060  "main"  crashed`."""
    name = f'  "{thread.name}"' if thread.name else ""
    return f"thread {thread.index}  id {thread.id}{name}{'  crashed' if thread.is_crashed else ''}"


def add_lacks(page: Page, threads: Sequence[Thread]) -> None:
    """What the stacks lack and what would help, once for all modules that lack the same."""
    alike: dict[tuple[str, str], list[Lack]] = {}
    for lack in lacks(threads):
        alike.setdefault((lack.reason, lack.remedy), []).append(lack)
    for (reason, remedy), group in alike.items():
        frames = frames_in_words(sorted(frame for lack in group for frame in lack.frames))
        names = ", ".join(lack.module.name for lack in group)
        page.line(f"{frames}: ", Styled(names, "bold"), f": {reason}", "; " if remedy else "", Styled(remedy, "yellow"))


def frame_name(frame: Frame) -> str:
    """`hello.exe!main`; `ntdll.dll!NtWaitForSingleObject+0x14` where no line says how far in; `ntdll.dll+0x1234`."""
    if frame.name_kind not in {"function", "symbol"} or frame.module is None:
        return frame.name
    offset = frame.function_offset
    is_vague = isinstance(frame.location, Absent) and not isinstance(offset, Absent) and offset > 0
    return f"{frame.module.name}!{frame.name}" + (f"+{offset:#x}" if is_vague else "")


def location_text(frame: Frame) -> str:
    """`app.cpp:77`, or nothing."""
    return "" if isinstance(frame.location, Absent) else str(frame.location)


def _row(dump: Dump, frame: Frame) -> list[Part]:
    trust = TRUST_WORDS[frame.trust]
    return [
        Styled(f"#{frame.index}", "dim"),
        Styled(address_text(dump, frame.instruction), "dim"),
        Styled(frame_name(frame), "bold" if frame.name_kind == "function" else ""),
        Styled(location_text(frame), "cyan"),
        "[inlined]" if frame.is_inlined else "",
        Styled(f"({trust})" if trust else "", "dim" if frame.trust == "context" else "yellow"),
    ]
