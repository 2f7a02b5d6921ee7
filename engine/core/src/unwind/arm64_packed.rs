//! Packed unwind data of ARM64: a word that stands for a prologue and an epilogue of canonical form.
//!
//! Source: Microsoft, "ARM64 exception handling", section "Packed unwind data"; that `CR` 2 is 3 with a signed return
//! address, and a prologue that only homes its parameters, as LLVM's `ARMWinEHPrinter` has them.

use super::arm64_codes::Code;
use crate::registers::{Register, arm64};

/// The most that a prologue takes in one subtraction.
const LARGEST_STEP_BYTES: u32 = 4080;
/// The most that it takes together with the save of the frame record.
const LARGEST_PUSH_BYTES: u32 = 512;

/// A prologue of canonical form, undone by an epilogue at the function's end.
#[derive(Debug)]
pub(super) struct Packed {
    /// Instructions of the function.
    pub instructions: u32,
    /// Whether the function has a prologue and an epilogue; otherwise it is a fragment between them.
    has_ends: bool,
    /// What each instruction of the prologue did, in the order of undoing.
    prologue: Vec<Code>,
    /// What each instruction of the epilogue but the return undoes.
    epilogue: Vec<Code>,
}

/// Which of the two a sequence of codes is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Prologue,
    Epilogue,
}

/// What the word says.
struct Layout {
    integers: u32,
    /// Registers, not the field, of which 1 means 2.
    floats: u32,
    homes_parameters: bool,
    /// `CR`.
    chain: u32,
    /// Bytes of saved registers, and of the rest of the frame.
    saved_bytes: u32,
    local_bytes: u32,
}

impl Packed {
    /// `None` if the word contradicts itself.
    pub fn new(word: u32, has_ends: bool) -> Option<Packed> {
        let (integers, float_field) = ((word >> 16) & 0xf, (word >> 13) & 7);
        let (homes_parameters, chain) = (word & (1 << 20) != 0, (word >> 21) & 3);
        let floats = if float_field == 0 { 0 } else { float_field + 1 };
        let link = u32::from(chain == 1);
        let saved = 8 * (integers + link + floats) + if homes_parameters { 64 } else { 0 };
        let saved_bytes = saved.next_multiple_of(16);
        let local_bytes = ((word >> 23) * 16).checked_sub(saved_bytes)?;
        if integers > 10 {
            return None;
        }
        let layout = Layout { integers, floats, homes_parameters, chain, saved_bytes, local_bytes };
        let (prologue, epilogue) = (layout.codes(End::Prologue), layout.codes(End::Epilogue));
        Some(Packed { instructions: (word >> 2) & 0x7ff, has_ends, prologue, epilogue })
    }

    /// What has to be undone before instruction `offset`.
    pub fn to_undo(&self, offset: u32) -> Vec<Code> {
        let offset = offset as usize;
        if self.has_ends && offset < self.prologue.len() {
            return self.prologue[self.prologue.len() - offset..].to_vec();
        }
        // After the epilogue's last code comes the return, before which all is undone.
        let start = (self.instructions as usize).saturating_sub(self.epilogue.len() + 1);
        match offset.checked_sub(start).filter(|_| self.has_ends) {
            Some(done) => self.epilogue.get(done..).unwrap_or_default().to_vec(),
            None => self.prologue.clone(),
        }
    }
}

impl Layout {
    /// In the order of undoing. The epilogue has no counterpart to what only a prologue needs: setting the frame
    /// pointer, homing parameters.
    fn codes(&self, end: End) -> Vec<Code> {
        let mut codes = Vec::new();
        if self.chain == 2 {
            codes.push(Code::Nothing); // pacibsp
        }
        self.save_integers(&mut codes);
        self.save_floats(&mut codes);
        self.home_parameters(end, &mut codes);
        self.allocate(end, &mut codes);
        codes.reverse();
        codes
    }

    /// Whether saving vectors or parameters has to move the stack pointer, because nothing was saved before.
    fn nothing_saved_before(&self) -> bool {
        self.integers == 0 && self.chain != 1
    }

    fn save_integers(&self, codes: &mut Vec<Code>) {
        let register = |index: u32| Register(19 + index as u8);
        for index in (0..self.integers).step_by(2) {
            let second = match index + 1 < self.integers {
                true => Some(register(index + 1)),
                // The link register takes the place beside an odd one.
                false => (self.chain == 1).then_some(arm64::LR),
            };
            codes.push(self.save(index, register(index), second));
        }
        if self.chain == 1 && self.integers.is_multiple_of(2) {
            codes.push(self.save(self.integers, arm64::LR, None));
        }
    }

    /// A save in the word with this index; the first one moves the stack pointer.
    fn save(&self, index: u32, first: Register, second: Option<Register>) -> Code {
        match index {
            0 => Code::Push(first, second, self.saved_bytes),
            _ => Code::Save(first, second, 8 * index),
        }
    }

    fn save_floats(&self, codes: &mut Vec<Code>) {
        for index in (0..self.floats).step_by(2) {
            let moves = index == 0 && self.nothing_saved_before();
            codes.push(if moves { Code::Allocate(self.saved_bytes) } else { Code::Nothing });
        }
    }

    fn home_parameters(&self, end: End, codes: &mut Vec<Code>) {
        let moves = self.homes_parameters && self.nothing_saved_before() && self.floats == 0;
        if moves {
            codes.push(Code::Allocate(self.saved_bytes));
        }
        if self.homes_parameters && end == End::Prologue {
            codes.extend(vec![Code::Nothing; if moves { 3 } else { 4 }]);
        }
    }

    fn allocate(&self, end: End, codes: &mut Vec<Code>) {
        let bytes = self.local_bytes;
        let is_chained = self.chain >= 2;
        if is_chained && bytes <= LARGEST_PUSH_BYTES {
            codes.push(Code::Push(arm64::FP, Some(arm64::LR), bytes));
        } else {
            if bytes > LARGEST_STEP_BYTES {
                codes.push(Code::Allocate(LARGEST_STEP_BYTES));
                codes.push(Code::Allocate(bytes - LARGEST_STEP_BYTES));
            } else if bytes > 0 {
                codes.push(Code::Allocate(bytes));
            }
            if is_chained {
                codes.push(Code::Save(arm64::FP, Some(arm64::LR), 0));
            }
        }
        if is_chained && end == End::Prologue {
            codes.push(Code::SetFramePointer(0));
        }
    }
}
