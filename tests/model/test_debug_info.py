"""What a PDB adds: names, lines, variables, source; and which PDB is believed. On `examples/hello`.

Addresses are those of `examples/hello/README.md`, which its `check.py` holds against the files.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

import stillframe
from stillframe import Reason
from stillframe.model.evidence import DebugInfoFound, Rejected
from stillframe.model.location import SourceLine
from stillframe.model.locator import Outcome
from support.data import EXAMPLES
from support.dump_builder import DumpBuilder

if TYPE_CHECKING:
    from pathlib import Path

MAIN, MAIN_END, STATEMENT, CALL, RETURN = 0x9F1916, 0x9F1950, 0x9F1934, 0x9F193F, 0x9F1944
STRING = 0x9F7B30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example that a test may change."""
    for name in ("hello.dmp", "hello.exe", "hello.pdb", "hello.cpp"):
        shutil.copy(EXAMPLES / "hello" / name, tmp_path)
    return tmp_path


def hello(folder: Path, symbols: Path | None = None) -> stillframe.Dump:
    return stillframe.open(folder / "hello.dmp", symbols)


def main_frame(dump: stillframe.Dump) -> stillframe.Frame:
    frame = dump.threads[0].frames[1]
    assert frame.name == "main"
    return frame


def test_the_pdb_is_identified_by_the_record_in_the_dump(folder: Path) -> None:
    module = hello(folder).modules["hello"]
    state = module.find_debug_info()
    assert isinstance(state, DebugInfoFound)
    assert (state.path, state.identified_by) == (folder / "hello.pdb", "dump")
    assert state.file.debug_id == module.debug_id


def test_where_the_dump_records_no_pdb_the_image_says_which(folder: Path) -> None:
    """Wine's writer leaves CodeView records out."""
    recorded = hello(folder).modules["hello"].record
    builder = DumpBuilder().module(recorded.name, recorded.base, recorded.size_bytes, recorded.time_date_stamp)
    module = stillframe.open(builder.write(folder / "bare.dmp")).modules[0]
    assert (module.record.pdb, module.debug_id) == (None, None)
    state = module.find_debug_info()
    assert isinstance(state, DebugInfoFound)
    assert (state.path, state.identified_by) == (folder / "hello.pdb", "image")
    assert recorded.pdb is not None
    assert module.debug_id == recorded.pdb.debug_id


def test_a_pdb_of_another_build_is_rejected_with_both_ids(folder: Path) -> None:
    module = hello(folder).modules["hello"]
    guid = module.record.pdb.guid if module.record.pdb else b""
    data = (folder / "hello.pdb").read_bytes()
    assert data.count(guid) >= 1
    (folder / "hello.pdb").write_bytes(data.replace(guid, bytes(16)))
    state = module.find_debug_info()
    assert isinstance(state, Rejected)
    assert (state.where, state.expected) == (folder / "hello.pdb", module.debug_id)
    assert state.found.startswith("0" * 32)
    frame = hello(folder).threads[0].frames[0]
    assert isinstance(frame.location, stillframe.Absent)
    assert frame.location.reason is Reason.DEBUG_INFO_MISMATCH


