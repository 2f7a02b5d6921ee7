"""A program of one class, and natvis files for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.fake_debug import HEAP, FakeDebug, FakeMember, Program, program

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe.model.value.value import Value


def words(*numbers: int) -> bytes:
    return b"".join((number & (1 << 64) - 1).to_bytes(8, "little") for number in numbers)


class Box:
    """`struct Box : Base { long long a, b; Node *head; long long *data; Item item; }`, `Base { int base; }`,
    `Item { int x; }`, `Node { Node *left, *right; long long value; }`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.debug = FakeDebug()
        debug = self.debug
        int_ = debug.int_()
        long_ = debug.base("long long", 8, "signed")
        self.char = debug.char()
        self.node = debug.class_("Node", 24)
        node_pointer = debug.pointer(self.node)
        debug.members[self.node] = [
            FakeMember("left", node_pointer, 0),
            FakeMember("right", node_pointer, 8),
            FakeMember("value", long_, 16),
        ]
        self.base = debug.class_("Base", 8, FakeMember("base", int_, 0))
        self.item = debug.class_("Item", 4, FakeMember("x", int_, 0))
        self.box = debug.class_(
            "Box<int,3>",
            48,
            FakeMember("Base", self.base, 0, kind="base"),
            FakeMember("a", long_, 8),
            FakeMember("b", long_, 16),
            FakeMember("head", node_pointer, 24),
            FakeMember("data", debug.pointer(long_), 32),
            FakeMember("item", self.item, 40),
        )

    def program(self, heap: bytes, natvis: str = "", name: str = "test.natvis") -> Program:
        text = f"<AutoVisualizer>\n{natvis}\n</AutoVisualizer>"
        (self.folder / name).write_text(text, encoding="utf-8")
        return program(self.folder, self.debug, heap)

    def value(self, natvis: str, *, a: int = 5, b: int = 7, head: int = 0, data: int = 0, behind: bytes = b"") -> Value:
        heap = words(1, a, b, head, data, 9) + behind
        return self.program(heap, natvis).value(self.box)


BEHIND = HEAP + 48
"""Where `behind` lies."""


def shown(value: Value) -> list[str]:
    """`name=text` of each child."""
    return [f"{child.name}={child.format()}" for child in value.children_()]
