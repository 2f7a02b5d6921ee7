"""Verbs of variables, types and expressions."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from stillframe import Absent
from stillframe.cli import schema, value_json
from stillframe.cli.locals import add_locals
from stillframe.cli.page import Styled
from stillframe.cli.stacktext import address_text
from stillframe.cli.type import add_type
from stillframe.cli.verb import Unanswered
from stillframe.errors import ExpressionError, NoSuchType
from stillframe.repl import objects
from stillframe.repl.verb import Output, Verb

if TYPE_CHECKING:
    from stillframe.cli.page import Part
    from stillframe.model.typing.members import Member
    from stillframe.model.typing.type import Type
    from stillframe.model.value.value import Value
    from stillframe.model.variables import Variable
    from stillframe.repl.session import Session

LINE_LENGTH = 2000
"""Characters of a value."""
MOST_CHILDREN = 100
MOST_NAMES = 1000
DEEPEST = 16
_DEPTH = re.compile(r"(?<!\S)-r\s*(\d{0,3})(?!\S)")


class Locals(Verb):
    """Shows the variables of the current frame: type, name, value, place.

    With a name, that one alone, opened; with `*` in it, those that match. `/i` says which are arguments, `/V` the
    address of each; `/t` types and `/v` places are shown anyway.
    """

    names = ("dv", "locals", "!locals")
    usage = "[/i] [/t] [/V] [NAME|PATTERN]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        options, words = _options(arguments, "itvV")
        frame, thread = session.frame, session.thread
        if words and not any(mark in words[0] for mark in "*?"):
            return Evaluate().run(session, "??", words[0])
        chosen = [each for each in frame.variables if not words or fnmatchcase(each.name, words[0])]
        if words and not chosen:
            raise Unanswered(f"{words[0]}: no variable of {frame.name} matches")
        if not options & {"i", "V"} and not words:
            output = Output(data=lambda: value_json.thread_locals(session.dump, thread, [frame], depth=2))
            add_locals(output.page, thread, [frame])
            return output
        output = Output(data=lambda: {"variables": [value_json.variable_(session.dump, each) for each in chosen]})
        output.page.table([_variable_row(session, each, options) for each in chosen], indent="    ")
        return output


def _options(arguments: str, known: str) -> tuple[set[str], list[str]]:
    """Letters after slashes, and the other words. :raises Unanswered: if a letter means nothing."""
    words = arguments.split()
    options = {letter for word in words if word.startswith("/") for letter in word[1:]}
    unknown = sorted(options - set(known))
    if unknown:
        raise Unanswered(f"/{unknown[0]}: no such option; there are {', '.join(f'/{letter}' for letter in known)}")
    return options, [word for word in words if not word.startswith("/")]


def _variable_row(session: Session, variable: Variable, options: set[str]) -> list[Part]:
    kind = ("argument" if variable.is_parameter else "local") if "i" in options else ""
    address = variable.address if "V" in options else None
    where = "" if isinstance(variable.place, Absent) else variable.place
    value = variable.value
    text: Part = Styled(f"<{value.reason}>", "yellow") if isinstance(value, Absent) else value.format()
    return [
        kind,
        Styled(address_text(session.dump, address) if isinstance(address, int) else "", "dim"),
        Styled("" if variable.type is None else variable.type.name, "dim"),
        Styled(variable.name or "<unnamed>", "bold"),
        text,
        Styled(where, "dim"),
    ]


class Evaluate(Verb):
    """Shows the value of an expression of C++ in the current frame, and what it consists of.

    Casts, sizeof, registers (`@rax`), `module!name` and Visual Studio's format specifiers (`,x` `,s` `,10`) count.
    """

    names = ("??", "?", "print", "p", "eval")
    usage = "EXPRESSION"

    def run(self, session: Session, name: str, arguments: str) -> Output:
        """Answers."""
        if not arguments:
            raise Unanswered("say which expression")
        value = session.evaluate(arguments)
        output = Output(data=lambda: _as_json(session, arguments, value))
        text = value.format(depth=2, length=LINE_LENGTH)
        number = _in_hex(value) if name == "?" else ""
        where = f"  {value.location}" if value.location else ""
        output.page.line(Styled(f"({value.type.name}) ", "dim"), text, number, Styled(where, "dim"))
        if value.absent is None and name not in {"?", "print", "p", "eval"}:
            _add_children(output, value)
        return output


def _in_hex(value: Value) -> str:
    """As WinDbg's `?`, a number in both bases."""
    data = value.bytes_
    is_number = value.type.resolved.kind in {"base", "pointer", "enum"} and not isinstance(data, Absent)
    return f" = 0x{int.from_bytes(data, 'little'):x}" if is_number and not isinstance(data, Absent) else ""


