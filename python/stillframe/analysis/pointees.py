"""What lies behind a variable that points: `to->position.latitude`, `items[2].size`, `*where`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.model.typing.parts import part_at

if TYPE_CHECKING:
    from stillframe.model.typing.type import Type


def pointee(pointer: str, type_: Type | None, offset_bytes: int, size_bytes: int, *, is_indexed: bool = False) -> str:
    """How C++ writes the `size_bytes` that lie `offset_bytes` behind where `pointer`, of this type, points to.

    `*(pointer+0x10)` if its type has no such part. Another element than the first is only believed of numbers and
    pointers, or of an access that `is_indexed`: what lies behind a class is more often part of a class derived from it.
    """
    plain = f"*({pointer}{'-' if offset_bytes < 0 else '+'}{abs(offset_bytes):#x})" if offset_bytes else f"*{pointer}"
    target = None if type_ is None or not (type_.is_pointer or type_.is_reference) else type_.resolved.target
    whole = None if target is None else target.size_bytes
    if type_ is None or target is None or not isinstance(whole, int) or whole <= 0:
        return plain
    index, inner = divmod(offset_bytes, whole)
    if index and target.is_class and not is_indexed:
        return plain
    part = part_at(target, inner, size_bytes)
    if part is None:
        return plain
    if type_.is_reference:
        return plain if index else f"{pointer}{part}"
    if index:
        return f"{pointer}[{index}]{part}"
    return f"{pointer}->{part[1:]}" if part.startswith(".") else f"(*{pointer}){part}" if part else f"*{pointer}"
