"""The verb `eval`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from stillframe.cli import select
from stillframe.cli.verb import Unanswered, tell_problems, verb
from stillframe.errors import ExpressionError, Unreadable
from stillframe.model.expression.expression import Expression

if TYPE_CHECKING:
    from stillframe import Absent, Dump
    from stillframe.cli.schema import Object
    from stillframe.cli.verb import Request
    from stillframe.model.value.value import Value

DEFAULT_DEPTH = 2
LINE_LENGTH = 2000
"""Characters of the value."""


def run(request: Request, text: str, which: str, frame_number: int | None, depth: int) -> None:
    """Shows the value of EXPRESSION, in C++'s syntax, with its type and place.

    Names mean what they mean in a frame: of the crashed thread, or of --thread, the innermost one or that of --frame.
    Casts, sizeof, registers (@rax), module!name and Visual Studio's format specifiers (`,x` `,s` `,10`) are understood.
    Nothing is changed and no code of the program runs.
    """
    dump = request.open()
    has_frames = bool(dump.threads) and bool(select.thread(dump, which).frames)
    if frame_number is None and not has_frames:
        scope = dump.scope
    else:
        scope = select.frame(select.thread(dump, which), frame_number or 0).scope
    try:
        value = Expression(text).value(scope)
    except ExpressionError as error:
        print(error.pointed, file=sys.stderr)
        raise
    except Unreadable as error:
        raise Unanswered(str(error)) from error
    if request.as_json:
        from stillframe.cli import schema

        schema.show(_as_json(dump, text, value, depth))
    else:
        _show(value, depth)
    tell_problems(dump)
    if (absent := _absent(value)) is not None:
        raise Unanswered(f"{text}: {absent}")


def _absent(value: Value) -> Absent | None:
    """Why some of it is not there. Of a function nothing is shown but its name."""
    return None if value.type.resolved.kind == "function" else value.absent


def _show(value: Value, depth: int) -> None:
    from stillframe.cli.page import Page, Styled

    page = Page()
    where = f"  {value.location}" if value.location else ""
    shown = value.format(depth=depth, length=LINE_LENGTH)
    page.line(Styled(f"({value.type.name}) ", "dim"), shown, Styled(where, "dim"))
    page.show()


def _as_json(dump: Dump, text: str, value: Value, depth: int) -> Object:
    from stillframe.cli import schema

    absent = _absent(value)
    return {
        "expression": text,
        "type": value.type.name,
        "value": None if absent is not None else value.format(depth=depth, length=LINE_LENGTH),
        "place": value.location or None,
        "address": None if value.address is None else schema.hex_text(dump, value.address),
        "absent": schema.absence(absent),
    }


command = verb(
    run,
    click.Argument(["text"], metavar="EXPRESSION"),
    select.thread_option("In a frame of this thread.", may_be_all=False),
    select.frame_option("In this frame, as `stack` numbers them."),
    select.depth_option(DEFAULT_DEPTH),
)
