"""Where a debugging session stands: the dump, a thread and a frame of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stillframe.cli import select
from stillframe.cli.verb import Unanswered
from stillframe.errors import ExpressionError, StillframeError
from stillframe.model.absent import Reason
from stillframe.model.expression.expression import Expression
from stillframe.model.memory import ADDRESS_END
from stillframe.repl.scope import DebuggerScope

if TYPE_CHECKING:
    from stillframe import Dump, Frame, Thread
    from stillframe.model.expression.scope import Scope
    from stillframe.model.location import SourceLocation
    from stillframe.model.typing.type import Type
    from stillframe.model.value.value import Value

_BARE_HEX = re.compile(r"[0-9a-fA-F]{4,16}|[0-9a-fA-F]{1,8}`[0-9a-fA-F]{8}|(?=\d+[a-fA-F])[0-9a-fA-F]{2,3}")
"""An address as other debuggers print it; `add` and `fee` are names sooner than numbers, and `100` is decimal."""


_LANGUAGE = re.compile(r"@@(?:c\+\+|masm)?\(")
"""`@@c++(` and `@@masm(`: here all is C++, with the words of MASM besides."""
_OFFSET = re.compile(r"(?<=[+-])(\s*)(\d[0-9a-fA-F]*)\b")
"""`main+50`, `poi(rsp-8)`: as other debuggers read them, and as offsets are shown."""
_FIRST_WORD = re.compile(r"[A-Za-z]\w*")


class Session:
    """A dump, and what verbs refer to without saying it. Begins at the crash."""

    def __init__(self, dump: Dump) -> None:
        self.dump = dump
        self._thread = dump.crashed_thread or next(iter(dump.threads), None)
        self._frame_number = 0
        self.next_address: int | None = self.frame.instruction if self._thread and self._thread.frames else None
        """Where a listing of memory or code without an address goes on."""
        self.next_source: tuple[SourceLocation, int] | None = None
        """Where a listing of source goes on: the line that is marked, and the next that is shown."""
        self.is_over = False

    @property
    def thread(self) -> Thread:
        """The current thread. :raises Unanswered: if the dump lists none."""
        if self._thread is None:
            raise Unanswered("the dump lists no threads")
        return self._thread

    @property
    def frame(self) -> Frame:
        """The current frame. :raises Unanswered: if the thread has none."""
        return select.frame(self.thread, self._frame_number)

    def choose_thread(self, thread: Thread) -> None:
        """Makes `thread` the current one, at its innermost frame."""
        self._thread, self._frame_number, self.next_source = thread, 0, None

    def choose_frame(self, number: int) -> None:
        """Makes a frame of the current thread the current one. :raises Unanswered:"""
        select.frame(self.thread, number)
        self._frame_number, self.next_source = number, None

    @property
    def scope(self) -> Scope:
        """What names mean now: those of the current frame, or global ones where there is none."""
        if self._thread is None or not self._thread.frames:
            return self.dump.scope
        return DebuggerScope(self.thread, self.frame)

    def evaluate(self, text: str) -> Value:
        """The value of an expression. :raises ExpressionError: :raises StillframeError:"""
        return Expression(_LANGUAGE.sub("(", text)).value(self.scope)

    def object_at(self, type_: Type, address: int) -> Value:
        """The object of this type in memory."""
        from stillframe.model.value.value import Value

        return Value.at_address(self.scope.process, type_, address)

    def address(self, text: str) -> int:
        """An address: hexadecimal digits with or without `0x`, a symbol, `module+offset`, an expression; `.` is that of
        the current instruction.

        :raises Unanswered: if it is none of these.
        """
        address = self._address(text)
        if address >= ADDRESS_END:
            raise Unanswered(f"{text}: {Reason.NO_ADDRESS}")
        return address

    def _address(self, text: str) -> int:
        if text == ".":
            return self.frame.instruction
        if _BARE_HEX.fullmatch(text):
            return int(text.replace("`", ""), 16)
        text = _OFFSET.sub(r"\g<1>0x\g<2>", text)
        word = _FIRST_WORD.match(text)
        if word is None or self._thread is None or self.scope.pseudo(word[0]) is None:
            try:
                return self.dump.address_of(text)
            except StillframeError:
                pass
        try:
            value = self.evaluate(text)
        except ExpressionError as error:
            raise Unanswered(f"{text}: {error}") from error
        type_ = value.type.resolved
        number = value.address if type_.kind in {"function", "array"} or type_.is_class else int(value)
        if number is None:
            raise Unanswered(f"{text}: it is in a register, and has no address")
        return number & ((1 << 64) - 1)
