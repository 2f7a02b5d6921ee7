"""`report --json`: the whole report in the schema of minidump-stackwalk.

Fields that the schema has and that we do not compute yet are null, as it allows for all of them (docs/json.md says
which).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillframe import Absent
from stillframe.analysis import handler_notes, linux
from stillframe.cli import crash_json, schema
from stillframe.cli.missing import lacks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stillframe import Dump, Thread
    from stillframe.cli.schema import Object

HANDLE_DATA = 12


def report(dump: Dump, threads: Sequence[Thread], *, with_locals: bool = False) -> None:
    """Writes the report; stacks are walked of `threads` alone, those of others are null."""
    shown = {thread.index for thread in threads}
    crashed = dump.crashed_thread
    schema.show(
        {
            "crash_info": crash_json.crash_info(dump),
            "crashing_thread": _crashing_thread(dump, crashed) if crashed else None,
            "handles": _handles(dump),
            "linux_memory_map_count": linux.memory_map_count(dump),
            "lsb_release": linux.lsb_release(dump),
            "mac_boot_args": handler_notes.mac_boot_arguments(dump),
            "mac_crash_info": crash_json.mac_crash_info(dump),
            "main_module": 0 if dump.modules else None,
            "pid": linux.process_id(dump),
            "proc_limits": _limits(dump),
            "process_uptime": _uptime_seconds(dump),
            "soft_errors": handler_notes.soft_errors(dump),
            "status": "OK",
            "system_info": _system_info(dump),
            "thread_count": len(dump.threads),
            "threads": [_thread(dump, thread, is_shown=thread.index in shown) for thread in dump.threads],
            "unloaded_modules": _unloaded_modules(dump),
            "stillframe": {**_extras(dump, threads), **(_locals(dump, threads) if with_locals else {})},
            # Last: by now every file that the stacks needed has been looked for.
            "modules": [schema.module(dump, module) for module in dump.modules],
            "modules_contains_cert_info": False,
        }
    )


def _crashing_thread(dump: Dump, crashed: Thread) -> Object:
    return {**schema.thread(dump, crashed, with_registers=True), "threads_index": crashed.index}


def _thread(dump: Dump, thread: Thread, *, is_shown: bool) -> Object:
    if is_shown:
        return schema.thread(dump, thread)
    return {**schema.thread_summary(dump, thread), "frame_count": None, "frames": None}


def _handles(dump: Dump) -> list[Object] | None:
    if not any(stream.type == HANDLE_DATA for stream in dump.streams):
        return None
    return [
        {"handle": handle.handle, "object_name": handle.object_name, "type_name": handle.type_name}
        for handle in dump.handles
    ]


def _limits(dump: Dump) -> Object | None:
    limits = linux.proc_limits(dump)
    return None if limits is None else {"limits": [limit._asdict() for limit in limits]}


def _uptime_seconds(dump: Dump) -> int | None:
    if isinstance(dump.misc, Absent) or dump.misc.process_create_time is None or dump.timestamp is None:
        return None
    return max(dump.timestamp - dump.misc.process_create_time, 0)


def _system_info(dump: Dump) -> Object:
    system = dump.system
    if isinstance(system, Absent):
        return dict.fromkeys(("cpu_arch", "cpu_count", "cpu_info", "cpu_microcode_version", "os", "os_ver"))
    return {
        "cpu_arch": system.cpu,
        "cpu_count": system.cpu_count,
        "cpu_info": system.cpu_info,
        "cpu_microcode_version": linux.microcode_version(dump),
        "os": system.os,
        "os_ver": linux.os_version(dump),
    }


def _unloaded_modules(dump: Dump) -> list[Object]:
    return [
        {
            "base_addr": schema.hex_text(dump, module.base),
            "cert_subject": None,
            "code_id": f"{module.time_date_stamp:08x}{module.size_bytes:x}",
            "end_addr": schema.hex_text(dump, module.base + module.size_bytes),
            "filename": module.name,
        }
        for module in dump.unloaded_modules
    ]


def _locals(dump: Dump, threads: Sequence[Thread]) -> Object:
    from stillframe.cli.value_json import thread_locals

    return {"locals": [thread_locals(dump, thread, thread.frames) for thread in threads]}


def _extras(dump: Dump, threads: Sequence[Thread]) -> Object:
    return {
        "crashpad": crash_json.crashpad_info(dump),
        "explanation": dump.crash.explanation if dump.crash else None,
        "file": str(dump.path),
        "size": dump.size_bytes,
        "missing": [
            {
                "module": lack.module.name,
                "reason": lack.reason,
                "remedy": lack.remedy,
                "frames": [list(at) for at in lack.frames],
            }
            for lack in lacks(threads)
        ],
        "problems": dump.problems,
    }
