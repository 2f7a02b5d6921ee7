"""Threads and frames, as named on the command line; the options that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stillframe.cli.verb import Unanswered

if TYPE_CHECKING:
    from stillframe import Dump, Frame, Thread

THREAD_HELP = "Index of the thread, as `threads` shows it."
DEEPEST = 16
"""Levels that can be asked for."""


def threads(dump: Dump, which: str) -> tuple[Thread, ...]:
    """`all`, `crashed`, or the index of one. Without a crashed thread, `crashed` is the first.

    :raises Unanswered: if there is no such thread.
    """
    if which == "all":
        return dump.threads
    if which == "crashed":
        crashed = dump.crashed_thread
        return dump.threads[:1] if crashed is None else (crashed,)
    if which.isascii() and which.isdigit() and int(which) < len(dump.threads):
        return (dump.threads[int(which)],)
    raise Unanswered(f"no thread {which}: the dump has {len(dump.threads)}, counted from 0; or say 'all' or 'crashed'")


def thread(dump: Dump, which: str) -> Thread:
    """As `threads`, one alone. :raises Unanswered:"""
    found = () if which == "all" else threads(dump, which)
    if not found:
        raise Unanswered(
            "the dump lists no threads" if not dump.threads else "say which thread: its index, or 'crashed'"
        )
    return found[0]


def frame(thread: Thread, index: int) -> Frame:
    """The frame with this number in `stack`. :raises Unanswered:"""
    if not 0 <= index < len(thread.frames):
        known = f"{len(thread.frames)} frames, counted from 0" if thread.frames else f"no frames: {thread.stop}"
        raise Unanswered(f"no frame {index}: thread {thread.index} has {known}")
    return thread.frames[index]


def thread_option(what: str = THREAD_HELP, *, may_be_all: bool = True) -> click.Option:
    """`--thread`, the crashed one by default."""
    metavar = "N|all|crashed" if may_be_all else "N|crashed"
    return click.Option(["--thread", "which"], default="crashed", show_default=True, metavar=metavar, help=what)


def frame_option(what: str, default: int | None = None) -> click.Option:
    """`--frame`."""
    has_default = default is not None
    return click.Option(
        ["--frame", "frame_number"], type=int, default=default, show_default=has_default, metavar="N", help=what
    )


def depth_option(default: int) -> click.Option:
    """`--depth`."""
    return click.Option(
        ["--depth"],
        type=click.IntRange(0, DEEPEST),
        default=default,
        show_default=True,
        metavar="N",
        help="Levels of classes and pointers that are shown.",
    )
