//! CodeView's numbers of registers.
//!
//! Source: Microsoft, microsoft-pdb, cvconst.h (CV_HREG_e); LLVM, CodeViewRegisters.def.

use crate::debuginfo::Place;
use crate::registers::{Cpu, Register, arm64, x64, x86};

/// The virtual frame of x86: where ESP was when the function was entered, less what the frame data says.
const VFRAME: u16 = 30006;

/// What a record says of a place in or relative to a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeViewRegister {
    /// A general register or a part of one.
    General(Register),
    /// A vector register or a part of one.
    Vector(u8),
    /// The virtual frame.
    VirtualFrame,
}

impl CodeViewRegister {
    /// The register with CodeView's number; None for those that a register set does not keep.
    pub fn new(number: u16, cpu: Cpu) -> Option<CodeViewRegister> {
        if number == VFRAME {
            return Some(CodeViewRegister::VirtualFrame);
        }
        match cpu {
            Cpu::X86 => x86_register(number),
            Cpu::X64 => x64_register(number),
            Cpu::Arm64 => arm64_register(number),
            Cpu::Arm => None, // no PDB of that processor is read
        }
    }

    /// The place of a variable that is the register.
    pub fn itself(self) -> Option<Place> {
        match self {
            CodeViewRegister::General(register) => Some(Place::Register { register, first_byte: 0 }),
            CodeViewRegister::Vector(index) => Some(Place::Vector(index)),
            CodeViewRegister::VirtualFrame => None,
        }
    }

    /// The place of a variable in memory, `offset` bytes from the register's value.
    pub fn relative(self, offset: i32) -> Option<Place> {
        match self {
            CodeViewRegister::General(register) => Some(Place::RegisterRelative(register, offset)),
            CodeViewRegister::VirtualFrame => Some(Place::VirtualFrameRelative(offset)),
            CodeViewRegister::Vector(_) => None,
        }
    }

    /// The frame's base as S_FRAMEPROC encodes it in two bits (cvinfo.h, FRAMEPROCSYM, encodedLocalBasePointer).
    pub fn frame_base(encoded: u32, cpu: Cpu) -> Option<CodeViewRegister> {
        let general = CodeViewRegister::General;
        match (cpu, encoded & 3) {
            (Cpu::X86, 1) => Some(CodeViewRegister::VirtualFrame),
            (Cpu::X86, 2) => Some(general(x86::EBP)),
            (Cpu::X86, 3) => Some(general(x86::EBX)),
            (Cpu::X64, 1) => Some(general(x64::RSP)),
            (Cpu::X64, 2) => Some(general(x64::RBP)),
            (Cpu::X64, 3) => Some(general(Register(13))),
            (Cpu::Arm64, 1) => Some(general(arm64::SP)),
            (Cpu::Arm64, 2) => Some(general(arm64::FP)),
            _ => None,
        }
    }
}

/// `AL CL DL BL AH CH DH BH`, `AX…DI`, `EAX…EDI`: numbers 1 to 24 on x86 and x64 alike.
fn legacy_register(number: u16) -> Option<u8> {
    match number {
        1..=4 => Some((number - 1) as u8),
        5..=8 => Some((number - 5) as u8),
        9..=16 => Some((number - 9) as u8),
        17..=24 => Some((number - 17) as u8),
        _ => None,
    }
}

fn x86_register(number: u16) -> Option<CodeViewRegister> {
    match number {
        33 => Some(CodeViewRegister::General(x86::EIP)),
        154..=161 => Some(CodeViewRegister::Vector((number - 154) as u8)),
        _ => legacy_register(number).map(|index| CodeViewRegister::General(Register(index))),
    }
}

fn x64_register(number: u16) -> Option<CodeViewRegister> {
    /// Hardware numbers of `RAX RBX RCX RDX RSI RDI RBP RSP`, in CodeView's order.
    const WIDE: [u8; 8] = [0, 3, 1, 2, 6, 7, 5, 4];
    /// Of `SIL DIL BPL SPL`.
    const NARROW: [u8; 4] = [6, 7, 5, 4];
    let general = match number {
        33 => x64::RIP.0,
        324..=327 => NARROW[usize::from(number - 324)],
        328..=335 => WIDE[usize::from(number - 328)],
        336..=343 => (number - 336 + 8) as u8,
        344..=367 => ((number - 344) % 8 + 8) as u8, // R8B…, R8W…, R8D…
        154..=161 => return Some(CodeViewRegister::Vector((number - 154) as u8)),
        252..=259 => return Some(CodeViewRegister::Vector((number - 252 + 8) as u8)),
        _ => legacy_register(number)?,
    };
    Some(CodeViewRegister::General(Register(general)))
}

fn arm64_register(number: u16) -> Option<CodeViewRegister> {
    match number {
        10..=40 => Some(CodeViewRegister::General(Register((number - 10) as u8))),
        50..=81 => Some(CodeViewRegister::General(Register((number - 50) as u8))),
        83 => Some(CodeViewRegister::General(arm64::PC)),
        100..=131 => Some(CodeViewRegister::Vector((number - 100) as u8)),
        140..=171 => Some(CodeViewRegister::Vector((number - 140) as u8)),
        180..=211 => Some(CodeViewRegister::Vector((number - 180) as u8)),
        _ => None,
    }
}
