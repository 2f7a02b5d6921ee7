//! The header and the load commands.
//!
//! Source: Apple, `mach-o/loader.h`.

use super::MachError;
use crate::bytes::{Reader, Truncated, slice_at};

/// Bytes of the header of 64-bit files.
const HEADER_BYTES: u64 = 32;
/// Bytes of a segment's or section's name.
pub const NAME_BYTES: usize = 16;
/// Bytes of a section's record.
const SECTION_BYTES: usize = 80;

/// `cmd`.
mod command {
    pub const SYMTAB: u32 = 0x2;
    pub const ID_DYLIB: u32 = 0xd;
    pub const SEGMENT_64: u32 = 0x19;
    pub const UUID: u32 = 0x1b;
    pub const FUNCTION_STARTS: u32 = 0x26;
    pub const ENCRYPTION_INFO_64: u32 = 0x2c;
}

/// Bits of `initprot`.
#[allow(missing_docs)]
pub mod protection {
    pub const READ: u32 = 1;
    pub const WRITE: u32 = 2;
    pub const EXECUTE: u32 = 4;
}

/// Bits of a segment's `flags`.
pub mod segment_flag {
    /// `SG_READ_ONLY`: the dynamic linker writes it, then takes the permission away.
    pub const READ_ONLY: u32 = 0x10;
}

/// `filetype`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// An object file (`MH_OBJECT`).
    Object,
    /// A program (`MH_EXECUTE`).
    Executable,
    /// A library (`MH_DYLIB`).
    Library,
    /// The dynamic linker (`MH_DYLINKER`).
    DynamicLinker,
    /// A plug-in (`MH_BUNDLE`).
    Bundle,
    /// Debug information alone (`MH_DSYM`).
    DebugInformation,
    /// A kernel extension (`MH_KEXT_BUNDLE`).
    KernelExtension,
    /// Another.
    Other(u32),
}

impl FileKind {
    fn of(number: u32) -> FileKind {
        match number {
            1 => FileKind::Object,
            2 => FileKind::Executable,
            6 => FileKind::Library,
            7 => FileKind::DynamicLinker,
            8 => FileKind::Bundle,
            10 => FileKind::DebugInformation,
            11 => FileKind::KernelExtension,
            other => FileKind::Other(other),
        }
    }
}

/// A segment: what is mapped in one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// `__TEXT`…
    pub name: String,
    /// Where in memory it begins, as the linker put it.
    pub vmaddr: u64,
    /// Bytes in memory; those beyond the file's are 0.
    pub memory_size_bytes: u64,
    /// Where in the file it begins.
    pub offset: u64,
    /// Bytes in the file.
    pub file_size_bytes: u64,
    /// `initprot`, see [`protection`].
    pub protection: u32,
    /// See [`segment_flag`].
    pub flags: u32,
}

/// A section of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// `__text`…
    pub name: String,
    /// The name of its segment.
    pub segment_name: String,
    /// Index of the segment whose command lists it.
    pub segment: usize,
    /// Where in memory it begins, as the linker put it.
    pub vmaddr: u64,
    /// Bytes.
    pub size_bytes: u64,
    /// Where in the file it begins.
    pub offset: u32,
    flags: u32,
}

impl Section {
    /// Whether it holds instructions (`S_ATTR_PURE_INSTRUCTIONS`, `S_ATTR_SOME_INSTRUCTIONS`).
    pub fn is_executable(&self) -> bool {
        self.flags & 0x8000_0400 != 0
    }

    /// Whether it has no bytes in the file (`S_ZEROFILL`, `S_GB_ZEROFILL`, `S_THREAD_LOCAL_ZEROFILL`).
    pub fn is_zero_filled(&self) -> bool {
        matches!(self.flags & 0xff, 0x1 | 0xc | 0x12)
    }

    /// `__TEXT,__text`.
    pub fn full_name(&self) -> String {
        format!("{},{}", self.segment_name, self.name)
    }

    /// Whether it covers an address of the file's own.
    pub fn contains(&self, vmaddr: u64) -> bool {
        self.vmaddr <= vmaddr && vmaddr - self.vmaddr < self.size_bytes
    }
}

/// A part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Where it begins.
    pub offset: u64,
    /// Bytes.
    pub size_bytes: u64,
}

/// What the load commands say.
#[derive(Debug)]
pub struct Commands {
    pub kind: FileKind,
    pub cpu_type: u32,
    pub segments: Vec<Segment>,
    pub sections: Vec<Section>,
    pub uuid: Option<[u8; 16]>,
    pub install_name: Option<String>,
    /// Records and names.
    pub symbols: Option<(Place, Place)>,
    pub function_starts: Option<Place>,
    pub encrypted: Option<Place>,
}

