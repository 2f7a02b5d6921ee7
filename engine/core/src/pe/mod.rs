//! PE files: their headers, and what GNU's tools put beside the code: DWARF in sections, and a COFF symbol table.
//!
//! | module | subject |
//! | --- | --- |
//! | `headers` | the file and optional headers, section headers |
//! | `symbols` | the COFF symbol table |
//!
//! Addresses: a file's own addresses begin at its ImageBase, which is RVA 0.
//!
//! Source: Microsoft, "PE Format".

mod headers;
mod symbols;

#[cfg(test)]
pub(crate) mod tests;

use std::borrow::Cow;

use thiserror::Error;

use crate::bytes::Truncated;
use crate::data::Data;
use crate::elf::{CompressionError, decompress_gnu};
use crate::registers::Cpu;
pub use headers::{DIRECTORY_COUNT, Header, SectionHeader};
pub use symbols::{PeSymbol, SymbolName, SymbolTable};

/// Why a PE file, or a part of one, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PeError {
    /// No `MZ` or no `PE` signature.
    #[error("not an image: {0}")]
    NotPe(&'static str),
    /// The headers are cut off.
    #[error("a damaged PE image: its headers are {0}")]
    Headers(#[from] Truncated),
    /// Headers that contradict themselves.
    #[error("a damaged PE image: {0}")]
    Invalid(String),
    /// A section lies outside of the file.
    #[error(
        "a damaged PE image: section {name} ({size_bytes:#x} bytes at offset {offset:#x}) lies outside of the file"
    )]
    Section {
        /// Its name.
        name: String,
        /// Its offset in the file.
        offset: u32,
        /// Its size in the file.
        size_bytes: u32,
    },
    /// A section cannot be decompressed.
    #[error("a damaged PE image: section {name}: {source}")]
    Compression {
        /// Its name.
        name: String,
        /// Why.
        source: CompressionError,
    },
    /// It holds neither DWARF nor a symbol table.
    #[error("a PE image without debug information of its own")]
    NoDebugInfo,
}

/// A PE file, or the headers of one in memory.
#[derive(Debug)]
pub struct Pe {
    data: Data,
    header: Header,
    sections: Vec<SectionHeader>,
}

impl Pe {
    /// Opens a file: reads its headers.
    pub fn open(data: Data) -> Result<Pe, PeError> {
        let (header, sections) = headers::read(&data)?;
        Ok(Pe { data, header, sections })
    }

    /// The whole file.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The file and optional headers.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Section headers, in the order of the file.
    pub fn sections(&self) -> &[SectionHeader] {
        &self.sections
    }

    /// The processor, if the engine knows it.
    pub fn cpu(&self) -> Option<Cpu> {
        match self.header.machine {
            0x014c => Some(Cpu::X86),
            0x8664 => Some(Cpu::X64),
            0xaa64 => Some(Cpu::Arm64),
            _ => None,
        }
    }

    /// A section's name. One that is longer than 8 bytes is in the string table, where the header says with `/` and a
    /// decimal number (`/29`); where the table is not there, that is the name.
    pub fn section_name<'a>(&'a self, section: &'a SectionHeader) -> Cow<'a, str> {
        let long = || symbols::string_at(self.strings()?, symbols::name_offset(section.short_name())?);
        String::from_utf8_lossy(long().unwrap_or_else(|| section.short_name()))
    }

    /// The first section of that name.
    pub fn section_named(&self, name: &str) -> Option<&SectionHeader> {
        self.sections.iter().find(|section| self.section_name(section) == name)
    }

    /// A section's content in the file, without what fills it up to the file's alignment.
    pub fn section_bytes(&self, section: &SectionHeader) -> Result<Data, PeError> {
        let size_bytes = section.held_bytes();
        self.data.part(section.raw_offset.into(), size_bytes.into()).ok_or_else(|| PeError::Section {
            name: self.section_name(section).chars().take(64).collect(),
            offset: section.raw_offset,
            size_bytes,
        })
    }

    /// The content of a section of debug information by its name (`.debug_info`), also if it is stored compressed as
    /// `.zdebug_info` (Go's linker, `objcopy --compress-debug-sections`); None if there is none, or it is empty.
    pub fn debug_section(&self, name: &str) -> Result<Option<Data>, PeError> {
        let filled = |section: &&SectionHeader| section.held_bytes() > 0;
        if let Some(section) = self.section_named(name).filter(filled) {
            return self.section_bytes(section).map(Some);
        }
        let Some(rest) = name.strip_prefix(".debug_") else { return Ok(None) };
        let name = format!(".zdebug_{rest}");
        let Some(section) = self.section_named(&name).filter(filled) else { return Ok(None) };
        decompress_gnu(&self.section_bytes(section)?)
            .map(|bytes| Some(Data::from(bytes)))
            .map_err(|source| PeError::Compression { name, source })
    }
}
