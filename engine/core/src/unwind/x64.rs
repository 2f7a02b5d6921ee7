//! Callers on x64 by PE unwind information.
//!
//! Source: Microsoft, "x64 exception handling", sections "Unwind procedure" and "Epilog code"; "x64 prolog and epilog".

use super::code_bytes::{Evidence, evidence};
use super::step::{Caller, Halt, Position, Step};
use super::straight_line::{Effect, Kind, Machine};
use super::x64_codes::{LONGEST_CHAIN, Operation, RuntimeFunction, UnwindCode, UnwindInfo};
use super::{PlacedTables, Stop, Trust, UnwindTables};
use crate::address::Rva;
use crate::registers::{RegisterSet, x64};

/// Instructions of an epilogue: an adjustment, a pop of each register, the return.
const LONGEST_EPILOGUE_INSTRUCTIONS: usize = 20;

/// Bytes that a function may allocate as it goes (`alloca`) before the frame register is taken for garbage.
const LARGEST_DYNAMIC_BYTES: u64 = 1 << 24;

/// The caller by the exception directory of the code in which the frame lies. `None` if it does not say.
pub(super) fn caller(position: &Position, code: PlacedTables<'_>) -> Step {
    let directory = code.tables.exception_directory();
    let Some(rva) = Rva::of(position.ip, code.base) else { return Ok(None) };
    let Some(lookup) = Rva::of(position.frame.lookup_address, code.base) else { return Ok(None) };
    let Some(function) = RuntimeFunction::covering(directory, lookup) else {
        // Only functions that neither call nor touch the stack pointer may go without an entry.
        let is_leaf = position.is_exact() && !directory.is_empty();
        return if is_leaf { leaf(position) } else { Ok(None) };
    };
    // After a call at the very end of a function the instruction pointer is in the next one.
    if function.contains(rva)
        && let Some(caller) = by_epilogue(position, code, &function)?
    {
        return Ok(Some(caller));
    }
    by_codes(position, code.tables, &function, rva)
}

/// The caller of a function without a frame: the return address is on top of the stack.
fn leaf(position: &Position) -> Step {
    let address = position.word(position.sp)?;
    if address != 0 && evidence(position.process, address, position.cpu())? == Evidence::Refuted {
        return Ok(None);
    }
    position.caller(position.preserved_registers(), address, position.sp.wrapping_add(8), Trust::Cfi)
}

