//! PE unwind information of ARM64: entries of `.pdata`, packed and full records, unwind codes.
//!
//! Source: Microsoft, "ARM64 exception handling", sections ".pdata records", ".xdata records", "Unwind codes" and
//! "Packed unwind data".

use super::UnwindTables;
use super::arm64_packed::Packed;
use crate::address::Rva;
use crate::bytes::{Reader, Truncated};
use crate::registers::{Register, arm64};

/// Bytes of an entry of `.pdata`.
const ENTRY_BYTES: usize = 8;
/// Codes of one sequence that are read: the largest array has 255 words.
const MOST_CODES: usize = 1020;

/// What one instruction of a prologue did, or one of an epilogue undoes. Sizes and offsets are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// `alloc_s`, `alloc_m`, `alloc_l`; also pairs of vector registers that move the stack pointer.
    Allocate(u32),
    /// `save_reg`, `save_regp`, `save_fplr`, `save_lrpair`: one or two registers at the stack pointer plus an offset.
    Save(Register, Option<Register>, u32),
    /// The same with `_x`: the stack pointer moved down by this much first, and they are where it then was.
    Push(Register, Option<Register>, u32),
    /// `set_fp`, `add_fp`: the frame pointer is the stack pointer plus this.
    SetFramePointer(u32),
    /// `nop`, `pac_sign_lr`, and saves of vector registers, which preserve only their low halves: not followed.
    Nothing,
    /// `save_next`: the next pair above the one that the code behind this one saves. Resolved when a sequence is read.
    SaveNext,
    /// `MSFT_OP_MACHINE_FRAME`: the stack and instruction pointers of what was interrupted are on the stack.
    MachineFrame,
    /// `MSFT_OP_CONTEXT`: a CONTEXT is on the stack.
    Context,
    /// `end_c`: the codes behind it are those of the function to which this fragment belongs.
    EndOfFragment,
    /// `end`, or what cannot be undone: the codes behind it do not count.
    End,
    /// A code that is reserved or cannot be carried out.
    Unknown,
}

/// An entry of `.pdata`: where a function, or a fragment of one, starts, and a word that describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FunctionEntry {
    pub start: Rva,
    word: u32,
}

/// The unwind information of a function.
#[derive(Debug)]
pub(super) enum Record<'a> {
    Packed(Packed),
    Full(FullRecord<'a>),
}

/// An `.xdata` record.
#[derive(Debug)]
pub(super) struct FullRecord<'a> {
    instructions: u32,
    /// First instruction of each epilogue, and the index of its codes; in order.
    epilogues: Vec<(u32, usize)>,
    codes: &'a [u8],
}

impl FunctionEntry {
    /// The entry of the sorted `directory` that starts last at or below `rva`. Whether it covers that, its record says.
    pub fn below(directory: &[u8], rva: Rva) -> Option<FunctionEntry> {
        let entry = |index: usize| {
            let mut input = Reader::at(directory, index * ENTRY_BYTES).ok()?;
            Some(FunctionEntry { start: Rva(input.u32().ok()?), word: input.u32().ok()? })
        };
        let (mut low, mut high) = (0, directory.len() / ENTRY_BYTES);
        while low < high {
            let middle = low + (high - low) / 2;
            if entry(middle)?.start <= rva { low = middle + 1 } else { high = middle }
        }
        entry(low.checked_sub(1)?)
    }

    /// The record that describes it; `None` if that is damaged or of a kind that is reserved.
    pub fn record<'a>(&self, tables: &'a dyn UnwindTables) -> Option<Record<'a>> {
        match self.word & 3 {
            0 => FullRecord::read(tables.bytes_from(Rva(self.word))).ok().flatten().map(Record::Full),
            flag @ (1 | 2) => Packed::new(self.word, flag == 1).map(Record::Packed),
            _ => None,
        }
    }
}

