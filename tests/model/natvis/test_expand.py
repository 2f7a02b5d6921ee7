"""What objects open to, as natvis files have it."""

from __future__ import annotations

import pytest

from stillframe.model.natvis.lists import MOST_ELEMENTS
from support.natvis_box import BEHIND, Box, shown, words


def expand(inside: str, attributes: str = 'Name="Box&lt;*&gt;"') -> str:
    return f"<Type {attributes}><Expand>{inside}</Expand></Type>"


ARRAY = expand("<ArrayItems><Size>a</Size><ValuePointer>data</ValuePointer></ArrayItems>")
LIST = (
    """<HeadPointer>head</HeadPointer><NextPointer>right</NextPointer><ValueNode>value</ValueNode></LinkedListItems>"""
)
TREE = """<HeadPointer>head</HeadPointer><LeftPointer>left</LeftPointer><RightPointer>right</RightPointer>"""


def nodes(*parts: tuple[int, int, int]) -> bytes:
    """Nodes behind the box: left, right (numbers of nodes, from 1 on; 0 is none), value."""

    def at(number: int) -> int:
        return BEHIND + 24 * (number - 1) if number else 0

    return b"".join(words(at(left), at(right), value) for left, right, value in parts)


def test_without_a_rule_an_object_opens_to_its_members(box: Box) -> None:
    assert shown(box.value("")) == [
        "Base={base=1}", "a=5", "b=7", "head=nullptr", "data=nullptr", "item={x=9}",
    ]  # fmt: skip


def test_items_and_conditions(box: Box) -> None:
    value = box.value(
        expand(
            """<Item Name="sum">a + b,x</Item><Item Name="no" Condition="a == 0">a</Item>
            <Item Name="{a} {$T2}">b</Item><Item Name="lost" Optional="true">nothing</Item>
            <Item Name="view" IncludeView="other">b</Item>"""
        )
    )
    assert shown(value) == ["sum=0x000000000000000c", "5 3=7"]
    assert [child.name for child in value.children_("other")] == ["sum", "5 3", "view"]


def test_array_items(box: Box) -> None:
    assert shown(box.value(ARRAY, a=3, data=BEHIND, behind=words(1, 2, 3))) == ["[0]=1", "[1]=2", "[2]=3"]


@pytest.mark.parametrize(
    ("direction", "names"),
    [
        ("Forward", ["[1,10]=0", "[1,11]=1", "[1,12]=2", "[2,10]=3", "[2,11]=4", "[2,12]=5"]),
        ("Backward", ["[1,10]=0", "[2,10]=1", "[1,11]=2", "[2,11]=3", "[1,12]=4", "[2,12]=5"]),
    ],
)
def test_arrays_of_several_dimensions(box: Box, direction: str, names: list[str]) -> None:
    rule = expand(
        f"""<ArrayItems><Direction>{direction}</Direction><Rank>2</Rank><Size>$i == 0 ? 2 : 3</Size>
        <LowerBound>$i == 0 ? 1 : 10</LowerBound><ValuePointer>data</ValuePointer></ArrayItems>"""
    )
    assert shown(box.value(rule, data=BEHIND, behind=words(*range(6)))) == names


def test_index_list_items(box: Box) -> None:
    rule = expand(
        """<IndexListItems><Size>a</Size><ValueNode Condition="$i == 1">b</ValueNode><ValueNode>data[$i] * 2</ValueNode>
        </IndexListItems>"""
    )
    assert shown(box.value(rule, a=3, data=BEHIND, behind=words(1, 2, 3))) == ["[0]=2", "[1]=7", "[2]=6"]


def test_linked_list_items(box: Box) -> None:
    behind = nodes((0, 2, 10), (0, 3, 20), (0, 0, 30))
    assert shown(box.value(expand(f"<LinkedListItems>{LIST}"), head=BEHIND, behind=behind)) == [
        "[0]=10", "[1]=20", "[2]=30",
    ]  # fmt: skip
    sized = expand(f"<LinkedListItems><Size>2</Size>{LIST}")
    assert shown(box.value(sized, head=BEHIND, behind=behind)) == ["[0]=10", "[1]=20"]


def test_tree_items(box: Box) -> None:
    behind = nodes((2, 3, 20), (0, 0, 10), (4, 0, 40), (0, 0, 30))
    rule = expand(f'<TreeItems><Size>4</Size>{TREE}<ValueNode Name="k{{value}}">value + 1</ValueNode></TreeItems>')
    assert shown(box.value(rule, head=BEHIND, behind=behind)) == ["k10=11", "k20=21", "k30=31", "k40=41"]


def test_a_node_that_does_not_count_ends_its_branch(box: Box) -> None:
    behind = nodes((2, 3, 20), (0, 0, -1), (1, 1, -1))
    rule = expand(f'<TreeItems>{TREE}<ValueNode Condition="value != -1">value</ValueNode></TreeItems>')
    assert shown(box.value(rule, head=BEHIND, behind=behind)) == ["[0]=20"]


