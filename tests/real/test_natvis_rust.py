"""Visualizers of Rust's standard library on a program that is built and crashed here. The table is its source."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Value
from stillframe.model.typing import rust_names
from support.cores import core_of

if TYPE_CHECKING:
    from stillframe import Frame

PROGRAM = r"""
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
struct Point { x: i32, tag: &'static str }
#[inline(never)]
fn crash() {
    let text = String::from("h\u{e9}llo");
    let empty = String::new();
    let slice = "static";
    let boxed: Box<str> = "boxed".into();
    let numbers = vec![1i32, -2, 3];
    let nothing: Vec<u8> = Vec::new();
    let part = &numbers[1..];
    let mut array = [1u16, 2, 3];
    let pointers = vec![&array[1] as *const u16];
    let mutable = &mut array[..2];
    let words = vec!["a", "b"];
    let strings = vec![String::from("x"), String::from("y")];
    let references = vec![&text];
    let slices = vec![&numbers[..1]];
    let arrays = vec![[1u8, 2], [3, 4]];
    let pairs = vec![(1u8, 2.5f64)];
    let options = vec![Some(1u8), None];
    let nested = vec![vec![1u16], vec![]];
    let points = vec![Point { x: 1, tag: "one" }];
    let mut queue: VecDeque<i32> = VecDeque::with_capacity(4);
    queue.push_back(1);
    queue.push_back(2);
    queue.push_front(0);
    let shared = Rc::new(RefCell::new(7));
    let second = shared.clone();
    let cell = Cell::new(5u8);
    let atomic = Arc::new(String::from("shared"));
    let map: HashMap<&str, i32> = [("k", 1)].into();
    let squares: HashMap<u32, u64> = (0..100).map(|n| (n, u64::from(n) * u64::from(n))).collect();
    let set: HashSet<String> = [String::from("only")].into();
    let no_map: HashMap<u8, u8> = HashMap::new();
    std::hint::black_box((&text, &empty, &slice, &boxed, &numbers, &nothing, &part, &mutable, &words, &strings));
    std::hint::black_box((&references, &slices, &arrays, &pairs, &options, &nested, &points, &queue, &pointers));
    std::hint::black_box((&shared, &second, &cell, &atomic, &map, &squares, &set, &no_map));
    unsafe { *std::hint::black_box(8 as *mut i32) = points[0].x + points[0].tag.len() as i32 }
}
fn main() { crash() }
"""
TEXTS = {
    "text": '"h\u00e9llo"',
    "empty": '""',
    "slice": '"static"',
    "boxed": '"boxed"',
    "numbers": "size=3 {1, -2, 3}",
    "nothing": "size=0 {}",
    "part": "size=2 {-2, 3}",
    "mutable": "size=2 {1, 2}",
    "words": 'size=2 {"a", "b"}',
    "strings": 'size=2 {"x", "y"}',
    "slices": "size=1 {size=1 {1}}",
    "arrays": "size=2 {{1, 2}, {3, 4}}",
    "pairs": "size=1 {(1, 2.5)}",
    "options": "size=2 {Some(1), None}",
    "nested": "size=2 {size=1 {1}, size=0 {}}",
    "points": 'size=1 {{x=1, tag="one"}}',
    "queue": "size=3 {0, 1, 2}",
    "shared": "7",
    "cell": "5",
    "atomic": '"shared"',
    "map": 'size=1 {("k", 1)}',
    "set": 'size=1 {("only", ())}',
    "no_map": "size=0 {}",
}


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Frame:
    if shutil.which("rustc") is None:
        pytest.skip("rustc is needed")
    folder = tmp_path_factory.mktemp("rust")
    (folder / "program.rs").write_text(PROGRAM)
    subprocess.run(["rustc", "-g", "-Awarnings", "program.rs"], cwd=folder, check=True)
    thread = stillframe.open(core_of("./program", folder)).crashed_thread
    assert thread is not None
    return thread.frames[0]


@pytest.mark.parametrize("name", TEXTS)
def test_text(name: str, frame: Frame) -> None:
    assert str(frame[name]) == TEXTS[name]


def value_of(frame: Frame, name: str) -> Value:
    value = frame[name]
    assert isinstance(value, Value)
    return value


def test_elements(frame: Frame) -> None:
    assert [int(each) for each in value_of(frame, "numbers")] == [1, -2, 3]
    assert int(value_of(frame, "pointers")[0].dereference()) == 2
    assert str(value_of(frame, "references")[0].dereference()) == '"h\u00e9llo"'
    assert {child.name: str(child.value) for child in value_of(frame, "shared").children_()} == {
        "[strong]": "2",
        "[weak]": "1",
        "[borrow]": "0",
        "value": "7",
    }


def test_a_hash_table_has_all_that_was_put_in(frame: Frame) -> None:
    squares = value_of(frame, "squares")
    assert len(squares) == 100
    assert {int(pair["__0"]): int(pair["__1"]) for pair in squares} == {number: number**2 for number in range(100)}


def test_names_of_types_that_do_not_end() -> None:
    asked: list[str] = []

    def unknown(name: str) -> None:
        asked.append(name)

    assert rust_names.parse("&" * 10_000 + "i32", unknown) is None
    assert len(asked) == rust_names.MOST_MARKS + 1
    asked.clear()
    assert rust_names.parse("[[*const &mut u8; 2]; 3]", unknown) is None
    assert asked[1:] == ["[*const &mut u8; 2]", "*const &mut u8", "&mut u8", "u8"]
