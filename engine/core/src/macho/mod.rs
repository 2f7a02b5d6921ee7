//! Mach-O files: images and the debug information of dSYM bundles, read lazily.
//!
//! | module | subject |
//! | --- | --- |
//! | `universal` | several files in one, by processor |
//! | `commands` | the header and the load commands: segments, sections, where everything else is |
//! | `symbols` | the symbol table and the list of where functions start |
//! | `unwind_info` | the table of compact unwind encodings |
//! | `encoding`, `x64`, `arm64` | what an encoding says about a frame |
//!
//! 64-bit little-endian files are read, which is all that Apple's systems have run since macOS 10.15 and iOS 11.
//!
//! Addresses: a file's own addresses ("vmaddr") begin where its linker put it; [`MachO::rva`] makes them relative to the
//! segment `__TEXT`, which begins with the header and is what a module's base points to in a process.
//!
//! Source: Apple, `mach-o/loader.h`, `mach-o/nlist.h`, `mach-o/fat.h`, `mach-o/compact_unwind_encoding.h`.

mod arm64;
mod commands;
mod encoding;
mod symbols;
mod universal;
mod unwind_info;
mod x64;

#[cfg(test)]
pub(crate) mod tests;

use thiserror::Error;

use crate::address::Rva;
use crate::bytes::Truncated;
use crate::data::Data;
use crate::registers::Cpu;
use commands::Commands;
pub use commands::{FileKind, Place, Section, Segment, protection, segment_flag};
pub use encoding::{Unwinding, unwinding};
pub use symbols::{MachSymbol, SymbolTable};
pub use universal::{Slice, is_macho, slices};
pub use unwind_info::{Entry, UnwindInfo};

/// The segment that begins with the header.
const TEXT: &str = "__TEXT";

/// Why a Mach-O file, or a part of one, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MachError {
    /// Another format.
    #[error("not a Mach-O file: {0}")]
    NotMachO(&'static str),
    /// A Mach-O file of a kind that is not read.
    #[error("a Mach-O file that is not supported: {0}")]
    Unsupported(&'static str),
    /// A universal file in which the processor that was asked for is missing.
    #[error("a universal Mach-O file without code for {wanted}: it has {found}")]
    NoSlice {
        /// The processor.
        wanted: &'static str,
        /// What there is instead.
        found: String,
    },
    /// A universal file for several processors, of which none was asked for.
    #[error("a universal Mach-O file for {0}: which of them is meant has to be said")]
    SeveralSlices(String),
    /// A part of the file is cut off.
    #[error("a damaged Mach-O file: {what} {source}")]
    Truncated {
        /// Which part.
        what: &'static str,
        /// Where.
        source: Truncated,
    },
    /// A load command that cannot be followed.
    #[error("a damaged Mach-O file: load command {index} claims {size_bytes} bytes")]
    Command {
        /// Its place in the list.
        index: u32,
        /// Its size, as it says.
        size_bytes: u32,
    },
    /// A section lies outside of the file.
    #[error("a damaged Mach-O file: section {name} ({size:#x} bytes at offset {offset:#x}) lies outside of the file")]
    Section {
        /// Its name with its segment's.
        name: String,
        /// Its offset in the file.
        offset: u64,
        /// Its size.
        size: u64,
    },
}

/// A Mach-O file for one processor.
#[derive(Debug)]
pub struct MachO {
    data: Data,
    commands: Commands,
}

impl MachO {
    /// Opens a file: reads its header and load commands. Of a universal file, the part for `cpu`; without it, the only
    /// part that the engine knows the processor of.
    pub fn open(data: Data, cpu: Option<Cpu>) -> Result<MachO, MachError> {
        let data = universal::chosen(data, cpu)?;
        let commands = Commands::read(&data)?;
        Ok(MachO { data, commands })
    }

    /// The whole file; of a universal one, the part that is read.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// What the file is for.
    pub fn kind(&self) -> FileKind {
        self.commands.kind
    }

    /// The processor, if the engine knows it.
    pub fn cpu(&self) -> Option<Cpu> {
        universal::cpu_of(self.commands.cpu_type)
    }

    /// `LC_UUID`: what a build's image and its debug information have in common.
    pub fn uuid(&self) -> Option<[u8; 16]> {
        self.commands.uuid
    }

    /// `LC_ID_DYLIB`: the path by which a library wants to be found.
    pub fn install_name(&self) -> Option<&str> {
        self.commands.install_name.as_deref()
    }

    /// `LC_ENCRYPTION_INFO_64`: the part of the file that is encrypted, which the kernel decrypts when it maps it.
    pub fn encrypted(&self) -> Option<Place> {
        self.commands.encrypted
    }

    /// Segments, in the order of the file.
    pub fn segments(&self) -> &[Segment] {
        &self.commands.segments
    }

    /// Sections of all segments, in the order of the file: the index that symbols refer to, less one.
    pub fn sections(&self) -> &[Section] {
        &self.commands.sections
    }

    /// The section `__text` of segment `__TEXT`, for instance.
    pub fn section_named(&self, segment: &str, name: &str) -> Option<&Section> {
        self.sections().iter().find(|section| section.segment_name == segment && section.name == name)
    }

    /// Whether the section's content is in the file. That of a dSYM bundle names the sections of its image, but its
    /// segments have no bytes; dsymutil 19 copies `__eh_frame`, so that `__TEXT` has a few.
    pub fn holds(&self, section: &Section) -> bool {
        let (offset, size_bytes) = (u64::from(section.offset), section.size_bytes);
        !section.is_zero_filled()
            && self.segments().get(section.segment).is_some_and(|segment| {
                let within = offset.checked_sub(segment.offset);
                within.and_then(|it| it.checked_add(size_bytes)).is_some_and(|end| end <= segment.file_size_bytes)
            })
    }

    /// A section's content; empty for one that the file does not hold.
    pub fn section_bytes(&self, section: &Section) -> Result<Data, MachError> {
        if !self.holds(section) {
            return Ok(Data::from(Vec::new()));
        }
        let bytes = self.data.part(section.offset.into(), section.size_bytes);
        bytes.ok_or_else(|| MachError::Section {
            name: section.full_name(),
            offset: section.offset.into(),
            size: section.size_bytes,
        })
    }

    /// The content of a section of debug information by the name that it has in ELF: `.debug_str_offsets` is
    /// `__DWARF,__debug_str_offs` here, since names have 16 bytes. None if there is none, or it is empty.
    pub fn debug_section(&self, name: &str) -> Result<Option<Data>, MachError> {
        let mut name = format!("__{}", name.trim_start_matches('.'));
        name.truncate(commands::NAME_BYTES);
        let Some(section) = self.section_named("__DWARF", &name) else { return Ok(None) };
        let bytes = self.section_bytes(section)?;
        Ok((!bytes.is_empty()).then_some(bytes))
    }

    /// The address of RVA 0: that of `__TEXT`. 0 for files without one, which are not linked.
    pub fn base(&self) -> u64 {
        let text = self.segments().iter().find(|segment| segment.name == TEXT);
        text.map_or(0, |segment| segment.vmaddr)
    }

    /// The RVA of one of the file's own addresses.
    pub fn rva(&self, vmaddr: u64) -> Option<Rva> {
        Rva::of(vmaddr, self.base())
    }
}
