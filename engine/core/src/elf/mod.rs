//! ELF files: images, debug files and cores, read lazily.
//!
//! | module | subject |
//! | --- | --- |
//! | `headers` | the file header, segments and sections |
//! | `compression` | compressed sections |
//! | `links` | notes, build-id, and the names of other files |
//! | `symbols` | symbol tables |
//!
//! Addresses: a file's own addresses ("vaddr") begin where its linker put it; [`Elf::rva`] makes them relative to the
//! first page of its first loaded segment, which is where a module's base lies in a process.
//!
//! Source: System V gABI, chapters 4 and 5; Linux, `elf.h`; "Linux Extensions to gABI".

mod compression;
mod headers;
mod links;
mod symbols;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::OnceLock;

use thiserror::Error;

use crate::address::Rva;
use crate::bytes::Truncated;
use crate::data::Data;
use crate::registers::Cpu;
pub use compression::{CompressionError, decompress_gnu};
pub use headers::{FileKind, Section, Segment, section_kind, segment_kind};
use headers::{Header, Sections};
pub use links::{DebugAltLink, DebugLink, Note, NoteIter, build_id_in};
pub use symbols::{Binding, ElfSymbol, SymbolTable, SymbolType};

/// Loaders map whole pages; a module begins on one.
const PAGE_BYTES: u64 = 0x1000;

/// `e_machine` of processors that the engine knows, and of those that are only named.
#[allow(missing_docs)]
pub mod machine {
    pub const SPARC: u16 = 2;
    pub const I386: u16 = 3;
    pub const MIPS: u16 = 8;
    pub const SPARC32PLUS: u16 = 18;
    pub const PPC: u16 = 20;
    pub const PPC64: u16 = 21;
    pub const ARM: u16 = 40;
    pub const SPARCV9: u16 = 43;
    pub const IA_64: u16 = 50;
    pub const X86_64: u16 = 62;
    pub const AARCH64: u16 = 183;
    pub const RISCV: u16 = 243;
}

