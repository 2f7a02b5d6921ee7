//! Compact unwind encodings of x86-64.
//!
//! Source: Apple, `mach-o/compact_unwind_encoding.h`, `UNWIND_X86_64_…`.

use super::encoding::{Unwinding, field};
use crate::bytes::Reader;
use crate::cfi::{CfaRule, CfiRow, Rule};
use crate::registers::{Register, x64};

const MODE: u32 = 0x0f00_0000;
mod mode {
    pub const RBP_FRAME: u32 = 1;
    pub const STACK_IMMEDIATE: u32 = 2;
    pub const STACK_INDIRECT: u32 = 3;
    pub const DWARF: u32 = 4;
}
/// With RBP: five registers of three bits, and in how many words below RBP they begin.
const FRAME_REGISTERS: u32 = 0x0000_7fff;
const FRAME_OFFSET: u32 = 0x00ff_0000;
/// Without: words of stack, or where in the function the number of bytes is; words more than that number; how many
/// registers, and which of their orders.
const STACK_SIZE: u32 = 0x00ff_0000;
const STACK_ADJUST: u32 = 0x0000_e000;
const REGISTER_COUNT: u32 = 0x0000_1c00;
const REGISTER_ORDER: u32 = 0x0000_03ff;
const FRAME_DESCRIPTION: u32 = 0x00ff_ffff;
const WORD: i64 = 8;
/// Bytes of instructions that may come before a prologue.
const MOST_DISPLACEMENT: usize = 64;

/// Registers by the numbers of encodings, which begin with 1.
const REGISTERS: [Register; 6] = [x64::RBX, x64::R12, Register(13), Register(14), x64::R15, x64::RBP];

pub fn unwinding(encoding: u32, code: &[u8], executed: Option<&[u8]>) -> Option<Unwinding> {
    let mode = field(encoding, MODE);
    if mode == mode::DWARF {
        return Some(Unwinding::FrameDescription(encoding & FRAME_DESCRIPTION));
    }
    let row = match mode {
        mode::RBP_FRAME => rbp_frame(encoding),
        mode::STACK_IMMEDIATE => stack_frame(encoding, i64::from(field(encoding, STACK_SIZE)) * WORD),
        mode::STACK_INDIRECT => stack_frame(encoding, stack_bytes(encoding, code)?),
        _ => return None,
    };
    Some(Unwinding::Row(executed.and_then(prologue).or(row)?))
}

/// RBP was pushed and then points to where: the registers that were pushed next are at a place of the encoding's.
fn rbp_frame(encoding: u32) -> Option<CfiRow> {
    let first = -2 * WORD - i64::from(field(encoding, FRAME_OFFSET)) * WORD;
    let mut saved = vec![(x64::RBP, -2 * WORD)];
    for index in 0..5 {
        match field(encoding, FRAME_REGISTERS) >> (3 * index) & 7 {
            0 => {}
            number @ 1..=5 => saved.push((REGISTERS[number as usize - 1], first + index * WORD)),
            _ => return None,
        }
    }
    Some(row(CfaRule::RegisterOffset(x64::RBP, 2 * WORD), &saved))
}

/// `stack_bytes` from RSP to the caller's: the return address last, registers before it.
fn stack_frame(encoding: u32, stack_bytes: i64) -> Option<CfiRow> {
    let registers = in_order(field(encoding, REGISTER_COUNT), field(encoding, REGISTER_ORDER))?;
    let first = -WORD - registers.len() as i64 * WORD;
    let places = (0_i64..).map(|index| first + index * WORD);
    let saved: Vec<(Register, i64)> = registers.into_iter().zip(places).collect();
    Some(row(CfaRule::RegisterOffset(x64::RSP, stack_bytes), &saved))
}

/// The size of a frame that is too large for the encoding: the operand of the function's `sub rsp`, and what was pushed
/// besides.
///
/// Situation: the place counts from the first push. clang 19 says 12 for `large` in `tests/frames/frames.cpp`, which tests
/// a parameter before it pushes anything, and whose operand is at 17. So the instruction is looked for from there on.
fn stack_bytes(encoding: u32, code: &[u8]) -> Option<i64> {
    const SUBTRACT: [u8; 3] = [0x48, 0x81, 0xec];
    let instruction = (field(encoding, STACK_SIZE) as usize).checked_sub(SUBTRACT.len())?;
    let mut nearby = code.get(instruction..)?.windows(SUBTRACT.len() + 4).take(MOST_DISPLACEMENT);
    let operand = nearby.find_map(|bytes| bytes.strip_prefix(&SUBTRACT)?.first_chunk())?;
    Some(i64::from(u32::from_le_bytes(*operand)) + i64::from(field(encoding, STACK_ADJUST)) * WORD)
}

/// The order of `count` registers out of six, all of which are numbered (the first of `6!/(6-count)!` is 0): at each
/// place, which of those that are left.
fn in_order(count: u32, number: u32) -> Option<Vec<Register>> {
    let mut left = REGISTERS.to_vec();
    let mut rest = number;
    let mut ordered = Vec::new();
    for place in 0..count {
        let orders_of_rest: u32 = (place + 1..count).map(|later| 6_u32.saturating_sub(later)).product();
        let index = (rest / orders_of_rest.max(1)) as usize;
        rest %= orders_of_rest.max(1);
        if index >= left.len() {
            return None;
        }
        ordered.push(left.remove(index));
    }
    Some(ordered)
}

fn row(cfa: CfaRule, saved: &[(Register, i64)]) -> CfiRow {
    let saved = saved.iter().map(|&(register, offset)| (register, Rule::Offset(offset)));
    let rules = saved.chain([(x64::RIP, Rule::Offset(-WORD))]).collect();
    CfiRow { cfa, rules, return_address: x64::RIP, is_signal_frame: false }
}

/// The rules for a function that was stopped in its prologue, of which `executed` has run: a stack overflow strikes at a
/// push. None if an instruction is among it that belongs to no prologue, so that the encoding holds.
fn prologue(executed: &[u8]) -> Option<CfiRow> {
    let mut input = Reader::new(executed);
    let mut depth = WORD;
    let mut saved: Vec<(Register, i64)> = Vec::new();
    while !input.is_empty() {
        let (length, taken, pushed) = match *input.rest() {
            [push @ 0x50..=0x57, ..] => (1, WORD, Some(Register(push - 0x50))),
            [0x41, push @ 0x50..=0x57, ..] => (2, WORD, Some(Register(push - 0x50 + 8))),
            [0x48, 0x89, 0xe5, ..] => (3, 0, None), // mov rbp, rsp
            [0x48, 0x83, 0xec, bytes, ..] => (4, i64::from(bytes as i8), None), // sub rsp, bytes
            [0x48, 0x81, 0xec, a, b, c, d, ..] => (7, i64::from(i32::from_le_bytes([a, b, c, d])), None),
            _ => return None,
        };
        input.skip(length).ok()?;
        depth += taken;
        let is_known = |register: &Register| saved.iter().any(|(known, _)| known == register);
        if let Some(register) = pushed.filter(|it| REGISTERS.contains(it) && !is_known(it)) {
            saved.push((register, -depth));
        }
    }
    Some(row(CfaRule::RegisterOffset(x64::RSP, depth), &saved))
}
