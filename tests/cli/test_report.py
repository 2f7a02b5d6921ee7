"""`stillframe report`: on one screen for people, and in minidump-stackwalk's schema for its users."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import pytest

from stillframe.analysis.fast_fail import NAMES as FAST_FAILS
from support.data import EXAMPLES, shared_data
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

HELLO = EXAMPLES / "hello" / "hello.dmp"
SCREEN_LINES = 24


def test_the_report_of_the_example_fits_a_screen(stillframe_command: Command) -> None:
    result = stillframe_command("report", HELLO)
    lines = result.out.splitlines()
    assert result.code == 0
    assert len(lines) <= SCREEN_LINES
    assert lines[0].startswith(f"hello.dmp: minidump of {HELLO.stat().st_size:,} bytes, written 20")
    assert "x86" in lines[1]
    assert "hello.exe!main" in result.out
    (program,) = [line.split() for line in lines if line.startswith("0x009F0000")]
    assert program == ["0x009F0000", "0x009F9000", "hello.exe", "image", "found", "symbols", "found"]


def test_a_dump_without_an_exception(tmp_path: Path, stillframe_command: Command) -> None:
    builder = DumpBuilder().thread(7, {"eip": 0x401000, "esp": 0x20000}, 0x20000, bytes(16))
    result = stillframe_command("report", builder.write(tmp_path / "quiet.dmp"))
    assert result.code == 0
    assert "no crash" in result.out
    assert "thread 0  id 7" in result.out
    answer = stillframe_command("report", tmp_path / "quiet.dmp", "--json").json
    assert answer["crash_info"]["type"] is None
    assert answer["crashing_thread"] is None


def test_a_dump_that_cannot_tell_whether_there_was_a_crash_does_not_deny_it(
    tmp_path: Path, stillframe_command: Command
) -> None:
    nothing = DumpBuilder().write(tmp_path / "nothing.dmp")
    assert "no crash is recorded, and no thread" in stillframe_command("report", nothing).out
    damaged = DumpBuilder().stream(6, b"cut off").write(tmp_path / "damaged.dmp")
    assert "the dump's record of the crash cannot be read" in stillframe_command("report", damaged).out


def test_the_threads_shown_can_be_chosen(tmp_path: Path, stillframe_command: Command) -> None:
    builder = DumpBuilder()
    for number in range(3):
        builder.thread(number + 10, {"eip": 0x401000, "esp": 0x20000}, 0x20000, bytes(16))
    dump = builder.exception(11, 0x80000003, 0x401000).write(tmp_path / "three.dmp")

    def shown(*words: str) -> list[str]:
        out = stillframe_command("report", dump, *words).out
        return [line.split()[1] for line in out.splitlines() if line.startswith("thread ")]

    assert shown() == ["1"]
    assert shown("--threads", "all") == ["0", "1", "2"]
    assert shown("--threads", "2") == ["2"]
    stillframe_command("report", dump, "--threads", "3").assert_one_line_of_error(1)
    walked = stillframe_command("report", dump, "--json", "--threads", "2").json["threads"]
    assert [thread["frames"] is not None for thread in walked] == [False, False, True]
    assert all(thread["frames"] for thread in stillframe_command("report", dump, "--json").json["threads"])


def test_the_same_input_gives_the_same_output(stillframe_command: Command) -> None:
    for words in (["--json"], []):
        assert stillframe_command("report", HELLO, *words).out == stillframe_command("report", HELLO, *words).out


# --- against minidump-stackwalk ---------------------------------------------------------------------------------------


def snapshot(name: str) -> dict[str, Any]:
    """What minidump-stackwalk printed, below the snapshot's own header."""
    path = shared_data() / "others" / "rust-minidump" / "expected" / f"test_minidump_stackwalk__{name}.snap"
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8").split("---\n", 2)[2])
    return value


def keys_lost(expected: object, ours: object, at: str = "") -> list[str]:
    """Places where a key of `expected` is not in `ours`, at any depth. `registers` are values, not a schema."""
    if isinstance(expected, dict) and isinstance(ours, dict):
        lost = [f"{at}.{key}" for key in expected if key not in ours]
        return lost + [
            each for key in expected if key in ours for each in keys_lost(expected[key], ours[key], f"{at}.{key}")
        ]
    if isinstance(expected, list) and isinstance(ours, list):
        return [each for pair in zip(expected, ours, strict=False) for each in keys_lost(*pair, f"{at}[]")]
    return []


def keys_added(expected: object, ours: object, at: str = "") -> set[str]:
    """Keys of ours that the schema does not have; all must be `stillframe`."""
    if isinstance(expected, dict) and isinstance(ours, dict):
        added = {f"{at}.{key}" for key in ours if key not in expected}
        return added | {
            each for key in expected if key in ours for each in keys_added(expected[key], ours[key], f"{at}.{key}")
        }
    if isinstance(expected, list) and isinstance(ours, list):
        return {each for pair in zip(expected, ours, strict=False) for each in keys_added(*pair, f"{at}[]")}
    return set()


RUST_MINIDUMP = [("test.dmp", "json-pretty"), ("linux-mini.dmp", "linux_json_pretty")]


def report_of(command: Command, name: str) -> dict[str, Any]:
    return command("report", shared_data() / "others" / "rust-minidump" / name, "--json").json


