//! The chain of frame pointers: at EBP, RBP or X29 the caller's frame pointer, above it the return address.

use super::code_bytes::{Evidence, evidence, is_in_function};
use super::scan;
use super::step::{Halt, Position, Step};
use super::{Stop, Trust};
use crate::registers::{Cpu, RegisterSet};

/// The caller by the frame pointer.
///
/// The saved frame pointer must lie above this one (or be 0: the outermost). On x86 and ARM64 frame pointers are the
/// custom, and a return address in a module of which nothing is known is believed; on ARM64 the two words may lie
/// anywhere in the frame, so that the caller's stack pointer is at least what it is said to be. On x64 they are not: RBP is any register to most
/// code, so a call must be seen, or debug information must vouch, and a call seen below it wins.
pub(super) fn caller(position: &Position) -> Step {
    let cpu = position.cpu();
    let width = cpu.pointer_size_bytes() as u64;
    let Some(base) = position.frame.registers.frame_pointer() else { return Ok(None) };
    if base < position.sp || base % width != 0 {
        return Ok(None);
    }
    let slot = base.wrapping_add(width);
    let (Ok(saved), Ok(address)) = (position.word(base), position.word(slot)) else { return Ok(None) };
    let address = address & position.process.code_address_mask();
    if saved != 0 && saved <= base {
        return Ok(None);
    }
    if address == 0 {
        // The outermost frame has neither; on x64 a zero above any zero proves nothing.
        let outermost = saved == 0 && cpu != Cpu::X64;
        return if outermost { Err(Halt::Stop(Stop::EndOfStack)) } else { Ok(None) };
    }
    let seen = evidence(position.process, address, cpu)?;
    if seen == Evidence::Refuted {
        return Ok(None);
    }
    if cpu == Cpu::X64 {
        let words = slot.wrapping_sub(position.sp) / width;
        if words > scan::FIRST_WINDOW_WORDS || scan::find(position, position.sp, words)?.is_some() {
            return Ok(None);
        }
        if !seen.is_call() && !is_in_function(position.process, address)? {
            return Ok(None);
        }
    }
    let mut registers = RegisterSet::new(cpu);
    registers.set(cpu.frame_pointer(), saved);
    position.caller(registers, address, slot.wrapping_add(width), Trust::FramePointer)
}
