"""Variables: from what debug information says of them to where they are; globals, statics, thread-local storage."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from stillframe import Absent, Reason
from stillframe.errors import AmbiguousSymbol, NoSuchModule, NoSuchVariable
from stillframe.model.placing import Frames, _Placer, part_name
from stillframe.model.value.location import InMemory, InParts, Missing
from stillframe.model.value.value import Value
from stillframe.model.variables import named_from
from support.dump_builder import LINUX, MACOS
from support.fake_debug import BASE, HEAP, FakeDebug, FakeVariable, program

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe.model.value.location import Location
    from support.fake_debug import Program

TEB, BLOCKS, BLOCK = 0x7E0000, 0x7E1000, 0x7E2000


@dataclass
class FakeLocated:
    """As `_engine.Located`."""

    kind: str
    address: int | None = None
    register: str | None = None
    first_byte: int = 0
    data: bytes | None = None
    pieces: list[FakePiece] = field(default_factory=list)
    missing: str | None = None


@dataclass
class FakePiece:
    """As `_engine.LocatedPiece`."""

    offset_bits: int
    size_bits: int | None
    located: FakeLocated


class FakeRegisters:
    """As `_engine.Registers`: of x64, with three known."""

    cpu = "amd64"
    names = ("rax", "rsi", "rdi")

    def get(self, name: str) -> int | None:
        return {"rax": 0x1122334455667788, "rsi": (-11) & ((1 << 64) - 1), "xmm0": 1 << 64 | 2}.get(name)


def place(
    made: Program, located: FakeLocated, size: int | None = 4, words: str | None = "[rbp-0x10]"
) -> Location | Absent:
    frames = Frames((), made.dump.threads[0].record)
    placer = _Placer(made.process, made.dump.modules[0], frames, size)
    return placer.place(cast("Any", located), cast("Any", FakeRegisters()), words)


def read(made: Program, located: FakeLocated, size: int) -> tuple[str, bytes]:
    found = place(made, located, size)
    assert not isinstance(found, Absent)
    data = found.read(size)
    assert isinstance(data, bytes)
    return found.text, data


def test_registers_are_read_at_the_width_of_the_type(tmp_path: Path) -> None:
    made = program(tmp_path, FakeDebug())
    assert read(made, FakeLocated("register", register="rsi"), 4) == ("esi", b"\xf5\xff\xff\xff")
    assert read(made, FakeLocated("register", register="rax"), 8) == ("rax", bytes.fromhex("8877665544332211"))
    assert read(made, FakeLocated("register", register="rax", first_byte=1), 1) == ("ah", b"\x77")
    assert read(made, FakeLocated("register", register="rax"), 2) == ("ax", b"\x88\x77")
    assert read(made, FakeLocated("register", register="xmm0"), 16) == ("xmm0", b"\2" + bytes(7) + b"\1" + bytes(7))
    assert place(made, FakeLocated("register", register="rdi")) == Absent.because(Reason.REGISTER_UNKNOWN)


@pytest.mark.parametrize(
    ("cpu", "register", "first_byte", "size", "name"),
    [
        ("amd64", "rsi", 0, 1, "sil"),
        ("amd64", "r8", 0, 4, "r8d"),
        ("amd64", "rbx", 1, 1, "bh"),
        ("amd64", "rbx", 0, 3, "rbx"),
        ("x86", "esi", 0, 4, "esi"),
        ("x86", "esi", 0, 2, "si"),
        ("arm64", "x19", 0, 4, "w19"),
        ("arm64", "x19", 0, 8, "x19"),
        ("arm64", "fp", 0, 4, "fp"),
        ("arm", "r4", 0, 1, "r4"),
    ],
)
def test_names_of_parts_of_registers(cpu: str, register: str, first_byte: int, size: int, name: str) -> None:
    assert part_name(cpu, register, first_byte, size) == name


def test_memory_and_constants(tmp_path: Path) -> None:
    made = program(tmp_path, FakeDebug(), b"\1\2\3\4")
    assert read(made, FakeLocated("memory", HEAP), 4) == ("[rbp-0x10]", b"\1\2\3\4")
    constant = place(made, FakeLocated("value", data=b"\5\0\0\0\0\0\0\0"), 4, "constant")
    assert not isinstance(constant, Absent)
    assert (constant.text, constant.read(4), constant.address) == ("constant", b"\5\0\0\0", None)
    computed = place(made, FakeLocated("value", data=b"\5"), 4, None)
    assert not isinstance(computed, Absent)
    assert (computed.text, computed.read(4)) == ("computed", Missing(Absent.because(Reason.NOT_COVERED)))


def test_pieces(tmp_path: Path) -> None:
    made = program(tmp_path, FakeDebug(), b"\1\2\3\4")
    gone = FakeLocated("absent", missing="optimized_away")
    pieces = [
        FakePiece(0, 32, FakeLocated("memory", HEAP)),
        FakePiece(32, 32, FakeLocated("register", register="rsi")),
        FakePiece(64, None, gone),
    ]
    found = place(made, FakeLocated("pieces", pieces=pieces), 12)
    assert isinstance(found, InParts)
    assert found.read(8) == b"\1\2\3\4\xf5\xff\xff\xff"
    assert found.text == "0x700000, esi, ?"
    assert place(made, FakeLocated("pieces", pieces=[FakePiece(0, None, gone)])) == Absent.because(
        Reason.OPTIMIZED_AWAY
    )


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("optimized_away", Reason.OPTIMIZED_AWAY),
        ("register", Reason.REGISTER_UNKNOWN),
        ("frame_base", Reason.FRAME_BASE_UNKNOWN),
        ("entry_value", Reason.ENTRY_VALUE_UNKNOWN),
        ("expression", Reason.EXPRESSION_FAILED),
    ],
)
def test_reasons(missing: str, reason: Reason, tmp_path: Path) -> None:
    made = program(tmp_path, FakeDebug())
    assert place(made, FakeLocated("absent", missing=missing)) == Absent.because(reason)


def test_a_place_that_stands_in_absent_memory_has_the_memorys_reason(tmp_path: Path) -> None:
    made = program(tmp_path, FakeDebug())
    found = place(made, FakeLocated("absent", BASE + 0x3000, missing="memory"))
    assert found == Absent.because(Reason.IMAGE_MISSING)


# --- names --------------------------------------------------------------------------------------------------------


def test_what_a_name_may_mean_in_a_function() -> None:
    names = list(named_from("geo::Rect::area", "m"))
    assert names == ["geo::Rect::area::m", "geo::Rect::m", "geo::m", "m"]
    assert list(named_from("main", "::g")) == ["g"]
    for function, scopes in (
        ("(anonymous namespace)::f", ["(anonymous namespace)::f", "(anonymous namespace)"]),
        ("`anonymous namespace'::f", ["`anonymous namespace'::f", "`anonymous namespace'"]),
        ("function<int(int)>::call", ["function<int(int)>::call", "function<int(int)>"]),
        ("function<int(int)>::call(std::x, int)", ["function<int(int)>::call", "function<int(int)>"]),
        ("Call::operator()", ["Call::operator()", "Call"]),
        ("Call::operator()(int) const", ["Call::operator()", "Call"]),
        (
            "f(int)::{lambda(char)#1}::operator()",
            ["f(int)::{lambda(char)#1}::operator()", "f(int)::{lambda(char)#1}", "f(int)"],
        ),
    ):
        assert list(named_from(function, "m")) == [*(f"{scope}::m" for scope in scopes), "m"]
    assert list(named_from("A<b::c>::f(int)", "m")) == ["A<b::c>::f::m", "A<b::c>::m", "m"]


def test_globals_by_name(tmp_path: Path) -> None:
    debug = FakeDebug()
    int_ = debug.int_()
    debug.data = [FakeVariable("g", int_, HEAP - BASE), FakeVariable("twin", int_, 0), FakeVariable("twin", int_, 4)]
    debug.data += [FakeVariable("untyped", None, 0), FakeVariable("extern", int_, None, "optimized_away")]
    made = program(tmp_path, debug, b"\7\0\0\0")
    for name in ("g", "app!g", "app.exe!g"):
        value = made.dump[name]
        assert isinstance(value, Value)
        assert (value.read(), value.address) == (7, HEAP)
    with pytest.raises(AmbiguousSymbol):
        made.dump["twin"]
    with pytest.raises(NoSuchVariable):
        made.dump["nothing"]
    with pytest.raises(NoSuchModule):
        made.dump["other!g"]
    assert made.dump["untyped"] == Absent.because(Reason.TYPE_NOT_RECORDED)
    assert made.dump["extern"] == Absent.because(Reason.OPTIMIZED_AWAY)


def test_frames_look_names_up(tmp_path: Path) -> None:
    debug = FakeDebug()
    debug.data = [FakeVariable("g", debug.int_(), HEAP - BASE)]
    frame = program(tmp_path, debug, b"\7\0\0\0").dump.threads[0].frames[0]
    assert frame["g"] == 7
    assert (len(frame.locals), len(frame.arguments)) == (0, 0)
    with pytest.raises(NoSuchVariable, match="nothing"):
        frame["nothing"]
    with pytest.raises(KeyError):
        frame.locals["g"]
    assert "#0 app.exe+0x1000" in frame._repr_html_()


# --- thread-local storage -----------------------------------------------------------------------------------------


def thread_local(folder: Path, *, without: int | None = None, block: int | None = None, **scene: Any) -> Value | Absent:
    """Index 2; the module's block is at `BLOCK`, the variable 4 bytes in. `without` leaves out memory at an address."""
    debug = FakeDebug()
    debug.data = [FakeVariable("t_slot", debug.int_(), 4, "thread_local")]
    header = bytearray(0x200)
    struct.pack_into("<I", header, 0x3C, 0x80)
    header[0x80:0x84] = b"PE\0\0"
    struct.pack_into("<I", header, 0x80 + 24 + 112 + 8 * 9, 0x3000)
    memory = {
        BASE: bytes(header),
        BASE + 0x3000: struct.pack("<QQQ", 0, 0, BASE + 0x4000),
        BASE + 0x4000: struct.pack("<I", 2),
        TEB: bytes(0x58) + struct.pack("<Q", BLOCKS),
        BLOCKS: struct.pack("<QQQ", 0, 0, BLOCK if block is None else block),
        BLOCK: struct.pack("<ii", 0, 9),
    }
    memory.pop(without or 0, None)
    return program(folder, debug, memory=memory, **({"teb": TEB} | scene)).dump["t_slot"]


