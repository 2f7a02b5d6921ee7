//! DWARF's register numbers, which each processor's ABI assigns.
//!
//! Source: System V ABI, AMD64 Architecture Processor Supplement, figure 3.36; Intel386 supplement, table 2.14; DWARF for
//! the Arm 64-bit Architecture, section 4.1; DWARF for the Arm Architecture, section 4.1.

use crate::registers::{Cpu, Register, arm64, x64, x86};

/// Our registers by their DWARF numbers 0 to 7, which order them neither by encoding nor by name.
const X64_LOW: [Register; 8] = [x64::RAX, x64::RDX, x64::RCX, x64::RBX, x64::RSI, x64::RDI, x64::RBP, x64::RSP];

/// The register that DWARF gives `number`; `None` for vectors, flags and pseudo-registers (ARM64's `RA_SIGN_STATE`).
pub fn register(cpu: Cpu, number: u16) -> Option<Register> {
    let index = u8::try_from(number).ok()?;
    match cpu {
        // x86 has the order of the instruction encoding, then the instruction pointer.
        Cpu::X86 if number <= 8 => Some(Register(index)),
        Cpu::X86 if number == 9 => Some(x86::EFLAGS),
        Cpu::X64 if number < 8 => Some(X64_LOW[usize::from(number)]),
        Cpu::X64 if number < 16 => Some(Register(index)),
        Cpu::X64 if number == 16 => Some(x64::RIP),
        Cpu::X64 if number == 49 => Some(x64::RFLAGS),
        Cpu::Arm64 if number <= 31 => Some(Register(index)),
        Cpu::Arm64 if number == 32 => Some(arm64::PC),
        Cpu::Arm if number <= 15 => Some(Register(index)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_supplements() {
        let name = |cpu: Cpu, number| register(cpu, number).map(|it| cpu.register_names()[usize::from(it.0)]);
        let x64 = ["rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8"];
        assert_eq!((0..9).map(|number| name(Cpu::X64, number).unwrap()).collect::<Vec<_>>(), x64);
        let x86 = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "eip", "eflags"];
        assert_eq!((0..10).map(|number| name(Cpu::X86, number).unwrap()).collect::<Vec<_>>(), x86);
        for (cpu, number, expected) in [
            (Cpu::X64, 15, Some("r15")),
            (Cpu::X64, 16, Some("rip")),
            (Cpu::X64, 17, None), // xmm0
            (Cpu::X64, 49, Some("eflags")),
            (Cpu::X86, 10, None),
            (Cpu::Arm64, 0, Some("x0")),
            (Cpu::Arm64, 29, Some("fp")),
            (Cpu::Arm64, 30, Some("lr")),
            (Cpu::Arm64, 31, Some("sp")),
            (Cpu::Arm64, 34, None), // RA_SIGN_STATE
            (Cpu::Arm64, 64, None), // v0
            (Cpu::Arm64, 256 + 31, None),
            (Cpu::Arm, 0, Some("r0")),
            (Cpu::Arm, 7, Some("r7")),
            (Cpu::Arm, 11, Some("fp")),
            (Cpu::Arm, 13, Some("sp")),
            (Cpu::Arm, 14, Some("lr")),
            (Cpu::Arm, 15, Some("pc")),
            (Cpu::Arm, 16, None),  // f0 of the FPA, long obsolete
            (Cpu::Arm, 128, None), // SPSR
            (Cpu::Arm, 256, None), // d0
            (Cpu::X64, u16::MAX, None),
        ] {
            assert_eq!(name(cpu, number), expected, "{cpu:?} {number}");
        }
    }
}
