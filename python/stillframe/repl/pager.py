"""Text that is larger than the terminal, a screen at a time."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_toolkit.key_binding import KeyPressEvent

    from stillframe.cli.page import Page

MORE = "-- more: space, a shows all, q ends --"


def show(page: Page) -> None:
    """Shows a page, and waits for a key after each screen but the last. :raises KeyboardInterrupt: at Ctrl-C."""
    size = shutil.get_terminal_size()
    screens = page.screens(size.columns, max(size.lines - 1, 1))
    is_waiting = True
    for index, screen in enumerate(screens):
        screen.show()
        if is_waiting and index + 1 < len(screens):
            key = _key()
            if key in {"q", "Q", "escape"}:
                return
            is_waiting = key not in {"a", "A", "G"}


def _key() -> str:
    """The next key that is pressed."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings

    bindings = KeyBindings()

    def press(event: KeyPressEvent) -> None:
        event.app.exit(result=event.key_sequence[0].key)

    for key in ("<any>", "enter", "escape", "down", "pagedown"):
        bindings.add(key, eager=key != "<any>")(press)
    prompt: PromptSession[str] = PromptSession(key_bindings=bindings, erase_when_done=True)
    try:
        return str(prompt.prompt(MORE))
    except EOFError:
        return "q"
