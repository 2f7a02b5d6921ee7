"""The verb `registers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stillframe.cli import select
from stillframe.cli.verb import verb

if TYPE_CHECKING:
    from stillframe._engine import Registers
    from stillframe.cli.page import Part
    from stillframe.cli.verb import Request

COLUMNS = 4


def run(request: Request, which: str, frame_number: int, vectors: bool) -> None:
    """Shows the registers of a frame.

    A register that the calls further in did not save is not known in a caller: it is shown as `?`, never as a zero.
    """
    dump = request.open()
    thread = select.thread(dump, which)
    frame = select.frame(thread, frame_number)
    if request.as_json:
        from stillframe.cli import schema

        schema.show(schema.registers_of(dump, thread, frame))
        return
    from stillframe.cli.page import Page, Styled
    from stillframe.cli.stacktext import frame_name

    page = Page()
    page.line(Styled(f"thread {thread.index}  #{frame.index}  {frame_name(frame)}", "bold"))
    cells = [cell for name in frame.registers.names for cell in _cells(frame.registers, name, dump.pointer_size_bytes)]
    per_row = 2 * COLUMNS
    cells += [""] * (-len(cells) % per_row)
    names = frozenset(range(0, per_row, 2))
    page.table([cells[start : start + per_row] for start in range(0, len(cells), per_row)], right=names)
    if vectors:
        page.table([[name, f"{value:032X}"] for name, value in frame.registers.known_vectors().items()])
    page.show()


def _cells(registers: Registers, name: str, pointer_size_bytes: int) -> tuple[Part, Part]:
    value = registers.get(name)
    digits = 2 * pointer_size_bytes
    return name, "?" * digits if value is None else f"{value:0{digits}X}"


command = verb(
    run,
    select.thread_option(may_be_all=False),
    select.frame_option("As `stack` numbers them.", default=0),
    click.Option(["--vectors"], is_flag=True, help="Known vector registers too."),
)
