"""The verb `report`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stillframe import Absent
from stillframe.cli import select
from stillframe.cli.verb import verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe import Crash, Dump, Thread
    from stillframe.cli.page import Page
    from stillframe.cli.verb import Request
    from stillframe.model.crash import CrashOperand

MOST_STATEMENTS = 6
"""Shown of what can be said of a crash."""
MOST_FRAMES_WITH_LOCALS = 64
"""Of a thread; `stillframe locals` shows them all."""


def run(request: Request, which: str | None, with_locals: bool) -> None:
    """Says what happened: what the file is, why the program crashed, its stack, its modules, what is missing.

    With --json, the fields are those of minidump-stackwalk, and all threads are shown unless --threads chooses.
    """
    dump = request.open()
    if request.as_json:
        from stillframe.cli.report_json import report

        report(dump, select.threads(dump, which or "all"), with_locals=with_locals)
        return
    from stillframe.cli.page import Page

    threads = select.threads(dump, which or "crashed")
    page = Page()
    _add_file(page, dump)
    page.blank()
    add_crash(page, dump)
    _add_stacks(page, dump, threads)
    if with_locals:
        _add_locals(page, threads)
    _add_modules(page, dump, threads)
    add_missing(page, dump, threads)
    page.show()


def _add_file(page: Page, dump: Dump) -> None:
    from datetime import UTC, datetime

    from stillframe.analysis import linux
    from stillframe.cli.page import Styled

    kind = {"minidump": "minidump", "elf_core": "ELF core"}[dump.format]
    words = [f": {kind} of {dump.size_bytes:,} bytes"]
    if dump.timestamp is not None:
        words.append(f"written {datetime.fromtimestamp(dump.timestamp, UTC):%Y-%m-%d %H:%M:%S} UTC")
    page.line(Styled(dump.path.name, "bold"), ", ".join(words))
    if dump.command_line is not None:
        page.line(f"command line: {dump.command_line}")
    words = []
    if not isinstance(dump.system, Absent):
        system = dump.system
        words += [f"{system.os} {linux.os_version(dump) or ''}".rstrip(), system.cpu]
    if (process_id := linux.process_id(dump)) is not None:
        words.append(f"process {process_id}")
    words += [_count(len(dump.threads), "thread"), _count(len(dump.modules), "module")]
    page.line(", ".join(words))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _why_no_crash(dump: Dump) -> str:
    if any(stream.name == "Exception" for stream in dump.streams):
        return "the dump's record of the crash cannot be read"
    if not dump.threads:
        return "no crash is recorded, and no thread"
    return "no crash: the dump was taken of a running program"


def add_crash(page: Page, dump: Dump) -> None:
    from stillframe.cli.page import Styled
    from stillframe.cli.stacktext import address_text

    crash = dump.crash
    if crash is None:
        page.line(_why_no_crash(dump))
        return
    at = "" if crash.address is None else f" at {address_text(dump, crash.address)}"
    if crash.reason.startswith("SIG"):
        from stillframe.analysis.signals import Signal

        if Signal(crash.exception.code, crash.exception.flags).sender(crash.address or 0) is not None:
            at = ""  # who sent the signal stands where other signals have an address
    page.line(Styled(crash.reason, "bold red"), at)
    page.line(crash.explanation)
    line = crash.source_line
    if not isinstance(line, Absent) and not isinstance(line.text, Absent):
        page.line(Styled(f"    {str(line).strip()}", "cyan"))
    _add_instruction(page, crash)
    for statement in crash.statements[:MOST_STATEMENTS]:
        page.line(f"- {statement}")
    if len(crash.statements) > MOST_STATEMENTS:
        page.line(Styled(f"- {len(crash.statements) - MOST_STATEMENTS} more with --json", "dim"))
    if crash.thread is None:
        page.line(Styled(f"in thread id {crash.exception.thread_id}, which the dump does not list", "yellow"))


def _add_instruction(page: Page, crash: Crash) -> None:
    """The instruction that faulted, and what its operands were."""
    from stillframe.cli.page import Styled

    instruction = crash.instruction
    was_run = crash.access is None or crash.access.kind != "execute"
    if isinstance(instruction, Absent) or not (crash.account.is_raised_by_instruction and was_run):
        return
    text = f"{instruction.mnemonic} {instruction.operands}".rstrip()
    used = [operand for operand in crash.operands if operand.kind == "memory" or operand.access != "write"]
    operands = "; ".join(_operand(operand) for operand in used)
    page.line(Styled(text, "bold"), f"    where {operands}" if operands else "")


def _operand(operand: CrashOperand) -> str:
    """`[rcx] (*where, loaded from g_null) at 0x0`; `eax (doubled) = 0x6a`."""
    of_memory = operand.text.partition("[")
    text = f"[{of_memory[2]}" if operand.kind == "memory" and of_memory[1] else operand.text
    parts = [text]
    name = operand.name if operand.name is None or operand.name not in operand.text else None
    notes = [name or "", f"loaded from {operand.origin}" if operand.origin else ""]
    if any(notes):
        parts.append(f"({', '.join(note for note in notes if note)})")
    if operand.address is not None:
        parts.append(f"at {operand.address:#x}" if isinstance(operand.address, int) else f"is {operand.address.reason}")
    if isinstance(operand.value, int) and operand.access != "write":
        parts.append(f"= {operand.value:#x}")
    return " ".join(parts)


def _add_stacks(page: Page, dump: Dump, threads: Sequence[Thread]) -> None:
    from stillframe.cli.stacktext import add_thread

    for thread in threads:
        page.blank()
        add_thread(page, dump, thread, abridged=True)


def _add_locals(page: Page, threads: Sequence[Thread]) -> None:
    from stillframe.cli.locals import add_locals

    for thread in threads:
        page.blank()
        add_locals(page, thread, thread.frames[:MOST_FRAMES_WITH_LOCALS])


def _add_modules(page: Page, dump: Dump, threads: Sequence[Thread]) -> None:
    """The modules on the stacks; of the others, how many there are."""
    from stillframe.cli.modules import add_modules

    met = dict.fromkeys(frame.module.index for thread in threads for frame in thread.frames if frame.module)
    others = len(dump.modules) - len(met)
    page.blank()
    add_modules(page, dump, [dump.modules[index] for index in met])
    if others:
        page.line(
            f"{_count(others, 'module')} {'not shown' if met else ''}".rstrip() + "; `stillframe modules` lists all"
        )


def add_missing(page: Page, dump: Dump, threads: Sequence[Thread]) -> None:
    from stillframe.cli.missing import problems_of
    from stillframe.cli.page import Styled
    from stillframe.cli.stacktext import add_lacks

    page.blank()
    add_lacks(page, threads)
    for problem in dump.problems:
        page.line(Styled("damaged: ", "red"), problem)
    for module in dump.modules:
        for problem in problems_of(module.debug_info):
            page.line(Styled("damaged: ", "red"), f"symbols of {module.name}: {problem}")


command = verb(
    run,
    click.Option(["--locals", "with_locals"], is_flag=True, help="Variables of every frame shown."),
    click.Option(["--threads", "which"], metavar="N|all|crashed", help="Whose stacks to show.  [default: crashed]"),
)
