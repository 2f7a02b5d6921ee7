//! CONTEXT records: the registers of a thread.
//!
//! Source: winnt.h, CONTEXT of each processor; Breakpad, minidump_cpu_arm.h, minidump_cpu_arm64.h. `ContextFlags` says which groups of registers are there; one that is
//! not there is unknown, not zero.

use super::records::Problem;
use crate::bytes::{Reader, Truncated};
use crate::registers::{Cpu, Register, RegisterSet, arm, arm64, x64, x86};

const CONTROL: u32 = 1;
const INTEGER: u32 = 2;
/// Of ARM64 and ARM; x64 has another bit.
const ARM_FLOATING_POINT: u32 = 4;
const X64_FLOATING_POINT: u32 = 8;
const X86_EXTENDED: u32 = 0x20;

/// Reads a CONTEXT of `cpu`. A record that is cut off keeps what came before, unless the integer registers are cut off.
///
/// Folklore: contexts of Windows x64 are often longer than 1232 bytes (XSAVE state follows), and x86 ones as short as
/// 204 bytes (no extended registers): length says nothing, flags do.
pub fn registers(bytes: &[u8], cpu: Cpu) -> Result<RegisterSet, Problem> {
    let mut set = RegisterSet::new(cpu);
    match cpu {
        Cpu::X86 => read_x86(bytes, &mut set)?,
        Cpu::X64 => read_x64(bytes, &mut set)?,
        Cpu::Arm64 if is_old_arm64(bytes) => read_old_arm64(bytes, &mut set)?,
        Cpu::Arm64 => read_arm64(bytes, &mut set)?,
        Cpu::Arm => read_arm(bytes, &mut set)?,
    }
    if set.instruction_pointer().is_none() {
        return Err(Problem::Invalid("its flags say that it holds no instruction pointer".to_owned()));
    }
    Ok(set)
}

fn read_x86(bytes: &[u8], set: &mut RegisterSet) -> Result<(), Truncated> {
    let flags = declared(Reader::new(bytes).u32()?);
    let mut input = Reader::at(bytes, 0x9c)?;
    for register in [x86::EDI, x86::ESI, x86::EBX, x86::EDX, x86::ECX, x86::EAX] {
        set_if(flags & INTEGER != 0, set, register, input.u32()?.into());
    }
    let control = flags & CONTROL != 0;
    set_if(control, set, x86::EBP, input.u32()?.into());
    set_if(control, set, x86::EIP, input.u32()?.into());
    input.skip(4)?; // SegCs
    set_if(control, set, x86::EFLAGS, input.u32()?.into());
    set_if(control, set, x86::ESP, input.u32()?.into());
    if flags & X86_EXTENDED != 0 {
        // ExtendedRegisters at 0xcc is an FXSAVE image, whose XMM registers begin at 0xa0.
        read_vectors(bytes, 0xcc + 0xa0, 8, set);
    }
    Ok(())
}

fn read_x64(bytes: &[u8], set: &mut RegisterSet) -> Result<(), Truncated> {
    let flags = declared(Reader::at(bytes, 0x30)?.u32()?);
    let (control, integer) = (flags & CONTROL != 0, flags & INTEGER != 0);
    set_if(control, set, x64::RFLAGS, Reader::at(bytes, 0x44)?.u32()?.into());
    let mut input = Reader::at(bytes, 0x78)?;
    for index in 0..16 {
        let belongs = if Register(index) == x64::RSP { control } else { integer };
        set_if(belongs, set, Register(index), input.u64()?);
    }
    set_if(control, set, x64::RIP, input.u64()?);
    if flags & X64_FLOATING_POINT != 0 {
        read_vectors(bytes, 0x1a0, 16, set);
    }
    Ok(())
}

