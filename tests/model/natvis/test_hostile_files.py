"""Natvis files that do not come to an end by themselves: each line and each list does, in bounded time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from support.natvis_box import Box, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN, CLOSE = '<Type Name="Box&lt;*&gt;">', "</Type>"


@pytest.fixture(autouse=True)
def quickly() -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 20


def test_an_object_that_shows_itself(box: Box) -> None:
    assert str(box.value(f"{OPEN}<DisplayString>({{*this}})</DisplayString>{CLOSE}")) == "(<cycle>)"


def test_objects_that_show_each_other_at_other_addresses(box: Box) -> None:
    text = "{*(Box&lt;int,3&gt;*)((char*)this + 1)}" * 4
    shown_ = str(box.value(f"{OPEN}<DisplayString>{text}</DisplayString>{CLOSE}"))
    assert len(shown_) <= 200


def test_views_that_take_turns(box: Box) -> None:
    rules = f"""{OPEN}<DisplayString ExcludeView="x">{{*this,view(x)}}{{*this,view(x)}}</DisplayString>
    <DisplayString IncludeView="x">{{*this,view(y)}}{{*this,view(y)}}</DisplayString>{CLOSE}"""
    assert len(str(box.value(rules))) <= 200


def test_an_object_that_opens_to_itself(box: Box) -> None:
    value = box.value(
        f"{OPEN}<Expand><ExpandedItem>*this</ExpandedItem><ExpandedItem>*this</ExpandedItem></Expand>{CLOSE}"
    )
    listed = shown(value)
    assert "=<opens to itself, or too deep>" in listed
    assert len(listed) <= 20_001
    assert len(str(value)) <= 200


def test_a_loop_without_end(box: Box) -> None:
    for inside in ("", "<Exec>i = i</Exec>", '<Item Condition="0">i</Item>', '<Loop Condition="0"></Loop>'):
        value = box.value(
            f"""{OPEN}<Expand><CustomListItems><Variable Name="i" InitialValue="1"/><Loop>{inside}</Loop>
            </CustomListItems></Expand>{CLOSE}"""
        )
        assert shown(value) == ["=<this visualizer evaluates too many expressions; the rest is not shown>"]


def test_a_loop_that_yields_without_end(box: Box) -> None:
    value = box.value(f"{OPEN}<Expand><CustomListItems><Loop><Item>a</Item></Loop></CustomListItems></Expand>{CLOSE}")
    listed = shown(value)
    assert len(listed) <= 10_002
    assert listed[-1].startswith("=<")
    assert str(value).startswith("{5, 5, 5, ")


def test_intrinsics_that_call_themselves(box: Box) -> None:
    value = box.value(
        f"""{OPEN}<Intrinsic Name="f" Expression="f() + f()"/><DisplayString>{{f()}}</DisplayString>{CLOSE}"""
    )
    assert str(value).startswith("<intrinsics call each other more than 24 times> {Base=")


def test_intrinsics_in_deeply_nested_expressions(box: Box) -> None:
    nested = "(1 + " * 45 + "f()" + ")" * 45
    value = box.value(
        f"""{OPEN}<Intrinsic Name="f" Expression="{nested}"/><DisplayString>{{f()}}</DisplayString>
        <Expand><Item Name="x">f()</Item></Expand>{CLOSE}"""
    )
    assert str(value).startswith("<the expressions of this visualizer are nested too deeply> {Base=")
    assert shown(value) == ["=<test.natvis:3: the expressions of this visualizer are nested too deeply>"]


def test_a_thousand_expressions(box: Box) -> None:
    assert len(str(box.value(f"{OPEN}<DisplayString>{'{a}' * 900}</DisplayString>{CLOSE}"))) <= 200


def test_nested_parentheses(box: Box) -> None:
    value = box.value(f"{OPEN}<DisplayString>{{{'(' * 4000}a{')' * 4000}}}</DisplayString>{CLOSE}")
    assert str(value).startswith("{Base=")
    (problem,) = value.process_.visualizers.problems
    assert len(problem) < 500
    assert problem.startswith("test.natvis:2: ")


def test_a_size_of_a_text_that_makes_no_sense(box: Box) -> None:
    value = box.value(f"{OPEN}<DisplayString>{{(char*)data,[a]}}</DisplayString>{CLOSE}", a=1 << 40)
    assert str(value).startswith(
        "<1,099,511,627,776 elements are not shown; at most 16,777,216 are> {Base={base=1}, a=1"
    )


def test_an_array_of_absurd_dimensions(box: Box) -> None:
    def array(rank: str, size: str) -> str:
        return f"""{OPEN}<Expand><ArrayItems><Rank>{rank}</Rank><Size>{size}</Size><ValuePointer>data</ValuePointer>
        </ArrayItems></Expand>{CLOSE}"""

    assert shown(box.value(array("1000000000", "1"))) == ["=<an array of 1000000000 dimensions>"]
    listed = shown(box.value(array("8", "1 &lt;&lt; 30")))
    assert listed[-1] == "=<1,073,741,824 elements are claimed; at most 10,000 are shown>"
