"""The verb `threads`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.cli.verb import verb

if TYPE_CHECKING:
    from stillframe import Dump, Thread
    from stillframe.cli.page import Part
    from stillframe.cli.verb import Request


def run(request: Request) -> None:
    """Lists the threads: index, id, name, and where each one is."""
    dump = request.open()
    if request.as_json:
        from stillframe.cli import schema

        schema.show({"threads": [schema.thread_summary(dump, thread) for thread in dump.threads]})
        return
    from stillframe.cli.page import Page

    page = Page()
    page.table([_row(dump, thread) for thread in dump.threads], right=frozenset({1, 2}))
    page.show()


def _row(dump: Dump, thread: Thread) -> list[Part]:
    from stillframe.cli.page import Styled
    from stillframe.cli.stacktext import address_text, frame_name, location_text

    innermost = thread.frames[0] if thread.frames else None
    return [
        Styled("*" if thread.is_crashed else "", "red"),
        f"{thread.index}",
        f"id {thread.id}",
        f'"{thread.name}"' if thread.name else "",
        address_text(dump, innermost.instruction) if innermost else "",
        frame_name(innermost) if innermost else Styled(str(thread.stop), "yellow"),
        Styled(location_text(innermost), "cyan") if innermost else "",
        Styled("crashed" if thread.is_crashed else "", "red"),
    ]


command = verb(run)
