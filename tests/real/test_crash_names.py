"""Dumps that Breakpad's authors named after the crash: the account says what the name says."""

from __future__ import annotations

from typing import NamedTuple

import pytest

import stillframe
from support.data import shared_data


class Expected(NamedTuple):
    """What a name says."""

    access: str | None
    """Kind of the refused access."""
    kinds: tuple[str, ...]
    """Statements that must be there."""
    words: str = ""
    """Words of one of them."""


NAMED = {
    "null_read_av": Expected("read", ("null",), "eax is null"),
    "null_write_av": Expected("write", ("null",), "eax is null"),
    "linux_null_read_av": Expected("read", ("null",)),
    "linux_null_dereference": Expected("write", ("null",), "rax is null"),
    "linux_jmp_to_0": Expected("execute", ("null",), "the instruction pointer is null"),
    "linux_write_to_under_4k": Expected("write", ("null",), "0xf93 is near null"),
    "read_av_non_null": Expected("read", ("in_unknown",)),
    "read_av_clobber_write": Expected("read", ("in_unknown",)),
    "read_av_conditional": Expected("read", ("in_unknown",)),
    "write_av_non_null": Expected("write", ("in_unknown",)),
    "write_av_non_canonical": Expected("write", ("not_canonical",), "0xfefefefefefefefe is no address"),
    "ascii_read_av": Expected("read", ("text_pattern",), '"AAAA"'),
    "ascii_read_av_block_write": Expected("read", ("text_pattern",), '"AAAA"'),
    "ascii_read_av_then_jmp": Expected("read", ("text_pattern",), '"AAAA"'),
    "ascii_write_av": Expected("write", ("text_pattern",), '"AAAA"'),
    "ascii_write_av_arg_to_call": Expected("write", ("text_pattern",), '"AAAA"'),
    "exec_av_on_stack": Expected("execute", ("in_stack", "not_allowed"), "the stack of thread 0"),
    "stack_exhaustion": Expected("read", ("stack_exhaustion", "recursion"), "used up"),
    "linux_divide_by_zero": Expected(None, ("zero_divisor",), "is 0"),
    "linux_raise_sigabrt": Expected(None, ("signal_sender",), "to itself"),
    "linux_overflow": Expected(None, ("signal_sender",), "to itself"),
    # The return address of libgcc's unwinder was overwritten by the text "…not stra…".
    "linux_stacksmash": Expected("read", ("not_canonical", "text_pattern"), '"not stra"'),
    "linux_executable_heap": Expected("write", ("null", "executable_memory"), "code may run in the heap"),
    "linux_executable_stack": Expected("write", ("null", "executable_memory"), "code may run in the stack"),
    "linux_outside_module": Expected("execute", ("in_nothing",), "0x29cd74 belongs to nothing"),
    "linux_jmp_to_module_not_exe_region": Expected(
        "execute", ("not_allowed",), "no code may run at 0x616500: read-only"
    ),
    "linux_write_to_nonwritable_module": Expected("write", ("in_module", "not_allowed"), "may not be written"),
    "linux_write_to_outside_module": Expected("write", ("in_nothing",), "0x390000 belongs to nothing"),
    "linux_write_to_outside_module_via_math": Expected("write", ("in_nothing",), "0x732b80 belongs to nothing"),
    "linux_write_to_nonwritable_region_math": Expected("write", ("in_nothing",), "0x72eb80 belongs to nothing"),
    "tiny-exe-fastfail": Expected(None, ()),
}


def crash_of(name: str) -> stillframe.Crash:
    crash = stillframe.open(shared_data() / "others" / "breakpad" / f"{name}.dmp").crash
    assert crash is not None
    return crash


@pytest.mark.parametrize("name", NAMED)
def test_the_account_says_what_the_name_says(name: str) -> None:
    crash, expected = crash_of(name), NAMED[name]
    assert (None if crash.access is None else crash.access.kind) == expected.access
    assert set(expected.kinds) <= {statement.kind for statement in crash.statements}
    assert any(expected.words in statement.text for statement in crash.statements) or not expected.words
    assert all(statement.basis for statement in crash.statements)
    assert crash.bit_flips == ()


@pytest.mark.parametrize("name", ["linux_null_dereference", "linux_stacksmash", "write_av_non_null", "null_read_av"])
def test_code_may_not_run_in_stack_or_heap_as_a_rule(name: str) -> None:
    assert "executable_memory" not in {statement.kind for statement in crash_of(name).statements}


def test_the_module_in_which_the_names_place_the_instruction() -> None:
    for region in (1, 2):
        thread = crash_of(f"linux_inside_module_exe_region{region}").thread
        assert thread is not None
        assert thread.frames[0].module is not None


# How the pointer of app.cpp's `*where = doubled` is kept: in a register, or in a slot that was loaded right before.
POKES = [
    ("app_x64.d.crash.t0.dmp", "rax", "*where", None),
    ("app_x64.O2.crash.t0.dmp", "rcx", "*where", "g_null"),
    ("app_x86.O2.crash.t0.dmp", "ecx", "*where", "g_null"),
    ("app_x86_64.O0.self.t0.dmp", "rax", "*where", None),
    ("app_x86_64.O2.self.t0.dmp", "rcx", "*where", "g_null"),
    ("app_i686.O2.self.t0.dmp", "ecx", "*where", "_g_null"),
    ("app_arm64.O2.crash.emu.dmp", "x8", "*where", "g_null"),
    ("app_arm64.d.crash.emu.dmp", "x9", "*where", None),
]


@pytest.mark.parametrize(("name", "register", "operand_name", "origin"), POKES)
def test_the_operand_of_a_null_write_is_named(name: str, register: str, operand_name: str, origin: str | None) -> None:
    crash = stillframe.open(shared_data() / "made" / name).crash
    assert crash is not None
    memory = next(operand for operand in crash.operands if operand.kind == "memory")
    assert (memory.registers, memory.address, memory.name, memory.origin) == ((register,), 0, operand_name, origin)
    value = next(operand for operand in crash.operands if operand.kind == "register")
    assert value.value == 0x6A  # `doubled`: 2 * (11 + 42)
    assert crash.statements[0].text == f"{register}, which holds where, is null"