def test_the_next_pdb_is_tried_after_one_that_is_damaged(folder: Path) -> None:
    (folder / "symbols").mkdir()
    shutil.move(folder / "hello.pdb", folder / "symbols" / "HELLO.PDB")
    (folder / "hello.pdb").write_bytes(b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0")
    state = hello(folder, folder / "symbols").modules["hello"].find_debug_info()
    assert isinstance(state, DebugInfoFound)
    assert state.path == folder / "symbols" / "HELLO.PDB"
    assert state.tried[0].outcome is Outcome.UNREADABLE


def test_symbols_are_found_by_name_and_pattern(folder: Path) -> None:
    dump = hello(folder)
    symbols = dump.modules["hello"].symbols
    assert symbols["main"].address == MAIN
    assert "main" in {symbol.name for symbol in symbols.search("MAIN*")}
    assert {symbol.address for symbol in dump.symbols("hello!main")} == {MAIN}
    with pytest.raises(stillframe.NoSuchSymbol, match=r"^hello\.exe!nothing: "):
        symbols["nothing"]


@pytest.mark.parametrize("text", ["main+0x1e", "hello!main+30", "hello.exe!main+0x1e", "hello.exe+0x1934"])
def test_names_stand_for_addresses(folder: Path, text: str) -> None:
    assert hello(folder).address_of(text) == STATEMENT


def test_an_address_is_called_by_function_and_offset(folder: Path) -> None:
    symbolized = hello(folder).symbolize(STATEMENT)
    assert str(symbolized) == "hello.exe!main+0x1e"
    function = symbolized.function
    assert not isinstance(function, stillframe.Absent)
    assert (function.address, function.end) == (MAIN, MAIN_END)
    assert not isinstance(symbolized.location, stillframe.Absent)
    assert str(symbolized.location) == "hello.cpp:5"


def test_a_caller_knows_its_call_and_its_source(folder: Path) -> None:
    frame = main_frame(hello(folder))
    assert frame.instruction == RETURN
    assert frame.call_site_address == CALL
    assert frame.function_offset == RETURN - MAIN
    assert str(frame.source_line) == "    printf(message);"
    source = frame.source
    assert not isinstance(source, stillframe.Absent)
    assert source.path == folder / "hello.cpp"


def test_a_variable_has_the_address_at_which_its_value_lies(folder: Path) -> None:
    dump = hello(folder)
    (variable,) = main_frame(dump).variables
    assert (variable.name, variable.is_parameter) == ("message", False)
    assert isinstance(variable.address, int)
    assert int.from_bytes(dump.memory.read(variable.address, 4), "little") == STRING
    assert dump.memory.read_c_string(STRING) == b"Hello World!\n"


def test_the_text_of_a_variable_comes_from_the_image(folder: Path) -> None:
    dump = hello(folder)
    message = main_frame(dump)["message"]
    assert isinstance(message, stillframe.Value)
    assert (message.type.name, message.read(), int(message)) == ("const char *const", "Hello World!\n", STRING)
    assert str(message) == '0x009f7b30 "Hello World!\\n"'
    assert [span.source for span in message.provenance] == ["dump"]
    text = dump.memory.provenance(STRING, 14)
    assert [(span.source, span.module and span.module.name) for span in text] == [("image", "hello.exe")]


def test_text_is_absent_without_the_image(folder: Path) -> None:
    (folder / "hello.exe").unlink()
    message = main_frame(hello(folder))["message"]
    assert isinstance(message, stillframe.Value)
    assert message.absent is None
    with pytest.raises(stillframe.FaultError) as caught:
        message.read()
    assert (caught.value.address, caught.value.reason) == (STRING, stillframe.Reason.IMAGE_MISSING)
    assert str(message) == "0x009f7b30 <image not found>"


def test_a_function_is_listed_whole_with_its_source(folder: Path) -> None:
    dump = hello(folder)
    function = main_frame(dump).function
    assert not isinstance(function, stillframe.Absent)
    listing = dump.disassemble(function)
    assert (listing.instructions[0].address, listing.end, listing.absent) == (MAIN, MAIN_END, None)
    source = [line.text for line in listing if isinstance(line, SourceLine)]
    assert source[1:3] == ['    const auto message = "Hello World!\\n";', "    printf(message);"]


def test_changed_source_is_marked_and_missing_source_is_named(folder: Path) -> None:
    original = (folder / "hello.cpp").read_text()
    (folder / "hello.cpp").write_text(original.replace("printf(message)", "puts(message)"))
    text = str(hello(folder).disassemble(CALL - 4, count=1)).splitlines()[0]
    state = main_frame(hello(folder)).source
    assert not isinstance(state, stillframe.Absent)
    assert (state.match, text) == ("mismatch", "    puts(message);    [other version of hello.cpp:6]")
    (folder / "hello.cpp").unlink()
    assert str(hello(folder).disassemble(CALL - 4, count=1)).splitlines()[0].endswith("hello.cpp:6")
