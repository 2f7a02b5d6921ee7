"""Verbs of variables, types and expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe import Absent
from stillframe.cli import schema, value_json
from stillframe.cli.locals import add_locals
from stillframe.cli.page import Styled
from stillframe.cli.type import add_type
from stillframe.cli.verb import Unanswered
from stillframe.errors import NoSuchType
from stillframe.repl.verb import Output, Verb

if TYPE_CHECKING:
    from stillframe.cli.page import Part
    from stillframe.model.value.value import Value
    from stillframe.repl.session import Session

LINE_LENGTH = 2000
"""Characters of a value."""
MOST_CHILDREN = 100
MOST_NAMES = 1000


class Locals(Verb):
    """Shows the variables of the current frame: type, name, value, place.

    With a name, that one alone, opened.
    """

    names = ("dv", "locals", "!locals")
    usage = "[NAME]"

    def run(self, session: Session, name: str, arguments: str) -> Output:
        """Answers."""
        words = [word for word in arguments.split() if not word.startswith("/")]
        if words:
            return Evaluate().run(session, name, words[0])
        frame, thread = session.frame, session.thread
        output = Output(data=lambda: value_json.thread_locals(session.dump, thread, [frame], depth=2))
        add_locals(output.page, thread, [frame])
        return output


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
    with `*` lists the types that match.
    """

    names = ("dt", "type", "ptype")
    usage = "TYPE [ADDRESS] | VARIABLE"

    def run(self, session: Session, name: str, arguments: str) -> Output:
        """Answers."""
        words = [word for word in arguments.split(" ") if word and not word.startswith("-")]
        if not words:
            raise Unanswered("say which type")
        text = " ".join(words).replace("!", "::", 1) if "!" not in words[0] else " ".join(words).partition("!")[2]
        try:
            type_ = session.dump.type(text)
        except NoSuchType as unknown:
            return self._otherwise(session, name, text, unknown)
        output = Output(data=lambda: value_json.type_(type_))
        add_type(output.page, type_)
        return output

    def _otherwise(self, session: Session, name: str, text: str, unknown: NoSuchType) -> Output:
        """A pattern, a type and an address, or a variable."""
        first, _, last = text.rpartition(" ")
        if "*" in text and not first:
            names = [type_.name for type_ in session.dump.types_matching(text, MOST_NAMES)]
            output = Output(data=lambda: {"types": names})
            for each in names:
                output.page.line(each)
            return output
        if first:
            type_, address = session.dump.type(first), session.address(last)
            return Evaluate().run(session, "dx", f"*({type_.name} *){address:#x}")
        if session.scope.value(text) is None:
            raise unknown
        return Evaluate().run(session, "dx" if name != "ptype" else "p", text)
