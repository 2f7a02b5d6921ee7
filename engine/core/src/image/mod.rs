//! Images: the files that were mapped as code and constants; and the proof that one is what a dump was taken of.
//!
//! Every format answers through [`Image`]; what fills memory and what unwinds never asks which one it is.

pub mod elf;
mod exports;
pub mod macho;
pub mod pe;
pub mod proof;
mod relocations;
mod segments;

#[cfg(test)]
pub(crate) mod tests;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

pub use elf::ElfImage;
pub use macho::MachImage;
pub use pe::{ImageError, PeImage};
pub use proof::{Difference, Proof, prove};

use crate::address::Rva;
use crate::data::Data;
use crate::debuginfo::file::DebugFile;
use crate::dump::modules::{CodeView, Module};
use crate::macho::is_macho;
use crate::registers::Cpu;
use crate::unwind::UnwindTables;

/// A section or segment: `size_bytes` bytes from `rva` on, of which the file holds those of `raw`; the rest is zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// `.text`…
    pub name: String,
    /// First byte.
    pub rva: Rva,
    /// Bytes in memory.
    pub size_bytes: u32,
    /// Where its initialised bytes are in the file, cut to the file and to `size_bytes`.
    pub raw: Range<usize>,
    /// Whether the process may read it.
    pub readable: bool,
    /// Whether the process may write it.
    pub writable: bool,
    /// Whether the process may execute it.
    pub executable: bool,
    /// Bytes that the file ought to hold but does not: it was cut off.
    pub lost_bytes: u32,
}

impl Section {
    /// One past the last byte, as a 64-bit number because it may be 2^32.
    pub fn end(&self) -> u64 {
        u64::from(self.rva.0) + u64::from(self.size_bytes)
    }

    /// Whether `rva` lies in it.
    pub fn contains(&self, rva: Rva) -> bool {
        self.rva <= rva && u64::from(rva.0) < self.end()
    }
}

/// The section of `sections`, which are in address order, that covers `rva`.
fn section_in(sections: &[Section], rva: Rva) -> Option<&Section> {
    let after = sections.partition_point(|section| section.rva <= rva);
    sections[..after].iter().rev().find(|section| section.contains(rva))
}

/// The key of an image: what tells one build from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Of PE images.
    Pe {
        /// TimeDateStamp.
        time_date_stamp: u32,
        /// SizeOfImage.
        size_of_image: u32,
    },
    /// The build-id of ELF images.
    BuildId(Vec<u8>),
    /// LC_UUID of Mach-O images.
    Uuid([u8; 16]),
    /// There is none: only bytes can be compared.
    None,
}

impl Key {
    /// What it consists of; None if there is none.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Key::Pe { .. } => Some("TimeDateStamp and SizeOfImage"),
            Key::BuildId(_) => Some("build-id"),
            Key::Uuid(_) => Some("UUID"),
            Key::None => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |f: &mut fmt::Formatter<'_>, bytes: &[u8]| bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"));
        match self {
            Key::Pe { time_date_stamp, size_of_image } => {
                write!(f, "TimeDateStamp {time_date_stamp:08X} SizeOfImage {size_of_image:#x}")
            }
            Key::BuildId(bytes) => f.write_str("build-id ").and_then(|()| hex(f, bytes)),
            Key::Uuid(bytes) => f.write_str("UUID ").and_then(|()| hex(f, bytes)),
            Key::None => f.write_str("no key"),
        }
    }
}

/// A UUID as Breakpad puts it into a GUID, and the other way around: the first three fields are turned around.
fn swapped(uuid: &[u8; 16]) -> [u8; 16] {
    let mut guid = *uuid;
    guid[..4].reverse();
    guid[4..6].reverse();
    guid[6..8].reverse();
    guid
}

/// Opens an image of any format that is known. Of a universal Mach-O file, see [`open_for`].
pub fn open(data: Data) -> Result<Arc<dyn Image>, ImageError> {
    open_for(data, None)
}

