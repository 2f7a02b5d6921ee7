"""check.py [DIRECTORY]: check that the example is what its README says, and holds nothing of the machine that made it.

DIRECTORY is where the built files are; by default, beside this script.
"""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "making"))
from fix_dump import EXCEPTION, MODULE_LIST, MODULE_SIZE, Dump, Image
from host import check_nothing_of_the_host

ACCESS_VIOLATION, LATITUDE = 0xC0000005, 16


def check(name: str, directory: Path) -> None:
    """Check a program and its dump; an AssertionError says what is wrong."""
    exe, pdb, dmp = (directory / f"{name}.{suffix}" for suffix in ("exe", "pdb", "dmp"))
    image, dump = Image(exe.read_bytes()), Dump(dmp.read_bytes())
    module = dump.entries(MODULE_LIST, MODULE_SIZE)[0]
    _, size, _, stamp, path = struct.unpack_from("<QIIII", module)
    codeview_size, codeview = struct.unpack_from("<II", module, 76)
    assert dump.string(path) == f"C:\\depot\\{name}.exe", "path of the module"
    assert (stamp, size) == image.key, "key of the image"
    assert dump.data[codeview : codeview + codeview_size] == image.codeview(), "CodeView record"
    if "dwarf" not in name:
        assert image.codeview()[4:20] in pdb.read_bytes(), "GUID of the PDB"

    code, _, _, _, _, _, kind, address = struct.unpack_from("<IIQQIIQQ", dump.stream(EXCEPTION), 8)
    assert (code, kind, address) == (ACCESS_VIOLATION, 0, LATITUDE), "not a read of null->position.latitude"
    for start, data in dump.memory():
        assert b"Mill Lane 3" not in data, f"the dump holds constants, at {start:#x}"
    assert len(dump.data) < 8_000, "size"
    for file in (exe, pdb, dmp):
        if file.is_file():
            check_nothing_of_the_host(file)


def main(directory: Path) -> None:
    """Check all of them."""
    for name in ("depot", "depot.O2", "depot.dwarf", "depot.dwarf.O2"):
        check(name, directory)
    print("the example is as it should be")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
