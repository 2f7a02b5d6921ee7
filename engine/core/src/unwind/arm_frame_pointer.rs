//! The chain of frame pointers on 32-bit ARM, which has more than one convention.
//!
//! | code | register | what it points at |
//! | --- | --- | --- |
//! | AAPCS frame records: clang and new compilers, ARM | R11 | the caller's R11, above it the return address |
//! | the same, Thumb: clang on Android and Linux, all code of iOS | R7 | the caller's R7, above it the return address |
//! | GCC, ARM (`push {fp, lr}`; `add fp, sp, #4`) | R11 | the return address, below it the caller's R11 |
//!
//! GCC's R7 in Thumb code points at the lowest byte of the frame and leads nowhere; nor is the frame of the old APCS
//! (`-mapcs-frame`: R11 points at a saved program counter) followed. A function that keeps no frame pointer uses either
//! register as it likes: what they hold is believed if a call ends where the return address points or, where code cannot
//! be read, if the chain goes on.
//!
//! Source: Procedure Call Standard for the Arm Architecture, section 6.4, "The frame pointer"; Apple, "iOS ABI Function
//! Call Guide"; GCC, `config/arm/arm.cc`, `arm_expand_prologue`.

use super::code_bytes::{Evidence, evidence};
use super::step::{Halt, Position, Step};
use super::{Stop, Trust};
use crate::registers::{Register, RegisterSet, arm};

/// A convention: where the two words are, from the register's value on.
struct Convention {
    register: Register,
    saved_offset: i64,
    return_offset: i64,
}

const CONVENTIONS: [Convention; 3] = [
    Convention { register: arm::FP, saved_offset: 0, return_offset: 4 },
    Convention { register: arm::FP, saved_offset: -4, return_offset: 0 },
    Convention { register: arm::R7, saved_offset: 0, return_offset: 4 },
];

/// Two words on the stack that a function's prologue pushed.
struct Link {
    /// The caller's frame pointer.
    saved: u64,
    /// With the bit of its state.
    return_address: u64,
    /// Of the return address.
    slot: u64,
}

/// The caller by the frame pointers: of links that can be believed, the lowest, since the others are of functions further
/// out. What a record without any address says is that the stack ends.
pub(super) fn caller(position: &Position) -> Step {
    let mut best: Option<(Link, Register)> = None;
    let mut ends = false;
    for convention in &CONVENTIONS {
        let Some(value) = position.frame.registers.get(convention.register) else { continue };
        let Some(link) = link(position, convention, value) else { continue };
        if link.return_address == 0 {
            ends |= link.saved == 0;
            continue;
        }
        let is_lowest = best.as_ref().is_none_or(|(best, _)| link.slot < best.slot);
        if is_lowest && is_believed(position, convention, &link)? {
            best = Some((link, convention.register));
        }
    }
    let Some((link, register)) = best else {
        return if ends { Err(Halt::Stop(Stop::EndOfStack)) } else { Ok(None) };
    };
    let mut registers = RegisterSet::new(position.cpu());
    registers.set(register, link.saved);
    position.caller(registers, link.return_address, link.slot.wrapping_add(4), Trust::FramePointer)
}

/// The link at `value`, if it lies in the stack and leads up it.
fn link(position: &Position, convention: &Convention, value: u64) -> Option<Link> {
    let saved_slot = value.wrapping_add_signed(convention.saved_offset);
    if saved_slot < position.sp || !value.is_multiple_of(4) {
        return None;
    }
    let slot = value.wrapping_add_signed(convention.return_offset);
    let (saved, return_address) = (position.word(saved_slot).ok()?, position.word(slot).ok()?);
    (saved == 0 || saved > value).then_some(Link { saved, return_address, slot })
}

fn is_believed(position: &Position, convention: &Convention, link: &Link) -> Result<bool, Halt> {
    match evidence(position.process, link.return_address, position.cpu())? {
        Evidence::Refuted => Ok(false),
        Evidence::Unchecked if link.saved == 0 => Ok(true),
        Evidence::Unchecked => {
            let Some(next) = self::link(position, convention, link.saved) else { return Ok(false) };
            let ends = next.return_address == 0 && next.saved == 0;
            Ok(ends || evidence(position.process, next.return_address, position.cpu())? != Evidence::Refuted)
        }
        Evidence::IndirectCall | Evidence::DirectCall(_) => Ok(true),
    }
}
