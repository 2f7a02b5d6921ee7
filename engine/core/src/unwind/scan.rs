//! The last resort: words on the stack that look like return addresses.
//!
//! A stack is full of return addresses of calls that are long over: a frame of `WaitForMultipleObjectsEx` has 0x290
//! bytes, most of them never written, and in them stand half a dozen pointers into code. So a word counts only
//! if a call instruction ends exactly where it points, and if that call can have led to where we are. Words
//! that point into modules whose code cannot be read prove nothing; they are passed over, and a frame may be missed
//! rather than made up. Only where debug information (but no code) vouches for a word, and no call was seen in the
//! whole window, is that word taken.

use super::code_bytes::{Evidence, evidence, is_in_function, may_be_thunk};
use super::step::{Halt, Position, Step};
use super::{Trust, consistency};
use crate::registers::{Cpu, RegisterSet};

/// Words looked at above an interrupted frame, which may be anywhere in its function.
pub(super) const FIRST_WINDOW_WORDS: u64 = 1024;
/// Words looked at above a caller.
const WINDOW_WORDS: u64 = 256;
/// Words looked at for an address that only debug information vouches for.
const UNSEEN_CODE_WINDOW_WORDS: u64 = 40;

/// The caller by the first word in the window that is a return address.
pub(super) fn caller(position: &Position) -> Step {
    let words = if position.is_exact() { FIRST_WINDOW_WORDS } else { WINDOW_WORDS };
    // If not even one word is there, the reason is missing memory.
    position.word(position.sp)?;
    match find(position, position.sp, words)? {
        Some((slot, address)) => accept(position, slot, address),
        None => Ok(None),
    }
}

/// The first word of the `words` from `start` on that is a return address, with its place.
pub(super) fn find(position: &Position, start: u64, words: u64) -> Result<Option<(u64, u64)>, Halt> {
    let cpu = position.cpu();
    let width = cpu.pointer_size_bytes() as u64;
    let mut unchecked = Vec::new();
    for index in 0..words {
        let slot = start.wrapping_add(index * width);
        let Some(word) = position.process.read_pointer(slot, cpu) else { break };
        let address = word & position.process.code_address_mask();
        let seen = if address == 0 { Evidence::Refuted } else { evidence(position.process, address, cpu)? };
        if is_captured_address(position, address) {
            continue;
        }
        if seen.is_call() && leads_here(position, seen) && is_consistent(position, slot, address)? {
            return Ok(Some((slot, address)));
        }
        if seen == Evidence::Unchecked && index < UNSEEN_CODE_WINDOW_WORDS {
            unchecked.push((slot, address));
        }
    }
    for (slot, address) in unchecked {
        if is_in_function(position.process, address)? {
            return Ok(Some((slot, address)));
        }
    }
    Ok(None)
}

/// Whether the frames above agree. On ARM64 and ARM that cannot be tried: above the saved link register lies the rest of the
/// callee's frame, and where that ends is not known.
fn is_consistent(position: &Position, slot: u64, address: u64) -> Result<bool, Halt> {
    Ok(position.cpu().link_register().is_some() || consistency::holds(position, slot, address)?)
}

/// Folklore: a program that reports an error of its own (the C runtime at an invalid parameter, Breakpad's
/// `WriteMinidump`) makes a context whose instruction pointer is its caller's return address, and whose stack pointer
/// may still point at the word that holds it (`invalid-parameter.dmp` of rust-minidump). That word is where we are, not
/// who called.
fn is_captured_address(position: &Position, address: u64) -> bool {
    position.is_exact() && position.cpu().code_address(address) == position.ip
}

/// Whether a call that was seen can have led to the frame at `position`.
///
/// Situation: `main` called `foo`, which called `bar`; both returned; now `main` has called `Sleep`. In the unwritten
/// part of `Sleep`'s frame stands the return address into `foo`, and the frame above it is `main`'s: all consistent,
/// and wrong. But `foo` called `bar` by its address, in its own module, and `bar` is no thunk: from there no one gets
/// to `Sleep`. A call that leaves its module goes through a pointer or a thunk.
pub(super) fn leads_here(position: &Position, seen: Evidence) -> bool {
    let Evidence::DirectCall(target) = seen else { return true };
    let module = position.process.module_at(target).map(|module| module.index);
    let same_module = module == position.frame.module;
    same_module && position.cpu().code_address(target) <= position.ip
        || may_be_thunk(position.process, target, position.cpu())
}

/// The caller that returns to `address`, which was found at `slot`. Of its registers only EBP or X29 can be had.
fn accept(position: &Position, slot: u64, address: u64) -> Step {
    let cpu = position.cpu();
    let width = cpu.pointer_size_bytes() as u64;
    let sp = slot.wrapping_add(width);
    let mut registers = RegisterSet::new(cpu);
    let base = match cpu {
        Cpu::X86 => pushed_frame_pointer(position, slot)?,
        // (ARM: which register was saved there depends on the state of the code and on the compiler.)
        Cpu::X64 | Cpu::Arm => None,
        // The two are saved as a pair. What is no frame pointer leads nowhere.
        Cpu::Arm64 => position.process.read_u64(slot.wrapping_sub(8)).filter(|&base| base > slot && base % 8 == 0),
    };
    if let Some(base) = base {
        registers.set(cpu.frame_pointer(), base);
    }
    position.caller(registers, address, sp, Trust::Scan)
}

/// EBP in the caller, if the word below its return address is it: folklore of Breakpad, for functions that push EBP
/// first and use it for other things. It must point at a frame: a saved EBP above it and a return address.
fn pushed_frame_pointer(position: &Position, slot: u64) -> Result<Option<u64>, Halt> {
    let word = |address: u64| position.process.read_u32(address).map(u64::from);
    let Some(base) = word(slot.wrapping_sub(4)).filter(|&base| slot > position.sp && base > slot) else {
        return Ok(None);
    };
    let (Some(saved), Some(address)) = (word(base), word(base.wrapping_add(4))) else { return Ok(None) };
    let leads_up = saved == 0 || saved > base;
    let is_frame = leads_up && evidence(position.process, address, Cpu::X86)? > Evidence::Refuted;
    Ok(is_frame.then_some(base))
}
