"""The verb `memory`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stillframe.cli.verb import Unanswered, verb
from stillframe.model.memory import ByteSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe import Dump
    from stillframe.cli.page import Part
    from stillframe.cli.verb import Request
    from stillframe.model.memory import Span

ONE_ROW_BYTES = 32
"""Up to this many bytes stand in one row, alone; more stand in rows with their characters beside them."""
ROW_BYTES = 16
LARGEST_BYTES = 64 << 20


class Size(click.ParamType[int]):
    """A number of bytes, decimal or with `0x`."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            size = int(str(value), 16 if str(value).lower().startswith("0x") else 10)
        except ValueError:
            self.fail(f"{value!r} is no number of bytes.", param, ctx)
        if not 0 < size <= LARGEST_BYTES:
            self.fail(f"{value} is not between 1 and {LARGEST_BYTES:,} bytes.", param, ctx)
        return size


def run(request: Request, address: str, size: int, provenance: bool) -> None:
    """Shows SIZE bytes from ADDRESS on.

    ADDRESS is a number, a symbol or `module+offset`. What the dump left out comes from proved images; bytes that nobody
    has are `??`, and the exit code is then 1.
    """
    dump = request.open()
    start = dump.address_of(address)
    if start + size > 1 << 64:
        raise Unanswered(f"{size} bytes at {start:#x} go past the last address")
    spans = dump.memory.provenance(start, size)
    absent = [span for span in spans if span.absent is not None]
    absent_bytes = sum(span.size_bytes for span in absent)
    if request.as_json:
        from stillframe.cli import schema

        schema.show(schema.memory(dump, start, size, spans))
    elif absent_bytes < size or provenance:
        _show(dump, start, spans, with_provenance=provenance)
    if absent:
        share = "none" if absent_bytes == size else f"only {size - absent_bytes:,}"
        raise Unanswered(f"{share} of {size:,} bytes known: {absent[0].address:#x} {absent[0].absent}")


def _show(dump: Dump, start: int, spans: list[Span], *, with_provenance: bool) -> None:
    from stillframe.cli.page import Page
    from stillframe.cli.stacktext import address_text

    page = Page()
    known = [byte for span in spans for byte in _bytes(dump, span)]
    if len(known) <= ONE_ROW_BYTES:
        page.line(f"{address_text(dump, start)}  {_hex(known)}")
    else:
        for row in range(0, len(known), ROW_BYTES):
            part = known[row : row + ROW_BYTES]
            hex_width = 3 * ROW_BYTES - 1
            page.line(f"{address_text(dump, start + row)}  {_hex(part):<{hex_width}}  {_characters(part)}")
    if with_provenance:
        page.table([_row(dump, span) for span in spans], right=frozenset({1}))
        for line in _proofs(spans):
            page.line(line)
    page.show()


def _bytes(dump: Dump, span: Span) -> Iterator[int | None]:
    if span.absent is not None:
        return iter([None] * span.size_bytes)
    return iter(dump.memory.read(span.address, span.size_bytes))


def _hex(data: list[int | None]) -> str:
    return " ".join("??" if byte is None else f"{byte:02x}" for byte in data)


def _characters(data: list[int | None]) -> str:
    return "".join("?" if byte is None else chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)


def _row(dump: Dump, span: Span) -> list[Part]:
    from stillframe.cli.page import Styled
    from stillframe.cli.stacktext import address_text

    if span.absent is not None:
        where = f"{span.absent}"
    elif span.source is ByteSource.DUMP:
        where = f"at {span.offset:#x} of the file"
    else:
        where = f"{span.module.name if span.module else '?'}+{span.offset or 0:#x} ({span.section})"
    unit = "byte " if span.size_bytes == 1 else "bytes"
    source = Styled(str(span.source), "green" if span.absent is None else "yellow")
    return [address_text(dump, span.address), f"{span.size_bytes} {unit}", source, where]


def _proofs(spans: list[Span]) -> Iterator[str]:
    """A sentence for each image that answered: the file, and why it is taken for the module's."""
    answered: dict[int, int] = {}
    for span in spans:
        if span.module is not None and span.absent is None and span.source is not ByteSource.DUMP:
            answered[span.module.index] = answered.get(span.module.index, 0) + span.size_bytes
    modules = {span.module.index: span.module for span in spans if span.module is not None}
    for index, size_bytes in answered.items():
        module = modules[index]
        yield f"{size_bytes:,} {'byte' if size_bytes == 1 else 'bytes'} from {module.name}: {module.image}"


command = verb(
    run,
    click.Argument(["address"]),
    click.Argument(["size"], type=Size()),
    click.Option(["--provenance"], is_flag=True, help="Where the bytes come from, and what proves it."),
)
