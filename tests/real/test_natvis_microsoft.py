"""Containers laid out as Microsoft's library does, under its names, in a program of our own: their compiler is not at
hand. What the classes consist of is written down here; each object is filled by hand.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Value
from support.cores import core_of

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe import Dump

PROGRAM = r"""
namespace std {
typedef unsigned long long size_type;
template <class T> struct allocator {};
template <class T> struct less {};
template <class T> struct hash {};
template <class E, class V, bool = true> struct _Compressed_pair : E { V _Myval2; };
template <class E, class V> struct _Compressed_pair<E, V, false> { E _Myval1; V _Myval2; };
template <class T> struct char_traits {};
template <class T> struct _String_val {
    union _Bxty { T _Buf[16 / sizeof(T)]; T *_Ptr; } _Bx;
    size_type _Mysize, _Myres;
};
template <class T, class C = char_traits<T>, class A = allocator<T>> struct basic_string {
    _Compressed_pair<A, _String_val<T>> _Mypair;
};
template <class T, class C = char_traits<T>> struct basic_string_view { const T *_Mydata; size_type _Mysize; };
template <class T> struct _Vector_val { T *_Myfirst, *_Mylast, *_Myend; };
template <class T, class A = allocator<T>> struct vector { _Compressed_pair<A, _Vector_val<T>> _Mypair; };
template <class A> struct vector<bool, A> { vector<unsigned> _Myvec; size_type _Mysize; };
template <class T, size_type N> struct array { T _Elems[N]; };
template <class T> struct _Deque_val { T **_Map; size_type _Mapsize, _Myoff, _Mysize; };
template <class T, class A = allocator<T>> struct deque { _Compressed_pair<A, _Deque_val<T>> _Mypair; };
template <class T> struct _List_node { _List_node *_Next, *_Prev; T _Myval; };
template <class T> struct _List_val { _List_node<T> *_Myhead; size_type _Mysize; };
template <class T, class A = allocator<T>> struct list { _Compressed_pair<A, _List_val<T>> _Mypair; };
template <class T> struct _Flist_node { _Flist_node *_Next; T _Myval; };
template <class T> struct _Flist_val { _Flist_node<T> *_Myhead; };
template <class T, class A = allocator<T>> struct forward_list { _Compressed_pair<A, _Flist_val<T>> _Mypair; };
template <class A, class B> struct pair { A first; B second; };
template <class T> struct _Tree_node { _Tree_node *_Left, *_Parent, *_Right; char _Color, _Isnil; T _Myval; };
template <class T> struct _Tree_val { _Tree_node<T> *_Myhead; size_type _Mysize; };
template <class T, class C> struct _Tree { _Compressed_pair<C, _Compressed_pair<allocator<T>, _Tree_val<T>>> _Mypair; };
template <class K, class V, class C = less<K>, class A = allocator<pair<const K, V>>>
struct map : _Tree<pair<const K, V>, C> {};
template <class K, class C = less<K>, class A = allocator<K>> struct set : _Tree<K, C> {};
template <class T> struct _Hash { float _Traits; list<T> _List; };
template <class K, class V, class H = hash<K>> struct unordered_map : _Hash<pair<const K, V>> {};
template <class K, class H = hash<K>> struct unordered_set : _Hash<K> {};
template <class T> struct _Optional_base { union { char _Dummy; T _Value; }; bool _Has_value; };
template <class T> struct optional : _Optional_base<T> {};
template <class... T> struct _Variant_storage {};
template <class T, class... R> struct _Variant_storage<T, R...> { union { T _Head; _Variant_storage<R...> _Tail; }; };
template <class... T> struct variant : _Variant_storage<T...> { signed char _Which; };
template <class T> struct _Tuple_val { T _Val; };
template <class... T> struct tuple;
template <> struct tuple<> {};
template <class T, class... R> struct tuple<T, R...> : tuple<R...> { _Tuple_val<T> _Myfirst; };
template <class T> struct default_delete {};
template <class T, class D = default_delete<T>> struct unique_ptr { _Compressed_pair<D, T *> _Mypair; };
struct _Ref_count_base { virtual void _Destroy() {} unsigned _Uses, _Weaks; };
template <class T> struct _Ptr_base { T *_Ptr; _Ref_count_base *_Rep; };
template <class T> struct shared_ptr : _Ptr_base<T> {};
template <class T> struct weak_ptr : _Ptr_base<T> {};
}
using namespace std;
struct Item { int id; };

basic_string<char> text;
basic_string<wchar_t> wide;
basic_string_view<char> view = {"a view of it", 6};
vector<bool> flags;
array<int, 3> triple = {{1, 2, 3}};
deque<int> queue;
list<int> numbers, none;
forward_list<int> forward;
map<int, double> ages;
set<int> primes;
unordered_map<int, double> counts;
unordered_set<int> unique_;
optional<int> some, nothing;
variant<int, double> choice, valueless;
tuple<int, char, double> mixed;
tuple<> unit;
unique_ptr<Item> owner, nobody;
shared_ptr<Item> shared;
weak_ptr<Item> watcher, expired;

Item item = {7}, gone = {8};
unsigned words[] = {0x80000005u, 1};
int block0[] = {90, 91, 0, 1}, block1[] = {2, 3, 4, 5};
int *blocks[] = {block1, block0};
_List_node<int> head, one, two;
_Flist_node<int> f2 = {nullptr, 20}, f1 = {&f2, 10};
_Tree_node<pair<const int, double>> nil = {}, root = {nullptr, nullptr, nullptr, 1, 0, {2, 2.5}},
    left = {nullptr, nullptr, nullptr, 0, 0, {1, 1.5}}, right = {nullptr, nullptr, nullptr, 0, 0, {3, 3.5}};