def test_thread_local_storage_of_windows(tmp_path: Path) -> None:
    value = thread_local(tmp_path)
    assert isinstance(value, Value)
    assert (value.address, value.read()) == (BLOCK + 4, 9)


def test_thread_local_storage_of_windows_on_arm64(tmp_path: Path) -> None:
    """x18 is the thread environment block, should the dump not say where that is."""
    value = thread_local(tmp_path, cpu="arm64", teb=0, registers={"x18": TEB})
    assert isinstance(value, Value)
    assert (value.address, value.read()) == (BLOCK + 4, 9)


def test_a_module_without_a_block_in_this_thread(tmp_path: Path) -> None:
    assert thread_local(tmp_path, block=0) == Absent.because(Reason.TLS_NOT_ALLOCATED)


@pytest.mark.parametrize(("without", "reason"), [(BASE + 0x4000, Reason.IMAGE_MISSING), (TEB, Reason.NOT_IN_DUMP)])
def test_thread_local_storage_that_is_not_there(without: int, reason: Reason, tmp_path: Path) -> None:
    assert thread_local(tmp_path, without=without) == Absent.because(reason)


def image_with_thread_locals(vaddr: int, size_bytes: int, alignment: int) -> bytes:
    """The headers of an ELF image with a segment PT_TLS."""
    header = struct.pack("<4sBB10xHHIQQQIHHH", b"\x7fELF", 2, 1, 3, 0, 1, 0, 64, 0, 0, 64, 56, 1)
    return header.ljust(64, b"\0") + struct.pack("<IIQQQQQQ", 7, 4, 0, vaddr, vaddr, 4, size_bytes, alignment)


