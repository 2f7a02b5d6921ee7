"""Verbs of source: its text around a line, where its files were found, where else they may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe import Absent
from stillframe.cli import schema
from stillframe.cli.page import Styled
from stillframe.cli.verb import Unanswered
from stillframe.repl.verb import Output, Verb
from stillframe.symbols.locate import DirectoryLocator
from stillframe.symbols.source_path import parse_source_path

if TYPE_CHECKING:
    from stillframe.model.location import SourceLocation, SourceText
    from stillframe.repl.session import Session

LINES_BEFORE = 5
LINES_SHOWN = 11


class ListSource(Verb):
    """Shows the source around the line of the current frame, or of the code at an address.

    The line itself has `>`. Without an argument, goes on behind the lines shown last; `.` begins anew.
    """

    names = ("lsa", "ls", "list", "l")
    usage = "[. | ADDRESS]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        location, first = self._place(session, arguments)
        source = session.dump.source_text(location.file)
        if isinstance(source, Absent):
            raise Unanswered(f"{location.path}: {source} or with .srcpath+")
        if first > len(source.lines):
            raise Unanswered(f"{source.path} has {len(source.lines):,} lines")
        lines = source.lines[first - 1 : first - 1 + LINES_SHOWN]
        session.next_source = (location, first + len(lines))
        output = Output(data=lambda: {**_source(location.path, source), "first_line": first, "lines": list(lines)})
        if source.match == "mismatch":
            output.page.line(Styled(f"{source.path} is another version than was compiled: lines may differ", "red"))
        for number, text in enumerate(lines, first):
            mark = ">" if number == location.line else " "
            output.page.line(Styled(f"{mark}{number:>6}  ", "bold" if mark == ">" else "dim"), text)
        return output

    def _place(self, session: Session, arguments: str) -> tuple[SourceLocation, int]:
        """A line that is marked, and the first that is shown."""
        if not arguments and session.next_source is not None:
            return session.next_source
        if arguments in {"", "."}:
            location = session.frame.location
        else:
            location = session.dump.symbolize(session.address(arguments)).location
        if isinstance(location, Absent):
            raise Unanswered(str(location))
        return location, max(location.line - LINES_BEFORE, 1)


class SourcePath(Verb):
    """Shows where the source of each frame of the current stack was found, and whether it is the one compiled.

    `.srcpath+ FOLDER` also looks in a folder, `.srcpath+ FROM=TO` says where a folder that the debug information names
    is on this machine. The same as `--source` when the debugger is started.
    """

    names = (".srcpath", ".srcpath+", "srcpath", "sources")
    usage = "[FOLDER | FROM=TO]"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        if arguments:
            self._add(session, arguments)
        known: dict[str, SourceText | Absent] = {}
        for frame in session.thread.frames:
            if not isinstance(frame.location, Absent):
                known.setdefault(frame.location.path, frame.source)
        if not known:
            raise Unanswered("no frame of this stack has a line of source in the debug information at hand")
        output = Output(data=lambda: {"sources": [_source(path, found) for path, found in known.items()]})
        for path, found in known.items():
            if isinstance(found, Absent):
                output.page.line(path, "  ", Styled(str(found), "yellow"))
            else:
                output.page.line(f"{path}  {found.path}  ", _match(found))
        return output

    def _add(self, session: Session, text: str) -> None:
        locator = session.dump.locator
        trees = parse_source_path([text.strip().strip('"')])
        if not isinstance(locator, DirectoryLocator):
            raise Unanswered("this dump was opened with a locator of its own")
        for tree in trees:
            if not tree.is_there:
                raise Unanswered(f"{tree.folder}: no such folder")
        locator.add_sources(trees)
        session.dump.forget_sources()


def _match(found: SourceText) -> Styled:
    if found.match == "mismatch":
        return Styled("another version than was compiled", "red")
    if found.match == "unverified":
        return Styled("no checksum is recorded", "dim")
    return Styled("verified, with other line ends" if found.has_other_line_ends else "verified", "green")


def _source(path: str, found: SourceText | Absent) -> dict[str, object]:
    if isinstance(found, Absent):
        return {"file": path, "path": None, "match": None, "absent": schema.absence(found)}
    return {"file": path, "path": str(found.path), "match": found.match, "absent": None}
