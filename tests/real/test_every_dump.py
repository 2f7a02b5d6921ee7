"""Every real dump answers every question: with a value or with an absence, never with a surprise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import stillframe
from support.data import shared_data

if TYPE_CHECKING:
    from pathlib import Path


def real_dumps() -> list[Path]:
    """All files that open as dumps; among the others are some that are broken at their root."""
    return sorted(shared_data().rglob("*.dmp"))


def ask_everything(dump: stillframe.Dump) -> int:
    """The number of frames."""
    assert dump.size_bytes > 0
    assert all("\n" not in problem for problem in dump.problems)
    frames = [frame for thread in dump.threads for frame in thread.frames]
    for thread in dump.threads:
        assert [frame.index for frame in thread.frames] == list(range(len(thread.frames)))
        assert str(thread.stop)
    for frame in frames:
        assert frame.name
        answers = (frame.function, frame.function_offset, frame.location, frame.source_line, frame.call_site_address)
        assert None not in answers
        for variable in frame.variables:
            assert isinstance(variable.value, stillframe.Absent) or len(variable.value.format()) <= 200
            assert variable.type is None or variable.type.name
    for module in dump.modules:
        assert str(module.find_image())
        assert str(module.find_debug_info())
        spans = dump.memory.provenance(module.base, min(module.size_bytes, 0x10000))
        assert sum(span.size_bytes for span in spans) == min(module.size_bytes, 0x10000)
    assert (dump.crash is None) == (dump.exception is None)
    if dump.crash is not None:
        assert dump.crash.explanation
        assert all(statement.text and statement.basis for statement in dump.crash.statements)
    return len(frames)


def test_every_real_dump_answers_every_question() -> None:
    opened = {}
    for path in real_dumps():
        try:
            dump = stillframe.open(path)
        except stillframe.DumpError:
            continue
        opened[path] = ask_everything(dump)
    assert len(opened) > 50
    without_frames = [path.name for path, count in opened.items() if count == 0]
    assert len(without_frames) < 10
