"""`dx`. Expected values come from app.cpp and stl.cpp of the real data; meanings from C#'s documentation of LINQ."""

from __future__ import annotations

import lzma
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe.errors import ExpressionError, StillframeError
from stillframe.repl import verbs
from stillframe.repl.dx import linq
from stillframe.repl.session import Session
from support.data import shared_data

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

MATRIX = "g_matrix"  # { {1,2,3,4},{5,6,7,8},{9,10,11,12} }


@pytest.fixture(scope="module")
def app() -> Session:
    """`numbers.data` of `main` is { 0, 1, 4, 9, 16, … }: five squares, and three elements that nobody has set."""
    session = Session(stillframe.open(shared_data() / "made" / "app_x64.d.crash.t0.dmp"))
    session.choose_frame(8)
    assert session.frame.name == "main"
    return session


@pytest.fixture(scope="module")
def stl(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """`nums` is {1,2,3,4,5}, `items` {7,"seven"} and {8,"eight"}, `ages` {"ann",30} and {"bob",40}."""
    made, folder = shared_data() / "made", tmp_path_factory.mktemp("stl")
    dump: Path = folder / "stl.dmp"
    dump.write_bytes(lzma.decompress((made / "stl_x86_64.O0.crash.full.dmp.xz").read_bytes()))
    session = Session(stillframe.open(dump, symbols=[made]))
    frames = session.thread.frames
    session.choose_frame(next(frame.index for frame in frames if frame.name.partition("(")[0] == "main"))
    return session


def said(session: Session, text: str) -> str:
    return str(verbs.execute(session, f"dx {text}").page)


def values(session: Session, text: str) -> list[str]:
    """The values of the elements."""
    return [child["value"] for child in children(session, text)]


def children(session: Session, text: str) -> list[dict[str, str]]:
    output = verbs.execute(session, f"dx {text}")
    assert output.data is not None
    data = output.data()
    assert isinstance(data, dict)
    found: list[dict[str, str]] = data["children"]
    return found


SQUARES = "numbers.data.Take(numbers.count)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SQUARES, ["0", "1", "4", "9", "16"]),
        (f"{SQUARES}.Where(x => x > 1)", ["4", "9", "16"]),
        (f"{SQUARES}.Where(x => x > 1).Where(y => y % 2 == 0)", ["4", "16"]),
        (f"{SQUARES}.Select(x => x * 2 + 1)", ["1", "3", "9", "19", "33"]),
        (f"{SQUARES}.Select(x => x),x", ["0x00000000", "0x00000001", "0x00000004", "0x00000009", "0x00000010"]),
        (f"{SQUARES}.OrderByDescending(x => x)", ["16", "9", "4", "1", "0"]),
        (f"{SQUARES}.OrderBy(x => x % 4)", ["0", "4", "16", "1", "9"]),  # equal ones stay in order
        (f"{SQUARES}.Skip(3)", ["9", "16"]),
        (f"{SQUARES}.Skip(9)", []),
        (f"{SQUARES}.Take(0)", []),
        (f"{SQUARES}.Distinct(x => x % 2)", ["0", "1"]),
        (f"{SQUARES}.ToArray().Skip(1).Take(2)", ["1", "4"]),
        (f"{SQUARES},2", ["0", "1"]),
    ],
)
def test_lists_made_of_lists(text: str, expected: list[str], app: Session) -> None:
    assert values(app, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{SQUARES}.Count()", "5"),
        (f"{SQUARES}.Count(x => x > 3)", "3"),
        (f"{SQUARES}.Sum()", "30"),
        (f"{SQUARES}.Sum(x => x + 1)", "35"),
        (f"{SQUARES}.Min()", "(int) 0"),
        (f"{SQUARES}.Max(x => 0 - x)", "(int) 0"),
        (f"{SQUARES}.First()", "(int) 0"),
        (f"{SQUARES}.First(x => x > 1)", "(int) 4"),
        (f"{SQUARES}.Last()", "(int) 16"),
        (f"{SQUARES}.Last(x => x < 9)", "(int) 4"),
        (f"{SQUARES}.Any()", "true"),
        (f"{SQUARES}.Any(x => x > 16)", "false"),
        (f"{SQUARES}.All(x => x >= 0)", "true"),
        (f"{SQUARES}.All(x => x > 0)", "false"),
        (f"{SQUARES}.Contains(9)", "true"),
        (f"{SQUARES}.Skip(2)[1]", "(int) 9"),
        (f"{SQUARES}.Count() == 5 && {SQUARES}.Any()", "(bool) true"),
        (f"{SQUARES}.Sum() * 2", "(long long) 60"),
        (f"{SQUARES}.Any() ? {SQUARES}.Count() : 0", "5"),
        ("numbers.data[4]", "(int) 16"),
        ('shape->m_name == "rect"', "true"),
        ("shape->m_name", '(const char *) 0x000000014000205b "rect"'),
        ("@$curstack.Frames.Select(f => f.Name).First().ToUpper()", "POKE"),
        ('@$curstack.Frames.Count(f => f.Name == "recurse")', "5"),  # depths 0 to 4
        ('@$curstack.Frames.Where(f => f.Name == "recurse").Last().Parameters.depth', "(int) 4"),
        ('@$curstack.Frames.Where(f => f.Name.EndsWith("recurse")).Sum(f => f.Parameters.depth)', "10"),
        ("@$curstack.Frames[0].LocalVariables.doubled", "(int) 106"),
        ("@$curstack.Frames.First().Line", "77"),  # *where = doubled
        ("@$curprocess.Threads.Count(t => t.IsCrashed)", "1"),
        ("@$curprocess.Threads[296].Index", "0"),
        ("@$curprocess.Threads[3].Index", "3"),
        ('@$curprocess.Modules["app_x64.d.exe"].BaseAddress', "0x140000000"),
        ("@$curprocess.Modules[0].Name.Length()", "13"),
        ("@$cursession.Processes.First().Name", "app_x64.d.exe"),
        ("@$curframe.Name", "main"),
        ("@$curthread.Stack.Frames.Count() == @$curstack.Frames.Count()", "(bool) true"),
        ("@$curprocess.Threads.Flatten(t => t.Stack.Frames).Count(f => f.IsInlined)", "2"),
    ],
)
def test_questions_with_one_answer(text: str, expected: str, app: Session) -> None:
    assert said(app, text).splitlines()[0].partition("  ")[0] == expected


