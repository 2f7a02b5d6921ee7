#!/bin/sh
# build.sh [OUT]: builds depot.exe and depot.pdb in OUT (by default, beside this script), and takes depot.dmp if WINE is
# set. The variables are those of hello/build.sh. The same tools give the same bytes of exe and pdb.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "${1:-$here}" && pwd)
clang=${CLANG:-clang-19}
dlltool=${DLLTOOL:-llvm-dlltool-19}
lld_link=$(command -v "${LLD_LINK:-lld-link-19}")
target=x86_64-pc-windows-msvc

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$lld_link" "$work/lld-link"      # the PDB records the linker's name and arguments: let them be the same everywhere
cp "$here"/*.cpp "$here"/../making/*.c "$work"
cd "$work"
PATH=$work:$PATH

printf 'LIBRARY kernel32.dll\nEXPORTS\nExitProcess\n' > kernel32.def
"$dlltool" -m i386:x86-64 -k -d kernel32.def -l kernel32.lib
"$clang" --driver-mode=cl --target=$target /Z7 /Od /GS- /GR- /c depot.cpp /Fodepot.obj \
    -gno-codeview-command-line '-ffile-compilation-dir=C:\depot'
lld-link /nologo /debug /Brepro /nodefaultlib /subsystem:console /entry:mainCRTStartup /base:0x140000000 \
    /dynamicbase:no '/pdbsourcepath:C:\depot' /pdbaltpath:%_PDB% /out:depot.exe /pdb:depot.pdb \
    depot.obj kernel32.lib
cp depot.exe depot.pdb "$out"

if [ -n "${WINE:-}" ]; then
    WINE_DIR=${WINE_DIR:-$work}
    "${CC64:-x86_64-w64-mingw32-gcc}" -O1 -s -Wall -Wextra take_dump.c -o "$WINE_DIR/take_dump.exe" -ldbghelp
    [ "$WINE_DIR" = "$work" ] || cp depot.exe "$WINE_DIR"
    (cd "$WINE_DIR" && $WINE take_dump.exe depot depot.exe crash depot.raw.dmp)
    python3 "$here/../making/fix_dump.py" "$WINE_DIR/depot.raw.dmp" "$out/depot.dmp" "$work"
    rm "$WINE_DIR/take_dump.exe" "$WINE_DIR/depot.raw.dmp" "$WINE_DIR/depot.exe"
    python3 "$here/check.py" "$out"
fi
