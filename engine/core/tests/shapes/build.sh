#!/bin/sh -e
# Builds the programs beside this file: gcc 12 (DWARF 5 for x64, DWARF 4 for x86), clang 19 (DWARF 5 for ARM64); and
# shapes.dwz, which is an unoptimised shapes.x64 that keeps in shapes.sup (.gnu_debugaltlink) what both have in common. MinGW's gcc 12.
# The tests' expected addresses are llvm-symbolizer's and readelf's: they change when this is run with other compilers.
cd "$(dirname "$0")"
common="-ffreestanding -fno-exceptions -fno-asynchronous-unwind-tables -fno-stack-protector -nostdlib -static -fno-pie -no-pie \
    -fdebug-prefix-map=$PWD=/shapes -Wl,--build-id=sha1 -Wl,-z,noseparate-code"
g++ $common -gdwarf-5 -O1 -o shapes.x64 shapes.cpp
g++ $common -gdwarf-4 -O0 -m32 -o shapes.x86 shapes.cpp
clang++-19 $common -gdwarf-5 -O2 --target=aarch64-linux-gnu -fuse-ld=lld -o shapes.arm64 shapes.cpp
cp shapes.x64 other
g++ $common -gdwarf-5 -O0 -o shapes.dwz shapes.cpp
dwz -m shapes.sup shapes.dwz other
rm other
# For Windows: DWARF 4 for x86, DWARF 5 for x64, in PE files with a symbol table; and a stripped one with .eh_frame alone.
windows="-ffreestanding -fno-exceptions -fno-stack-protector -nostdlib -fdebug-prefix-map=$PWD=/shapes -Wl,--no-insert-timestamp"
i686-w64-mingw32-g++ $windows -gdwarf-4 -O0 -fasynchronous-unwind-tables -Wl,-e,__start -o shapes.x86.exe shapes.cpp
x86_64-w64-mingw32-g++ $windows -gdwarf-5 -O1 -Wl,-e,_start -o shapes.x64.exe shapes.cpp
i686-w64-mingw32-g++ $windows -s -O1 -fomit-frame-pointer -fasynchronous-unwind-tables -Wl,-e,__start -o shapes.stripped.exe shapes.cpp
# Split DWARF: version 5 of clang, with the .dwo file and a package of it; version 4 of gcc, likewise.
split="-ffreestanding -fno-exceptions -fno-asynchronous-unwind-tables -fno-stack-protector -nostdlib -static -fno-pie \
    -fdebug-prefix-map=$PWD=/shapes -gsplit-dwarf"
clang++-19 $split -gdwarf-5 -O2 --target=x86_64-linux-gnu -c -o split5.o shapes.cpp
ld.lld-19 -static --build-id=sha1 -o split5 split5.o
g++ $split -gdwarf-4 -O0 -c -o split4.o shapes.cpp
ld.lld-19 -static --build-id=sha1 -o split4 split4.o
llvm-dwp-19 -e split5 -o split5.dwp
llvm-dwp-19 -e split4 -o split4.dwp
rm split5.o split4.o
