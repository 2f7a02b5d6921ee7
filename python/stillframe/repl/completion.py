"""What the end of a line may become: verbs, variables, members, registers, modules, symbols."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stillframe import Value
from stillframe.errors import StillframeError
from stillframe.model.expression.scope import class_of
from stillframe.model.names import stem
from stillframe.model.typing.members import member_names
from stillframe.repl import verbs
from stillframe.repl.dx import linq
from stillframe.repl.dx.objects import CURRENT
from stillframe.repl.dx.things import Object, rows_of, text_of
from stillframe.repl.dx.verb import worth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stillframe.repl.dx.things import Thing
    from stillframe.repl.session import Session

MOST_COMPLETIONS = 50
SHORTEST_SYMBOL = 3
"""Letters of a symbol that are typed before symbols are looked through."""
_MEMBER = re.compile(r"([@$\w:.!\[\]()>\"-]+?)(?:\.|->)(\w*)$")
_REGISTER = re.compile(r"@\$?\w*$")
_NAME = re.compile(r"(?:(\w[\w.]*)!)?([A-Za-z_][\w:]*)$")
_OF_REGISTERS = frozenset({"r", "registers", "regs"})


def completions(session: Session, text: str) -> list[tuple[str, int]]:
    """What the end of `text` may become, and how many of its letters that replaces."""
    command = verbs.last_command(text).lstrip()
    if re.fullmatch(r"\S*", command):
        return _starting(sorted(verbs.BY_NAME), command) if command else []
    if (register := _REGISTER.search(command)) is not None:
        mark = "@$" if register[0].startswith("@$") else "@"
        names = [f"{mark}{name}" for name in _registers(session)]
        return _starting([*names, *(f"@${name}" for name in CURRENT)], register[0])
    found = _NAME.search(command)
    if (member := _MEMBER.search(command)) is not None and (found is None or found[1] is None):
        return _starting(_members(session, member[1]), member[2])
    if found is None:
        return []
    module, word = found[1], found[2]
    names = []
    if module is None:
        if command.split()[0] in _OF_REGISTERS:
            names += _registers(session)
        names += _variables(session)
        names += [f"{stem(each.name)}!" for each in session.dump.modules]
    if module is not None or len(word) >= SHORTEST_SYMBOL:
        names += _symbols(session, module, word)
    return _starting(names, word)


def _starting(names: Iterable[str], word: str) -> list[tuple[str, int]]:
    """Those that begin with what was typed, each once."""
    found = dict.fromkeys(name for name in names if name.startswith(word) and name != word)
    return [(name, len(word)) for name in list(found)[:MOST_COMPLETIONS]]


def _registers(session: Session) -> list[str]:
    try:
        return session.frame.registers.names
    except StillframeError:
        return []


def _variables(session: Session) -> list[str]:
    try:
        return [it.name for it in session.frame.variables if it.name]
    except StillframeError:
        return []


def _members(session: Session, owner: str) -> list[str]:
    """What may follow the point."""
    try:
        return _members_of(worth(session, owner))
    except StillframeError:
        return []


def _members_of(thing: Thing) -> list[str]:
    if isinstance(thing, Object):
        return list(thing.members)
    names: list[str] = []
    if isinstance(thing, Value) and class_of(thing).is_class:
        names += member_names(class_of(thing))
    if text_of(thing) is not None:
        names += sorted(linq.OF_TEXTS)
    return names + (sorted(linq.OF_LISTS) if rows_of(thing) is not None else [])


def _symbols(session: Session, module: str | None, start: str) -> list[str]:
    try:
        chosen = session.dump.modules[module] if module else session.frame.module
        found = [] if chosen is None else chosen.symbols.search(f"{start}*", MOST_COMPLETIONS)
    except StillframeError:
        return []
    return [symbol.name for symbol in found]
