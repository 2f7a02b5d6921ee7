"""The verb `dx`."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from stillframe import Absent, Value
from stillframe.cli.verb import Unanswered
from stillframe.errors import ExpressionError
from stillframe.model.expression.formatting import array_of
from stillframe.model.expression.reading import Text
from stillframe.repl.dx import objects
from stillframe.repl.dx.evaluate import ThingEvaluator
from stillframe.repl.dx.show import Presentation
from stillframe.repl.dx.things import Work
from stillframe.repl.verb import Output, Verb

if TYPE_CHECKING:
    from stillframe.model.expression.scope import Scope
    from stillframe.repl.dx.things import Thing
    from stillframe.repl.session import Session

DEEPEST = 16
_DEPTH = re.compile(r"-r\s*(\d{1,3})(?:\s+|$)")


def worth(session: Session, text: str) -> Thing:
    """What an expression is worth. :raises ExpressionError: :raises StillframeError:"""
    return _evaluator(session, session.scope, text).thing(Text(text).reading(session.scope.is_type).tree)


def _evaluator(session: Session, scope: Scope, text: str) -> ThingEvaluator:
    return ThingEvaluator(scope, text, partial(objects.current, session), Work())


class DisplayObject(Verb):
    """Shows an expression opened; asks lists: `dx items.Where(x => x.m_id > 3).OrderBy(x => x.m_name)`.

    Expressions are C++ with format specifiers (`,x`). Lists are arrays, containers that a visualizer knows, and the
    debugger's own: `@$curprocess.Threads`, `@$curprocess.Modules`, `@$curthread.Stack.Frames`, `@$curstack.Frames`,
    `@$cursession.Processes`; `@$curframe` has `LocalVariables` and `Parameters`. They answer .Select .Where .OrderBy
    .OrderByDescending .GroupBy .First .Last .Count .Take .Skip .Any .All .Contains .Sum .Min .Max .Distinct .Flatten
    .ToArray; texts answer .Contains .StartsWith .EndsWith .ToLower .ToUpper .Length. `-r2` opens two levels. The first
    100 elements are shown, or as many as `,50` says.
    """

    names = ("dx",)
    usage = "[-rDEPTH] EXPRESSION"

    def run(self, session: Session, name: str, arguments: str) -> Output:  # noqa: ARG002
        """Answers."""
        depth, text = 1, arguments
        if (option := _DEPTH.match(arguments)) is not None:
            depth, text = min(int(option[1]), DEEPEST), arguments[option.end() :]
        if not text.strip():
            raise Unanswered("say which expression")
        scope = session.scope
        reading = Text(text).reading(scope.is_type)
        evaluator = _evaluator(session, scope, text)
        thing, count = evaluator.thing(reading.tree), None
        if reading.format.elements is not None:
            count = evaluator.value(reading.format.elements).__index__()
            if count < 0:
                raise ExpressionError(text, reading.format.elements.column, "a list has no negative number of elements")
            if isinstance(thing, Value) and thing.type.is_pointer:
                thing, count = array_of(thing, count), None
        if isinstance(thing, Absent):
            raise Unanswered(f"{text}: {thing}")
        shown = Presentation(session.dump, reading.format, count)
        output = Output(data=lambda: {"expression": text, **shown.data(thing, depth)})
        shown.add(output.page, thing, depth)
        return output
