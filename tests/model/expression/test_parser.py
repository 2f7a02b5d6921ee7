"""Expressions against C++'s grammar; every expected tree is written by hand from ISO C++17, [expr] and annex A."""

from __future__ import annotations

import pytest

from stillframe.errors import ExpressionError
from stillframe.model.expression.reading import Text, read
from support.trees import spelled

TYPES = {"T", "geo::Rect", "Foo<3>", "vec<int>", "ns::vec<a,b>", "size_t"}


def tree(text: str) -> str:
    return spelled(read(text, TYPES.__contains__).tree)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c", "(+ a (* b c))"),
        ("a * b + c", "(+ (* a b) c)"),
        ("a - b - c", "(- (- a b) c)"),
        ("a / b % c", "(% (/ a b) c)"),
        ("(a + b) * c", "(* (+ a b) c)"),
        ("a << b + c", "(<< a (+ b c))"),
        ("a < b << c", "(< a (<< b c))"),
        ("a == b < c", "(== a (< b c))"),
        ("a & b == c", "(& a (== b c))"),
        ("a ^ b & c", "(^ a (& b c))"),
        ("a | b ^ c", "(| a (^ b c))"),
        ("a && b | c", "(&& a (| b c))"),
        ("a || b && c", "(|| a (&& b c))"),
        (
            "a || b && c | d ^ e & f == g < h << i + j * k",
            "(|| a (&& b (| c (^ d (& e (== f (< g (<< h (+ i (* j k))))))))))".replace("(== f (< g", "(== f (< g"),
        ),
        (
            "a * b + c << d < e == f & g ^ h | i && j || k",
            "(|| (&& (| (^ (& (== (< (<< (+ (* a b) c) d) e) f) g) h) i) j) k)",
        ),
        ("a >= b != c <= d", "(!= (>= a b) (<= c d))"),
        ("a ? b : c", "(? a b c)"),
        ("a ? b : c ? d : e", "(? a b (? c d e))"),
        ("a ? b ? c : d : e", "(? a (? b c d) e)"),
        ("a || b ? c : d", "(? (|| a b) c d)"),
        ("a < b", "(< a b)"),
        ("a and not b or c bitand compl d", "(|| (&& a (! b)) (& c (~ d)))"),
    ],
)
def test_operators_bind_as_in_cpp(text: str, expected: str) -> None:
    assert tree(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-a * b", "(* (- a) b)"),
        ("!a == b", "(== (! a) b)"),
        ("- - a", "(- (- a))"),
        ("a - -b", "(- a (- b))"),
        ("*p->q", "(* (-> p q))"),
        ("*p[1]", "(* ([] p 1))"),
        ("(*p).q", "(. (* p) q)"),
        ("&a.b[1]", "(& ([] (. a b) 1))"),
        ("a.b.c->d[1][2]", "([] ([] (-> (. (. a b) c) d) 1) 2)"),
        ("~a & b", "(& (~ a) b)"),
        ("**p", "(* (* p))"),
        ("a * *b", "(* a (* b))"),
        ("a & &b", "(& a (& b))"),
        ("a && b", "(&& a b)"),
        ("p->Base::x", "(-> p Base::x)"),
        ("f(a, b + 1).c", "(. (call f a (+ b 1)) c)"),
        ("f()", "(call f)"),
        ("a[b ? 1 : 2]", "([] a (? b 1 2))"),
        ("app->items[2].size + 1", "(+ (. ([] (-> app items) 2) size) 1)"),
    ],
)
def test_unary_and_postfix_operators(text: str, expected: str) -> None:
    assert tree(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(int)x", "(cast int x)"),
        ("(unsigned long long)x + 1", "(+ (cast unsigned long long x) 1)"),
        ("(int)x.y", "(cast int (. x y))"),
        ("(int)-x", "(cast int (- x))"),
        ("(int)*p", "(cast int (* p))"),
        ("(int)(char)x", "(cast int (cast char x))"),
        ("(geo::Rect*)p", "(cast ptr(geo::Rect) p)"),
        ("((geo::Rect*)p)->x", "(-> (cast ptr(geo::Rect) p) x)"),
        ("(geo::Rect*)p->x", "(cast ptr(geo::Rect) (-> p x))"),
        ("*(geo::Rect*)p", "(* (cast ptr(geo::Rect) p))"),
        ("(struct Foo *)0", "(cast ptr(Foo) 0)"),
        ("(const char*)p", "(cast ptr(const char) p)"),
        ("(char const *)p", "(cast ptr(const char) p)"),
        ("(char * const)p", "(cast const ptr(char) p)"),
        ("(int**)p", "(cast ptr(ptr(int)) p)"),
        ("(int&)x", "(cast ref(int) x)"),
        ("(int (*)[4])p", "(cast ptr(array4(int)) p)"),
        ("(int *(*)[4][5])p", "(cast ptr(array4(array5(ptr(int)))) p)"),
        ("(void (*)(int, const char *, ...))p", "(cast ptr(fn(void, int, ptr(const char), ...)) p)"),
        ("(int (*)(void))p", "(cast ptr(fn(int)) p)"),
        ("(int (*(*)(char))[3])p", "(cast ptr(fn(ptr(array3(int)), char)) p)"),
        ("(x)y", "(cast x y)"),
        ("(x)(y)", "(call x y)"),
        ("(T)(y)", "(cast T y)"),
        ("(T)-1", "(cast T (- 1))"),
        ("(x)-1", "(- x 1)"),
        ("(T)*p", "(cast T (* p))"),
        ("(x)*p", "(* x p)"),
        ("(T)&p", "(cast T (& p))"),
        ("(x)&p", "(& x p)"),
        ("(x)+1", "(+ x 1)"),
        ("(T)~0", "(cast T (~ 0))"),
        ("(T)-1 * 2", "(* (cast T (- 1)) 2)"),
        ("(x)", "x"),
        ("(x).y", "(. x y)"),
        ("(x)[1]", "([] x 1)"),
        ("(a * b)", "(* a b)"),
        ("(a & b)", "(& a b)"),
        ("(a * (b))", "(* a b)"),
        ("(a * (*b))", "(* a (* b))"),
        ("(a[3])", "([] a 3)"),
        ("int(x)", "(cast int x)"),
        ("unsigned(x) >> 1", "(>> (cast unsigned x) 1)"),
        ("double(1) / 3", "(/ (cast double 1) 3)"),
        ("T(x)", "(call T x)"),
        ("static_cast<int>(x)", "(static_cast int x)"),
        ("reinterpret_cast<geo::Rect *>(p)->x", "(-> (reinterpret_cast ptr(geo::Rect) p) x)"),
        ("dynamic_cast<vec<int>*>(p)", "(dynamic_cast ptr(vec<int>) p)"),
        ("const_cast<char*>(p)[0]", "([] (const_cast ptr(char) p) 0)"),
    ],
)
def test_casts(text: str, expected: str) -> None:
    assert tree(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sizeof(int)", "(sizeof int)"),
        ("sizeof(int) * 2", "(* (sizeof int) 2)"),
        ("sizeof(x)", "(sizeof x)"),
        ("sizeof(x) - 1", "(- (sizeof x) 1)"),
        ("sizeof(x).y", "(sizeof (. x y))"),
        ("sizeof x.y", "(sizeof (. x y))"),
        ("sizeof *p", "(sizeof (* p))"),
        ("sizeof(T*)", "(sizeof ptr(T))"),
        ("sizeof(unsigned char[16])", "(sizeof array16(unsigned char))"),
        ("sizeof(a) / sizeof(a[0])", "(/ (sizeof a) (sizeof ([] a 0)))"),
        ("sizeof(struct geo::Rect)", "(sizeof geo::Rect)"),
        ("sizeof(int)+1", "(+ (sizeof int) 1)"),
    ],
)
def test_sizeof(text: str, expected: str) -> None:
    assert tree(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("std::x", "std::x"),
        ("::x", "::x"),
        ("a::b::c.d", "(. a::b::c d)"),
        ("std::vector<int>::size_type", "std::vector<int>::size_type"),
        ("std::map< int , std::vector<char> >::x", "std::map<int,std::vector<char>>::x"),
        ("std::map<int, std::vector<char>>::x", "std::map<int,std::vector<char>>::x"),
        ("vec<unsigned   char>::x", "vec<unsigned char>::x"),
        ("(vec<int>*)p", "(cast ptr(vec<int>) p)"),
        ("(Foo<3> *)p", "(cast ptr(Foo<3>) p)"),
        ("(Foo<3>)(p)", "(cast Foo<3> p)"),
        ("(vec<int (*)(char)>*)p", "(cast ptr(vec<int(*)(char)>) p)"),
        ("sizeof(ns::vec<a, b>)", "(sizeof ns::vec<a,b>)"),
        ("a < b > c", "(> (< a b) c)"),
        ("a < 3 > (c)", "(> (< a 3) c)"),
        ("Foo < 3 > (c)", "(call Foo<3> c)"),
        ("i < size && j > 0", "(&& (< i size) (> j 0))"),
        ("a < b * c > d", "(> (< a (* b c)) d)"),
        ("a < b >> c", "(< a (>> b c))"),
        ("a < (b < c >> d)", "(< a (< b (>> c d)))"),
        ("a < b, x", "(< a b)"),
        ("&vec<const T &>::x", "(& vec<const T&>::x)"),
        ("app!g_counter", "app!g_counter"),
        ("app.exe!geo::Shape::s_count + 1", "(+ app.exe!geo::Shape::s_count 1)"),
        ("&ntdll!RtlpHeap", "(& ntdll!RtlpHeap)"),
        ("(ntdll!_PEB *)p", "(cast ptr(_PEB) p)"),
        ("a!=b", "(!= a b)"),
        ("a != !b", "(!= a (! b))"),
        ("a&&!b", "(&& a (! b))"),
        ("(anonymous namespace)::x", "(anonymous namespace)::x"),
        ("( anonymous  namespace )::f(1)", "(call (anonymous namespace)::f 1)"),
        ("`anonymous namespace'::x", "`anonymous namespace'::x"),
        ("main::`2'::x", "main::`2'::x"),
        ("this->x", "(-> this x)"),
        ("@rax + $rcx", "(+ @rax @rcx)"),
        ("@$teb", "@teb"),
        ("*(int*)@rsp", "(* (cast ptr(int) @rsp))"),
        ("($T1*)p", "(cast ptr($T1) p)"),
        ("($T1)p", "(cast $T1 p)"),
        ("$T2 + 1", "(+ @T2 1)"),
        ("sizeof($T1)", "(sizeof @T1)"),
        ("$T1::npos", "$T1::npos"),
        ("(std::vector<$T1,$T2>*)p", "(cast ptr(std::vector<$T1,$T2>) p)"),
    ],
)
def test_names(text: str, expected: str) -> None:
    assert tree(text) == expected


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("", 1, "the expression ends where a value should be"),
        ("a +", 4, "the expression ends where a value should be"),
        ("a + * ", 7, "the expression ends where a value should be"),
        ("a b", 3, "an operator is missing before 'b'"),
        ("(a + b", 7, r"'\)' is missing for the '\(' at column 1"),
        ("a[1", 4, r"'\]' is missing for the '\[' at column 2"),
        ("a + b)", 6, r"this '\)' closes nothing"),
        ("a = 1", 3, "no assignment; expressions change nothing"),
        ("a += 1", 3, "no assignment"),
        ("(a <<= 1)", 4, "no assignment"),
        ("a++", 2, "no increment"),
        ("--a", 1, "no increment"),
        ("new int", 1, "no new; "),
        ("x + throw 1", 5, "does not run code"),
        ("[&] { return 1; }", 1, "no lambdas"),
        ("{1, 2}", 1, "braces are not supported"),
        ("a; b", 2, "one expression, no statements"),
        ("if (a) b", 1, "no statements such as if"),
        ("(a, b)", 3, "no comma operator"),
        ("a.*b", 2, "pointers to members"),
        ("a <=> b", 3, "three-way"),
        ("a.1", 2, "an operator is missing"),
        ("a.", 3, "the name of a member"),
        ("a->[1]", 4, "the name of a member"),
        ("int", 1, "a type is no value"),
        ("(int)", 6, "what it casts is missing"),
        ("(int) + ", 9, "the expression ends"),
        ("static_cast<int>x", 17, r"'\(' is missing"),
        ("static_cast<3>(x)", 13, "where a type should be"),
        ("a ? b", 6, "':' is missing"),
        ("1 + 0x", 6, "x is no suffix"),
        ("1 + 12abc", 7, "abc is no suffix"),
        ("1 + 089", 5, "089 is no number"),
        ("99999999999999999999", 1, "larger than 64 bits"),
        ("1.5q", 4, "q is no suffix"),
        ("'", 1, "this character does not end"),
        ('a + "abc', 5, "this string does not end"),
        (r'"a\qb"', 3, r"\\q is no escape"),
        (r"'\x100'", 2, "too large for a char"),
        ("u'ab'", 1, "more than one character"),
        ("a # b", 3, "'#' means nothing here"),
        ("a \x00 b", 3, r"U\+0000 means nothing here"),
        ("a,", 3, "a format specifier is missing"),
        ("a,q", 3, "'q' is no format specifier"),
        ("a,[1", 5, r"'\]' is missing"),
        ("a && && b", 6, "'&&' needs an operand"),
    ],
)
def test_what_is_no_expression_is_refused_at_its_column(text: str, column: int, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason) as caught:
        tree(text)
    assert caught.value.column == column
    assert caught.value.text == text
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "names", "count", "view"),
    [
        ("p,x", {"x"}, None, None),
        ("p, X", {"X"}, None, None),
        ("p,10", set(), "10", None),
        ("p,10x", {"x"}, "10", None),
        ("p,[size + 1]", set(), "(+ size 1)", None),
        ("p,[size]s8b", {"s8b"}, "size", None),
        ("p,s8", {"s8"}, None, None),
        ("p,sub", {"sub"}, None, None),
        ("p,su", {"su"}, None, None),
        ("p,!", {"!"}, None, None),
        ("p,nvo", {"nvo"}, None, None),
        ("p,view(simple)na", {"na"}, None, "simple"),
        ("p,view(simple),na", {"na"}, None, "simple"),
        ("p,nand", {"na", "nd"}, None, None),
        ("f(a, b),Xb", {"Xb"}, None, None),
        ("p", set(), None, None),
    ],
)
def test_format_specifiers(text: str, names: set[str], count: str | None, view: str | None) -> None:
    found = read(text, TYPES.__contains__).format
    assert found.names == names
    assert (None if found.elements is None else spelled(found.elements)) == count
    assert found.view == view


