"""The account of a crash: operands, access and statements, of dumps whose every byte the test has chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import stillframe
from support import scene as scene_of_images
from support.dump_builder import LINUX, MACOS, WINDOWS_NT, DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

THREAD, OTHER_THREAD = 7, 8
CODE, STACK, TEB, HEAP = 0x401000, 0x20000, 0x40000, 0x5000000
STACK_POINTER = STACK + 0x100
ACCESS_VIOLATION, STACK_OVERFLOW, SIGSEGV, SIGFPE = 0xC0000005, 0xC00000FD, 11, 8
READ, WRITE, EXECUTE = 0, 1, 8
COMMIT, FREE = 0x1000, 0x10000
NO_ACCESS, READ_ONLY, READ_WRITE, EXECUTE_READ, GUARD = 0x01, 0x02, 0x04, 0x20, 0x104


class Scene:
    """A thread that executes `code` with `registers`, in a module of 64 KB, and its exception."""

    def __init__(self, code: str, cpu: str = "amd64", platform: int = WINDOWS_NT, **registers: int) -> None:
        pointers = {"eip": CODE, "esp": STACK_POINTER} if cpu == "x86" else {"rip": CODE, "rsp": STACK_POINTER}
        self.builder = DumpBuilder(cpu=cpu, platform=platform).module("app.exe", 0x400000, 0x10000, 0x5F000000)
        if code:
            self.builder.memory(CODE, bytes.fromhex(code))
        self.builder.thread(THREAD, pointers | registers, STACK_POINTER, bytes(0x200), TEB)

    def crash(self, folder: Path, code: int, *parameters: int, address: int = CODE, flags: int = 0) -> stillframe.Crash:
        path = self.builder.exception(THREAD, code, address, parameters, flags).write(folder / "crash.dmp")
        crash = stillframe.open(path).crash
        assert crash is not None
        return crash


def kinds(crash: stillframe.Crash) -> list[str]:
    return [statement.kind for statement in crash.statements]


def text_of(crash: stillframe.Crash, kind: str) -> str:
    (text,) = [statement.text for statement in crash.statements if statement.kind == kind]
    return text


# --- operands ---------------------------------------------------------------------------------------------------------

# Code, processor, registers, and the address of its memory by the manual's arithmetic.
ADDRESSES = [
    ("488b448b10", "amd64", {"rbx": HEAP, "rcx": 3}, HEAP + 3 * 4 + 0x10),  # mov rax,[rbx+rcx*4+10h]
    ("488b0510000000", "amd64", {}, CODE + 7 + 0x10),  # mov rax,[rip+10h]
    ("488b45f8", "amd64", {"rbp": HEAP}, HEAP - 8),  # mov rax,[rbp-8]
    ("67488b4304", "amd64", {"rbx": 0xFFFF_0000_FFFF_FFFE}, 2),  # mov rax,[ebx+4]: an address of 32 bits
    ("8b449810", "x86", {"eax": 0xFFFFFFF0, "ebx": 2}, 8),  # mov eax,[eax+ebx*4+10h] wraps around
    ("a145000000", "x86", {}, 0x45),  # mov eax,[45h]
    ("65488b042530000000", "amd64", {}, TEB + 0x30),  # mov rax,gs:[30h]
    ("64a118000000", "x86", {}, TEB + 0x18),  # mov eax,fs:[18h]
    ("ffd0", "amd64", {"rax": CODE}, STACK_POINTER - 8),  # call rax
    ("6a01", "x86", {}, STACK_POINTER - 4),  # push 1
    ("c3", "amd64", {}, STACK_POINTER),  # ret
    ("c9", "amd64", {"rbp": HEAP}, HEAP),  # leave
]


@pytest.mark.parametrize(("code", "cpu", "registers", "address"), ADDRESSES)
def test_addresses_of_operands(tmp_path: Path, code: str, cpu: str, registers: dict[str, int], address: int) -> None:
    crash = Scene(code, cpu, **registers).crash(tmp_path, ACCESS_VIOLATION, READ, 0)
    (memory,) = [operand for operand in crash.operands if operand.kind == "memory"]
    assert memory.address == address


def test_segments_of_linux_have_no_known_base(tmp_path: Path) -> None:
    crash = Scene("64488b042528000000", platform=LINUX).crash(tmp_path, SIGSEGV)  # mov rax,fs:[28h]
    (memory,) = [operand for operand in crash.operands if operand.kind == "memory"]
    assert memory.address == stillframe.Absent.because(stillframe.Reason.SEGMENT_BASE_UNKNOWN)
    assert isinstance(memory.value, stillframe.Absent)


def test_values_of_operands(tmp_path: Path) -> None:
    scene = Scene("884b02", rbx=HEAP, rcx=0x1122334455667788)  # mov [rbx+2],cl
    scene.builder.memory(HEAP, bytes([0xA0, 0xA1, 0xA2, 0xA3]))
    memory, register = scene.crash(tmp_path, ACCESS_VIOLATION, WRITE, HEAP + 2).operands
    assert (memory.value, memory.size_bytes, memory.access) == (0xA2, 1, "write")
    assert (register.text, register.value, register.access) == ("cl", 0x88, "read")


# Encodings of `mov al,…` and the like; rax is 0x1122334455667788, r9 0x99AABBCCDDEEFF00.
PARTS = [("88c0", "al", 0x88), ("88e0", "ah", 0x77), ("6689c0", "ax", 0x7788), ("89c0", "eax", 0x55667788)]
PARTS += [("4489c8", "r9d", 0xDDEEFF00), ("664489c8", "r9w", 0xFF00), ("4889c0", "rax", 0x1122334455667788)]


@pytest.mark.parametrize(("code", "name", "value"), PARTS)
def test_parts_of_registers(tmp_path: Path, code: str, name: str, value: int) -> None:
    scene = Scene(code, rax=0x1122334455667788, r9=0x99AABBCCDDEEFF00)
    source = scene.crash(tmp_path, ACCESS_VIOLATION, READ, 0).operands[1]
    assert (source.text, source.value) == (name, value)


def test_without_a_disassembler_or_bytes_the_instruction_is_absent(tmp_path: Path) -> None:
    crash = Scene("").crash(tmp_path, ACCESS_VIOLATION, WRITE, 0)
    assert isinstance(crash.instruction, stillframe.Absent)
    assert crash.operands == ()
    assert crash.access is not None
    assert (crash.access.kind, crash.access.address) == ("write", 0)


# --- the access -------------------------------------------------------------------------------------------------------


def test_linux_does_not_say_what_was_done_but_the_instruction_does(tmp_path: Path) -> None:
    for code, kind in (("8b03", "read"), ("8903", "write"), ("0103", "write")):  # mov, mov, add with [rbx]
        access = Scene(code, platform=LINUX, rbx=HEAP).crash(tmp_path, SIGSEGV, address=HEAP).access
        assert access is not None
        assert (access.kind, access.address, access.size_bytes) == (kind, HEAP, 4)
    not_its_own = Scene("8b03", platform=LINUX, rbx=HEAP).crash(tmp_path, SIGSEGV, address=HEAP + 4).access
    assert not_its_own is not None
    assert not_its_own.kind is None


def test_linux_jumps_to_where_nothing_is(tmp_path: Path) -> None:
    access = Scene("", platform=LINUX, rip=HEAP).crash(tmp_path, SIGSEGV, address=HEAP).access
    assert access is not None
    assert (access.kind, access.address) == ("execute", HEAP)


NOT_CANONICAL = 0x1234_5678_9ABC_DEF0


@pytest.mark.parametrize(
    ("platform", "code", "parameters", "reported"),
    [(WINDOWS_NT, ACCESS_VIOLATION, (READ, 0xFFFF_FFFF_FFFF_FFFF), 0xFFFF_FFFF_FFFF_FFFF), (LINUX, SIGSEGV, (), 0)],
)
def test_the_true_address_that_is_not_canonical(
    tmp_path: Path, platform: int, code: int, parameters: tuple[int, ...], reported: int
) -> None:
    scene = Scene("48890b", platform=platform, rbx=NOT_CANONICAL)  # mov [rbx],rcx
    crash = scene.crash(tmp_path, code, *parameters, address=0)
    assert crash.access is not None
    assert (crash.access.kind, crash.access.address, crash.access.reported) == ("write", NOT_CANONICAL, reported)
    assert kinds(crash)[0] == "not_canonical"
    assert crash.explanation.startswith(f"write to {NOT_CANONICAL:#x}, which is not canonical, by app.exe")


def test_a_signal_that_is_no_fault_has_no_access(tmp_path: Path) -> None:
    crash = Scene("8b03", platform=LINUX, rbx=0).crash(tmp_path, SIGFPE)
    assert crash.access is None
    assert crash.account.is_raised_by_instruction


# --- statements of the address ----------------------------------------------------------------------------------------


def test_null_and_an_offset(tmp_path: Path) -> None:
    crash = Scene("8b4318", rbx=0).crash(tmp_path, ACCESS_VIOLATION, READ, 0x18)  # mov eax,[rbx+18h]
    assert text_of(crash, "null") == "rbx is null, and 0x18 was added to it"
    (statement,) = crash.statements
    assert [basis.source for basis in statement.basis] == ["exception record", "instruction", "registers"]


FILLS = [
    ("x86", 0xCDCDCDCD, "never written"),
    ("x86", 0xFEEEFEEE, "freed"),
    ("amd64", 0xDDDDDDDD_DDDDDDDD, "freed"),
    ("amd64", 0xCCCCCCCC_CCCCCCCC, "local variable"),
    ("amd64", 0xE5E5E5E5_E5E5E5E5, "jemalloc"),
    ("amd64", 0xBAADF00D_BAADF00D, "never written"),
    ("amd64", 0xFFFFFFFF_DEADBEEF, "marker"),
]


@pytest.mark.parametrize(("cpu", "fill", "words"), FILLS)
def test_fills_are_known_under_an_offset(tmp_path: Path, cpu: str, fill: int, words: str) -> None:
    base = "ebx" if cpu == "x86" else "rbx"
    mask = (1 << (32 if cpu == "x86" else 64)) - 1
    crash = Scene("8b4310", cpu, **{base: fill}).crash(tmp_path, ACCESS_VIOLATION, READ, fill + 0x10 & mask)
    text = next(each.text for each in crash.statements if each.kind == "fill_pattern")
    assert text.startswith(f"{base} is {fill:#x}: ")
    assert words in text
    assert "bit_flip" not in kinds(crash)


def test_a_pointer_of_a_program_is_no_fill(tmp_path: Path) -> None:
    """0x555555554000 is where Linux loads programs under a debugger; 0x5555_5555_5555_5555 is a fill."""
    crash = Scene("8b03", rbx=0x555555554000).crash(tmp_path, ACCESS_VIOLATION, READ, 0x555555554000)
    assert "fill_pattern" not in kinds(crash)


def test_text_in_a_pointer(tmp_path: Path) -> None:
    value = int.from_bytes(b"overflow", "little")
    crash = Scene("8b03", platform=LINUX, rbx=value).crash(tmp_path, SIGSEGV, address=0)
    assert '"overflow"' in text_of(crash, "text_pattern")


# --- statements of the place ------------------------------------------------------------------------------------------


def in_region(address: int, protect: int, access: int, folder: Path) -> stillframe.Crash:
    scene = Scene("8b03" if access == READ else "8903", rbx=address)
    scene.builder.region(address & ~0xFFF, 0x1000, COMMIT, protect)
    return scene.crash(folder, ACCESS_VIOLATION, access, address)


def test_the_protection_that_forbids_the_access(tmp_path: Path) -> None:
    crash = in_region(HEAP, READ_ONLY, WRITE, tmp_path)
    assert kinds(crash) == ["in_region", "not_allowed"]
    assert text_of(crash, "not_allowed") == f"memory may not be written at {HEAP:#x}: read-only"
    (basis,) = crash.statements[1].basis
    assert str(basis) == f"memory regions ({HEAP:#x} to {HEAP + 0x1000:#x})"


def test_an_access_that_the_protection_allows_is_a_contradiction(tmp_path: Path) -> None:
    assert kinds(in_region(HEAP, READ_WRITE, WRITE, tmp_path)) == ["in_region", "access_violation_when_access_allowed"]
    assert kinds(in_region(HEAP, READ_ONLY, READ, tmp_path)) == ["in_region", "access_violation_when_access_allowed"]


def test_a_guard_page(tmp_path: Path) -> None:
    crash = in_region(HEAP, GUARD, READ, tmp_path)
    assert "guard_page" in kinds(crash)
    assert "access_violation_when_access_allowed" not in kinds(crash)
    assert crash.account.guarded == {HEAP}


def test_execution_of_memory_that_is_no_code(tmp_path: Path) -> None:
    scene = Scene("", rip=HEAP)
    scene.builder.region(HEAP, 0x1000, COMMIT, READ_WRITE)
    crash = scene.crash(tmp_path, ACCESS_VIOLATION, EXECUTE, HEAP, address=HEAP)
    assert text_of(crash, "not_allowed") == f"no code may run at {HEAP:#x}: read and write"


def test_places(tmp_path: Path) -> None:
    def place(address: int, *, has_regions: bool) -> str:
        scene = Scene("8b03", rbx=address)
        scene.builder.thread(OTHER_THREAD, {"rip": CODE, "rsp": 0x90000}, 0x90000, bytes(0x100))
        scene.builder.unloaded_module("gone.dll", 0x600000, 0x1000)
        if has_regions:
            scene.builder.region(HEAP, 0x1000, COMMIT).region(0, 0x10000, FREE)
        statements = scene.crash(tmp_path, ACCESS_VIOLATION, READ, address).statements
        return next(each.text for each in statements if each.kind.startswith("in_"))

    assert "is in app.exe+0x2000" in place(0x402000, has_regions=False)
    assert "is in the stack of thread 1" in place(0x90010, has_regions=False)
    assert "gone.dll+0x20" in place(0x600020, has_regions=False)
    assert place(HEAP, has_regions=False) == f"{HEAP:#x} is in no module, stack or saved memory"
    assert place(HEAP + 8, has_regions=True) == f"{HEAP + 8:#x} is in memory of no module (read and write)"
    assert place(0x418000, has_regions=True) == "0x418000 belongs to nothing; app.exe ends 0x8000 bytes below it"


def test_unloaded_modules_on_the_stack(tmp_path: Path) -> None:
    scene = Scene("", rip=0x600040)
    scene.builder.unloaded_module("gone.dll", 0x600000, 0x1000)
    crash = scene.crash(tmp_path, 0xC000001D)
    assert text_of(crash, "unloaded_module") == "frame 0 (0x600040) is in a module that is unloaded: gone.dll+0x40"


# --- the stack --------------------------------------------------------------------------------------------------------

MAPS = b"00400000-00410000 r-xp 00000000 00:00 0 /app\n00020000-00030000 rw-p 00000000 00:00 0 [stack]\n"


def test_an_access_below_the_stack_means_that_it_is_used_up(tmp_path: Path) -> None:
    scene = Scene("50", platform=LINUX, rsp=STACK)  # push rax, with the stack pointer at the lowest byte
    scene.builder.stream(0x47670009, MAPS)
    crash = scene.crash(tmp_path, SIGSEGV, address=STACK - 8)
    assert text_of(crash, "stack_exhaustion") == (
        "the stack of thread 0 is used up: 65,536 bytes are in use, and 0x1fff8 is below"
    )
    assert crash.bit_flips == ()


def test_a_stack_pointer_that_is_below_its_stack(tmp_path: Path) -> None:
    """A function that had made room for 8 KB of variables, and wrote the first of them."""
    scene = Scene("893c24", platform=LINUX, rsp=STACK - 0x2000)  # mov [rsp],edi
    scene.builder.stream(0x47670009, MAPS)
    crash = scene.crash(tmp_path, SIGSEGV, address=STACK - 0x2000)
    assert text_of(crash, "stack_exhaustion").startswith(f"the stack of thread 0 is used up: {0x12000:,} bytes")
    assert crash.bit_flips == ()


def test_a_wild_access_below_the_stack_is_none(tmp_path: Path) -> None:
    scene = Scene("8b03", platform=LINUX, rsp=STACK + 0xF000, rbx=STACK - 0x1000)
    scene.builder.stream(0x47670009, MAPS)
    crash = scene.crash(tmp_path, SIGSEGV, address=STACK - 0x8000)
    assert "stack_exhaustion" not in kinds(crash)
    assert "in_below_stack" in kinds(crash)


def test_the_thread_environment_block_bounds_the_stack(tmp_path: Path) -> None:
    """StackBase and StackLimit are its second and third pointer, DeallocationStack is at 0x1478."""
    scene = Scene("8503", rbx=0x1F000, rsp=STACK)  # test [rbx],eax, as a probe of the stack
    block = bytearray(0x1480)
    for at, value in ((8, 0x30000), (16, STACK), (0x1478, 0x18000)):
        block[at : at + 8] = value.to_bytes(8, "little")
    scene.builder.memory(TEB, bytes(block))
    crash = scene.crash(tmp_path, STACK_OVERFLOW, WRITE, 0x1F000)
    exhaustion = next(each for each in crash.statements if each.kind == "stack_exhaustion")
    assert exhaustion.text == f"the stack of thread 0 is used up: {0x30000 - STACK:,} bytes are in use"
    assert str(exhaustion.basis[1]) == f"memory (thread environment block at {TEB:#x})"


def test_code_may_run_in_the_heap(tmp_path: Path) -> None:
    scene = Scene("8b03", platform=LINUX, rbx=0)
    scene.builder.stream(0x47670009, MAPS + b"05000000-05001000 rwxp 00000000 00:00 0 [heap]\n" + b"damaged line\n")
    assert "the heap (rwxp)" in text_of(scene.crash(tmp_path, SIGSEGV, address=0), "executable_memory")


# --- division, bit flips, contradictions ------------------------------------------------------------------------------


def test_the_divisor_that_is_zero(tmp_path: Path) -> None:
    crash = Scene("f7f9", ecx=0, cpu="x86").crash(tmp_path, 0xC0000094)  # idiv ecx
    assert text_of(crash, "zero_divisor") == "the divisor ecx is 0"
    assert "zero_divisor" not in kinds(Scene("f7f9", ecx=1, cpu="x86").crash(tmp_path, 0xC0000094))


def flipped(bit: int, folder: Path, **registers: int) -> stillframe.Crash:
    address = HEAP + 0x40 ^ 1 << bit
    scene = Scene("8b4308", "amd64", WINDOWS_NT, rbx=address, **registers)  # mov eax,[rbx+8]
    scene.builder.region(HEAP, 0x1000, COMMIT, READ_WRITE)
    return scene.crash(folder, ACCESS_VIOLATION, READ, address + 8)


def test_one_wrong_bit_is_found(tmp_path: Path) -> None:
    (flip,) = flipped(40, tmp_path).bit_flips
    assert (flip.bit, flip.register, flip.value, flip.address) == (40, "rbx", HEAP + 0x40, HEAP + 0x48)
    assert flip.confidence == "weak"
    (near,) = flipped(40, tmp_path, rsi=HEAP + 0x10).bit_flips
    assert (near.confidence, near.nearby_registers) == ("fair", 1)
    assert "rsi points near" in near.text


def test_a_bit_that_makes_an_address_not_canonical(tmp_path: Path) -> None:
    address = HEAP + 0x40 ^ 1 << 60
    scene = Scene("8b4308", rbx=address, rdi=HEAP)
    scene.builder.region(HEAP, 0x1000, COMMIT, READ_WRITE)
    (flip,) = scene.crash(tmp_path, ACCESS_VIOLATION, READ, 0xFFFF_FFFF_FFFF_FFFF).bit_flips
    assert (flip.bit, flip.address, flip.confidence) == (60, HEAP + 0x48, "strong")


def test_a_null_but_for_one_bit(tmp_path: Path) -> None:
    scene = Scene("8b4308", rbx=1 << 33)
    scene.builder.region(HEAP, 0x1000, COMMIT, READ_WRITE)
    (flip,) = scene.crash(tmp_path, ACCESS_VIOLATION, READ, (1 << 33) + 8).bit_flips
    assert (flip.value, flip.bit) == (0, 33)


def test_what_is_mapped_near_null_or_forbidden_is_no_flip(tmp_path: Path) -> None:
    def flips(address: int, protect: int) -> tuple[object, ...]:
        scene = Scene("8903", rbx=address)
        scene.builder.region(HEAP, 0x1000, COMMIT, protect)
        return scene.crash(tmp_path, ACCESS_VIOLATION, WRITE, address).bit_flips

    assert flips(HEAP ^ 1 << 40, READ_WRITE)
    assert not flips(HEAP ^ 1 << 40, READ_ONLY)
    assert not flips(HEAP, READ_ONLY)
    assert not flips(0x45, READ_WRITE)


CONTRADICTIONS = [
    ("8b03", 0xC0000094, (), "int_div_by_zero_not_possible"),
    ("8b03", 0xC0000096, (), "priv_instruction_crash_without_priv_instruction"),
    ("8b03", ACCESS_VIOLATION, (READ, 0x777000), "crashing_access_not_found_in_memory_accesses"),
    ("8b03", ACCESS_VIOLATION, (READ, 0xFFFF_FFFF_FFFF_FFFF), "non_canonical_address_falsely_reported"),
]
NO_CONTRADICTIONS = [
    ("f7f9", 0xC0000094, ()),  # idiv ecx
    ("f4", 0xC0000096, ()),  # hlt
    ("0f22c0", 0xC0000096, ()),  # mov cr0,rax
    ("8b03", ACCESS_VIOLATION, (READ, HEAP)),
]


@pytest.mark.parametrize(("code", "exception", "parameters", "kind"), CONTRADICTIONS)
def test_contradictions(tmp_path: Path, code: str, exception: int, parameters: tuple[int, ...], kind: str) -> None:
    assert kind in kinds(Scene(code, rbx=HEAP).crash(tmp_path, exception, *parameters))


@pytest.mark.parametrize(("code", "exception", "parameters"), NO_CONTRADICTIONS)
def test_what_fits_is_no_contradiction(tmp_path: Path, code: str, exception: int, parameters: tuple[int, ...]) -> None:
    found = kinds(Scene(code, rbx=HEAP).crash(tmp_path, exception, *parameters))
    assert not {kind for _, _, _, kind in CONTRADICTIONS} & set(found)


def test_a_crash_of_macos_is_read_from_the_instruction(tmp_path: Path) -> None:
    crash = Scene("8903", platform=MACOS, rbx=HEAP).crash(tmp_path, 1, address=HEAP, flags=2)
    assert crash.reason == "EXC_BAD_ACCESS / KERN_PROTECTION_FAILURE"
    assert crash.explanation.startswith(f"write to {HEAP:#x} by ")


# --- what the parameters of Windows' exceptions tell ------------------------------------------------------------------


@pytest.mark.parametrize(("cpu", "pointer"), [("x86", 4), ("amd64", 8)])
def test_the_heap_says_what_is_wrong(tmp_path: Path, cpu: str, pointer: int) -> None:
    """Version 1, size, heap_failure_block_not_busy; then the heap and the block, aligned."""
    information = b"".join(value.to_bytes(4, "little") for value in (1, 0x50, 8)).ljust(
        16 if pointer == 8 else 12, b"\0"
    )
    information += (0x350000).to_bytes(pointer, "little") + (0x351230).to_bytes(pointer, "little")
    scene = Scene("8b03", cpu)
    scene.builder.memory(HEAP, information)
    crash = scene.crash(tmp_path, 0xC0000374, HEAP)
    assert crash.reason == "STATUS_HEAP_CORRUPTION"
    assert text_of(crash, "heap_failure") == (
        "the heap at 0x350000 says of the block at 0x351230:"
        " a block that was not in use was freed or used, as in a double free"
    )
    assert kinds(Scene("8b03", cpu).crash(tmp_path, 0xC0000374, HEAP)) == []


def test_the_class_of_a_managed_exception(tmp_path: Path) -> None:
    crash = Scene("8b03").crash(tmp_path, 0xE0434352, 0xFFFF_FFFF_8013_1509)
    assert "0x80131509, which is that of System.InvalidOperationException" in text_of(crash, "managed_exception")
    assert not crash.account.is_raised_by_instruction


def test_an_instruction_in_no_module(tmp_path: Path) -> None:
    scene = Scene("", rip=HEAP, rbx=0)
    scene.builder.memory(HEAP, bytes.fromhex("8b03")).region(HEAP, 0x1000, COMMIT, 0x40)
    crash = scene.crash(tmp_path, ACCESS_VIOLATION, READ, 0)
    assert text_of(crash, "outside_modules") == (
        f"the instruction at {HEAP:#x} is in memory of no module (execute and read and write):"
        " generated code, or a jump gone astray"
    )
    assert "outside_modules" not in kinds(Scene("8b03", rbx=0).crash(tmp_path, ACCESS_VIOLATION, READ, 0))


def test_a_section_of_the_image_that_may_not_be_written(tmp_path: Path) -> None:
    pe = scene_of_images.image("amd64")
    address = scene_of_images.BASE + scene_of_images.RDATA
    builder = scene_of_images.dump(pe).memory(HEAP, bytes.fromhex("8903"))  # mov [rbx],eax
    builder.thread(THREAD, {"rip": HEAP, "rsp": STACK, "rbx": address}, STACK, bytes(64))
    builder.exception(THREAD, ACCESS_VIOLATION, HEAP, (WRITE, address))
    crash = scene_of_images.write(tmp_path, pe, builder).crash
    assert crash is not None
    statement = next(each for each in crash.statements if each.kind == "not_allowed")
    assert statement.text == f"memory may not be written at {address:#x}: read-only"
    assert str(statement.basis[0]) == "modules (section .rdata of hello.exe)"
    assert f"{address:#x} is in hello.exe+0x2000, section .rdata (read-only)" in text_of(crash, "in_module")


# --- addresses that the processor does not report ---------------------------------------------------------------------


@pytest.mark.parametrize(("code", "registers"), [("ffe0", {"rax": NOT_CANONICAL}), ("c3", {})])
def test_a_branch_to_an_address_that_is_not_canonical(tmp_path: Path, code: str, registers: dict[str, int]) -> None:
    """jmp rax, ret: the processor refuses them where they are."""
    builder = DumpBuilder(cpu="amd64", platform=LINUX).module("app", 0x400000, 0x10000, 0)
    builder.memory(CODE, bytes.fromhex(code))
    builder.thread(THREAD, {"rip": CODE, "rsp": STACK} | registers, STACK, NOT_CANONICAL.to_bytes(8, "little"))
    crash = stillframe.open(builder.exception(THREAD, SIGSEGV, 0, flags=0x80).write(tmp_path / "branch.dmp")).crash
    assert crash is not None
    assert crash.access is not None
    assert (crash.access.kind, crash.access.address) == ("execute", NOT_CANONICAL)
    assert crash.explanation == f"execution of {NOT_CANONICAL:#x}, which is not canonical, by app+0x1000"


def test_an_address_that_nobody_knows_is_not_called_null(tmp_path: Path) -> None:
    crash = Scene("", platform=LINUX).crash(tmp_path, SIGSEGV, address=0, flags=0x80)
    assert crash.access is None
    assert crash.statements == ()
    assert "did not report" in crash.explanation
    macos = Scene("", platform=MACOS).crash(tmp_path, 1, address=0, flags=13)
    assert macos.reason == "EXC_BAD_ACCESS / EXC_I386_GPFLT"
    assert macos.access is None


def test_the_last_byte_can_be_meant(tmp_path: Path) -> None:
    """-1 as a pointer faults at this address, as a page that is not there."""
    access = (
        Scene("8a03", rbx=0xFFFF_FFFF_FFFF_FFFF).crash(tmp_path, ACCESS_VIOLATION, READ, 0xFFFF_FFFF_FFFF_FFFF).access
    )
    assert access is not None
    assert access.address == 0xFFFF_FFFF_FFFF_FFFF


def test_a_signed_pointer_on_arm64(tmp_path: Path) -> None:
    """A failed check leaves its mark in the upper bits; the lower ones are the address that was meant."""
    signed = 0x0020_0000_0040_2000
    builder = DumpBuilder(cpu="arm64", platform=MACOS).module("app", 0x400000, 0x10000, 0)
    builder.thread(THREAD, {"pc": CODE, "sp": STACK}, STACK, bytes(64))
    crash = stillframe.open(builder.exception(THREAD, 1, signed, flags=1).write(tmp_path / "signed.dmp")).crash
    assert crash is not None
    assert kinds(crash) == ["pointer_authentication"]
    assert "0x402000 is in app+0x2000" in crash.statements[0].text
