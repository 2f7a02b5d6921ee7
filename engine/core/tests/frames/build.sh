#!/bin/sh -e
# Builds frames.dylib, a universal file, and frames.dwarf, which is what a dSYM bundle holds of it, with clang, lld and
# dsymutil 19. `__debug_frame` in frames.dwarf tells in DWARF what the compact encodings must say. Other expected values of
# the tests are those of llvm-objdump, llvm-nm, llvm-dwarfdump and llvm-symbolizer; they change with other compilers.
cd "$(dirname "$0")"
build() {
    architecture=$1 version=$2
    shift 2
    clang++-19 --target="$architecture-apple-macos$version" -ffreestanding -fno-exceptions -fno-stack-protector -g -O2 \
        "$@" -femit-dwarf-unwind=always -fforce-dwarf-frame -fdebug-prefix-map="$PWD=/frames" \
        -c frames.cpp -o "frames.$architecture.o"
    ld64.lld-19 -oso_prefix "$PWD/" -arch "$architecture" -platform_version macos "$version" "$version" \
        -dylib -install_name /frames/frames.dylib \
        -o "frames.$architecture.dylib" "frames.$architecture.o"
    dsymutil-19 --flat "frames.$architecture.dylib" -o "frames.$architecture.dwarf"
}
build x86_64 10.15 -fasynchronous-unwind-tables -fomit-frame-pointer
build arm64 11.0 -funwind-tables
llvm-lipo-19 -create frames.x86_64.dylib frames.arm64.dylib -output frames.dylib
llvm-lipo-19 -create frames.x86_64.dwarf frames.arm64.dwarf -output frames.dwarf
rm frames.x86_64.* frames.arm64.*
