"""check.py [DIRECTORY]: check that the example is what its README says, and holds nothing of the machine that made it.

DIRECTORY is where the built files are; by default, beside this script.
"""

import struct
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "making"))
from fix_dump import EXCEPTION, MODULE_LIST, MODULE_SIZE, Dump, Image
from host import check_nothing_of_the_host

THUNK, MAIN, TEXT = 0x10D2, 0x1934, "Hello World!\n"
RDATA_START, RDATA_END, STRING = 0x7000, 0x8000, 0x7B30


@dataclass(frozen=True)
class Program:
    """What must be true of one of the two programs. Addresses without `base` are offsets from it."""

    name: str
    base: int
    main: range
    code: str  # from MAIN on
    return_address: int
    context_ip: tuple[int, str]  # where the thread's context holds the instruction pointer, and its format
    context_sp: int


PROGRAMS = (
    Program(
        name="hello",
        base=0x9F0000,
        main=range(0x1916, 0x1950),
        code="C7 45 F8 30 7B 9F 00  8B 45 F8  50  E8 8E F7 FF FF  83 C4 04",
        return_address=0x1944,
        context_ip=(0xB8, "<I"),
        context_sp=0xC4,
    ),
    Program(
        name="hello64",
        base=0x7FF6009F0000,
        main=range(0x1930, 0x1951),
        code="48 8D 05 F5 61 00 00  48 89 44 24 20  48 8B 4C 24 20  E8 88 F7 FF FF  31 C0",
        return_address=0x194A,
        context_ip=(0xF8, "<Q"),
        context_sp=0x98,
    ),
)


def check_image(program: Program, image: Image) -> None:
    """The code and the string are where the listing says."""
    code = bytes.fromhex(program.code)
    assert image.at(MAIN, len(code)) == code, "code of main"
    assert image.at(THUNK, 2) == b"\xff\x25", "the thunk is no `jmp [import]`"
    assert image.at(STRING, 14) == TEXT.encode() + b"\0", "the string"
    assert len(image.data) < 40_000, "size"


def check_identity(program: Program, dump: Dump, image: Image, pdb: bytes) -> None:
    """Dump, image and PDB are of one build."""
    module = dump.entries(MODULE_LIST, MODULE_SIZE)[0]
    base, size, _, stamp, name = struct.unpack_from("<QIIII", module)
    codeview_size, codeview = struct.unpack_from("<II", module, 76)
    assert dump.string(name) == f"C:\\hello\\{program.name}.exe", "path of the module"
    assert (stamp, size) == image.key, "key of the image"
    assert base == program.base, "base of the image"
    assert dump.data[codeview : codeview + codeview_size] == image.codeview() != b"", "CodeView record"
    assert image.codeview()[4:20] in pdb, "GUID of the PDB"


def check_memory(program: Program, dump: Dump) -> None:
    """The thread stands at the thunk, called from main; of the image, main and the constants are absent."""
    (context,) = struct.unpack_from("<I", dump.stream(EXCEPTION), 164)
    at, pointer = program.context_ip
    (ip,) = struct.unpack_from(pointer, dump.data, context + at)
    (sp,) = struct.unpack_from(pointer, dump.data, context + program.context_sp)
    assert ip == program.base + THUNK, f"stopped at {ip:#x}"

    memory = dump.memory()
    start, stack = next((start, data) for start, data in memory if start <= sp < start + len(data))
    (caller,) = struct.unpack_from(pointer, stack, sp - start)
    assert caller == program.base + program.return_address, f"returns to {caller:#x}"
    for start, data in memory:
        held = range(start - program.base, start - program.base + len(data))
        for absent in (program.main, range(RDATA_START, RDATA_END)):
            assert held.stop <= absent.start or absent.stop <= held.start, f"the dump holds {held}"
        assert TEXT.encode() not in data, "the dump holds the string"


def main(directory: Path) -> None:
    """Check both programs; an AssertionError says what is wrong."""
    for program in PROGRAMS:
        exe, pdb, dmp = (directory / f"{program.name}.{suffix}" for suffix in ("exe", "pdb", "dmp"))
        image, dump = Image(exe.read_bytes()), Dump(dmp.read_bytes())
        check_image(program, image)
        check_identity(program, dump, image, pdb.read_bytes())
        check_memory(program, dump)
        for path in (exe, pdb, dmp):
            check_nothing_of_the_host(path)
    print("the example is as it should be")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
