#!/bin/sh
# build.sh [OUT]: builds the programs in OUT (by default, beside this script), and takes their dumps if WINE is set. The
# variables are those of hello/build.sh. The same tools give the same bytes of exe and pdb.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "${1:-$here}" && pwd)
clang=${CLANG:-clang-19}
dlltool=${DLLTOOL:-llvm-dlltool-19}
lld_link=$(command -v "${LLD_LINK:-lld-link-19}")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$lld_link" "$work/lld-link"      # the PDB records the linker's name and arguments: let them be the same everywhere
cp "$here"/*.cpp "$here"/../making/*.c "$work"
cd "$work"
PATH=$work:$PATH

# link NAME OPTION...
link() {
    name=$1
    shift
    lld-link /nologo /Brepro /nodefaultlib /subsystem:console /entry:mainCRTStartup /base:0x140000000 /dynamicbase:no \
        "/out:$name.exe" "$@" "$name.obj" kernel32.lib
    cp "$name.exe" "$out"
}

# with_pdb NAME OPTION...: with the types, names and lines of Microsoft's tools
with_pdb() {
    name=$1
    shift
    "$clang" --driver-mode=cl --target=x86_64-pc-windows-msvc /Z7 /GS- /GR- "$@" /c depot.cpp "/Fo$name.obj" \
        -gno-codeview-command-line '-ffile-compilation-dir=C:\depot'
    link "$name" /debug '/pdbsourcepath:C:\depot' /pdbaltpath:%_PDB% "/pdb:$name.pdb"
    cp "$name.pdb" "$out"
}

# with_dwarf NAME OPTION...: as MinGW builds it, all in the image
with_dwarf() {
    name=$1
    shift
    "$clang" --target=x86_64-w64-windows-gnu -gdwarf-5 -fno-rtti -fno-exceptions -fno-ident "$@" -c depot.cpp \
        -o "$name.obj" '-ffile-compilation-dir=C:\depot'
    link "$name" /debug:dwarf
}

# take NAME: the dump at the crash
take() {
    [ "$WINE_DIR" = "$work" ] || cp "$1.exe" "$WINE_DIR"
    (cd "$WINE_DIR" && $WINE take_dump.exe depot "$1.exe" crash "$1.raw.dmp")
    python3 "$here/../making/fix_dump.py" "$WINE_DIR/$1.raw.dmp" "$out/$1.dmp" "$work"
    rm "$WINE_DIR/$1.raw.dmp" "$WINE_DIR/$1.exe"
}

printf 'LIBRARY kernel32.dll\nEXPORTS\nExitProcess\n' > kernel32.def
"$dlltool" -m i386:x86-64 -k -d kernel32.def -l kernel32.lib
with_pdb depot /Od
with_pdb depot.O2 /O2
with_dwarf depot.dwarf -O0
with_dwarf depot.dwarf.O2 -O2

if [ -n "${WINE:-}" ]; then
    WINE_DIR=${WINE_DIR:-$work}
    "${CC64:-x86_64-w64-mingw32-gcc}" -O1 -s -Wall -Wextra take_dump.c -o "$WINE_DIR/take_dump.exe" -ldbghelp
    for name in depot depot.O2 depot.dwarf depot.dwarf.O2; do
        take $name
    done
    rm "$WINE_DIR/take_dump.exe"
    python3 "$here/check.py" "$out"
fi
