"""What is public is documented."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING

import stillframe

if TYPE_CHECKING:
    from collections.abc import Iterator


def public_things() -> Iterator[tuple[str, object]]:
    """Public classes and functions of errors, model and symbols, and their public methods and properties."""
    for module_info in pkgutil.walk_packages(stillframe.__path__, "stillframe."):
        if not module_info.name.startswith(("stillframe.errors", "stillframe.model", "stillframe.symbols")):
            continue
        module = importlib.import_module(module_info.name)
        yield module_info.name, module
        for name, thing in vars(module).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != module_info.name:
                continue
            yield f"{module_info.name}.{name}", thing
            if inspect.isclass(thing):
                own = {key: value for key, value in vars(thing).items() if not key.startswith("_")}
                members = {k: v for k, v in own.items() if callable(v) or isinstance(v, property | classmethod)}
                yield from ((f"{module_info.name}.{name}.{key}", value) for key, value in members.items())


def test_public_names_have_docstrings() -> None:
    things = dict(public_things())
    assert len(things) > 100
    assert [name for name, thing in things.items() if not getattr(thing, "__doc__", None)] == []


def test_the_package_exports_what_it_has() -> None:
    assert all(getattr(stillframe, name).__doc__ for name in stillframe.__all__)
    assert stillframe.__all__ == sorted(stillframe.__all__)
