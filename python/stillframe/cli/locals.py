"""The verb `locals`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe import Absent
from stillframe.cli import select
from stillframe.cli.verb import tell_problems, verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe import Frame, Thread
    from stillframe.cli.page import Page, Part
    from stillframe.cli.verb import Request
    from stillframe.model.variables import Variable

DEFAULT_DEPTH = 2
LINE_LENGTH = 200
"""Characters of a value."""


def run(request: Request, which: str, frame_number: int | None, depth: int) -> None:
    """Shows the variables of every frame of the crashed thread, or of others: type, name, value, and where it is.

    What cannot be had is shown with the reason in place of the value: optimized away, not saved in the dump.
    """
    dump = request.open()
    if frame_number is not None:
        thread = select.thread(dump, which)
        chosen = [(thread, [select.frame(thread, frame_number)])]
    else:
        threads = select.threads(dump, which)
        if not threads:
            select.thread(dump, which)  # says why
        chosen = [(thread, list(thread.frames)) for thread in threads]
    if request.as_json:
        from stillframe.cli import schema, value_json

        schema.show({"threads": [value_json.thread_locals(dump, *each, depth=depth) for each in chosen]})
        tell_problems(dump)
        return
    from stillframe.cli.page import Page
    from stillframe.cli.stacktext import add_lacks

    page = Page()
    for thread, frames in chosen:
        page.blank()
        add_locals(page, thread, frames, depth=depth)
    if frame_number is None:
        page.blank()
        add_lacks(page, [thread for thread, _ in chosen])
    page.show()
    tell_problems(dump)


def add_locals(page: Page, thread: Thread, frames: Sequence[Frame], *, depth: int = DEFAULT_DEPTH) -> None:
    """The thread's heading, and below each of `frames` its variables, a line each."""
    from stillframe.cli.page import Styled
    from stillframe.cli.stacktext import frame_name, location_text, thread_title

    page.line(Styled(thread_title(thread), "bold"))
    if isinstance(thread.registers, Absent):
        page.line("no stack: ", Styled(str(thread.registers.reason), "yellow"))
        return
    for frame in frames:
        style = "bold" if frame.name_kind == "function" else ""
        inlined = "  [inlined]" if frame.is_inlined else ""
        location = location_text(frame)
        heading = Styled(f"  {location}" if location else "", "cyan")
        page.line(Styled(f"#{frame.index}  ", "dim"), Styled(frame_name(frame), style), heading, inlined)
        if frame.variables:
            page.table([_row(variable, depth) for variable in frame.variables], indent="    ")


def _row(variable: Variable, depth: int) -> list[Part]:
    from stillframe.cli.page import Styled

    value = variable.value
    type_name = "" if variable.type is None else variable.type.name
    place = "" if isinstance(variable.place, Absent) else variable.place
    name = variable.name or "<unnamed>"
    if isinstance(value, Absent):
        shown: Part = Styled(f"<{value.reason}>", "yellow")
    else:
        text = value.format(depth=depth, length=LINE_LENGTH)
        shown = Styled(text, "yellow") if value.absent is not None else text
    return [Styled(type_name, "dim"), Styled(name, "bold"), shown, Styled(place, "dim")]


command = verb(
    run,
    select.thread_option(),
    select.frame_option("This frame alone, as `stack` numbers them."),
    select.depth_option(DEFAULT_DEPTH),
)
