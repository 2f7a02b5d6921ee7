"""The verb `process`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stillframe.cli.verb import verb
from stillframe.model.absent import Absent

if TYPE_CHECKING:
    from stillframe._engine import HandleRecord
    from stillframe.analysis.process import Process
    from stillframe.cli.page import Page
    from stillframe.cli.verb import Request


def run(request: Request, environment: bool, handles: bool) -> None:
    """Shows what the process was: command line, directory, times, environment, handles, comments of the dump.

    Environments hold passwords and tokens, so variables are counted and shown only if asked for.
    """
    from stillframe.analysis.process import process_of

    dump = request.open()
    process = process_of(dump)
    if request.as_json:
        from stillframe.cli import schema

        schema.show(as_json(process, environment=environment))
        return
    from stillframe.cli.page import Page

    page = Page()
    add_facts(page, process)
    if environment and not isinstance(process.environment, Absent):
        page.blank()
        for name, value in sorted(process.environment.items()):
            page.line(f"{name}={value}")
    if handles and process.handles:
        page.blank()
        page.table([handle_row(handle) for handle in process.handles], right=frozenset({0}))
    page.show()


def add_facts(page: Page, process: Process) -> None:
    times = [
        f"{what} {seconds} s"
        for what, seconds in (("user", process.user_time), ("kernel", process.kernel_time))
        if seconds is not None
    ]
    environment = process.environment
    facts: list[tuple[str, object]] = [
        ("process", process.id),
        ("program", process.image),
        ("command line", process.command_line),
        ("directory", process.directory),
        ("started", None if process.create_time is None else _date(process.create_time)),
        ("time", ", ".join(times) or None),
        ("environment", environment if isinstance(environment, Absent) else f"{len(environment)} variables"),
        ("handles", f"{len(process.handles):,}" if process.handles else None),
        *(("comment", comment) for comment in process.comments),
    ]
    page.table([[name, str(value)] for name, value in facts if value is not None])


def handle_row(handle: HandleRecord) -> list[str]:
    """Handle, type, name, access."""
    access = f"access {handle.granted_access:#x}"
    return [f"{handle.handle:#x}", handle.type_name or "", handle.object_name or "", access]


def _date(seconds: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def as_json(process: Process, *, environment: bool = False) -> dict[str, object]:
    """The answer of `stillframe process`."""
    from stillframe.cli.schema import absence

    def known(value: object) -> object:
        return None if isinstance(value, Absent) else value

    fields = ("command_line", "directory", "image", "environment")
    answer: dict[str, object] = {
        **{field: known(getattr(process, field)) for field in fields},
        "absent": {field: absence(value) for field in fields if isinstance(value := getattr(process, field), Absent)},
        "pid": process.id,
        "create_time": process.create_time,
        "user_time": process.user_time,
        "kernel_time": process.kernel_time,
        "comments": process.comments,
        "handles": [
            {"handle": handle.handle, "object_name": handle.object_name, "type_name": handle.type_name}
            for handle in process.handles
        ],
    }
    if not environment:
        del answer["environment"]
    return answer


command = verb(
    run,
    click.Option(["--environment"], is_flag=True, help="Show the variables of the environment."),
    click.Option(["--handles"], is_flag=True, help="Show the handles that were open."),
)
