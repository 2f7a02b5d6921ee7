//! NT_PRSTATUS and NT_PRFPREG: a thread's number, signal and registers.
//!
//! Source: Linux, `struct elf_prstatus` (elfcore.h); `struct user_regs_struct` of x86, `struct user_pt_regs` of ARM64, `struct pt_regs` of ARM;
//! `struct user_i387_struct` (an FXSAVE image) and `struct user_fpsimd_state`.

use super::super::records::Problem;
use crate::bytes::{Reader, Truncated};
use crate::registers::{Cpu, Register, RegisterSet, arm, arm64, x64, x86};

/// Offsets of `pr_pid` and of `pr_reg` where longs have 8 bytes, and where they have 4.
const PID_64: usize = 32;
const PID_32: usize = 24;
const REGISTERS_64: usize = 112;
const REGISTERS_32: usize = 72;

/// `pr_pid`: the thread.
pub fn thread_id(status: &[u8], is_64: bool) -> Option<u32> {
    Reader::at(status, if is_64 { PID_64 } else { PID_32 }).ok()?.u32().ok()
}

/// `pr_cursig`.
pub fn current_signal(status: &[u8]) -> Option<u16> {
    Reader::at(status, 12).ok()?.u16().ok()
}

/// The registers of a thread.
pub fn registers(status: &[u8], floating_point: Option<&[u8]>, cpu: Cpu) -> Result<RegisterSet, Problem> {
    let mut set = RegisterSet::new(cpu);
    let floating_point = floating_point.unwrap_or_default();
    match cpu {
        Cpu::X64 => {
            read_x64(status, &mut set)?;
            read_vectors(floating_point, 160, &mut set);
        }
        Cpu::X86 => read_x86(status, &mut set)?,
        Cpu::Arm64 => {
            read_arm64(status, &mut set)?;
            read_vectors(floating_point, 0, &mut set);
        }
        // (Its NT_PRFPREG is of the FPA, a coprocessor of the nineties; VFP's registers are in NT_ARM_VFP.)
        Cpu::Arm => read_arm(status, &mut set)?,
    }
    Ok(set)
}

fn read_x64(status: &[u8], set: &mut RegisterSet) -> Result<(), Truncated> {
    // The order of user_regs_struct; None is no general register.
    const ORDER: [Option<Register>; 20] = [
        Some(x64::R15),
        Some(Register(14)),
        Some(Register(13)),
        Some(x64::R12),
        Some(x64::RBP),
        Some(x64::RBX),
        Some(Register(11)),
        Some(Register(10)),
        Some(Register(9)),
        Some(x64::R8),
        Some(x64::RAX),
        Some(x64::RCX),
        Some(x64::RDX),
        Some(x64::RSI),
        Some(x64::RDI),
        None, // orig_rax
        Some(x64::RIP),
        None, // cs
        Some(x64::RFLAGS),
        Some(x64::RSP),
    ];
    read_ordered(Reader::at(status, REGISTERS_64)?, &ORDER, |input| input.u64(), set)
}

fn read_x86(status: &[u8], set: &mut RegisterSet) -> Result<(), Truncated> {
    const ORDER: [Option<Register>; 16] = [
        Some(x86::EBX),
        Some(x86::ECX),
        Some(x86::EDX),
        Some(x86::ESI),
        Some(x86::EDI),
        Some(x86::EBP),
        Some(x86::EAX),
        None, // ds
        None, // es
        None, // fs
        None, // gs
        None, // orig_eax
        Some(x86::EIP),
        None, // cs
        Some(x86::EFLAGS),
        Some(x86::ESP),
    ];
    read_ordered(Reader::at(status, REGISTERS_32)?, &ORDER, |input| input.u32().map(u64::from), set)
}

fn read_arm64(status: &[u8], set: &mut RegisterSet) -> Result<(), Truncated> {
    let mut input = Reader::at(status, REGISTERS_64)?;
    for index in 0..31 {
        set.set(Register(index), input.u64()?);
    }
    for register in [arm64::SP, arm64::PC, arm64::CPSR] {
        set.set(register, input.u64()?);
    }
    Ok(())
}

/// R0 to R15, CPSR; `ORIG_r0` follows.
fn read_arm(status: &[u8], set: &mut RegisterSet) -> Result<(), Truncated> {
    let mut input = Reader::at(status, REGISTERS_32)?;
    for index in 0..=arm::CPSR.0 {
        set.set(Register(index), input.u32()?.into());
    }
    Ok(())
}

fn read_ordered(
    mut input: Reader<'_>,
    order: &[Option<Register>],
    mut word: impl FnMut(&mut Reader<'_>) -> Result<u64, Truncated>,
    set: &mut RegisterSet,
) -> Result<(), Truncated> {
    for register in order {
        let value = word(&mut input)?;
        if let Some(register) = register {
            set.set(*register, value);
        }
    }
    Ok(())
}

/// Vector registers from `offset` of a note; those that it does not hold stay unknown.
fn read_vectors(note: &[u8], offset: usize, set: &mut RegisterSet) {
    let Ok(mut input) = Reader::at(note, offset) else { return };
    for index in 0..set.cpu().vector_count() {
        let Ok(value) = input.u128() else { return };
        set.set_vector(index, value);
    }
}
