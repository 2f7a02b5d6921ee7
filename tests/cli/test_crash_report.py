"""The crash in `stillframe report`: its first lines, and `crash_info` of `--json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.data import shared_data
from support.dump_builder import LINUX, DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

CODE, HEAP = 0x401000, 0x5000000


def dump_of(folder: Path, code: str, address: int, *, region: int = HEAP, **registers: int) -> Path:
    """A read or write of `address` that Windows refused; one region of memory is there."""
    builder = DumpBuilder(cpu="amd64").module("app.exe", 0x400000, 0x10000, 0x5F000000)
    builder.memory(CODE, bytes.fromhex(code)).region(region, 0x1000, 0x1000, 4)
    builder.thread(7, {"rip": CODE, "rsp": 0x20000} | registers, 0x20000, bytes(64))
    return builder.exception(7, 0xC0000005, CODE, (0, address)).write(folder / "crash.dmp")


def crash_info(command: Command, dump: Path) -> dict[str, Any]:
    found: dict[str, Any] = command("report", dump, "--json").json["crash_info"]
    return found


def test_the_first_lines(tmp_path: Path, stillframe_command: Command) -> None:
    dump = dump_of(tmp_path, "8b4318", 0x18, rbx=0)  # mov eax,[rbx+18h]
    assert stillframe_command("report", dump).out.splitlines()[3:8] == [
        "EXCEPTION_ACCESS_VIOLATION_READ at 0x0000000000000018",
        "read from 0x18 (near null) by app.exe+0x1000",
        "mov eax,dword ptr [rbx+18h]    where [rbx+18h] at 0x18",
        "- rbx is null, and 0x18 was added to it",
        "",
    ]


def test_an_exception_that_no_instruction_raised_shows_none(tmp_path: Path, stillframe_command: Command) -> None:
    builder = DumpBuilder(cpu="amd64", platform=LINUX).memory(CODE, bytes.fromhex("8b4318"))
    builder.thread(7, {"rip": CODE, "rsp": 0x20000, "rbx": 0}, 0x20000, bytes(64))
    dump = builder.exception(7, 6, 0).write(tmp_path / "abort.dmp")
    assert "mov eax" not in stillframe_command("report", dump).out
    assert crash_info(stillframe_command, dump)["instruction"] == "mov eax,dword ptr [rbx+18h]"


def test_no_more_than_six_statements_are_shown(tmp_path: Path, stillframe_command: Command) -> None:
    # Every bit from 12 to 19 leads to a region of 1 MB: eight flips.
    builder = DumpBuilder(cpu="amd64").module("app.exe", 0x400000, 0x10000, 0x5F000000)
    builder.memory(CODE, bytes.fromhex("8b03"))
    for bit in range(12, 20):
        builder.region(HEAP | 1 << bit, 0x1000, 0x1000, 4)
    builder.thread(7, {"rip": CODE, "rsp": 0x20000, "rbx": HEAP}, 0x20000, bytes(64))
    dump = builder.exception(7, 0xC0000005, CODE, (0, HEAP)).write(tmp_path / "crash.dmp")
    lines = stillframe_command("report", dump).out.splitlines()
    shown = [line for line in lines if line.startswith("- ")]
    assert len(shown) == 7
    assert shown[-1] == "- 3 more with --json"
    assert len(crash_info(stillframe_command, dump)["possible_bit_flips"]) == 8


def test_accesses_and_adjusted_addresses(tmp_path: Path, stillframe_command: Command) -> None:
    null = crash_info(stillframe_command, dump_of(tmp_path, "8b4318", 0x18, rbx=0))
    assert null["memory_accesses"] == [{"access_type": "read", "address": "0x0000000000000018", "size": 4}]
    assert null["adjusted_address"] == {"kind": "null-pointer", "offset": "0x0000000000000018"}
    not_canonical = dump_of(tmp_path, "8b4318", 0xFFFF_FFFF_FFFF_FFFF, rbx=0x1234_5678_0000_0000)
    assert crash_info(stillframe_command, not_canonical)["adjusted_address"] == {
        "address": "0x1234567800000018",
        "kind": "non-canonical",
    }
    plain = crash_info(stillframe_command, dump_of(tmp_path, "0103", 0x77000, rbx=0x77000))  # add [rbx],eax
    assert plain["adjusted_address"] is None
    assert plain["memory_accesses"][0]["access_type"] == "readwrite"


def test_guard_pages_are_marked_where_they_are(tmp_path: Path, stillframe_command: Command) -> None:
    builder = DumpBuilder(cpu="amd64").memory(CODE, bytes.fromhex("8b03")).region(HEAP, 0x1000, 0x1000, 0x104)
    builder.thread(7, {"rip": CODE, "rsp": 0x20000, "rbx": HEAP + 4}, 0x20000, bytes(64))
    dump = builder.exception(7, 0xC0000005, CODE, (0, HEAP + 4)).write(tmp_path / "guard.dmp")
    (access,) = crash_info(stillframe_command, dump)["memory_accesses"]
    assert access["is_likely_guard_page"] is True


UPDATES = [
    ("ffd0", {"rax": HEAP}, HEAP),  # call rax
    ("ff23", {"rbx": 0x20010}, 0x1122334455667788),  # jmp [rbx]
    ("c3", {"rsp": 0x20010}, 0x1122334455667788),  # ret
    ("eb10", {}, CODE + 0x12),  # jmp +10h
]


@pytest.mark.parametrize(("code", "registers", "target"), UPDATES)
def test_where_the_instruction_pointer_would_have_gone(
    tmp_path: Path, stillframe_command: Command, code: str, registers: dict[str, int], target: int
) -> None:
    builder = DumpBuilder(cpu="amd64").memory(CODE, bytes.fromhex(code))
    stack = bytes(16) + (0x1122334455667788).to_bytes(8, "little") + bytes(40)
    builder.thread(7, {"rip": CODE, "rsp": 0x20000} | registers, 0x20000, stack)
    dump = builder.exception(7, 0xC0000005, CODE, (0, 0)).write(tmp_path / "jump.dmp")
    assert crash_info(stillframe_command, dump)["instruction_pointer_update"] == {"address": f"0x{target:016x}"}


def test_a_bit_flip_has_the_fields_of_the_schema(tmp_path: Path, stillframe_command: Command) -> None:
    address = HEAP ^ 1 << 40
    (flip,) = crash_info(stillframe_command, dump_of(tmp_path, "8b03", address, rbx=address))["possible_bit_flips"]
    assert flip["address"] == f"0x{HEAP:016x}"
    assert flip["source_register"] == "rbx"
    assert flip["stillframe"]["bit"] == 40
    assert set(flip["details"]) == {"is_null", "nearby_registers", "poison_registers", "was_low", "was_non_canonical"}


def test_the_account_of_a_dump_without_a_crash_is_null(tmp_path: Path, stillframe_command: Command) -> None:
    builder = DumpBuilder(cpu="amd64").thread(7, {"rip": CODE, "rsp": 0x20000}, 0x20000, bytes(64))
    assert set(crash_info(stillframe_command, builder.write(tmp_path / "quiet.dmp")).values()) == {None}


def test_the_linux_crash_of_minidump_stackwalks_own_snapshot(stillframe_command: Command) -> None:
    """`linux_json_pretty.snap`: one write of four bytes to 0x45."""
    dump = shared_data() / "others" / "rust-minidump" / "linux-mini.dmp"
    info = crash_info(stillframe_command, dump)
    assert info["memory_accesses"] == [{"access_type": "write", "address": "0x0000000000000045", "size": 4}]
    assert info["adjusted_address"] is None
    assert info["crash_inconsistencies"] == []
    assert info["instruction_pointer_update"] is None


def test_notes_of_handlers(stillframe_command: Command) -> None:
    others = shared_data() / "others"
    assert crash_info(stillframe_command, others / "rust-minidump" / "invalid-parameter.dmp")["assertion"] == (
        r"format != nullptr in common_vfprintf at minkernel\crts\ucrt\src\appcrt\stdio\output.cpp:32"
    )
    crashpad = stillframe_command("report", others / "rust-minidump" / "simple-crashpad.dmp", "--json").json
    assert crashpad["stillframe"]["crashpad"]["annotations"] == [{"name": "hello", "value": "world"}]
    assert crashpad["crash_info"]["type"] == "EXC_CRASH / SIGABRT"
