"""A line of the table, and how figures are written in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.measure import Cost


@dataclass(frozen=True)
class Result:
    """A line of the table."""

    subject: str
    ours: str
    peer: str
    ratio: str


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.0f} MB"


def times(subject: str, ours: Cost, peer: Cost) -> Result:
    """Both commands' time."""
    ratio = f"{ours.seconds / peer.seconds:.2f}"
    return Result(f"{subject}, time", milliseconds(ours.seconds), milliseconds(peer.seconds), ratio)


def memory(subject: str, ours: Cost, peer: Cost) -> Result:
    """Both commands' peak memory."""
    ratio = f"{ours.peak_memory_bytes / peer.peak_memory_bytes:.2f}"
    figures = (megabytes(ours.peak_memory_bytes), megabytes(peer.peak_memory_bytes))
    return Result(f"{subject}, peak memory", *figures, ratio)
