"""Checking the candidates that a locator offers. What every kind of file has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from stillframe.errors import words_of
from stillframe.model.locator import Attempt, Found, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from stillframe.model.locator import NotFound

T = TypeVar("T")


class Refused(Exception):  # noqa: N818 - no error: the outcome of a check
    """A candidate is not the wanted file."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail

    @classmethod
    def unreadable(cls, error: Exception) -> Refused:
        """A candidate that cannot be opened as what it should be."""
        return cls(Outcome.UNREADABLE, words_of(error))


class Check(ABC, Generic[T]):
    """Checks candidates for one wanted file; a subclass says how one is opened and compared."""

    def __init__(self) -> None:
        self._accepted: tuple[Path, T] | None = None

    @abstractmethod
    def examine(self, path: Path) -> T:
        """Opens the candidate. :raises Refused: if it is not the wanted file."""

    def verify(self, path: Path) -> Attempt:
        """The `verify` of a request: never raises `Refused`, and remembers what was accepted last."""
        self._accepted = None
        try:
            self._accepted = (path, self.examine(path))
        except Refused as refused:
            return Attempt(str(path), refused.outcome, refused.detail)
        return Attempt(str(path), Outcome.ACCEPTED)

    def confirm(self, answer: Found | NotFound) -> tuple[Path, T] | None:
        """What the locator found, if it stands the check, which is made now if the locator has not."""
        if not isinstance(answer, Found):
            return None
        if self._accepted is None or self._accepted[0] != answer.path:
            self.verify(answer.path)
        return self._accepted
