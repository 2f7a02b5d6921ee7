"""The verb `disasm`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stillframe.cli import select
from stillframe.cli.verb import Unanswered, verb

if TYPE_CHECKING:
    from stillframe import Dump, Frame, Listing
    from stillframe.cli.verb import Request


def run(request: Request, target: str | None, which: str | None, frame_number: int | None, count: int | None) -> None:
    """Shows instructions from TARGET on, woven with the lines of source that they were made of.

    TARGET is an address, a symbol or `module+offset`; instead of it, --thread and --frame name a frame, which is shown
    from its call on. Without --count, a function is shown to its end.
    """
    if target is not None and (which is not None or frame_number is not None):
        raise click.UsageError("Give a target, or a thread and frame, not both.")
    if target is None and which is None and frame_number is None:
        raise click.UsageError("Give an address, a symbol, or --thread and --frame.")
    dump = request.open()
    if target is None:
        start: int | Frame = select.frame(select.thread(dump, which or "crashed"), frame_number or 0)
    else:
        start = dump.address_of(target)
    listing = dump.disassemble(start, count=count)
    if request.as_json:
        from stillframe.cli import schema

        schema.show(schema.listing(dump, listing))
    else:
        _show(listing)
    _report_gap(dump, listing)


def _show(listing: Listing) -> None:
    from stillframe.cli.page import Page, Styled
    from stillframe.model.location import SourceLine

    page = Page()
    for line in listing:
        page.line(Styled(str(line), "cyan") if isinstance(line, SourceLine) else str(line))
    page.show()


def _report_gap(dump: Dump, listing: Listing) -> None:
    """:raises Unanswered: if the listing ends early."""
    if listing.absent is not None:
        first_absent = listing.end + len(dump.memory.read_partial(listing.end, 15).data)
        raise Unanswered(f"{first_absent:#x} {listing.absent}")
    if not listing.instructions:
        raise Unanswered(f"no instruction at {listing.end:#x}")


command = verb(
    run,
    click.Argument(["target"], required=False),
    click.Option(["--thread", "which"], metavar="N|crashed", help="Start at a frame of this thread."),
    select.frame_option("Start at this frame, as `stack` numbers them."),
    click.Option(["--count"], type=click.IntRange(1, 1_000_000), metavar="N", help="How many instructions."),
)
