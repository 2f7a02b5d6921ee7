"""The command as a whole: help, version, errors, exit codes, signals, speed of import."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from stillframe.cli.main import VERBS, module_of
from support.command import SCRIPT, Command, process
from support.data import EXAMPLES
from support.dump_builder import DumpBuilder

HELLO = EXAMPLES / "hello"
ARGUMENTS: dict[str, list[str]] = {
    "disasm": ["0x9f1934"],
    "memory": ["0x9f1934", "4"],
    "type": ["int"],
    "eval": ["1"],
} | {"search": ["--text", "x"]}


def test_help_names_every_verb_and_the_exit_codes() -> None:
    result = process("--help")
    assert result.returncode == 0
    for verb in VERBS:
        assert f"  {verb} " in result.stdout
    assert "Exit codes" in result.stdout


def test_no_words_show_the_help(stillframe_command: Command) -> None:
    assert stillframe_command().out == stillframe_command("--help").out


def test_version(stillframe_command: Command) -> None:
    result = stillframe_command("--version")
    assert (result.code, result.out) == (0, f"stillframe {version('stillframe')}\n")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_the_shared_options(verb: str, stillframe_command: Command) -> None:
    command = import_module(module_of(verb)).command
    assert isinstance(command, click.Command)
    assert command.name == verb
    help_text = stillframe_command(verb, "--help").out
    for word in ("DUMP", "--symbols", "--json", "--debug", "Exit codes"):
        assert word in help_text


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["report"],
        ["report", "--nonsense", "x.dmp"],
        ["disasm", "x.dmp"],
        ["disasm", "x.dmp", "main", "--frame", "1"],
        ["disasm", "x.dmp", "main", "--count", "0"],
        ["memory", "x.dmp", "0x1000"],
        ["memory", "x.dmp", "0x1000", "many"],
        ["memory", "x.dmp", "0x1000", "0"],
        ["memory", "x.dmp", "0x1000", str(1 << 40)],
        ["streams", "x.dmp", "--raw", "first"],
        ["report", str(HELLO / "hello.dmp"), "--symbols", "/no/such/folder"],
        ["report", str(HELLO / "hello.dmp"), "--symbols", str(HELLO / "hello.pdb")],
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(words: list[str], stillframe_command: Command) -> None:
    stillframe_command(*words).assert_one_line_of_error(2)


NOT_DUMPS = {
    "empty": b"",
    "text": b"This is not a dump.\n",
    "only the signature": b"MDMP",
    "half a header": b"MDMP\x93\xa7\x00\x00\x03\x00\x00\x00\x20\x00",
    "a directory past the end": b"MDMP\x93\xa7\x00\x00\xff\xff\xff\x7f\x20\x00\x00\x00" + bytes(16),
    "zeros": bytes(4096),
    "a program": b"MZ" + bytes(510),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("data", NOT_DUMPS.values(), ids=NOT_DUMPS)
def test_a_file_that_is_no_dump(verb: str, data: bytes, tmp_path: Path, stillframe_command: Command) -> None:
    path = tmp_path / "bad.dmp"
    path.write_bytes(data)
    result = stillframe_command(verb, path, *ARGUMENTS.get(verb, []))
    result.assert_one_line_of_error(2)
    assert "bad.dmp" in result.err
    assert result.out == ""


def test_a_file_that_is_not_there(tmp_path: Path, stillframe_command: Command) -> None:
    result = stillframe_command("report", tmp_path / "none.dmp")
    result.assert_one_line_of_error(2)
    assert "none.dmp" in result.err
    stillframe_command("report", tmp_path).assert_one_line_of_error(2)  # a folder


def test_debug_gives_the_traceback(tmp_path: Path, stillframe_command: Command) -> None:
    path = tmp_path / "bad.dmp"
    path.write_bytes(b"no")
    result = stillframe_command("report", path, "--debug")
    assert result.code == 2
    assert "Traceback (most recent call last)" in result.err
    assert result.err.splitlines()[-1].startswith("stillframe: ")


def test_a_name_cannot_add_a_line_to_the_error(tmp_path: Path, stillframe_command: Command) -> None:
    stillframe_command("report", tmp_path / "a\nb\x1b[2J.dmp").assert_one_line_of_error(2)


def test_a_mistake_of_ours_is_one_line_too(monkeypatch: pytest.MonkeyPatch, stillframe_command: Command) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("stillframe.open", broken)
    stillframe_command("report", HELLO / "hello.dmp").assert_one_line_of_error(70)


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = [str(SCRIPT), "memory", str(HELLO / "hello.dmp"), "hello.exe", "100000"]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert started.stdout is not None
    started.stdout.close()
    _, err = started.communicate(timeout=60)
    assert (started.returncode, err) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [SCRIPT, "report", HELLO / "hello.dmp"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert result.returncode == 2
    assert result.stderr.startswith(b"stillframe: the output cannot be written: ")
    assert result.stderr.count(b"\n") == 1


def test_closed_output_is_no_error() -> None:
    command = f"exec {SCRIPT} report {HELLO / 'hello.dmp'} >&-"
    result = subprocess.run(command, shell=True, stderr=subprocess.PIPE, check=False)
    assert (result.returncode, result.stderr) == (0, b"")


def test_an_interrupt_is_quiet(tmp_path: Path) -> None:
    more_than_a_pipe_holds = bytes(4 << 20)
    dump = DumpBuilder().stream(0x12345678, more_than_a_pipe_holds).write(tmp_path / "large.dmp")
    command = [str(SCRIPT), "streams", str(dump), "--raw", "1"]

    def heed_interrupts() -> None:  # which a shell's background jobs ignore, and so do their children
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    started = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed_interrupts,  # noqa: PLW1509 - there is one thread
    )
    assert started.stdout is not None
    assert started.stdout.read(1) == b"\0"  # it now waits until somebody reads the rest
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=60)
    assert (started.returncode, err) == (130, b"")


def modules_imported_by(*words: str) -> set[str]:
    program = (
        "import sys; from stillframe.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    return set(result.stderr.split())


HEAVY = {"rich", "asyncio", "importlib.metadata", "email", "ssl", "http", "argparse", "logging", "unittest"}


def test_nothing_is_imported_that_the_verb_does_not_need() -> None:
    help_alone = modules_imported_by("--help")
    assert help_alone & HEAVY == set()
    assert {name for name in help_alone if name.startswith(("stillframe.model", "stillframe._engine"))} == set()
    report = modules_imported_by("report", str(HELLO / "hello.dmp"))
    assert report & HEAVY == set()
    assert {name for name in report if name.startswith("stillframe.cli.")} & {
        f"stillframe.cli.{verb}" for verb in VERBS
    } <= {
        "stillframe.cli.report",
        "stillframe.cli.modules",
    }
    assert "json" not in report


def on_a_terminal(*words: str, **environment: str) -> str:
    """What the command prints to a terminal."""
    parent, child = pty.openpty()
    started = subprocess.Popen(
        [str(SCRIPT), *words],
        stdout=child,
        stderr=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(child)
    output = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not part:
            break
        output += part
    os.close(parent)
    assert started.wait(60) == 0
    return output.decode().replace("\r\n", "\n")


def test_colour_on_a_terminal_only_and_not_where_it_is_not_wanted() -> None:
    words = ["stack", str(HELLO / "hello.dmp")]
    plain = process(*words).stdout
    assert "\x1b" not in plain
    coloured = on_a_terminal(*words)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert on_a_terminal(*words, NO_COLOR="1") == plain