fn read_arm64(bytes: &[u8], set: &mut RegisterSet) -> Result<(), Truncated> {
    let mut input = Reader::new(bytes);
    let (flags, cpsr) = (declared(input.u32()?), input.u32()?);
    let (control, integer) = (flags & CONTROL != 0, flags & INTEGER != 0);
    set_if(control, set, arm64::CPSR, cpsr.into());
    for index in 0..29 {
        set_if(integer, set, Register(index), input.u64()?);
    }
    for register in [arm64::FP, arm64::LR, arm64::SP, arm64::PC] {
        set_if(control, set, register, input.u64()?);
    }
    if flags & ARM_FLOATING_POINT != 0 {
        read_vectors(bytes, input.offset(), 32, set);
    }
    Ok(())
}

/// Whether an ARM64 record has the layout that Breakpad's writers used until 2018.
///
/// Folklore: its flags have 64 bits and the processor's bit 0x80000000, which Windows uses as CONTEXT_EXCEPTION_REPORTING
/// in its own layout. So that layout's processor bit decides.
fn is_old_arm64(bytes: &[u8]) -> bool {
    const OLD: u32 = 0x8000_0000;
    const WINDOWS: u32 = 0x0040_0000;
    Reader::new(bytes).u32().is_ok_and(|flags| flags & (OLD | WINDOWS) == OLD)
}

/// MDRawContextARM64_Old, which is packed: X0 to X30, SP, PC, CPSR, FPSR, FPCR, V0 to V31.
fn read_old_arm64(bytes: &[u8], set: &mut RegisterSet) -> Result<(), Truncated> {
    let mut input = Reader::new(bytes);
    let flags = declared(input.u32()?);
    input.skip(4)?; // the upper half of the flags
    let integer = flags & INTEGER != 0;
    for index in 0..=arm64::PC.0 {
        set_if(integer, set, Register(index), input.u64()?);
    }
    set_if(integer, set, arm64::CPSR, input.u32()?.into());
    if flags & ARM_FLOATING_POINT != 0 {
        read_vectors(bytes, input.offset().saturating_add(8), 32, set);
    }
    Ok(())
}

/// Windows' CONTEXT and Breakpad's MDRawContextARM, whose layout is the same: R0 to R15, CPSR, FPSCR in 8 bytes, D0 to D31.
fn read_arm(bytes: &[u8], set: &mut RegisterSet) -> Result<(), Truncated> {
    const WINDOWS: u32 = 0x0020_0000;
    let mut input = Reader::new(bytes);
    let stored = input.u32()?;
    let flags = declared(stored);
    let integer = flags & INTEGER != 0;
    // Breakpad has no group of its own for the control registers. (Its processor bit is Windows' for something else.)
    let control = flags & CONTROL != 0 || integer && stored & WINDOWS == 0;
    for index in 0..=arm::CPSR.0 {
        let belongs = if index < arm::SP.0 { integer } else { control };
        set_if(belongs, set, Register(index), input.u32()?.into());
    }
    if flags & ARM_FLOATING_POINT != 0 && input.skip(8).is_ok() {
        for index in 0..set.cpu().vector_count() {
            let Ok(value) = input.u64() else { break };
            set.set_vector(index, value.into());
        }
    }
    Ok(())
}

/// Which groups of registers the flags declare.
///
/// Folklore: Breakpad's writer for macOS sets the bit of the processor and no group at all, though it has written the
/// registers (the dump of a macOS crash in the `symbolic` project has 0x100000). So no group means these two.
fn declared(flags: u32) -> u32 {
    const GROUPS: u32 = 0xffff;
    if flags & GROUPS == 0 { CONTROL | INTEGER } else { flags & GROUPS }
}

fn set_if(belongs: bool, set: &mut RegisterSet, register: Register, value: u64) {
    if belongs {
        set.set(register, value);
    }
}

/// Vector registers that a short record does not hold stay unknown.
fn read_vectors(bytes: &[u8], offset: usize, count: usize, set: &mut RegisterSet) {
    let Ok(mut input) = Reader::at(bytes, offset) else { return };
    for index in 0..count {
        let Ok(value) = input.u128() else { return };
        set.set_vector(index, value);
    }
}
