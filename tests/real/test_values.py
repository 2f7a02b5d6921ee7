"""Values that a program's source fixes at its crash, in real dumps of it."""

from __future__ import annotations

import re
from typing import Any

import pytest

import stillframe
from stillframe import Absent, Reason, Value
from support.app_values import CONSTANTS, GLOBALS, check_all, count_right, crashed_frames
from support.data import shared_data

NOT_OPTIMISED = [
    "app_x64.d.crash.t0.dmp",
    "app_x86.d.crash.t0.dmp",
    "app_arm64.d.crash.emu.dmp",
    "app_x86_64.O0.self.t0.dmp",
    "app_i686.O0.self.t0.dmp",
]
OPTIMISED = [
    "app_x64.O2.crash.t0.dmp",
    "app_x86.O2.crash.t0.dmp",
    "app_arm64.O2.crash.emu.dmp",
    "app_x86_64.O2.self.t0.dmp",
    "app_i686.O2.self.t0.dmp",
]
SMALL = [name for name in NOT_OPTIMISED + OPTIMISED if "emu" not in name]
"""The emulator's dumps hold the whole image."""


@pytest.mark.parametrize("name", NOT_OPTIMISED)
def test_all_values_without_optimisation(name: str) -> None:
    check_all(stillframe.open(shared_data() / "made" / name))


@pytest.mark.parametrize("name", OPTIMISED)
def test_values_with_optimisation_are_right_or_absent(name: str) -> None:
    dump = stillframe.open(shared_data() / "made" / name)
    assert count_right(dump) >= 9
    poke, outer = (
        next(frame for frame in crashed_frames(dump) if frame.name == name) for name in ("poke", "outer_poke")
    )
    assert poke["doubled"] == 106
    assert outer["base"] == 11


@pytest.mark.parametrize(
    ("name", "register", "kept", "saves"),
    [
        ("app_x64.O2.crash.t0.dmp", "rcx", "rdi", r"^push {0}|\],{0}$"),
        ("app_x86_64.O2.self.t0.dmp", "rcx", "rdi", r"^push {0}|\],{0}$"),
        ("app_arm64.O2.crash.emu.dmp", "x0", "x19", r"^st\w+ .*\b{0}\b"),
    ],
)
def test_what_a_call_may_overwrite_is_not_known_to_the_caller(name: str, register: str, kept: str, saves: str) -> None:
    """`recurse` hands `shape` on in the register in which it came, and does not look at it again: it is recorded there
    to the end of the call. A callee may overwrite the register (x64 calling convention of Microsoft; AAPCS64, 6.1.1),
    here `crash_here` does, and none saves it. `depth` is in one that `recurse` saves.
    """
    dump = stillframe.open(shared_data() / "made" / name)
    frames = [frame for frame in crashed_frames(dump) if frame.name == "recurse"]
    assert len(frames) == 5
    for depth, frame in enumerate(frames):
        shape = next(variable for variable in frame.variables if variable.name == "shape")
        assert shape.record.register == register
        assert shape.value == Absent.because(Reason.REGISTER_UNKNOWN)
        assert frame.registers.get(register) is None
        assert frame["depth"] == depth
    assert saved_in(dump, {"recurse"}, saves.format(kept))
    assert not saved_in(dump, {"recurse", "crash_here"}, saves.format(register))


def saved_in(dump: stillframe.Dump, names: set[str], pattern: str) -> list[str]:
    """Instructions of functions on the stack."""
    functions = {frame.function for frame in crashed_frames(dump) if frame.name in names}
    texts = []
    for function in functions:
        assert not isinstance(function, Absent)
        listing = dump.disassemble(function.address, end=function.end)
        texts += [f"{each.mnemonic} {each.operands}" for each in listing.instructions]
    assert len(texts) > 20 * len(names)
    return [text for text in texts if re.search(pattern, text)]


@pytest.mark.parametrize("name", SMALL)
def test_globals_that_a_small_dump_left_out_are_absent_with_the_reason(name: str) -> None:
    dump = stillframe.open(shared_data() / "made" / name)
    for global_name in set(GLOBALS) - CONSTANTS:
        value = dump[global_name]
        assert isinstance(value, Value)
        assert value.absent is not None
        assert value.absent.reason is Reason.WRITABLE_SECTION
        with pytest.raises(stillframe.FaultError) as caught:
            value.read()
        assert caught.value.address == value.address
    slot = dump["t_slot"]  # where it is stands in the writable section too
    assert isinstance(slot, Absent)
    assert slot.reason is Reason.WRITABLE_SECTION


@pytest.mark.parametrize("name", ["app_arm64.d.crash.emu.dmp", "app_arm64.O2.crash.emu.dmp"])
def test_globals_where_the_dump_has_them(name: str) -> None:
    dump = stillframe.open(shared_data() / "made" / name)
    for global_name, expected in GLOBALS.items():
        value = dump[global_name]
        assert isinstance(value, Value)
        assert (global_name, value.read()) == (global_name, expected)
    head: Any = dump["g_head"]
    assert (head.value.read(), head.next.value.read(), head.next.next.value.read(), int(head.next.next.next)) == (
        1,
        2,
        3,
        0,
    )
    points: Any = dump["g_points"]
    assert (points.count.read(), points.data[0].read()) == (1, {"x": 3, "y": 4})
    assert str(dump["g_callback"]).startswith("app_arm64.")
    assert "!twice (0x" in str(dump["g_callback"])


@pytest.mark.parametrize("name", ["app_x64.d.crash.t0.dmp", "app_x86.d.crash.t0.dmp", "app_x64.O2.crash.t0.dmp"])
def test_workers_know_their_number(name: str) -> None:
    dump = stillframe.open(shared_data() / "made" / name)
    workers = [frame for thread in dump.threads for frame in thread.frames if frame.name == "worker"]
    assert len(workers) == 3
    for number, frame in enumerate(workers, 1):
        for variable, expected in (("number", number), ("role", "reader" if number == 1 else "writer")):
            value = {**frame.locals, **frame.arguments}.get(variable)
            if ".d." in name or isinstance(value, Value):
                assert isinstance(value, Value)
                assert value.read() == expected


def test_types_have_the_layout_of_the_source() -> None:
    dump = stillframe.open(shared_data() / "made" / "app_x64.d.crash.t0.dmp")
    rect = dump.type("geo::Rect")
    assert [base.name for base in rect.bases] == ["geo::Shape", "geo::Named"]
    assert [field.name for field in rect.fields] == ["m_inner", "m_origin", "m_w", "m_h", "m_color"]
    assert rect.size_bytes == 80  # 8 + 4 + (4) + 8, 8 + 4 + (4), 2 + (6) + 8, 8, 4, 4, 4, (4)
    color = dump.type("Color")
    assert {each.name: each.value for each in color.enumerators} == {"Red": 1, "Green": 2, "Blue": 40}
    assert dump.type("Array<int,8>").template_arguments == ("int", "8")
    assert [(each.name, each.bits) for each in dump.type("Flags").fields] == [
        ("a", (0, 3)),
        ("b", (3, 5)),
        ("c", (8, 9)),
        ("d", (0, 40)),
    ]
