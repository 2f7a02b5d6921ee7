//! ARM64 and ARM functions without unwind information that still have their return address in the link register.
//!
//! The link register of a thread that was stopped is the return address only if nothing has been called since the
//! function was entered; else it is a place in the function itself. So the instructions decide, not the value.

use super::arm_instructions;
use super::arm64_instructions::{self, Meaning};
use super::code_bytes::{Evidence, evidence};
use super::step::{Position, Step};
use super::{Known, Trust};
use crate::address::Rva;
use crate::registers::{Cpu, RegisterSet, arm, arm64};

/// Instructions followed on the way to the return.
const MOST_AHEAD: usize = 64;
/// Instructions between the start of the function and where it was stopped.
const MOST_BEHIND: u64 = 1024;

/// The caller, if the frame is the innermost and its link register can be believed.
pub(super) fn caller(position: &Position) -> Step {
    let Some(register) = position.cpu().link_register().filter(|_| position.is_exact()) else { return Ok(None) };
    let link = position.frame.registers.get(register);
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
    let registers = if moved == 0 { position.preserved_registers() } else { frame_pointers(position, sp) };
    position.caller(registers, address, sp, Trust::Cfi)
}

/// What is known of the registers of a caller whose stack pointer is `sp`, where the function has taken stack: that was
/// to save registers, which may hold anything now. Only a frame pointer that still leads above, or that the function
/// has made point at where it saved its caller's, can be told.
fn frame_pointers(position: &Position, sp: u64) -> RegisterSet {
    let (candidates, saved_offsets): (&[_], &[i64]) = match position.cpu() {
        // (GCC's R11 may point above the caller's.)
        Cpu::Arm => (&[arm::FP, arm::R7], &[0, -4]),
        _ => (&[arm64::FP], &[0]),
    };
    let mut registers = RegisterSet::new(position.cpu());
    for &register in candidates {
        let Some(value) = position.frame.registers.get(register).filter(|&value| value >= position.sp) else {
            continue;
        };
        let mut saved = saved_offsets.iter().filter_map(|&offset| {
            let slot = value.wrapping_add_signed(offset);
            position.word(slot).ok().filter(|&word| slot >= position.sp && word >= sp)
        });
        let of_caller = if value >= sp { Some(value) } else { saved.next() };
        if let Some(of_caller) = of_caller.filter(|&pointer| position.is_near_above(pointer)) {
            registers.set(register, of_caller);
        }
    }
    registers
}

/// Whether execution runs straight into a return, as system call stubs (`svc`, `ret`) and most leaf functions do.
fn runs_into_return(position: &Position) -> bool {
    let Some(mut pointer) = with_state(position, position.ip) else { return false };
    for step in 0..MOST_AHEAD {
        match meaning_at(position, pointer) {
            Some((Meaning::Return, _)) => return true,
            Some((Meaning::Jump(target), _)) => pointer = target,
            Some((Meaning::Other, bytes)) => pointer = pointer.wrapping_add(bytes),
            // One that was hit; anywhere else it is padding.
            Some((Meaning::Breakpoint, bytes)) if step == 0 => pointer = pointer.wrapping_add(bytes),
            _ => return false,
        }
    }
    false
}

/// A pointer to code of the frame's function: on ARM with the bit of its state, if that is known.
fn with_state(position: &Position, address: u64) -> Option<u64> {
    if position.cpu() != Cpu::Arm {
        return Some(address);
    }
    let is_thumb = position.frame.registers.get(arm::CPSR)? & arm::CPSR_THUMB != 0;
    Some(if is_thumb { address | arm::THUMB_BIT } else { address & !arm::THUMB_BIT })
}

/// The instruction at `pointer`, and how many bytes it has.
fn meaning_at(position: &Position, pointer: u64) -> Option<(Meaning, u64)> {
    match position.cpu() {
        Cpu::Arm64 => arm64_instructions::meaning_at(position.process, pointer).map(|meaning| (meaning, 4)),
        Cpu::Arm => arm_instructions::meaning_at(position.process, pointer),
        Cpu::X86 | Cpu::X64 => None,
    }
}

/// How far the stack pointer has moved since the function was entered, if its start is known and everything in between
/// leaves the link register alone.
fn moved_since_entry(position: &Position, seen: Evidence) -> Option<i64> {
    let start = function_start(position).or(match seen {
        Evidence::DirectCall(target) => Some(target),
        _ => None,
    })?;
    let (mut pointer, mut moved) = (start, 0_i64);
    for _ in 0..MOST_BEHIND {
        let address = position.cpu().code_address(pointer);
        if address >= position.ip {
            return (address == position.ip).then_some(moved);
        }
        let (meaning, bytes) = meaning_at(position, pointer)?;
        match meaning {
            Meaning::MovesStack(bytes) => moved = moved.wrapping_add(bytes),
            Meaning::Other | Meaning::Conditional => {}
            // What follows is reached by a branch from before the frame was taken down.
            _ => return None,
        }
        pointer = pointer.wrapping_add(bytes);
    }
    None
}

/// Where the frame's function starts, by debug information that is here already.
fn function_start(position: &Position) -> Option<u64> {
    let module = position.process.module_at(position.ip)?;
    let Known::Yes(debug) = position.process.debug_info(module.index) else { return None };
    let function = debug.function_at(Rva::of(position.ip, module.base)?)?;
    with_state(position, function.start.at(module.base))
}
