#!/bin/sh -e
# Builds types.pdb: clang 19 and lld 19. The tests' expected values are those of types.cpp, of llvm-pdbutil and of the
# Microsoft C++ ABI.
cd "$(dirname "$0")"
clang++-19 -target x86_64-pc-windows-msvc -std=c++20 -O0 -g -gcodeview -gno-codeview-command-line -fno-exceptions \
    -fms-extensions \
    -fstandalone-debug -ffile-compilation-dir=. -c types.cpp -o types.obj
lld-link-19 types.obj /nodefaultlib /entry:start /subsystem:console /debug /Brepro /out:types.exe /pdb:types.pdb /pdbaltpath:types.pdb \
    "/pdbsourcepath:c:\\types"
rm types.obj types.exe
