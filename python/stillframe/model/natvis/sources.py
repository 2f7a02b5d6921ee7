"""Where rules come from, in the order in which they count: files that the user gave and those beside the dump; those
in a module's PDB and beside its files; those that stillframe brings along.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from stillframe.errors import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from stillframe.model.module import Module
    from stillframe.model.natvis.match import Arguments, Name
    from stillframe.model.natvis.rules import File, Rule

MOST_FILES = 500
"""Of one folder."""
SHIPPED = "stillframe/"
"""Before the names of files that are brought along."""
ROOTS = frozenset({"std", "alloc", "core", "hashbrown", "ref$", "ref_mut$"})
"""What the names of classes begin with that their rules are for: for nothing else they are read."""
_WILDCARD = "*"


class RuleSet:
    """The rules of some files, by name."""

    def __init__(self, files: Iterable[File]) -> None:
        self._named: dict[str, list[tuple[tuple[int, ...], Rule]]] = {}
        self._wild: list[tuple[tuple[int, ...], Rule]] = []
        count = 0
        for rank, each in enumerate(files):
            for rule in each.rules:
                count += 1
                entry = ((rank, -rule.priority, count), rule)
                for key in {pattern.key for pattern in rule.patterns}:
                    (self._wild if _WILDCARD in key else self._named.setdefault(key, [])).append(entry)

    def matching(self, name: Name) -> Iterator[tuple[Rule, Arguments]]:
        """The rules for a class of this name, best first, with what their wildcards stand for."""
        found = []
        for (rank, priority, index), rule in [*self._named.get(name.key, ()), *self._wild]:
            matched = ((pattern.exactness, pattern.match(name)) for pattern in rule.patterns)
            exactness, arguments = max(((how, what) for how, what in matched if what is not None), default=(0, None))
            if arguments is not None:
                found.append(((rank, priority, -exactness, index), rule, arguments))
        found.sort(key=lambda each: each[0])
        return ((rule, arguments) for _, rule, arguments in found)


class Sources:
    """All rules of one process; files are read when they are needed."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """:param paths: files, and folders of files, of the user and beside the dump."""
        self._paths = tuple(paths)
        self._read: dict[Path, File] = {}
        self._sets: dict[int | None, RuleSet] = {}
        self._embedded: dict[int, tuple[File, ...]] = {}

    @property
    def problems(self) -> list[str]:
        """What is wrong with the files that were read so far."""
        embedded = [file for files in self._embedded.values() for file in files]
        return [problem for file in [*self._read.values(), *embedded] for problem in file.problems]

    def matching(self, name: Name, module: Module | None) -> Iterator[tuple[Rule, Arguments]]:
        """The rules for a class of this name that a module's debug information records, best first."""
        yield from self._of(module).matching(name)
        if name.key.partition("::")[0] in ROOTS:
            yield from self._shipped_rules.matching(name)

    def _of(self, module: Module | None) -> RuleSet:
        key = None if module is None else module.index
        if key not in self._sets:
            of_module = [] if module is None else self._of_module(module)
            new = [each for each in of_module if not any(each is given for given in self._given)]
            self._sets[key] = RuleSet([*self._given, *new])
        return self._sets[key]

    @cached_property
    def _given(self) -> list[File]:
        return [self._file(path) for each in self._paths for path in files_of(each)]

    @cached_property
    def _shipped_rules(self) -> RuleSet:
        return RuleSet(shipped())

    def _of_module(self, module: Module) -> list[File]:
        debug = module.debug_info
        found: list[File] = []
        if debug.state == "found":
            embedded = tuple(_parse(data, name) for name, data in debug.file.natvis_files())
            self._embedded[module.index] = embedded
            found += embedded
        homes = [state.path.parent for state in (module.debug_info, module.image) if state.state == "found"]
        for folder in dict.fromkeys(homes):
            found += [self._file(path) for path in files_of(folder)]
        return found

    def _file(self, path: Path) -> File:
        if path not in self._read:
            self._read[path] = _read(path)
        return self._read[path]


def shipped() -> tuple[File, ...]:
    """The files that stillframe brings along."""
    from importlib import resources

    folder = resources.files("stillframe.model.natvis").joinpath("shipped")
    found = sorted((each for each in folder.iterdir() if each.name.endswith(".natvis")), key=lambda each: each.name)
    return tuple(_parse(each.read_bytes(), SHIPPED + each.name) for each in found)


def is_shipped(name: str) -> bool:
    """Whether a file of this name came with stillframe."""
    return name.startswith(SHIPPED)


def _parse(data: bytes, name: str) -> File:
    from stillframe.model.natvis import file  # most programs have no natvis files, and need no expressions

    return file.parse(data, name)


def files_of(path: Path) -> list[Path]:
    """The natvis files of a folder; anything else is one itself."""
    try:
        if not path.is_dir():
            return [path]
        return sorted(each for each in path.iterdir() if each.suffix.lower() == ".natvis")[:MOST_FILES]
    except OSError:
        return []


def _read(path: Path) -> File:
    from stillframe.model.natvis.document import LARGEST_BYTES
    from stillframe.model.natvis.rules import File

    try:
        with path.open("rb") as opened:
            data = opened.read(LARGEST_BYTES + 1)
    except OSError as error:
        return File(path.name, (), [f"{path}: {words_of(error)}"])
    return _parse(data, path.name)
