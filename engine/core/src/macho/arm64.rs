//! Compact unwind encodings of ARM64.
//!
//! Source: Apple, `mach-o/compact_unwind_encoding.h`, `UNWIND_ARM64_…`.

use super::encoding::{Unwinding, field};
use crate::cfi::{CfaRule, CfiRow, Rule};
use crate::registers::{Register, arm64};

const MODE: u32 = 0x0f00_0000;
mod mode {
    pub const FRAMELESS: u32 = 2;
    pub const DWARF: u32 = 3;
    pub const FRAME: u32 = 4;
}
/// Without FP: units of 16 bytes of stack.
const STACK_SIZE: u32 = 0x00ff_f000;
const FRAME_DESCRIPTION: u32 = 0x00ff_ffff;
/// Pairs of registers that were saved, x19 and x20 first; bits 8 to 11 are d8 to d15, which come after.
const PAIRS: u32 = 5;
const WORD: i64 = 8;

pub fn unwinding(encoding: u32, executed: Option<&[u8]>) -> Option<Unwinding> {
    match field(encoding, MODE) {
        mode::DWARF => Some(Unwinding::FrameDescription(encoding & FRAME_DESCRIPTION)),
        mode::FRAME => Some(Unwinding::Row(executed.and_then(before_frame).unwrap_or_else(|| frame(encoding)))),
        mode::FRAMELESS => Some(Unwinding::Row(executed.and_then(before_frame).unwrap_or_else(|| frameless(encoding)))),
        _ => None,
    }
}

/// FP and LR were pushed together, and FP points to where. Registers are below, in pairs.
fn frame(encoding: u32) -> CfiRow {
    let mut rules = vec![(arm64::FP, Rule::Offset(-2 * WORD)), (arm64::LR, Rule::Offset(-WORD))];
    rules.extend(pairs(encoding, -3 * WORD));
    row(CfaRule::RegisterOffset(arm64::FP, 2 * WORD), rules)
}

/// A function that calls nobody: the return address stays in LR. Registers are at the top of its stack.
fn frameless(encoding: u32) -> CfiRow {
    let stack_bytes = i64::from(field(encoding, STACK_SIZE)) * 16;
    row(CfaRule::RegisterOffset(arm64::SP, stack_bytes), pairs(encoding, -WORD).collect())
}

/// Registers that were saved, one word each and downwards from `first`.
fn pairs(encoding: u32, first: i64) -> impl Iterator<Item = (Register, Rule)> {
    let saved = (0..PAIRS).filter(move |pair| encoding >> pair & 1 != 0);
    let registers = saved.flat_map(|pair| [0, 1].map(|which| Register(arm64::X19.0 + 2 * pair as u8 + which)));
    registers.zip(0..).map(move |(register, index)| (register, Rule::Offset(first - index * WORD)))
}

fn row(cfa: CfaRule, rules: Vec<(Register, Rule)>) -> CfiRow {
    CfiRow { cfa, rules, return_address: arm64::LR, is_signal_frame: false }
}

/// The rules for a function that was stopped in its prologue, of which `executed` has run: FP is still its caller's. None
/// once FP is set, or if an instruction is among it that belongs to no prologue, so that the encoding holds.
fn before_frame(executed: &[u8]) -> Option<CfiRow> {
    let mut depth = 0;
    let mut saved: Vec<(Register, i64)> = Vec::new();
    for instruction in executed.chunks(4) {
        let instruction = u32::from_le_bytes(instruction.try_into().ok()?);
        let pair = |at: i64| [(instruction & 31, at), (instruction >> 10 & 31, at + WORD)];
        // Seven signed bits of words.
        let offset = i64::from(((instruction >> 15 & 0x7f) as i8) << 1 >> 1) * WORD;
        let stored = match instruction {
            0xd503_2000..=0xd503_2fff if instruction & 31 == 31 => None, // hints: signing, landing pads
            _ if instruction & 0xff80_03ff == 0xd100_03ff => {
                let shift = if instruction & 1 << 22 != 0 { 12 } else { 0 };
                depth += i64::from(instruction >> 10 & 0xfff) << shift; // sub sp, sp, bytes
                None
            }
            _ if instruction & 0xffc0_03e0 == 0xa980_03e0 => {
                depth -= offset; // stp x, x, [sp, offset]!
                Some(pair(-depth))
            }
            _ if instruction & 0xffc0_03e0 == 0x6d80_03e0 => {
                depth -= offset; // stp d, d, [sp, offset]!
                None
            }
            _ if instruction & 0xffc0_03e0 == 0xa900_03e0 => Some(pair(offset - depth)), // stp x, x, [sp, offset]
            _ if instruction & 0xffc0_03e0 == 0x6d00_03e0 => None,
            _ => return None,
        };
        for (number, at) in stored.into_iter().flatten() {
            let register = Register(number as u8);
            let is_preserved = (arm64::X19..=arm64::LR).contains(&register);
            if is_preserved && saved.iter().all(|(known, _)| *known != register) {
                saved.push((register, at));
            }
        }
    }
    let rules = saved.into_iter().map(|(register, offset)| (register, Rule::Offset(offset))).collect();
    Some(row(CfaRule::RegisterOffset(arm64::SP, depth), rules))
}
