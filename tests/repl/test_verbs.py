"""The debugger's verbs. Expected values come from `examples/hello/hello.cpp` and from app.cpp of the real data."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe.cli.verb import Unanswered
from stillframe.repl import verbs
from stillframe.repl.completion import completions
from stillframe.repl.session import Session
from support.data import shared_data

if TYPE_CHECKING:
    from support.command import Command

REPOSITORY = Path(__file__).parent.parent.parent
HELLO = REPOSITORY / "examples" / "hello" / "hello.dmp"
DOCUMENT = (REPOSITORY / "docs" / "debugger.md").read_text(encoding="utf-8")


@pytest.fixture
def hello() -> Session:
    return Session(stillframe.open(HELLO))


@pytest.fixture
def app() -> Session:
    return Session(stillframe.open(shared_data() / "made" / "app_x64.d.crash.t0.dmp"))


def said(session: Session, text: str) -> str:
    return "".join(str(verbs.execute(session, command).page) for command in verbs.commands(text))


def test_a_session_begins_at_the_crash(hello: Session) -> None:
    assert hello.thread.is_crashed
    assert "_printf" in said(hello, ".frame")
    assert "hello.cpp:6" in said(hello, "up")  # the call of printf
    assert "Hello World!" in said(hello, "dv")
    with pytest.raises(Unanswered):
        said(hello, ".f-; .f-")


def test_memory_as_the_readme_shows_it(hello: Session) -> None:
    # hello.exe's instruction at main+4, and where its operand leads.
    assert "c7 45 f8 30 7b 9f 00" in said(hello, "db 9f1934 L7")
    assert "009f7b30" in said(hello, "dd 9f1937 L1")
    assert '"Hello World!\\n"' in said(hello, "da 9f7b30").replace("\\x0a", "\\n")
    assert re.search(r"hello\.exe!main\+.* hello\.cpp:5$", said(hello, "ln 9f1934"), re.MULTILINE)
    assert said(hello, "db 9f1934 L10") + said(hello, "db L10") == said(hello, "db 9f1934 L20")


def test_values_of_the_crashed_frame(app: Session) -> None:
    assert re.search(r"doubled +106", said(app, "dv"))  # 2 * (11 + 42)
    assert "= 0x6a" in said(app, "? doubled")
    assert said(app, "?doubled") == said(app, "? doubled")
    assert re.search(r"m_w +6\n", said(app, ".frame 2; dx shape"))
    assert re.search(r"\+0x40 +int +m_w", said(app, "dt geo::Rect"))
    address = app.evaluate("shape").number_()
    assert re.search(r"m_h +7\n", said(app, f"dt geo::Rect {address:x}"))
    assert "106" in said(app, ".frame 0; r rcx; ?? @ecx")


def test_threads_are_chosen_and_left_again(app: Session) -> None:
    assert said(app, "~").count("\n") == 4
    before = app.thread.index, app.frame.index
    assert said(app, "~*k 1").count("thread ") == 4
    assert (app.thread.index, app.frame.index) == before
    said(app, "~2s")
    assert app.thread.index == 2
    said(app, f"~~[{app.dump.threads[1].id:x}]s")
    assert app.thread.index == 1
    said(app, ".ecxr")
    assert app.thread.is_crashed


def test_code_before_an_address_ends_there(app: Session) -> None:
    before = said(app, "ub")
    crashed = app.frame.instruction  # mov [rax],ecx
    assert f"{crashed:016X}" not in before
    assert f"{crashed:016X}" in said(app, "u L1")
    assert said(app, "uf recurse").splitlines()[-1].endswith("ret")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nosuch", "no such verb"),
        ("dvv", "near: dv"),
        ("db", "say where"),
        ("db 9f1934 L0", "no length"),
        ("db 9f1934 Lffffffff", "more than"),
        (".frame 99", "no frame 99"),
        ("~9s", "no thread 9"),
        ("~~[ffff]s", "no thread with id ffff"),
        ("r nosuch", "no register"),
        ("lm m nosuch", "no such module"),
        (".dump x", "cannot be written"),
        ("k -1", "no number of frames"),
        ("dt", "say which type"),
    ],
)
def test_what_has_no_answer_says_why(text: str, reason: str, hello: Session) -> None:
    if text == "db":
        hello.next_address = None
    with pytest.raises(Unanswered, match=re.escape(reason)):
        said(hello, text)


def test_commands_are_parted_outside_of_quotes() -> None:
    assert list(verbs.commands('a; b "x;y" (c;d);; e')) == ["a", 'b "x;y" (c;d)', "e"]
    with pytest.raises(Unanswered):
        list(verbs.commands(";" * 5000))
    assert list(verbs.commands("(" * 100_000))


def test_every_verb_is_described() -> None:
    described = {word for quoted in re.findall(r"`([^`]+)`", DOCUMENT) for word in quoted.split()}
    assert {name for verb in verbs.ALL for name in verb.names} - described == set()
    for verb in verbs.ALL:
        assert verb.summary.endswith((".", ":")) or verb.summary


def test_completion(app: Session) -> None:
    assert ("!uniqstack", 3) in completions(app, "!un")
    assert ("doubled", 3) in completions(app, "dv; ?? dou")
    assert ("crash_here", 5) in completions(app, "u app_x64.d!crash")


def test_commands_on_the_command_line(stillframe_command: Command) -> None:
    result = stillframe_command("debug", HELLO, "-c", "up; dv", "-c", ".echo done")
    assert result.code == 0
    assert "Hello World!" in result.out
    assert result.out.endswith("done\n")
    failed = stillframe_command("debug", HELLO, "-c", "nosuch; .echo on")
    assert failed.code == 1
    assert "on\n" in failed.out
    answers = stillframe_command("debug", HELLO, "-c", "k; ? 1+2", "--json").json["answers"]
    assert [each["command"] for each in answers] == ["k", "? 1+2"]
    assert answers[1]["answer"]["value"] == "3"


def test_commands_from_a_pipe() -> None:
    program = [sys.executable, "-m", "stillframe", "debug", str(HELLO)]
    result = subprocess.run(program, input=".echo one\nq\n.echo two\n", capture_output=True, text=True, check=True)
    assert result.stdout == "one\n"


def test_the_prompt_of_a_terminal(tmp_path: Path) -> None:
    """Typing, and Ctrl-C at the prompt, which ends nothing."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm", XDG_STATE_HOME=str(tmp_path))
        os.execv(sys.executable, [sys.executable, "-m", "stillframe", "debug", str(HELLO)])
    shown = read_until(terminal, b"0:000")
    assert b"_printf" in shown
    os.write(terminal, b"\x03")
    os.write(terminal, b".echo still here\r")
    assert b"still here" in read_until(terminal, b"still here\r\n")
    os.write(terminal, b"q\r")
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert ".echo still here" in (tmp_path / "stillframe" / "history").read_text()


