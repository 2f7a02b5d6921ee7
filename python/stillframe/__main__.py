"""The command `stillframe`, and `python -m stillframe`."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

FEW_OBJECTS = 100_000
"""Made since the last search for unreachable cycles: the modules of a verb have fewer."""


def run() -> NoReturn:
    """The console script.

    A command makes its objects once and ends: searching them for unreachable cycles, while modules are imported and
    when the interpreter ends, would be a tenth of the time of a small one.
    """
    gc.set_threshold(FEW_OBJECTS)
    from stillframe.cli.main import main

    code = main()
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    run()
