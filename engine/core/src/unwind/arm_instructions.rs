//! 32-bit ARM instructions of both states, as far as return addresses and the stack pointer go.
//!
//! Pointers to code carry the state in their lowest bit: set, Thumb instructions are there (2 or 4 bytes each); clear,
//! ARM instructions (4 bytes).
//!
//! Source: Arm Architecture Reference Manual, ARMv7-A and ARMv7-R, chapters A5 ("ARM Instruction Set Encoding") and A6
//! ("Thumb Instruction Set Encoding").

use super::Process;
use super::arm64_instructions::Meaning;
use super::code_bytes::{Evidence, read_code};
use super::step::is_code;
use crate::registers::arm::THUMB_BIT;

const STACK: u32 = 13;
const LINK: u32 = 14;
const PROGRAM_COUNTER: u32 = 15;
/// `mov lr, pc`: before a jump, what calls were before ARMv5.
const LINK_BY_HAND: u32 = 0xe1a0_e00f;

/// The instruction at `pointer`, if it can be read, and how many bytes it has.
pub(super) fn meaning_at(process: &dyn Process, pointer: u64) -> Option<(Meaning, u64)> {
    if pointer & THUMB_BIT == 0 {
        return Some((arm(word_at(process, pointer)?, pointer), 4));
    }
    let address = pointer & !THUMB_BIT;
    let first = half_at(process, address)?;
    // 0b11101, 0b11110 and 0b11111 begin an instruction of two halves.
    if first < 0xe800 {
        return Some((thumb(first, address), 2));
    }
    let second = half_at(process, address.wrapping_add(2))?;
    Some((wide_thumb(first, second, address), 4))
}

/// What the code before `pointer` says about its being a return address; None if it cannot be read.
pub(super) fn call_before(process: &dyn Process, pointer: u64) -> Option<Evidence> {
    let before = |bytes: u64| meaning_at(process, pointer.wrapping_sub(bytes));
    if pointer & THUMB_BIT != 0 {
        // The second half of a `bl` is no `blx register`.
        return match (before(2)?, before(4)) {
            ((Meaning::IndirectCall, 2), _) => Some(Evidence::IndirectCall),
            (_, Some((Meaning::Call(target), 4))) if is_code(process, target) => Some(Evidence::DirectCall(target)),
            _ => Some(Evidence::Refuted),
        };
    }
    if !pointer.is_multiple_of(4) {
        return Some(Evidence::Refuted);
    }
    match before(4)?.0 {
        Meaning::Call(target) if is_code(process, target) => Some(Evidence::DirectCall(target)),
        Meaning::IndirectCall => Some(Evidence::IndirectCall),
        Meaning::IndirectJump if word_at(process, pointer.wrapping_sub(8)) == Some(LINK_BY_HAND) => {
            Some(Evidence::IndirectCall)
        }
        _ => Some(Evidence::Refuted),
    }
}

/// Whether the code at `pointer` jumps on to where a pointer leads, after computing that pointer's place: an entry of a
/// procedure linkage table (`add`, `add`, `ldr pc`), perhaps after a change of state (`bx pc`). True if it cannot be read.
pub(super) fn may_be_thunk(process: &dyn Process, pointer: u64) -> bool {
    let mut pointer = pointer;
    for _ in 0..4 {
        match meaning_at(process, pointer) {
            None | Some((Meaning::Jump(_) | Meaning::IndirectJump, _)) => return true,
            Some((Meaning::Other, bytes)) => pointer = pointer.wrapping_add(bytes),
            Some(_) => return false,
        }
    }
    false
}

fn half_at(process: &dyn Process, address: u64) -> Option<u32> {
    let mut bytes = [0; 2];
    (read_code(process, address, &mut bytes) == 2).then(|| u16::from_le_bytes(bytes).into())
}

fn word_at(process: &dyn Process, address: u64) -> Option<u32> {
    let mut bytes = [0; 4];
    let is_there = address.is_multiple_of(4) && read_code(process, address, &mut bytes) == 4;
    is_there.then(|| u32::from_le_bytes(bytes))
}