impl Record<'_> {
    /// Instructions of the function.
    pub fn instructions(&self) -> u32 {
        match self {
            Record::Packed(packed) => packed.instructions,
            Record::Full(full) => full.instructions,
        }
    }

    /// What has to be undone before instruction `offset` of the function, in order.
    pub fn to_undo(&self, offset: u32) -> Vec<Code> {
        match self {
            Record::Packed(packed) => packed.to_undo(offset),
            Record::Full(full) => full.to_undo(offset),
        }
    }
}

impl<'a> FullRecord<'a> {
    /// `None` if the version is not known.
    fn read(bytes: &'a [u8]) -> Result<Option<FullRecord<'a>>, Truncated> {
        let mut input = Reader::new(bytes);
        let header = input.u32()?;
        if (header >> 18) & 3 != 0 {
            return Ok(None);
        }
        let instructions = header & 0x3_ffff;
        let is_single_epilogue = header & (1 << 21) != 0;
        let (mut epilogue_field, mut code_words) = ((header >> 22) & 0x1f, header >> 27);
        if (epilogue_field, code_words) == (0, 0) {
            let extension = input.u32()?;
            (epilogue_field, code_words) = (extension & 0xffff, (extension >> 16) & 0xff);
        }
        let mut epilogues = Vec::new();
        if !is_single_epilogue {
            input.check_count(epilogue_field as usize, 4)?;
            for _ in 0..epilogue_field {
                let scope = input.u32()?;
                epilogues.push((scope & 0x3_ffff, (scope >> 22) as usize));
            }
        }
        let codes = input.take(code_words as usize * 4)?;
        if is_single_epilogue {
            // The field is the index of its codes; it is at the end, and its return is an instruction too.
            let index = epilogue_field as usize;
            let length = sequence(codes, index).len() as u32 + 1;
            epilogues.push((instructions.saturating_sub(length), index));
        }
        Ok(Some(FullRecord { instructions, epilogues, codes }))
    }

    fn to_undo(&self, offset: u32) -> Vec<Code> {
        let mut all = sequence(self.codes, 0);
        let is_instruction = |code: &&Code| **code != Code::EndOfFragment;
        let prologue = all.iter().take_while(is_instruction).count();
        if (offset as usize) < prologue {
            return all.split_off(prologue - offset as usize);
        }
        let after = self.epilogues.partition_point(|&(start, _)| start <= offset);
        if let Some(&(start, index)) = self.epilogues[..after].last() {
            let mut codes = sequence(self.codes, index);
            let done = (offset - start) as usize;
            // After the last code comes the return, before which all is undone.
            if done <= codes.len() {
                return codes.split_off(done);
            }
        }
        all
    }
}

/// The codes from byte `index` on, up to the end, which is left out.
fn sequence(bytes: &[u8], index: usize) -> Vec<Code> {
    let mut codes = Vec::new();
    let Ok(mut input) = Reader::at(bytes, index) else { return codes };
    while codes.len() < MOST_CODES {
        match Code::read(&mut input) {
            Ok(Code::End) | Err(_) => break,
            Ok(code) => codes.push(code),
        }
    }
    resolve_next(&mut codes);
    codes
}

/// Replaces each `save_next` by what it stands for. A prologue saves the lowest pair first, so its code comes last.
fn resolve_next(codes: &mut [Code]) {
    let mut below = None;
    for code in codes.iter_mut().rev() {
        if *code == Code::SaveNext {
            *code = match below {
                // Behind the last pair of integer registers come vectors.
                Some((first, _)) if first >= Register(27) => Code::Nothing,
                Some((Register(first), offset)) => {
                    Code::Save(Register(first + 2), Some(Register(first + 3)), offset + 16)
                }
                None => Code::Nothing,
            };
        }
        below = match *code {
            Code::Save(first, Some(_), offset) => Some((first, offset)),
            Code::Push(first, Some(_), _) => Some((first, 0)),
            _ => None,
        };
    }
}

/// `x19` plus `index`; 10 registers are preserved.
fn preserved(index: u32) -> Option<Register> {
    (index <= 11).then_some(Register(19 + index as u8))
}

impl Code {
    fn read(input: &mut Reader) -> Result<Code, Truncated> {
        let first = u32::from(input.u8()?);
        let code = match first {
            0x00..=0x1f => Code::Allocate((first & 0x1f) * 16),
            0x20..=0x3f => push(0, 1, (first & 0x1f) * 8),
            0x40..=0x7f => Code::Save(arm64::FP, Some(arm64::LR), (first & 0x3f) * 8),
            0x80..=0xbf => Code::Push(arm64::FP, Some(arm64::LR), (first & 0x3f) * 8 + 8),
            0xc0..=0xdf => Code::read_two(first << 8 | u32::from(input.u8()?)),
            0xe0 => {
                let [high, middle, low] = input.array()?.map(u32::from);
                Code::Allocate((high << 16 | middle << 8 | low) * 16)
            }
            0xe1 => Code::SetFramePointer(0),
            0xe2 => Code::SetFramePointer(u32::from(input.u8()?) * 8),
            0xe3 => Code::Nothing,
            0xe4 => Code::End,
            0xe5 => Code::EndOfFragment,
            0xe6 => Code::SaveNext,
            0xe7 => Code::read_any(input.u8()?, input.u8()?),
            0xe9 => Code::MachineFrame,
            0xea => Code::Context,
            0xec | 0xfc => Code::Nothing, // clear_unwound_to_call, pac_sign_lr
            _ => Code::Unknown,
        };
        Ok(code)
    }

