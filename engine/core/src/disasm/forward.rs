//! From bytes to instructions, beginning at a known start.

use super::arm64;
use super::facts;
use super::instruction::{Flow, Instruction, Operand};
use super::names::{Names, Naming, naming};
use super::text::Writer;
use crate::registers::Cpu;
use iced_x86::{Decoder, DecoderError, DecoderOptions, Instruction as Decoded, InstructionInfoFactory};
use thiserror::Error;

/// No disassembler for this processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("instructions of {} cannot be disassembled yet", .0.name())]
pub struct UnsupportedCpu(pub Cpu);

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// After this many instructions.
    Count(usize),
    /// Before the first instruction that starts at or above this address.
    End(u64),
}

/// Consecutive instructions, and why there are no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// In address order, without gaps.
    pub instructions: Vec<Instruction>,
    /// Why the list ends where it ends.
    pub ended: Ended,
}

/// Why a [`Listing`] ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The limit was reached.
    Limit,
    /// The bytes ended before the limit was reached: at this address, or inside the instruction that starts there.
    OutOfBytes(u64),
}

/// Disassembles `code`, whose first byte lies at `address` and begins an instruction.
///
/// A byte that begins no instruction gives one entry `(bad)` of one byte, on ARM64 of four. An instruction that the end
/// of `code` cuts off is left out, see [`Ended::OutOfBytes`]. Errors: processors other than x86, x64 and ARM64.
pub fn disassemble(
    code: &[u8],
    address: u64,
    cpu: Cpu,
    limit: Limit,
    names: &dyn Names,
) -> Result<Listing, UnsupportedCpu> {
    if cpu == Cpu::Arm64 {
        return Ok(arm64::disassemble(code, address, limit, names));
    }
    let mut decoder = decoder(code, address, cpu)?;
    let mut describer = Describer { cpu, names, writer: Writer::new(), info: InstructionInfoFactory::new() };
    let mut instructions = Vec::new();
    let mut offset = 0;
    let ended = loop {
        let here = address.wrapping_add(offset as u64);
        if limit.is_reached(instructions.len(), here) {
            break Ended::Limit;
        }
        let Some(length) = step(&mut decoder, offset) else { break Ended::OutOfBytes(here) };
        let bytes = &code[offset..offset + length.bytes()];
        instructions.push(match length {
            Step::Valid(decoded) => describer.describe(&decoded, bytes),
            Step::Invalid => invalid(here, bytes),
        });
        offset += length.bytes();
    };
    Ok(Listing { instructions, ended })
}

impl Limit {
    pub(super) fn is_reached(self, count: usize, address: u64) -> bool {
        match self {
            Limit::Count(limit) => count >= limit,
            Limit::End(end) => address >= end,
        }
    }
}

/// What begins at an offset.
pub(super) enum Step {
    /// An instruction.
    Valid(Decoded),
    /// A byte that begins none.
    Invalid,
}

impl Step {
    /// Bytes to the next offset.
    pub fn bytes(&self) -> usize {
        match self {
            Step::Valid(decoded) => decoded.len(),
            Step::Invalid => 1,
        }
    }
}

/// A decoder over `code`, whose first byte lies at `address`.
pub(super) fn decoder(code: &[u8], address: u64, cpu: Cpu) -> Result<Decoder<'_>, UnsupportedCpu> {
    let bitness = match cpu {
        Cpu::X86 => 32,
        Cpu::X64 => 64,
        Cpu::Arm64 | Cpu::Arm => return Err(UnsupportedCpu(cpu)),
    };
    Decoder::try_with_ip(bitness, code, address, DecoderOptions::NONE).map_err(|_| UnsupportedCpu(cpu))
}

/// What begins at `offset`, which a decoder made by [`decoder`] is moved to; `None` if the bytes end before it does.
pub(super) fn step(decoder: &mut Decoder<'_>, offset: usize) -> Option<Step> {
    let start = decoder.ip().wrapping_sub(decoder.position() as u64);
    decoder.set_position(offset).ok()?;
    decoder.set_ip(start.wrapping_add(offset as u64));
    let decoded = decoder.decode();
    match decoder.last_error() {
        DecoderError::None => Some(Step::Valid(decoded)),
        DecoderError::NoMoreBytes => None,
        _ => Some(Step::Invalid),
    }
}

pub(super) fn invalid(address: u64, bytes: &[u8]) -> Instruction {
    Instruction {
        address,
        bytes: bytes.to_vec(),
        mnemonic: "(bad)".to_owned(),
        operands: String::new(),
        flow: Flow::Invalid,
        target: None,
        operand_list: Vec::new(),
    }
}

/// Turns decoded instructions into described ones.
struct Describer<'a> {
    cpu: Cpu,
    names: &'a dyn Names,
    writer: Writer,
    info: InstructionInfoFactory,
}

impl Describer<'_> {
    fn describe(&mut self, decoded: &Decoded, bytes: &[u8]) -> Instruction {
        let mut naming: Vec<Naming> =
            (0..decoded.op_count()).map(|index| naming(decoded, index, self.cpu, self.names)).collect();
        let written = self.writer.operands(decoded, &naming);
        let info = self.info.info(decoded);
        let mut operands = String::new();
        let mut operand_list = Vec::with_capacity(written.len());
        for operand in written {
            if !operands.is_empty() {
                operands.push(',');
            }
            operands.push_str(&operand.text);
            if let Some(index) = operand.index {
                let (kind, size_bytes) = facts::operand(decoded, index, self.cpu);
                let name = naming.get_mut(index as usize).and_then(|naming| naming.name.take());
                let access = facts::access(info, index);
                operand_list.push(Operand { text: operand.text, size_bytes, access, name, kind });
            }
        }
        Instruction {
            address: decoded.ip(),
            bytes: bytes.to_vec(),
            mnemonic: self.writer.mnemonic(decoded),
            operands,
            flow: facts::flow(decoded),
            target: facts::target(decoded),
            operand_list,
        }
    }
}