@pytest.mark.parametrize(("dump", "expected"), RUST_MINIDUMP)
def test_every_key_of_minidump_stackwalk_is_there(dump: str, expected: str, stillframe_command: Command) -> None:
    ours, theirs = report_of(stillframe_command, dump), snapshot(expected)
    assert keys_lost(theirs, ours) == []
    added = {key for key in keys_added(theirs, ours) if ".registers." not in key}
    assert {key.rpartition(".")[2] for key in added} == {"stillframe"}


def without(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: each for key, each in value.items() if key not in keys}


# What differs on purpose (docs/json.md): symbols were looked for; no instruction was judged for plausibility.
SYMBOL_STATES = ("missing_symbols", "loaded_symbols", "corrupt_symbols")


@pytest.mark.parametrize(("dump", "expected"), RUST_MINIDUMP)
def test_values_outside_of_stacks_equal_minidump_stackwalks(
    dump: str, expected: str, stillframe_command: Command
) -> None:
    ours, theirs = report_of(stillframe_command, dump), snapshot(expected)
    for key in ("type", "address", "crashing_thread"):
        assert ours["crash_info"][key] == theirs["crash_info"][key]
    for key in ("main_module", "pid", "process_uptime", "status", "thread_count", "unloaded_modules", "handles"):
        assert ours[key] == theirs[key], key
    for key in ("linux_memory_map_count", "lsb_release", "soft_errors", "mac_crash_info"):
        assert ours[key] == theirs[key], key
    assert ours["system_info"] == theirs["system_info"]
    assert [thread["thread_id"] for thread in ours["threads"]] == [thread["thread_id"] for thread in theirs["threads"]]
    modules = [without(module, "stillframe", *SYMBOL_STATES) for module in ours["modules"]]
    assert modules == [without(module, *SYMBOL_STATES) for module in theirs["modules"]]


def test_the_crashed_stack_without_symbols_equals_minidump_stackwalks(stillframe_command: Command) -> None:
    ours = report_of(stillframe_command, "test.dmp")["crashing_thread"]
    theirs = snapshot("json-pretty")["crashing_thread"]
    assert [without(frame, "stillframe") for frame in ours["frames"]] == theirs["frames"]
    assert without(ours, "stillframe", "frames") == without(theirs, "frames")


def test_inlined_calls_nest_in_their_physical_frame(stillframe_command: Command) -> None:
    """symbolic's crash.pdb: `crash` at main.cpp:24 is inlined in `start` :28, and that in `main` :35."""
    dump = shared_data() / "others" / "symbolic" / "windows" / "mini.dmp"
    frame = stillframe_command("report", dump, "--json").json["crashing_thread"]["frames"][0]
    calls = [
        (call["function"], call["file"].replace("\\", "/").rpartition("/")[2], call["line"])
        for call in (*frame["inlines"], frame)
    ]
    assert calls == [("crash", "main.cpp", 24), ("start", "main.cpp", 28), ("main", "main.cpp", 35)]
    assert frame["module_offset"] == "0x00002a3d"
    assert frame["missing_symbols"] is False


MADE = ["app_x64.O2.crash.t0.dmp", "app_x64.d.crash.t0.dmp", "app_x86.O2.crash.t0.dmp", "app_x86.d.crash.t0.dmp"]


@pytest.mark.parametrize("name", MADE)
def test_a_null_write_in_words_on_one_screen(name: str, stillframe_command: Command) -> None:
    """app.cpp line 77 writes through a null pointer."""
    result = stillframe_command("report", shared_data() / "made" / name)
    assert "EXCEPTION_ACCESS_VIOLATION_WRITE at 0x" in result.out
    assert "write to 0x0 (null) by poke at app.cpp:77" in result.out
    assert len(result.out.splitlines()) <= 2 * SCREEN_LINES


def test_the_table_of_fast_fails_has_no_name_twice() -> None:
    assert len(set(FAST_FAILS.values())) == len(FAST_FAILS)


def all_dumps() -> list[Path]:
    dumps = sorted(shared_data().rglob("*.dmp"))
    assert len(dumps) > 50
    return dumps


@pytest.mark.parametrize("words", [["report"], ["report", "--json"], ["threads"]], ids=" ".join)
def test_every_real_dump_is_answered(words: list[str], stillframe_command: Command) -> None:
    """Of all systems and processors, also of those whose stacks are not unwound yet."""
    codes = {path.name: stillframe_command(words[0], path, *words[1:]).code for path in all_dumps()}
    assert {name: code for name, code in codes.items() if code} == {}


def test_a_very_deep_stack_is_abridged_in_the_report_alone(tmp_path: Path, stillframe_command: Command) -> None:
    start, frames = 0x20000, 200
    chain = b"".join(struct.pack("<II", start + 8 * (n + 1), 0x401005) for n in range(frames)) + bytes(64)
    builder = DumpBuilder().module("app.exe", 0x400000, 0x10000, 0x5F000000)
    builder.thread(1, {"eip": 0x401000, "esp": start, "ebp": start}, start, chain)
    dump = builder.exception(1, 0xC00000FD, 0x401000).write(tmp_path / "deep.dmp")
    whole = [line for line in stillframe_command("stack", dump).out.splitlines() if line.startswith("#")]
    assert len(whole) > frames
    report = stillframe_command("report", dump).out.splitlines()
    shown = [line for line in report if line.startswith("#")]
    assert len(shown) < 40
    assert shown[0].split() == whole[0].split()
    assert shown[-1].split() == whole[-1].split()
    assert any(f"… {len(whole) - len(shown)} frames left out" in line for line in report)