_Tree_node<int> nil2 = {}, root2 = {};
_List_node<pair<const int, double>> hash_end = {}, hash_one = {nullptr, nullptr, {4, 4.5}};
_List_node<int> set_end = {}, set_one = {};
_Ref_count_base alive, dead;
volatile int *volatile null_;

int main() {
    const char *from = "a text that is too long for it";
    text._Mypair._Myval2._Bx._Ptr = (char *)from;
    text._Mypair._Myval2._Mysize = 30; text._Mypair._Myval2._Myres = 31;
    wide._Mypair._Myval2._Bx._Buf[0] = L'x'; wide._Mypair._Myval2._Mysize = 1; wide._Mypair._Myval2._Myres = 3;
    flags._Myvec._Mypair._Myval2 = {words, words + 2, words + 2}; flags._Mysize = 33;
    queue._Mypair._Myval2 = {blocks, 2, 6, 6};
    head._Next = &one; one._Next = &two; two._Next = &head; one._Myval = 5; two._Myval = 6;
    numbers._Mypair._Myval2 = {&head, 2};
    none._Mypair._Myval2 = {&head, 0};
    forward._Mypair._Myval2 = {&f1};
    nil._Isnil = 1; nil._Parent = &root; nil._Left = &left; nil._Right = &right;
    root._Left = &left; root._Right = &right; root._Parent = &nil;
    left._Left = left._Right = right._Left = right._Right = &nil;
    ages._Mypair._Myval2._Myval2 = {&nil, 3};
    nil2._Isnil = 1; nil2._Parent = &root2; root2._Left = root2._Right = &nil2; root2._Myval = 11;
    primes._Mypair._Myval2._Myval2 = {&nil2, 1};
    hash_end._Next = &hash_one; hash_one._Next = &hash_end;
    counts._List._Mypair._Myval2 = {&hash_end, 1};
    set_end._Next = &set_one; set_one._Next = &set_end; set_one._Myval = 12;
    unique_._List._Mypair._Myval2 = {&set_end, 1};
    some._Value = 5; some._Has_value = true;
    choice._Tail._Head = 1.5; choice._Which = 1; valueless._Which = -1;
    mixed._Myfirst._Val = 1;
    static_cast<tuple<char, double> &>(mixed)._Myfirst._Val = 'x';
    static_cast<tuple<double> &>(mixed)._Myfirst._Val = 2.5;
    owner._Mypair._Myval2 = &item;
    alive._Uses = 2; alive._Weaks = 3; dead._Uses = 0; dead._Weaks = 1;
    shared._Ptr = &item; shared._Rep = &alive; watcher._Ptr = &item; watcher._Rep = &alive;
    expired._Ptr = &gone; expired._Rep = &dead;
    *null_ = sizeof(view) + sizeof(triple) + sizeof(unit);
    return 0;
}
"""
FLAGS = ["true", "false", "true", *["false"] * 28, "true", "true"]
LINES = {
    "text": '"a text that is too long for it"',
    "wide": 'L"x"',
    "view": '"a view"',
    "triple": "size=3 {1, 2, 3}",
    "queue": "size=6 {0, 1, 2, 3, 4, 5}",
    "numbers": "size=2 {5, 6}",
    "none": "size=0 {}",
    "forward": "{10, 20}",
    "ages": "size=3 {[1]=1.5, [2]=2.5, [3]=3.5}",
    "primes": "size=1 {11}",
    "counts": "size=1 {[4]=4.5}",
    "unique_": "size=1 {12}",
    "some": "5",
    "nothing": "nullopt",
    "choice": "1.5",
    "valueless": "valueless",
    "mixed": "{1, 120 'x', 2.5}",
    "unit": "()",
    "owner": "{id=7}",
    "nobody": "nullptr",
    "shared": "{id=7}",
    "watcher": "{id=7}",
    "expired": "expired",
}
CHILDREN = {
    "flags": {"[size]": "33", **{f"[{index}]": flag for index, flag in enumerate(FLAGS)}},
    "shared": {"[uses]": "2", "[watchers]": "2"},
    "choice": {"[index]": "1", "[1]": "1.5"},
    "text": {"[size]": "30", "[capacity]": "31", "[0]": "97 'a'"},
}


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Dump:
    if shutil.which("clang++-19") is None:
        pytest.skip("no clang++-19")
    folder: Path = tmp_path_factory.mktemp("microsoft")
    (folder / "program.cpp").write_text(PROGRAM, encoding="utf-8")
    # Wide characters of two bytes, as on Windows, and no library whose names would be the same.
    options = ["-std=c++17", "-g", "-fstandalone-debug", "-fshort-wchar", "-Wno-everything"]
    subprocess.run(["clang++-19", *options, "program.cpp", "-o", "program"], cwd=folder, check=True)
    return stillframe.open(core_of("./program", folder))


def test_every_container_in_one_line(dump: Dump) -> None:
    assert {name: str(dump[name]) for name in LINES} == LINES


def test_every_container_opened(dump: Dump) -> None:
    for name, expected in CHILDREN.items():
        value = dump[name]
        assert isinstance(value, Value)
        children = {child.name: child.format() for child in value.children_()}
        assert {key: children.get(key) for key in expected} == expected, name
        assert not any(child.is_remark for child in value.children_())
