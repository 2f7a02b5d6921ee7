"""Variables and types as JSON. Every field is described in docs/json.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe import Absent
from stillframe.cli import schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe import Dump, Frame, Thread
    from stillframe.cli.schema import Object
    from stillframe.model.typing.members import Member
    from stillframe.model.typing.type import Type
    from stillframe.model.variables import Variable

DEFAULT_DEPTH = 2
TEXT_LENGTH = 2000
"""Characters of a value."""


def thread_locals(
    dump: Dump,
    thread: Thread,
    frames: Sequence[Frame],
    *,
    depth: int = DEFAULT_DEPTH,
    only_arguments: bool = False,
) -> Object:
    """The variables of some frames of a thread."""
    return {
        "thread": thread.index,
        "thread_id": thread.id,
        "frames": [
            {
                **schema.call(frame),
                "frame": frame.index,
                "module": frame.module.name if frame.module else None,
                "variables": [
                    variable_(dump, variable, depth)
                    for variable in frame.variables
                    if variable.is_parameter or not only_arguments
                ],
            }
            for frame in frames
        ],
    }


def variable_(dump: Dump, variable: Variable, depth: int = DEFAULT_DEPTH) -> Object:
    """A variable."""
    value, address = variable.value, variable.address
    absent = value if isinstance(value, Absent) else value.absent
    text = None if isinstance(value, Absent) else value.format(depth=depth, length=TEXT_LENGTH)
    if absent is not None and text == f"<{absent.reason}>":
        text = None  # nothing of it is there
    return {
        "name": variable.name,
        "type": None if variable.type is None else variable.type.name,
        "is_argument": variable.is_parameter,
        "value": text,
        "place": None if isinstance(variable.place, Absent) else variable.place,
        "address": schema.hex_text(dump, address) if isinstance(address, int) else None,
        "absent": schema.absence(absent),
    }


def type_(of: Type) -> Object:
    """The answer of `stillframe type`."""
    resolved = of.resolved
    return {
        "name": of.name,
        "kind": resolved.kind,
        "stands_for": resolved.name if resolved.name != of.name else None,
        "size": None if isinstance(of.size_bytes, Absent) else of.size_bytes,
        "absent": schema.absence(of.size_bytes) if isinstance(of.size_bytes, Absent) else None,
        "module": resolved.module.name if resolved.module else None,
        "members": [_member(member) for member in of.members if member.kind != "nested_type"],
        "enumerators": [{"name": each.name, "number": str(each.value)} for each in of.enumerators],
    }


def _member(member: Member) -> Object:
    has_offset = member.kind in {"field", "base"}
    return {
        "name": member.name,
        "type": member.type.name,
        "kind": member.kind,
        "offset": member.offset_bytes if has_offset else None,
        "bits": None if member.bits is None else list(member.bits),
        "is_artificial": member.is_artificial,
    }
