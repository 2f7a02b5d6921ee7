//! Universal ("fat") files: one Mach-O file for each processor, one after the other.
//!
//! Source: Apple, `mach-o/fat.h`, `mach-o/loader.h`, `mach/machine.h`.

use super::MachError;
use crate::bytes::Truncated;
use crate::data::Data;
use crate::registers::Cpu;

/// First bytes of files, as they are in the file.
mod magic {
    pub const LITTLE_64: [u8; 4] = [0xcf, 0xfa, 0xed, 0xfe];
    pub const LITTLE_32: [u8; 4] = [0xce, 0xfa, 0xed, 0xfe];
    pub const BIG_64: [u8; 4] = [0xfe, 0xed, 0xfa, 0xcf];
    pub const BIG_32: [u8; 4] = [0xfe, 0xed, 0xfa, 0xce];
    pub const UNIVERSAL: [u8; 4] = [0xca, 0xfe, 0xba, 0xbe];
    pub const UNIVERSAL_64: [u8; 4] = [0xca, 0xfe, 0xba, 0xbf];
}

/// `cputype`.
mod cpu_type {
    pub const X86_64: u32 = 0x0100_0007;
    pub const ARM64: u32 = 0x0100_000c;
}

/// Most files in one. Java's class files begin with the same four bytes; what would be the number of files is their
/// version there, which is 45 or more.
const MOST_SLICES: u32 = 40;

/// A part of a universal file.
#[derive(Debug, Clone)]
pub struct Slice {
    /// `cputype`.
    pub cpu_type: u32,
    /// `cpusubtype`: of ARM64, 2 in the low byte is arm64e.
    pub cpu_subtype: u32,
    /// The file within.
    pub data: Data,
}

impl Slice {
    /// The processor, if the engine knows it.
    pub fn cpu(&self) -> Option<Cpu> {
        cpu_of(self.cpu_type)
    }
}

/// The processor that a `cputype` stands for, if the engine knows it and reads such files.
pub fn cpu_of(cpu_type: u32) -> Option<Cpu> {
    match cpu_type {
        cpu_type::X86_64 => Some(Cpu::X64),
        cpu_type::ARM64 => Some(Cpu::Arm64),
        _ => None,
    }
}

/// Whether `bytes` begin as a Mach-O file of any kind does.
pub fn is_macho(bytes: &[u8]) -> bool {
    let thin = [magic::LITTLE_64, magic::LITTLE_32, magic::BIG_64, magic::BIG_32];
    thin.iter().any(|magic| bytes.starts_with(magic)) || slice_count(bytes).is_some()
}

/// How many files a universal file says that it has; None if it is not one.
fn slice_count(bytes: &[u8]) -> Option<u32> {
    if !bytes.starts_with(&magic::UNIVERSAL) && !bytes.starts_with(&magic::UNIVERSAL_64) {
        return None;
    }
    big_u32(bytes, 4).ok().filter(|&count| count <= MOST_SLICES)
}

/// The files in a universal file, in its order; of one that is not universal, none.
pub fn slices(data: &Data) -> Result<Vec<Slice>, MachError> {
    let Some(count) = slice_count(data) else { return Ok(Vec::new()) };
    let has_64 = data.starts_with(&magic::UNIVERSAL_64);
    let slice = |index: u32| read_slice(data, index as usize, has_64);
    let read: Result<Vec<Slice>, Truncated> = (0..count).map(slice).collect();
    read.map_err(|source| MachError::Truncated { what: "list of processors", source })
}

/// The record of one file: `fat_arch` or `fat_arch_64`, whose numbers are big-endian.
fn read_slice(data: &Data, index: usize, has_64: bool) -> Result<Slice, Truncated> {
    let at = 8 + index * if has_64 { 32 } else { 20 };
    let (cpu_type, cpu_subtype) = (big_u32(data, at)?, big_u32(data, at + 4)?);
    let (offset, size) = if has_64 {
        (big_u64(data, at + 8)?, big_u64(data, at + 16)?)
    } else {
        (big_u32(data, at + 8)?.into(), big_u32(data, at + 12)?.into())
    };
    let left = (data.len() as u64).saturating_sub(offset);
    let short = Truncated { offset: offset as usize, needed: size as usize, left: left as usize };
    Ok(Slice { cpu_type, cpu_subtype, data: data.part(offset, size).ok_or(short)? })
}

fn big_u32(bytes: &[u8], at: usize) -> Result<u32, Truncated> {
    crate::bytes::Reader::at(bytes, at)?.array().map(u32::from_be_bytes)
}

fn big_u64(bytes: &[u8], at: usize) -> Result<u64, Truncated> {
    crate::bytes::Reader::at(bytes, at)?.array().map(u64::from_be_bytes)
}

/// The file for `cpu`: `data` itself, or a part of it. Whether a file that is not universal is for `cpu`, its identity
/// tells, not this.
pub fn chosen(data: Data, cpu: Option<Cpu>) -> Result<Data, MachError> {
    let Some(magic) = data.first_chunk::<4>() else { return Err(MachError::NotMachO("it is too short")) };
    match *magic {
        magic::LITTLE_64 => return Ok(data),
        magic::LITTLE_32 => return Err(MachError::Unsupported("a 32-bit file")),
        magic::BIG_64 | magic::BIG_32 => return Err(MachError::Unsupported("a big-endian file")),
        _ if slice_count(&data).is_none() => return Err(MachError::NotMachO("it does not begin as one")),
        _ => {}
    }
    let mut slices = slices(&data)?;
    let found = shown(&slices);
    slices.retain(|slice| slice.cpu().is_some_and(|own| cpu.is_none_or(|wanted| own == wanted)));
    let Some(first) = slices.first() else {
        return Err(match cpu {
            Some(cpu) => MachError::NoSlice { wanted: name(cpu), found },
            None => MachError::Unsupported("a universal file for other processors than x86-64 and ARM64"),
        });
    };
    if slices.iter().any(|slice| slice.cpu_type != first.cpu_type) {
        return Err(MachError::SeveralSlices(shown(&slices)));
    }
    // Within is no universal file again.
    if first.data.starts_with(&magic::LITTLE_64) {
        return Ok(first.data.clone());
    }
    Err(MachError::NotMachO("what a universal file holds does not begin as one"))
}

fn shown(slices: &[Slice]) -> String {
    let names: Vec<&str> = slices.iter().map(|slice| slice.cpu().map_or("another processor", name)).collect();
    names.join(", ")
}

fn name(cpu: Cpu) -> &'static str {
    match cpu {
        Cpu::X86 => "x86",
        Cpu::X64 => "x86-64",
        Cpu::Arm64 => "ARM64",
        Cpu::Arm => "ARM",
    }
}
