//! Executing a function's last instructions: where nothing but known stack operations lies between the instruction
//! pointer and the return, the return address is certain, whatever unwind information says or lacks.
//!
//! This serves the system call stubs in which most threads wait (`syscall`, `ret`), whose module is rarely at hand
//! while the dump keeps the bytes around the instruction pointer, and the epilogues of x64 functions, which unwind
//! codes do not describe.

use iced_x86::{
    FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register as MachineRegister,
};

use super::Trust;
use super::code_bytes::{Evidence, evidence, instruction_at};
use super::step::{Position, Step, forget_volatile};
use crate::registers::{Register, RegisterSet};

/// Instructions followed before giving up.
const MOST_INSTRUCTIONS: usize = 64;

/// What one instruction did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Went on to the next one; whether it moved the stack pointer or popped a register.
    Next(Kind),
    /// Returned to this address.
    Returned(u64),
    /// Jumped; `None` if through a pointer.
    Jumped(Option<u64>),
    /// Something that cannot be followed.
    Lost,
}

/// Kinds of instruction that an epilogue tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `add rsp, n` or `lea rsp, [register + n]`.
    Adjust,
    /// `pop register`.
    Pop,
    /// Anything else.
    Other,
}

/// The registers of a frame, and the instructions that change them.
pub(super) struct Machine<'a> {
    position: &'a Position<'a>,
    pub registers: RegisterSet,
    pub ip: u64,
}