/// The caller if the instruction pointer is in an epilogue, which the unwind codes do not cover: nothing but adjustments
/// of the stack pointer and pops, then a return or a jump out of the function.
fn by_epilogue(position: &Position, code: PlacedTables<'_>, function: &RuntimeFunction) -> Step {
    let mut machine = Machine::new(position);
    for index in 0..LONGEST_EPILOGUE_INSTRUCTIONS {
        let Some(instruction) = machine.fetch() else { return Ok(None) };
        match machine.execute(&instruction) {
            Effect::Next(Kind::Adjust | Kind::Pop) => {}
            Effect::Returned(address) => return machine.into_caller(address),
            Effect::Jumped(target) => {
                if !target.is_none_or(|target| leaves(target, code, function)) || target.is_none() && index == 0 {
                    return Ok(None);
                }
                // The function jumped to finds the return address on top of the stack, as if it had been called.
                let Some(sp) = machine.registers.stack_pointer() else { return Ok(None) };
                let address = position.word(sp)?;
                machine.registers.set(x64::RSP, sp.wrapping_add(8));
                return machine.into_caller(address);
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// Whether a jump to `target` is a call in tail position: to a function's first instruction, with a frame of its own
/// or none. A cold part of the same function has chained information, or codes for a prologue that it does not have.
fn leaves(target: u64, code: PlacedTables<'_>, function: &RuntimeFunction) -> bool {
    let Some(target) = Rva::of(target, code.base).filter(|rva| u64::from(rva.0) < code.size_bytes) else {
        return true;
    };
    if function.contains(target) && target != function.start {
        return false;
    }
    let Some(callee) = RuntimeFunction::covering(code.tables.exception_directory(), target) else { return true };
    let Ok(info) = callee.unwind_info(code.tables) else { return false };
    callee.start == target && info.chained.is_none() && (info.codes.is_empty() || info.prologue_bytes > 0)
}

/// The caller by undoing the prologue, in the order of the unwind codes.
fn by_codes(position: &Position, tables: &dyn UnwindTables, function: &RuntimeFunction, rva: Rva) -> Step {
    let Ok(info) = function.unwind_info(tables) else { return Ok(None) };
    let into_function = rva.0.saturating_sub(function.start.0);
    let mut unwinding = Unwinding { position, registers: position.preserved_registers(), interrupted: None };
    let Some(base_is_known) = unwinding.undo(&info, into_function)? else { return Ok(None) };
    let mut sure = base_is_known;
    let mut next = info.chained;
    for _ in 0..LONGEST_CHAIN {
        let Some(parent) = next else { return unwinding.finish(sure) };
        let Ok(info) = parent.unwind_info(tables) else { return Ok(None) };
        // The prologue of what this one is chained to has run as a whole.
        let Some(base_is_known) = unwinding.undo(&info, u32::MAX)? else { return Ok(None) };
        sure &= base_is_known;
        next = info.chained;
    }
    Ok(None)
}

/// A prologue being undone.
struct Unwinding<'a> {
    position: &'a Position<'a>,
    registers: RegisterSet,
    /// The caller's instruction pointer, if a machine frame gave it.
    interrupted: Option<u64>,
}

impl Unwinding<'_> {
    /// Undoes the codes of `info` whose instructions have run. `into_function` is the offset from the function's start.
    ///
    /// `None` if that is impossible; `Some(false)` if the frame register is unknown (a scan does not recover it) or wild,
    /// and the stack pointer was taken for it, which holds in every function that does not allocate as it goes.
    fn undo(&mut self, info: &UnwindInfo, into_function: u32) -> Result<Option<bool>, Halt> {
        let has_run = |code: &&UnwindCode| u32::from(code.end_of_instruction) <= into_function;
        let sets_frame = |code: &UnwindCode| code.operation == Operation::SetFrameRegister;
        let frame_is_set =
            into_function >= u32::from(info.prologue_bytes) || info.codes.iter().filter(has_run).any(sets_frame);
        let Some(mut base) = self.registers.stack_pointer() else { return Ok(None) };
        let mut sure = true;
        if let Some(register) = info.frame_register.filter(|_| frame_is_set) {
            let value = self.position.frame.registers.get(register);
            let frame_base = value.map(|value| value.wrapping_sub(u64::from(info.frame_offset_bytes)));
            // Dynamic allocation moves the stack pointer down from the base, never up, and not by a whole stack.
            match frame_base.filter(|frame_base| frame_base.wrapping_sub(base) <= LARGEST_DYNAMIC_BYTES) {
                Some(frame_base) => base = frame_base,
                None => sure = false,
            }
        }
        for code in info.codes.iter().filter(has_run) {
            self.undo_one(code.operation, base)?;
        }
        Ok(Some(sure))
    }

    fn undo_one(&mut self, operation: Operation, base: u64) -> Result<(), Halt> {
        let sp = self.registers.stack_pointer().unwrap_or_default();
        match operation {
            Operation::Push(register) => {
                let value = self.position.word(sp)?;
                self.registers.set(register, value);
                self.registers.set(x64::RSP, sp.wrapping_add(8));
            }
            Operation::Allocate(bytes) => self.registers.set(x64::RSP, sp.wrapping_add(u64::from(bytes))),
            Operation::SetFrameRegister => self.registers.set(x64::RSP, base),
            Operation::Save(register, offset) => {
                let value = self.position.word(base.wrapping_add(u64::from(offset)))?;
                self.registers.set(register, value);
            }
            Operation::SaveXmm(index, offset) => {
                // A vector that the dump lacks costs that vector, not the walk.
                match self.position.process.read_u128(base.wrapping_add(u64::from(offset))) {
                    Some(value) => self.registers.set_vector(usize::from(index), value),
                    None => self.registers.forget_vector(usize::from(index)),
                }
            }
            Operation::MachineFrame { error_code } => {
                let frame = sp.wrapping_add(if error_code { 8 } else { 0 });
                self.interrupted = Some(self.position.word(frame)?);
                let sp = self.position.word(frame.wrapping_add(24))?;
                self.registers.set(x64::RSP, sp);
            }
            Operation::Nothing => {}
        }
        Ok(())
    }

    /// Takes the return address, unless a machine frame already gave the instruction pointer.
    fn finish(mut self, sure: bool) -> Step {
        let Some(sp) = self.registers.stack_pointer() else { return Ok(None) };
        if let Some(ip) = self.interrupted {
            self.registers.set(x64::RIP, ip);
            return Ok(Some(Caller::interrupted(self.registers, Trust::Cfi)));
        }
        let address = self.position.word(sp)?;
        if !sure && !evidence(self.position.process, address, self.position.cpu())?.is_call() {
            return Ok(None);
        }
        // Unwind codes that were read right lead to a return address. If this is none, the stack is damaged, and what
        // heuristics find above is a guess about another program.
        let caller = self.position.caller(self.registers, address, sp.wrapping_add(8), Trust::Cfi)?;
        caller.map(Some).ok_or(Halt::Stop(Stop::NoCaller))
    }
}