def _add_children(output: Output, value: Value) -> None:
    rows: list[list[Part]] = []
    for child in value.children_():
        if len(rows) == MOST_CHILDREN:
            output.page.table(rows, indent="    ")
            output.page.line("    …")
            return
        rows.append([Styled(child.name, "bold"), child.format()])
    if rows:
        output.page.table(rows, indent="    ")


def _as_json(session: Session, text: str, value: Value) -> dict[str, object]:
    absent = value.absent
    return {
        "expression": text,
        "type": value.type.name,
        "value": None if absent is not None else value.format(depth=2, length=LINE_LENGTH),
        "place": value.location or None,
        "address": None if value.address is None else schema.hex_text(session.dump, value.address),
        "absent": schema.absence(absent),
    }


class DisplayType(Verb):
    """Shows a type, an object of it at an address, or a variable with its members.

    `dt geo::Rect` shows offsets, `dt geo::Rect 0x7ffe1ffec0` values too, `dt shape` the variable of that name; a name
    with `*` lists the types that match. `-r2` opens members two levels deep; a member's name behind shows that alone.
    """

    names = ("dt", "type", "ptype")
    usage = "[-rDEPTH] TYPE [ADDRESS] [MEMBER] | VARIABLE"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        depth = 0
        if (option := _DEPTH.search(arguments)) is not None:
            depth = min(int(option[1] or DEEPEST), DEEPEST)
            arguments = arguments[: option.start()] + " " + arguments[option.end() :]
        words = [word for word in arguments.split() if word != "-v"]
        if not words:
            raise Unanswered("say which type")
        if words[0].startswith("-"):
            raise Unanswered(f"{words[0]}: no such option; there is -r, with a depth")
        text = " ".join(words).replace("!", "::", 1) if "!" not in words[0] else " ".join(words).partition("!")[2]
        if not text.strip(":! "):
            raise Unanswered("say which type")
        try:
            type_ = session.dump.type(text)
        except NoSuchType as unknown:
            return self._otherwise(session, text, depth, unknown)
        output = Output(data=lambda: value_json.type_(type_))
        add_type(output.page, type_)
        objects.add_inner_types(output.page, type_, depth)
        return output

    def _otherwise(self, session: Session, text: str, depth: int, unknown: NoSuchType) -> Output:
        """A pattern, a type and an address, or a variable."""
        first, _, last = text.rpartition(" ")
        if "*" in text and not first:
            names = [type_.name for type_ in session.dump.types_matching(text, MOST_NAMES)]
            output = Output(data=lambda: {"types": names})
            for each in names:
                output.page.line(each)
            return output
        if first:
            return self._behind_type(session, first, last, depth)
        try:
            if "." not in text and "->" not in text and session.scope.value(text) is None:
                raise unknown
            value = session.evaluate(text)
        except ExpressionError as error:
            raise Unanswered(f"{text}: {error.reason}") from unknown
        return self._object(session, value, depth)

    def _behind_type(self, session: Session, first: str, last: str, depth: int) -> Output:
        """`TYPE ADDRESS`, `TYPE MEMBER`, `TYPE ADDRESS MEMBER`."""
        try:
            type_ = session.dump.type(first)
        except NoSuchType:
            spelled, _, address = first.rpartition(" ")
            if not spelled:
                raise
            value = session.object_at(session.dump.type(spelled), session.address(address)).member(last)
            return self._object(session, value, depth)
        if path := type_.path_to(last) if type_.is_class else ():
            return _member(type_, path)
        return self._object(session, session.object_at(type_, session.address(last)), depth)

    def _object(self, session: Session, value: Value, depth: int) -> Output:
        output = Output(data=lambda: _as_json(session, value.type.name, value))
        objects.add_object(output.page, value, depth)
        return output


def _member(type_: Type, path: tuple[Member, ...]) -> Output:
    offset = sum(step.offset_bytes or 0 for step in path)
    member = path[-1]
    output = Output(data=lambda: {"type": type_.name, "member": member.name, "offset_bytes": offset})
    output.page.line(Styled(f"  +{offset:#x}  ", "dim"), f"{member.type.name}  ", Styled(member.name, "bold"))
    return output