/// An ARM instruction.
fn arm(word: u32, address: u64) -> Meaning {
    const ALWAYS: u32 = 0xe;
    let condition = word >> 28;
    if condition == 0xf {
        // blx to Thumb code, at a half that bit 24 chooses.
        let is_call = word & 0x0e00_0000 == 0x0a00_0000;
        let target = relative(address, 8, signed(word, 24) * 4 + i64::from(word >> 24 & 1) * 2);
        return if is_call { Meaning::Call(target | THUMB_BIT) } else { Meaning::Other };
    }
    let meaning = match word & 0x0fff_ffff {
        it if it & 0x0f00_0000 == 0x0b00_0000 => Meaning::Call(relative(address, 8, signed(it, 24) * 4)),
        it if it & 0x0f00_0000 == 0x0a00_0000 => Meaning::Jump(relative(address, 8, signed(it, 24) * 4)),
        it if it & 0x0fff_fff0 == 0x012f_ff30 => Meaning::IndirectCall,
        0x012f_ff1e | 0x01a0_f00e => Meaning::Return, // bx lr; mov pc, lr
        it if it & 0x0fff_fff0 == 0x012f_ff10 => Meaning::IndirectJump,
        it if it & 0x0fff_0000 == 0x092d_0000 => pushed(it & 0xffff),
        it if it & 0x0fff_0fff == 0x052d_0004 => Meaning::MovesStack(-4), // str register, [sp, #-4]!
        it if it & 0x0fbf_0e00 == 0x0d2d_0a00 => Meaning::MovesStack(-4 * i64::from(it & 0xff)), // vpush
        it if it & 0x0fff_f000 == 0x024d_d000 => Meaning::MovesStack(-rotated_byte(it)),
        it if it & 0x0fff_f000 == 0x028d_d000 => Meaning::MovesStack(rotated_byte(it)),
        it => changes_by_arm(it),
    };
    match meaning {
        Meaning::Jump(_) | Meaning::IndirectJump | Meaning::Return if condition != ALWAYS => Meaning::Conditional,
        Meaning::MovesStack(_) if condition != ALWAYS => Meaning::ChangesLinkOrStack,
        meaning => meaning,
    }
}

/// Whether an ARM instruction of no special form writes the registers that matter.
fn changes_by_arm(word: u32) -> Meaning {
    let is_load = word & (1 << 20) != 0;
    let (base, first) = (word >> 16 & 15, word >> 12 & 15);
    let writes_back = word & (1 << 21) != 0 || word & (1 << 24) == 0;
    match word >> 25 & 7 {
        // Loads and stores of halves and pairs: bits 7 and 4 are set, and 6 or 5.
        0 if word & 0x90 == 0x90 && word & 0x60 != 0 && writes_back && base == STACK => Meaning::ChangesLinkOrStack,
        0 | 1 => data_processing(word),
        2 if writes_back && base == STACK => Meaning::ChangesLinkOrStack,
        3 if word & 0x10 != 0 => of_either(base, first), // media instructions
        3 if writes_back && base == STACK => Meaning::ChangesLinkOrStack,
        2 | 3 if is_load => of_written(first),
        // Several registers.
        4 if word & (1 << 21) != 0 && base == STACK => Meaning::ChangesLinkOrStack,
        4 if is_load && word & (1 << STACK | 1 << LINK | 1 << PROGRAM_COUNTER) != 0 => Meaning::ChangesLinkOrStack,
        // Coprocessors: vpop; a transfer to a register, whose number 15 stands for the flags.
        6 if writes_back && base == STACK => Meaning::ChangesLinkOrStack,
        7 if word & 0x10 != 0 && is_load => of_either(first, first),
        _ => Meaning::Other,
    }
}

