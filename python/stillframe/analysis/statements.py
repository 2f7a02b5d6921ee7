"""What can be said of a crash, one statement at a time, the most telling first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from stillframe.analysis import handler_notes, patterns
from stillframe.analysis.access import NULL_PAGES_BYTES, address_bits_of_arm64, is_canonical, is_raised_by_instruction
from stillframe.analysis.contradictions import contradictions
from stillframe.analysis.operands import accessed, points_to_null
from stillframe.analysis.places import place_of
from stillframe.analysis.register_names import part_of, value_of
from stillframe.model.absent import Absent
from stillframe.model.crash import Basis, Statement
from stillframe.model.names import base_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stillframe._engine import ExceptionRecord, Instruction, Registers
    from stillframe.analysis.address_map import AddressMap
    from stillframe.analysis.cpp_exception import Thrown
    from stillframe.model.crash import Access, BitFlip, CrashOperand
    from stillframe.model.dump import Dump
    from stillframe.model.thread import Thread

MOST_UNLOADED_FRAMES = 3
TELLING_ANNOTATIONS = {"exceptionname", "exceptionreason", "abort_message", "assertion", "panic_message"}
"""Names of annotations that say why a program ended, in lower case: those of Crashpad for iOS, and usual ones."""
IDLE_MESSAGES = ("dyld2 mode", "dyld3 mode", "CoreSimulator ")
"""What libraries of macOS always note, crash or not."""
RECURSION_FRAMES = 32
"""Calls of one function on one stack, above which it is named."""


class Facts(NamedTuple):
    """What the statements are made of."""

    dump: Dump
    exception: ExceptionRecord
    thread: Thread | None
    registers: Registers | Absent
    instruction: Instruction | Absent
    operands: tuple[CrashOperand, ...]
    access: Access | None
    places: AddressMap
    flips: tuple[BitFlip, ...]
    exhaustion: Statement | None
    """That the stack is used up."""
    thrown: Thrown | None


def all_of(facts: Facts) -> Iterator[Statement]:
    """All statements, the most telling first."""
    yield from _of_the_handler(facts)
    yield from _of_the_exception(facts)
    if facts.access is not None:
        yield from _of_the_address(facts, facts.access)
        yield from _of_its_place(facts, facts.access)
    yield from _of_the_instruction(facts)
    yield from _of_the_divisor(facts)
    yield from _of_the_stack(facts)
    yield from (
        Statement("bit_flip", f"perhaps one wrong bit ({flip.confidence}): {flip.text}", _flip_basis(facts, flip))
        for flip in facts.flips
    )
    yield from contradictions(facts.dump, facts.instruction, facts.operands, facts.access, facts.places)
    yield from _of_executable_memory(facts)


def _of_the_handler(facts: Facts) -> Iterator[Statement]:
    """What the program or its handler said of the crash itself."""
    assertion = handler_notes.assertion(facts.dump)
    if assertion is not None:
        kind = "failed assertion" if assertion.kind == "unknown" else assertion.kind
        yield Statement("assertion", f"{kind}: {assertion}", (Basis("stream", "AssertionInfo"),))
    for record in handler_notes.mac_crash_info(facts.dump):
        message = " ".join(text for text in (record.message, record.message2) if text)
        if message:
            text = f"{base_name(record.module) or 'a library'} said: {message}"
            yield Statement("mac_crash_info", text, (Basis("stream", "MacosCrashInfo"),))
    crashpad = handler_notes.crashpad(facts.dump)
    for module, message in crashpad.messages if crashpad else ():
        if module < len(facts.dump.modules) and not message.startswith(IDLE_MESSAGES):
            text = f"{facts.dump.modules[module].name} said: {message}"
            yield Statement("annotation", text, (Basis("stream", "CrashpadInfo"),))
    for name, value in (crashpad.texts if crashpad else {}).items():
        if name.lower() in TELLING_ANNOTATIONS and value:
            yield Statement("annotation", f"{name}: {value}", (Basis("stream", "CrashpadInfo"),))


def _of_the_exception(facts: Facts) -> Iterator[Statement]:
    thrown = facts.thrown
    if thrown is not None:
        message = f' with the message "{thrown.message}"' if thrown.message else ""
        yield Statement("cpp_exception", f"a {thrown.type_name} was thrown{message}", thrown.basis)
    system = "" if isinstance(facts.dump.system, Absent) else facts.dump.system.os
    if system.startswith("Windows"):
        from stillframe.analysis import windows_details

        yield from windows_details.statements(facts.dump, facts.exception)
    if system in {"Linux", "Android"} and facts.access is None:
        yield from _of_the_sender(facts)


def _of_the_sender(facts: Facts) -> Iterator[Statement]:
    from stillframe.analysis.linux import process_id
    from stillframe.analysis.signals import Signal

    sender = Signal(facts.exception.code, facts.exception.flags).sender(facts.exception.address)
    own = process_id(facts.dump)
    if sender is not None and sender.process_id == own:
        text = "the program sent the signal to itself, as `abort` and `raise` do"
        yield Statement(
            "signal_sender", text, (Basis("exception record", "si_pid"), Basis("stream", "LinuxProcStatus"))
        )


def _of_the_address(facts: Facts, access: Access) -> Iterator[Statement]:
    """What its value tells."""
    address, size = access.address, facts.dump.pointer_size_bytes
    if address < NULL_PAGES_BYTES:
        yield _null(facts, access)
    if facts.dump.cpu == "amd64" and not is_canonical(address):
        text = f"{address:#x} is no address of x64, where bits 47 to 63 are equal"
        if access.reported != address:
            text += f"; the exception record has {access.reported:#x} in its place"
        yield Statement("not_canonical", text, access.basis)
    bits = address_bits_of_arm64(facts.dump)
    if bits is not None and address >> bits:
        yield from _signed_pointer(facts, access, bits)
    for name, value in _values_of_the_address(facts, access):
        fill = patterns.fill_of(value, size)
        text_in_it = None if fill or facts.places.is_mapped(value) else patterns.text_of(value, size)
        if fill is not None:
            yield Statement("fill_pattern", f"{name} is {value:#x}: {fill[1]} ({fill[0]:#x})", (_basis(name, access),))
        elif text_in_it is not None:
            text = f'{name} is {value:#x}, which is the text "{text_in_it}": perhaps a pointer overwritten by text'
            yield Statement("text_pattern", text, (_basis(name, access),))
        else:
            continue
        return  # the sum of this and others would look alike


def _signed_pointer(facts: Facts, access: Access, bits: int) -> Iterator[Statement]:
    """An address whose upper bits hold more than an address: a signature, or a tag."""
    plain = access.address & ((1 << bits) - 1)
    if not facts.places.is_mapped(plain):
        return
    place = place_of(facts.dump, facts.places, plain)
    text = (
        f"the upper bits of {access.address:#x} are no part of an address; {plain:#x} {place.text}:"
        " a signed pointer whose check failed, or a tagged one"
    )
    yield Statement("pointer_authentication", text, (*access.basis, *place.basis))


def _null(facts: Facts, access: Access) -> Statement:
    operand = accessed(access, facts.operands)
    if operand is not None and points_to_null(facts.thread, access, facts.operands):
        pointer = f", which holds {operand.pointer}," if operand.pointer else ""
        offset = f", and {access.address:#x} was added to it" if access.address else ""
        return Statement("null", f"{operand.registers[0]}{pointer} is null{offset}", access.basis)
    what = "the instruction pointer" if access.kind == "execute" else "the address"
    text = f"{what} is null" if access.address == 0 else f"{access.address:#x} is near null: its pages hold nothing"
    return Statement("null", text, access.basis)


def _values_of_the_address(facts: Facts, access: Access) -> list[tuple[str, int]]:
    """The registers that the address is computed from, then the address, if it is none of these."""
    values: list[tuple[str, int]] = []
    if access.kind != "execute" and not isinstance(facts.registers, Absent):
        operand = accessed(access, facts.operands)
        for register in operand.registers if operand else ():
            value = value_of(register, facts.registers)
            whole = part_of(register, facts.registers).size_bytes == facts.dump.pointer_size_bytes
            if isinstance(value, int) and whole:
                values.append((register, value))
    if access.address not in {value for _, value in values}:
        values.append(("the address", access.address))
    return values


def _basis(name: str, access: Access) -> Basis:
    return access.basis[0] if name == "the address" else Basis("registers", name)


def _of_its_place(facts: Facts, access: Access) -> Iterator[Statement]:
    """What it belongs to, and whether the access is allowed there."""
    address, places = access.address, facts.places
    bits = address_bits_of_arm64(facts.dump)
    is_no_address = (facts.dump.cpu == "amd64" and not is_canonical(address)) or (bits is not None and address >> bits)
    if is_no_address or (address < NULL_PAGES_BYTES and not places.is_mapped(address)):
        return
    exhaustion = facts.exhaustion
    if exhaustion is not None:
        yield exhaustion
    place = place_of(facts.dump, places, address)
    if exhaustion is None or place.kind not in {"below_stack", "stack"}:
        yield Statement(f"in_{place.kind}", f"{address:#x} {place.text}", place.basis)
    if places.is_likely_guard_page(address) and place.kind != "below_stack":
        yield Statement("guard_page", f"{address:#x} is likely in a guard page", (places.regions_basis,))
    permissions = places.permissions(address)
    if access.kind is None or permissions is None or permissions.allows(access.kind):
        if access.kind == "execute" and place.kind in {"stack", "region"} and permissions is None:
            yield Statement("not_allowed", f"no code may run in {place.kind} memory", place.basis)
        return
    what = {"read": "memory may not be read", "write": "memory may not be written", "execute": "no code may run"}
    yield Statement("not_allowed", f"{what[access.kind]} at {address:#x}: {permissions}", (permissions.basis,))


def _of_the_instruction(facts: Facts) -> Iterator[Statement]:
    """That it lies where no program has code; a refused execution says so itself."""
    is_execution = facts.access is not None and facts.access.kind == "execute"
    if is_execution or isinstance(facts.registers, Absent) or not is_raised_by_instruction(facts.dump, facts.exception):
        return
    pointer = facts.registers.instruction_pointer
    if pointer is None or not facts.dump.modules or facts.dump.modules.at(pointer) is not None:
        return
    if not facts.places.unloaded_at(pointer):
        place = place_of(facts.dump, facts.places, pointer)
        text = f"the instruction at {pointer:#x} {place.text}: generated code, or a jump gone astray"
        yield Statement("outside_modules", text, (Basis("registers", "instruction pointer"), *place.basis))


def _of_the_divisor(facts: Facts) -> Iterator[Statement]:
    """The operand that is zero, of a division by zero."""
    instruction = facts.instruction
    if isinstance(instruction, Absent) or "div" not in instruction.mnemonic or not facts.operands:
        return
    divisor = facts.operands[-1]
    if divisor.value == 0 and not isinstance(divisor.value, Absent):
        where = f", at {divisor.address:#x}," if isinstance(divisor.address, int) else ""
        text = f"the divisor {divisor.name or divisor.text}{where} is 0"
        basis = Basis("memory" if divisor.kind == "memory" else "registers", divisor.text)
        yield Statement("zero_divisor", text, (Basis("instruction", instruction.mnemonic), basis))


def _of_the_stack(facts: Facts) -> Iterator[Statement]:
    """Calls from modules that are gone; calls without end."""
    frames = facts.thread.frames if facts.thread is not None else ()
    gone = [(frame, facts.places.unloaded_at(frame.instruction)) for frame in frames if frame.module is None]
    for frame, modules in [pair for pair in gone if pair[1]][:MOST_UNLOADED_FRAMES]:
        names = ", ".join(f"{each.name}+{frame.instruction - each.base:#x}" for each in modules[:3])
        text = f"frame {frame.index} ({frame.instruction:#x}) is in a module that is unloaded: {names}"
        yield Statement("unloaded_module", text, (Basis("unloaded modules"), Basis("registers", "stack")))
    counts = Counter(frame.name for frame in frames)
    name, count = counts.most_common(1)[0] if counts else ("", 0)
    if count >= RECURSION_FRAMES:
        basis = (Basis("threads", f"stack of thread {facts.thread.index if facts.thread else 0}"),)
        yield Statement("recursion", f"{name} is {count:,} of the {len(frames):,} frames found", basis)


def _of_executable_memory(facts: Facts) -> Iterator[Statement]:
    """Of Linux: a stack or heap in which code may run, which no usual program has."""
    from stillframe.analysis.linux import mappings

    for start, end, permissions, name in mappings(facts.dump):
        if "x" in permissions and (name == "[heap]" or name.startswith("[stack")):
            text = f"code may run in the {name.strip('[]').partition(':')[0]} ({permissions}), which is unusual"
            yield Statement("executable_memory", text, (Basis("stream", f"LinuxMaps, {start:#x} to {end:#x}"),))


def _flip_basis(facts: Facts, flip: BitFlip) -> tuple[Basis, ...]:
    source = Basis("registers", flip.register) if flip.register else Basis("exception record", "address")
    mapped = facts.places.regions_basis if facts.places.has_regions else Basis("modules")
    return (source, mapped)
