"""Thread-local variables of a program, of its library, and of one that is loaded later, of threads with values of their
own; on x86-64, x86 and ARM64, with glibc and musl. The tables are taken from the source.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import pytest

import stillframe
from stillframe import Absent, Value
from stillframe.model.absent import Reason
from stillframe.model.locator import Found, NotFound
from support.cores import core_of
from support.qemu_cores import COMPILER, as_linux_writes, mapped_files, qemu_core
from support.scene import FakeLocator

if TYPE_CHECKING:
    from stillframe import Frame
    from stillframe.model.locator import ImageRequest

PROGRAM = r"""
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
extern int touch(int);
extern int gettid(void);
struct __attribute__((aligned(64))) Wide { int first; char rest[5]; };
_Thread_local struct Wide t_wide = {8, "wide"};
_Thread_local int t_main = 3;
_Thread_local int t_zero;
static long (*poke)(long);
static int ready;
static void tell(void) {
    FILE *file = fopen("told", "a");
    fprintf(file, "%ld %p\n", (long)gettid(), __builtin_thread_pointer());
    fclose(file);
}
static void tell_maps(void) {
    static char buffer[1 << 16];
    FILE *from = fopen("/proc/self/maps", "r"), *file = fopen("maps", "w");
    fwrite(buffer, 1, fread(buffer, 1, sizeof buffer, from), file);
    fclose(file);
}
__attribute__((noinline)) static void *worker(void *number) {
    int n = (int)(long)number;
    t_main += n;
    t_zero -= n;
    if (n != 3) touch(10 * n);
    if (n != 2) poke(100 * n);
    tell();
    __sync_fetch_and_add(&ready, 1);
    for (;;) pause();
}
int main(int count, char **arguments) {
    void *first = dlopen("./libfirst.so", RTLD_NOW);
    long (*forget)(long) = (long (*)(long))dlsym(first, "poke");
    forget(1);
    if (count > 1) dlclose(first);  /* The next library takes its index. */
    poke = (long (*)(long))dlsym(dlopen("./libplug.so", RTLD_NOW), "poke");
    for (long n = 1; n <= 3; ++n) {
        pthread_t thread;
        if (pthread_create(&thread, 0, worker, (void *)n)) exit(1);
    }
    while (__sync_fetch_and_add(&ready, 0) != 3) usleep(1000);
    touch(1000);
    tell();
    tell_maps();
    *(volatile int *)0 = 1;
    return 0;
}
"""
LIBRARY = r"""
_Thread_local int t_lib = 7;
_Thread_local char t_text[8] = "lib";
int touch(int n) { t_lib += n; t_text[0] = 'L'; return t_lib; }
"""
PLUGIN = r"""
_Thread_local long t_plug = 70;
_Thread_local char t_room[3000];
long poke(long n) { t_room[n] = 1; return t_plug += n; }
"""
FIRST = PLUGIN.replace("t_plug = 70", "t_first = 50").replace("t_plug", "t_first")
WIDE = {"first": 8, "rest": "wide"}
MAIN = {"t_wide": WIDE, "t_main": 3, "t_zero": 0, "t_lib": 1007, "t_text": "Lib"}
WORKERS = [
    {"t_wide": WIDE, "t_main": 4, "t_zero": -1, "t_lib": 17, "t_text": "Lib", "t_plug": 170},
    {"t_wide": WIDE, "t_main": 5, "t_zero": -2, "t_lib": 27, "t_text": "Lib"},
    {"t_wide": WIDE, "t_main": 6, "t_zero": -3, "t_lib": 7, "t_text": "lib", "t_plug": 370},
]
NAMES = ("t_wide", "t_main", "t_zero", "t_lib", "t_text", "t_plug")


class Build(NamedTuple):
    compiler: str
    level: str
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "".join(self[:2]) + "".join(self.options)


BUILDS = [
    Build("gcc", "-O0"),
    Build("gcc", "-O2"),
    Build("gcc", "-O2", ("-mtls-dialect=gnu2",)),
    Build("gcc", "-O0", ("-m32",)),
    Build("gcc", "-O0", ("-no-pie",)),
    Build("clang-19", "-O0"),
    Build("clang-19", "-O2"),
    Build("musl-gcc", "-O0"),
]


def build(made: Build, folder: Path) -> None:
    """Skips where the compiler cannot make such programs."""
    if sys.platform != "linux" or shutil.which(made.compiler) is None:
        pytest.skip(f"{made.compiler} on Linux is needed")
    (folder / "program.c").write_text(PROGRAM)
    command = [made.compiler, "-g", "-std=gnu11", made.level, *made.options]
    (folder / "empty.c").write_text("int main(void) { return 0; }")
    if subprocess.run([*command, "empty.c", "-o", "empty"], cwd=folder, check=False, capture_output=True).returncode:
        pytest.skip(f"{made} makes no programs here")
    for name, source in {"lib": LIBRARY, "plug": PLUGIN, "first": FIRST}.items():
        (folder / f"{name}.c").write_text(source)
        library = [*command, "-shared", "-fPIC", f"{name}.c", "-o", f"lib{name}.so"]
        subprocess.run(library, cwd=folder, check=True)
    linked = ["-L.", "-l:liblib.so", "-Wl,-rpath,$ORIGIN", "-ldl", "-pthread"]
    subprocess.run([*command, "program.c", "-o", "program", *linked], cwd=folder, check=True)


@pytest.fixture(scope="module", params=BUILDS, ids=str)
def core(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Build, stillframe.Dump]:
    folder = tmp_path_factory.mktemp("tls")
    build(request.param, folder)
    return request.param, stillframe.open(core_of("./program", folder))


def frames_of(dump: stillframe.Dump, function: str) -> list[Frame]:
    frames = [frame for thread in dump.threads for frame in thread.frames]
    return [frame for frame in frames if frame.name.partition("(")[0] == function]


def read(frame: Frame) -> dict[str, object]:
    """What is there."""
    values = {name: frame[name] for name in NAMES}
    for name, value in values.items():
        assert isinstance(value, Value) or value.reason == Reason.TLS_NOT_ALLOCATED, (name, value)
    return {name: value.read() for name, value in values.items() if isinstance(value, Value)}


def test_every_thread_has_its_own(core: tuple[Build, stillframe.Dump]) -> None:
    made, dump = core
    # musl makes all blocks at once.
    eager = {"t_plug": 70} if made.compiler == "musl-gcc" else {}
    (main,) = frames_of(dump, "main")
    assert read(main) == MAIN | eager
    workers = sorted((read(frame) for frame in frames_of(dump, "worker")), key=lambda each: str(each["t_main"]))
    assert workers == [eager | expected for expected in WORKERS]


def test_what_a_thread_has_not_used_is_absent(core: tuple[Build, stillframe.Dump]) -> None:
    made, dump = core
    if made.compiler == "musl-gcc":
        pytest.skip("musl makes all blocks at once")
    (main,) = frames_of(dump, "main")
    assert main["t_plug"] == Absent.because(Reason.TLS_NOT_ALLOCATED)
    assert main["t_first"] == 51


def test_an_index_that_was_taken_over(tmp_path: Path) -> None:
    build(Build("gcc", "-O0"), tmp_path)
    dump = stillframe.open(core_of("./program", tmp_path, "close"))
    assert "libfirst.so" not in {module.name for module in dump.modules}
    (main,) = frames_of(dump, "main")
    assert main["t_plug"] == Absent.because(Reason.TLS_NOT_ALLOCATED)
    workers = sorted((read(frame) for frame in frames_of(dump, "worker")), key=lambda each: str(each["t_main"]))
    assert workers == WORKERS


class OnlyIn(FakeLocator):
    """Knows the files of one folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def image(self, request: ImageRequest) -> Found | NotFound:
        path = self.folder / PurePosixPath(request.path).name
        return Found(path) if path.exists() else NotFound()


def test_without_the_c_library(tmp_path: Path) -> None:
    build(Build("gcc", "-O0"), tmp_path)
    core = core_of("./program", tmp_path)
    (main,) = frames_of(stillframe.open(core, symbols=OnlyIn(tmp_path)), "main")
    assert main["t_main"] == 3
    assert main["t_lib"] == Absent.because(Reason.TLS_LIBRARY_UNKNOWN)


def test_arm64(tmp_path: Path) -> None:
    build(Build(COMPILER, "-O0"), tmp_path)
    core = qemu_core(tmp_path, "-L", "/usr/aarch64-linux-gnu")
    told = [line.split() for line in (tmp_path / "told").read_text().splitlines()]
    pointers = {int(thread): int(pointer, 16) for thread, pointer in told}
    files = mapped_files((tmp_path / "maps").read_text())
    core.write_bytes(as_linux_writes(core.read_bytes(), pointers, files))
    dump = stillframe.open(core)
    (main,) = frames_of(dump, "main")
    assert read(main) == MAIN
    workers = sorted((read(frame) for frame in frames_of(dump, "worker")), key=lambda each: str(each["t_main"]))
    assert workers == WORKERS
