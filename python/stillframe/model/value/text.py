"""Values as one line of text that a person likes. Nothing here fails: what is absent or damaged is named in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe.errors import StillframeError, Unreadable
from stillframe.model.absent import Absent, Reason
from stillframe.model.names import stem
from stillframe.model.naming import symbolize
from stillframe.model.value import enums, floats, member_pointers, strings, variants
from stillframe.model.value.location import Missing, Nowhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stillframe.model.natvis.scope import Work
    from stillframe.model.typing.type import Type
    from stillframe.model.value.value import Value

ELLIPSIS = "…"
ELLIPSIS_ROOM = 3
DEEPEST = 16
"""Arrays of arrays, bases of bases, parts without names: they count as no level of their own."""
LONGEST_SYMBOL = 120
SCALAR_TARGETS = frozenset({"base", "enum", "pointer"})


def visualized(value: Value, style: Style) -> str | None:
    """What the natvis files at hand say of an object; None if they say nothing."""
    return value.process_.visualizers.summary(value, style)


class Style(NamedTuple):
    """How values are shown."""

    depth: int = 2
    """Levels of classes and pointers."""
    length: int = 200
    """Characters of the line."""
    radix: int = 10
    """Of integers: 2, 8, 10 or 16. Pointers are hexadecimal."""
    summarize: Callable[[Value, Style], str | None] | None = visualized
    """Is asked first for every class; None: everything is shown as it is in memory."""
    view: str | None = None
    """Of the visualizer, for the outermost value."""
    nesting: int = DEEPEST
    """How deep what is shown may nest, whatever counts as a level."""
    work: Work | None = None
    """What visualizers may still do for the line; None: it begins here."""


def text(value: Value, style: Style | None = None, *, depth: int | None = None, length: int | None = None) -> str:
    """See `Value.format`."""
    style = style or Style()
    if depth is not None:
        style = style._replace(depth=depth)
    if length is not None:
        style = style._replace(length=length)
    line = _Writer(style).write(value, style.depth, style.length, style.nesting)
    return line if len(line) <= style.length else line[: max(style.length - 1, 0)] + ELLIPSIS


def integer_text(number: int, size: int, radix: int) -> str:
    """An integer of `size` bytes; other than decimal ones are padded to its width, and not negative."""
    if radix == 10:
        return str(number)
    pattern = number & ((1 << 8 * size) - 1)
    prefix, digits, form = {16: ("0x", 2 * size, "x"), 8: ("0", 0, "o"), 2: ("0b", 8 * size, "b")}[radix]
    return f"{prefix}{pattern:0{digits}{form}}"


class _Writer:
    """One line in the making. `room` is how many characters a part may fill, `nesting` how deep it may still go."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._above: list[tuple[int | None, str]] = []
        """Objects that the present one is shown inside of."""

    def write(self, value: Value, depth: int, room: int, nesting: int) -> str:
        if nesting < 0 or room <= 0:
            return ELLIPSIS
        try:
            return self._text(value, depth, room, nesting)
        except Unreadable as error:
            return f"<{error.reason}>"
        except StillframeError as error:
            return f"<{error}>"

    def _text(self, value: Value, depth: int, room: int, nesting: int) -> str:
        if value.type.is_reference:
            return self._referred(value.dereference(), depth, room, nesting - 1)
        type_ = value.type.resolved
        wide = {"array": self._array, "pointer": self._pointer}.get(type_.kind, self._class if type_.is_class else None)
        if wide is not None:
            return wide(value, depth, room, nesting)
        if type_.kind == "function":
            return self._function(value, int(value.number_()))
        return self._member_pointer(value) if type_.kind == "member_pointer" else self._scalar(value, type_)

    def _referred(self, target: Value, depth: int, room: int, nesting: int) -> str:
        """What a reference stands for, as its most derived class."""
        if not target.type.is_class:
            return self.write(target, depth, room, nesting)
        whole = target.dynamic
        name = whole.type.resolved.name
        label = "" if name == target.type.resolved.name else f"{name} "
        return label + self.write(whole, depth, room - len(label), nesting)

    def _scalar(self, value: Value, type_: Type) -> str:
        data = b"" if type_.kind == "void" else value.data_()
        if not data:  # `()` of Rust: the name says all
            return "<void>" if type_.kind == "void" else type_.name
        if type_.encoding in {"float", "complex", "unknown", "null"}:
            return _no_integer(value, data, type_)
        number = int(value.number_())
        if type_.encoding == "boolean":
            return ("false", "true")[number] if number in {0, 1} else f"true ({number})"
        name = enums.name_of(type_, number) if type_.kind == "enum" else None
        if name is not None:
            return name
        shown = integer_text(number, len(data), 16 if type_.encoding == "hresult" else self._style.radix)
        if strings.character_bytes(type_) is None:
            return shown
        return f"{shown} {strings.prefix_of(type_)}{_character(number, len(data))}"

    # --- classes and arrays ------------------------------------------------------------------------------------------

    def _class(self, value: Value, depth: int, room: int, nesting: int) -> str:
        missing = _missing_start(value)
        if missing is not None:
            return f"<{missing.absent.reason}>"
        summarize = self._style.summarize
        if summarize is not None:
            view = None if self._above else self._style.view
            style = self._style._replace(depth=depth, length=room, nesting=nesting, view=view)
            summary = summarize(value, style)
            if summary is not None:
                return summary
        if value.type.resolved.is_declaration:
            return f"<{Reason.SIZE_UNKNOWN}>"
        chosen = variants.alternative(value)
        if chosen is not None:
            name, part = chosen
            inside = self.write(part, depth, room - len(name), nesting - 1)
            return name if inside in {"{}", "()"} else name + inside
        brackets = "()" if variants.is_tuple(value.type.resolved) else "{}"
        parts = self._parts(value, depth, room, nesting)
        if depth <= 0:
            return ELLIPSIS.join(brackets) if next(parts, None) is not None else brackets
        return self._inside((value.address, value.type.resolved.name), parts, room, brackets)

    def _parts(self, value: Value, depth: int, room: int, nesting: int) -> Iterator[str]:
        """`name=text` of each member; those of unnamed parts count as the class's own."""
        for member, part in value.members():
            if member.is_unnamed_part:
                if nesting > 0:
                    yield from self._parts(part, depth, room, nesting - 1)
            elif member.is_base:
                shown = self.write(part, depth, room, nesting - 1)
                if shown != "{}":  # bases without data are there for what they do
                    yield f"{member.name}={shown}"
            elif member.name:
                label = "" if variants.is_place(member.name) else f"{member.name}="
                yield label + self.write(part, depth - 1, room, nesting - 1)

    def _inside(self, what: tuple[int | None, str], parts: Iterator[str], room: int, brackets: str = "{}") -> str:
        """`{…, …}`, as many parts as there is room for."""
        self._above.append(what)
        try:
            return ", ".join(self._shown(parts, room)).join(brackets)
        finally:
            self._above.pop()

    def _shown(self, parts: Iterator[str], room: int) -> list[str]:
        shown: list[str] = []
        used = 2
        part = next(parts, None)
        while part is not None:
            following = next(parts, None)
            if used + len(part) + (0 if following is None else ELLIPSIS_ROOM) > room and shown:
                shown.append(ELLIPSIS)
                break
            shown.append(part)
            used += len(part) + 2
            part = following
        return shown

    def _array(self, value: Value, depth: int, room: int, nesting: int) -> str:
        type_ = value.type.resolved
        count, item = type_.count, type_.item
        if count is None:
            return "{…}"
        missing = _missing_start(value) if count else None
        if missing is not None:
            return f"<{missing.absent.reason}>"
        size = strings.character_bytes(item)
        if size is not None:
            shown = min(count, room)
            found = strings.text_at(value.place_, size, shown, is_bounded=shown == count)
            return _literal(found, item)
        deeper = depth - 1 if item.is_class else depth
        elements = (self.write(value.element_(index), deeper, room, nesting - 1) for index in range(count))
        return self._inside((None, ""), elements, room)

    # --- pointers ----------------------------------------------------------------------------------------------------

    def _pointer(self, value: Value, depth: int, room: int, nesting: int) -> str:
        number = int(value.number_())
        target = value.type.resolved.target
        if not number:
            return "nullptr"
        if target is not None and target.resolved.kind == "function":
            return self._function(value, number)
        shown = _address(value, number)
        size = strings.character_bytes(target)
        if size is not None and target is not None:
            found = strings.text_at(value.dereference().place_, size, max(room - len(shown) - 4, 8), is_bounded=False)
            return f"{shown} {_literal(found, target)}"
        if depth <= 1 or target is None:
            return shown
        return shown + self._pointed_to(value, target, depth - 1, room - len(shown), nesting - 1)

    def _pointed_to(self, value: Value, target: Type, depth: int, room: int, nesting: int) -> str:
        kind = target.resolved.kind
        if kind in SCALAR_TARGETS:
            return f" {{{self.write(value.dereference(), 0, room, nesting)}}}"
        if not target.is_class or target.resolved.is_declaration:
            return ""
        whole = value.dynamic.dereference()
        name = whole.type.resolved.name
        label = "" if name == target.resolved.name else f" {name}"
        if (whole.address, name) in self._above:
            return f"{label} <cycle>"
        return f"{label} {self.write(whole, depth, room - len(label), nesting)}"

    def _function(self, value: Value, address: int) -> str:
        """`app!work (0x…)`, where the address has a name."""
        symbol = symbolize(value.process_.modules, address)
        shown = _address(value, address)
        if symbol.module is None or symbol.name is None:
            return shown
        name = symbol.name if len(symbol.name) <= LONGEST_SYMBOL else symbol.name[: LONGEST_SYMBOL - 1] + ELLIPSIS
        offset = f"+{symbol.offset:#x}" if symbol.offset else ""
        return f"{stem(symbol.module.name)}!{name}{offset} ({shown})"

    def _member_pointer(self, value: Value) -> str:
        """A function by its name; data by that of the member."""
        target = member_pointers.target_of(value)
        if target is None:
            return "nullptr"
        type_ = value.type.resolved
        class_ = type_.class_type
        if isinstance(target, member_pointers.ToData):
            name = None if class_ is None else member_pointers.member_at(class_, target.offset_bytes, type_.target)
            return str(target.offset_bytes) if class_ is None or name is None else f"&{class_.resolved.name}::{name}"
        adjusted = f" this{target.adjustment_bytes:+d}" if target.adjustment_bytes else ""
        if target.address is not None:
            return f"{self._function(value, target.address)}{adjusted}"
        address = member_pointers.function_of(value, target)
        index = target.vtable_offset // value.process_.pointer_size_bytes
        shown = f"function {index}" if address is None else self._function(value, address)
        return f"virtual {shown}{adjusted}"