@pytest.mark.parametrize(
    ("cpu", "vaddr", "size_bytes", "alignment", "block"),
    [
        ("amd64", 0, 16, 16, -16),
        ("amd64", 8, 24, 32, -24),  # address and offset agree modulo 32: -24 is 8
        ("amd64", 0, 5, 4, -8),
        ("arm64", 0, 16, 8, 16),
        ("arm64", 8, 16, 64, 72),
    ],
)
def test_thread_local_storage_of_a_minidump_of_crashpad(
    cpu: str, vaddr: int, size_bytes: int, alignment: int, block: int, tmp_path: Path
) -> None:
    """Crashpad has the thread pointer in the field for the thread environment block."""
    debug = FakeDebug()
    debug.data = [FakeVariable("t_slot", debug.int_(), 4, "thread_local")]
    memory = {BASE: image_with_thread_locals(vaddr, size_bytes, alignment), TEB + block: struct.pack("<ii", 0, 9)}
    value = program(tmp_path, debug, cpu=cpu, platform=LINUX, memory=memory, teb=TEB).dump["t_slot"]
    assert isinstance(value, Value)
    assert (value.address, value.read()) == (TEB + block + 4, 9)


@pytest.mark.parametrize(
    ("platform", "reason"), [(LINUX, Reason.THREAD_POINTER_UNKNOWN), (MACOS, Reason.TLS_UNSUPPORTED)]
)
def test_thread_local_storage_that_no_dump_tells(platform: int, reason: Reason, tmp_path: Path) -> None:
    debug = FakeDebug()
    debug.data = [FakeVariable("t_slot", debug.int_(), 4, "thread_local")]
    made = program(tmp_path, debug, platform=platform, memory={BASE: image_with_thread_locals(0, 16, 16)})
    assert made.dump["t_slot"] == Absent.because(reason)


def test_locations_wrap_at_the_size_of_pointers(tmp_path: Path) -> None:
    made = program(tmp_path, FakeDebug(), cpu="x86")
    placer = _Placer(made.process, made.dump.modules[0], Frames((), None), 4)
    found = placer.memory(1 << 32 | 0x10)
    assert isinstance(found, InMemory)
    assert (found.address, found.at(-0x20).address) == (0x10, 0xFFFFFFF0)
