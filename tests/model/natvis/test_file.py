# ruff: noqa: E501 - tables of files
"""Natvis files: what is read, and what is said of what cannot be."""

from __future__ import annotations

import pytest

from stillframe.model.natvis import document
from stillframe.model.natvis.file import parse
from stillframe.model.natvis.rules import CustomItems, Item, TreeItems
from stillframe.model.natvis.template import Template

NAMESPACE = "http://schemas.microsoft.com/vstudio/debugger/natvis/2010"


def types(inside: str) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?>\n<AutoVisualizer xmlns="{NAMESPACE}">\n{inside}\n</AutoVisualizer>'


def test_a_type_with_everything() -> None:
    file = parse(
        types(
            """<Intrinsic Name="twice" Expression="2 * x"><Parameter Name="x" Type="int"/></Intrinsic>
            <Type Name="Box&lt;*&gt;" Priority="High" Inheritable="false">
              <AlternativeType Name="Crate&lt;*&gt;"/>
              <Version Name="x" Min="1"/>
              <Intrinsic Name="count" Expression="m_count"/>
              <SmartPointer Usage="Minimal">m_it</SmartPointer>
              <DisplayString Condition="!m_it" IncludeView="a; b">none</DisplayString>
              <DisplayString Optional="true">{*m_it}</DisplayString>
              <StringView>m_text</StringView>
              <UIVisualizer ServiceId="{0}" Id="1"/>
              <Expand HideRawView="true">
                <Item Name="n">count()</Item>
                <TreeItems><HeadPointer>h</HeadPointer><LeftPointer>l</LeftPointer><RightPointer>r</RightPointer>
                  <ValueNode Name="[{k}]">v</ValueNode></TreeItems>
              </Expand>
            </Type>"""
        ).encode(),
        "a.natvis",
    )
    assert file.problems == []
    (rule,) = file.rules
    assert [pattern.text for pattern in rule.patterns] == ["Box<*>", "Crate<*>"]
    assert (rule.priority, rule.is_inheritable, rule.guard.place.line) == (4, False, 4)
    assert rule.displays[0].guard.include == {"a", "b"}
    assert rule.displays[1].guard.is_optional
    assert rule.smart_pointer is not None
    assert rule.smart_pointer.text == "m_it"
    assert [choice.expression.text for choice in rule.strings] == ["m_text"]
    assert [(each.name, each.parameters) for each in rule.intrinsics] == [("count", ()), ("twice", (("x", "int"),))]
    assert rule.expand is not None
    assert rule.expand.hides_raw
    assert [type(part) for part in rule.expand.parts] == [Item, TreeItems]


def test_the_namespace_may_be_missing_or_another_and_have_a_prefix() -> None:
    plain = b"<AutoVisualizer><Type Name='A'><DisplayString>x</DisplayString></Type></AutoVisualizer>"
    prefixed = b"<n:AutoVisualizer xmlns:n='other'><n:Type Name='A'><n:DisplayString>x</n:DisplayString></n:Type></n:AutoVisualizer>"
    assert len(parse(plain, "f").rules) == len(parse(prefixed, "f").rules) == 1


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        ('<Type><DisplayString>x</DisplayString></Type>', "f:3: <Type> has no Name"),
        ('<Type Name="A" Priority="Huge"/>', "f:3: Huge is no priority"),
        ('<Type Name="A" Inheritable="maybe"/>', 'f:3: Inheritable="maybe" is neither true nor false'),
        ('<Type Name="A">\n<Nonsense/></Type>', "f:4: <Nonsense> means nothing in a <Type>"),
        ('<Type Name="A">\n<DisplayString>{a</DisplayString></Type>', "f:4: a '{' that nothing closes"),
        ('<Type Name="A">\n<DisplayString>a}</DisplayString></Type>', "f:4: a '}' that nothing opens"),
        ('<Type Name="A"><Expand>\n<Item Name="x"></Item></Expand></Type>', "f:4: <Item> is empty where an expression"),
        ('<Type Name="A"><Expand>\n<ArrayItems><Size>1</Size></ArrayItems></Expand></Type>', "f:4: <ArrayItems> has no <ValuePointer>"),
        ('<Type Name="A"><Expand><CustomListItems>\n<Else/></CustomListItems></Expand></Type>', "f:4: an <Else> without an <If>"),
        ('<Type Name="A"><Expand><CustomListItems>\n<Exec>x == 1</Exec></CustomListItems></Expand></Type>', "f:4: 'x == 1' gives no variable"),
    ],
)  # fmt: skip
def test_a_mistake_costs_its_rule_alone(inside: str, problem: str) -> None:
    file = parse(types(inside + '<Type Name="B"><DisplayString>b</DisplayString></Type>').encode(), "f")
    assert [rule.patterns[0].text for rule in file.rules] == ["B"]
    assert len(file.problems) == 1
    assert file.problems[0].startswith(problem)


