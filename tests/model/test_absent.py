"""`Absent` is a value, and never a number."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import pytest

from stillframe import Absent, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

ABSENT = Absent.because(Reason.NOT_IN_DUMP)


@pytest.mark.parametrize(
    "use",
    [
        int,
        float,
        hex,
        operator.index,
        operator.neg,
        len,
        lambda absent: absent + 1,
        lambda absent: 1 + absent,
        lambda absent: absent < 1,
        lambda absent: f"{absent:x}",
        lambda absent: [0][absent],
    ],
)
def test_it_refuses_to_be_a_number(use: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        use(ABSENT)


def test_it_is_false_and_equals_no_zero() -> None:
    zeros: list[object] = [0, 0.0, False, None, b"", ""]
    assert not ABSENT
    assert ABSENT not in zeros
    assert Absent.because(Reason.NOT_IN_DUMP) == ABSENT
    assert Absent.because(Reason.FREE) != ABSENT


def test_every_reason_has_its_own_words_and_a_remedy() -> None:
    assert len({str(reason) for reason in Reason}) == len(Reason)
    assert all(reason.remedy for reason in Reason)
    assert str(ABSENT) == "not in this dump; capture with full memory"