def test_groups(app: Session) -> None:
    groups = children(app, f"{SQUARES}.GroupBy(x => x % 2)")
    assert [(group["name"], group["value"]) for group in groups] == [("[0]", "3 elements"), ("[1]", "2 elements")]
    assert values(app, f"{SQUARES}.GroupBy(x => x % 2).Select(g => g.Key)") == ["0", "1"]
    assert values(app, f"{SQUARES}.GroupBy(x => x % 2).Select(g => g.Sum())") == ["20", "10"]
    assert values(app, f"{SQUARES}.GroupBy(x => x > 3).OrderBy(g => g.Count()).First()") == ["0", "1"]


def test_inner_lambdas_see_outer_parameters(app: Session) -> None:
    text = "@$curprocess.Threads.Select(t => t.Stack.Frames.Count(f => f.Index > t.Index)).First()"
    assert int(said(app, text)) == len(app.dump.threads[0].frames) - 1
    # also where the inner list is gone through long after the outer lambda has returned
    assert values(app, f"{SQUARES}.Select(x => {SQUARES}.Where(y => y < x)).Flatten()") == [
        *["0"], *["0", "1"], *["0", "1", "4"], *["0", "1", "4", "9"],
    ]  # fmt: skip


def test_containers_that_visualizers_know(stl: Session) -> None:
    assert values(stl, "nums.Where(n => n % 2 == 1)") == ["1", "3", "5"]
    assert said(stl, "nums.Sum()") == "15\n"
    assert said(stl, "nums[3]").startswith("(int) 4")
    assert values(stl, "items.OrderByDescending(i => i.id).Select(i => i.label)") == ['"eight"', '"seven"']
    assert said(stl, 'items.First(i => i.label == "eight").id').startswith("(int) 8")
    assert said(stl, 'items.Where(i => i.label.StartsWith("sev")).Count()') == "1\n"
    ages = children(stl, "ages.Where(a => a > 30)")
    assert [(age["name"], age["value"]) for age in ages] == [('["bob"]', "40")]


