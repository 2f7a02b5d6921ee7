"""Verbs of the crash and of the process."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stillframe.analysis.last_error import last_error
from stillframe.analysis.process import process_of
from stillframe.cli import crash_json, schema
from stillframe.cli.process import add_facts, as_json, handle_row
from stillframe.cli.report import add_crash, add_missing
from stillframe.cli.stacktext import add_thread
from stillframe.cli.verb import Unanswered
from stillframe.repl.stacks import current_frame
from stillframe.repl.verb import Output, Verb, lines

if TYPE_CHECKING:
    from stillframe._engine import HandleRecord
    from stillframe.repl.session import Session

_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]{1,16}")


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
        if arguments not in {"", "-1"}:
            raise Unanswered(f"{arguments}: only the dump's own exception record is read: .exr -1")
        record, crash = session.dump.exception, session.dump.crash
        if record is None or crash is None:
            raise Unanswered("the dump was not taken at an exception")
        output = lines(
            f"ExceptionAddress: {session.dump.symbolize(record.address)} ({record.address:#x})",
            f"   ExceptionCode: {record.code:08x} ({crash.reason})",
            f"  ExceptionFlags: {record.flags:08x}",
            f"NumberParameters: {len(record.parameters)}",
            *(f"   Parameter[{index}]: {value:#x}" for index, value in enumerate(record.parameters)),
        )
        output.data = lambda: {
            "address": schema.hex_text(session.dump, record.address),
            "code": f"{record.code:08x}",
            "reason": crash.reason,
            "flags": f"{record.flags:08x}",
            "parameters": [f"{value:#x}" for value in record.parameters],
        }
        return output


class LastEvent(Verb):
    """Says which event the dump was taken at."""

    names = (".lastevent", "lastevent")

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        crash = session.dump.crash
        if crash is None:
            return lines("no event: the dump was taken of a running program")
        thread = "" if crash.thread is None else f" in thread {crash.thread.index} (id {crash.thread.id})"
        output = lines(f"{crash.reason}{thread}: {crash.explanation}")
        output.data = lambda: {
            "reason": crash.reason,
            "thread": None if crash.thread is None else crash.thread.index,
            "explanation": crash.explanation,
        }
        return output


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
    """Shows the last error of the current thread (`GetLastError`); with `-all`, of all threads."""

    names = ("!gle", "lasterror")
    usage = "[-all]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        if arguments not in {"", "-all"}:
            raise Unanswered(f"{arguments}: no such option; there is -all")
        threads = session.dump.threads if arguments else (session.thread,)
        errors = [(thread, last_error(session.dump, thread)) for thread in threads]
        if all(error is None for _, error in errors):
            raise Unanswered("the dump does not hold it: it is in the thread's TEB, which only Windows has")
        output = Output(data=lambda: {"threads": [{"thread": it.index, "last_error": error} for it, error in errors]})
        for thread, error in errors:
            output.page.line(
                f"thread {thread.index}  " if arguments else "", f"last error: {error or 'not in the dump'}"
            )
        return output


class ProcessFacts(Verb):
    """Shows command line, directory, environment and times of the process."""

    names = ("!peb", "process", "peb", "vertarget")

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        process = process_of(session.dump)
        output = Output(data=lambda: as_json(process))
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
    """Lists the handles that the process had open, if the dump does: handle, type, name, access. With a number, one."""

    names = ("!handle", "handles")
    usage = "[HANDLE]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        handles = session.dump.handles
        if not handles:
            raise Unanswered("the dump has no list of handles; capture with handle data")
        wanted = arguments.split(maxsplit=1)[0] if arguments else ""
        if wanted:
            if not _HEX.fullmatch(wanted):
                raise Unanswered(f"{wanted}: no handle; handles are hexadecimal")
            handles = [it for it in handles if it.handle == int(wanted, 16)]
            if not handles:
                raise Unanswered(f"{wanted}: no such handle in the dump")
        output = Output(data=lambda: {"handles": [_handle(it) for it in handles]})
        output.page.table([handle_row(it) for it in handles], right=frozenset({0}))
        return output


def _handle(of: HandleRecord) -> dict[str, object]:
    return {
        "handle": of.handle,
        "type_name": of.type_name,
        "object_name": of.object_name,
        "granted_access": of.granted_access,
        "handle_count": of.handle_count,
        "pointer_count": of.pointer_count,
    }


class WriteDump(Verb):
    """Writes a dump: not yet, as nothing here writes dumps."""

    names = (".dump",)

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        raise Unanswered(f"{session.dump.path.name} is the dump; copy the file: reduced copies cannot be written yet")


class Files(Verb):
    """Shows where the images and symbols of the current stack were sought. They are looked for when they are needed.

    Places are given when the debugger is started: `--symbols FOLDER`.
    """

    names = (".sympath", ".reload", "sympath")

    def run(self, session: Session, name: str, arguments: str) -> Output:
        """Answers."""
        if arguments and name != ".reload":
            raise Unanswered("places are given when the debugger is started: --symbols FOLDER, as often as needed")
        output = Output()
        for module in dict.fromkeys(frame.module for frame in session.thread.frames if frame.module is not None):
            for title, state in (("image", module.find_image()), ("symbols", module.find_debug_info())):
                output.page.line(f"{module.name}: {title}: {state}")
                for attempt in state.tried if state.absent is not None else ():
                    output.page.line(f"    tried {attempt}")
        output.data = lambda: {"modules": [schema.module(session.dump, it) for it in session.dump.modules]}
        return output
