//! Compact unwind encodings: 32 bits that say how a function makes its frame.
//!
//! Bits 24 to 27 are the mode, which each processor numbers in its own way; bits 28 to 30 serve exceptions, bit 31 marks
//! what is no function start. An encoding holds where the function calls others. What a prologue has done so far is
//! read from the instructions.
//!
//! Source: Apple, `mach-o/compact_unwind_encoding.h`.

use super::unwind_info::Entry;
use super::{arm64, x64};
use crate::cfi::CfiRow;
use crate::registers::Cpu;

/// What an encoding comes down to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwinding {
    /// Rules.
    Row(CfiRow),
    /// The function's frame is too peculiar: `__TEXT,__eh_frame` has an entry, at this offset. 0 if the linker could not
    /// say where, in 24 bits.
    FrameDescription(u32),
}

/// The entry begins within a function: its first instruction is none of a prologue.
const NOT_FUNCTION_START: u32 = 0x8000_0000;
/// Bytes of a function that may be its prologue.
const MOST_PROLOGUE_BYTES: usize = 128;

/// What `entry` says of an instruction of a function. `code` begins where the entry does; `executed` is the function's
/// code up to the instruction. None if it says nothing (its encoding is 0), or what no frame can follow.
pub fn unwinding(cpu: Cpu, entry: Entry, code: &[u8], executed: Option<&[u8]>) -> Option<Unwinding> {
    let is_start = entry.encoding & NOT_FUNCTION_START == 0;
    let executed = executed.filter(|executed| is_start && executed.len() <= MOST_PROLOGUE_BYTES);
    match cpu {
        Cpu::X64 => x64::unwinding(entry.encoding, code, executed),
        Cpu::Arm64 => arm64::unwinding(entry.encoding, executed),
        Cpu::X86 | Cpu::Arm => None,
    }
}

/// The bits of `encoding` that `mask` covers, as a number.
pub fn field(encoding: u32, mask: u32) -> u32 {
    (encoding & mask) >> mask.trailing_zeros()
}
