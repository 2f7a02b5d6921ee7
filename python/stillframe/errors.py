"""Errors of stillframe: one line each, saying what was wrong, where, and what to do.

Each carries its fact as an attribute. What is merely missing is no error but a value: `stillframe.model.absent.Absent`.
"""

from pathlib import Path

LONGEST_POINTED = 100
"""Characters of an expression that are shown above the caret."""


class StillframeError(Exception):
    """Base of all errors of stillframe. Its text is one line."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class DumpError(StillframeError):
    """A file that cannot be opened as a dump."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class Unreadable(StillframeError):  # noqa: N818 - the name says what is the matter
    """What is not there to be read: a value in no register and no memory, or, as `FaultError`, memory that is absent.

    `reason` and `remedy` are words; `reason` is a `stillframe.model.absent.Reason` where the model raises it.
    """

    def __init__(self, what: str, reason: str, remedy: str) -> None:
        super().__init__(f"{what} {reason}; {remedy}")
        self.reason = reason
        self.remedy = remedy


class FaultError(Unreadable):
    """Memory that is absent. `address` is the first absent byte, `module` the name of the module that covers it."""

    def __init__(self, address: int, reason: str, remedy: str, module: str | None = None) -> None:
        super().__init__(f"{address:#x} in {module}:" if module else f"{address:#x}", reason, remedy)
        self.address = address
        self.module = module


class OperationError(StillframeError, TypeError):
    """What C++ does not allow with values of these types: members of a number, the address of a register."""


class TooManyElements(OperationError):  # noqa: N818
    """More elements of an array than are ever shown: most probably the count is garbage."""


class SourcePathError(StillframeError, ValueError):
    """An element of a source path that means nothing."""

    def __init__(self, element: str, reason: str) -> None:
        super().__init__(f"{element}: {reason}")
        self.element = element
        self.reason = reason


class NoSuchMember(StillframeError, AttributeError, KeyError):  # noqa: N818
    """The class `type` has no member `name`, nor have its bases."""

    def __init__(self, type_: str, name: str) -> None:
        super().__init__(f"{type_} has no member {name}")
        self.type = type_
        self.name = name


class NoSuchVariable(StillframeError, KeyError):  # noqa: N818
    """No variable `name` is in scope, or among the globals, in the debug information at hand."""

    def __init__(self, name: str, where: str) -> None:
        super().__init__(f"{name}: no variable of this name {where}")
        self.name = name


class NoSuchType(StillframeError, LookupError):  # noqa: N818
    """No module's debug information has a type `name`."""

    def __init__(self, name: str, reason: str = "no type of this name in the debug information at hand") -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name


class SymbolsMissing(StillframeError):  # noqa: N818 - the name says what is the matter
    """A question that only the debug information of `module` answers, and it was not found."""

    def __init__(self, module: str, reason: str) -> None:
        super().__init__(f"{module}: {reason}")
        self.module = module
        self.reason = reason


class NoSuchSymbol(StillframeError, LookupError):  # noqa: N818
    """No module has a symbol `name`."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name


class AmbiguousSymbol(StillframeError, LookupError):  # noqa: N818
    """`name` stands for several addresses, all in `addresses`."""

    def __init__(self, name: str, addresses: tuple[int, ...]) -> None:
        shown = ", ".join(f"{address:#x}" for address in addresses[:4]) + (", …" if len(addresses) > 4 else "")
        super().__init__(f"{name}: {len(addresses)} symbols have this name ({shown}); give the address")
        self.name = name
        self.addresses = addresses


class NoSuchModule(StillframeError, KeyError):  # noqa: N818
    """The dump lists no module `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: no module of this name in the dump")
        self.name = name


class SymbolPathError(StillframeError):
    """An element of a symbol path that cannot be used."""

    def __init__(self, element: str, reason: str) -> None:
        super().__init__(f"symbol path element {element}: {reason}")
        self.element = element
        self.reason = reason


class ExpressionError(StillframeError):
    """An expression that cannot be read or evaluated. `column` counts characters of `text` from 1."""

    def __init__(self, text: str, column: int, reason: str) -> None:
        super().__init__(f"column {column}: {reason}")
        self.text = text
        self.column = column
        self.reason = reason

    @property
    def pointed(self) -> str:
        """Two lines: the part of the text around the column, and a caret below it."""
        start = max(0, self.column - 1 - LONGEST_POINTED // 2)
        part = self.text[start : start + LONGEST_POINTED]
        plain = "".join(character if character.isprintable() else " " for character in part)
        left, right = "…" if start else "", "…" if start + LONGEST_POINTED < len(self.text) else ""
        return f"{left}{plain}{right}\n{' ' * (len(left) + self.column - 1 - start)}^"


def words_of(error: Exception) -> str:
    """What went wrong, without the path and number that Python and the engine put around it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).partition(" (os error")[0] or "cannot be opened"
