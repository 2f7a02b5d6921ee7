"""A program with a PDB of half a gigabyte, as a large C++ project has: compiled and linked here, once.

Clang compiles one generated unit; its copies differ in the name of their namespace and so in every name of a function
or type (the name has the same length in all, so that it is replaced in the object file). lld links them all, and
writes modules, contributions, public and global symbols and types as for any other program.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

CLASSES = 4
METHODS = 10
"""Of each class."""
UNITS = 5600
"""Object files. For each megabyte there are 10 modules and 1200 contributions; in the PDB of a DLL by Microsoft's tools
(`basic32.pdb` of dump_syms) it is 35 and 700.
"""
CACHE = Path(__file__).parent / "out" / "large_pdb"
TARGET = "--target=x86_64-pc-windows-msvc"
LOOKED_UP = "unit_3000::State2::method_2_5"
START = 'extern "C" int mainCRTStartup() { return 0; }\nextern "C" int _fltused = 0;\n'
HEAD = """namespace unit_0000 {
template <typename T> struct Range {
  T *first;
  T *last;
  T *begin() const { return first; }
  T *end() const { return last; }
};
"""
CLASS = """struct State@C {
  enum Kind { Small, Large } kind;
  int count;
  double weight;
  State@C *next;
  Range<int> items;
  const char *title;
  int clamp(int value) const {
    if (value < 0)
      return count;
    return value + static_cast<int>(weight);
  }
"""
METHOD = """int State@C::method_@C_@M(int depth, const Range<int> &values, State@C *other) {
  int total = clamp(depth * @K);
  for (int value : values) {
    int scaled = clamp(value ^ @K);
    if (scaled > other->count) {
      State@C *following = other->next;
      total += following->method_@C_@N(depth - 1, following->items, this);
    }
    total += scaled;
  }
  other->kind = total > @K ? Large : Small;
  weight += total;
  return total;
}
"""


@dataclass(frozen=True)
class Program:
    """The image with its PDB, and the RVA of a row of lines in the function `LOOKED_UP`."""

    image: Path
    pdb: Path
    rva: int


def program() -> Program | None:
    """Builds the program if it is not kept from before; nothing if a tool for it is not installed."""
    clang, linker = shutil.which("clang++-19"), shutil.which("lld-link-19")
    if clang is None or linker is None:
        return None
    image, pdb, rva = (CACHE / name for name in ("large.exe", "large.pdb", "rva"))
    if not image.exists():
        _build(clang, linker)
    return Program(image, pdb, int(rva.read_text(), 16))


def _build(clang: str, linker: str) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as name:
        folder = Path(name)
        for stem, source in (("start", START), ("unit_0000", _unit())):
            (folder / f"{stem}.cpp").write_text(source)
            compile_ = [clang, TARGET, "-g", "-gcodeview", "-O2", "-ffunction-sections", "-c", f"{stem}.cpp"]
            subprocess.run(compile_, cwd=folder, check=True)
        compiled = (folder / "unit_0000.o").read_bytes()
        for number in range(1, UNITS):
            copy = compiled.replace(b"unit_0000", f"unit_{number:04}".encode())
            (folder / f"unit_{number:04}.o").write_bytes(copy)
        (folder / "inputs").write_text("\n".join(path.name for path in sorted(folder.glob("*.o"))))
        options = ["/nologo", "/debug", "/Brepro", "/nodefaultlib", "/subsystem:console", "/entry:mainCRTStartup"]
        options += ["/opt:noref", "/opt:noicf", "/pdbaltpath:%_PDB%", "/lldmap:map", "/out:large.exe", "/pdb:large.pdb"]
        subprocess.run([linker, *options, "@inputs"], cwd=folder, check=True)
        (CACHE / "rva").write_text(_rva(folder / "map"))
        for part in ("large.pdb", "large.exe"):  # the one that is asked for last
            (folder / part).rename(CACHE / part)


def _rva(link_map: Path) -> str:
    """In hexadecimal digits: the first field of the function's line."""
    with link_map.open(encoding="utf-8") as lines:
        return next(line.split()[0] for line in lines if f"{LOOKED_UP}(" in line)


def _unit() -> str:
    parts = [HEAD]
    for class_ in range(CLASSES):
        parts.append(CLASS)
        parts += [f"  int method_@C_{method}(int, const Range<int> &, State@C *);\n" for method in range(METHODS)]
        parts.append("};\n")
        for method in range(METHODS):
            constant = (class_ * 131 + method * 17) % 97 + 1
            text = METHOD.replace("@M", str(method)).replace("@N", str((method + 1) % METHODS))
            parts.append(text.replace("@K", str(constant)))
        parts = ["".join(parts).replace("@C", str(class_))]
    return parts[0] + "}\n"
