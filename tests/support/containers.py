"""A program with an object of every container, crashed, and what each holds: taken from this source."""

from __future__ import annotations

PROGRAM = r"""
#include <array>
#include <chrono>
#include <deque>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <stack>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

struct Item { int id; std::string label; };
struct Node { int number; std::shared_ptr<Node> next; };
enum class Colour { Red, Green };
struct Derived : std::vector<int> { using std::vector<int>::vector; };

volatile int *volatile g_null;
__attribute__((noinline)) int use(const void *) { asm volatile("" ::: "memory"); return 0; }

int main() {
    std::string short_text = "short", long_text = "a fairly long string that is on the heap", empty_text;
    std::wstring wide = L"caf\u00e9";
    std::u16string utf16 = u"\u65e5x";
    std::string_view view = std::string_view(long_text).substr(2, 6);
    std::vector<int> numbers = {1, 2, 3, 4, 5}, no_numbers;
    std::vector<Item> items = {{7, "seven"}, {8, "eight"}};
    std::vector<bool> flags = {true, false, true, true};
    for (int i = 0; i < 96; ++i) flags.push_back(i % 3 == 0);
    std::vector<std::vector<int>> nested = {{1}, {2, 3}};
    std::array<int, 3> triple = {10, 20, 30};
    std::array<int, 0> nothing;
    std::deque<int> queue;
    for (int i = 0; i < 300; ++i) queue.push_back(i * i);
    queue.pop_front();
    std::deque<Item> item_queue = {{1, "one"}};
    std::list<std::string> words = {"alpha", "beta"};
    std::list<int> no_words;
    std::forward_list<int> forward = {6, 5, 4};
    std::map<std::string, int> ages = {{"ann", 30}, {"bob", 40}, {"cyd", 50}};
    std::map<int, Item> by_id = {{3, {3, "three"}}};
    std::multimap<int, char> many = {{1, 'a'}, {1, 'b'}};
    std::set<int> primes = {7, 2, 5, 3};
    std::multiset<short> repeated = {1, 1};
    std::map<const char *, double *> pointers = {{"key", nullptr}};
    std::unordered_map<int, std::string> names = {{1, "uno"}};
    std::unordered_map<std::string, int> counts = {{"x", 5}};
    std::unordered_set<int> unique = {42};
    std::unordered_multimap<int, int> pairs = {{1, 2}};
    std::optional<int> some = 5, none;
    std::optional<std::string> some_text = "text";
    std::variant<int, std::string, double> choice = std::string("chosen"), first_choice = 4;
    std::tuple<int, std::string, double> mixed = {1, "two", 3.5};
    std::tuple<> unit;
    std::pair<int, std::string> couple = {9, "nine"};
    std::unique_ptr<Item> owner(new Item{11, "eleven"}), nobody;
    std::unique_ptr<int[]> block(new int[3]{1, 2, 3});
    std::shared_ptr<Item> shared = std::make_shared<Item>(Item{12, "twelve"}), second = shared;
    std::weak_ptr<Item> watcher = shared;
    auto ring = std::make_shared<Node>();
    ring->number = 1;
    ring->next = ring;
    std::stack<int> stack;
    stack.push(1); stack.push(2);
    std::queue<int> line;
    line.push(3);
    std::priority_queue<int> heap;
    heap.push(4);
    std::chrono::milliseconds wait(1500);
    std::function<int(const void *)> callback = use;
    Derived derived = {1, 2};
    Colour colour = Colour::Green;
    std::map<Colour, std::pair<int, int>> by_colour = {{Colour::Red, {1, 2}}};
    use(&short_text); use(&wide); use(&utf16); use(&view); use(&numbers); use(&items); use(&flags); use(&triple);
    use(&queue); use(&words); use(&forward); use(&ages); use(&primes); use(&names); use(&counts); use(&unique);
    use(&some); use(&choice); use(&mixed); use(&couple); use(&owner); use(&shared); use(&watcher); use(&ring);
    use(&empty_text); use(&no_numbers); use(&nested); use(&nothing); use(&item_queue); use(&no_words); use(&by_id);
    use(&many); use(&repeated); use(&pointers); use(&pairs); use(&none); use(&some_text); use(&first_choice);
    use(&unit); use(&nobody); use(&block); use(&second); use(&stack); use(&line); use(&heap); use(&wait);
    use(&callback); use(&derived); use(&colour); use(&by_colour);
    *g_null = numbers[0];
    return 0;
}
"""