/// The same; of a universal Mach-O file, the image for `cpu`.
pub fn open_for(data: Data, cpu: Option<Cpu>) -> Result<Arc<dyn Image>, ImageError> {
    if data.starts_with(b"\x7fELF") {
        return Ok(Arc::new(ElfImage::open(data)?));
    }
    if is_macho(&data) {
        return Ok(Arc::new(MachImage::open(data, cpu)?));
    }
    Ok(Arc::new(PeImage::open(data)?))
}

/// Opens the image of `module` as the loader mapped it, for its tables. None if it is not what the module says.
pub fn open_mapped(data: Data, module: &Module) -> Option<Arc<dyn Image>> {
    if data.starts_with(b"\x7fELF") {
        let build_id = match module.identity() {
            CodeView::BuildId(id) => Some(id),
            _ => None,
        };
        return Some(Arc::new(ElfImage::open_mapped(data, build_id).ok()?));
    }
    let image: Arc<dyn Image> = if is_macho(&data) {
        Arc::new(MachImage::open_mapped(data).ok()?)
    } else {
        Arc::new(PeImage::open_mapped(data).ok()?)
    };
    (image.key() == image.wanted_key(module)).then_some(image)
}

/// What every format of images answers. Addresses are RVAs: from where the loader puts the lowest part of the image.
pub trait Image: UnwindTables + Send + Sync {
    /// The processor, if the engine knows it.
    fn cpu(&self) -> Option<Cpu>;

    /// The image's key.
    fn key(&self) -> Key;

    /// The image's key in the terms in which `module` has one.
    fn own_key(&self, _module: &Module) -> Key {
        self.key()
    }

    /// The key that `module` has, in the terms of this format of images.
    fn wanted_key(&self, module: &Module) -> Key;

    /// The address that it was linked for: that of RVA 0.
    fn linked_base(&self) -> u64;

    /// The identity of its debug information, if that is a PDB.
    fn codeview(&self) -> CodeView {
        CodeView::None
    }

    /// Whether TimeDateStamp is a hash rather than a time.
    fn is_reproducible(&self) -> bool {
        false
    }

    /// What is mapped, in address order.
    fn sections(&self) -> &[Section];

    /// Bytes that are mapped at RVA 0 and belong to no section.
    fn headers_bytes(&self) -> u32;

    /// The name of the section that covers `rva`, as finely as the file tells.
    fn section_name(&self, rva: Rva) -> Option<Cow<'_, str>> {
        match self.section_at(rva) {
            Some(section) => Some(Cow::Borrowed(&section.name)),
            None => (rva.0 < self.headers_bytes()).then_some(Cow::Borrowed("headers")),
        }
    }

    /// The section that covers `rva`.
    fn section_at(&self, rva: Rva) -> Option<&Section> {
        section_in(self.sections(), rva)
    }

    /// Initialised bytes from `rva` to the end of what the file holds of that section or of the headers.
    fn raw_from(&self, rva: Rva) -> &[u8];

    /// Copies the bytes at `rva` as the loader maps them for `base`, relocated, up to the end of the section or of the
    /// headers; returns how many there are. Zeros follow initialised bytes; bytes that a cut-off file lost are absent.
    fn read_mapped(&self, rva: Rva, base: u64, buffer: &mut [u8]) -> usize;

    /// The ranges of `[start, start + size)` that are relocated words, in address order, when the image is at `base`.
    fn relocated_words(&self, start: Rva, size: u32, base: u64) -> Vec<Range<u64>>;

    /// Places in read-only sections and headers that the loader writes, in address order, as ranges of RVAs. What they
    /// hold in the process is not what the file holds, so they prove nothing and fill nothing.
    fn loader_written(&self) -> &[Range<u64>];

    /// The exported symbol nearest at or below `rva` in its section, and its RVA.
    fn export_at(&self, rva: Rva) -> Option<(Cow<'_, str>, Rva)>;

    /// What the file knows of its code itself: DWARF, or a symbol table. None if it has neither, or if there is no file.
    /// Inflated sections are kept in `folder`.
    fn own_debug_info(&self, _folder: Option<&Path>) -> Option<DebugFile> {
        None
    }

    /// The name of the file with its debug information (`.gnu_debuglink`).
    fn debug_link(&self) -> Option<String> {
        None
    }
}
