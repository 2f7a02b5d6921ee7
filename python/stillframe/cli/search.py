"""The verb `search`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stillframe.cli.verb import Unanswered, verb
from stillframe.model.memory import ADDRESS_END, LONGEST_PATTERN_BYTES

if TYPE_CHECKING:
    from stillframe import Dump
    from stillframe.cli.verb import Request

DEFAULT_LIMIT = 100
EVERYWHERE = range(ADDRESS_END - 1)


def run(request: Request, bytes_: str | None, text: str | None, pointer: str | None, limit: int) -> None:
    """Searches memory for bytes, a text or a pointer: what the dump holds, and the images of its modules.

    A text is sought in UTF-8 and in UTF-16. A pointer is an address, a symbol or `module+offset`, sought where pointers
    are: at multiples of its size.
    """
    if sum(each is not None for each in (bytes_, text, pointer)) != 1:
        raise click.UsageError("Give one of --bytes, --text, --pointer.")
    dump = request.open()
    size = dump.pointer_size_bytes
    if bytes_ is not None:
        found = search_bytes(dump, parse_bytes(bytes_), limit)
    elif text is not None:
        found = search_text(dump, text, limit)
    else:
        found = search_bytes(dump, dump.address_of(pointer or "").to_bytes(size, "little"), limit, size)
    if not found:
        raise Unanswered("nowhere in the memory at hand")
    if request.as_json:
        from stillframe.cli import schema

        matches = [as_json(dump, at) for at in found]
        schema.show({"matches": matches, "is_cut": len(found) >= limit})
        return
    from stillframe.cli.page import Page, Styled
    from stillframe.cli.stacktext import address_text

    page = Page()
    for at in found:
        page.line(Styled(address_text(dump, at), "bold"), f"  {place(dump, at)}")
    if len(found) >= limit:
        page.line(Styled(f"the first {limit:,}; --limit shows more", "dim"))
    page.show()


def parse_bytes(text: str) -> bytes:
    """Hexadecimal digits, with spaces where one likes. :raises Unanswered: if they are none."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        raise Unanswered(f"{text}: no bytes; write them as c7 45 f8") from None
    return data


def search_bytes(dump: Dump, pattern: bytes, limit: int, alignment: int = 1, *, where: range = EVERYWHERE) -> list[int]:
    """Addresses of `pattern`. :raises Unanswered: if it has no bytes, or too many."""
    if not 0 < len(pattern) <= LONGEST_PATTERN_BYTES:
        raise Unanswered(f"{len(pattern):,} bytes: between 1 and {LONGEST_PATTERN_BYTES:,} can be sought")
    return dump.memory.search(pattern, start=where.start, end=where.stop, alignment=alignment, limit=limit)


def search_text(dump: Dump, text: str, limit: int, *, where: range = EVERYWHERE) -> list[int]:
    """Addresses of `text` in UTF-8 or UTF-16, in order. :raises Unanswered:"""
    patterns = dict.fromkeys(text.encode(encoding, "surrogatepass") for encoding in ("utf-8", "utf-16-le"))
    found = {at for pattern in patterns for at in search_bytes(dump, pattern, limit, where=where)}
    return sorted(found)[:limit]


def as_json(dump: Dump, address: int) -> dict[str, object]:
    """A match, as docs/json.md has it."""
    from stillframe.cli import schema

    return {"address": schema.hex_text(dump, address), "symbol": place(dump, address) or None}


def place(dump: Dump, address: int) -> str:
    """What lies there: a module's symbol, a thread's stack; empty if nobody knows."""
    if dump.modules.at(address) is not None:
        return str(dump.symbolize(address))
    for thread in dump.threads:
        if thread.stack_start <= address < thread.stack_start + thread.stack_size_bytes:
            return f"stack of thread {thread.index}"
    return ""


command = verb(
    run,
    click.Option(["--bytes", "bytes_"], metavar="HEX", help="Bytes, such as `c7 45 f8`."),
    click.Option(["--text"], metavar="TEXT", help="A text, in UTF-8 and UTF-16."),
    click.Option(["--pointer"], metavar="ADDRESS", help="A pointer to an address, a symbol or `module+offset`."),
    click.Option(
        ["--limit"],
        type=click.IntRange(1, 1 << 20),
        default=DEFAULT_LIMIT,
        show_default=True,
        metavar="N",
        help="How many addresses at most.",
    ),
)