impl Commands {
    /// Reads the header, which begins with the number of a 64-bit little-endian file, and the commands after it.
    pub fn read(data: &[u8]) -> Result<Commands, MachError> {
        let cut = |what| move |source| MachError::Truncated { what, source };
        let header = slice_at(data, 0, HEADER_BYTES).map_err(cut("file header"))?;
        let field = |index: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| header[index * 4 + byte]));
        let (count, size) = (field(4), field(5));
        let bytes = slice_at(data, HEADER_BYTES, size.into()).map_err(cut("load commands"))?;
        let mut commands = Commands {
            kind: FileKind::of(field(3)),
            cpu_type: field(1),
            segments: Vec::new(),
            sections: Vec::new(),
            uuid: None,
            install_name: None,
            symbols: None,
            function_starts: None,
            encrypted: None,
        };
        let mut input = Reader::new(bytes);
        for index in 0..count {
            let (number, size_bytes) = peek(&input).map_err(cut("load commands"))?;
            let damaged = |_| MachError::Command { index, size_bytes };
            let command = input.take(size_bytes as usize).map_err(damaged)?;
            let content = Reader::at(command, 8).map_err(damaged)?;
            commands.add(number, command, content).map_err(damaged)?;
        }
        Ok(commands)
    }

    /// Takes one command; `content` is what follows its number and size.
    fn add(&mut self, number: u32, command: &[u8], mut content: Reader<'_>) -> Result<(), Truncated> {
        match number {
            command::SEGMENT_64 => self.add_segment(content)?,
            command::UUID => self.uuid = Some(content.array()?),
            command::ID_DYLIB => {
                let mut name = Reader::at(command, content.u32()? as usize)?;
                let name = name.c_string().unwrap_or(name.rest());
                self.install_name = Some(String::from_utf8_lossy(name).into_owned());
            }
            command::SYMTAB => {
                let (records, count) = (content.u32()?, content.u32()?);
                let records = Place { offset: records.into(), size_bytes: u64::from(count) * super::symbols::BYTES };
                let names = Place { offset: content.u32()?.into(), size_bytes: content.u32()?.into() };
                self.symbols = Some((records, names));
            }
            command::FUNCTION_STARTS => {
                let (offset, size_bytes) = (content.u32()?.into(), content.u32()?.into());
                self.function_starts = Some(Place { offset, size_bytes });
            }
            command::ENCRYPTION_INFO_64 => {
                let (offset, size_bytes) = (content.u32()?.into(), content.u32()?.into());
                self.encrypted = (content.u32()? != 0).then_some(Place { offset, size_bytes });
            }
            _ => {}
        }
        Ok(())
    }

    fn add_segment(&mut self, mut input: Reader<'_>) -> Result<(), Truncated> {
        let name = name(&mut input)?;
        let (vmaddr, memory_size_bytes) = (input.u64()?, input.u64()?);
        let (offset, file_size_bytes) = (input.u64()?, input.u64()?);
        let (_most_protection, protection) = (input.u32()?, input.u32()?);
        let (count, flags) = (input.u32()? as usize, input.u32()?);
        input.check_count(count, SECTION_BYTES)?;
        for _ in 0..count {
            let section = read_section(&mut input, self.segments.len())?;
            self.sections.push(section);
        }
        self.segments.push(Segment { name, vmaddr, memory_size_bytes, offset, file_size_bytes, protection, flags });
        Ok(())
    }
}

/// A command's number and size, which are left unread.
fn peek(input: &Reader<'_>) -> Result<(u32, u32), Truncated> {
    let mut input = input.clone();
    Ok((input.u32()?, input.u32()?))
}

fn read_section(input: &mut Reader<'_>, segment: usize) -> Result<Section, Truncated> {
    let (name, segment_name) = (name(input)?, name(input)?);
    let (vmaddr, size_bytes, offset) = (input.u64()?, input.u64()?, input.u32()?);
    input.skip(12)?; // alignment, relocations
    let flags = input.u32()?;
    input.skip(12)?; // reserved
    Ok(Section { name, segment_name, segment, vmaddr, size_bytes, offset, flags })
}

/// A name that is filled up with NULs, if there is room.
fn name(input: &mut Reader<'_>) -> Result<String, Truncated> {
    let bytes = input.take(NAME_BYTES)?;
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
}