fn data_processing(word: u32) -> Meaning {
    let (high, low) = (word >> 16 & 15, word >> 12 & 15);
    match word {
        _ if word & 0x0f00_00f0 == 0x0000_0090 => of_either(high, low), // multiplications
        _ if word & 0x0ff0_00f0 == 0x0120_0070 => Meaning::Breakpoint,
        // Hints and `msr`, of an immediate and of a register.
        _ if word & 0x0fb0_f000 == 0x0320_f000 || word & 0x0fb0_f0f0 == 0x0120_f000 => Meaning::Other,
        // tst, teq, cmp, cmn.
        _ if word & 0x0190_0000 == 0x0110_0000 && word & 0x0200_0090 != 0x90 => Meaning::Other,
        _ => of_written(low),
    }
}

/// A Thumb instruction of 2 bytes.
fn thumb(half: u32, address: u64) -> Meaning {
    let pointer = |offset| relative(address, 4, offset) | THUMB_BIT;
    let high_register = half >> 4 & 8 | half & 7;
    match half {
        0x4770 | 0x46f7 => Meaning::Return, // bx lr; mov pc, lr
        _ if half & 0xff87 == 0x4780 => Meaning::IndirectCall,
        _ if half & 0xff87 == 0x4700 => Meaning::IndirectJump,
        // add and mov of registers from R8 on.
        _ if half & 0xfd00 == 0x4400 => of_written(high_register),
        _ if half & 0xff80 == 0xb080 => Meaning::MovesStack(-4 * i64::from(half & 0x7f)),
        _ if half & 0xff80 == 0xb000 => Meaning::MovesStack(4 * i64::from(half & 0x7f)),
        _ if half & 0xfe00 == 0xb400 => pushed(half & 0xff | (half & 0x100) << 6),
        _ if half & 0xff00 == 0xbc00 => Meaning::MovesStack(4 * i64::from((half & 0xff).count_ones())),
        _ if half & 0xff00 == 0xbd00 => Meaning::ChangesLinkOrStack, // pop of PC
        _ if half & 0xff00 == 0xbe00 => Meaning::Breakpoint,
        // it: what follows may be left out.
        _ if half & 0xff00 == 0xbf00 && half & 0x000f != 0 => Meaning::Conditional,
        _ if half & 0xf500 == 0xb100 => Meaning::Conditional, // cbz, cbnz
        // 0xde and 0xdf are an undefined instruction and the system call.
        _ if half & 0xf000 == 0xd000 && half & 0x0f00 < 0x0e00 => Meaning::Conditional,
        _ if half & 0xff00 == 0xde00 => Meaning::Breakpoint,
        _ if half & 0xf800 == 0xe000 => Meaning::Jump(pointer(signed(half, 11) * 2)),
        _ => Meaning::Other,
    }
}

/// A Thumb instruction of two halves.
fn wide_thumb(first: u32, second: u32, address: u64) -> Meaning {
    if first & 0xf800 == 0xf000 && second & 0x8000 != 0 {
        return wide_branch(first, second, address);
    }
    match (first, second) {
        (0xe92d, _) => pushed(second),
        (0xf84d, _) if second & 0x0fff == 0x0d04 => Meaning::MovesStack(-4), // str register, [sp, #-4]!
        _ if first & 0xffbf == 0xed2d && second & 0x0e00 == 0x0a00 => {
            Meaning::MovesStack(-4 * i64::from(second & 0xff))
        }
        // sub.w, subw; add.w, addw: of and to the stack pointer.
        _ if second & 0x8f00 == 0x0d00 && [0xf1ad, 0xf2ad].contains(&(first & 0xfbff)) => moved_by(first, second, -1),
        _ if second & 0x8f00 == 0x0d00 && [0xf10d, 0xf20d].contains(&(first & 0xfbff)) => moved_by(first, second, 1),
        // tbb, tbh.
        _ if first & 0xfff0 == 0xe8d0 && second & 0xffe0 == 0xf000 => Meaning::IndirectJump,
        // Several registers; then what changes the stack pointer as the base of one, of two, of vectors.
        _ if first & 0xfe40 == 0xe800 => wide_multiple(first, second),
        _ if first & 0xfe0f == 0xf80d && second & 0x0900 == 0x0900 => Meaning::ChangesLinkOrStack,
        _ if first & 0xfe6f == 0xe86d || first & 0xee2f == 0xec2d => Meaning::ChangesLinkOrStack,
        // Written registers are in one of two places; a store is taken for a load.
        _ if first & 0xff70 == 0xf850 && second >> 12 == PROGRAM_COUNTER => Meaning::IndirectJump,
        _ => of_either(second >> 12, second >> 8 & 15),
    }
}

