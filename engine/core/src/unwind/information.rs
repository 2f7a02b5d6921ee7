//! Callers by unwind information: what compilers and linkers tell about frames.

use super::step::{Halt, Position, Step};
use super::{Known, Wanted, x64, x86};
use crate::registers::Cpu;

/// The caller by the unwind information of the frame's module, which is asked for if nobody has looked for it yet: the
/// image on x64, the debug information on x86. `None` if there is none.
pub(super) fn caller(position: &Position) -> Step {
    match position.cpu() {
        Cpu::X64 => by_image(position),
        Cpu::X86 => by_debug_info(position),
        Cpu::Arm64 => Ok(None),
    }
}

fn by_image(position: &Position) -> Step {
    let Some(module) = position.process.module_at(position.ip) else { return Ok(None) };
    match position.process.unwind_tables(module.index) {
        Known::NotAsked => Err(Halt::Needs(Wanted::Image(module.index))),
        Known::No => Ok(None),
        Known::Yes(tables) => x64::caller(position, module, tables),
    }
}

fn by_debug_info(position: &Position) -> Step {
    let Some(module) = position.process.module_at(position.ip) else { return Ok(None) };
    let debug = match position.process.debug_info(module.index) {
        Known::NotAsked => return Err(Halt::Needs(Wanted::DebugInfo(module.index))),
        Known::No => None,
        Known::Yes(debug) => Some(debug),
    };
    if let Some(caller) = x86::at_entry(position, module, debug)? {
        return Ok(Some(caller));
    }
    match debug {
        Some(debug) => x86::caller(position, module, debug),
        None => Ok(None),
    }
}