/// Why an ELF file, or a part of one, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ElfError {
    /// Another format.
    #[error("not an ELF file: {0}")]
    NotElf(&'static str),
    /// An ELF file of a kind that is not read.
    #[error("an ELF file that is not supported: {0}")]
    Unsupported(&'static str),
    /// A part of the file is cut off.
    #[error("a damaged ELF file: {what} {source}")]
    Truncated {
        /// Which part.
        what: &'static str,
        /// Where.
        source: Truncated,
    },
    /// A section lies outside of the file.
    #[error("a damaged ELF file: section {name} ({size:#x} bytes at offset {offset:#x}) lies outside of the file")]
    Section {
        /// Its name.
        name: String,
        /// Its offset in the file.
        offset: u64,
        /// Its size in the file.
        size: u64,
    },
    /// A section cannot be decompressed.
    #[error("a damaged ELF file: section {name}: {source}")]
    Compression {
        /// Its name.
        name: String,
        /// Why.
        source: CompressionError,
    },
}

/// An ELF file.
#[derive(Debug)]
pub struct Elf {
    data: Data,
    header: Header,
    segments: Vec<Segment>,
    sections: OnceLock<Result<Sections, ElfError>>,
}

impl Elf {
    /// Opens a file: reads its header and program headers. Big-endian files are refused.
    pub fn open(data: Data) -> Result<Elf, ElfError> {
        let header = Header::read(&data)?;
        let segments = headers::read_segments(&data, &header)?;
        Ok(Elf { data, header, segments, sections: OnceLock::new() })
    }

    /// The whole file.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// Whether addresses have 8 bytes (`ELFCLASS64`).
    pub fn is_64(&self) -> bool {
        self.header.is_64
    }

    /// Object, executable, shared object or core.
    pub fn kind(&self) -> FileKind {
        self.header.kind
    }

    /// `e_machine`.
    pub fn machine(&self) -> u16 {
        self.header.machine
    }

    /// The processor, if the engine knows it.
    pub fn cpu(&self) -> Option<Cpu> {
        match (self.header.machine, self.header.is_64) {
            (machine::I386, false) => Some(Cpu::X86),
            (machine::X86_64, true) => Some(Cpu::X64),
            (machine::AARCH64, true) => Some(Cpu::Arm64),
            (machine::ARM, false) => Some(Cpu::Arm),
            _ => None,
        }
    }

    /// `e_entry`, an address of the file's own.
    pub fn entry(&self) -> u64 {
        self.header.entry
    }

    /// Program headers, in the order of the file.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// What the file holds of a segment: less than `file_size_bytes` if the file was cut off.
    pub fn segment_bytes(&self, segment: &Segment) -> Data {
        let held = (self.data.len() as u64).saturating_sub(segment.offset).min(segment.file_size_bytes);
        self.data.part(segment.offset, held).unwrap_or_else(|| Data::from(Vec::new()))
    }

    /// The file's bytes at one of its own addresses, up to the end of the segment's part in the file.
    pub fn bytes_at(&self, vaddr: u64) -> Option<Data> {
        let loaded = self.segments.iter().filter(|segment| segment.kind == segment_kind::LOAD);
        loaded.into_iter().find_map(|segment| {
            let within = vaddr.checked_sub(segment.vaddr).filter(|&within| within < segment.file_size_bytes)?;
            let bytes = self.segment_bytes(segment);
            bytes.part(within, (bytes.len() as u64).checked_sub(within)?)
        })
    }

    /// Section headers, in the order of the file; none if they are damaged (see [`Elf::sections_error`]).
    pub fn sections(&self) -> &[Section] {
        self.section_table().map_or(&[], |table| &table.sections)
    }

    /// Why section headers cannot be read.
    pub fn sections_error(&self) -> Option<ElfError> {
        self.section_table().err().cloned()
    }

    fn section_table(&self) -> Result<&Sections, &ElfError> {
        self.sections.get_or_init(|| Sections::read(&self.data, &self.header)).as_ref()
    }

    /// A section's name, in bytes as they are in the file.
    pub fn section_name(&self, section: &Section) -> &[u8] {
        self.section_table().map_or(&[], |table| table.name(section))
    }

    /// The first section of that name.
    pub fn section_named(&self, name: &str) -> Option<&Section> {
        let table = self.section_table().ok()?;
        table.sections.iter().find(|section| table.is_named(section, name.as_bytes()))
    }

    /// A section's content, decompressed if need be (`SHF_COMPRESSED`); empty for one that takes no space in the file.
    pub fn section_bytes(&self, section: &Section) -> Result<Data, ElfError> {
        let stored = self.stored_bytes(section)?;
        if !section.is_compressed() || stored.is_empty() {
            return Ok(stored);
        }
        compression::decompress(&stored, self.header.is_64)
            .map(Data::from)
            .map_err(|source| ElfError::Compression { name: self.shown_name(section), source })
    }

    /// The content of a section of debug information by its name (`.debug_info`), also if it is stored as
    /// `.zdebug_info`, which is how it was compressed before `SHF_COMPRESSED`; None if there is none, or it is empty.
    pub fn debug_section(&self, name: &str) -> Result<Option<Data>, ElfError> {
        let filled = |section: &&Section| section.kind != section_kind::NOBITS && section.size_bytes > 0;
        if let Some(section) = self.section_named(name).filter(filled) {
            return self.section_bytes(section).map(Some);
        }
        let Some(rest) = name.strip_prefix(".debug_") else { return Ok(None) };
        let Some(section) = self.section_named(&format!(".zdebug_{rest}")).filter(filled) else { return Ok(None) };
        let stored = self.stored_bytes(section)?;
        compression::decompress_gnu(&stored)
            .map(|bytes| Some(Data::from(bytes)))
            .map_err(|source| ElfError::Compression { name: self.shown_name(section), source })
    }

    /// Whether [`Elf::debug_section`] has something to give.
    pub fn has_debug_section(&self, name: &str) -> bool {
        let is_filled = |name: &str| {
            let section = self.section_named(name);
            section.is_some_and(|section| section.kind != section_kind::NOBITS && section.size_bytes > 0)
        };
        let old = name.strip_prefix(".debug_").map(|rest| format!(".zdebug_{rest}"));
        is_filled(name) || old.is_some_and(|old| is_filled(&old))
    }

    /// Inflates a compressed section into `output`, a part at a time; true if all of it came out.
    pub fn inflate_into(&self, section: &Section, output: &mut dyn std::io::Write) -> bool {
        let stored = self.stored_bytes(section).ok().filter(|_| section.is_compressed());
        stored.is_some_and(|stored| compression::decompress_into(&stored, self.header.is_64, output).is_ok())
    }

    /// How long a compressed section claims to be when it is inflated; None of one that is not compressed.
    pub fn inflated_bytes(&self, section: &Section) -> Option<u64> {
        let stored = self.stored_bytes(section).ok().filter(|_| section.is_compressed())?;
        compression::claimed_bytes(&stored, self.header.is_64)
    }

    fn stored_bytes(&self, section: &Section) -> Result<Data, ElfError> {
        if section.kind == section_kind::NOBITS {
            return Ok(Data::from(Vec::new()));
        }
        self.data.part(section.offset, section.size_bytes).ok_or_else(|| ElfError::Section {
            name: self.shown_name(section),
            offset: section.offset,
            size: section.size_bytes,
        })
    }

    fn shown_name(&self, section: &Section) -> String {
        let name = self.section_name(section);
        String::from_utf8_lossy(&name[..name.len().min(64)]).into_owned()
    }

    /// The address of RVA 0: the page that the first loaded segment begins on. 0 for files without one.
    pub fn base(&self) -> u64 {
        let loaded = self.segments.iter().filter(|segment| segment.kind == segment_kind::LOAD);
        loaded.map(|segment| segment.vaddr).min().unwrap_or(0) & !(PAGE_BYTES - 1)
    }

    /// Whether a process that has loaded the file has it in memory as it is, with its section headers.
    ///
    /// Situation: the vDSO, which the kernel maps whole as one segment; no file of it is to be found anywhere.
    pub fn is_mapped_whole(&self) -> bool {
        let mut loaded = self.segments.iter().filter(|segment| segment.kind == segment_kind::LOAD).peekable();
        let is_first = loaded.peek().is_some_and(|segment| segment.offset == 0);
        let is_in_place = |segment: &Segment| segment.vaddr.wrapping_sub(self.base()) == segment.offset;
        let headers = self.header.section_headers();
        is_first && !headers.is_empty() && loaded.all(is_in_place) && headers.end <= self.data.len() as u64
    }

    /// The RVA of one of the file's own addresses.
    pub fn rva(&self, vaddr: u64) -> Option<Rva> {
        Rva::of(vaddr, self.base())
    }
}
