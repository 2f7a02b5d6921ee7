"""What an expression is once it is read: a tree of these nodes.

Nodes say what the text says and nothing more: whether a name is a variable, a type or nothing is found out when the
tree is evaluated. `column` is where an error about the node points, counted from 1; it does not count for equality.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Encoding: TypeAlias = Literal["char", "char8_t", "char16_t", "char32_t", "wchar_t"]
CastKind: TypeAlias = Literal["c", "static_cast", "reinterpret_cast", "const_cast", "dynamic_cast"]


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression."""

    column: int = field(compare=False)


# --- literals -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Integer(Node):
    """Its type depends on the system, too: the first of a list that holds `value` (C++17 [lex.icon])."""

    value: int
    is_decimal: bool = True
    is_unsigned: bool = False
    """Suffix `u`."""
    longs: int = 0
    """Suffix `l` (1) or `ll` (2)."""


@dataclass(frozen=True, slots=True)
class Float(Node):
    """A floating literal."""

    value: float
    type: Literal["float", "double", "long double"] = "double"


@dataclass(frozen=True, slots=True)
class Character(Node):
    """A character literal; several characters (`'ab'`) make an `int`."""

    value: int
    encoding: Encoding | Literal["int"] = "char"


@dataclass(frozen=True, slots=True)
class String(Node):
    """A string literal, without its terminating zero."""

    units: tuple[int, ...]
    """Code units; of `wchar_t`, whose size depends on the system, code points."""
    encoding: Encoding = "char"


@dataclass(frozen=True, slots=True)
class Boolean(Node):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Null(Node):
    """`nullptr`."""


# --- names ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name with its scopes and template arguments, spelled without superfluous blanks."""

    name: str
    """A leading `::` is kept."""
    module: str | None = None
    """Of `module!name`."""


@dataclass(frozen=True, slots=True)
class This(Node):
    """The object of a member function."""


@dataclass(frozen=True, slots=True)
class Pseudo(Node):
    """A register or pseudo-variable: `@rax`, `$pc`, `@$peb`, `$T1`."""

    name: str
    """Without `@` and `$`, as it was written."""


# --- operations -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`+ - ! ~ * &` before an operand."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Two operands with the operator between them; `column` is the operator's."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`condition ? yes : no`."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`object.name` and `object->name`; `column` is the name's."""

    object: Node
    name: str
    """Perhaps qualified: `Base::x`."""
    is_arrow: bool


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`object[index]`."""

    object: Node
    index: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`function(arguments)`: an intrinsic, or a cast in the manner of a call; functions of the program do not run."""

    function: Node
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Lambda(Node):
    """`x => body`, an argument: no C++, but what queries over lists are written in (the debugger's `dx`)."""

    parameter: str
    body: Node


@dataclass(frozen=True, slots=True)
class Cast(Node):
    """`(type)operand`, and the casts with a name."""

    type: TypeName
    operand: Node
    kind: CastKind = "c"


@dataclass(frozen=True, slots=True)
class SizeOf(Node):
    """`sizeof`; an operand that is but a name may turn out to be that of a type."""

    operand: Node


# --- types ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TypeName(Node):
    """A type as it is written."""


@dataclass(frozen=True, slots=True)
class NamedType(TypeName):
    """A class, an enumeration, a typedef, or a fundamental type, whose words stand as written (`long unsigned`)."""

    name: str
    is_const: bool = False
    is_volatile: bool = False
    module: str | None = None
    is_fundamental: bool = False


@dataclass(frozen=True, slots=True)
class PointerType(TypeName):
    """`target *`."""

    target: TypeName
    is_const: bool = False
    is_volatile: bool = False


@dataclass(frozen=True, slots=True)
class ReferenceType(TypeName):
    """`target &` and `target &&`."""

    target: TypeName
    is_rvalue: bool = False


@dataclass(frozen=True, slots=True)
class ArrayType(TypeName):
    """`element[count]`."""

    element: TypeName
    count: int | None = None


@dataclass(frozen=True, slots=True)
class FunctionType(TypeName):
    """`result (parameters)`."""

    result: TypeName
    parameters: tuple[TypeName, ...]
    is_variadic: bool = False


def parts(node: Node) -> tuple[Node, ...]:  # noqa: PLR0911 - a table of the kinds of node
    """The nodes directly below `node`, in the order of the text."""
    match node:
        case Unary(operand=one) | SizeOf(operand=one) | Member(object=one) | Lambda(body=one):
            return (one,)
        case Binary(left=left, right=right) | Index(object=left, index=right):
            return (left, right)
        case Cast(type=type_, operand=operand):
            return (type_, operand)
        case Conditional(condition=condition, yes=yes, no=no):
            return (condition, yes, no)
        case Call(function=function, arguments=arguments):
            return (function, *arguments)
        case PointerType(target=target) | ReferenceType(target=target) | ArrayType(element=target):
            return (target,)
        case FunctionType(result=result, parameters=parameters):
            return (result, *parameters)
        case _:
            return ()
