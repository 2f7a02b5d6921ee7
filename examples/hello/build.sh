#!/bin/sh
# build.sh [OUT]: builds hello.exe, hello.pdb, hello64.exe and hello64.pdb in OUT (by default, beside this script), and
# takes hello.dmp and hello64.dmp if WINE is set. The same tools give the same bytes of exe and pdb.
#
#   CLANG, LLD_LINK, DLLTOOL   of LLVM 19
#   WINE                       the command that runs a Windows program, x86 or x64: wine
#   WINE_DIR                   the folder that is WINE's current one; by default, a temporary folder where it is started
#   CC32, CC64                 compilers with Windows headers, for take_dump.c (MinGW)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "${1:-$here}" && pwd)
clang=${CLANG:-clang-19}
dlltool=${DLLTOOL:-llvm-dlltool-19}
lld_link=$(command -v "${LLD_LINK:-lld-link-19}")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$lld_link" "$work/lld-link"      # the PDB records the linker's name and arguments: let them be the same everywhere
cp "$here"/*.cpp "$here"/*.c "$here"/*.S "$here"/*.inc "$here"/../making/*.c "$work"
cd "$work"
PATH=$work:$PATH

checksum=$(sha256sum hello.cpp | cut -d ' ' -f 1)

# import_library BITS DLL FUNCTION: a library for one function. DATA: without a thunk, we have our own.
import_library() {
    case $1 in 32) machine=i386 ;; 64) machine=i386:x86-64 ;; esac
    printf 'LIBRARY %s.dll\nEXPORTS\n%s DATA\n' "$2" "$3" > "$2.def"
    "$dlltool" -m "$machine" -k -d "$2.def" -l "$2_$1.lib"
}

# build BITS TARGET NAME BASE
build() {
    "$clang" --target="$2" -c -DHELLO_CPP_SHA256="\"$checksum\"" "hello$1.S" -o "$3.obj"
    "$clang" --driver-mode=cl --target="$2" /Z7 /Od /GS- /c startup.c "/Fostartup$1.obj" \
        -gno-codeview-command-line '-ffile-compilation-dir=C:\hello'
    # lld places .bss directly behind .text: kept out of .data (it warns of that), it moves .rdata to 0x7000.
    # The name is the one that Microsoft's linker gives to room for code.
    lld-link /nologo /debug /Brepro /nodefaultlib /subsystem:console /entry:mainCRTStartup \
        "/base:$4" /dynamicbase:no /fixed:no /merge:.bss=.textbss \
        '/pdbsourcepath:C:\hello' /pdbaltpath:%_PDB% "/out:$3.exe" "/pdb:$3.pdb" \
        "$3.obj" "startup$1.obj" "kernel32_$1.lib" "msvcrt_$1.lib"
    cp "$3.exe" "$3.pdb" "$out"
}

# take BITS NAME COMPILER: the dump at the thunk
take() {
    "$3" -O1 -s -Wall -Wextra take_dump.c -o "$WINE_DIR/take_dump$1.exe" -ldbghelp
    [ "$WINE_DIR" = "$work" ] || cp "$2.exe" "$WINE_DIR"
    (cd "$WINE_DIR" && $WINE "take_dump$1.exe" hello "$2.exe" 10d2 "$2.raw.dmp")
    python3 "$here/../making/fix_dump.py" "$WINE_DIR/$2.raw.dmp" "$out/$2.dmp" "$work"
    rm "$WINE_DIR/take_dump$1.exe" "$WINE_DIR/$2.raw.dmp" "$WINE_DIR/$2.exe"
}

import_library 32 kernel32 ExitProcess@4
import_library 32 msvcrt printf
import_library 64 kernel32 ExitProcess
import_library 64 msvcrt printf
build 32 i686-pc-windows-msvc hello 0x9f0000
build 64 x86_64-pc-windows-msvc hello64 0x7ff6009f0000
if [ -n "${WINE:-}" ]; then
    WINE_DIR=${WINE_DIR:-$work}
    take 32 hello "${CC32:-i686-w64-mingw32-gcc}"
    take 64 hello64 "${CC64:-x86_64-w64-mingw32-gcc}"
    python3 "$here/check.py" "$out"
fi
