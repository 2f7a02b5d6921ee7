//! The file header, program headers and section headers.
//!
//! Source: System V gABI, "ELF Header", "Sections", "Program Header".

use std::ops::Range;

use super::ElfError;
use crate::bytes::{Reader, Truncated, slice_at};
use crate::data::Data;

const IDENT_BYTES: usize = 16;
/// `e_phnum` that says that the number is in the first section header (`PN_XNUM`).
const MANY_SEGMENTS: u16 = 0xffff;
/// `e_shstrndx` that says that the index is in the first section header (`SHN_XINDEX`).
const LARGE_INDEX: u16 = 0xffff;
/// `SHF_EXECINSTR`.
const FLAG_EXECUTABLE: u64 = 4;
/// `SHF_COMPRESSED`.
const FLAG_COMPRESSED: u64 = 0x800;

/// `e_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// An object file (`ET_REL`): its sections are not relocated.
    Object,
    /// An executable at a fixed address (`ET_EXEC`).
    Executable,
    /// A shared object or position-independent executable (`ET_DYN`).
    Shared,
    /// A core file (`ET_CORE`).
    Core,
    /// Another.
    Other(u16),
}

/// `p_type`.
#[allow(missing_docs)]
pub mod segment_kind {
    pub const LOAD: u32 = 1;
    pub const DYNAMIC: u32 = 2;
    pub const NOTE: u32 = 4;
    pub const GNU_EH_FRAME: u32 = 0x6474_e550;
}

/// `sh_type`.
#[allow(missing_docs)]
pub mod section_kind {
    pub const SYMTAB: u32 = 2;
    pub const NOTE: u32 = 7;
    pub const NOBITS: u32 = 8;
    pub const DYNSYM: u32 = 11;
}

/// A program header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// `p_type`, see [`segment_kind`].
    pub kind: u32,
    /// `p_flags`: executable 1, writable 2, readable 4.
    pub flags: u32,
    /// Where in the file it begins.
    pub offset: u64,
    /// Where in memory it begins, as the linker put it.
    pub vaddr: u64,
    /// Bytes in the file.
    pub file_size_bytes: u64,
    /// Bytes in memory; those beyond the file's are 0.
    pub memory_size_bytes: u64,
    /// Alignment in bytes.
    pub alignment: u64,
}

/// A section header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    name: u32,
    /// `sh_type`, see [`section_kind`].
    pub kind: u32,
    /// `sh_flags`.
    pub flags: u64,
    /// Where in memory it begins; 0 if it is not loaded.
    pub vaddr: u64,
    /// Where in the file it begins.
    pub offset: u64,
    /// Bytes, in the file if it has a part in it.
    pub size_bytes: u64,
    /// Index of a section that belongs to it, such as a symbol table's strings.
    pub link: u32,
    /// Further information, by kind.
    pub info: u32,
    /// Alignment in bytes.
    pub alignment: u64,
}

impl Section {
    /// Whether it holds code.
    pub fn is_executable(&self) -> bool {
        self.flags & FLAG_EXECUTABLE != 0
    }

    /// Whether its content is compressed.
    pub fn is_compressed(&self) -> bool {
        self.flags & FLAG_COMPRESSED != 0
    }
}

/// The file header.
#[derive(Debug)]
pub struct Header {
    pub is_64: bool,
    pub kind: FileKind,
    pub machine: u16,
    pub entry: u64,
    segments: Table,
    sections: Table,
    names_index: u16,
}

/// Where records lie in the file.
#[derive(Debug)]
struct Table {
    offset: u64,
    record_bytes: u16,
    count: u16,
}

/// Section headers and their names.
#[derive(Debug)]
pub struct Sections {
    pub sections: Vec<Section>,
    names: Data,
}

/// An address or size: 4 or 8 bytes.
pub fn word(input: &mut Reader<'_>, is_64: bool) -> Result<u64, Truncated> {
    if is_64 { input.u64() } else { input.u32().map(u64::from) }
}

impl Header {
    /// Where the section headers lie in the file.
    pub fn section_headers(&self) -> Range<u64> {
        let size_bytes = u64::from(self.sections.record_bytes) * u64::from(self.sections.count);
        self.sections.offset..self.sections.offset.saturating_add(size_bytes)
    }

    pub fn read(data: &[u8]) -> Result<Header, ElfError> {
        if data.is_empty() {
            return Err(ElfError::NotElf("the file is empty"));
        }
        let ident = data.get(..IDENT_BYTES).filter(|ident| ident.starts_with(b"\x7fELF"));
        let ident = ident.ok_or(ElfError::NotElf("it does not begin with 7F ELF"))?;
        let is_64 = match ident[4] {
            1 => false,
            2 => true,
            _ => return Err(ElfError::NotElf("its class is neither 32-bit nor 64-bit")),
        };
        match ident[5] {
            1 => Header::read_rest(data, is_64).map_err(|source| ElfError::Truncated { what: "file header", source }),
            2 => Err(ElfError::Unsupported("a big-endian file")),
            _ => Err(ElfError::NotElf("its byte order is neither little-endian nor big-endian")),
        }
    }

