//! The first instructions of x86 functions: what they push, and how deep.

use iced_x86::{Instruction, Mnemonic, OpKind, Register as MachineRegister};

use super::code_bytes::instruction_at;
use super::step::{Position, Step};
use super::{Process, Trust};
use crate::registers::{Cpu, Register, x86};

/// Instructions that a prologue may have.
const MOST_INSTRUCTIONS: usize = 32;

/// What one instruction of a prologue does to the stack.
enum Effect {
    /// Saves a preserved register.
    Saves(Register),
    /// Takes so many bytes.
    Takes(u64),
    /// What cannot be followed.
    Lost,
}

/// The caller of a function that was stopped in its prologue, which begins at `start`: what has run so far is counted.
///
/// Situation: a record of Microsoft's compiler describes a function after its prologue only, and a stack overflow strikes
/// in it, at a push.
pub(super) fn caller(position: &Position, start: u64) -> Step {
    let mut address = start;
    let mut depth = 0_u64;
    let mut saved = Vec::new();
    for _ in 0..MOST_INSTRUCTIONS {
        if address >= position.ip {
            break;
        }
        let Some(instruction) = instruction_at(position.process, address, Cpu::X86) else { return Ok(None) };
        match effect_of(&instruction) {
            Effect::Saves(register) => {
                depth = depth.wrapping_add(4);
                saved.push((register, depth));
            }
            Effect::Takes(bytes) => depth = depth.wrapping_add(bytes),
            Effect::Lost => return Ok(None),
        }
        address = instruction.next_ip();
    }
    if address != position.ip {
        return Ok(None);
    }
    let slot = position.sp.wrapping_add(depth);
    let mut registers = position.preserved_registers();
    for (register, depth) in saved {
        registers.set(register, position.word(slot.wrapping_sub(depth))?);
    }
    position.caller(registers, position.word(slot)?, slot.wrapping_add(4), Trust::Cfi)
}

/// The first `count` preserved registers that the function at `start` pushes, in that order; fewer if its code cannot
/// be read or followed.
pub(super) fn pushes(process: &dyn Process, start: u64, count: usize) -> Vec<Register> {
    let mut pushed = Vec::new();
    let mut address = start;
    for _ in 0..MOST_INSTRUCTIONS {
        if pushed.len() == count {
            break;
        }
        let Some(instruction) = instruction_at(process, address, Cpu::X86) else { break };
        match effect_of(&instruction) {
            Effect::Saves(register) => pushed.push(register),
            Effect::Takes(_) => {}
            Effect::Lost => break,
        }
        address = instruction.next_ip();
    }
    pushed
}

fn effect_of(instruction: &Instruction) -> Effect {
    let first_is = |register| instruction.op0_kind() == OpKind::Register && instruction.op0_register() == register;
    match instruction.mnemonic() {
        Mnemonic::Push => match instruction.op0_register() {
            MachineRegister::EBX => Effect::Saves(x86::EBX),
            MachineRegister::EBP => Effect::Saves(x86::EBP),
            MachineRegister::ESI => Effect::Saves(x86::ESI),
            MachineRegister::EDI => Effect::Saves(x86::EDI),
            // `push ecx` makes room for a local, `push -1` builds an exception frame.
            _ => Effect::Takes(4),
        },
        Mnemonic::Sub if first_is(MachineRegister::ESP) && instruction.op1_kind() != OpKind::Register => {
            Effect::Takes(instruction.immediate(1) & 0xffff_ffff)
        }
        _ if instruction.flow_control() != iced_x86::FlowControl::Next => Effect::Lost,
        // Anything else that moves the stack pointer: an alignment, a `pop`.
        _ if instruction.stack_pointer_increment() != 0 || first_is(MachineRegister::ESP) => Effect::Lost,
        // Other work is mixed in; a preserved register that it changes was saved before.
        _ => Effect::Takes(0),
    }
}
