//! PE unwind information of x64: `RUNTIME_FUNCTION`, `UNWIND_INFO`, `UNWIND_CODE`.
//!
//! Source: Microsoft, "x64 exception handling", section "Unwind data for exception handling, debugger support".
//! Version 2 (epilogue codes) is not described there; layout as printed by LLVM's `Win64EHDumper`.

use thiserror::Error;

use super::UnwindTables;
use crate::address::Rva;
use crate::bytes::{Reader, Truncated};
use crate::registers::Register;

/// Bytes of a `RUNTIME_FUNCTION`.
const RUNTIME_FUNCTION_BYTES: usize = 12;
/// `UNW_FLAG_CHAININFO`.
const FLAG_CHAINED: u8 = 4;
/// Chained unwind informations that are followed.
pub(super) const LONGEST_CHAIN: usize = 32;
/// Redirections from one `RUNTIME_FUNCTION` to another that are followed.
const MOST_REDIRECTIONS: usize = 8;

/// An entry of `.pdata`: the half-open range `[start, end)` and where its unwind information is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RuntimeFunction {
    pub start: Rva,
    pub end: Rva,
    /// `UnwindData`; if odd, the address (plus 1) of another entry whose information counts.
    pub unwind_data: u32,
}

/// One unwind code: what an instruction of the prologue did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnwindCode {
    /// Offset of the end of that instruction from the start of the prologue.
    pub end_of_instruction: u8,
    pub operation: Operation,
}

/// What an unwind code stands for. Sizes and offsets are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// `UWOP_PUSH_NONVOL`.
    Push(Register),
    /// `UWOP_ALLOC_SMALL`, `UWOP_ALLOC_LARGE`.
    Allocate(u32),
    /// `UWOP_SET_FPREG`.
    SetFrameRegister,
    /// `UWOP_SAVE_NONVOL`, `UWOP_SAVE_NONVOL_FAR`.
    Save(Register, u32),
    /// `UWOP_SAVE_XMM128`, `UWOP_SAVE_XMM128_FAR`.
    SaveXmm(u8, u32),
    /// `UWOP_PUSH_MACHFRAME`.
    MachineFrame { error_code: bool },
    /// `UWOP_EPILOG` and `UWOP_SPARE_CODE`; in version 1 the same numbers saved half XMM registers. No effect: epilogues
    /// are recognised by their instructions.
    Nothing,
}

/// `UNWIND_INFO`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnwindInfo {
    pub prologue_bytes: u8,
    pub frame_register: Option<Register>,
    /// What the frame register was set to, above the stack pointer.
    pub frame_offset_bytes: u32,
    /// In the order of the file: the last instruction of the prologue first.
    pub codes: Vec<UnwindCode>,
    pub chained: Option<RuntimeFunction>,
}

/// Why unwind information cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum UnwindInfoError {
    #[error("unwind information: {0}")]
    Truncated(#[from] Truncated),
    #[error("unwind information of version {0} is not known")]
    Version(u8),
    #[error("unwind code {0} is not known")]
    Code(u8),
    #[error("more than {MOST_REDIRECTIONS} redirections between function entries")]
    Redirections,
}

impl RuntimeFunction {
    fn read(input: &mut Reader) -> Result<RuntimeFunction, Truncated> {
        Ok(RuntimeFunction { start: Rva(input.u32()?), end: Rva(input.u32()?), unwind_data: input.u32()? })
    }

    pub fn contains(&self, rva: Rva) -> bool {
        self.start <= rva && rva < self.end
    }

    /// The entry of the exception directory that covers `rva`. The directory is sorted by start.
    pub fn covering(directory: &[u8], rva: Rva) -> Option<RuntimeFunction> {
        let entry = |index: usize| {
            let mut input = Reader::at(directory, index.checked_mul(RUNTIME_FUNCTION_BYTES)?).ok()?;
            RuntimeFunction::read(&mut input).ok()
        };
        let (mut low, mut high) = (0, directory.len() / RUNTIME_FUNCTION_BYTES);
        while low < high {
            let middle = low + (high - low) / 2;
            if entry(middle)?.start <= rva { low = middle + 1 } else { high = middle }
        }
        entry(low.checked_sub(1)?).filter(|function| function.contains(rva))
    }

