"""The debugger on a terminal that is not there: pages, interrupts, mistakes of ours; completion."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe.cli.page import Page
from stillframe.repl.completion import completions
from stillframe.repl.session import Session
from support.data import EXAMPLES, shared_data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HELLO = EXAMPLES / "hello" / "hello.dmp"
ROWS, COLUMNS = 10, 100
MORE = b"-- more"
# Verbs that no debugger has: one that never ends, one that is wrong.
PROGRAM = """
import sys, time
from stillframe.cli.main import main
from stillframe.repl import verbs
from stillframe.repl.verb import Verb

class Endless(Verb):
    def run(self, session, name, arguments):
        print("it has begun", flush=True)
        time.sleep(600)

class Wrong(Verb):
    def run(self, session, name, arguments):
        raise ZeroDivisionError("by\\nnothing")

verbs.BY_NAME.update(endless=Endless(), wrong=Wrong())
sys.exit(main(["debug", sys.argv[1]]))
"""


class Terminal:
    """What a person sees and types."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def type(self, keys: bytes) -> None:
        os.write(self._descriptor, keys)

    def until(self, wanted: bytes, seconds: float = 20) -> bytes:
        """What is shown up to `wanted`, which has to come."""
        shown, end = b"", time.monotonic() + seconds
        while wanted not in shown:
            ready, _, _ = select.select([self._descriptor], [], [], max(end - time.monotonic(), 0))
            if not ready:
                pytest.fail(f"{wanted!r} did not come; shown was {shown!r}")
            try:
                shown += os.read(self._descriptor, 4096)
            except OSError:
                pytest.fail(f"{wanted!r} did not come before the end; shown was {shown!r}")
            if b"\x1b[6n" in shown:  # prompt_toolkit asks where the cursor is
                os.write(self._descriptor, b"\x1b[1;1R")
                shown = shown.replace(b"\x1b[6n", b"")
        return shown


@contextmanager
def terminal(state: Path) -> Iterator[Terminal]:
    child, descriptor = pty.fork()
    if child == 0:
        # Not this process's own environment: its readline sets a size in it that os.environ does not see.
        environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
        environment |= {"TERM": "xterm", "XDG_STATE_HOME": str(state)}
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # which a shell may have told its background jobs to ignore
        time.sleep(0.2)  # until the size below is set
        os.execve(sys.executable, [sys.executable, "-c", PROGRAM, str(HELLO)], environment)
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    shown = Terminal(descriptor)
    try:
        shown.until(b"0:000")
        yield shown
        shown.type(b"q\r")
        _, status = os.waitpid(child, 0)
        child = 0
        assert os.waitstatus_to_exitcode(status) == 0
    finally:
        if child:
            os.kill(child, 9)
            os.waitpid(child, 0)
        os.close(descriptor)


def test_ctrl_c_ends_the_verb_alone(tmp_path: Path) -> None:
    with terminal(tmp_path) as shown:
        shown.type(b"endless; .echo not this\r")
        shown.until(b"it has begun")
        shown.type(b"\x03")
        assert b"not this" not in shown.until(b"interrupted").partition(b"it has begun")[2]
        shown.until(b"0:000")
        shown.type(b".echo still here\r")
        shown.until(b"still here\r\n")
        shown.until(b"0:000")


def test_a_mistake_of_ours_ends_the_verb_alone(tmp_path: Path) -> None:
    with terminal(tmp_path) as shown:
        shown.type(b"wrong\r")
        shown.until(b"internal error: ZeroDivisionError: by\\x0anothing\r\n")
        shown.until(b"0:000")


def test_pages(tmp_path: Path) -> None:
    with terminal(tmp_path) as shown:
        shown.type(b"db 9f1934 L100\r")  # 16 rows of 16 bytes
        first = shown.until(MORE)
        assert first.count(b"0x009F1") == ROWS - 1
        shown.type(b" ")
        assert b"0x009F1A24" in shown.until(b"0:000")  # the last row
        shown.type(b"db 9f1934 L200\r")
        shown.until(MORE)
        shown.type(b"q")
        assert b"0x009F1B24" not in shown.until(b"0:000")
        shown.type(b"db 9f1934 L200\r")
        shown.until(MORE)
        shown.type(b"a")
        assert b"0x009F1B24" in shown.until(b"0:000")
        shown.type(b"db 9f1934 L80\r")  # that fits
        assert MORE not in shown.until(b"0:000")


@pytest.mark.parametrize(
    ("columns", "rows", "expected"), [(80, 9, [5]), (80, 5, [5]), (80, 2, [2, 2, 1]), (80, 1, [1] * 5)]
)
def test_screens(columns: int, rows: int, expected: list[int]) -> None:
    page = Page()
    for _ in range(5):
        page.line("a line")
    assert [str(screen).count("\n") for screen in page.screens(columns, rows)] == expected


def test_long_lines_take_several_rows() -> None:
    page = Page()
    page.line("x" * 25)  # three rows of ten
    page.line("y" * 10)  # one
    page.line("z" * 100)  # more than there is: alone
    assert [str(screen)[0] for screen in page.screens(10, 4)] == ["x", "z"]
    assert "".join(map(str, page.screens(10, 4))) == str(page)
    assert [str(screen) for screen in Page().screens(10, 4)] == [""]


# --- completion -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app() -> Session:
    return Session(stillframe.open(shared_data() / "made" / "app_x64.d.crash.t0.dmp"))


def completed(session: Session, text: str) -> list[str]:
    return [text[: len(text) - length] + name for name, length in completions(session, text)]


@pytest.mark.parametrize(
    ("text", "frame", "expected"),
    [
        ("!uni", 0, "!uniqstack"),
        ("k; !ana", 0, "k; !analyze"),
        ("dv dou", 0, "dv doubled"),
        ("?? rect.m_o", 8, "?? rect.m_origin"),
        ("?? rect.m_origin.", 8, "?? rect.m_origin.y"),
        ("?? shape->m_", 2, "?? shape->m_name"),
        ("dx rect.m_ta", 8, "dx rect.m_tag"),  # of a base
        ("dx numbers.data.Wh", 8, "dx numbers.data.Where"),
        ("dx @$curp", 0, "dx @$curprocess"),
        ("dx @$curprocess.Thr", 0, "dx @$curprocess.Threads"),
        ("dx @$curstack.Frames.First().Pa", 0, "dx @$curstack.Frames.First().Parameters"),
        ("?? @rs", 0, "?? @rsp"),
        ("r rc", 0, "r rcx"),
        ("u ker", 0, "u kernel32!"),
        ("u app_x64.d!crash_h", 0, "u app_x64.d!crash_here"),
        ("u crash_h", 0, "u crash_here"),
    ],
)
def test_completions(text: str, frame: int, expected: str, app: Session) -> None:
    app.choose_frame(frame)
    assert expected in completed(app, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "dx nosuch.",
        "dx 1.",
        "dx ((",
        "dx (((.",
        "u nosuch!x",
        "dx @$nosuch.",
        "?? *(int*)0.",
        "dx " + "a." * 5000,
    ],
)
def test_nothing_to_complete(text: str, app: Session) -> None:
    assert completed(app, text) == []
