"""An object as the expressions of a rule see it: its members, `$T1`, `$i`, variables, intrinsics."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING

from stillframe.errors import ExpressionError, OperationError, StillframeError, TooManyElements, Unreadable
from stillframe.model.expression.expression import Expression
from stillframe.model.expression.names import spellings
from stillframe.model.expression.scope import ObjectScope
from stillframe.model.typing import rust_names
from stillframe.model.typing.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stillframe.model.absent import Absent
    from stillframe.model.expression.kept import Kept
    from stillframe.model.expression.scope import Scope
    from stillframe.model.module import Module
    from stillframe.model.natvis.match import Arguments
    from stillframe.model.natvis.rules import Choices, Guard, Intrinsic, Rule
    from stillframe.model.typing.type import Type
    from stillframe.model.typing.types import Types
    from stillframe.model.value.value import Value

MOST_CALLS = 24
"""Of intrinsics inside of each other."""
_ARGUMENT = re.compile(r"\$T(\d{1,3})")
_NUMBER = re.compile(r"(?<=[<,])\s*\d+(?=\s*[>,])")
_WEST_CONST = re.compile(r"(?<=[<,])const ([\w:]+)(?=[>,*& ])")
_EAST_CONST = re.compile(r"(?<=[<,])([\w:]+) const(?=[>,*& ])")
_CONSTS = (
    lambda name: name,
    lambda name: _WEST_CONST.sub(r"\1 const", name),
    lambda name: _EAST_CONST.sub(r"const \1", name),
)


class TooMuchWork(StillframeError):  # noqa: N818
    """A visualizer that does not come to an end."""


class Work:
    """What one line, or one list of children, may still evaluate. Whatever a natvis file says, it ends."""

    def __init__(self, expressions: int) -> None:
        self._left = expressions
        self.above: list[object] = []
        """What is being shown, outermost first."""

    def take(self) -> None:
        """One more. :raises TooMuchWork: if that is too much."""
        self._left -= 1
        if self._left < 0:
            raise TooMuchWork("this visualizer evaluates too many expressions; the rest is not shown")


class RuleScope(ObjectScope):
    """Where names of a rule's expressions are looked up."""

    def __init__(self, subject: Subject, object_: Value, outer: Scope, names: Mapping[str, Value]) -> None:
        super().__init__(object_, outer, names)
        self._subject = subject

    def pseudo(self, name: str) -> Value | Absent | None:
        """`$i` and the like; `$T1` where it is a number."""
        found = self._names.get(f"${name}")
        if found is not None:
            return found
        text = self.substituted(f"${name}")
        if text.startswith("$"):
            return self._outer.pseudo(name)
        return None if self.type(text) is not None else Expression(text).value(self._outer)

    def substituted(self, name: str) -> str:
        """See `Scope.substituted`."""
        if "$" not in name:
            return name
        arguments = self._subject.arguments
        return _ARGUMENT.sub(
            lambda match: arguments[int(match[1]) - 1] if 1 <= int(match[1]) <= len(arguments) else match[0], name
        )

    def type(self, name: str, module: str | None = None) -> Type | None:
        """See `Scope.type`. What a wildcard stands for may be `const char *`; what is made of it may be spelled in
        another way than in the debug information.
        """
        name = self.substituted(name)
        if "$T" in name:
            return None  # more arguments than there are
        if name[:1] in {"&", "*", "["}:  # of Rust
            return rust_names.parse(name, super().type)
        if name[-1:] in {"*", "&", "]"} or name.startswith("const ") or name.endswith(" const"):
            return parse(name, lambda inner: self.type(inner, module))
        key = self._key(name, module)
        if key not in self._known.types and "<" in name and self.near is not None and module is None:
            found = _spelled_somehow(self.process.types, self.near, name)
            if found is not None:
                self._known.types[key] = found
        return super().type(name, module)

    def _global(self, name: str, modules: list[Module] | None) -> Value | Absent | None:
        """Of the type's own module alone. Most names that are no member were meant for another library's class: that is
        no reason to look for the debug information of every module.
        """
        nearest = [] if self.near is None else [self.near]
        return super()._global(name, modules or nearest) if modules or nearest else None

    def _symbol(self, name: str, modules: list[Module] | None) -> Value | None:  # noqa: ARG002 - debug information counts
        return None

    def call(self, name: str, arguments: Sequence[Value]) -> Value | None:
        """See `Scope.call`."""
        return self._subject.call(name, arguments)


def _spelled_somehow(types: Types, near: Module, name: str) -> Type | None:
    """A class template's instance of this module, whatever its compiler writes for `3` (`3ul`) and `const int`."""
    debug = types.debug_file(near)
    if debug is None:
        return None
    for number, const in product(("", "UL", "ul", "u"), _CONSTS):
        varied = _NUMBER.sub(rf"\g<0>{number}", name) if number else name
        varied = const(varied)
        for spelled in spellings(varied) if varied != name or not number else ():
            for id_ in debug.types_named(spelled):
                found = types.of(near, id_)
                if found is not None and not found.is_declaration:
                    return found
    return None