FLAGS = [True, False, True, True, *(index % 3 == 0 for index in range(96))]
SQUARES = [index * index for index in range(300)][1:]
LINES = {
    "short_text": '"short"',
    "long_text": '"a fairly long string that is on the heap"',
    "empty_text": '""',
    "wide": 'L"caf\u00e9"',
    "utf16": 'u"\u65e5x"',
    "view": '"fairly"',
    "numbers": "size=5 {1, 2, 3, 4, 5}",
    "no_numbers": "size=0 {}",
    "items": 'size=2 {{id=7, label="seven"}, {id=8, label="eight"}}',
    "nested": "size=2 {size=1 {1}, size=2 {2, 3}}",
    "triple": "size=3 {10, 20, 30}",
    "nothing": "size=0 {}",
    "item_queue": 'size=1 {{id=1, label="one"}}',
    "words": 'size=2 {"alpha", "beta"}',
    "no_words": "size=0 {}",
    "forward": "{6, 5, 4}",
    "ages": 'size=3 {["ann"]=30, ["bob"]=40, ["cyd"]=50}',
    "by_id": 'size=1 {[3]={id=3, label="three"}}',
    "many": "size=2 {[1]=97 'a', [1]=98 'b'}",
    "primes": "size=4 {2, 3, 5, 7}",
    "repeated": "size=2 {1, 1}",
    "names": 'size=1 {[1]="uno"}',
    "counts": 'size=1 {["x"]=5}',
    "unique": "size=1 {42}",
    "pairs": "size=1 {[1]=2}",
    "some": "5",
    "none": "nullopt",
    "some_text": '"text"',
    "choice": '"chosen"',
    "first_choice": "4",
    "mixed": '{1, "two", 3.5}',
    "unit": "()",
    "couple": '(9, "nine")',
    "owner": '{id=11, label="eleven"}',
    "nobody": "nullptr",
    "block": "1",
    "shared": '{id=12, label="twelve"}',
    "second": '{id=12, label="twelve"}',
    "watcher": '{id=12, label="twelve"}',
    "ring": "{number=1, next={number=1, next=<cycle>}}",
    "stack": "size=2 {1, 2}",
    "line": "size=1 {3}",
    "heap": "size=1 {4}",
    "wait": "1500 ms",
    "derived": "size=2 {1, 2}",
    "colour": "Green",
    "by_colour": "size=1 {[Red]=(1, 2)}",
}
"""Variables of `main`, in one line."""
CHILDREN: dict[str, dict[str, str]] = {
    "numbers": {"[size]": "5", "[0]": "1", "[4]": "5"},
    "flags": {"[size]": "100", **{f"[{index}]": str(flag).lower() for index, flag in enumerate(FLAGS)}},
    "queue": {"[size]": "299", **{f"[{index}]": str(square) for index, square in enumerate(SQUARES)}},
    "ages": {'["ann"]': "30", '["bob"]': "40", '["cyd"]': "50"},
    "primes": {"[0]": "2", "[1]": "3", "[2]": "5", "[3]": "7"},
    "long_text": {"[size]": "40", "[0]": "97 'a'", "[39]": "112 'p'"},
    "choice": {"[index]": "1", "[1]": '"chosen"'},
    "mixed": {"[0]": "1", "[1]": '"two"', "[2]": "3.5"},
    "some_text": {"[value]": '"text"'},
    "none": {},
    "shared": {"[uses]": "2", "[watchers]": "1"},
    "watcher": {"[uses]": "2"},
    "owner": {"id": "11", "label": '"eleven"'},
}
"""What they open to: some of their children; of `owner` those of what it points to."""
EXPRESSIONS = {"owner->id": 11, "shared->id + 1": 13, "(*owner).id": 11, "ring->next->number": 1}
