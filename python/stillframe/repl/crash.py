"""Verbs of the crash and of the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.analysis.last_error import last_error
from stillframe.analysis.process import process_of
from stillframe.cli import crash_json, schema
from stillframe.cli.process import add_facts
from stillframe.cli.report import add_crash, add_missing
from stillframe.cli.stacktext import add_thread
from stillframe.cli.verb import Unanswered
from stillframe.repl.stacks import current_frame
from stillframe.repl.verb import Output, Verb, lines

if TYPE_CHECKING:
    from stillframe.repl.session import Session


class Analyze(Verb):
    """Says what happened: reason, instruction, operands, what stands out, the crashed stack."""

    names = ("!analyze", "analyze", "report")
    usage = "[-v]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        dump = session.dump
        output = Output(data=lambda: {"crash_info": crash_json.crash_info(dump)})
        add_crash(output.page, dump)
        thread = dump.crashed_thread
        if thread is not None:
            output.page.blank()
            add_thread(output.page, dump, thread, abridged=True)
            output.page.blank()
            add_missing(output.page, dump, [thread])
        return output


class ExceptionRecord(Verb):
    """Shows the exception record: code, flags, address, parameters."""

    names = (".exr", "exception")
    usage = "[-1]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        record, crash = session.dump.exception, session.dump.crash
        if record is None or crash is None:
            raise Unanswered("the dump was not taken at an exception")
        return lines(
            f"ExceptionAddress: {session.dump.symbolize(record.address)} ({record.address:#x})",
            f"   ExceptionCode: {record.code:08x} ({crash.reason})",
            f"  ExceptionFlags: {record.flags:08x}",
            *(f"   Parameter[{index}]: {value:#x}" for index, value in enumerate(record.parameters)),
        )


class LastEvent(Verb):
    """Says which event the dump was taken at."""

    names = (".lastevent", "lastevent")

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        crash = session.dump.crash
        if crash is None:
            return lines("no event: the dump was taken of a running program")
        thread = "" if crash.thread is None else f" in thread {crash.thread.index} (id {crash.thread.id})"
        return lines(f"{crash.reason}{thread}: {crash.explanation}")


class CrashContext(Verb):
    """Makes the crashed thread and its innermost frame the current ones."""

    names = (".ecxr", "crashed")

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        thread = session.dump.crashed_thread
        if thread is None:
            raise Unanswered("no thread has crashed")
        session.choose_thread(thread)
        return current_frame(session)


class LastError(Verb):
    """Shows the last error of the current thread (`GetLastError`)."""

    names = ("!gle", "lasterror")

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        error = last_error(session.dump, session.thread)
        if error is None:
            raise Unanswered("the dump does not hold it: it is in the thread's TEB, which only Windows has")
        return lines(f"last error: {error}")


class ProcessFacts(Verb):
    """Shows command line, directory, environment and times of the process."""

    names = ("!peb", "process", "peb")

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        process = process_of(session.dump)
        output = Output(data=lambda: {"command_line": session.dump.command_line})
        add_facts(output.page, process)
        return output


class ThreadBlock(Verb):
    """Shows the current thread's block: its address, stack and start."""

    names = ("!teb", "teb")

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        thread = session.thread
        low, size = thread.stack_start, thread.stack_size_bytes
        return lines(
            f"TEB at {thread.record.teb:#x}",
            f"stack saved: {low:#x} to {low + size:#x}",
            f"last error: {last_error(session.dump, thread) or 'not in the dump'}",
        )


class Handles(Verb):
    """Lists the handles that the process had open, if the dump does."""

    names = ("!handle", "handles")

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        handles = session.dump.handles
        if not handles:
            raise Unanswered("the dump has no list of handles; capture with handle data")
        output = Output(data=lambda: {"handles": [{"handle": it.handle, "type": it.type_name} for it in handles]})
        output.page.table([[f"{it.handle:#x}", it.type_name or "", it.object_name or ""] for it in handles])
        return output


class WriteDump(Verb):
    """Writes a dump: not yet, as nothing here writes dumps."""

    names = (".dump",)

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        raise Unanswered(f"{session.dump.path.name} is the dump; copy the file: reduced copies cannot be written yet")


class Files(Verb):
    """Shows where the images, symbols and sources of the current stack were sought."""

    names = (".sympath", ".reload", "sympath")

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        output = Output()
        for module in dict.fromkeys(frame.module for frame in session.thread.frames if frame.module is not None):
            for title, state in (("image", module.find_image()), ("symbols", module.find_debug_info())):
                output.page.line(f"{module.name}: {title}: {state}")
                for attempt in state.tried if state.absent is not None else ():
                    output.page.line(f"    tried {attempt}")
        output.data = lambda: {"modules": [schema.module(session.dump, it) for it in session.dump.modules]}
        return output