class Subject:
    """An object, a rule for it, a view: what expressions of the rule are evaluated with."""

    def __init__(  # noqa: PLR0917 - made in two places
        self,
        value: Value,
        rule: Rule,
        arguments: Arguments,
        outer: Scope,
        work: Work,
        view: str | None = None,
        names: Mapping[str, Value] | None = None,
        whole: Subject | None = None,
        kept: Kept | None = None,
    ) -> None:
        """:param names: `$i`, variables, parameters. :param whole: what the object is a node of. :param kept: what else
        is the same as in the last evaluation.
        """
        self.object = value
        self.rule = rule
        self.arguments = arguments
        """What `$T1`… stand for."""
        self.work = work
        self.view = view
        self._outer = outer
        self._names = names or {}
        self._whole = whole or self
        """Intrinsics are functions of that."""
        self._kept = kept
        self._calls = 0
        self.scope = RuleScope(self, value, outer, self._names)

    def on(
        self, node: Value | None = None, names: Mapping[str, Value] | None = None, kept: Kept | None = None
    ) -> Subject:
        """The same rule with another object, or with more names."""
        object_ = self.object if node is None else node
        more = self._names if names is None else {**self._names, **names}
        made = Subject(object_, self.rule, self.arguments, self._outer, self.work, self.view, more, self._whole, kept)
        made._calls = self._calls
        return made

    def value(self, expression: Expression) -> Value:
        """:raises ExpressionError: :raises Unreadable: :raises TooMuchWork:"""
        self.work.take()
        try:
            return expression.value(self.scope, self._kept)
        except RecursionError as error:  # intrinsics that call each other, each in an expression that is nested deeply
            raise TooMuchWork("the expressions of this visualizer are nested too deeply") from error

    def number(self, expression: Expression) -> int:
        """An integer. :raises ExpressionError: :raises Unreadable: :raises TooMuchWork:"""
        try:
            return int(self.value(expression).number_())
        except OperationError as error:
            raise ExpressionError(expression.text, 1, error.message) from error

    def holds(self, guard: Guard) -> bool:
        """Whether an element counts. :raises ExpressionError: :raises Unreadable: :raises TooMuchWork:"""
        if not guard.is_in_view(self.view) or not self._is_of(guard.module_name):
            return False
        if guard.condition is None:
            return True
        try:
            return self.number(guard.condition) != 0
        except ExpressionError as error:
            if guard.is_optional and is_of_no_use(error):
                return False
            raise

    def _is_of(self, module_name: str) -> bool:
        """Whether the object's type is recorded by a module of this name, given with or without its extension."""
        if not module_name:
            return True
        module = self.object.type.resolved.module
        own = "" if module is None else module.name.lower()
        return module_name.lower() in {own, own.rpartition(".")[0]}

    def chosen(self, choices: Choices) -> Value | None:
        """The value of the first that counts; None if none does. :raises ExpressionError: :raises Unreadable:"""
        for choice in choices:
            if not self.holds(choice.guard):
                continue
            try:
                return self.value(choice.expression)
            except ExpressionError as error:
                if not (choice.guard.is_optional and is_of_no_use(error)):
                    raise
        return None

    def call(self, name: str, arguments: Sequence[Value]) -> Value | None:
        """The result of an intrinsic of this name; None if there is none.

        :raises ExpressionError: :raises Unreadable: :raises TooMuchWork:
        """
        wanted = [each for each in self.rule.intrinsics if each.name == name and len(each.parameters) == len(arguments)]
        if self._calls >= MOST_CALLS:
            raise TooMuchWork(f"intrinsics call each other more than {MOST_CALLS} times")
        for each in wanted:
            try:
                return self._called(each, arguments)
            except ExpressionError as error:
                if not (each.guard.is_optional and is_of_no_use(error)) or each is wanted[-1]:
                    raise
        return None

    def _called(self, intrinsic: Intrinsic, arguments: Sequence[Value]) -> Value:
        names = {}
        for (name, type_name), argument in zip(intrinsic.parameters, arguments, strict=True):
            type_ = parse(type_name, self.scope.type)
            names[name] = argument if type_ is None else argument.cast(type_)
        inner = self._whole.on(names=names)
        inner._calls = self._calls + 1
        return inner.value(intrinsic.expression)


def is_of_no_use(error: StillframeError) -> bool:
    """Whether an error says that the rule was not written for this type: names that mean nothing in it.

    Else it is about this very object, such as a container whose size makes no sense.
    """
    return isinstance(error, ExpressionError) and not isinstance(
        error.__cause__, Unreadable | TooManyElements | TooMuchWork
    )
