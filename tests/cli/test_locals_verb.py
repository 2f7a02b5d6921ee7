"""`stillframe locals`, `type` and `report --locals`, on the example and on real dumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.data import EXAMPLES, shared_data

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

HELLO = EXAMPLES / "hello" / "hello.dmp"
HELLO64 = EXAMPLES / "hello" / "hello64.dmp"


def app() -> Path:
    """The program of `app.cpp`, optimised, crashed on x64."""
    return shared_data() / "made" / "app_x64.O2.crash.t0.dmp"


@pytest.mark.parametrize(("dump", "address"), [(HELLO, "0x009f7b30"), (HELLO64, "0x00007ff6009f7b30")])
def test_a_line_has_type_name_value_and_place(dump: Path, address: str, stillframe_command: Command) -> None:
    out = stillframe_command("locals", dump, "--frame", 1).out
    (line,) = [line for line in out.splitlines() if "message" in line]
    type_and_name, value, place = line.split(address)[0].split(), *line.split(address)[1].rsplit("  ", 1)
    assert type_and_name == ["const", "char", "*const", "message"]
    assert value.strip() == '"Hello World!\\n"'
    assert place.startswith("[")


def test_all_frames_have_a_heading(stillframe_command: Command) -> None:
    out = stillframe_command("locals", HELLO).out
    headings = [line.split()[1] for line in out.splitlines() if line.startswith("#")]
    assert headings[:3] == ["hello.exe!_printf", "hello.exe!main", "hello.exe!mainCRTStartup"]


def test_locals_as_json(stillframe_command: Command) -> None:
    (thread,) = stillframe_command("locals", HELLO, "--frame", 1, "--json").json["threads"]
    (frame,) = thread["frames"]
    (message,) = frame["variables"]
    assert (frame["frame"], frame["function"], frame["line"]) == (1, "main", 6)
    assert message == {
        "name": "message",
        "type": "const char *const",
        "is_argument": False,
        "value": '0x009f7b30 "Hello World!\\n"',
        "place": "[ebp-0x8]",
        "address": "0x0042ff38",
        "absent": None,
    }


def test_what_is_optimised_away_has_the_reason_in_its_place(stillframe_command: Command) -> None:
    out = stillframe_command("locals", app(), "--frame", 0).out
    (row,) = [line for line in out.splitlines() if " what " in line]
    assert row.split(maxsplit=2) == ["int", "what", "<optimized away at this instruction>"]
    (doubled,) = [line for line in out.splitlines() if "doubled" in line]
    assert doubled.split() == ["int", "doubled", "106", "eax"]
    variables = stillframe_command("locals", app(), "--frame", 0, "--json").json["threads"][0]["frames"][0]["variables"]
    (what,) = [variable for variable in variables if variable["name"] == "what"]
    assert (what["value"], what["place"], what["address"]) == (None, None, None)
    assert what["absent"]["reason"] == "optimized away at this instruction"


def test_depth(stillframe_command: Command) -> None:
    dump = shared_data() / "made" / "app_x64.d.crash.t0.dmp"
    shallow = stillframe_command("locals", dump, "--frame", 8, "--depth", 1).out
    deep = stillframe_command("locals", dump, "--frame", 8, "--depth", 3).out
    assert "m_inner={…}" in shallow
    assert "m_inner={s=-5, d=2.5}" in deep


def test_threads_and_frames_that_are_not_there(stillframe_command: Command) -> None:
    for words in (["--thread", "9"], ["--frame", "99"], ["--frame", "-1"], ["--thread", "all", "--frame", "0"]):
        stillframe_command("locals", HELLO, *words).assert_one_line_of_error(1)


def test_report_with_locals(stillframe_command: Command) -> None:
    plain = stillframe_command("report", HELLO).out
    with_locals = stillframe_command("report", HELLO, "--locals").out
    assert "message" not in plain
    assert 'message  0x009f7b30 "Hello World!\\n"' in with_locals
    answer = stillframe_command("report", HELLO, "--locals", "--json").json
    assert answer["stillframe"]["locals"][0]["frames"][1]["variables"][0]["name"] == "message"
    assert "locals" not in stillframe_command("report", HELLO, "--json").json["stillframe"]


def test_a_type(stillframe_command: Command) -> None:
    lines = stillframe_command("type", app(), "geo::Rect").out.splitlines()
    assert lines[0].startswith("class geo::Rect  80 bytes")
    assert [line.split() for line in lines[1:4]] == [
        ["+0x0", "geo::Shape", "base"],
        ["+0x18", "geo::Named", "base"],
        ["+0x28", "geo::Rect::Inner", "m_inner"],
    ]
    assert [line.split() for line in stillframe_command("type", app(), "Mode").out.splitlines()[1:]] == [
        ["Idle", "0"],
        ["Busy", "7"],
        ["Done", "8"],
    ]
    answer = stillframe_command("type", app(), "Flags", "--json").json
    assert [(member["name"], member["offset"], member["bits"]) for member in answer["members"]] == [
        ("a", 0, [0, 3]),
        ("b", 0, [3, 5]),
        ("c", 0, [8, 9]),
        ("d", 8, [0, 40]),
    ]


def test_types_that_match(stillframe_command: Command) -> None:
    out = stillframe_command("type", app(), "geo::*").out
    assert set(out.splitlines()) >= {"geo::Shape", "geo::Rect", "geo::Named", "geo::Rect::Inner"}
    assert stillframe_command("type", app(), "geo::Rect *").out.startswith("geo::Rect *  8 bytes")
    for name in ("geo::Nothing", "nothing*"):
        stillframe_command("type", app(), name).assert_one_line_of_error(1)
