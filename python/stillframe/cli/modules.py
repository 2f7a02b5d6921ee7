"""The verb `modules`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stillframe.cli.missing import problems_of
from stillframe.cli.verb import verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe import Dump, Module
    from stillframe.cli.page import Page, Part
    from stillframe.cli.verb import Request
    from stillframe.model.evidence import DebugInfoState, ImageState


def run(request: Request, verbose: bool) -> None:
    """Lists the modules and looks for the image and the symbols of each.

    An image is taken only if TimeDateStamp and SizeOfImage equal the dump's and no byte differs from those that the
    dump holds; a PDB, if its GUID and age do.
    """
    dump = request.open()
    for module in dump.modules:
        module.find_debug_info()  # which looks for the image first
    if request.as_json:
        from stillframe.cli import schema

        schema.show({"modules": [schema.module(dump, module) for module in dump.modules]})
        return
    from stillframe.cli.page import Page

    page = Page()
    if verbose:
        for module in dump.modules:
            page.blank()
            describe(page, dump, module)
    else:
        add_modules(page, dump, dump.modules)
    page.show()


def add_modules(page: Page, dump: Dump, modules: Sequence[Module], *, indent: str = "") -> None:
    """A line for each module, with the state of its image and symbols."""
    page.table([_row(dump, module) for module in modules], indent=indent)


def state_words(state: ImageState | DebugInfoState) -> str:
    """The state of a file, in two words."""
    words = {"found": "found", "captured": "in the dump", "missing": "not found", "rejected": "no match"}
    return words.get(state.state, "not needed")


def _row(dump: Dump, module: Module) -> list[Part]:
    from stillframe.cli.page import Styled
    from stillframe.cli.stacktext import address_text

    styles = {"found": "green", "captured": "green", "missing": "yellow", "rejected": "red", "not_asked": "dim"}
    return [
        Styled(address_text(dump, module.base), "dim"),
        Styled(address_text(dump, module.end), "dim"),
        Styled(module.name, "bold"),
        module.version or "",
        "image",
        Styled(state_words(module.image), styles[module.image.state]),
        "symbols",
        Styled(state_words(module.debug_info), styles[module.debug_info.state]),
    ]


def describe(page: Page, dump: Dump, module: Module) -> None:
    """All that is known of a module, with every place that was tried for its files."""
    add_modules(page, dump, [module])
    page.line(f"  path     {module.path}")
    page.line(f"  key      {module.code_id or 'none'}")
    page.line(f"  PDB key  {module.debug_id or 'none'}{f'  {module.debug_file}' if module.debug_file else ''}")
    for title, state, store_path in (
        ("image", module.image, module.image_store_path),
        ("symbols", module.debug_info, module.debug_file_store_path),
    ):
        page.line(f"  {title}: {state}")
        if state.absent is not None and store_path is not None:
            page.line(f"    a symbol store has it as {store_path}")
        for attempt in state.tried:
            page.line(f"    tried {attempt}")
        for problem in problems_of(state):
            page.line(f"    damaged: {problem}")


command = verb(run, click.Option(["--verbose", "-v"], is_flag=True, help="Keys, and every place that was tried."))