ENTITIES = b"""<?xml version="1.0"?>
<!DOCTYPE a [<!ENTITY x "y"> <!ENTITY f SYSTEM "file:///etc/passwd">]>
<AutoVisualizer><Type Name="A"><DisplayString>&f;</DisplayString></Type></AutoVisualizer>"""


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (ENTITIES, "f:2: a document type"),
        (b"", "f:1: no element found"),
        (b"<AutoVisualizer>\n<Type", "f:2: unclosed token"),
        (b"<AutoVisualizer>\n<Type></AutoVisualizer>", "f:2: mismatched tag"),
        (b"<Project/>", "f:1: <Project> where <AutoVisualizer> should be"),
        (b'<?xml version="1.0" encoding="klingon"?><AutoVisualizer/>', "f:1: "),
        (b"<a>" * 100 + b"</a>" * 100, "f:1: more than 200,000 elements, or nested more than 64 deep"),
        (b"\xff\xfe\x00", "f:1: "),
    ],
)
def test_what_is_no_natvis_file_is_one_problem(data: bytes, problem: str) -> None:
    file = parse(data, "f")
    assert file.rules == ()
    assert len(file.problems) == 1
    assert file.problems[0].startswith(problem)


def test_a_file_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "LARGEST_BYTES", 1 << 20)
    assert parse(b"<AutoVisualizer>" + b" " * (1 << 20), "f").problems == ["f:1: larger than 1 MB"]


def test_utf16_is_read() -> None:
    text = '<?xml version="1.0" encoding="utf-16"?><AutoVisualizer><Type Name="A"/></AutoVisualizer>'
    assert len(parse(text.encode("utf-16"), "f").rules) == 1


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("plain", ["plain"]),
        ("{{ size={n,d} }}", ["{ size=", "n,d", " }"]),
        ("{a}{b}", ["a", "b"]),
        ("{c == '}'}", ["c == '}'"]),
        ('{s == "}"}x', ['s == "}"', "x"]),
        ("{1'000}", ["1'000"]),
    ],
)
def test_templates(text: str, parts: list[str]) -> None:
    assert [part if isinstance(part, str) else part.text for part in Template(text).parts] == parts


def test_the_steps_of_a_custom_list() -> None:
    file = parse(
        types(
            """<Type Name="A"><Expand><CustomListItems>
            <Variable Name="i" InitialValue="0"/><Size>n</Size>
            <Loop Condition="i &lt; n"><If Condition="i == 1"><Break/></If><Elseif Condition="i"><Skip>1</Skip></Elseif>
            <Else><Item>i</Item></Else><Exec>i += 2</Exec><Exec>++i</Exec><Exec>i--</Exec><Exec>i = i + 1</Exec></Loop>
            </CustomListItems></Expand></Type>"""
        ).encode(),
        "f",
    )
    assert file.problems == []
    expand = file.rules[0].expand
    assert expand is not None
    (part,) = expand.parts
    assert isinstance(part, CustomItems)
    (loop,) = part.steps
    execs = [step.expression.text for step in loop.steps[1:]]  # type: ignore[union-attr]
    assert execs == ["i + (2)", "i + 1", "i - 1", "i + 1"]