def _missing_start(value: Value) -> Missing | None:
    """Why not even the first byte is there, nor a size that makes sense."""
    size = value.type.size_bytes
    if isinstance(size, Absent):
        return Missing(size)
    first = value.place_.read(1) if size else b""
    is_whole = isinstance(first, Missing) and (first.address is not None or isinstance(value.place_, Nowhere))
    return first if isinstance(first, Missing) and is_whole else None


def _address(value: Value, number: int) -> str:
    return f"0x{number:0{2 * value.process_.pointer_size_bytes}x}"


def _no_integer(value: Value, data: bytes, type_: Type) -> str:
    if type_.encoding == "null":
        return "nullptr"
    if type_.encoding == "unknown":
        return f"<{data[:16].hex(' ')}{ELLIPSIS if len(data) > 16 else ''}>"
    if type_.encoding == "float":
        return floats.shortest(data, value.float_format_(type_, len(data)))
    half = len(data) // 2
    form = value.float_format_(type_, half)
    return f"{floats.shortest(data[:half], form)} + {floats.shortest(data[half:], form)}i"


def _character(number: int, size: int) -> str:
    code = number & ((1 << 8 * size) - 1)
    if size == 1 and code >= 0x80:
        return f"'\\x{code:02x}'"
    return strings.quoted(chr(code), "'") if code < 0x110000 else "'\\?'"


def _literal(found: strings.Text, type_: Type) -> str:
    shown = strings.prefix_of(type_) + strings.quoted(found.characters)
    if found.missing is not None:
        return (
            f"{shown}{ELLIPSIS} <{found.missing.absent.reason}>"
            if found.characters
            else f"<{found.missing.absent.reason}>"
        )
    return shown + ELLIPSIS if found.is_cut else shown
