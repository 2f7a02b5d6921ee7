#!/bin/sh -e
# Builds the programs beside this file: gcc 12 and clang 19, DWARF 3 (bit-fields of the older kind), 4 and 5, with and without
# type units, with indexes of names of three kinds (gcc3: .debug_pubtypes; clang4: .debug_gnu_pubtypes; names5: .debug_names).
# split5 has its entries in .dwo files, or in the package of them; type units too.
# The tests' expected addresses are nm's and llvm-dwarfdump's: they change when this is run with other compilers.
cd "$(dirname "$0")"
common="-std=c++17 -ffreestanding -fno-exceptions -fno-rtti -fno-asynchronous-unwind-tables -fno-stack-protector -fno-pie \
    -Wno-gnu -w -fdebug-prefix-map=$PWD=/values"
link="-nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noseparate-code"
build() { # name, compiler, options
    name=$1
    compiler=$2
    shift 2
    for unit in values other; do
        $compiler $common "$@" -c -o $name.$unit.o $unit.cpp
    done
    $compiler "$@" $link -o $name $name.values.o $name.other.o
    rm $name.values.o $name.other.o
}
build gcc3 g++ -gdwarf-3 -gstrict-dwarf -gpubnames -O0
build gcc4 g++ -gdwarf-4 -fdebug-types-section -O0
build gcc5 g++ -gdwarf-5 -O2
build clang4 clang++-19 -fstandalone-debug -gdwarf-4 -ggnu-pubnames -O0
build clang5 clang++-19 -fstandalone-debug -gdwarf-5 -fdebug-types-section -O2
build names5 clang++-19 -fstandalone-debug -gdwarf-5 -gpubnames -O1
build split5 clang++-19 -fstandalone-debug -gdwarf-5 -gsplit-dwarf -fdebug-types-section -O1
llvm-dwp-19 -e split5 -o split5.dwp
