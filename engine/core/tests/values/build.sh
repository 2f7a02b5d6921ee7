#!/bin/sh -e
# Builds the programs beside this file: gcc 12 and clang 19, DWARF 3 (bit-fields of the older kind), 4 with type units, 5;
# split.x64 has its entries in split.dwp, a package with type units; split.o.dwo is one of the files that went into it.
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
build gcc3 g++ -gdwarf-3 -gstrict-dwarf -O0
build gcc4 g++ -gdwarf-4 -fdebug-types-section -O0
build gcc5 g++ -gdwarf-5 -O2
build clang4 clang++-19 -fstandalone-debug -gdwarf-4 -O0
build clang5 clang++-19 -fstandalone-debug -gdwarf-5 -fdebug-types-section -O2
build names5 clang++-19 -fstandalone-debug -gdwarf-5 -gpubnames -O1
build split5 clang++-19 -fstandalone-debug -gdwarf-5 -gsplit-dwarf -fdebug-types-section -O1
llvm-dwp-19 -e split5 -o split5.dwp
