"""Names of types and the patterns of rules."""

from __future__ import annotations

import pytest

from stillframe.model.natvis.match import Pattern, canonical, parse

STRING = "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >"


@pytest.mark.parametrize(
    ("pattern", "name", "arguments"),
    [
        ("Rect", "Rect", ()),
        ("Rect", "geo::Rect", None),
        ("geo::Rect", "geo::Rect", ()),
        ("std::vector<*>", "std::vector<int,std::allocator<int> >", ("int", "std::allocator<int>")),
        ("std::vector<*>", "class std::vector<int,class std::allocator<int> >", ("int", "std::allocator<int>")),
        ("std::vector<*>", "std::__1::vector<int, std::__1::allocator<int>>", ("int", "std::__1::allocator<int>")),
        ("std::vector<*>", "std::vector", None),
        ("std::vector<bool,*>", "std::vector<bool, std::allocator<bool> >", ("std::allocator<bool>",)),
        ("std::vector<bool,*>", "std::vector<int, std::allocator<int> >", None),
        ("std::basic_string<char,*>", STRING, ("std::char_traits<char>", "std::allocator<char>")),
        ("std::tuple<*>", "std::tuple<>", None),
        ("std::tuple<*,*>", "std::tuple<int, char, long>", ("int", "char", "long")),
        ("std::tuple<*,*,*>", "std::tuple<int, char>", None),
        ("std::tuple<>", "std::tuple<>", ()),
        ("std::tuple<>", "std::tuple<int>", None),
        ("Pair<*,int>", "Pair<char, int>", ("char",)),
        ("Pair<*,int>", "Pair<char, long>", None),
        ("Pair<*,int>", "Pair<char, int, int>", None),
        ("Array<int,3>", "Array<int, 3ul>", ()),
        ("Array<int,3>", "Array<int, 4>", None),
        ("Holder<Box<*>,*>", "Holder<ns::Box<int>, char>", None),
        ("Holder<Box<*>,*>", "Holder<Box<int>, char>", ("int", "char")),
        ("Holder<Box<*>*>", "Holder<Box<int> *>", ("int",)),
        ("Holder<Box<*>*>", "Holder<Box<int> >", None),
        ("Holder<char *>", "Holder<char*>", ()),
        ("Holder<const char*>", "Holder<char const *>", ()),
        ("Holder<unsigned long>", "Holder<long unsigned int>", ()),
        ("Outer<*>::Inner<*>", "Outer<int>::Inner<char>", ("int", "char")),
        ("`anonymous namespace'::Thing", "(anonymous namespace)::Thing", ()),
        ("My*", "MyThing", ()),
        ("My*", "ns::MyThing", None),
    ],
)
def test_patterns(pattern: str, name: str, arguments: tuple[str, ...] | None) -> None:
    assert Pattern(pattern).match(parse(name)) == arguments


def test_one_spelling_for_all() -> None:
    spellings = [
        "std::map<class std::pair<int const ,Foo *>,3>",
        "std::__1::map<std::__1::pair<const int, Foo*>, 3ul>",
        "std::map<std::pair<const int,Foo *> , 3UL>",
    ]
    assert len({canonical(spelling) for spelling in spellings}) == 1
    assert canonical("A<int>") != canonical("A<long>")


def test_the_pattern_that_says_more_is_more_exact() -> None:
    patterns = ["std::vector<bool,*>", "std::vector<*,*>", "std::vector<*>"]
    assert sorted(patterns, key=lambda text: -Pattern(text).exactness) == patterns


def test_absurd_names_cost_little() -> None:
    deep = "A<" * 5000 + "int" + ">" * 5000
    assert Pattern("A<*>").match(parse(deep)) is not None
    assert Pattern("A<" * 300 + "*" + ">" * 300).match(parse(deep)) is None
