//! DWARF's numbers of registers, vector registers included.
//!
//! Source: System V ABI for x86-64, figure 3.36; for i386, table 2.14; DWARF for the Arm 64-bit Architecture, section 4.1.

use crate::callframe::register;
use crate::debuginfo::Place;
use crate::registers::{Cpu, Register};

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
        let first_vector = match cpu {
            Cpu::X64 => 17,
            Cpu::X86 => 21,
            Cpu::Arm64 => 64,
            Cpu::Arm => 256, // D0: DWARF for the Arm Architecture, section 4.1
        };
        let vector = number.checked_sub(first_vector).and_then(|index| u8::try_from(index).ok());
        match vector.filter(|&index| usize::from(index) < cpu.vector_count()) {
            Some(index) => Some(DwarfRegister::Vector(index)),
            None => register(cpu, number).map(DwarfRegister::General),
        }
    }

    /// The place of a variable that is the register.
    pub fn itself(self) -> Place {
        match self {
            DwarfRegister::General(register) => Place::Register { register, first_byte: 0 },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registers::{arm64, x64, x86};

    #[test]
    fn vector_registers_have_the_numbers_of_the_abi() {
        let vector = |index| Some(DwarfRegister::Vector(index));
        for (cpu, number, expected) in [
            (Cpu::X64, 17, vector(0)),
            (Cpu::X64, 32, vector(15)),
            (Cpu::X64, 33, None), // st0
            (Cpu::X64, 16, Some(DwarfRegister::General(x64::RIP))),
            (Cpu::X86, 21, vector(0)),
            (Cpu::X86, 29, None), // mm0
            (Cpu::X86, 5, Some(DwarfRegister::General(x86::EBP))),
            (Cpu::Arm64, 95, vector(31)),
            (Cpu::Arm64, 31, Some(DwarfRegister::General(arm64::SP))),
            (Cpu::Arm64, 96, None),
        ] {
            assert_eq!(DwarfRegister::new(number, cpu), expected, "{cpu:?} {number}");
        }
    }
}