def test_columns_are_those_of_the_operators() -> None:
    node = read("abc / (d % e)", TYPES.__contains__).tree
    assert (node.column, node.right.column) == (5, 10)  # type: ignore[attr-defined]


def test_text_is_read_again_only_where_a_name_is_something_else() -> None:
    text, asked = Text("(x)-1"), []

    def is_type(name: str) -> bool:
        asked.append(name)
        return len(asked) > 2

    variable = text.reading(is_type)
    assert spelled(variable.tree) == "(- x 1)"
    assert text.reading(is_type) is variable
    type_ = text.reading(is_type)
    assert spelled(type_.tree) == "(cast x (- 1))"
    assert text.reading(is_type) is type_
    assert text.reading(lambda name: False) is variable
    assert set(asked) == {"x"}


def test_text_without_ambiguity_asks_nothing() -> None:
    def never(name: str) -> bool:
        raise AssertionError(name)

    read("(geo::Rect*)p->items[(i + 1) % n].size < std::vector<int>::max && j > 0 ? (int)a : sizeof(b) * 2,x", never)


def test_the_caret_stands_below_the_column() -> None:
    with pytest.raises(ExpressionError) as caught:
        tree("alpha + 08")
    assert caught.value.pointed == "alpha + 08\n        ^"
    with pytest.raises(ExpressionError) as caught:
        tree("a" * 300 + " $$ " + "b" * 300)
    line, caret = caught.value.pointed.split("\n")
    assert line[len(caret) - 1] == "$"
    assert line.startswith("…a")
    assert line.endswith("b…")
