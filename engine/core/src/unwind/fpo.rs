//! `FPO_DATA`: x86 frames without a frame pointer, described by sizes alone.
//!
//! Source: `FPO_DATA` in Microsoft's `winnt.h`.

use super::step::{Position, Step};
use super::{Trust, prologue};
use crate::debuginfo::FrameData;
use crate::registers::{Register, x86};

/// The caller, whose return address is at `slot`.
///
/// Below the return address lie the locals, below them the saved registers. `FPO_DATA` counts those but does
/// not name them: the pushes of the prologue do. Where those cannot be read, four are EBX, EBP, ESI, EDI in that order
/// (as Microsoft's compiler pushes them), one is EBP if the record says that EBP is used, and anything else is unknown.
pub(super) fn caller(position: &Position, data: &FrameData, start: u64, slot: u64, uses_base_pointer: bool) -> Step {
    let Some(address) = position.process.read_u32(slot) else { return Ok(None) };
    let mut registers = position.preserved_registers();
    let count = usize::from(data.saved_registers_bytes / 4);
    let names = saved_registers(position, start, count, uses_base_pointer);
    if names.len() != count {
        for register in [x86::EBX, x86::EBP, x86::ESI, x86::EDI] {
            if register != x86::EBP || uses_base_pointer {
                registers.forget(register);
            }
        }
    } else {
        let top = slot.wrapping_sub(u64::from(data.locals_bytes));
        for (index, register) in names.into_iter().enumerate() {
            match position.process.read_u32(top.wrapping_sub(4 * (index as u64 + 1))) {
                Some(value) => registers.set(register, u64::from(value)),
                None => registers.forget(register),
            }
        }
    }
    position.caller(registers, u64::from(address), slot.wrapping_add(4), Trust::Cfi)
}

/// The saved registers in the order of their pushes; fewer than `count` if they cannot be told.
fn saved_registers(position: &Position, start: u64, count: usize, uses_base_pointer: bool) -> Vec<Register> {
    let pushed: Vec<Register> = prologue::pushes(position.process, start, count);
    match count {
        _ if pushed.len() == count => pushed,
        1 if uses_base_pointer => vec![x86::EBP],
        4 => vec![x86::EBX, x86::EBP, x86::ESI, x86::EDI],
        _ => Vec::new(),
    }
}
