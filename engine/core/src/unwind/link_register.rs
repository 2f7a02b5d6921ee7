//! ARM64 functions without unwind information that still have their return address in the link register.
//!
//! The link register of a thread that was stopped is the return address only if nothing has been called since the
//! function was entered; else it is a place in the function itself. So the instructions decide, not the value.

use super::arm64_instructions::{Meaning, meaning_at};
use super::code_bytes::{Evidence, evidence};
use super::step::{Position, Step};
use super::{Known, Trust};
use crate::address::Rva;
use crate::registers::arm64;

/// Instructions followed on the way to the return.
const MOST_AHEAD: usize = 64;
/// Instructions between the start of the function and where it was stopped.
const MOST_BEHIND: u64 = 1024;

/// The caller, if the frame is the innermost and its link register can be believed.
pub(super) fn caller(position: &Position) -> Step {
    let link = position.frame.registers.get(arm64::LR).filter(|_| position.is_exact());
    let Some(address) = link.map(|link| link & position.process.code_address_mask()).filter(|&link| link != 0) else {
        return Ok(None);
    };
    let seen = evidence(position.process, address, position.cpu())?;
    if seen == Evidence::Refuted {
        return Ok(None);
    }
    let moved = if runs_into_return(position) { Some(0) } else { moved_since_entry(position, seen) };
    let Some(moved) = moved.filter(|&moved| moved <= 0) else { return Ok(None) };
    let sp = position.sp.wrapping_add(moved.unsigned_abs());
    position.caller(position.preserved_registers(), address, sp, Trust::Cfi)
}

/// Whether execution runs straight into a return, as system call stubs (`svc`, `ret`) and most leaf functions do.
fn runs_into_return(position: &Position) -> bool {
    let mut ip = position.ip;
    for step in 0..MOST_AHEAD {
        match meaning_at(position.process, ip) {
            Some(Meaning::Return) => return true,
            Some(Meaning::Jump(target)) => ip = target,
            Some(Meaning::Other) => ip = ip.wrapping_add(4),
            // One that was hit; anywhere else it is padding.
            Some(Meaning::Breakpoint) if step == 0 => ip = ip.wrapping_add(4),
            _ => return false,
        }
    }
    false
}

/// How far the stack pointer has moved since the function was entered, if its start is known and everything in between
/// leaves the link register alone.
fn moved_since_entry(position: &Position, seen: Evidence) -> Option<i64> {
    let start = function_start(position).or(match seen {
        Evidence::DirectCall(target) => Some(target),
        _ => None,
    })?;
    let instructions = position.ip.checked_sub(start)? / 4;
    if instructions > MOST_BEHIND {
        return None;
    }
    let mut moved = 0_i64;
    for index in 0..instructions {
        match meaning_at(position.process, start.wrapping_add(4 * index))? {
            Meaning::MovesStack(bytes) => moved = moved.wrapping_add(bytes),
            Meaning::Other | Meaning::Conditional => {}
            // What follows is reached by a branch from before the frame was taken down.
            _ => return None,
        }
    }
    Some(moved)
}

/// Where the frame's function starts, by debug information that is here already.
fn function_start(position: &Position) -> Option<u64> {
    let module = position.process.module_at(position.ip)?;
    let Known::Yes(debug) = position.process.debug_info(module.index) else { return None };
    let function = debug.function_at(Rva::of(position.ip, module.base)?)?;
    Some(function.start.at(module.base))
}
