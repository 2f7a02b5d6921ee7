"""The debugger's own objects: `@$cursession`, `@$curprocess`, `@$curthread`, `@$curstack`, `@$curframe`.

Source of names: Microsoft, "Native Debugger Objects in NatVis" and "dx (Display Debugger Object Model Expression)".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from stillframe import Absent
from stillframe.analysis.linux import process_id
from stillframe.analysis.process import process_of
from stillframe.cli.stacktext import frame_name, location_text
from stillframe.errors import OperationError
from stillframe.repl.dx.things import Number, Object, Row, Rows, Thing, number_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stillframe import Dump, Frame, Module, Thread
    from stillframe.model.variables import Variable
    from stillframe.repl.session import Session


CURRENT = ("cursession", "curprocess", "curthread", "curstack", "curframe")
"""What there is, behind `@$`."""


def current(session: Session, name: str) -> Thing | None:
    """What `@$name` stands for. :raises Unanswered: if there is no thread or frame."""
    match name.lower():
        case "cursession":
            return of_session(session.dump)
        case "curprocess":
            return of_process(session.dump)
        case "curthread":
            return of_thread(session.thread)
        case "curstack":
            return of_stack(session.thread)
        case "curframe":
            return of_frame(session.frame)
        case _:
            return None


def of_session(dump: Dump) -> Object:
    """The dump."""
    id_ = Number(process_id(dump) or 0)
    members: dict[str, Callable[[], Thing]] = {
        "Processes": lambda: Rows(
            lambda: iter([Row(f"[{id_:#x}]", of_process(dump))]), lambda key: _process(dump, key)
        ),
        "Path": lambda: str(dump.path),
    }
    return Object("session", str(dump.path), members)


def _process(dump: Dump, key: Thing) -> Thing | None:
    return of_process(dump) if _number(key) == process_id(dump) else None


def of_process(dump: Dump) -> Object:
    """The process."""
    name = dump.modules[0].name if dump.modules else ""
    members: dict[str, Callable[[], Thing]] = {
        "Name": lambda: name,
        "Id": lambda: Number(process_id(dump) or 0),
        "Threads": lambda: threads(dump),
        "Modules": lambda: modules(dump),
        "CommandLine": lambda: process_of(dump).command_line,
        "Directory": lambda: process_of(dump).directory,
    }
    return Object("process", name, members)


# --- threads and frames -----------------------------------------------------------------------------------------------


def threads(dump: Dump) -> Rows:
    """All threads. `[key]` is the system's id, or else the place in the list."""

    def find(key: Thing) -> Thing | None:
        wanted = _number(key)
        return next((of_thread(each) for each in dump.threads if each.id == wanted), None)

    return Rows(lambda: (Row(f"[{each.id:#x}]", of_thread(each)) for each in dump.threads), find)


def of_thread(thread: Thread) -> Object:
    """A thread."""
    members: dict[str, Callable[[], Thing]] = {
        "Id": lambda: Number(thread.id),
        "Index": lambda: thread.index,
        "Name": lambda: thread.name or "",
        "IsCrashed": lambda: thread.is_crashed,
        "Stack": lambda: of_stack(thread),
        "Teb": lambda: Number(thread.record.teb),
        "Registers": lambda: _registers(thread),
    }
    top = frame_name(thread.frames[0]) if thread.frames else str(thread.stop)
    return Object("thread", f"{thread.index}  {thread.name or ''}{'  ' if thread.name else ''}{top}", members)


def _registers(thread: Thread) -> Thing:
    registers = thread.registers
    if isinstance(registers, Absent):
        return registers
    known: dict[str, Callable[[], Thing]] = {}
    for name, value in registers.known().items():
        known[name] = partial(Number, value)
    return Object("set of registers", "", known)


def of_stack(thread: Thread) -> Object:
    """A stack, which has frames."""
    frames = Rows(lambda: (Row(f"[{each.index}]", of_frame(each)) for each in thread.frames))
    return Object("stack", f"{len(thread.frames)} frames", {"Frames": lambda: frames})


def of_frame(frame: Frame) -> Object:
    """A frame."""
    location = frame.location
    members: dict[str, Callable[[], Thing]] = {
        "Index": lambda: frame.index,
        "Name": lambda: frame.name,
        "Module": lambda: "" if frame.module is None else of_module(frame.module),
        "File": lambda: location if isinstance(location, Absent) else location.path,
        "Line": lambda: location if isinstance(location, Absent) else location.line,
        "IsInlined": lambda: frame.is_inlined,
        "LocalVariables": lambda: _variables([each for each in frame.variables if not each.is_parameter]),
        "Parameters": lambda: _variables([each for each in frame.variables if each.is_parameter]),
        "Attributes": lambda: _attributes(frame),
    }
    where = location_text(frame)
    return Object("frame", frame_name(frame) + (f"  {where}" if where else ""), members)


def _attributes(frame: Frame) -> Object:
    known = {
        "FrameNumber": frame.index,
        "InstructionOffset": frame.instruction,
        "StackOffset": frame.registers.stack_pointer,
        "FrameOffset": frame.registers.frame_pointer,
    }
    return Object(
        "set of attributes",
        "",
        {name: partial(Number, value) for name, value in known.items() if value is not None},
    )


def _variables(variables: Sequence[Variable]) -> Object:
    """Of several with one name the innermost."""
    by_name: dict[str, Callable[[], Thing]] = {}
    for variable in variables:
        by_name.setdefault(variable.name, partial(_value_of, variable))
    return Object("set of variables", "", by_name)


def _value_of(variable: Variable) -> Thing:
    return variable.value


# --- modules ----------------------------------------------------------------------------------------------------------


def modules(dump: Dump) -> Rows:
    """All modules. `[key]` is a name or the place in the list."""

    def find(key: Thing) -> Thing | None:
        name = text_of(key)
        return None if name is None else of_module(dump.modules[name])

    return Rows(lambda: (Row(f"[{each.index}]", of_module(each)) for each in dump.modules), find)


def of_module(module: Module) -> Object:
    """A module."""
    members: dict[str, Callable[[], Thing]] = {
        "Name": lambda: module.name,
        "Path": lambda: module.path,
        "BaseAddress": lambda: Number(module.base),
        "Size": lambda: Number(module.size_bytes),
        "Version": lambda: module.version or "",
        "CodeId": lambda: module.code_id or "",
        "DebugId": lambda: module.debug_id or "",
        "Image": lambda: str(module.find_image()),
        "Symbols": lambda: str(module.find_debug_info()),
    }
    return Object("module", module.name, members)


def _number(thing: Thing) -> int | None:
    try:
        return int(number_of(thing))
    except OperationError:
        return None
