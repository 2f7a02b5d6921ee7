"""The verb `streams`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from stillframe.cli.verb import Unanswered, verb

if TYPE_CHECKING:
    from stillframe._engine import Stream
    from stillframe.cli.page import Part
    from stillframe.cli.verb import Request


def run(request: Request, raw: int | None) -> None:
    """Lists the streams of the file, known or not, and what is broken in them."""
    dump = request.open()
    if raw is not None:
        if not 0 <= raw < len(dump.streams):
            raise Unanswered(f"no stream {raw}: the dump has {len(dump.streams)}, counted from 0")
        sys.stdout.flush()
        sys.stdout.buffer.write(dump.stream_bytes(raw))
        sys.stdout.buffer.flush()
        return
    problems = dump.problems  # reads every stream, so that `problem` is known of each
    if request.as_json:
        from stillframe.cli import schema

        schema.show({"problems": problems, "streams": [schema.stream(stream) for stream in dump.streams]})
        return
    from stillframe.cli.page import Page, Styled

    page = Page()
    page.table([_row(stream) for stream in dump.streams], right=frozenset({0, 3, 4}))
    for problem in problems:
        page.line(Styled(problem, "yellow"))
    page.show()


def _row(stream: Stream) -> list[Part]:
    from stillframe.cli.page import Styled

    return [
        f"{stream.index}",
        f"0x{stream.type:08X}",
        Styled(stream.name, "bold"),
        f"at {stream.offset:#x}",
        f"{stream.size_bytes:,} bytes",
        Styled("broken" if stream.problem else "", "yellow"),
    ]


command = verb(
    run,
    click.Option(
        ["--raw"], type=int, metavar="N", help="Write the bytes of stream N to standard output, nothing else."
    ),
)
