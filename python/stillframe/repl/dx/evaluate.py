"""What an expression of `dx` is worth: C++'s rules for values of the program; lists, lambdas and objects besides."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from stillframe import Absent, Value
from stillframe.errors import ExpressionError, StillframeError, Unreadable
from stillframe.model.expression.constants import string
from stillframe.model.expression.evaluate import Evaluator
from stillframe.model.expression.scope import class_of
from stillframe.model.expression.syntax import (
    Binary,
    Call,
    Conditional,
    Index,
    Lambda,
    Member,
    Name,
    Node,
    Pseudo,
    String,
)
from stillframe.model.value.arithmetic import COMPARISONS
from stillframe.repl.dx import linq
from stillframe.repl.dx.things import Object, Remark, Rows, Thing, described, number_of, rows_of, text_of

if TYPE_CHECKING:
    from stillframe.model.expression.scope import Scope
    from stillframe.repl.dx.things import Work

Objects: TypeAlias = Callable[[str], "Thing | None"]
"""What `@$name` is; None: nothing of the debugger's."""
LONGEST_LONG = (1 << 63) - 1
_ORDERS: dict[str, Callable[[str, str], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}


@dataclass(frozen=True, slots=True)
class Held(Node):
    """What is known already, in place of the node that it is worth."""

    thing: Thing


class ThingEvaluator(Evaluator):
    """Evaluates trees in a scope of C++, with objects of the debugger's and parameters of lambdas besides."""

    def __init__(
        self, scope: Scope, text: str, objects: Objects, work: Work, bound: Mapping[str, Thing] | None = None
    ) -> None:
        super().__init__(scope, text)
        self._objects = objects
        self._work = work
        self._bound = bound or {}

    def thing(self, node: Node) -> Thing:
        """What the tree is worth. Lists are gone through when someone looks, which may fail as this does.

        :raises ExpressionError: :raises Unreadable:
        """
        try:
            return self._thing(node)
        except (ExpressionError, Unreadable):
            raise
        except StillframeError as error:
            raise ExpressionError(self._text, node.column, error.message) from error

    def _value(self, node: Node) -> Value:
        return self._as_value(node, self._thing(node))

    def _thing(self, node: Node) -> Thing:  # noqa: PLR0911 - a table of the kinds of node
        match node:
            case Held(thing=thing):
                return thing
            case Name(name=name, module=None) if name in self._bound:
                return self._bound[name]
            case Pseudo(name=name) if (found := self._objects(name)) is not None:
                return found
            case Member():
                return self._thing_member(node)
            case Call(function=Member() as method):
                return self._method(node, method)
            case Index():
                return self._element(node)
            case Conditional():
                is_yes = self._truth(node.condition, self.value(node.condition))
                if isinstance(self.thing(node.yes if is_yes else node.no), Value):
                    return super()._value(node)  # whose type depends on the other one
                return self.thing(node.yes if is_yes else node.no)
            case Binary(operator=operator) if operator in COMPARISONS:
                return self._comparison(node)
            case _:
                return super()._value(node)

    def _named(self, node: Name) -> Value | Absent | None:
        if node.module is None and node.name in self._bound:
            return self._as_value(node, self._bound[node.name])
        return super()._named(node)

    def _as_value(self, node: Node, thing: Thing) -> Value:
        """A value of C++: what its operators and casts want."""
        match thing:
            case Value():
                return thing
            case bool():
                return self._result("bool", thing)
            case int():
                return self._result("long long" if thing <= LONGEST_LONG else "unsigned long long", thing)
            case float():
                return self._result("double", thing)
            case str():
                return string(self._scope.process, String(node.column, tuple(thing.encode("utf-8", "replace"))))
            case _:
                self._there(node, thing)
                return self._fail(node, f"{described(thing)} is no value of the program")

    # --- members, elements, methods -----------------------------------------------------------------------------------

    def _held(self, node: Node) -> Node:
        """The node, evaluated; but a name of C++ alone may be an enumerator, which its neighbour tells."""
        if isinstance(node, Name) and node.name not in self._bound:
            return node
        return Held(node.column, self._there(node, self.thing(node)))

    def _there(self, node: Node, thing: Thing) -> Thing:
        """:raises Unreadable: if it is absent."""
        if isinstance(thing, Absent):
            raise Unreadable(getattr(node, "name", "this"), thing.reason, thing.remedy)
        return thing

    def _thing_member(self, node: Member) -> Thing:
        owner = self._there(node.object, self.thing(node.object))
        match owner:
            case Object():
                return self._object_member(node, owner)
            case Rows() if node.name == "Key":
                return owner.key
            case Rows() if node.name in linq.OF_LISTS:
                return self._fail(node, f".{node.name} is a method: write .{node.name}()")
            case Value():
                return self._member(replace(node, object=Held(node.object.column, owner)))
            case _:
                return self._fail(node, f"{described(owner)} has no member {node.name}")

    def _object_member(self, node: Member, owner: Object) -> Thing:
        member = owner.members.get(node.name)
        if member is None:
            near = difflib.get_close_matches(node.name, owner.members, n=1, cutoff=0.5) or list(owner.members)
            self._fail(node, f"a {owner.kind} has no {node.name}; it has {', '.join(near)}")
        return member()

    def _element(self, node: Index) -> Thing:
        owner = self._held(node.object)
        if isinstance(owner, Held) and not isinstance(owner.thing, Value):
            return self._row(node, owner.thing)
        if isinstance(owner, Name):
            owner = Held(owner.column, self.value(owner))
        if isinstance(owner, Held) and isinstance(owner.thing, Value) and _is_object(owner.thing):
            return self._row(node, owner.thing)
        return self._index(replace(node, object=owner))

    def _row(self, node: Index, owner: Thing) -> Thing:
        rows, key = rows_of(owner), self.thing(node.index)
        if rows is None:
            self._fail(node, f"{described(owner)} has no elements")
        if rows.find is not None and (found := rows.find(key)) is not None:
            return found
        index = -1 if text_of(key) is not None else int(number_of(key))
        counted = linq.Query(rows, "[]", (), self._work).rows()
        row = next(islice(counted, index, None), None) if index >= 0 else None
        if row is None:
            self._fail(node, "no such element")
        if isinstance(row.thing, Remark):
            self._fail(node, row.thing.text)
        return row.thing

    def _method(self, node: Call, method: Member) -> Thing:
        owner, name = self.thing(method.object), method.name
        if name in linq.OF_TEXTS and (text := text_of(owner)) is not None:
            return linq.of_text(text, name, self._arguments(node))
        if name == "ToDisplayString" and not node.arguments:
            from stillframe.repl.dx.show import line

            return line(owner)
        if name not in linq.OF_LISTS:
            if isinstance(owner, Value) and class_of(owner).is_class:
                self._fail(method, f"{name} is no method of lists, and stillframe does not run code of the program")
            near = difflib.get_close_matches(name, [*linq.OF_LISTS, *linq.OF_TEXTS], n=1)
            self._fail(method, f"no method {name}" + (f"; near: {near[0]}" if near else ""))
        rows = rows_of(owner)
        if rows is None:
            self._fail(method, f"{described(owner)} is neither an array nor a container, and has no .{name}")
        return linq.OF_LISTS[name](linq.Query(rows, name, self._arguments(node), self._work))

    def _arguments(self, node: Call) -> tuple[Thing | linq.Function, ...]:
        return tuple(self._function(each) if isinstance(each, Lambda) else self.thing(each) for each in node.arguments)

    def _function(self, node: Lambda) -> linq.Function:
        def call(thing: Thing) -> Thing:
            self._work.take()
            bound = {**self._bound, node.parameter: thing}
            return ThingEvaluator(self._scope, self._text, self._objects, self._work, bound).thing(node.body)

        return call

    # --- comparison ---------------------------------------------------------------------------------------------------

    def _comparison(self, node: Binary) -> Thing:
        """Texts are compared by their characters, as nobody means where a literal is stored; all else as in C++."""
        left, right = self._held(node.left), self._held(node.right)
        if String in {type(node.left), type(node.right)} or _is_text(left) or _is_text(right):
            texts = [text_of(self.thing(each)) for each in (left, right)]
            if texts[0] is not None and texts[1] is not None:
                return _ORDERS[node.operator](texts[0], texts[1])
        return self._binary(replace(node, left=left, right=right))


def _is_text(node: Node) -> bool:
    return isinstance(node, Held) and isinstance(node.thing, str)


def _is_object(value: Value) -> bool:
    """Of a class, perhaps behind a reference."""
    type_ = value.type.resolved.target if value.type.is_reference else value.type
    return type_ is not None and type_.is_class