def test_custom_list_items(box: Box) -> None:
    rule = expand(
        """<CustomListItems><Variable Name="i" InitialValue="0"/><Variable Name="node" InitialValue="head"/>
        <Loop Condition="node != nullptr">
          <If Condition="node-&gt;value == 20"><Exec>i += 10</Exec></If>
          <Elseif Condition="node-&gt;value == 40"><Break/></Elseif>
          <Else><Item Name="{i}">node-&gt;value</Item></Else>
          <Exec>node = node-&gt;right</Exec><Exec>i++</Exec>
        </Loop><Item Name="end">i</Item></CustomListItems>"""
    )
    behind = nodes((0, 2, 10), (0, 3, 20), (0, 4, 30), (0, 5, 40), (0, 0, 50))
    assert shown(box.value(rule, head=BEHIND, behind=behind)) == ["0=10", "12=30", "end=13"]


def test_synthetic_and_expanded_items(box: Box) -> None:
    rule = expand(
        """<Synthetic Name="[both {a}]"><DisplayString Condition="a == 0">zero</DisplayString>
        <DisplayString>{a} and {b}</DisplayString><Expand><Item Name="b">b</Item></Expand></Synthetic>
        <ExpandedItem>item</ExpandedItem><ExpandedItem>(Base*)this,nd</ExpandedItem>"""
    )
    children = list(box.value(rule).children_())
    assert [(child.name, child.format()) for child in children] == [("[both 5]", "5 and 7"), ("x", "9"), ("base", "1")]
    assert [(child.name, child.format()) for child in children[0].children()] == [("b", "7")]


def test_children_are_lazy(box: Box) -> None:
    children = box.value(ARRAY, a=10**9, data=BEHIND, behind=words(*range(20))).children_()
    assert [next(children).format() for _ in range(3)] == ["0", "1", "2"]


# --- containers that are damaged ------------------------------------------------------------------------------------


def test_an_array_that_claims_too_much(box: Box) -> None:
    value = box.value(ARRAY, a=1 << 40, data=BEHIND, behind=words(1, 2))
    listed = shown(value)
    assert listed[:2] == ["[0]=1", "[1]=2"]
    assert listed[2] == "[2]=<not in this dump>"
    assert listed[-2:] == [
        "=<the elements behind are not there, either>",
        "=<1,099,511,627,776 elements are claimed; at most 10,000 are shown>",
    ]
    assert len(listed) < 20


def test_a_negative_size(box: Box) -> None:
    assert shown(box.value(ARRAY, a=-5)) == ["=<-5 elements are claimed; at most 10,000 are shown>"]


def test_an_index_list_that_claims_too_much(box: Box) -> None:
    rule = expand("<IndexListItems><Size>a</Size><ValueNode>$i</ValueNode></IndexListItems>")
    listed = shown(box.value(rule, a=1 << 40))
    assert len(listed) == MOST_ELEMENTS + 1
    assert listed[-1] == "=<1,099,511,627,776 elements are claimed; at most 10,000 are shown>"


def test_cyclic_lists(box: Box) -> None:
    behind = nodes((0, 2, 10), (0, 1, 20))
    assert shown(box.value(expand(f"<LinkedListItems>{LIST}"), head=BEHIND, behind=behind))[-1] == (
        "=<the list is cyclic after 2 elements>"
    )
    sized = expand(f"<LinkedListItems><Size>1000000000</Size>{LIST}")
    assert shown(box.value(sized, head=BEHIND, behind=behind))[-1] == (
        "=<the list is cyclic after 2 elements, of 1,000,000,000 that are claimed>"
    )


def test_a_list_that_ends_early_or_leads_nowhere(box: Box) -> None:
    sized = expand(f"<LinkedListItems><Size>3</Size>{LIST}")
    assert shown(box.value(sized, head=BEHIND, behind=nodes((0, 0, 10)))) == [
        "[0]=10", "=<the list ends here, of 3 elements that are claimed>",
    ]  # fmt: skip
    assert shown(box.value(sized, head=0x99999000)) == ["[0]=<not in this dump>", "=<not in this dump>"]


def test_cyclic_trees(box: Box) -> None:
    rule = expand(f"<TreeItems>{TREE}<ValueNode>value</ValueNode></TreeItems>")
    listed = shown(box.value(rule, head=BEHIND, behind=nodes((2, 2, 10), (1, 1, 20))))
    assert listed == ["[0]=20", "[1]=10", "=<the tree is cyclic; 2 elements were found>"]


def test_a_tree_of_fewer_nodes_than_are_claimed(box: Box) -> None:
    rule = expand(f"<TreeItems><Size>a</Size>{TREE}<ValueNode>value</ValueNode></TreeItems>")
    listed = shown(box.value(rule, a=1 << 40, head=BEHIND, behind=nodes((0, 0, 10))))
    assert listed == ["[0]=10", "=<1,099,511,627,776 elements are claimed; at most 10,000 are shown>"]
