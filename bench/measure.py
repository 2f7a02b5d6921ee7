"""Running something several times and keeping what it cost at its best."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """The best of several runs: the least disturbed by whatever else the machine did."""

    seconds: float
    peak_memory_bytes: int
    output: str


def command(
    arguments: Sequence[str | Path],
    *,
    runs: int = 7,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
    warm_up: bool = True,
) -> Cost:
    """Cost of a whole command, from its start to its end; the first run, which warms the file cache, does not count.

    Python may keep its compiled modules, as it does for an installed package.

    :param before: what is done before each run and does not count.
    :raises RuntimeError: if the command fails.
    """
    costs = []
    for _ in range(runs + warm_up):
        if before is not None:
            before()
        costs.append(_small_process().submit(_run, arguments, cwd, environment or {}).result())
    return min(costs[warm_up:], key=lambda cost: cost.seconds)


@cache
def _small_process() -> ProcessPoolExecutor:
    """What starts commands: Linux counts the peak of the process that starts one, up to then, to its own, and this one
    has searched dumps of 1 GiB.
    """
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def _run(arguments: Sequence[str | Path], cwd: Path | None, environment: Mapping[str, str]) -> Cost:
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(argument) for argument in arguments],
        cwd=cwd,
        env=own | dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{arguments[0]} ended with {process.returncode}: {output[-500:]}")
    return Cost(seconds, usage.ru_maxrss * 1024, output)


def in_process(action: Callable[[], object], *, runs: int = 50, warm_up: int = 3) -> float:
    """Seconds that the fastest of `runs` calls takes, after some that do not count."""
    for _ in range(warm_up):
        action()
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best
