"""Runs the notebook of the examples in a real kernel. `python -m support.notebook` keeps what its cells answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import nbformat
from nbclient import NotebookClient

from support.data import EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path

Notebook: TypeAlias = dict[str, Any]
NOTEBOOK = EXAMPLES / "depot" / "notebook.ipynb"
TIMEOUT_SECONDS = 120


def executed(path: Path) -> Notebook:
    """The notebook with what its cells answer now, from its own folder. :raises CellExecutionError:"""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook, timeout=TIMEOUT_SECONDS, kernel_name="python3", record_timing=False, resources=resources
    )
    client.execute()
    for name in ("language_info", "kernelspec"):  # they tell of the machine's Python
        notebook.metadata.pop(name, None)
    return parsed(nbformat.writes(notebook))  # type: ignore[no-untyped-call]


def parsed(text: str) -> Notebook:
    """A notebook of the text of its file."""
    notebook: Notebook = json.loads(text)
    return notebook


def answers(notebook: Notebook) -> list[list[Any]]:
    """What each cell of code shows."""
    return [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _main() -> None:
    text = json.dumps(executed(NOTEBOOK), ensure_ascii=False, indent=1)
    NOTEBOOK.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    _main()
