//! Callers on ARM64 by PE unwind information.
//!
//! Source: Microsoft, "ARM64 exception handling", sections "Unwinding partial prologs and epilogs" and "Leaf functions".

use super::arm64_codes::{Code, FunctionEntry};
use super::code_bytes::{Evidence, evidence};
use super::step::{Caller, Halt, Position, Step, forget_volatile};
use super::{PlacedTables, Trust};
use crate::address::Rva;
use crate::registers::{Register, RegisterSet, arm64};

/// Bytes of an instruction.
const INSTRUCTION_BYTES: u32 = 4;
/// Where X0 is in a CONTEXT; the other registers follow up to the instruction pointer.
const CONTEXT_X0: u64 = 8;
/// Bytes that a function may allocate as it goes before the frame pointer is taken for garbage.
const LARGEST_DYNAMIC_BYTES: u64 = 1 << 24;

/// The caller by the exception directory of the code in which the frame lies. `None` if it does not say.
pub(super) fn caller(position: &Position, PlacedTables { base, tables, .. }: PlacedTables<'_>) -> Step {
    let directory = tables.exception_directory();
    let Some(rva) = Rva::of(position.ip, base) else { return Ok(None) };
    let Some(lookup) = Rva::of(position.frame.lookup_address, base) else { return Ok(None) };
    let entry = FunctionEntry::below(directory, lookup);
    let record = entry.and_then(|entry| entry.record(tables).map(|record| (entry.start, record)));
    let covering = record.filter(|(start, record)| {
        (lookup.0 - start.0) / INSTRUCTION_BYTES < record.instructions() // `below` starts at or before
    });
    let Some((start, record)) = covering else { return leaf(position) };
    let offset = rva.0.saturating_sub(start.0) / INSTRUCTION_BYTES;
    let mut undoing =
        Undoing { position, registers: position.frame.registers.clone(), interrupted: false, is_sure: true };
    for code in record.to_undo(offset) {
        if undoing.undo(code)?.is_none() {
            return Ok(None);
        }
    }
    undoing.finish()
}

/// The caller of a function without a frame, which needs no record: it neither calls nor touches the stack pointer or
/// what it would have to preserve. Only the innermost frame can be one.
fn leaf(position: &Position) -> Step {
    let Some(address) = position.frame.registers.get(arm64::LR).filter(|_| position.is_exact()) else {
        return Ok(None);
    };
    let address = address & position.process.code_address_mask();
    if address != 0 && evidence(position.process, address, position.cpu())? == Evidence::Refuted {
        return Ok(None);
    }
    position.caller(position.preserved_registers(), address, position.sp, Trust::Cfi)
}

/// A prologue being undone.
struct Undoing<'a> {
    position: &'a Position<'a>,
    registers: RegisterSet,
    /// Whether a machine frame or a CONTEXT gave the instruction pointer.
    interrupted: bool,
    /// Whether every register that was needed is known.
    is_sure: bool,
}

impl Undoing<'_> {
    /// Undoes what one instruction did; `None` if that is impossible.
    fn undo(&mut self, code: Code) -> Result<Option<()>, Halt> {
        let Some(sp) = self.registers.stack_pointer() else { return Ok(None) };
        match code {
            Code::Allocate(bytes) => self.move_stack_pointer(sp, bytes),
            Code::Save(first, second, offset) => self.load(first, second, sp.wrapping_add(offset.into()))?,
            Code::Push(first, second, bytes) => {
                self.load(first, second, sp)?;
                self.move_stack_pointer(sp, bytes);
            }
            Code::SetFramePointer(offset) => self.take_frame_pointer(sp, offset),
            Code::Nothing | Code::EndOfFragment | Code::End | Code::SaveNext => {}
            Code::MachineFrame => {
                let (ip, previous) = (self.position.word(sp.wrapping_add(8))?, self.position.word(sp)?);
                self.registers.set(arm64::PC, ip);
                self.registers.set(arm64::SP, previous);
                self.interrupted = true;
            }
            Code::Context => self.load_context(sp)?,
            Code::Unknown => return Ok(None),
        }
        Ok(Some(()))
    }

    fn move_stack_pointer(&mut self, sp: u64, bytes: u32) {
        self.registers.set(arm64::SP, sp.wrapping_add(bytes.into()));
    }

    fn load(&mut self, first: Register, second: Option<Register>, address: u64) -> Result<(), Halt> {
        let value = self.position.word(address)?;
        self.registers.set(first, value);
        if let Some(second) = second {
            let value = self.position.word(address.wrapping_add(8))?;
            self.registers.set(second, value);
        }
        Ok(())
    }

    /// The stack pointer from the frame pointer. One that is unknown, or wild, leaves it as it is, which holds in every
    /// function that does not allocate as it goes.
    fn take_frame_pointer(&mut self, sp: u64, offset: u32) {
        let base = self.registers.frame_pointer().map(|fp| fp.wrapping_sub(offset.into()));
        match base.filter(|base| base.wrapping_sub(sp) <= LARGEST_DYNAMIC_BYTES) {
            Some(base) => self.registers.set(arm64::SP, base),
            None => self.is_sure = false,
        }
    }

    fn load_context(&mut self, sp: u64) -> Result<(), Halt> {
        for index in 0..=arm64::PC.0 {
            let value = self.position.word(sp.wrapping_add(CONTEXT_X0 + 8 * u64::from(index)))?;
            self.registers.set(Register(index), value);
        }
        self.interrupted = true;
        Ok(())
    }

    /// Takes the return address from the link register, unless what was interrupted is known already.
    fn finish(self) -> Step {
        if self.interrupted {
            return Ok(Some(Caller::interrupted(self.registers, Trust::Cfi)));
        }
        let (Some(sp), Some(link)) = (self.registers.stack_pointer(), self.registers.get(arm64::LR)) else {
            return Ok(None);
        };
        let address = link & self.position.process.code_address_mask();
        if !self.is_sure && !evidence(self.position.process, address, self.position.cpu())?.is_call() {
            return Ok(None);
        }
        let mut registers = self.registers;
        forget_volatile(&mut registers, self.position.process.abi());
        self.position.caller(registers, address, sp, Trust::Cfi)
    }
}
