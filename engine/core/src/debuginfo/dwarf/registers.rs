//! DWARF's numbers of registers.
//!
//! Source: System V ABI for x86-64, figure 3.36; for i386, table 2.14; DWARF for the Arm 64-bit Architecture, section 4.1.

use crate::debuginfo::Place;
use crate::registers::{Cpu, Register, arm64, x64, x86};

/// A register as DWARF numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DwarfRegister {
    /// A general register, or the instruction pointer.
    General(Register),
    /// A vector register.
    Vector(u8),
}

impl DwarfRegister {
    /// The register with DWARF's number; None for those that a register set does not keep.
    pub fn new(number: u16, cpu: Cpu) -> Option<DwarfRegister> {
        match cpu {
            Cpu::X64 => x64_register(number),
            Cpu::X86 => x86_register(number),
            Cpu::Arm64 => arm64_register(number),
        }
    }

    /// The place of a variable that is the register.
    pub fn itself(self) -> Place {
        match self {
            DwarfRegister::General(register) => Place::Register(register),
            DwarfRegister::Vector(index) => Place::Vector(index),
        }
    }

    /// The register, if it is a general one.
    pub fn general(self) -> Option<Register> {
        match self {
            DwarfRegister::General(register) => Some(register),
            DwarfRegister::Vector(_) => None,
        }
    }
}

fn x64_register(number: u16) -> Option<DwarfRegister> {
    /// Hardware numbers of `RAX RDX RCX RBX RSI RDI RBP RSP`, in DWARF's order.
    const LEGACY: [u8; 8] = [0, 2, 1, 3, 6, 7, 5, 4];
    match number {
        0..=7 => Some(DwarfRegister::General(Register(LEGACY[usize::from(number)]))),
        8..=15 => Some(DwarfRegister::General(Register(number as u8))),
        16 => Some(DwarfRegister::General(x64::RIP)),
        17..=32 => Some(DwarfRegister::Vector((number - 17) as u8)),
        _ => None,
    }
}

/// Of macOS, whose compilers once swapped ESP and EBP in `.eh_frame` only, the numbers in debug information are these.
fn x86_register(number: u16) -> Option<DwarfRegister> {
    match number {
        0..=7 => Some(DwarfRegister::General(Register(number as u8))),
        8 => Some(DwarfRegister::General(x86::EIP)),
        21..=28 => Some(DwarfRegister::Vector((number - 21) as u8)),
        _ => None,
    }
}

fn arm64_register(number: u16) -> Option<DwarfRegister> {
    match number {
        0..=30 => Some(DwarfRegister::General(Register(number as u8))),
        31 => Some(DwarfRegister::General(arm64::SP)),
        32 => Some(DwarfRegister::General(arm64::PC)),
        64..=95 => Some(DwarfRegister::Vector((number - 64) as u8)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_abi() {
        for (cpu, number, name) in [
            (Cpu::X64, 0, "rax"),
            (Cpu::X64, 1, "rdx"),
            (Cpu::X64, 2, "rcx"),
            (Cpu::X64, 3, "rbx"),
            (Cpu::X64, 4, "rsi"),
            (Cpu::X64, 5, "rdi"),
            (Cpu::X64, 6, "rbp"),
            (Cpu::X64, 7, "rsp"),
            (Cpu::X64, 15, "r15"),
            (Cpu::X64, 16, "rip"),
            (Cpu::X86, 4, "esp"),
            (Cpu::X86, 5, "ebp"),
            (Cpu::X86, 8, "eip"),
            (Cpu::Arm64, 29, "fp"),
            (Cpu::Arm64, 30, "lr"),
            (Cpu::Arm64, 31, "sp"),
        ] {
            let register = DwarfRegister::new(number, cpu).and_then(DwarfRegister::general).unwrap();
            assert_eq!(cpu.register_names()[usize::from(register.0)], name, "{cpu:?} {number}");
        }
        assert_eq!(DwarfRegister::new(17, Cpu::X64), Some(DwarfRegister::Vector(0)));
        assert_eq!(DwarfRegister::new(33, Cpu::X64), None);
    }
}