    /// Codes of two bytes.
    fn read_two(code: u32) -> Code {
        let (index, offset) = ((code >> 6) & 0xf, (code & 0x3f) * 8);
        // The codes that push one register have a shorter offset.
        let (short_index, short_offset) = ((code >> 5) & 0xf, (code & 0x1f) * 8);
        match code >> 8 {
            0xc0..=0xc7 => Code::Allocate((code & 0x7ff) * 16),
            0xc8..=0xcb => save(index, Some(1), offset),
            0xcc..=0xcf => push(index, 1, offset + 8),
            0xd0..=0xd3 => save(index, None, offset),
            0xd4 | 0xd5 => {
                preserved(short_index).map_or(Code::Unknown, |first| Code::Push(first, None, short_offset + 8))
            }
            0xd6 | 0xd7 => {
                let first = preserved(2 * (index & 7));
                first.map_or(Code::Unknown, |first| Code::Save(first, Some(arm64::LR), offset))
            }
            0xd8 | 0xd9 | 0xdc | 0xdd => Code::Nothing,
            0xda | 0xdb => Code::Allocate(offset + 8),
            0xde => Code::Allocate(short_offset + 8),
            _ => Code::Unknown, // alloc_z
        }
    }

    /// `save_any_reg`: `0pxrrrrr`, then the kind of register and the offset.
    fn read_any(how: u8, place: u8) -> Code {
        let (is_pair, is_push) = (how & 0x40 != 0, how & 0x20 != 0);
        let (register, kind) = (Register(how & 0x1f), place >> 6);
        let unit = if is_pair || is_push || kind == 2 { 16 } else { 8 };
        let offset = u32::from(place & 0x3f) * unit;
        let second = is_pair.then_some(Register(register.0 + 1));
        match (how & 0x80, kind, is_push) {
            (0, 0, false) if register.0 + u8::from(is_pair) <= 30 => Code::Save(register, second, offset),
            (0, 0, true) if register.0 + u8::from(is_pair) <= 30 => Code::Push(register, second, offset + 16),
            (0, 1 | 2, false) => Code::Nothing,
            (0, 1 | 2, true) => Code::Allocate(offset + 16),
            _ => Code::Unknown,
        }
    }
}

fn save(index: u32, pair: Option<u32>, offset: u32) -> Code {
    let second = pair.map(|next| preserved(index + next));
    match (preserved(index), second) {
        (Some(first), None) => Code::Save(first, None, offset),
        (Some(first), Some(Some(second))) => Code::Save(first, Some(second), offset),
        _ => Code::Unknown,
    }
}

fn push(index: u32, next: u32, bytes: u32) -> Code {
    match (preserved(index), preserved(index + next)) {
        (Some(first), Some(second)) => Code::Push(first, Some(second), bytes),
        _ => Code::Unknown,
    }
}
