//! What every way of finding a caller shares: the question (a frame of a process), the answers, the stack's words.

use super::{Frame, Known, Process, Stop, Trust, Wanted};
use crate::address::Rva;
use crate::registers::{Cpu, Register, RegisterSet, x64, x86};

/// Why a step cannot be taken: the walk ends here, or has to wait for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    Stop(Stop),
    Needs(Wanted),
}

/// A caller that was found.
#[derive(Debug)]
pub(super) struct Caller {
    pub registers: RegisterSet,
    pub trust: Trust,
    /// Whether it was interrupted (a machine frame lies between) instead of having called.
    pub interrupted: bool,
}

/// A way of finding the caller answers with it, with `None` if it does not apply, or with a reason to halt.
pub(super) type Step = Result<Option<Caller>, Halt>;

/// The frame whose caller is sought.
pub(super) struct Position<'a> {
    pub process: &'a dyn Process,
    pub frame: &'a Frame,
    /// The frame that this one called.
    pub callee: Option<&'a Frame>,
    pub ip: u64,
    pub sp: u64,
}

impl<'a> Position<'a> {
    /// The position of `frame`; `None` if it lacks an instruction or stack pointer.
    pub fn of(process: &'a dyn Process, frame: &'a Frame, callee: Option<&'a Frame>) -> Option<Position<'a>> {
        let ip = frame.registers.instruction_pointer()?;
        let sp = frame.registers.stack_pointer()?;
        Some(Position { process, frame, callee, ip, sp })
    }

    pub fn cpu(&self) -> Cpu {
        self.frame.registers.cpu()
    }

    /// Whether the instruction pointer is where the frame was stopped, not where a call will return to.
    pub fn is_exact(&self) -> bool {
        self.frame.is_exact()
    }

    /// The stack's word at `address`, or a halt that names the first byte that is absent.
    pub fn word(&self, address: u64) -> Result<u64, Halt> {
        let width = self.cpu().pointer_size_bytes();
        let mut bytes = [0; 8];
        let present = self.process.read(address, &mut bytes[..width]);
        if present < width {
            return Err(Halt::Stop(Stop::NoMemory(address.wrapping_add(present as u64))));
        }
        Ok(u64::from_le_bytes(bytes))
    }

    /// The frame's registers as far as a callee must preserve them, and its stack pointer: what a caller starts from.
    pub fn preserved_registers(&self) -> RegisterSet {
        let mut registers = self.frame.registers.clone();
        forget_volatile(&mut registers);
        registers.set(self.cpu().stack_pointer(), self.sp);
        registers
    }

    /// A caller with the given registers, if `ip` may be a return address (see [`check_return_address`]).
    pub fn caller(&self, mut registers: RegisterSet, ip: u64, sp: u64, trust: Trust) -> Step {
        if check_return_address(self.process, ip)? {
            registers.set(self.cpu().instruction_pointer(), ip);
            registers.set(self.cpu().stack_pointer(), sp);
            return Ok(Some(Caller { registers, trust, interrupted: false }));
        }
        Ok(None)
    }
}

/// Makes unknown what a function may change without restoring it.
/// Source: Microsoft, "x64 calling convention" (caller/callee saved registers); x86: EBX, EBP, ESI, EDI are preserved.
pub(super) fn forget_volatile(registers: &mut RegisterSet) {
    let cpu = registers.cpu();
    let preserved: &[Register] = match cpu {
        Cpu::X86 => &[x86::EBX, x86::EBP, x86::ESI, x86::EDI],
        Cpu::X64 => &[x64::RBX, x64::RBP, x64::RSI, x64::RDI, x64::R12, Register(13), Register(14), x64::R15],
        Cpu::Arm64 => &[],
    };
    for index in 0..cpu.register_names().len() as u8 {
        if !preserved.contains(&Register(index)) {
            registers.forget(Register(index));
        }
    }
    for index in 0..cpu.vector_count() {
        if cpu != Cpu::X64 || index < 6 {
            registers.forget_vector(index);
        }
    }
}

/// Whether `address` may be returned to: it lies in code of a module, or in other memory known to be executable.
/// Zero ends the walk: that is how the outermost frame of a thread looks.
pub(super) fn check_return_address(process: &dyn Process, address: u64) -> Result<bool, Halt> {
    if address == 0 {
        return Err(Halt::Stop(Stop::EndOfStack));
    }
    Ok(is_code(process, address))
}

/// Whether `address` lies in code, as far as that is known without asking for a file.
pub(super) fn is_code(process: &dyn Process, address: u64) -> bool {
    let Some(module) = process.module_at(address) else {
        return process.is_executable(address) == Some(true);
    };
    match (process.unwind_tables(module.index), Rva::of(address, module.base)) {
        (Known::Yes(tables), Some(rva)) => tables.is_executable(rva),
        (Known::Yes(_), None) => false,
        _ => process.is_executable(address) != Some(false),
    }
}
