//! Callers by unwind information: what compilers and linkers tell about frames.

use super::step::{Halt, Position, Step};
use super::{Frame, Known, ModuleRange, PlacedTables, Process, UnwindTables, Wanted, arm64, cfi, x64, x86};
use crate::address::Rva;
use crate::debuginfo::DebugInfo;
use crate::registers::Cpu;

/// The caller by the unwind information of the frame's module, whose files are asked for as they are needed. `None` if
/// there is none.
///
/// | processor | in this order |
/// | --- | --- |
/// | x64, ARM64 | the image's exception directory if it has one, else its call frame information, else that of the debug information |
/// | x64, ARM64, outside of modules | tables that the process registered |
/// | ARM | call frame information of the image, of the debug information |
/// | x86 | frame data and FPO of the debug information, call frame information of the image, of the debug information |
pub(super) fn caller(position: &Position) -> Step {
    let Some(module) = position.process.module_at(position.ip) else { return by_registered_tables(position) };
    if position.cpu() == Cpu::X86 {
        let debug = debug_info(position, module)?;
        if let Some(caller) = x86::at_entry(position, module, debug)? {
            return Ok(Some(caller));
        }
        if let Some(debug) = debug
            && let Some(caller) = x86::caller(position, module, debug)?
        {
            return Ok(Some(caller));
        }
    }
    by_image(position, module)
}

fn by_image(position: &Position, module: ModuleRange) -> Step {
    let Some(tables) = tables(position, module)? else { return by_debug_info(position, module) };
    // (x86 has no such directory; one that says so has something else there. ARM's is not read.)
    if matches!(position.cpu(), Cpu::X64 | Cpu::Arm64) && !tables.exception_directory().is_empty() {
        return by_directory(position, PlacedTables { base: module.base, size_bytes: module.size_bytes, tables });
    }
    let row = lookup(position, module).and_then(|rva| tables.cfi_at(rva));
    if let Some(row) = row
        && let Some(caller) = cfi::caller(position, &row)?
    {
        return Ok(Some(caller));
    }
    by_debug_info(position, module)
}

/// The caller by the tables of code that was made at run time.
fn by_registered_tables(position: &Position) -> Step {
    let tables = position.process.registered_tables(position.frame.lookup_address);
    tables.map_or(Ok(None), |tables| by_directory(position, tables))
}

fn by_directory(position: &Position, tables: PlacedTables<'_>) -> Step {
    match position.cpu() {
        Cpu::X86 | Cpu::Arm => Ok(None),
        Cpu::X64 => x64::caller(position, tables),
        Cpu::Arm64 => arm64::caller(position, tables),
    }
}

fn by_debug_info(position: &Position, module: ModuleRange) -> Step {
    let debug = debug_info(position, module)?;
    let row = debug.zip(lookup(position, module)).and_then(|(debug, rva)| debug.cfi_at(rva));
    row.map_or(Ok(None), |row| cfi::caller(position, &row))
}

/// The canonical frame address of a frame by the call frame information of its own code, whether or not it has a caller.
pub fn canonical_frame_address(process: &dyn Process, frame: &Frame) -> Option<u64> {
    let position = Position::of(process, frame, None)?;
    let module = process.module_at(position.ip)?;
    let rva = lookup(&position, module)?;
    let of_image = || tables(&position, module).ok()??.cfi_at(rva);
    let row = of_image().or_else(|| debug_info(&position, module).ok()??.cfi_at(rva))?;
    cfi::canonical_frame_address(&position, &row.cfa).filter(|&cfa| cfa >= position.sp)
}

fn lookup(position: &Position, module: ModuleRange) -> Option<Rva> {
    Rva::of(position.frame.lookup_address, module.base)
}

fn tables<'a>(position: &'a Position, module: ModuleRange) -> Result<Option<&'a dyn UnwindTables>, Halt> {
    match position.process.unwind_tables(module.index) {
        Known::NotAsked => Err(Halt::Needs(Wanted::Image(module.index))),
        Known::No => Ok(None),
        Known::Yes(tables) => Ok(Some(tables)),
    }
}

fn debug_info<'a>(position: &'a Position, module: ModuleRange) -> Result<Option<&'a dyn DebugInfo>, Halt> {
    match position.process.debug_info(module.index) {
        Known::NotAsked => Err(Halt::Needs(Wanted::DebugInfo(module.index))),
        Known::No => Ok(None),
        Known::Yes(debug) => Ok(Some(debug)),
    }
}
