"""The verb `type`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stillframe import Absent
from stillframe.cli.verb import Unanswered, verb
from stillframe.errors import NoSuchType

if TYPE_CHECKING:
    from stillframe import Dump
    from stillframe.cli.page import Page, Part
    from stillframe.cli.verb import Request
    from stillframe.model.typing.members import Member
    from stillframe.model.typing.type import Type

MOST_NAMES = 1000


def run(request: Request, name: str) -> None:
    """Shows the type NAME: its size, and what it consists of, with offsets.

    NAME is qualified, as in `geo::Rect`; `const geo::Rect *` and `int[3]` are types too. With `*` or `?` in a name, the
    names that match are listed.
    """
    dump = request.open()
    if not any(mark in name for mark in "*?") or _is_type(dump, name):
        _show_type(dump, request, name)
    else:
        _show_names(dump, request, name)


def _is_type(dump: Dump, name: str) -> bool:
    try:
        dump.type(name)
    except NoSuchType:
        return False
    return True


def _show_names(dump: Dump, request: Request, pattern: str) -> None:
    names = dump.types_matching(pattern, MOST_NAMES)
    if not names:
        raise Unanswered(f"{pattern}: no type matches in the debug information at hand")
    if request.as_json:
        from stillframe.cli import schema

        schema.show({"types": [type_.name for type_ in names]})
        return
    from stillframe.cli.page import Page

    page = Page()
    for type_ in names:
        page.line(type_.name)
    page.show()


def _show_type(dump: Dump, request: Request, name: str) -> None:
    type_ = dump.type(name)
    if request.as_json:
        from stillframe.cli import schema, value_json

        schema.show(value_json.type_(type_))
        return
    from stillframe.cli.page import Page

    page = Page()
    add_type(page, type_)
    page.show()


def add_type(page: Page, type_: Type) -> None:
    """Its keyword, name and size; below, what it consists of."""
    from stillframe.cli.page import Styled

    resolved = type_.resolved
    keyword = f"{resolved.kind} " if resolved.is_class or resolved.kind == "enum" else ""
    module = resolved.module.name if resolved.module else ""
    size = _size(type_)
    alias = f"  is {resolved.name}" if resolved.name != type_.name else ""
    page.line(keyword, Styled(type_.name, "bold"), alias, f"  {size}", Styled(f"  {module}" if module else "", "dim"))
    if resolved.kind == "enum":
        page.table([[each.name, str(each.value)] for each in type_.enumerators], indent="  ")
    rows = [_row(member) for member in type_.members if member.kind != "nested_type"]
    if rows:
        page.table(rows, right=frozenset({0}), indent="  ")


def _size(type_: Type) -> str:
    size = type_.size_bytes
    if isinstance(size, Absent):
        return str(size.reason)
    return f"{size:,} byte{'' if size == 1 else 's'}"


def _row(member: Member) -> list[Part]:
    """Offset, type, name, and what it is if no plain field."""
    from stillframe.cli.page import Styled

    notes = []
    if member.bits is not None:
        notes.append(f"bits {member.bits[0]} to {member.bits[0] + member.bits[1] - 1}")
    if member.kind != "field":
        notes.append(member.kind.replace("_", " "))
    if member.is_artificial:
        notes.append("made by the compiler")
    has_offset = member.kind in {"field", "base"} and member.offset_bytes is not None
    offset = f"+{member.offset_bytes:#x}" if has_offset else ""
    name = "" if member.is_base else member.name
    return [Styled(offset, "dim"), member.type.name, Styled(name, "bold"), Styled(", ".join(notes), "dim")]


command = verb(run, click.Argument(["name"]))
