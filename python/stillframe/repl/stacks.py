"""Verbs of stacks, threads and frames."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stillframe import Absent
from stillframe.cli import schema, select, value_json
from stillframe.cli.page import Styled
from stillframe.cli.stacktext import add_lacks, add_thread, address_text, frame_name, location_text, thread_title
from stillframe.cli.verb import Unanswered
from stillframe.repl.verb import Output, Verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe import Frame, Thread
    from stillframe.cli.page import Part
    from stillframe.model.variables import Variable
    from stillframe.repl.session import Session


class Stack(Verb):
    """Shows the stack of the current thread.

    `kb` shows the values of arguments, `kp` their types and names too, `kP` each on a line of its own; `kv` as `kb`,
    and how the frame was found and where it is. `(…)`: the debug information does not say where the arguments are. Of
    x86 code without debug information `kb` and `kv` show the first three words above the return address, which may be
    arguments. `kf` shows how many bytes of stack each function uses; `kc` leaves addresses out; `kn` numbers frames,
    which all forms do here. With a number, so many frames. Prefixed with threads, `~*k` or `~2k`, shows theirs.
    """

    names = ("k", "kb", "kp", "kP", "kn", "kv", "kf", "kc", "stack", "bt", "backtrace", "where")
    usage = "[COUNT|all]"

    def run(self, session: Session, name: str, arguments: str) -> Output:
        """Answers."""
        threads = session.dump.threads if arguments == "all" else (session.thread,)
        count = None if arguments in {"", "all"} else _count(arguments)
        if name not in FORMS:
            return stacks(session, threads, count)
        output = Output(data=lambda: _with_arguments(session, threads, count))
        for thread in threads:
            output.page.blank()
            output.page.line(Styled(thread_title(thread), "bold"))
            for frame in thread.frames[:count]:
                _add_call(output, session, frame, name)
        output.page.blank()
        add_lacks(output.page, threads)
        return output


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


FORMS = frozenset({"kb", "kp", "kP", "kv", "kf", "kc"})
"""Of the stack, which show more, or less, than `k`."""
WORDS = 3
"""Shown of a call whose arguments nobody knows."""
ARGUMENT_LENGTH = 60
"""Characters of an argument."""


def _add_call(output: Output, session: Session, frame: Frame, form: str) -> None:
    """A frame, with what it was called with."""
    page, location = output.page, location_text(frame)
    place = Styled(f"  {location}" if location else "", "cyan")
    number = Styled(f"#{frame.index:<3} ", "dim")
    if form == "kc":
        page.line(number, Styled(frame_name(frame), "bold"))
        return
    address = Styled(f"{address_text(session.dump, frame.instruction)}  ", "dim")
    if form == "kf":
        page.line(number, f"{_stack_used(frame):>10}  ", address, Styled(frame_name(frame), "bold"), place)
        return
    passed = _arguments(session, frame, with_names=form in {"kp", "kP"})
    if form == "kP" and passed:
        page.line(number, address, Styled(frame_name(frame), "bold"), "(")
        for index, each in enumerate(passed):
            page.line(f"        {each}{',' if index < len(passed) - 1 else ')'}", place if each is passed[-1] else "")
        return
    mark = "  [inlined]" if frame.is_inlined else ""
    call = f"({', '.join(passed)})" if passed or _takes_nothing(session, frame) else ""
    call = "(…)" if not call and frame.name_kind == "function" else call
    page.line(
        number, address, Styled(frame_name(frame), "bold"), call, place, mark, Styled(_found_by(frame, form), "dim")
    )


def _takes_nothing(session: Session, frame: Frame) -> bool:
    """Whether the function is declared without parameters. Of an inlined one nobody says."""
    if frame.module is None or frame.is_inlined or frame.name_kind != "function":
        return False
    debug = frame.module.debug_file_or_absent()
    id_ = None if isinstance(debug, Absent) else debug.function_type_at(frame.lookup_address - frame.module.base)
    type_ = session.scope.process.types.of(frame.module, id_)
    return type_ is not None and type_.kind == "function" and not type_.parameters


def _found_by(frame: Frame, form: str) -> str:
    """Of `kv`."""
    if form != "kv":
        return ""
    cfa = "" if frame.record.cfa is None else f", frame base {frame.record.cfa:#x}"
    return f"  ({frame.trust.replace('_', ' ')}{cfa})"


def _stack_used(frame: Frame) -> str:
    """Bytes from the stack pointer to where the caller's part begins. Inlined functions use their caller's."""
    start, end = frame.registers.stack_pointer, frame.record.cfa
    return "" if start is None or end is None or frame.is_inlined else f"{end - start:,}"


def _arguments(session: Session, frame: Frame, *, with_names: bool) -> list[str]:
    known = [each for each in frame.variables if each.is_parameter]
    if known or frame.name_kind == "function":
        return [_argument(each, with_names=with_names) for each in known]
    return [] if with_names else [f"{word:#x}" for word in _words_of(session, frame)]


def _argument(argument: Variable, *, with_names: bool) -> str:
    value = argument.value
    text = f"<{value.reason}>" if isinstance(value, Absent) else value.format(depth=1, length=ARGUMENT_LENGTH)
    type_name = "" if argument.type is None else argument.type.name
    return f"{type_name} {argument.name} = {text}" if with_names else text


def _words_of(session: Session, frame: Frame) -> list[int]:
    """Of x86, where calls pass arguments on the stack: what stands above the return address. A guess, as WinDbg's."""
    cfa = frame.record.cfa
    if session.dump.cpu != "x86" or cfa is None:
        return []
    data = session.dump.memory.read_partial(cfa, 4 * WORDS).data
    return [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data) - 3, 4)]


def _with_arguments(session: Session, threads: Sequence[Thread], count: int | None) -> dict[str, object]:
    return {
        "threads": [
            value_json.thread_locals(session.dump, thread, thread.frames[:count], only_arguments=True)
            for thread in threads
        ]
    }


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1 << 20:
        raise Unanswered(f"{text}: no number of frames")
    return int(text)


def add_frame(output: Output, session: Session, frame: Frame) -> None:
    """A line for one frame."""
    output.page.line(
        Styled(f"#{frame.index}  {address_text(session.dump, frame.instruction)}  ", "dim"),
        Styled(frame_name(frame), "bold"),
        Styled(f"  {location_text(frame)}".rstrip(), "cyan"),
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
    if not isinstance(line, Absent) and not isinstance(line.text, Absent):
        output.page.line(Styled(f"    {str(line).strip()}", "cyan"))
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
