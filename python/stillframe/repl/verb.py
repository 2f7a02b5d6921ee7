"""What a verb of the debugger is, and what it answers with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from stillframe.cli.page import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from stillframe.repl.session import Session


@dataclass
class Output:
    """An answer: a page for people, and data for programs where there is any."""

    page: Page = field(default_factory=Page)
    data: Callable[[], object] | None = None
    """Makes what `--json` shows; addresses are strings there (docs/json.md)."""


class Verb(ABC):
    """One verb. Its docstring is the help: a line, and what else there is to say."""

    names: ClassVar[tuple[str, ...]]
    """WinDbg's first, then its English synonyms."""
    usage: ClassVar[str] = ""
    """Of the arguments."""

    @abstractmethod
    def run(self, session: Session, name: str, arguments: str) -> Output:
        """Answers. `name` is the one of `names` that was used.

        :raises StillframeError: if there is no answer, with the reason.
        """
        # heirs answer

    @property
    def summary(self) -> str:
        """The first line of the help."""
        return (self.__doc__ or "").partition("\n")[0]

    @property
    def help(self) -> str:
        """All of the help."""
        lines = (self.__doc__ or "").strip().splitlines()
        return "\n".join(line.strip() for line in lines)


def lines(*texts: str) -> Output:
    """An answer of plain lines."""
    output = Output(data=lambda: {"lines": list(texts)})
    for text in texts:
        output.page.line(text)
    return output