def test_depth(app: Session) -> None:
    assert "m_w" not in said(app, "-r0 rect").partition("\n")[2]
    assert "m_origin" in said(app, "rect")
    one, two = said(app, "-r1 rect"), said(app, "-r2 rect")
    assert "\n        x  3\n        y  4\n" not in one
    assert "\n        x  3\n        y  4\n" in two


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "say which expression"),
        ("@$curthread.Stak", "a thread has no Stak; it has Stack"),
        (f"{SQUARES}.Wher(x => x)", "no method Wher; near: Where"),
        (f"{SQUARES}.Where(1)", ".Where takes a lambda"),
        (f"{SQUARES}.Where()", ".Where takes a lambda"),
        (f"{SQUARES}.Where(x => x, y => y)", ".Where takes a lambda"),
        (f"{SQUARES}.Take(x => x)", ".Take takes a number"),
        (f"{SQUARES}.Take(0 - 1)", "no number of elements"),
        (f"{SQUARES}.Where(x => x > 99).First()", "no such element"),
        (f"{SQUARES}.Where(x => x > 99).Max()", "an empty list"),
        (f"{SQUARES}[99]", "no such element"),
        (f"{SQUARES}.Count", "is a method"),
        (f"{SQUARES} + 1", "a list is no value of the program"),
        ("numbers.Count()", "neither an array nor a container"),
        ("rect.area()", "does not run code"),
        ("x => x", "an arrow stands"),
        ("numbers.data.Where(x => )", "where a value should be"),
        ("numbers.data.OrderBy(x => numbers)", "has no order"),
        ("@$curprocess.Threads.OrderBy(t => t)", "a thread is neither a number nor a text"),
        ("@$curprocess.Modules[\"nosuch\"]", "no module of this name"),
        ("@$cursession + 1", "a session is no value of the program"),
        ("nosuch.Where(x => x)", "nosuch means nothing"),
        ('@$curframe.Name.Contains(1)', ".Contains takes a text"),
    ],
)  # fmt: skip
def test_mistakes_say_what_is_wrong(text: str, reason: str, app: Session) -> None:
    with pytest.raises(StillframeError) as caught:
        said(app, text)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mistakes_inside_of_lambdas_point_there(app: Session) -> None:
    text = f"{SQUARES}.Count(x => nosuch == x)"
    with pytest.raises(ExpressionError) as caught:
        said(app, text)
    assert text[caught.value.column - 1 :].startswith("nosuch")


def test_what_is_absent_is_missing_in_its_place_alone(app: Session) -> None:
    """kernel32 has no symbols here, so that its frame has no line; nothing that counts may pass over it."""
    lines = "@$curstack.Frames.Select(f => f.Line)"
    assert values(app, lines)[:3] == ["77", "82", "98"]
    assert said(app, f"{lines}.Count()") == said(app, "@$curstack.Frames.Count()")
    assert "belongs here" in said(app, "@$curstack.Frames.Where(f => f.Line > 100)").splitlines()[-1]
    with pytest.raises(StillframeError, match=r"\[10\] is not there"):
        said(app, "@$curstack.Frames.Where(f => f.Line > 100).Count()")
    with pytest.raises(StillframeError, match="is not there"):
        said(app, f"{lines}.Sum()")
    with pytest.raises(StillframeError, match="writable section"):
        said(app, f"{MATRIX}.Flatten().Sum()")


def test_work_is_bounded(app: Session) -> None:
    huge = "((char *)0x140000000),[1 << 23]"
    assert said(app, huge).count("\n") == 102  # one for all, a hundred elements, and that there are more
    with pytest.raises(StillframeError, match="more than 100,000 steps"):
        said(app, "(*(char (*)[8000000])0x140000000).Count()")
    frames = "@$curstack.Frames"
    nested = frames
    for parameter in "abcd":
        nested = f"{frames}.Flatten({parameter} => {nested})"
    with pytest.raises(StillframeError, match="more than 100,000 steps"):
        said(app, f"{nested}.Count()")
    with pytest.raises(ExpressionError, match="build on one another"):
        said(app, "numbers.data" + ".Take(1)" * 2000)
    with pytest.raises(ExpressionError, match="levels deep"):
        said(app, "numbers.data.Where(x => " * 200 + "1" + ")" * 200)


def test_every_method_is_told_of() -> None:
    from stillframe.repl.dx.verb import DisplayObject

    told = DisplayObject().help
    assert [name for name in linq.OF_LISTS if f".{name}" not in told] == []
    assert [name for name in linq.OF_TEXTS if f".{name}" not in told] == []


def test_json(stillframe_command: Command) -> None:
    dump = shared_data() / "made" / "app_x64.d.crash.t0.dmp"
    answers = stillframe_command("debug", dump, "-c", "dx -r2 @$curstack.Frames.Take(1)", "--json").json["answers"]
    answer = answers[0]["answer"]
    assert answer["expression"] == "@$curstack.Frames.Take(1)"
    frame = answer["children"][0]
    assert frame["name"] == "[0]"
    assert {child["name"]: child["value"] for child in frame["children"]}["Line"] == "77"
