"""Trees of expressions as text: `(+ a (* b c))`; types as `ptr(const char)`. For tests alone."""

from __future__ import annotations

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
    Unary,
)


def spelled(node: Node) -> str:
    match node:
        case Integer(value=value) | Float(value=value):
            return str(value)
        case Character(value=value, encoding=encoding):
            return f"'{value}'{'' if encoding == 'char' else encoding}"
        case String(units=units):
            return f'"{"".join(map(chr, units))}"'
        case Boolean(value=value):
            return str(value).lower()
        case Null():
            return "nullptr"
        case This():
            return "this"
        case Name(name=name, module=module):
            return name if module is None else f"{module}!{name}"
        case Pseudo(name=name):
            return f"@{name}"
        case _:
            return f"({operation(node)})"


def operation(node: Node) -> str:
    match node:
        case Unary(operator=operator, operand=operand):
            return f"{operator} {spelled(operand)}"
        case Binary(operator=operator, left=left, right=right):
            return f"{operator} {spelled(left)} {spelled(right)}"
        case Conditional(condition=condition, yes=yes, no=no):
            return f"? {spelled(condition)} {spelled(yes)} {spelled(no)}"
        case Member(object=object_, name=name, is_arrow=is_arrow):
            return f"{'->' if is_arrow else '.'} {spelled(object_)} {name}"
        case Index(object=object_, index=index):
            return f"[] {spelled(object_)} {spelled(index)}"
        case Call(function=function, arguments=arguments):
            return " ".join(["call", spelled(function), *map(spelled, arguments)])
        case Cast(type=type_, operand=operand, kind=kind):
            return f"{'cast' if kind == 'c' else kind} {type_spelled(type_)} {spelled(operand)}"
        case SizeOf(operand=operand):
            return f"sizeof {type_spelled(operand)}"
        case _:
            raise AssertionError(node)


def type_spelled(node: Node) -> str:
    match node:
        case NamedType(name=name, is_const=is_const, is_volatile=is_volatile):
            return f"{'const ' * is_const}{'volatile ' * is_volatile}{name}"
        case PointerType(target=target, is_const=is_const):
            return f"{'const ' * is_const}ptr({type_spelled(target)})"
        case ReferenceType(target=target, is_rvalue=is_rvalue):
            return f"{'rref' if is_rvalue else 'ref'}({type_spelled(target)})"
        case ArrayType(element=element, count=count):
            return f"array{'' if count is None else count}({type_spelled(element)})"
        case FunctionType(result=result, parameters=parameters, is_variadic=is_variadic):
            inside = [*map(type_spelled, parameters), *["..."] * is_variadic]
            return f"fn({', '.join([type_spelled(result), *inside])})"
        case _:
            return spelled(node)
