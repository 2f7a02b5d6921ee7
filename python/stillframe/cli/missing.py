"""What is missing or damaged: of the stacks shown, module by module, and what would help."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stillframe import Reason
from stillframe.model.evidence import DebugInfoFound, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stillframe import Absent, Module, Thread
    from stillframe.model.evidence import DebugInfoState, ImageState


class Lack(NamedTuple):
    """A module on a stack whose files were looked for in vain."""

    module: Module
    frames: tuple[tuple[int, int], ...]
    """Index of the thread and number of the frame."""
    image: Absent | None
    """None where the image was found, or its absence costs nothing."""
    debug_info: Absent | None

    @property
    def reason(self) -> str:
        """What is missing, in words; of files that do not match, what was expected and found."""
        parts = (_in_words(self.module.image, self.image), _in_words(self.module.debug_info, self.debug_info))
        return ", ".join(part for part in parts if part)

    @property
    def remedy(self) -> str:
        """What would help, in terms of the command line; empty if nothing would."""
        absences = [absent for absent in (self.image, self.debug_info) if absent is not None]
        is_pe = self.module.record.time_date_stamp != 0
        files = dict.fromkeys(
            "the debug information" if _FILES[absent.reason] == "the PDB" and not is_pe else _FILES[absent.reason]
            for absent in absences
            if absent.reason in _FILES
        )
        if files:
            return f"give the folder of {' and '.join(files)} with --symbols"
        return absences[-1].remedy


_WORDS = {
    Reason.IMAGE_MISSING: "no image found",
    Reason.DEBUG_INFO_MISSING: "no symbols found",
    Reason.DEBUG_INFO_UNIDENTIFIED: "no symbols found",
    Reason.DEBUG_INFO_NOT_MADE: "linked without debug information",
}
_FILES = {
    Reason.IMAGE_MISSING: "the binary",
    Reason.IMAGE_MISMATCH: "the binary",
    Reason.DEBUG_INFO_UNIDENTIFIED: "the binary",
    Reason.DEBUG_INFO_MISSING: "the PDB",
    Reason.DEBUG_INFO_MISMATCH: "the PDB",
}
"""Which file would help."""


def _in_words(state: ImageState | DebugInfoState, absent: Absent | None) -> str:
    if absent is None:
        return ""
    return str(state) if isinstance(state, Rejected) else _WORDS.get(absent.reason, str(absent.reason))


def lacks(threads: Iterable[Thread]) -> list[Lack]:
    """What is missing for the modules on the stacks of `threads`, in the order in which they are met."""
    met: dict[int, list[tuple[int, int]]] = {}
    modules: dict[int, Module] = {}
    guessed: set[int] = set()
    for thread in threads:
        for frame, caller in zip(thread.frames, (*thread.frames[1:], None), strict=False):
            if frame.module is None:
                continue
            modules[frame.module.index] = frame.module
            met.setdefault(frame.module.index, []).append((thread.index, frame.index))
            if caller is not None and caller.trust not in {"context", "cfi", "tail_call"}:
                guessed.add(frame.module.index)
    found = (_lack(module, tuple(met[index]), is_guessed=index in guessed) for index, module in modules.items())
    return [lack for lack in found if lack is not None]


_OF_THE_KERNEL = frozenset({"linux-vdso.so.1", "linux-gate.so.1"})
"""The kernel's own code in every process, of which there is no file: the dump has it, or nobody does."""


def _lack(module: Module, frames: tuple[tuple[int, int], ...], *, is_guessed: bool) -> Lack | None:
    if module.name in _OF_THE_KERNEL and module.image.state == "captured":
        return None
    debug_info = module.debug_info.absent if module.debug_info.state != "not_asked" else None
    image = module.image.absent if module.image.state != "not_asked" else None
    # A dump can hold all that its image would tell: then the image is not missed.
    if debug_info is None and not is_guessed and module.image.state != "rejected":
        image = None
    return None if image is None and debug_info is None else Lack(module, frames, image, debug_info)


def frames_in_words(frames: Sequence[tuple[int, int]]) -> str:
    """`frames 3-5, 7`; of several threads `9 frames of 2 threads`."""
    threads = dict.fromkeys(thread for thread, _ in frames)
    if len(threads) > 1:
        return f"{len(frames)} frames of {len(threads)} threads"
    runs: list[list[int]] = []
    for _, number in frames:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    words = ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)
    return f"frame {words}" if len(frames) == 1 else f"frames {words}"


def problems_of(state: ImageState | DebugInfoState) -> list[str]:
    """What is damaged in debug information that was found, as far as it has been read."""
    return state.file.problems() if isinstance(state, DebugInfoFound) else []