    /// The entry at the end of the chain: that of the function of which this one is a part.
    pub fn primary(&self, tables: &dyn UnwindTables) -> RuntimeFunction {
        let mut function = *self;
        for _ in 0..LONGEST_CHAIN {
            match function.unwind_info(tables) {
                Ok(UnwindInfo { chained: Some(parent), .. }) => function = parent,
                _ => break,
            }
        }
        function
    }

    /// Reads the unwind information that this entry leads to.
    ///
    /// An odd `UnwindData` is the address of another entry (linkers do this where one function was split in
    /// parts): that entry's information counts. Bounded, so entries that point at each other end.
    pub fn unwind_info(&self, tables: &dyn UnwindTables) -> Result<UnwindInfo, UnwindInfoError> {
        let mut function = *self;
        for _ in 0..MOST_REDIRECTIONS {
            let address = Rva(function.unwind_data & !1);
            let bytes = tables.bytes_from(address);
            if function.unwind_data & 1 == 0 {
                return UnwindInfo::read(bytes);
            }
            function = RuntimeFunction::read(&mut Reader::new(bytes))?;
        }
        Err(UnwindInfoError::Redirections)
    }
}

impl UnwindInfo {
    /// Reads an `UNWIND_INFO` from the front of `bytes`.
    pub fn read(bytes: &[u8]) -> Result<UnwindInfo, UnwindInfoError> {
        let mut input = Reader::new(bytes);
        let [version_and_flags, prologue_bytes, slots, frame] = input.array()?;
        let version = version_and_flags & 7;
        if !(1..=2).contains(&version) {
            return Err(UnwindInfoError::Version(version));
        }
        let mut slot_input = Reader::new(input.take(usize::from(slots) * 2)?);
        let mut codes = Vec::with_capacity(usize::from(slots));
        while !slot_input.is_empty() {
            codes.push(UnwindCode::read(&mut slot_input, version)?);
        }
        // The slots are padded to an even number.
        input.skip(usize::from(slots % 2) * 2)?;
        let is_chained = (version_and_flags >> 3) & FLAG_CHAINED != 0;
        let chained = if is_chained { Some(RuntimeFunction::read(&mut input)?) } else { None };
        let frame_register = (frame & 15 != 0).then_some(Register(frame & 15));
        let frame_offset_bytes = u32::from(frame >> 4) * 16;
        Ok(UnwindInfo { prologue_bytes, frame_register, frame_offset_bytes, codes, chained })
    }
}

impl UnwindCode {
    fn read(input: &mut Reader, version: u8) -> Result<UnwindCode, UnwindInfoError> {
        let [end_of_instruction, code] = input.array()?;
        let info = code >> 4;
        let operation = match code & 15 {
            0 => Operation::Push(Register(info)),
            1 if info == 0 => Operation::Allocate(u32::from(input.u16()?) * 8),
            1 => Operation::Allocate(input.u32()?),
            2 => Operation::Allocate(u32::from(info) * 8 + 8),
            3 => Operation::SetFrameRegister,
            4 => Operation::Save(Register(info), u32::from(input.u16()?) * 8),
            5 => Operation::Save(Register(info), input.u32()?),
            6 => {
                // One slot each in version 2: the first gives the epilogues' size, each further one a place.
                input.skip(if version == 1 { 2 } else { 0 })?;
                Operation::Nothing
            }
            7 => {
                input.skip(4)?;
                Operation::Nothing
            }
            8 => Operation::SaveXmm(info, u32::from(input.u16()?) * 16),
            9 => Operation::SaveXmm(info, input.u32()?),
            10 => Operation::MachineFrame { error_code: info != 0 },
            other => return Err(UnwindInfoError::Code(other)),
        };
        Ok(UnwindCode { end_of_instruction, operation })
    }
}
