"""Tagged unions, such as enumerations of Rust: which alternative an object is.

Source: DWARF 5, section 5.7.10, "Variant Entries".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe.model.absent import Absent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe.model.typing.members import Member
    from stillframe.model.value.value import Value


def present(value: Value, members: Sequence[Member]) -> Sequence[Member]:
    """The members that are there in this very object.

    :raises Unreadable: if what tells is not there.
    """
    tag = next((member for member in members if member.variant == "discriminant"), None)
    if tag is None:  # of a single alternative, which nothing has to tell
        return members
    number = int(value.part_(tag).number_())
    size = tag.type.size_bytes
    mask = (1 << 8 * (8 if isinstance(size, Absent) else size)) - 1
    # Files have numbers with or without sign; only the bits count.
    matching = [
        member
        for member in members
        if member.variant == "when"
        and any((number - first) & mask <= (last - first) & mask for first, last in member.discriminants)
    ]
    chosen = matching or [member for member in members if member.variant == "otherwise"]
    return [member for member in members if member.variant == "always" or member in chosen]