fn wide_multiple(first: u32, second: u32) -> Meaning {
    let (is_load, writes_back, base) = (first & 0x10 != 0, first & 0x20 != 0, first & 15);
    let matters = second & (1 << STACK | 1 << LINK | 1 << PROGRAM_COUNTER) != 0;
    if is_load && matters || writes_back && base == STACK { Meaning::ChangesLinkOrStack } else { Meaning::Other }
}

/// `bl`, `blx`, `b.w` and conditional branches.
fn wide_branch(first: u32, second: u32, address: u64) -> Meaning {
    let sign = first >> 10 & 1;
    let flipped = |bit: u32| (second >> bit & 1 ^ sign ^ 1) & 1;
    let offset = sign << 24 | flipped(13) << 23 | flipped(11) << 22 | (first & 0x3ff) << 12 | (second & 0x7ff) << 1;
    let offset = signed(offset, 25);
    let target = relative(address, 4, offset) | THUMB_BIT;
    match second & 0xd000 {
        0xd000 => Meaning::Call(target),
        // blx: to ARM code, which is aligned.
        0xc000 => Meaning::Call(relative(address & !3, 4, offset) & !3),
        0x9000 => Meaning::Jump(target),
        // Conditions 14 and 15 are system instructions: hints, barriers, special registers.
        0x8000 if first >> 6 & 15 < 14 => Meaning::Conditional,
        _ if first & 0xfff0 == 0xf3e0 && second >> 8 & 15 == LINK => Meaning::ChangesLinkOrStack, // mrs
        _ => Meaning::Other,
    }
}

/// A push of the registers whose bits are set.
fn pushed(registers: u32) -> Meaning {
    Meaning::MovesStack(-4 * i64::from(registers.count_ones()))
}

fn of_written(register: u32) -> Meaning {
    match register {
        STACK | LINK => Meaning::ChangesLinkOrStack,
        PROGRAM_COUNTER => Meaning::IndirectJump,
        _ => Meaning::Other,
    }
}

/// Of an instruction that writes one of these, or both.
fn of_either(one: u32, other: u32) -> Meaning {
    let matters = [one, other].iter().any(|register| [STACK, LINK].contains(register));
    if matters { Meaning::ChangesLinkOrStack } else { Meaning::Other }
}

/// An ARM immediate: a byte, rotated right by twice a number of 4 bits.
fn rotated_byte(word: u32) -> i64 {
    (word & 0xff).rotate_right(2 * (word >> 8 & 15)).into()
}

/// `add` and `sub` of the stack pointer and a constant: 12 bits as they are (bit 9 of the first half), or a byte with
/// its highest bit set and a rotation. (Other patterns of bytes are no sizes of frames.)
fn moved_by(first: u32, second: u32, sign: i64) -> Meaning {
    let bits = (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xff;
    let bytes = match bits {
        _ if first & 0x0200 != 0 => bits,
        0..0x100 => bits,
        0x100..0x400 => return Meaning::ChangesLinkOrStack,
        _ => (bits & 0x7f | 0x80).rotate_right(bits >> 7),
    };
    Meaning::MovesStack(sign * i64::from(bytes))
}

/// The lowest `bits` of `value` as a signed number.
fn signed(value: u32, bits: u32) -> i64 {
    let unused = 32 - bits;
    i64::from((value << unused).cast_signed() >> unused)
}

/// An address relative to the program counter, which is `ahead` bytes ahead.
fn relative(address: u64, ahead: u64, offset: i64) -> u64 {
    address.wrapping_add(ahead).wrapping_add_signed(offset) & u64::from(u32::MAX)
}

#[cfg(test)]
mod tests;
