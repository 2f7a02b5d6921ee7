//! CodeView's numbers of registers.
//!
//! Source: Microsoft, microsoft-pdb, cvconst.h (CV_HREG_e); LLVM, CodeViewRegisters.def.

use crate::debuginfo::{Piece, Place};
use crate::registers::{Cpu, Register, arm64, x64, x86};

/// The virtual frame of x86: where ESP was when the function was entered, less what the frame data says.
const VFRAME: u16 = 30006;

/// `EDX:EAX`, a 64-bit number on x86.
const EDX_EAX: u16 = 212;

/// What a record says of a place in or relative to a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeViewRegister {
    /// A general register or a part of one.
    General {
        /// The whole register.
        register: Register,
        /// Where the part begins in it.
        first_byte: u8,
        /// Bytes of the part.
        size_bytes: u8,
    },
    /// A vector register or its lowest bytes.
    Vector {
        /// Which.
        index: u8,
        /// How many bytes.
        size_bytes: u8,
    },
    /// `EDX:EAX`.
    Pair,
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
            Cpu::X86 if number == EDX_EAX => Some(CodeViewRegister::Pair),
            Cpu::X86 => x86_register(number),
            Cpu::X64 => x64_register(number),
            Cpu::Arm64 => arm64_register(number),
            Cpu::Arm => None, // no PDB of that processor is read
        }
    }

    /// A whole general register, as a base of addresses.
    fn base(register: Register) -> CodeViewRegister {
        CodeViewRegister::General { register, first_byte: 0, size_bytes: 8 }
    }

    /// Bytes that it has.
    pub fn size_bytes(self) -> u32 {
        match self {
            CodeViewRegister::General { size_bytes, .. } | CodeViewRegister::Vector { size_bytes, .. } => {
                size_bytes.into()
            }
            CodeViewRegister::Pair => 8,
            CodeViewRegister::VirtualFrame => 0,
        }
    }

    /// The place of a variable that is the register.
    pub fn itself(self) -> Option<Place> {
        match self {
            CodeViewRegister::General { register, first_byte, .. } => Some(Place::Register { register, first_byte }),
            CodeViewRegister::Vector { index, .. } => Some(Place::Vector(index)),
            CodeViewRegister::Pair => {
                let half = |register, offset_bytes| Piece {
                    offset_bytes,
                    size_bytes: Some(4),
                    place: Place::Register { register, first_byte: 0 },
                };
                Some(Place::Pieces(vec![half(x86::EAX, 0), half(x86::EDX, 4)]))
            }
            CodeViewRegister::VirtualFrame => None,
        }
    }

    /// The place of a variable in memory, `offset` bytes from the register's value.
    pub fn relative(self, offset: i32) -> Option<Place> {
        match self {
            CodeViewRegister::General { register, .. } => Some(Place::RegisterRelative(register, offset)),
            CodeViewRegister::VirtualFrame => Some(Place::VirtualFrameRelative(offset)),
            CodeViewRegister::Vector { .. } | CodeViewRegister::Pair => None,
        }
    }

    /// The place of a variable in memory, to which the word leads that lies `offset` bytes from the register's value.
    pub fn indirect(self, offset: i32) -> Option<Place> {
        match self {
            CodeViewRegister::General { register, .. } => Some(Place::RegisterIndirect(register, offset)),
            _ => None,
        }
    }

    /// The frame's base as S_FRAMEPROC encodes it in two bits (cvinfo.h, FRAMEPROCSYM, encodedLocalBasePointer).
    pub fn frame_base(encoded: u32, cpu: Cpu) -> Option<CodeViewRegister> {
        let general = CodeViewRegister::base;
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

fn general(index: u8, first_byte: u8, size_bytes: u8) -> CodeViewRegister {
    CodeViewRegister::General { register: Register(index), first_byte, size_bytes }
}

/// `AL CL DL BL`, `AH CH DH BH` (which are bytes of the same registers), `AX…DI`, `EAX…EDI`; `XMM0…7`, their lowest four
/// and eight bytes: numbers that mean the same on x86 and x64.
fn legacy_register(number: u16) -> Option<CodeViewRegister> {
    let vector = |index: u16, size_bytes| Some(CodeViewRegister::Vector { index: index as u8, size_bytes });
    match number {
        1..=4 => Some(general((number - 1) as u8, 0, 1)),
        5..=8 => Some(general((number - 5) as u8, 1, 1)),
        9..=16 => Some(general((number - 9) as u8, 0, 2)),
        17..=24 => Some(general((number - 17) as u8, 0, 4)),
        154..=161 => vector(number - 154, 16),
        162..=193 if (number - 162).is_multiple_of(4) => vector((number - 162) / 4, 4),
        194..=201 => vector(number - 194, 8),
        _ => None,
    }
}

fn x86_register(number: u16) -> Option<CodeViewRegister> {
    match number {
        33 => Some(general(x86::EIP.0, 0, 4)),
        _ => legacy_register(number),
    }
}

fn x64_register(number: u16) -> Option<CodeViewRegister> {
    /// Hardware numbers of `RAX RBX RCX RDX RSI RDI RBP RSP`, in CodeView's order.
    const WIDE: [u8; 8] = [0, 3, 1, 2, 6, 7, 5, 4];
    /// Of `SIL DIL BPL SPL`.
    const NARROW: [u8; 4] = [6, 7, 5, 4];
    let vector = |index: u16, size_bytes| CodeViewRegister::Vector { index: index as u8 + 8, size_bytes };
    Some(match number {
        33 => general(x64::RIP.0, 0, 8),
        252..=259 => vector(number - 252, 16),
        260..=291 if (number - 260).is_multiple_of(4) => vector((number - 260) / 4, 4),
        292..=299 => vector(number - 292, 8),
        324..=327 => general(NARROW[usize::from(number - 324)], 0, 1),
        328..=335 => general(WIDE[usize::from(number - 328)], 0, 8),
        336..=343 => general((number - 336 + 8) as u8, 0, 8),
        344..=351 => general((number - 344 + 8) as u8, 0, 1),
        352..=359 => general((number - 352 + 8) as u8, 0, 2),
        360..=367 => general((number - 360 + 8) as u8, 0, 4),
        _ => return legacy_register(number),
    })
}

fn arm64_register(number: u16) -> Option<CodeViewRegister> {
    let vector = |index: u16, size_bytes| Some(CodeViewRegister::Vector { index: index as u8, size_bytes });
    match number {
        10..=40 => Some(general((number - 10) as u8, 0, 4)),
        50..=81 => Some(general((number - 50) as u8, 0, 8)),
        83 => Some(general(arm64::PC.0, 0, 8)),
        100..=131 => vector(number - 100, 4),
        140..=171 => vector(number - 140, 8),
        180..=211 => vector(number - 180, 16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_registers_are_told_apart() {
        // cvconst.h's CV_HREG_e: AL, AH, BH, SI, ESI, RSI, R9B, R9D, XMM1_0, XMM9L.
        for (number, place, size_bytes) in [
            (1, Place::Register { register: x64::RAX, first_byte: 0 }, 1),
            (5, Place::Register { register: x64::RAX, first_byte: 1 }, 1),
            (8, Place::Register { register: x64::RBX, first_byte: 1 }, 1),
            (15, Place::Register { register: x64::RSI, first_byte: 0 }, 2),
            (23, Place::Register { register: x64::RSI, first_byte: 0 }, 4),
            (332, Place::Register { register: x64::RSI, first_byte: 0 }, 8),
            (345, Place::Register { register: Register(9), first_byte: 0 }, 1),
            (361, Place::Register { register: Register(9), first_byte: 0 }, 4),
            (166, Place::Vector(1), 4),
            (293, Place::Vector(9), 8),
        ] {
            let register = CodeViewRegister::new(number, Cpu::X64).unwrap();
            assert_eq!((register.itself(), register.size_bytes()), (Some(place), size_bytes), "{number}");
        }
        // The second lane of XMM1 has no place.
        assert_eq!(CodeViewRegister::new(167, Cpu::X64), None);
    }
}
