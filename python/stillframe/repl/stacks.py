"""Verbs of stacks, threads and frames."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stillframe.cli import schema, select
from stillframe.cli.page import Styled
from stillframe.cli.stacktext import add_lacks, add_thread, address_text, frame_name, location_text, thread_title
from stillframe.cli.verb import Unanswered
from stillframe.repl.verb import Output, Verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe import Frame, Thread
    from stillframe.cli.page import Part
    from stillframe.repl.session import Session


class Stack(Verb):
    """Shows the stack of the current thread.

    With a number, so many frames. Prefixed with threads, `~*k` or `~2k`, shows theirs; `kn` numbers frames, which all
    forms do here.
    """

    names = ("k", "kb", "kp", "kn", "kv", "kc", "stack", "bt", "backtrace", "where")
    usage = "[COUNT|all]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        threads = session.dump.threads if arguments == "all" else (session.thread,)
        return stacks(session, threads, None if arguments in {"", "all"} else _count(arguments))


def stacks(session: Session, threads: Sequence[Thread], count: int | None = None) -> Output:
    """The stacks of `threads`, of each so many frames."""
    output = Output(data=lambda: {"threads": [schema.thread(session.dump, thread) for thread in threads]})
    for thread in threads:
        output.page.blank()
        if count is None:
            add_thread(output.page, session.dump, thread)
        else:
            output.page.line(Styled(thread_title(thread), "bold"))
            for frame in thread.frames[:count]:
                add_frame(output, session, frame)
    output.page.blank()
    add_lacks(output.page, threads)
    return output


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1 << 20:
        raise Unanswered(f"{text}: no number of frames")
    return int(text)


def add_frame(output: Output, session: Session, frame: Frame) -> None:
    """A line for one frame."""
    output.page.line(
        Styled(f"#{frame.index}  {address_text(session.dump, frame.instruction)}  ", "dim"),
        Styled(frame_name(frame), "bold"),
        Styled(f"  {location_text(frame)}", "cyan"),
        "  [inlined]" if frame.is_inlined else "",
    )


class Threads(Verb):
    """Lists the threads, or makes one the current one.

    `~` lists; `~2s` and `thread 2` choose by index, `~~[1c4]s` by the system's id; `~#s` chooses the crashed one.
    Before a verb, `~*k`, `~2 k`, `~.dv` run it in all threads, in one, in the current one.
    """

    names = ("~", "threads", "thread", "t")
    usage = "[INDEX]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        if arguments and arguments != "*":
            session.choose_thread(thread_named(session, arguments))
            return current_frame(session)
        output = Output(
            data=lambda: {"threads": [schema.thread_summary(session.dump, each) for each in session.dump.threads]}
        )
        rows: list[list[Part]] = []
        for thread in session.dump.threads:
            mark = "." if thread is session.thread else "#" if thread.is_crashed else " "
            top = thread.frames[0] if thread.frames else None
            place = [frame_name(top), location_text(top)] if top else [str(thread.stop), ""]
            rows.append([mark, str(thread.index), f"id {thread.id} (0x{thread.id:x})", thread.name or "", *place])
        if rows:
            output.page.table(rows, right=frozenset({1}))
        return output


def thread_named(session: Session, text: str) -> Thread:
    """The thread that `2`, `.`, `#` or `~[1c4]` means. :raises Unanswered:"""
    if text == ".":
        return session.thread
    if text in {"#", "crashed"}:
        return select.thread(session.dump, "crashed")
    if (by_id := re.fullmatch(r"~?\[(?:0x)?([0-9a-fA-F]+)\]", text)) is not None:
        wanted = int(by_id[1], 16)
        for thread in session.dump.threads:
            if thread.id == wanted:
                return thread
        raise Unanswered(f"no thread with id {wanted:x}")
    return select.thread(session.dump, text)


class ChooseFrame(Verb):
    """Shows the current frame, or makes another the current one.

    Names in expressions, `dv` and `r` go by the current frame.
    """

    names = (".frame", "frame", "f")
    usage = "[NUMBER]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        number = arguments.removeprefix("/r").removeprefix("/c").strip()
        if number:
            if not number.isdecimal():
                raise Unanswered(f"{number}: no number of a frame")
            session.choose_frame(int(number))
        return current_frame(session)


class Up(Verb):
    """Makes the caller's frame the current one; `down` goes back."""

    names = (".f+", "up")

    step = 1

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        number = session.frame.index + self.step
        if not 0 <= number < len(session.thread.frames):
            raise Unanswered(f"frame {session.frame.index} is the {'outer' if self.step > 0 else 'inner'}most")
        session.choose_frame(number)
        return current_frame(session)


class Down(Up):
    """Makes the frame that the current one called the current one."""

    names = (".f-", "down")
    step = -1


def current_frame(session: Session) -> Output:
    """The current frame and its line of source."""
    frame = session.frame
    output = Output(data=lambda: {"thread": session.thread.index, "frame": schema.call(frame)})
    add_frame(output, session, frame)
    line = frame.source_line
    if isinstance(line, str):
        output.page.line(Styled(f"    {line.strip()}", "cyan"))
    return output


class UniqueStacks(Verb):
    """Shows each different stack once, with the threads that have it."""

    names = ("!uniqstack", "uniqstack")

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        groups: dict[tuple[str, ...], list[Thread]] = {}
        for thread in session.dump.threads:
            key = tuple(f"{frame_name(frame)} {location_text(frame)}" for frame in thread.frames)
            groups.setdefault(key, []).append(thread)
        output = Output(data=lambda: {"groups": [[thread.index for thread in group] for group in groups.values()]})
        for group in groups.values():
            output.page.blank()
            others = ", ".join(str(thread.index) for thread in group[1:])
            add_thread(output.page, session.dump, group[0])
            if others:
                output.page.line(f"the same in threads {others}")
        return output
