"""What an expression is worth in a scope. Nothing is written, nothing of the program runs.

Arithmetic is that of `stillframe.model.value.arithmetic`. A mistake of the text is an `ExpressionError` at its column;
what is only missing in the dump stays `Unreadable`, with the address if it is memory.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

from stillframe.errors import ExpressionError, NoSuchType, OperationError, StillframeError, Unreadable
from stillframe.model.absent import Absent
from stillframe.model.expression.constants import character, integer, null, string
from stillframe.model.expression.scope import class_of, member_of
from stillframe.model.expression.syntax import (
    ArrayType,
    Binary,
    Boolean,
    Call,
    Cast,
    Character,
    Conditional,
    Float,
    FunctionType,
    Index,
    Integer,
    Lambda,
    Member,
    Name,
    NamedType,
    Node,
    Null,
    PointerType,
    Pseudo,
    ReferenceType,
    SizeOf,
    String,
    This,
    TypeName,
    Unary,
)
from stillframe.model.typing.type import BuiltType
from stillframe.model.value.arithmetic import COMPARISONS, binary, unary
from stillframe.model.value.value import Value

if TYPE_CHECKING:
    from stillframe.model.expression.kept import Kept
    from stillframe.model.expression.scope import Scope
    from stillframe.model.typing.type import Type

POINTERS = frozenset({"pointer", "array"})
_OF_ENUMS = COMPARISONS | {"&", "|", "^"}


class Evaluator:
    """Evaluates trees of one text in one scope. `text` is what errors show.

    An heir that knows more kinds of node, or worth that is no value of C++, overrides `_value`.
    """

    def __init__(self, scope: Scope, text: str, kept: Kept | None = None) -> None:
        self._scope = scope
        self._text = text
        self._kept = kept

    def value(self, node: Node) -> Value:
        """What the tree is worth.

        :raises ExpressionError: if it is worth nothing, by C++'s rules or because a name means nothing here.
        :raises Unreadable: if something that has to be read is not there.
        """
        try:
            return self._value(node) if self._kept is None else self._kept.value(node, self._value)
        except (ExpressionError, Unreadable):
            raise
        except StillframeError as error:
            raise ExpressionError(self._text, node.column, error.message) from error

    def _value(self, node: Node) -> Value:  # noqa: PLR0911, PLR0912 - a table of the kinds of node
        match node:
            case Name():
                return self._known(node, self._named(node))
            case Member():
                return self._member(node)
            case Binary():
                return self._binary(node)
            case Integer():
                return integer(self._scope.process, node)
            case Unary():
                return self._unary(node)
            case Index():
                return self._index(node)
            case Cast():
                return self._cast(node)
            case Conditional():
                return self._conditional(node)
            case Call():
                return self._call(node)
            case SizeOf():
                return self._size_of(node)
            case This():
                return self._this(node)
            case Pseudo():
                return self._known(node, self._pseudo(node))
            case Character():
                return character(self._scope.process, node)
            case String():
                return string(self._scope.process, node)
            case Float():
                return self._result(node.type, node.value)
            case Boolean():
                return self._result("bool", node.value)
            case Null():
                return null(self._scope.process)
            case Lambda():
                return self._fail(node, "'=>' is for the methods of lists, in the debugger's dx")
            case _:
                return self._fail(node, "a type is no value")

    def _fail(self, node: Node, reason: str) -> NoReturn:
        raise ExpressionError(self._text, node.column, reason)

    def _result(self, type_name: str, number: float) -> Value:
        types = self._scope.process.types
        return Value.of_number(self._scope.process, types.builtin(type_name) or types.damaged, number)

    # --- names --------------------------------------------------------------------------------------------------------

    def _known(self, node: Name | Pseudo, found: Value | Absent | None) -> Value:
        if isinstance(found, Absent):
            raise Unreadable(node.name, found.reason, found.remedy)
        if found is not None:
            return found
        if isinstance(node, Pseudo):
            self._fail(node, f"{node.name} is no register or pseudo-variable {self._scope.words}")
        if self._scope.type(node.name, node.module) is not None:
            self._fail(node, f"{node.name} is a type, not a value")
        names = self._scope.names
        near = get_close_matches(node.name, names, n=1) if names else []
        return self._fail(
            node,
            f"{node.name} means nothing {self._scope.words}: no variable, member, enumerator or function of this name"
            + (f"; near: {near[0]}" if near else ""),
        )

    def _named(self, node: Name) -> Value | Absent | None:
        return self._scope.value(node.name, node.module)

    def _pseudo(self, node: Pseudo) -> Value | Absent | None:
        return self._scope.pseudo(node.name)

    def _this(self, node: Node) -> Value:
        found = self._scope.this
        if isinstance(found, Absent):
            raise Unreadable("this", found.reason, found.remedy)
        if found is None:
            self._fail(node, "no 'this': this is no member function, or the compiler kept none")
        return found.address_of() if found.type.is_class else found

    # --- members and elements -----------------------------------------------------------------------------------------

    def _member(self, node: Member) -> Value:
        object_ = self.value(node.object)
        if node.is_arrow and object_.type.resolved.kind == "array":
            object_ = object_.element_(0)
        elif node.is_arrow and class_of(object_) is _without_reference(object_.type):
            pointer = self._scope.process.visualizers.pointer_of(object_)
            if pointer is not None:
                return member_of(pointer, self._scope.substituted(node.name))
            self._fail(
                node,
                f"{_without_reference(object_.type).name} is no pointer: use '.'; operators of the program do not run",
            )
        return member_of(object_, self._scope.substituted(node.name))

    def _index(self, node: Index) -> Value:
        array, index = self.value(node.object), self.value(node.index)
        if _without_reference(array.type).kind not in POINTERS:
            array, index = index, array  # `2[a]` is `a[2]`
        kind = _without_reference(array.type).kind
        if kind not in POINTERS:
            if not _without_reference(index.type).is_class:
                self._fail(node, f"{index.type.name} has no elements")
            array, index = index, array
        return array.element_(index.__index__())

    # --- operators ----------------------------------------------------------------------------------------------------

    def _unary(self, node: Unary) -> Value:
        if node.operator == "&" and isinstance(node.operand, Unary) and node.operand.operator == "*":
            return self._decayed(self.value(node.operand.operand))  # `&*p` is `p`, even where it points to nothing
        operand = self.value(node.operand)
        match node.operator:
            case "!":
                return self._result("bool", not self._truth(node, operand))
            case "*":
                return self._pointed_to(operand)
            case "&":
                return operand.address_of()
            case "+" if _without_reference(operand.type).kind in POINTERS:
                return self._decayed(operand)
            case _:
                return unary(node.operator, operand)

    def _pointed_to(self, operand: Value) -> Value:
        if _without_reference(operand.type).kind == "function":
            return operand
        pointer = self._scope.process.visualizers.pointer_of(operand) if operand.type.is_class else None
        return (operand if pointer is None else pointer).dereference()

    def _decayed(self, value: Value) -> Value:
        """Of an array a pointer to its first element; other values themselves ([conv.array])."""
        if _without_reference(value.type).kind == "array":
            return value.element_(0).address_of()
        return value

    def _truth(self, node: Node, value: Value) -> bool:
        kind = _without_reference(value.type).kind
        if kind == "function":
            return True
        try:
            return bool(value.number_())
        except OperationError as error:
            raise ExpressionError(self._text, node.column, f"{error}, so it is neither true nor false") from error

    def _binary(self, node: Binary) -> Value:
        if node.operator in {"&&", "||"}:
            is_or = node.operator == "||"
            if self._truth(node.left, self.value(node.left)) == is_or:
                return self._result("bool", is_or)
            return self._result("bool", self._truth(node.right, self.value(node.right)))
        left, right = self._operands(node)
        return binary(node.operator, left, right)

    def _operands(self, node: Binary) -> tuple[Value, Value]:
        """Both operands. Beside an enumeration, a name that means nothing here may be one of its enumerators, as it
        would be in the source that declared both.
        """
        left, right = self._value_or_none(node.left), self._value_or_none(node.right)
        if left is None and right is not None and isinstance(node.left, Name):
            left = self._enumerator_beside(right, node.left, node.operator)
        elif right is None and left is not None and isinstance(node.right, Name):
            right = self._enumerator_beside(left, node.right, node.operator)
        return self.value(node.left) if left is None else left, self.value(node.right) if right is None else right

    def _value_or_none(self, node: Node) -> Value | None:
        """None of a name that means nothing here."""
        if not isinstance(node, Name):
            return self.value(node)
        try:
            found = self._named(node)
        except StillframeError:
            return None  # said when it is asked for
        return None if found is None else self._known(node, found)

    def _enumerator_beside(self, value: Value, name: Name, operator: str) -> Value | None:
        type_ = _without_reference(value.type)
        if type_.kind != "enum" or operator not in _OF_ENUMS:
            return None
        return self._scope.enumerator_of(type_, name.name)

    def _conditional(self, node: Conditional) -> Value:
        is_yes = self._truth(node.condition, self.value(node.condition))
        taken, other = (node.yes, node.no) if is_yes else (node.no, node.yes)
        value = self._decayed(self.value(taken))
        if _without_reference(value.type).kind != "base":
            return value
        # The result has the type that both branches have in common ([expr.cond]). The other one may follow the very
        # pointer that the condition guards: if it is worth nothing, its type does not count.
        try:
            second = _without_reference(self._decayed(self.value(other)).type)
        except StillframeError:
            return value
        if second.kind == "pointer" and isinstance(taken, Integer) and taken.value == 0:
            return value.result_(second, 0)
        if second.kind != "base" or second.name == _without_reference(value.type).name:
            return value
        return binary("+", value, value.result_(second, 0))

    # --- calls, casts, sizes ------------------------------------------------------------------------------------------

    def _call(self, node: Call) -> Value:
        if isinstance(node.function, Name):
            name = node.function
            result = self._scope.call(name.name, tuple(self.value(argument) for argument in node.arguments))
            if result is not None:
                return result
            type_ = self._scope.type(name.name, name.module)
            if type_ is not None and len(node.arguments) == 1:
                return self.value(node.arguments[0]).cast(type_)
            if type_ is not None:
                self._fail(name, f"no object of {name.name} is made; a cast has one argument")
            self._fail(name, f"stillframe does not run code of the program: {name.name} is not called")
        return self._fail(node, "stillframe does not run code of the program: nothing is called")

    def _cast(self, node: Cast) -> Value:
        type_, value = self.type(node.type), self.value(node.operand)
        if node.kind == "reinterpret_cast" and type_.resolved.kind in {"pointer", "base", "enum"}:
            return value.result_(type_, value.number_())
        if node.kind == "dynamic_cast":
            return self._dynamic_cast(node, type_, value)
        if type_.resolved.kind == "void":
            self._fail(node, "nothing is left of what is cast to void")
        return value.cast(type_)

    def _dynamic_cast(self, node: Cast, type_: Type, value: Value) -> Value:
        from stillframe.model.value.bases import path_to_base

        target = type_.resolved.target
        if type_.resolved.kind != "pointer" or not value.type.is_pointer:
            self._fail(node, "dynamic_cast is for pointers here")
        whole = value.dynamic
        if target is None or target.resolved.kind == "void":
            return whole.cast(type_)
        found = path_to_base(class_of(whole), target.resolved)
        return whole.cast(type_) if found is not None else value.result_(type_, 0)

    def _size_of(self, node: SizeOf) -> Value:
        type_ = self.type(node.operand) if isinstance(node.operand, TypeName) else self._array_type(node.operand)
        if type_ is None:
            type_ = self._type_or_none(node.operand)
        if type_ is None:
            type_ = self.value(node.operand).type
        size = _without_reference(type_).size_bytes
        if _without_reference(type_).kind in {"void", "function"}:
            self._fail(node.operand, f"{type_.name} has no size")
        if isinstance(size, Absent):
            self._fail(node.operand, f"{type_.name}: {size.reason}")
        return self._result("size_t", size)

    def _array_type(self, node: Node) -> Type | None:
        """`Point[3]` reads as an element of something; it is an array if `Point` is a type alone."""
        if not isinstance(node, Index) or not isinstance(node.object, Name) or not isinstance(node.index, Integer):
            return None
        name = node.object
        type_ = None if self._named(name) is not None else self._scope.type(name.name, name.module)
        return None if type_ is None else type_.array(node.index.value)

    def _type_or_none(self, node: Node) -> Type | None:
        """The type that a name stands for, or the type of what can be said without reading: sizes need no memory."""
        match node:
            case Name(name=name, module=module):
                found = self._named(node)
                return found.type if isinstance(found, Value) else self._scope.type(name, module)
            case Pseudo(name=name):
                found = self._pseudo(node)
                return found.type if isinstance(found, Value) else self._scope.type(f"${name}")
            case Index(object=inner) | Unary(operator="*", operand=inner):
                type_ = self._type_or_none(inner)
                type_ = None if type_ is None else _without_reference(type_)
                if type_ is None or type_.kind not in POINTERS:
                    return None
                return type_.item if type_.kind == "array" else type_.target
            case Member(object=inner, name=name):
                type_ = self._type_or_none(inner)
                path = () if type_ is None else _behind_pointer(type_).path_to(name)
                return path[-1].type if path else None
            case _:
                return None

    # --- types --------------------------------------------------------------------------------------------------------

    def type(self, node: TypeName) -> Type:
        """The type that is written. :raises ExpressionError: if there is none of that name."""
        match node:
            case NamedType():
                return self._named_type(node)
            case PointerType(target=target, is_const=is_const, is_volatile=is_volatile):
                return self.type(target).pointer().qualified(is_const=is_const, is_volatile=is_volatile)
            case ReferenceType(target=target, is_rvalue=is_rvalue):
                return self.type(target).reference(is_rvalue=is_rvalue)
            case ArrayType(element=element, count=count):
                return self.type(element).array(count)
            case FunctionType(result=result, parameters=parameters, is_variadic=is_variadic):
                types = self._scope.process.types
                built = tuple(self.type(parameter) for parameter in parameters)
                return BuiltType(types, "function", target=self.type(result), parameters=built, is_variadic=is_variadic)
            case _:
                raise NoSuchType(type(node).__name__)

    def _named_type(self, node: NamedType) -> Type:
        types = self._scope.process.types
        found = types.builtin(node.name) if node.is_fundamental else self._scope.type(node.name, node.module)
        if found is None:
            self._fail(node, f"{node.name}: no type of this name in the debug information at hand")
        return found.qualified(is_const=node.is_const, is_volatile=node.is_volatile)


def _without_reference(type_: Type) -> Type:
    """What C++ says the type of an expression is: never a reference ([expr.type])."""
    resolved = type_.resolved
    if resolved.kind in {"reference", "rvalue_reference"} and resolved.target is not None:
        return resolved.target.resolved
    return resolved


def _behind_pointer(type_: Type) -> Type:
    plain = _without_reference(type_)
    return plain.target.resolved if plain.kind == "pointer" and plain.target is not None else plain
