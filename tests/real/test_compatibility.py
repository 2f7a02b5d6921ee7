"""`docs/compatibility.md` says what our stacks are beside those of other tools."""

from support.compatibility import CASES, compare, table
from support.data import REPOSITORY, shared_data


def test_the_table_is_true() -> None:
    shared_data()
    assert table() in (REPOSITORY / "docs" / "compatibility.md").read_text(encoding="utf-8")


def test_where_the_others_have_symbols_every_frame_is_theirs() -> None:
    shared_data()
    compared = [compare(case) for case in CASES if case.symbols is not None and "symbolic" not in case.symbols]
    assert len(compared) == 3
    for comparison in compared:
        assert comparison.equal == comparison.theirs == 4
        assert comparison.other_names == []
