"""Whole values in Python: numbers, text, dicts, lists. Bounded, whatever the types claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.errors import FaultError, Unreadable
from stillframe.model.absent import Absent, Reason
from stillframe.model.value import enums, floats, member_pointers, strings

if TYPE_CHECKING:
    from stillframe.model.typing.type import Type
    from stillframe.model.value.strings import Text
    from stillframe.model.value.value import Value

MOST_PARTS = 1 << 20
"""Of one value: members, elements."""
DEEPEST = 64


def read(value: Value) -> object:
    """See `Value.read`."""
    return _Reader().read(value, DEEPEST)


class _Reader:
    def __init__(self) -> None:
        self._left = MOST_PARTS

    def read(self, value: Value, depth: int) -> object:
        self._left -= 1
        if self._left < 0 or depth < 0:
            raise Unreadable(value.type.name, Reason.VALUE_TOO_LARGE, Reason.VALUE_TOO_LARGE.remedy)
        if value.type.is_reference:
            return self.read(value.dereference(), depth - 1)
        type_ = value.type.resolved
        if type_.is_class:
            return self._class(value, depth)
        if type_.kind == "array":
            return self._array(value, depth)
        if type_.kind == "pointer":
            return self._pointer(value)
        return _scalar(value)

    def _class(self, value: Value, depth: int) -> dict[str, object]:
        parts: dict[str, object] = {}
        for member, part in value.members():
            if member.is_unnamed_part:
                inner = self.read(part, depth - 1)
                parts |= inner if isinstance(inner, dict) else {}
            elif member.name and part.type.is_flexible_array:
                parts[member.name] = Absent.because(Reason.COUNT_UNKNOWN)
            elif member.name:
                parts[member.name] = self.read(part, depth - 1)
        return parts

    def _array(self, value: Value, depth: int) -> object:
        count, item = value.type.count, value.type.resolved.item
        size = strings.character_bytes(item)
        if count is None or count > self._left:
            reason = Reason.COUNT_UNKNOWN if count is None else Reason.VALUE_TOO_LARGE
            raise Unreadable(value.type.name, reason, reason.remedy)
        if size is not None:
            return _whole(value, strings.text_at(value.place_, size, count, is_bounded=True)).plain()
        return [self.read(value.element_(index), depth - 1) for index in range(count)]

    def _pointer(self, value: Value) -> object:
        number = int(value.number_())
        target = value.type.resolved.target
        size = strings.character_bytes(target)
        if size is None or target is None:
            return number
        if not number:
            return None
        text = strings.text_at(value.dereference().place_, size, strings.LONGEST_READ, is_bounded=False)
        return _whole(value, text).plain()


def _whole(value: Value, text: Text) -> Text:
    missing = strings.NOT_ENDED if text.is_cut else text.missing
    if missing is None:
        return text
    absent = missing.absent
    if missing.address is None:
        raise Unreadable(value.type.name, absent.reason, absent.remedy)
    raise FaultError(missing.address, absent.reason, absent.remedy)


def _scalar(value: Value) -> object:
    type_ = value.type.resolved
    if type_.kind == "enum":
        number = int(value.number_())
        name = enums.name_of(type_, number)
        return number if name is None else name
    if type_.kind == "member_pointer":
        return member_pointers.read(value)
    if type_.kind == "base":
        return _fundamental(value, type_)
    if type_.kind == "void" or (isinstance(type_.size_bytes, Absent) and type_.kind != "function"):
        reason = Reason.SIZE_UNKNOWN if type_.kind == "void" else Reason.TYPE_DAMAGED
        raise Unreadable(value.type.name, reason, reason.remedy)
    return value.number_()


def _fundamental(value: Value, type_: Type) -> object:
    if isinstance(type_.size_bytes, Absent):
        raise Unreadable(value.type.name, Reason.TYPE_DAMAGED, Reason.TYPE_DAMAGED.remedy)
    data = value.data_()
    if type_.encoding == "float":
        return floats.read(data, value.float_format_(type_, len(data)))
    if type_.encoding == "complex":
        half = len(data) // 2
        form = value.float_format_(type_, half)
        return complex(floats.decode(data[:half], form), floats.decode(data[half:], form))
    if type_.encoding in {"null", "unknown"}:
        return None if type_.encoding == "null" else data
    return bool(value.number_()) if type_.encoding == "boolean" else value.number_()