    fn read_rest(data: &[u8], is_64: bool) -> Result<Header, Truncated> {
        let mut input = Reader::at(data, IDENT_BYTES)?;
        let kind = match input.u16()? {
            1 => FileKind::Object,
            2 => FileKind::Executable,
            3 => FileKind::Shared,
            4 => FileKind::Core,
            other => FileKind::Other(other),
        };
        let (machine, _version) = (input.u16()?, input.u32()?);
        let entry = word(&mut input, is_64)?;
        let (segments_offset, sections_offset) = (word(&mut input, is_64)?, word(&mut input, is_64)?);
        let (_flags, _header_bytes) = (input.u32()?, input.u16()?);
        let segments = Table { offset: segments_offset, record_bytes: input.u16()?, count: input.u16()? };
        let sections = Table { offset: sections_offset, record_bytes: input.u16()?, count: input.u16()? };
        Ok(Header { is_64, kind, machine, entry, segments, sections, names_index: input.u16()? })
    }

    /// The first section header: it holds numbers that are too large for the file header.
    fn first_section(&self, data: &[u8]) -> Option<Section> {
        if self.sections.offset == 0 {
            return None;
        }
        let bytes = slice_at(data, self.sections.offset, self.sections.record_bytes.into()).ok()?;
        read_section(&mut Reader::new(bytes), self.is_64).ok()
    }
}

/// The records of a table.
fn records<'a>(
    data: &'a [u8],
    table: &Table,
    count: u64,
) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, Truncated> {
    let record_bytes = u64::from(table.record_bytes.max(1));
    let bytes = slice_at(data, table.offset, count.saturating_mul(record_bytes))?;
    Ok(bytes.chunks_exact(record_bytes as usize))
}

pub fn read_segments(data: &[u8], header: &Header) -> Result<Vec<Segment>, ElfError> {
    let read = || -> Result<Vec<Segment>, Truncated> {
        let count = match header.segments.count {
            MANY_SEGMENTS => header.first_section(data).map_or(u64::from(MANY_SEGMENTS), |first| first.info.into()),
            count => count.into(),
        };
        let records = records(data, &header.segments, count)?;
        records.map(|record| read_segment(&mut Reader::new(record), header.is_64)).collect()
    };
    read().map_err(|source| ElfError::Truncated { what: "program headers", source })
}

fn read_segment(input: &mut Reader<'_>, is_64: bool) -> Result<Segment, Truncated> {
    let kind = input.u32()?;
    let flags_of_64 = if is_64 { input.u32()? } else { 0 };
    let (offset, vaddr, _paddr) = (word(input, is_64)?, word(input, is_64)?, word(input, is_64)?);
    let (file_size_bytes, memory_size_bytes) = (word(input, is_64)?, word(input, is_64)?);
    let flags = if is_64 { flags_of_64 } else { input.u32()? };
    Ok(Segment { kind, flags, offset, vaddr, file_size_bytes, memory_size_bytes, alignment: word(input, is_64)? })
}

impl Sections {
    pub fn read(data: &Data, header: &Header) -> Result<Sections, ElfError> {
        let none = || Data::from(Vec::new());
        if header.sections.offset == 0 {
            return Ok(Sections { sections: Vec::new(), names: none() });
        }
        let first = header.first_section(data);
        let count = match (header.sections.count, &first) {
            (0, Some(first)) => first.size_bytes,
            (count, _) => count.into(),
        };
        let read = || -> Result<Vec<Section>, Truncated> {
            let records = records(data, &header.sections, count)?;
            records.map(|record| read_section(&mut Reader::new(record), header.is_64)).collect()
        };
        let sections = read().map_err(|source| ElfError::Truncated { what: "section headers", source })?;
        let names_index = match (header.names_index, &first) {
            (LARGE_INDEX, Some(first)) => first.link as usize,
            (index, _) => index.into(),
        };
        let names = sections.get(names_index).and_then(|names| data.part(names.offset, names.size_bytes));
        Ok(Sections { sections, names: names.unwrap_or_else(none) })
    }

    pub fn name(&self, section: &Section) -> &[u8] {
        let mut input = Reader::new(self.names.get(section.name as usize..).unwrap_or_default());
        input.c_string().unwrap_or_default()
    }

    /// Whether the section has this name: looks at no more bytes than the name has.
    pub fn is_named(&self, section: &Section, name: &[u8]) -> bool {
        let stored = self.names.get(section.name as usize..).unwrap_or_default();
        stored.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&0))
    }
}

fn read_section(input: &mut Reader<'_>, is_64: bool) -> Result<Section, Truncated> {
    let (name, kind) = (input.u32()?, input.u32()?);
    let (flags, vaddr) = (word(input, is_64)?, word(input, is_64)?);
    let (offset, size_bytes) = (word(input, is_64)?, word(input, is_64)?);
    let (link, info, alignment) = (input.u32()?, input.u32()?, word(input, is_64)?);
    Ok(Section { name, kind, flags, vaddr, offset, size_bytes, link, info, alignment })
}
