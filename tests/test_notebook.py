"""The notebook of the examples, run in a real kernel, and the HTML that notebooks show."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

import stillframe
from stillframe.model.value import html
from support.data import EXAMPLES
from support.notebook import NOTEBOOK, answers, executed, parsed


class Texts(HTMLParser):
    """The text of a page, and which elements it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.elements: set[str] = set()
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def dump() -> stillframe.Dump:
    return stillframe.open(EXAMPLES / "depot" / "depot.dmp")


def test_the_notebook_answers_what_is_kept_in_it() -> None:
    """`python -m support.notebook` in `tests` writes it again; what it says is checked in `test_example_depot.py`."""
    kept = parsed(NOTEBOOK.read_text(encoding="utf-8"))
    assert answers(executed(NOTEBOOK)) == answers(kept)
    assert all(answers(kept)[1:])


def test_a_thread_shows_frames_and_their_variables(dump: stillframe.Dump) -> None:
    page = Texts(dump.threads[0]._repr_html_())
    assert page.open == []
    assert page.elements <= {"details", "summary", "div", "b", "span", "i"}
    titles = [text for text in page.texts if text.startswith("#")]
    assert titles[:3] == ["#0 add_stop depot.cpp:88", "#1 plan depot.cpp:100", "#2 main depot.cpp:116"]
    assert {"tour", "item", "load", "books", "m_priority"} <= set(page.texts)


def test_what_is_absent_has_its_reason_and_remedy(dump: stillframe.Dump) -> None:
    found = html.of_value("g", dump["g_loaded_grams"])
    assert "writable section" in found
    absent = stillframe.Absent.because(stillframe.Reason.NO_ADDRESS)
    assert f'title="{absent.remedy}"' in html.of_value("x", absent)


HOSTILE = '<script>alert("1")</script>&\'"'


def test_all_text_is_escaped(dump: stillframe.Dump) -> None:
    value = dump.threads[0].frames[0].eval("tour")
    pages = [
        html.of_value(HOSTILE, value),
        html.of_values([(HOSTILE, value)], HOSTILE),
        html.of_stack(HOSTILE, [(HOSTILE, [(HOSTILE, value)]), (HOSTILE, [])]),
        html.of_lines(HOSTILE, [HOSTILE]),
    ]
    for page in pages:
        assert "script" not in Texts(page).elements
        assert HOSTILE in Texts(page).texts


def test_a_page_has_an_end(dump: stillframe.Dump) -> None:
    stops = dump.threads[0].frames[2].eval("stops")
    frames = [(f"frame {index}", [(f"value {each}", stops) for each in range(50)]) for index in range(50)]
    page = html.of_stack("thread", frames)
    assert len(re.findall("<summary>|<div>", page)) < 2 * html.MOST_PARTS
    assert "…" in page
