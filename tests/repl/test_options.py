"""Options of verbs, and arguments that nobody should give. Expected values come from app.cpp of the real data."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe.cli.page import one_line
from stillframe.cli.verb import Unanswered
from stillframe.errors import StillframeError
from stillframe.repl import prompt, verbs
from stillframe.repl.session import Session
from support.data import EXAMPLES, shared_data
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

HELLO = EXAMPLES / "hello" / "hello.dmp"
FLAGS = ("a=5", "b=17", "c=-3")  # fl.a = 5; fl.b = 17; fl.c = -3


@pytest.fixture
def app() -> Session:
    return Session(stillframe.open(shared_data() / "made" / "app_x64.d.crash.t0.dmp"))


@pytest.fixture
def hello() -> Session:
    return Session(stillframe.open(HELLO))


def said(session: Session, text: str) -> str:
    return "".join(str(verbs.execute(session, command).page) for command in verbs.commands(text))


# --- stacks -----------------------------------------------------------------------------------------------------------


def test_arguments_of_calls(app: Session) -> None:
    # outer_poke(shape, local + ss) with local 10 and ss 1; poke(g_null, total) with total 11 + 42
    brief = said(app, "kb 4").splitlines()
    assert brief[1].split("!")[1].startswith("poke(nullptr, 53)")
    assert re.search(r"crash_here\(0x\w+, \{x=0, y=1\}, 1\)  app\.cpp:98", brief[3])
    full = said(app, "kp 2").splitlines()
    assert "poke(volatile int * where = nullptr, int what = 53)" in full[1]
    assert re.search(r"outer_poke\(geo::Shape \* s = 0x\w+, int base = 11\)", full[2])
    apart = said(app, "kP 1").splitlines()
    assert apart[2:4] == ["        volatile int * where = nullptr,", "        int what = 53)  app.cpp:77"]
    assert "0x" not in said(app, "kc 3").partition("\n\n")[0]
    assert re.search(r"recurse\(.*\(cfi, frame base 0x7ffffe1ffc90\)", said(app, "kv 4"))


def test_stack_that_functions_use(app: Session) -> None:
    # `recurse` begins with `sub rsp, 58h`, below its return address; `poke` is inlined.
    used = [line.split("0x")[0].split() for line in said(app, "kf 4").splitlines()[1:5]]
    assert (used[0], used[3]) == (["#0"], ["#3", str(0x58 + 8)])


def test_arguments_that_nobody_recorded(hello: Session) -> None:
    lines = said(hello, "kb").splitlines()
    assert "_printf(…)" in lines[1]  # its parameters are variadic, and no record says where they are
    assert "main()  hello.cpp:6" in lines[2]  # int main()
    words = re.search(r"kernel32\.dll\+0xea40\(0x\w+, 0x\w+, 0x\w+\)", lines[4])
    assert words is not None
    memory = hello.dump.memory.read(hello.thread.frames[3].record.cfa or 0, 4)
    assert f"({int.from_bytes(memory, 'little'):#x}," in words[0]


# --- variables and types ----------------------------------------------------------------------------------------------


def test_options_of_variables(app: Session) -> None:
    said(app, ".frame 3")  # recurse(shape, depth, big)
    lines = said(app, "dv /i /V").splitlines()
    assert [line.split()[0] for line in lines] == ["argument"] * 3 + ["local"] * 4
    depth = next(line for line in lines if " depth " in line)
    address = int(depth.split()[1], 16)
    assert address == app.frame.registers.stack_pointer + 0x4C  # type: ignore[operator]
    assert "[rsp+0x4c]" in depth
    assert [line.split()[1] for line in said(app, "dv m*").splitlines()] == ["mode"]
    data = verbs.execute(app, "dv *ult").data
    assert data is not None
    assert [each["name"] for each in data()["variables"]] == ["result"]  # type: ignore[index]


def test_objects_with_offsets(app: Session) -> None:
    said(app, ".frame 2")
    rect = said(app, "dt shape")  # geo::Shape *, which points to a geo::Rect(42, 6, 7)
    assert re.search(r"\+0x40 +int +m_w +6\n", rect)
    assert "m_tag" not in rect.partition("\n")[2].replace("{m_tag=77}", "")
    assert re.search(r"\+0x8 +int +m_tag +77\n", said(app, "dt -r shape"))
    flags = said(app, "dt fl")
    assert all(flag in flags for flag in FLAGS)
    assert re.search(r"\+0x0 bits 3 to 7 +unsigned int +b +17\n", flags)
    assert "struct Point  8 bytes" in said(app, "dt -r1 geo::Rect")
    assert "struct Point  8 bytes" not in said(app, "dt geo::Rect")
    assert said(app, "dt shape->m_name").rstrip().partition("  ")[0].endswith('"rect"')


# --- code, memory, modules --------------------------------------------------------------------------------------------


def test_registers_and_their_parts(app: Session) -> None:
    # *where = doubled: mov [rax],ecx with a null pointer, and 106
    assert said(app, "r ecx,cl,rax").split() == ["ecx", "0000006a", "cl", "6a", "rax", "0" * 16]
    whole = said(app, "r")
    assert "crash_here+" in whole
    assert "dword ptr [rax],ecx" in whole
    assert "?" * 16 in said(app, ".frame 8; r rax")


def test_modules(app: Session) -> None:
    assert said(app, "lm a @rip") == said(app, "lm m app*")
    assert "PDB key" in said(app, "lmvm app*")
    assert said(app, "lmv m app*") == said(app, "lm v m app*")


def test_texts_of_a_length(app: Session) -> None:
    # buffer[i] = 'a' + (i + depth) % 26, of depth 1
    assert said(app, ".frame 2; da &buffer L5").endswith('"bcdef"\n')
    assert said(app, "da L3").endswith('"ghi"\n')
    start = app.evaluate("&buffer").number_()
    assert said(app, 's -a &buffer L20 "ijk"').startswith(f"0x{int(start) + 7:016X}")
    assert said(app, "s -b &buffer L20 62 63").count("\n") == 2  # bc…xyzabc…
    with pytest.raises(Unanswered, match="nowhere"):
        said(app, "s -b &buffer L1f 65 66 67 00")
    with pytest.raises(Unanswered, match="nowhere"):
        said(app, "s -b &buffer L1 63")


def test_addresses_as_other_debuggers_write_them(app: Session) -> None:
    expected = said(app, "db 0x7ffffe1ffba0 L4")
    for spelled in ("7ffffe1ffba0", "00007fff`fe1ffba0", "7fff`fe1ffba0", "@rsp+0x50"):
        assert said(app, f"db {spelled} L4") == expected


def test_regions_are_counted(tmp_path: Path) -> None:
    regions = [(0x10000, 0x2000, 0x1000, 4, 0x20000), (0x20000, 0x1000, 0x1000, 4, 0x20000), (0, 0x8000, 0x10000, 1, 0)]
    data = b"".join(
        base.to_bytes(8, "little") * 2
        + (0).to_bytes(8, "little")
        + size.to_bytes(8, "little")
        + b"".join(word.to_bytes(4, "little") for word in (state, protect, kind, 0))
        for base, size, state, protect, kind in regions
    )
    head = b"".join(word.to_bytes(4, "little") for word in (16, 48)) + len(regions).to_bytes(8, "little")
    (tmp_path / "x.dmp").write_bytes(DumpBuilder("amd64").memory(0x10000, bytes(64)).stream(16, head + data).build())
    session = Session(stillframe.open(tmp_path / "x.dmp"))
    rows = [line.split() for line in said(session, "!address -summary").splitlines()]
    assert rows[1:] == [["free", "---", "1", "32,768", "0"], ["committed", "private", "rw-", "2", "12,288", "64"]]
    assert "committed, rw-" in said(session, "!address 10010")


# --- answers as data --------------------------------------------------------------------------------------------------


def test_json_behind_a_verb(hello: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert prompt.answer(hello, "? 1 + 2 --json; .echo plain") == 0
    written = capsys.readouterr().out
    assert json.loads(written[: written.rindex("}") + 1])["value"] == "3"
    assert written.endswith("plain\n")
    assert prompt.answer(hello, "q --json") == 1
    assert "no answer as data" in capsys.readouterr().err


def test_json_of_a_row_tells_of_failures_in_their_place(stillframe_command: Command) -> None:
    result = stillframe_command("debug", HELLO, "-c", "? 1; nosuch; ? 2", "--json")
    assert result.code == 1
    answers = result.json["answers"]
    assert [(each["answer"] or {}).get("value") for each in answers] == ["1", None, "2"]
    assert "no such verb" in answers[1]["problem"]


VERBS_WITHOUT_DATA = {"q"}


def test_every_verb_has_data(app: Session) -> None:
    arguments = {
        "dt": "geo::Rect",
        "dx": "1",
        "??": "1",
        "da": "@rsp",
        "s": "rect",
        "x": "crash*",
        "~": "",
        ".echo": "x",
        ".formats": "1",
        "!error": "5",
    }
    unanswered = {"lsa", "!handle", "!gle", ".dump", "!address"}  # which this dump has nothing of, or nobody can do
    for verb in verbs.ALL:
        name = verb.names[0]
        if name in unanswered | VERBS_WITHOUT_DATA:
            continue
        output = verbs.execute(app, f"{name} {arguments.get(name, '')}".strip())
        assert output.data is not None, name
        assert json.loads(json.dumps(output.data())), name


# --- words of other debuggers ----------------------------------------------------------------------------------------


def test_registers_and_memory_as_masm_has_them(app: Session) -> None:
    said(app, ".frame 2")
    buffer = app.evaluate("&buffer").number_()  # "bcdefgh…", at [rsp+50h]
    for spelled in ("rsp+50", "@rsp+50", "rsp + 0x50", "rsp+0n80", "rsp+60-10", "buffer"):
        assert app.address(spelled) == buffer, spelled
    for text, expected in (
        ("by(&buffer)", ord("b")),
        ("wo(&buffer)", int.from_bytes(b"bc", "little")),
        ("dwo(&buffer)", int.from_bytes(b"bcde", "little")),
        ("qwo(&buffer)", int.from_bytes(b"bcdefghi", "little")),
        ("poi(&shape) == shape", 1),
        ("@@c++(depth + 1)", 2),
        ("@@masm(poi(&shape)) == @@(shape)", 1),
    ):
        assert app.evaluate(text) == expected, text
    assert app.address("poi(rsp+80)") == app.evaluate("shape").number_()  # shape is at [rsp+80h]
    assert said(app, "u . L1") == said(app, "u @rip L1")
    with pytest.raises(StillframeError, match="poi takes one address"):
        app.evaluate("poi(1, 2)")


def test_memory_in_columns_and_as_floating_point(app: Session) -> None:
    said(app, ".frame 2")
    at = app.evaluate("&v").number_()  # v.f = 1.0f
    assert said(app, f"df {at:x} L1").split()[1:] == ["1"]
    app.choose_frame(8)
    half = app.evaluate("&rect.m_inner.d").number_()  # 2.5
    assert said(app, f"dD {half:x} L1").split()[1:] == ["2.5"]
    buffer = said_at(app, 2, "db /c4 buffer L8").splitlines()
    assert [line.split(maxsplit=1)[1] for line in buffer] == ["62 63 64 65  bcde", "66 67 68 69  fghi"]
    assert len(said(app, "dq /c 1 rsp L3").splitlines()) == 3


def test_where_a_frame_returns_to(app: Session) -> None:
    said(app, ".frame 2")
    assert "recurse+" in said(app, "ln $ra")
    assert app.evaluate("@$ra") == app.dump.threads[0].frames[3].instruction
    outermost = len(app.thread.frames) - 1
    app.choose_frame(outermost)
    with pytest.raises(StillframeError):
        app.evaluate("@$ra")


def test_a_member_of_a_type(app: Session) -> None:
    assert said(app, "dt geo::Rect m_w") == "  +0x40  int  m_w\n"
    assert said(app, "dt geo::Rect m_id") == "  +0x8  int  m_id\n"  # of a base
    said(app, ".frame 8")
    address = app.evaluate("&rect").number_()
    assert said(app, f"dt geo::Rect {address:x} m_w").startswith("(int) 6")
    with pytest.raises(StillframeError, match="m_nothing"):
        said(app, f"dt geo::Rect {address:x} m_nothing")


def test_a_number_in_all_its_forms(app: Session) -> None:
    shown = dict(re.split(r"  +", line.strip(), maxsplit=1) for line in said(app, ".formats 0x5f3759df").splitlines())
    assert shown["hexadecimal"] == "0x5f3759df"
    assert shown["decimal"] == "1597463007"
    assert shown["characters"] == "_7Y."
    assert shown["binary"] == "01011111 00110111 01011001 11011111"
    assert shown["seconds since 1970"] == "2020-08-15 03:43:27 UTC"
    assert shown["float"] == "1.32118e+19"
    # 2000-01-01 as FILETIME: 12,591,158,400 s after 1601 (365 * 399 + 97 days)
    assert "2000-01-01 00:00:00 UTC" in said(app, ".formats 125911584000000000")
    assert "-1" in said(app, ".formats -1")
    with pytest.raises(Unanswered, match="no number"):
        said_at(app, 2, ".formats buffer")


def said_at(session: Session, frame: int, command: str) -> str:
    session.choose_frame(frame)
    return said(session, command)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("5", "ERROR_ACCESS_DENIED"),
        ("0x5", "ERROR_ACCESS_DENIED"),
        ("80070005", "ERROR_ACCESS_DENIED"),
        ("c0000005", "STATUS_ACCESS_VIOLATION"),
    ],
)
def test_names_of_errors(text: str, name: str, app: Session) -> None:
    assert name in said(app, f"!error {text}")


@pytest.mark.parametrize("command", ["g", "gu", "bp main", "eb rsp 1", "step"])
def test_nothing_runs(command: str, app: Session) -> None:
    with pytest.raises(Unanswered, match="does not run"):
        said(app, command)


# --- hostile arguments ------------------------------------------------------------------------------------------------

NASTY = (
    *("", " ", "0", "-1", "L", "L0", "Lffffffffffffffff", "0 L1", "ffffffffffffffff", "ffffffffffffffff L10"),
    *(
        "0x",
        "0x1ffffffffffffffff",
        "'",
        '"',
        "(",
        ")",
        "((((",
        "`",
        "\\",
        "%s%n",
        "\x00",
        "\x1b[2J",
        "é",
        "日本",
        "\ud800",
    ),
    *(
        "*",
        "?",
        "!",
        "!!",
        "a!b!c",
        "[",
        "[]",
        "[[",
        "@",
        "@$",
        "$",
        "@rsp @rsp @rsp",
        "-r",
        "-r999",
        "/i",
        "/",
        "--json x",
    ),
    *("1/0", "1 << 99999", "x => x", "a" * 5000, "(" * 5000, "*" * 5000, "9" * 400, "0 ffffffffffffffff", "L?ffffffff"),
    *(
        "m",
        "m [",
        "a",
        "v",
        "=",
        "rax=1",
        "crash_here",
        "&crash_here",
        "void",
        "(void)0",
        "*(int*)0",
        "all all",
        "~*~*k",
    ),
)


@pytest.mark.parametrize("name", sorted(verbs.BY_NAME))
def test_nasty_arguments_end_in_one_line(name: str, hello: Session) -> None:
    """An answer, or one line that says why there is none; nothing else, and soon."""
    if name in {"q", "qq", "quit", "exit"}:
        return
    for arguments in NASTY:
        try:
            output = verbs.execute(hello, f"{name} {arguments}")
            text = str(output.page)
            data = None if output.data is None else json.dumps(output.data())
        except StillframeError as error:
            text, data = str(error), None
            assert one_line(text) == text or "\x00" in arguments or "\x1b" in arguments, (name, arguments)
        assert len(text) < 10_000_000, (name, arguments)
        assert "\x1b" not in text or "\x1b" in arguments
        assert data is None or len(data) < 50_000_000


@pytest.mark.parametrize(
    "text", ["~", "~~", "~[", "~~[", "~~[]", "~~[zz]s", "~*", "~*~*~*k", "~99", "~-1s", "~ s", ";;;", "k;" * 3]
)
def test_nasty_prefixes(text: str, hello: Session, capsys: pytest.CaptureFixture[str]) -> None:
    prompt.answer(hello, text)
    assert "internal error" not in capsys.readouterr().err


def test_prefixes_that_nest(hello: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert prompt.answer(hello, "~*" * 5000 + "k") == 1
    assert capsys.readouterr().err.count("\n") == 1
