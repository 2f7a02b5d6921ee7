"""The verb `stack`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.cli import select
from stillframe.cli.verb import verb

if TYPE_CHECKING:
    from stillframe.cli.verb import Request


def run(request: Request, which: str) -> None:
    """Shows the stack of the crashed thread, or of others.

    A line a frame: number, address, module and function, file and line. Calls that the compiler inlined are frames of
    their own. How a frame was found is shown unless it was by unwind tables.
    """
    dump = request.open()
    threads = select.threads(dump, which)
    if not threads:
        select.thread(dump, which)  # says why
    if request.as_json:
        from stillframe.cli import schema

        schema.show({"threads": [schema.thread(dump, thread, with_registers=True) for thread in threads]})
        return
    from stillframe.cli.page import Page
    from stillframe.cli.stacktext import add_lacks, add_thread

    page = Page()
    for thread in threads:
        page.blank()
        add_thread(page, dump, thread)
    page.blank()
    add_lacks(page, threads)
    page.show()


command = verb(
    run,
    select.thread_option(),
)
