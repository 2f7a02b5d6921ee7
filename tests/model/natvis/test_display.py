# ruff: noqa: E501 - tables of files
"""Objects in one line, as natvis files have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe.model.expression.expression import Expression
from stillframe.model.expression.scope import Scope
from support.fake_debug import HEAP
from support.natvis_box import BEHIND, Box, words

if TYPE_CHECKING:
    from pathlib import Path

RAW = "{Base={base=1}, a=5, b=7, head=nullptr, data=nullptr, item={x=9}}"


def rule(inside: str, attributes: str = 'Name="Box&lt;*&gt;"') -> str:
    return f"<Type {attributes}>{inside}</Type>"


def display(text: str, attributes: str = "") -> str:
    return rule(f"<DisplayString {attributes}>{text}</DisplayString>")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{{a={a}}}", "{a=5}"),
        ("{a + b,x} and {this->a}", "0x000000000000000c and 5"),
        ("{base} {item.x} {item}", "1 9 {x=9}"),
        ("{*this,!}", RAW),
        ("{$T2} {sizeof($T1)} {($T1)a}", "3 4 5"),
        ("{(a &gt; b) ? a : b}", "7"),
        ("{head} {data}", "nullptr nullptr"),
        ("{item,view(any)}", "{x=9}"),
    ],
)
def test_text(box: Box, text: str, expected: str) -> None:
    assert str(box.value(display(text))) == expected


def test_the_first_that_holds_counts(box: Box) -> None:
    value = box.value(
        rule(
            """<DisplayString Condition="a == 4">four</DisplayString><DisplayString Condition="a == 5">five</DisplayString>
            <DisplayString>other</DisplayString>"""
        )
    )
    assert str(value) == "five"


def test_an_optional_one_that_means_nothing_is_read_over(box: Box) -> None:
    value = box.value(
        rule("""<DisplayString Optional="true">{nothing}</DisplayString><DisplayString>{a}</DisplayString>""")
    )
    assert str(value) == "5"
    assert value.process_.visualizers.problems == []


def test_a_format_specifier_shows_what_is_in_memory(box: Box) -> None:
    value = box.value(display("{a}"))
    scope = Scope(value.process_)
    assert str(Expression(f"*(Box<int,3>*){HEAP}").value(scope)) == "5"
    assert str(Expression(f"*(Box<int,3>*){HEAP},!").value(scope)) == RAW


def test_views(box: Box) -> None:
    value = box.value(
        rule(
            """<DisplayString IncludeView="short">short</DisplayString>
            <DisplayString ExcludeView="short;other">[{*this,view(short)}]</DisplayString>
            <DisplayString>rest</DisplayString>"""
        )
    )
    assert str(value) == "[short]"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (rule("<DisplayString>any</DisplayString>") + rule("<DisplayString>exact</DisplayString>", 'Name="Box&lt;int,3&gt;"'), "exact"),
        (rule("<DisplayString>first</DisplayString>") + rule("<DisplayString>second</DisplayString>"), "first"),
        (rule("<DisplayString>low</DisplayString>", 'Name="Box&lt;int,3&gt;" Priority="Low"') + rule("<DisplayString>medium</DisplayString>"), "medium"),
        (rule("<DisplayString>base</DisplayString>", 'Name="Base"'), "base"),
        (rule("<DisplayString>base</DisplayString>", 'Name="Base" Inheritable="false"'), RAW.replace("{base=1}", "base")),
        (rule("<DisplayString>base {base}</DisplayString>", 'Name="Base"') + rule("<DisplayString>own</DisplayString>"), "own"),
        (rule("<DisplayString>{nothing}</DisplayString>") + rule("<DisplayString>next</DisplayString>", 'Name="Box&lt;*&gt;" Priority="Low"'), "next"),
        (rule('<AlternativeType Name="Box&lt;*&gt;"/><DisplayString>{$T2}</DisplayString>', 'Name="Other"'), "3"),
        (rule("<DisplayString>x</DisplayString>", 'Name="Box&lt;*&gt;" ModuleName="other.dll"'), RAW),
        (rule("<DisplayString>x</DisplayString>", 'Name="Box&lt;*&gt;" ModuleName="APP.exe"'), "x"),
        (rule("<DisplayString ModuleName='other.dll'>x</DisplayString><DisplayString>y</DisplayString>"), "y"),
    ],
)  # fmt: skip
def test_which_rule_counts(box: Box, rules: str, expected: str) -> None:
    assert str(box.value(rules)) == expected


def test_parts_are_shown_by_their_own_rules(box: Box) -> None:
    value = box.value(rule("<DisplayString>item {x}</DisplayString>", 'Name="Item"'))
    assert str(value) == RAW.replace("{x=9}", "item 9")


def test_a_rule_without_a_text_lists_its_children(box: Box) -> None:
    value = box.value(rule('<Expand><Item Name="sum">a + b</Item><Item Name="[1]">b</Item></Expand>'))
    assert str(value) == "{sum=12, 7}"


def test_a_containers_first_elements_stand_behind_its_text(box: Box) -> None:
    value = box.value(
        rule(
            """<DisplayString>n={a}</DisplayString><Expand><Item Name="[n]">a</Item>
            <ArrayItems><Size>a</Size><ValuePointer>data</ValuePointer></ArrayItems></Expand>"""
        ),
        data=BEHIND,
        behind=words(10, 11, 12, 13, 14),
    )
    assert str(value) == "n=5 {10, 11, 12, 13, 14}"
    assert value.format(length=16) == "n=5 {10, 11, …}"
    assert value.format(depth=0) == "n=5"


def test_intrinsics(box: Box) -> None:
    value = box.value(
        """<Intrinsic Name="twice" Expression="2 * x"><Parameter Name="x" Type="int"/></Intrinsic>"""
        + rule(
            """<Intrinsic Name="sum" Optional="true" Expression="missing"/><Intrinsic Name="sum" Expression="a + b"/>
            <Intrinsic Name="sum" Expression="a + x"><Parameter Name="x" Type="char"/></Intrinsic>
            <DisplayString>{sum()} {sum(257)} {twice(sum())}</DisplayString>"""
        )
    )
    assert str(value) == "12 6 24"


def test_what_is_absent_is_named_in_its_place(box: Box) -> None:
    value = box.value(display("{a} {*data} {b}"), data=0x123450)
    assert str(value) == "5 <not in this dump> 7"


def test_a_mistake_in_an_expression_is_told_once_and_the_object_is_shown_as_it_is(box: Box) -> None:
    value = box.value(display("{nothing}"))
    assert str(value) == RAW
    assert str(value) == RAW
    assert [each.split(": nothing: ")[0] for each in value.process_.visualizers.problems] == ["test.natvis:2"]


def test_given_files_come_first_then_those_of_the_pdb(box: Box, tmp_path: Path) -> None:
    def natvis(text: str, name: str = "Box&lt;*&gt;") -> str:
        return (
            "<AutoVisualizer>" + rule(f"<DisplayString>{text}</DisplayString>", f'Name="{name}"') + "</AutoVisualizer>"
        )

    box.debug.natvis = [("embedded.natvis", natvis("embedded").encode()), ("b.natvis", natvis("item", "Item").encode())]
    assert str(box.value("")) == "embedded"
    assert box.program(b"").dump.natvis_problems == []
    assert str(box.value(display("beside"))) == "beside"
    given = tmp_path / "given"
    given.mkdir()
    (given / "x.natvis").write_text(natvis("given"))
    value = box.value(display("beside"))
    dump = stillframe.open(tmp_path / "program.dmp", natvis=[given])
    dump.modules[0]._debug_info = value.process_.modules[0].debug_info
    other = dump._process.types.of(dump.modules[0], box.box)
    assert other is not None
    assert str(stillframe.Value.at_address(dump._process, other, HEAP)) == "given"


def test_a_file_that_cannot_be_read_is_a_problem(box: Box, tmp_path: Path) -> None:
    box.value("<Type/>")
    dump = stillframe.open(tmp_path / "program.dmp", natvis=[tmp_path / "missing.natvis"])
    list(dump._process.visualizers.matches(dump.type("int")))
    problems = dump.natvis_problems
    assert problems == [
        f"{tmp_path / 'missing.natvis'}: No such file or directory",
        "test.natvis:2: <Type> has no Name",
    ]


def test_smart_pointers_are_followed_in_expressions(box: Box) -> None:
    value = box.value(rule("<SmartPointer Usage='Minimal'>&amp;item</SmartPointer>"))
    scope = Scope(value.process_)
    text = f"(*(Box<int,3>*){HEAP})"
    assert int(Expression(f"{text}->x").value(scope)) == 9
    assert int(Expression(f"(*{text}).x").value(scope)) == 9