impl<'a> Machine<'a> {
    pub fn new(position: &'a Position<'a>) -> Machine<'a> {
        Machine { position, registers: position.frame.registers.clone(), ip: position.ip }
    }

    /// The instruction at the current place.
    pub fn fetch(&self) -> Option<Instruction> {
        instruction_at(self.position.process, self.ip, self.position.cpu())
    }

    /// Carries out `instruction`, as far as it concerns the stack and the registers' validity.
    pub fn execute(&mut self, instruction: &Instruction) -> Effect {
        self.ip = instruction.next_ip();
        match instruction.mnemonic() {
            Mnemonic::Ret => self.ret(instruction),
            Mnemonic::Pop => self.pop(instruction),
            Mnemonic::Leave => self.leave(),
            Mnemonic::Add | Mnemonic::Sub | Mnemonic::Lea | Mnemonic::Mov if self.sets_stack_pointer(instruction) => {
                self.move_stack_pointer(instruction)
            }
            _ => self.other(instruction),
        }
    }

    /// The caller, after a return to `address`.
    pub fn into_caller(mut self, address: u64) -> Step {
        let sp = self.registers.stack_pointer().unwrap_or_default();
        forget_volatile(&mut self.registers, self.position.process.abi());
        self.position.caller(self.registers, address, sp, Trust::Cfi)
    }

    fn pop_word(&mut self) -> Option<u64> {
        let cpu = self.position.cpu();
        let sp = self.registers.stack_pointer()?;
        let value = self.position.process.read_pointer(sp, cpu)?;
        self.registers.set(cpu.stack_pointer(), sp.wrapping_add(cpu.pointer_size_bytes() as u64));
        Some(value)
    }

    fn ret(&mut self, instruction: &Instruction) -> Effect {
        let Some(address) = self.pop_word() else { return Effect::Lost };
        if instruction.op_count() == 1 {
            let popped = instruction.immediate(0) & 0xffff;
            self.add_to_stack_pointer(popped);
        }
        Effect::Returned(address)
    }

    fn pop(&mut self, instruction: &Instruction) -> Effect {
        let register =
            if instruction.op0_kind() == OpKind::Register { self.full(instruction.op0_register()) } else { None };
        match (register, self.pop_word()) {
            (Some(register), Some(value)) => {
                self.registers.set(register, value);
                Effect::Next(Kind::Pop)
            }
            _ => Effect::Lost,
        }
    }

    fn leave(&mut self) -> Effect {
        let cpu = self.position.cpu();
        let Some(base) = self.registers.frame_pointer() else { return Effect::Lost };
        self.registers.set(cpu.stack_pointer(), base);
        let Some(saved) = self.pop_word() else { return Effect::Lost };
        self.registers.set(cpu.frame_pointer(), saved);
        Effect::Next(Kind::Other)
    }

    fn sets_stack_pointer(&self, instruction: &Instruction) -> bool {
        instruction.op0_kind() == OpKind::Register
            && self.full(instruction.op0_register()) == Some(self.position.cpu().stack_pointer())
    }

    fn move_stack_pointer(&mut self, instruction: &Instruction) -> Effect {
        let source = match instruction.mnemonic() {
            Mnemonic::Add if is_immediate(instruction) => {
                self.add_to_stack_pointer(instruction.immediate(1));
                return Effect::Next(Kind::Adjust);
            }
            Mnemonic::Sub if is_immediate(instruction) => {
                self.add_to_stack_pointer(instruction.immediate(1).wrapping_neg());
                return Effect::Next(Kind::Other);
            }
            Mnemonic::Lea if instruction.memory_index() == MachineRegister::None => {
                let base = self.full(instruction.memory_base()).and_then(|base| self.registers.get(base));
                base.map(|base| (base.wrapping_add(instruction.memory_displacement64()), Kind::Adjust))
            }
            Mnemonic::Mov if instruction.op1_kind() == OpKind::Register => {
                let value = self.full(instruction.op1_register()).and_then(|source| self.registers.get(source));
                value.map(|value| (value, Kind::Other))
            }
            _ => None,
        };
        let Some((value, kind)) = source else { return Effect::Lost };
        self.registers.set(self.position.cpu().stack_pointer(), value);
        Effect::Next(kind)
    }

    fn add_to_stack_pointer(&mut self, bytes: u64) {
        if let Some(sp) = self.registers.stack_pointer() {
            self.registers.set(self.position.cpu().stack_pointer(), sp.wrapping_add(bytes));
        }
    }

    /// Follows a jump; forgets what any other instruction writes, and is lost if that concerns the stack.
    fn other(&mut self, instruction: &Instruction) -> Effect {
        match instruction.flow_control() {
            FlowControl::Next => {}
            FlowControl::UnconditionalBranch if instruction.is_jmp_short_or_near() => {
                return Effect::Jumped(Some(instruction.near_branch_target()));
            }
            FlowControl::IndirectBranch => return Effect::Jumped(None),
            _ => return Effect::Lost,
        }
        let mut factory = InstructionInfoFactory::new();
        let info = factory.info(instruction);
        let stack_pointer = self.position.cpu().stack_pointer();
        for memory in info.used_memory() {
            if writes(memory.access()) && self.full(memory.base()) == Some(stack_pointer) {
                return Effect::Lost;
            }
        }
        for used in info.used_registers() {
            let Some(register) = self.full(used.register().full_register()).filter(|_| writes(used.access())) else {
                if writes(used.access()) && used.register().is_vector_register() {
                    self.registers.forget_vector(used.register().number());
                }
                continue;
            };
            if register == stack_pointer {
                return Effect::Lost;
            }
            self.registers.forget(register);
        }
        Effect::Next(Kind::Other)
    }

    /// Our register for a general register of full width.
    fn full(&self, register: MachineRegister) -> Option<Register> {
        let wide = match self.position.cpu().pointer_size_bytes() {
            4 => register.full_register32(),
            _ => register.full_register(),
        };
        let is_full = register == wide || register == register.full_register();
        (is_full && (register.is_gpr32() || register.is_gpr64())).then(|| Register(register.number() as u8))
    }
}

fn is_immediate(instruction: &Instruction) -> bool {
    instruction.op_count() == 2
        && instruction.op1_kind() != OpKind::Register
        && instruction.op1_kind() != OpKind::Memory
}

fn writes(access: OpAccess) -> bool {
    !matches!(access, OpAccess::None | OpAccess::Read | OpAccess::CondRead | OpAccess::NoMemAccess)
}

/// The caller, if execution runs from the instruction pointer straight into a return.
pub(super) fn caller(position: &Position) -> Step {
    let mut machine = Machine::new(position);
    for step in 0..MOST_INSTRUCTIONS {
        let Some(instruction) = machine.fetch() else { return Ok(None) };
        // A breakpoint that was hit; anywhere else it is padding after a call that does not return.
        let stopped_here = step == 0 && position.is_exact() && instruction.mnemonic() == Mnemonic::Int3;
        if stopped_here {
            machine.ip = instruction.next_ip();
            continue;
        }
        match machine.execute(&instruction) {
            Effect::Next(_) => {}
            Effect::Jumped(Some(target)) => machine.ip = target,
            Effect::Jumped(None) | Effect::Lost => return Ok(None),
            Effect::Returned(address) => {
                let refuted = address != 0 && evidence(position.process, address, position.cpu())? == Evidence::Refuted;
                return if refuted { Ok(None) } else { machine.into_caller(address) };
            }
        }
    }
    Ok(None)
}
