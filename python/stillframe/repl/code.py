"""Verbs of code, registers, symbols and modules."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from stillframe import Absent
from stillframe.cli import schema
from stillframe.cli.modules import add_modules, describe
from stillframe.cli.page import Styled
from stillframe.cli.stacktext import address_text
from stillframe.cli.verb import Unanswered
from stillframe.errors import StillframeError
from stillframe.model.location import SourceLine
from stillframe.model.names import stem
from stillframe.repl.memory import span
from stillframe.repl.verb import Output, Verb

if TYPE_CHECKING:
    from stillframe import Listing, Module
    from stillframe.model.symbol import Symbol
    from stillframe.repl.session import Session

DEFAULT_INSTRUCTIONS = 8
MOST_SYMBOLS = 1000
COLUMNS = 4


class Disassemble(Verb):
    """Shows instructions with source: `u` from an address on, `ub` before it, `uf` the whole function.

    Without an address: where the current frame is, or where the last one ended. `Lcount` says how many.
    """

    names = ("u", "uf", "ub", "disasm", "disassemble")
    usage = "[ADDRESS [Lcount]]"

    def run(self, session: Session, name: str, arguments: str) -> Output:
        """Answers."""
        if not arguments and name != "u":
            session.next_address = session.frame.instruction
        start, count = span(session, arguments, 1, DEFAULT_INSTRUCTIONS)
        if name == "uf":
            function = session.dump.symbolize(start).function
            if isinstance(function, Absent):
                raise Unanswered(f"{start:#x}: {function}")
            return _listing(session, session.dump.disassemble(function.address))
        if name == "ub":
            return self._before(session, start, count)
        listing = session.dump.disassemble(start, count=count)
        session.next_address = listing.end
        return _listing(session, listing)

    def _before(self, session: Session, end: int, count: int) -> Output:
        """Code cannot be decoded backwards: from the start of its function on, the last ones before `end`."""
        function = session.dump.symbolize(end - 1).function
        if isinstance(function, Absent):
            raise Unanswered(f"{end:#x}: {function}")
        all_of_it = session.dump.disassemble(function.address).instructions
        before = [each for each in all_of_it if each.address < end][-count:]
        if not before:
            raise Unanswered(f"{end:#x} is where its function begins")
        return _listing(session, session.dump.disassemble(before[0].address, count=len(before)))


def _listing(session: Session, listing: Listing) -> Output:
    output = Output(data=lambda: schema.listing(session.dump, listing))
    for line in listing:
        output.page.line(Styled(str(line), "cyan") if isinstance(line, SourceLine) else str(line))
    if listing.absent is not None:
        output.page.line(Styled(f"{listing.end:#x} {listing.absent}", "yellow"))
    return output


class Registers(Verb):
    """Shows the registers of the current frame and its instruction, or registers that are named, parts of them too.

    `r eax,xmm0,al`. What the calls further in did not save is not known in a caller: it is shown as `?`.
    """

    names = ("r", "registers", "regs")
    usage = "[NAME…]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        if "=" in arguments:
            raise Unanswered("a dump's registers cannot be changed")
        frame, wanted = session.frame, re.findall(r"\w+", arguments.lower())
        if wanted:
            return self._named(session, wanted)
        output = Output(data=lambda: schema.registers_of(session.dump, session.thread, frame))
        known = {each: frame.registers.get(each) for each in frame.registers.names}
        self._add(output, {each: _digits(value, session.dump.pointer_size_bytes) for each, value in known.items()})
        listing = session.dump.disassemble(frame.instruction, count=1)
        output.page.line(Styled(str(session.dump.symbolize(frame.instruction)), "bold"))
        output.page.extend(_listing(session, listing).page)
        return output

    def _named(self, session: Session, wanted: list[str]) -> Output:
        frame, values = session.frame, dict[str, str]()
        for each in wanted:
            found = session.scope.pseudo(each)
            if found is None:
                raise Unanswered(f"{each}: no register of this processor")
            if isinstance(found, Absent):
                values[each] = _digits(None, session.dump.pointer_size_bytes)
                continue
            data = found.data_()
            values[each] = _digits(int.from_bytes(data, "little"), len(data))
        output = Output(data=lambda: {"thread": session.thread.index, "frame": frame.index, "registers": values})
        self._add(output, values)
        return output

    def _add(self, output: Output, values: dict[str, str]) -> None:
        cells = [cell for pair in values.items() for cell in pair]
        row = 2 * min(COLUMNS, len(values))
        cells += [""] * (-len(cells) % row)
        output.page.table([cells[at : at + row] for at in range(0, len(cells), row)], right=frozenset(range(0, row, 2)))


def _digits(value: int | None, size_bytes: int) -> str:
    return "?" * 2 * size_bytes if value is None else f"{value:0{2 * size_bytes}x}"


class Nearest(Verb):
    """Names an address: its symbol and offset, file and line."""

    names = ("ln", "symbol")
    usage = "ADDRESS"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        address = session.address(arguments) if arguments else session.frame.instruction
        found = session.dump.symbolize(address)
        location = "" if isinstance(found.location, Absent) else str(found.location)
        where = f"  {location}" if location else ""
        output = Output(
            data=lambda: {
                "address": schema.hex_text(session.dump, address),
                "symbol": str(found),
                "location": location or None,
            }
        )
        output.page.line(Styled(address_text(session.dump, address), "dim"), "  ", Styled(str(found), "bold"), where)
        return output


class ExamineSymbols(Verb):
    """Lists symbols whose name matches `module!pattern`, with `*` and `?`; without a module, of all modules."""

    names = ("x", "symbols")
    usage = "[MODULE!]PATTERN"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        module_name, _, pattern = arguments.rpartition("!")
        if not pattern:
            raise Unanswered("say which symbols: x app!work*")
        modules = modules_named(session, module_name or "*")
        found: list[Symbol] = []
        for module in modules:
            try:
                found += module.symbols.search(pattern, MOST_SYMBOLS - len(found))
            except StillframeError:
                if len(modules) == 1:
                    raise
            if len(found) >= MOST_SYMBOLS:
                break
        found = list({(it.address, it.name): it for it in found}.values())
        if not found:
            raise Unanswered(f"{arguments}: no symbol matches in the debug information at hand")
        output = Output(
            data=lambda: {
                "symbols": [
                    {"address": schema.hex_text(session.dump, it.address), "module": it.module.name, "name": it.name}
                    for it in found
                ]
            }
        )
        for symbol in found:
            place = Styled(address_text(session.dump, symbol.address), "dim")
            output.page.line(place, f"  {symbol.module.name}!", Styled(symbol.name, "bold"))
        return output


def modules_named(session: Session, pattern: str) -> list[Module]:
    """Modules whose name, with or without its extension, matches. :raises Unanswered: if none does."""
    wanted = pattern.lower()
    names = ((it, it.name.lower()) for it in session.dump.modules)
    found = [it for it, name in names if fnmatchcase(name, wanted) or fnmatchcase(stem(name), wanted)]
    if not found:
        raise Unanswered(f"{pattern}: no such module")
    return found


class Modules(Verb):
    """Lists modules with the state of their images and symbols.

    `lm m PATTERN` lists those whose name matches, `lm a ADDRESS` the one that covers an address. `lmv` tells all about
    them: keys, and every place where their files were sought.
    """

    names = ("lm", "lmv", "lmvm", "lmm", "modules")
    usage = "[v] [m PATTERN | a ADDRESS]"

    def run(self, session: Session, name: str, arguments: str) -> Output:
        """Answers."""
        words = [word for word in arguments.split() if word not in {"m", "v", "vm"}]
        is_verbose = "v" in name or bool({"v", "vm"} & set(arguments.split()))
        if words and words[0] == "a":
            address = session.address(" ".join(words[1:]))
            module = session.dump.modules.at(address)
            if module is None:
                raise Unanswered(f"{address:#x} lies in no module")
            chosen = [module]
        else:
            chosen = modules_named(session, words[0] if words else "*")
        output = Output(data=lambda: {"modules": [schema.module(session.dump, module) for module in chosen]})
        if not is_verbose:
            add_modules(output.page, session.dump, chosen)
            return output
        for module in chosen:
            module.find_debug_info()
            output.page.blank()
            describe(output.page, session.dump, module)
        return output
