"""From addresses to names and back, over all modules of a dump."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stillframe.errors import NoSuchModule, NoSuchSymbol, SymbolsMissing
from stillframe.model.absent import Absent, Reason
from stillframe.model.location import SourceLocation
from stillframe.model.symbol import Symbolized, only

if TYPE_CHECKING:
    from stillframe.model.module import Module, Modules
    from stillframe.model.symbol import Symbol

_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20}")
_OFFSET = re.compile(r"(?P<base>.+)(?P<sign>[+-])\s*(?P<offset>0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20})")


def symbolize(modules: Modules, address: int) -> Symbolized:
    """What `address` is called; looks for the debug information of its module."""
    module = modules.at(address)
    if module is None:
        nowhere = Absent.because(Reason.NO_MODULE)
        return Symbolized(address, "address", None, 0, None, nowhere, nowhere)
    function = module.function_at(address)
    location = innermost_location(module, address)
    if not isinstance(function, Absent):
        offset = address - function.address
        return Symbolized(address, "function", function.name, offset, module, function, location)
    symbol = module.symbol_at(address)
    if not isinstance(symbol, Absent):
        return Symbolized(address, "symbol", symbol.name, address - symbol.address, module, function, location)
    return Symbolized(address, "module", None, address - module.base, module, function, location)


def innermost_location(module: Module, address: int) -> SourceLocation | Absent:
    """File and line of the code at `address`."""
    scopes = module.scopes_at(address)
    if scopes:
        return SourceLocation.of(scopes[0].location)
    debug = module.debug_file_or_absent()
    return debug if isinstance(debug, Absent) else Absent.because(Reason.NOT_IN_DEBUG_INFO)


def symbols_named(modules: Modules, name: str) -> list[Symbol]:
    """Symbols called `name`, or `module!name`, module by module. Modules without debug information have none.

    :raises NoSuchModule: if `name` names a module that is not there.
    """
    module_name, mark, symbol_name = name.rpartition("!")
    candidates = [modules[module_name]] if mark else list(modules)
    found: list[Symbol] = []
    for module in candidates:
        try:
            found += module.symbols.named(symbol_name)
        except SymbolsMissing:
            continue
    return found


def address_of(modules: Modules, text: str) -> int:
    """The address that `text` stands for: a number or name, perhaps with `+` or `-` a number behind it.

    A name is `module!symbol`, `symbol`, or `module.ext` for the module's base.

    :raises NoSuchSymbol: :raises AmbiguousSymbol: :raises NoSuchModule: :raises SymbolsMissing:
    """
    text = text.strip()
    if (split := _OFFSET.fullmatch(text)) is not None:
        offset = int(split["offset"], 0 if split["offset"][:2].lower() == "0x" else 10)
        base = address_of(modules, split["base"])
        address = base + offset if split["sign"] == "+" else base - offset
    elif _NUMBER.fullmatch(text):
        address = int(text, 0 if text[:2].lower() == "0x" else 10)
    else:
        address = _address_of_name(modules, text)
    if not 0 <= address < 1 << 64:
        raise NoSuchSymbol(text, "outside of any address space")
    return address


def _address_of_name(modules: Modules, name: str) -> int:
    module_name, mark, symbol_name = name.rpartition("!")
    if mark:
        # One module is meant: say it if it has no debug information.
        return modules[module_name].symbols[symbol_name].address
    if "." in name:
        try:
            return modules[name].base
        except NoSuchModule:
            pass  # C++ names hold no dots, but other languages' do
    symbols = symbols_named(modules, name)
    if not symbols:
        searched = sum(module.find_debug_info().state == "found" for module in modules)
        reason = f"no symbol of this name; {searched} of {len(modules)} modules have debug information"
        raise NoSuchSymbol(name, reason)
    return only(symbols, name).address
