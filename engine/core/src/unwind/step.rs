//! What every way of finding a caller shares: the question (a frame of a process), the answers, the stack's words.

use super::{Abi, Frame, Known, Process, Stop, Trust, Wanted};
use crate::address::Rva;
use crate::registers::{Cpu, Register, RegisterSet, arm, arm64, x64, x86};

/// Bytes that a frame may have before its numbers are taken for garbage.
const LARGEST_FRAME_BYTES: u64 = 1 << 20;

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
    /// The canonical frame address of the frame that it called.
    pub cfa: Option<u64>,
    /// `$T0` of the frame that it called (x86).
    pub virtual_frame: Option<u64>,
}

impl Caller {
    /// One that did not call, but was interrupted.
    pub fn interrupted(registers: RegisterSet, trust: Trust) -> Caller {
        Caller { registers, trust, interrupted: true, cfa: None, virtual_frame: None }
    }
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

    /// The largest number that a general register holds.
    pub fn largest_word(&self) -> u64 {
        if self.cpu().pointer_size_bytes() == 4 { u32::MAX.into() } else { u64::MAX }
    }

    /// Whether `address` may belong to this frame.
    pub fn is_near_above(&self, address: u64) -> bool {
        address.checked_sub(self.sp).is_some_and(|distance| distance <= LARGEST_FRAME_BYTES)
    }

    /// The frame's registers as far as a callee must preserve them, and its stack pointer: what a caller starts from.
    pub fn preserved_registers(&self) -> RegisterSet {
        let mut registers = self.frame.registers.clone();
        forget_volatile(&mut registers, self.process.abi());
        registers.set(self.cpu().stack_pointer(), self.sp);
        registers
    }

    /// A caller with the given registers, if `ip` may be a return address (see [`check_return_address`]).
    pub fn caller(&self, mut registers: RegisterSet, ip: u64, sp: u64, trust: Trust) -> Step {
        let ip = ip & self.process.code_address_mask();
        if check_return_address(self.process, ip)? {
            registers.set(self.cpu().instruction_pointer(), ip);
            registers.set(self.cpu().stack_pointer(), sp);
            // A word that was found by a scan may lie above other words of the frame, or belong to another.
            let cfa = Some(sp).filter(|_| trust > Trust::Scan);
            return Ok(Some(Caller { registers, trust, interrupted: false, cfa, virtual_frame: None }));
        }
        Ok(None)
    }
}

/// Makes unknown what a function may change without restoring it.
///
/// Source: Microsoft, "x64 calling convention" (caller/callee saved registers); System V ABI, AMD64, figure 3.4; Procedure
/// Call Standard for the Arm 64-bit Architecture, section 6.1.1 (of v8 to v15 only the low halves are preserved: as whole
/// registers they are unknown); Procedure Call Standard for the Arm Architecture, section 6.1.1; x86: EBX, EBP, ESI, EDI are preserved everywhere.
pub(super) fn forget_volatile(registers: &mut RegisterSet, abi: Abi) {
    let cpu = registers.cpu();
    let is_preserved = |register: Register| match (cpu, abi) {
        (Cpu::X86, _) => [x86::EBX, x86::EBP, x86::ESI, x86::EDI].contains(&register),
        (Cpu::X64, Abi::Windows) if register == x64::RSI || register == x64::RDI => true,
        (Cpu::X64, _) => [x64::RBX, x64::RBP].contains(&register) || (x64::R12..=x64::R15).contains(&register),
        (Cpu::Arm64, _) => (arm64::X19..=arm64::FP).contains(&register),
        (Cpu::Arm, _) => (arm::R4..=arm::FP).contains(&register),
    };
    for index in 0..cpu.register_names().len() as u8 {
        if !is_preserved(Register(index)) {
            registers.forget(Register(index));
        }
    }
    for index in 0..cpu.vector_count() {
        if (cpu, abi) != (Cpu::X64, Abi::Windows) || index < 6 {
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
        return process.is_executable(address) == Some(true) || process.registered_tables(address).is_some();
    };
    match (process.unwind_tables(module.index), Rva::of(address, module.base)) {
        (Known::Yes(tables), Some(rva)) => tables.is_executable(rva),
        (Known::Yes(_), None) => false,
        _ => process.is_executable(address) != Some(false),
    }
}
