"""Verbs of memory: bytes, words, texts, pointers, regions."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from stillframe.analysis.address_map import AddressMap
from stillframe.cli import regions, schema, search
from stillframe.cli.page import Styled
from stillframe.cli.stacktext import address_text
from stillframe.cli.verb import Unanswered
from stillframe.model.memory import ADDRESS_END
from stillframe.repl.verb import Output, Verb

if TYPE_CHECKING:
    from stillframe.cli.page import Part
    from stillframe.repl.session import Session

ROW_BYTES = 16
DEFAULT_BYTES = 128
LARGEST_BYTES = 1 << 20
LONGEST_TEXT_BYTES = 4096
MOST_FOUND = 1000
_LENGTH = re.compile(r"[lL]\??(?:0x)?([0-9a-fA-F]{1,16})")
"""`L10`: 16 units, as all lengths are hexadecimal."""
_RANGE = re.compile(r"(\S+)\s+[lL]\??(?:0x)?([0-9a-fA-F]{1,16})\s+")
"""`rsp L1000 `, before what is sought."""
WIDTHS_BYTES = {"db": 1, "dw": 2, "dd": 4, "dq": 8, "df": 4, "dD": 8}
FLOATS = frozenset({"df", "dD"})
FLOAT_WIDTH = 22


def span(session: Session, text: str, unit_bytes: int, default_count: int) -> tuple[int, int]:
    """The start and the count of units of `ADDRESS`, `ADDRESS Lcount` or `ADDRESS END`. :raises Unanswered:"""
    words = text.split()
    if words and _LENGTH.fullmatch(words[0]):
        words.insert(0, "")  # from where the last one ended
    start = session.address(words[0]) if words and words[0] else session.next_address
    if start is None:
        raise Unanswered("say where: an address, a symbol or an expression")
    count = default_count
    if len(words) > 1:
        last = words[1]
        if (length := _LENGTH.fullmatch(last)) is not None:
            count = int(length[1], 16)
        else:
            count = (session.address(last) - start) // unit_bytes + 1
    if not 0 < count * unit_bytes <= LARGEST_BYTES or start + count * unit_bytes > ADDRESS_END:
        raise Unanswered(f"{count:,} units: no length, or more than {LARGEST_BYTES:,} bytes")
    return start, count


class Display(Verb):
    """Shows memory as bytes (`db`), words (`dw`), double words (`dd`), quad words (`dq`), floating point (`df`, `dD`).

    `ADDRESS Lcount` says how many, in hexadecimal; `ADDRESS END` shows up to an address. What nobody has is `??`.
    Without an address, goes on where the last one ended. `/c4` shows four in a row.
    """

    names = ("db", "dw", "dd", "dq", "dp", "df", "dD", "memory", "x/x")
    usage = "[/cCOLUMNS] [ADDRESS [Lcount|END]]"

    def run(self, session: Session, name: str, arguments: str) -> Output:
        """Answers."""
        width = WIDTHS_BYTES.get(name, session.dump.pointer_size_bytes if name == "dp" else 1)
        columns, arguments = _columns(arguments)
        row_bytes = min(columns, LARGEST_BYTES) * width if columns else ROW_BYTES
        start, count = span(session, arguments, width, DEFAULT_BYTES // width)
        size = count * width
        session.next_address = start + size
        known = known_bytes(session, start, size)
        spans = session.dump.memory.provenance(start, size)
        output = Output(data=lambda: schema.memory(session.dump, start, size, spans))
        shown = _number if name in FLOATS else _unit
        for row in range(0, size, row_bytes):
            part = known[row : row + row_bytes]
            units = [shown(part[at : at + width]) for at in range(0, len(part), width)]
            text = " ".join(units)
            characters = f"  {_characters(part)}" if width == 1 else ""
            padding = " " * (3 * row_bytes - 1 - len(text)) if characters else ""
            output.page.line(Styled(address_text(session.dump, start + row), "dim"), f"  {text}{padding}{characters}")
        return output


def known_bytes(session: Session, start: int, size: int) -> list[int | None]:
    """Bytes, None for each that is absent."""
    known: list[int | None] = []
    for part in session.dump.memory.provenance(start, size):
        if part.absent is not None:
            known += [None] * part.size_bytes
        else:
            known += session.dump.memory.read(part.address, part.size_bytes)
    return known


def _unit(data: list[int | None]) -> str:
    return "".join("??" if byte is None else f"{byte:02x}" for byte in reversed(data))


def _number(data: list[int | None]) -> str:
    """A number of floating point, as wide as all of them."""
    known = bytes(byte for byte in data if byte is not None)
    if len(known) < len(data):
        return f"{'?':>{FLOAT_WIDTH}}"
    (number,) = struct.unpack("<f" if len(known) == 4 else "<d", known)
    return f"{number:>{FLOAT_WIDTH}.{6 if len(known) == 4 else 15}g}"


def _columns(arguments: str) -> tuple[int, str]:
    """How many units in a row, 0 if that is not said, and the other arguments."""
    match = re.match(r"/c\s*(\d{1,4})(?:\s+|$)", arguments)
    return (0, arguments) if match is None else (int(match[1]), arguments[match.end() :])


def _characters(data: list[int | None]) -> str:
    return "".join("?" if byte is None else chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)


class Text(Verb):
    """Shows text up to its end: `da` of bytes (UTF-8), `du` of 16-bit units; with `Lcount`, at most so many units.

    Without an address, goes on behind the last one's end.
    """

    names = ("da", "du")
    usage = "[ADDRESS [Lcount]]"

    def run(self, session: Session, name: str, arguments: str) -> Output:
        """Answers."""
        width = 2 if name == "du" else 1
        start, count = span(session, arguments, width, LONGEST_TEXT_BYTES // width)
        data = session.dump.memory.read_partial(start, min(count * width, LONGEST_TEXT_BYTES)).data
        if len(data) < width:
            session.dump.memory.read(start, width)  # says why
        ends = (at for at in range(0, len(data) - width + 1, width) if not any(data[at : at + width]))
        end = next(ends, len(data) - len(data) % width)
        text = data[:end].decode("utf-16-le" if width == 2 else "utf-8", "replace")
        session.next_address = start + end + (width if end < len(data) else 0)
        output = Output(data=lambda: {"address": schema.hex_text(session.dump, start), "text": text})
        output.page.line(Styled(address_text(session.dump, start), "dim"), f'  "{text}"')
        return output


class Pointers(Verb):
    """Shows words of memory with the symbols that they point to: what is left of calls on a stack, a vtable."""

    names = ("dps", "dds", "dqs", "pointers")
    usage = "[ADDRESS [Lcount|END]]"

    def run(self, session: Session, name: str, arguments: str) -> Output:
        """Answers."""
        dump = session.dump
        width = {"dds": 4, "dqs": 8}.get(name, dump.pointer_size_bytes)
        start, count = span(session, arguments, width, ROW_BYTES)
        session.next_address = start + count * width
        rows: list[tuple[int, int | None, str]] = []
        for at in range(start, start + count * width, width):
            data = dump.memory.read_partial(at, width).data
            value = int.from_bytes(data, "little") if len(data) == width else None
            found = dump.symbolize(value) if value else None
            rows.append((at, value, str(found) if found is not None and found.module is not None else ""))
        output = Output(
            data=lambda: {
                "words": [
                    {
                        "address": schema.hex_text(dump, at),
                        "value": None if value is None else schema.hex_text(dump, value),
                        "symbol": symbol or None,
                    }
                    for at, value, symbol in rows
                ]
            }
        )
        for at, value, symbol in rows:
            word = "?" * (2 * width) if value is None else f"{value:0{2 * width}x}"
            output.page.line(Styled(address_text(dump, at), "dim"), f"  {word}  ", Styled(symbol, "bold"))
        return output


class Search(Verb):
    """Searches memory: `s -b c7 45 f8` for bytes, `s -a text` and `s -u text` for a text, `s -p ADDRESS` for a pointer.

    `-d` and `-q` seek numbers of 4 and 8 bytes. Without a kind, a text is sought in UTF-8 and UTF-16. Looks through
    what the dump holds and the images of its modules, or from an address on as far as a length says:
    `s -a @rsp L1000 text`. A text may stand in quotes.
    """

    names = ("s", "search", "find")
    usage = "[-a|-u|-b|-d|-q|-p] [ADDRESS Llength] WHAT"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        kind, what = (arguments[:2], arguments[2:].strip()) if arguments[:1] == "-" else ("", arguments)
        dump, where = session.dump, search.EVERYWHERE
        if (ranged := _RANGE.match(what)) is not None:
            start = session.address(ranged[1])
            where, what = range(start, min(start + int(ranged[2], 16), search.EVERYWHERE.stop)), what[ranged.end() :]
        if len(what) > 2 and what[0] == what[-1] == '"':
            what = what[1:-1]
        if not what:
            raise Unanswered("say what to search for")
        found = self._found(session, kind, what, where)
        if not found:
            raise Unanswered("nowhere in the memory at hand")
        is_cut = len(found) >= MOST_FOUND
        output = Output(data=lambda: {"matches": [search.as_json(dump, at) for at in found], "is_cut": is_cut})
        for at in found:
            output.page.line(Styled(address_text(dump, at), "bold"), f"  {search.place(dump, at)}")
        if is_cut:
            output.page.line(Styled(f"the first {MOST_FOUND:,}", "dim"))
        return output

    def _found(self, session: Session, kind: str, what: str, where: range) -> list[int]:
        dump = session.dump
        match kind:
            case "-b":
                return search.search_bytes(dump, search.parse_bytes(what), MOST_FOUND, where=where)
            case "-a" | "-u":
                encoded = what.encode("utf-8" if kind == "-a" else "utf-16-le", "surrogatepass")
                return search.search_bytes(dump, encoded, MOST_FOUND, where=where)
            case "-p" | "-q" | "-d":
                width = {"-q": 8, "-d": 4}.get(kind, dump.pointer_size_bytes)
                number = session.address(what) & ((1 << 8 * width) - 1)
                return search.search_bytes(dump, number.to_bytes(width, "little"), MOST_FOUND, width, where=where)
            case "":
                return search.search_text(dump, what, MOST_FOUND, where=where)
            case _:
                raise Unanswered(f"{kind}: -a, -u, -b, -d, -q or -p")


class Address(Verb):
    """Says what an address belongs to: module, stack, region with its protection; without one, lists the regions.

    `-summary` counts the regions by state, kind and protection.
    """

    names = ("!address", "address", "region")
    usage = "[ADDRESS | -summary]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        dump = session.dump
        if arguments in {"", "-summary", "-summary -v"}:
            if not dump.regions:
                raise Unanswered("the dump does not list the regions of its address space")
            return self._regions(session) if not arguments else self._summary(session)
        output = Output()
        address = session.address(arguments)
        known = AddressMap(dump)
        facts = [address_text(dump, address)]
        if (module := dump.modules.at(address)) is not None:
            facts.append(f"in module {module.name}+{address - module.base:#x}: {dump.symbolize(address)}")
        for stack in known.stacks:
            if stack.low <= address < stack.high:
                facts.append(f"in the stack of thread {stack.thread.index}")
        if (region := known.region_at(address)) is not None:
            words = f"{regions.state(region)}, {regions.protection(region)}"
            facts.append(f"region {region.base:#x}, {region.size_bytes:,} bytes, {words}")
        facts += [f"in unloaded module {it.name}" for it in known.unloaded_at(address)]
        (part, *_) = dump.memory.provenance(address, 1)
        facts.append(f"its byte: {part.absent or part.source}")
        output.data = lambda: {"address": facts[0], "facts": facts[1:]}
        for fact in facts:
            output.page.line(fact)
        return output

    def _regions(self, session: Session) -> Output:
        dump = session.dump
        output = Output(data=lambda: {"regions": [regions.as_json(dump, each) for each in dump.regions]})
        output.page.table([regions.row(dump, each) for each in dump.regions], right=frozenset({5}))
        return output

    def _summary(self, session: Session) -> Output:
        """How many regions, how large, how much of them the dump holds; the largest kinds first."""
        dump = session.dump
        sums: dict[tuple[str, str, str], list[int]] = {}
        for each in dump.regions:
            kind = (regions.state(each), regions.kind(each), regions.protection(each))
            known = sums.setdefault(kind, [0, 0, 0])
            held = dump.memory.held_bytes(each.base, each.size_bytes)
            for index, number in enumerate((1, each.size_bytes, held)):
                known[index] += number
        ordered = sorted(sums.items(), key=lambda it: (-it[1][1], it[0]))
        fields = ("state", "type", "protection", "regions", "size", "held_bytes")
        output = Output(
            data=lambda: {"summary": [dict(zip(fields, (*kind, *known), strict=True)) for kind, known in ordered]}
        )
        rows: list[list[Part]] = [["state", "kind", "access", "regions", "bytes", "in the dump"]]
        rows += [[*kind, *(f"{number:,}" for number in known)] for kind, known in ordered]
        output.page.table(rows, right=frozenset({3, 4, 5}))
        return output
