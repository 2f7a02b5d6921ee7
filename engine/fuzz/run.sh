#!/bin/sh
# Runs every fuzz target (or those named after the seconds) for $1 seconds each. Seeds are the example files, and
# findings that were mended. A finding is left in artifacts/TARGET and ends the run.
set -eu
seconds=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
[ $# -gt 0 ] || set -- $(cargo +nightly fuzz list --fuzz-dir .)
for target in "$@"; do
    longest=400000
    build=
    mkdir -p "corpus/$target" "regressions/$target"
    case $target in
        dump) cp ../../examples/hello/*.dmp "corpus/$target" ;;
        # A core of a process that waits, cut after its notes. It holds this shell's environment: it stays here.
        core)
            longest=100000
            sleep 60 &
            sleeper=$!
            gcore -o "corpus/$target/whole" $sleeper >/dev/null
            kill $sleeper
            head -c 65536 "corpus/$target/whole.$sleeper" >"corpus/$target/notes"
            rm "corpus/$target/whole.$sleeper"
            ;;
        image) cp ../../examples/hello/*.exe "corpus/$target" ;;
        elf | dwarf) cp ../core/tests/shapes/shapes.[adx]* ../core/tests/values/*[345] "corpus/$target" ;;
        breakpad) longest=20000 && printf 'MODULE Linux x86_64 5A9832E5287241C1838ED98914E9B7FF1 a\nFILE 0 a.c\nINLINE_ORIGIN 0 g\nFUNC 1000 20 0 f\nINLINE 0 1 0 0 1000 8\n1000 20 2 0\nPUBLIC 1240 0 _Z1hv\nSTACK WIN 4 1000 20 1 0 0 0 0 0 1 $T0 $ebp =\nSTACK CFI INIT 1000 20 .cfa: $rsp 8 + .ra: .cfa -8 + ^\nSTACK CFI 1001 .cfa: $rsp 16 +\n' >"corpus/$target/all.sym" ;;
        pdb) cp ../../examples/hello/*.pdb ../core/tests/types/types.pdb "corpus/$target" ;;
        macho) cp ../core/tests/frames/frames.d* "corpus/$target" ;;
        unwind_x64 | code) longest=4096 && tail -c +1025 ../../examples/hello/hello64.exe | head -c 4096 >"corpus/$target/code" ;;
        unwind_x86) longest=1024 && printf '................!\100$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + = $ebp $T0 8 - ^ =' >"corpus/$target/program" ;;
        # As it is released: the demangler of Microsoft's names asserts, in other builds, what damaged names break.
        name) longest=4096 && build=-O && printf '?area@Rect@geo@@QEBAHXZ' >"corpus/$target/msvc" ;;
    esac
    cargo +nightly fuzz run --fuzz-dir . $build "$target" "corpus/$target" "regressions/$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=$longest -print_final_stats=1
done
