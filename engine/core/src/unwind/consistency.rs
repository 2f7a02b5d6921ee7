//! A trial of a return address found by scanning: unwind information of the frames above must agree with it.

use super::code_bytes::{Destination, Evidence, destination_of_call, evidence};
use super::step::{Caller, Halt, Position};
use super::x64_codes::RuntimeFunction;
use super::{Frame, Known, Process, Stop, Trust, information};
use crate::address::Rva;
use crate::registers::RegisterSet;

/// Frames above the candidate that are tried.
const MOST_FRAMES: usize = 16;

/// Whether the frames above the candidate at `slot`, as far as unwind information leads, are frames of calls that
/// lead to each other.
///
/// Situation: `main` called `log`, which called `printf` through an import; all that is over, and `main` called
/// `Sleep`. In `Sleep`'s frame stands the address in `log`, after a call that may well lead out of the module. But its
/// caller, by the unwind codes of `log`, is the place in `main` that called `Sleep`: not `log`.
pub(super) fn holds(position: &Position, slot: u64, address: u64) -> Result<bool, Halt> {
    let process = position.process;
    let cpu = position.cpu();
    let mut registers = RegisterSet::new(cpu);
    registers.set(cpu.instruction_pointer(), address);
    registers.set(cpu.stack_pointer(), slot.wrapping_add(cpu.pointer_size_bytes() as u64));
    let mut callee = None;
    let candidate = Caller { registers, trust: Trust::Scan, interrupted: false, cfa: None, virtual_frame: None };
    let Some(mut frame) = Frame::new(process, candidate) else { return Ok(false) };
    for _ in 0..MOST_FRAMES {
        let Some(next) = Position::of(process, &frame, callee.as_ref()) else { return Ok(true) };
        let caller = match information::caller(&next) {
            Ok(Some(caller)) => caller,
            Ok(None) | Err(Halt::Stop(Stop::EndOfStack | Stop::NoMemory(_))) => return Ok(true),
            Err(Halt::Stop(_)) => return Ok(false),
            Err(needs) => return Err(needs),
        };
        let (was_called, sp) = (!caller.interrupted, next.sp);
        let Some(caller) = Frame::new(process, caller) else { return Ok(false) };
        let return_address = caller.registers.instruction_pointer().unwrap_or_default();
        if caller.registers.stack_pointer() <= Some(sp)
            || was_called && evidence(process, return_address, cpu)? == Evidence::Refuted
            || was_called && !may_have_called(process, &caller, &frame)
        {
            return Ok(false);
        }
        callee = Some(std::mem::replace(&mut frame, caller));
    }
    Ok(true)
}

/// Whether the call to which `callee` returns can have entered its function. (A function entered by a jump from the one
/// that was called, in the same module, is taken for an accident: a frame is missed then, not made up.)
fn may_have_called(process: &dyn Process, caller: &Frame, callee: &Frame) -> bool {
    let return_address = caller.registers.instruction_pointer().unwrap_or_default();
    let target = match destination_of_call(process, return_address, caller.registers.cpu()) {
        Destination::Unknown => return true,
        // A module does not import from itself.
        Destination::Elsewhere => return caller.module != callee.module,
        Destination::Code(target) => target,
    };
    if process.module_at(target).map(|module| module.index) != callee.module {
        return true;
    }
    match (function_of(process, target), function_of(process, callee.lookup_address)) {
        (Some(called), Some(entered)) => called == entered,
        _ => target <= callee.lookup_address,
    }
}

/// Start of the function that covers `address`, by the exception directory, else by debug information.
fn function_of(process: &dyn Process, address: u64) -> Option<Rva> {
    let module = process.module_at(address)?;
    let rva = Rva::of(address, module.base)?;
    if let Known::Yes(tables) = process.unwind_tables(module.index)
        && let Some(function) = RuntimeFunction::covering(tables.exception_directory(), rva)
    {
        return Some(function.primary(tables).start);
    }
    match process.debug_info(module.index) {
        Known::Yes(debug) => debug.function_at(rva).map(|function| function.start),
        _ => None,
    }
}