def read_until(terminal: int, wanted: bytes) -> bytes:
    data, end = b"", time.monotonic() + 60
    while wanted not in data and time.monotonic() < end:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        data += os.read(terminal, 4096)
        if b"\x1b[6n" in data:  # prompt_toolkit asks where the cursor is
            os.write(terminal, b"\x1b[1;1R")
            data = data.replace(b"\x1b[6n", b"")
    assert wanted in data
    return data


def test_search(hello: Session, stillframe_command: Command) -> None:
    text = hello.evaluate("message").number_() if said(hello, "up") else 0
    assert said(hello, "s Hello World").startswith(f"0x{text:08X}")
    assert f"{text:08X}" in said(hello, "s -b 48 65 6c 6c 6f")  # Hello
    # `message` itself, in main's frame, is the pointer to the text.
    assert "stack of thread 0" in said(hello, f"s -p {text:x}")
    with pytest.raises(Unanswered, match="nowhere"):
        said(hello, "s -u Hello World")
    result = stillframe_command("search", HELLO, "--pointer", f"{text:#x}")
    assert (result.code, "stack of thread 0" in result.out) == (0, True)
    assert stillframe_command("search", HELLO, "--bytes", "zz").code == 1
    assert stillframe_command("search", HELLO, "--bytes", "").code == 1
    assert stillframe_command("search", HELLO).code == 2
    matches = stillframe_command("search", HELLO, "--text", "Hello", "--limit", 1, "--json").json["matches"]
    assert [match["address"] for match in matches] == [f"0x{text:08x}"]
