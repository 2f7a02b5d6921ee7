#!/bin/sh
# The main job, on a dump of 32-bit Windows that holds the stack of a program but none of its code:
# code and constants come from the binary beside it, which is proved to be the right one first.
set -eu
examples=$(cd "$(dirname "$0")" && pwd)
hello=$examples/hello
depot=$examples/depot

say() { printf '\n# %s\n$ %s\n' "$1" "$(echo "$2" | sed "s#$examples#examples#g")"; eval "$2"; }

say "What happened?" "stillframe report $hello/hello.dmp"
say "The code of main is not in the dump; it is in hello.exe:" "stillframe disasm $hello/hello.dmp 0x9f1934 --count 5"
say "The same as bytes, and where each comes from:" "stillframe memory $hello/hello.dmp 0x9f1934 19 --provenance"
say "The 64-bit twin:" "stillframe stack $hello/hello64.dmp"
say "A crash, and what the program was holding:" "stillframe report $depot/depot.dmp --locals"
say "In the debugger:" "stillframe debug $depot/depot.dmp -c '.f+; dx load.Where(x => x->m_number > 1); ln \$ra'"
