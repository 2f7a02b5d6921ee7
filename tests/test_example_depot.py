"""The second example: a crash with values. All that is expected stands in `examples/depot/depot.cpp`."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Absent
from stillframe.analysis.pointees import pointee
from stillframe.errors import ExpressionError, NoSuchVariable, OperationError
from stillframe.model.crash import CrashOperand
from stillframe.model.typing.parts import part_at
from support.data import EXAMPLES

if TYPE_CHECKING:
    from stillframe.model.value.value import Value

DEPOT = EXAMPLES / "depot"
ADD_STOP, PLAN, MAIN = range(3)

NOT_OPTIMISED = ["depot.dmp", "depot.dwarf.dmp"]
OPTIMISED = {"depot.O2.dmp": 20, "depot.dwarf.O2.dmp": 23}
"""With how many of the values below the debug information still has, as `llvm-pdbutil` and `llvm-dwarfdump` list it."""

# frame, expression, what the source makes of it
VALUES = [
    (ADD_STOP, "to", 0),  # books has no address
    (ADD_STOP, "stop.grams", 7200),
    (ADD_STOP, "stop.next", 0),
    (ADD_STOP, "tour.northernmost", 55.4904),
    (ADD_STOP, "latitude", 55.4904),  # of the last stop: the slot is the same in every call, and not yet written
    (PLAN, "index", 2),
    (PLAN, "load.m_size", 3),
    (PLAN, "stops[0].grams", 20),
    (PLAN, "stops[1].grams", 1850),
    (MAIN, "tour.first->grams", 20),
    (MAIN, "tour.last->grams", 1850),
    (MAIN, "tour.last->next", 0),
    (MAIN, "tour.last->address == &mill", 1),
    (MAIN, "tour.first->next == tour.last", 1),
    (MAIN, "mill.position.latitude", 55.4904),
    (MAIN, "quay.position.longitude", 10.4114),
    (MAIN, "letter.m_number", 1),
    (MAIN, "lamp.m_grams", 1850),
    (MAIN, "lamp.m_size.width", 300),
    (MAIN, "lamp.m_size.height", 420),
    (MAIN, "lamp.m_size.depth", 310),
    (MAIN, "lamp.m_size.is_fragile", 1),
    (MAIN, "books.m_size.is_fragile", 0),
    (MAIN, "lamp.m_priority == Priority::Express", 1),
    (MAIN, "books.m_priority", 0),
    (MAIN, "sizeof(Parcel::Size)", 4),
]
TEXTS = [
    (MAIN, "lamp.m_priority", "Express"),
    (MAIN, "books.m_priority", "Economy"),
    (MAIN, "mill.street,sb", "Mill Lane 3"),
    (MAIN, "quay.town,sub", "Ærøskøbing"),
    (MAIN, "quay", "Long Quay 12, Ærøskøbing"),
    (ADD_STOP, "item", "Parcel books, 7200 g"),  # the reference is to an Item
]


@pytest.fixture(scope="module", params=[*NOT_OPTIMISED, *OPTIMISED])
def any_dump(request: pytest.FixtureRequest) -> stillframe.Dump:
    return stillframe.open(DEPOT / request.param)


@pytest.fixture(scope="module", params=NOT_OPTIMISED)
def dump(request: pytest.FixtureRequest) -> stillframe.Dump:
    return stillframe.open(DEPOT / request.param)


def value(dump: stillframe.Dump, frame: int, text: str) -> Value:
    found = dump.threads[0].frames[frame].eval(text)
    assert not isinstance(found, Absent), found
    return found


def test_the_stack(any_dump: stillframe.Dump) -> None:
    source = (DEPOT / "depot.cpp").read_text(encoding="utf-8").splitlines()
    lines = []
    for frame in any_dump.threads[0].frames[:3]:
        assert not isinstance(frame.location, Absent)
        lines.append((frame.name, source[frame.location.line - 1].strip()))
    assert lines == [
        ("add_stop", "double latitude = to->position.latitude;"),
        ("plan", "add_stop(tour, stops[index], *load[index]);"),
        ("main", "plan(tour, load, stops);"),
    ]


@pytest.mark.parametrize(("frame", "text", "expected"), VALUES)
def test_values(frame: int, text: str, expected: float, dump: stillframe.Dump) -> None:
    assert value(dump, frame, text) == expected


@pytest.mark.parametrize("name", OPTIMISED)
def test_values_are_right_or_absent(name: str) -> None:
    frames = stillframe.open(DEPOT / name).threads[0].frames
    right = 0
    for frame, text, expected in VALUES:
        found = frames[frame].eval(text)
        if not isinstance(found, Absent):
            assert found == expected, text
            right += 1
        else:
            assert found.reason == stillframe.Reason.OPTIMIZED_AWAY
    assert right == OPTIMISED[name]


@pytest.mark.parametrize(("frame", "text", "expected"), TEXTS)
def test_texts(frame: int, text: str, expected: str, dump: stillframe.Dump) -> None:
    assert value(dump, frame, text).format() == expected


def test_what_a_small_dump_does_not_hold(dump: stillframe.Dump) -> None:
    loaded = dump["g_loaded_grams"]  # 0 in the file, 1870 in the program: nobody can know
    assert not isinstance(loaded, Absent)
    assert loaded.absent is not None
    assert loaded.absent.reason == stillframe.Reason.WRITABLE_SECTION
    with pytest.raises(NoSuchVariable):
        dump["g_nothing"]


def test_the_operand_is_what_the_source_says(dump: stillframe.Dump) -> None:
    assert dump.crash is not None
    (memory,) = (each for each in dump.crash.operands if isinstance(each, CrashOperand) and each.kind == "memory")
    assert (memory.name, memory.pointer, memory.address) == ("to->position.latitude", "to", 16)
    report = subprocess.run(
        [sys.executable, "-m", "stillframe", "report", DEPOT / "depot.dmp"], capture_output=True, text=True, check=True
    ).stdout
    assert "read from 0x10 (near null) by add_stop at depot.cpp:88" in report
    assert "rax, which holds to, is null, and 0x10 was added to it" in report


def test_containers_have_elements(dump: stillframe.Dump) -> None:
    load, tour = value(dump, PLAN, "load"), value(dump, MAIN, "tour")
    assert len(load) == 3
    assert [each.dynamic.dereference().type.name for each in load] == ["Letter", "Parcel", "Parcel"]
    assert load[1].dynamic.m_grams == 1850
    assert value(dump, PLAN, "load[1]->m_number") == 2
    assert [str(each) for each in tour] == ["Long Quay 12, Ærøskøbing", "Mill Lane 3, Kolding"]
    for index in (3, -1):
        with pytest.raises(OperationError, match=f"no element {index}"):
            load[index]
    with pytest.raises(OperationError, match="has no elements"):
        value(dump, MAIN, "quay")[0]
    with pytest.raises(OperationError, match="has no length"):
        len(value(dump, MAIN, "quay"))


def test_values_are_formatted_as_numbers_and_texts(dump: stillframe.Dump) -> None:
    stop = value(dump, ADD_STOP, "stop")
    assert f"{stop.grams:x} {stop.grams:>6d} {stop.grams:>6}" == "1c20   7200   7200"
    assert f"{value(dump, MAIN, 'mill.position.latitude'):.1f}" == "55.5"
    assert f"{value(dump, MAIN, 'lamp.m_priority'):>8}|" == " Express|"
    with pytest.raises(OperationError):
        f"{stop:x}"


def test_a_mistyped_name_is_told(dump: stillframe.Dump) -> None:
    with pytest.raises(ExpressionError, match=r"lod means nothing in plan.*; near: load$"):
        value(dump, PLAN, "lod")
    with pytest.raises(ExpressionError, match=r"function of this name$"):
        value(dump, PLAN, "zebra")


# Offsets as the x64 calling conventions lay classes out: a vtable pointer, m_number, 4 bytes of padding, m_label, then
# the members of the class itself.
@pytest.mark.parametrize(
    ("type_", "offset", "size", "expected"),
    [
        ("Address", 0, 8, ".street"),
        ("Address", 16, 8, ".position.latitude"),
        ("Address", 24, 8, ".position.longitude"),
        ("Address", 24, 4, ".position.longitude"),
        ("Address", 20, 4, None),
        ("Address", 16, 16, None),  # both of them
        ("Address", 32, 8, None),
        ("Address", -8, 8, None),
        ("Parcel", 8, 4, ".m_number"),  # of the base
        ("Parcel", 24, 8, ".m_to"),
        ("Parcel", 36, 4, None),  # bit-fields share it
        ("Parcel", 0, 8, None),  # the vtable pointer
        ("Sequence<const Item *,8>", 0, 8, ".m_items[0]"),
        ("Sequence<const Item *,8>", 24, 8, ".m_items[3]"),
        ("Sequence<const Item *,8>", 64, 4, ".m_size"),
        ("int", 0, 4, ""),
    ],
)
def test_parts(type_: str, offset: int, size: int, expected: str | None, dump: stillframe.Dump) -> None:
    assert part_at(dump.type(type_), offset, size) == expected


@pytest.mark.parametrize(
    ("type_", "offset", "is_indexed", "expected"),
    [
        ("Tour *", 16, False, "p->northernmost"),
        ("Tour &", 16, False, "p.northernmost"),
        ("Stop *", 24, False, "*(p+0x18)"),  # perhaps of a class derived from it
        ("Stop *", 24, True, "p[1].address"),
        ("Stop *", -8, False, "*(p-0x8)"),
        ("Stop *", -8, True, "p[-1].next"),
        ("long long *", 0, False, "*p"),
        ("long long *", 16, False, "p[2]"),
        ("long long *", 4, False, "*(p+0x4)"),
        ("Item *", 0, False, "*p"),
        ("void *", 8, False, "*(p+0x8)"),
        ("long long", 8, False, "*(p+0x8)"),
    ],
)
def test_pointees(type_: str, offset: int, is_indexed: bool, expected: str, dump: stillframe.Dump) -> None:
    assert pointee("p", dump.type(type_), offset, 8, is_indexed=is_indexed) == expected


def test_a_pointer_of_no_known_type() -> None:
    assert pointee("p", None, 8, 4) == "*(p+0x8)"


def test_the_example_is_what_its_readme_says() -> None:
    subprocess.run([sys.executable, DEPOT / "check.py"], check=True, timeout=60)
