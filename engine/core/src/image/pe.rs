//! PE images: their bytes by RVA, and what the loader does to them.
//!
//! Source: Microsoft, "PE Format".

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use thiserror::Error;

use super::exports::Exports;
use super::relocations::Relocations;
use super::{Image, Key, Section};
use crate::address::Rva;
use crate::bytes::{Reader, slice_at};
use crate::callframe::{CallFrames, FrameSection, FrameSectionKind};
use crate::cfi::CfiRow;
use crate::data::Data;
use crate::debuginfo::file::DebugFile;
use crate::dump::modules::{CodeView, Module};
use crate::pe::{Header, Pe, PeError, SectionHeader};
use crate::registers::Cpu;
use crate::unwind::UnwindTables;

/// Delay-loaded modules that are looked at.
const MOST_DELAY_LOADED: usize = 1024;
/// Directories that are looked at, by index.
mod directory {
    pub const EXPORT: usize = 0;
    pub const EXCEPTION: usize = 3;
    pub const BASE_RELOCATION: usize = 5;
    pub const DEBUG: usize = 6;
    pub const LOAD_CONFIG: usize = 10;
    pub const IMPORT_ADDRESS_TABLE: usize = 12;
    pub const DELAY_IMPORT: usize = 13;
}

/// Why a file cannot be opened as a PE image.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImageError {
    /// Not a PE file, or a damaged one.
    #[error(transparent)]
    Pe(#[from] PeError),
    /// An ELF file that is no image, or is damaged.
    #[error("{0}")]
    Elf(String),
    /// A Mach-O file that is no image, or is damaged.
    #[error("{0}")]
    MachO(String),
}

/// A PE image in a file. Everything beyond the headers is read when it is asked for.
pub struct PeImage {
    pe: Arc<Pe>,
    layout: Layout,
    sections: Vec<Section>,
    relocations: OnceLock<Relocations>,
    exports: OnceLock<Exports>,
    loader_written: OnceLock<Vec<Range<u64>>>,
    frames: OnceLock<Option<CallFrames>>,
}

/// Where the bytes of sections are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// At the offsets that the section headers give.
    File,
    /// At their RVAs.
    Memory,
}

impl PeImage {
    /// Opens an image file: reads its headers.
    pub fn open(data: Data) -> Result<PeImage, ImageError> {
        PeImage::read(data, Layout::File)
    }

    /// Opens an image as the loader mapped it, for its tables. Its bytes are those of the process: sections may have
    /// been written to, and words are relocated already.
    pub fn open_mapped(data: Data) -> Result<PeImage, ImageError> {
        PeImage::read(data, Layout::Memory)
    }

    fn read(data: Data, layout: Layout) -> Result<PeImage, ImageError> {
        let pe = Pe::open(data)?;
        let mut sections: Vec<Section> =
            pe.sections().iter().map(|section| read_section(&pe, section, layout)).collect();
        sections.sort_by_key(|section| section.rva);
        Ok(PeImage {
            pe: Arc::new(pe),
            layout,
            sections,
            relocations: OnceLock::new(),
            exports: OnceLock::new(),
            loader_written: OnceLock::new(),
            frames: OnceLock::new(),
        })
    }

    fn header(&self) -> &Header {
        self.pe.header()
    }

    /// `.eh_frame` of x86: MinGW's programs are unwound by it. (On other processors they have an exception directory.)
    ///
    /// Folklore: the name is one byte longer than a header holds. GNU's linker writes it whole where it writes debug
    /// information, else it cuts it to `.eh_fram`; in memory it is `/4`, and the string table is not there: a dump with
    /// all memory of a program that was built so would be walked by guessing. There, the content tells which it is.
    fn read_frames(&self) -> Option<CallFrames> {
        let cpu = self.cpu().filter(|&cpu| cpu == Cpu::X86)?;
        let content = |section: &Section| self.pe.data().part(section.raw.start as u64, section.raw.len() as u64);
        let is_called_so = |section: &&Section| [".eh_frame", ".eh_fram"].contains(&section.name.as_str());
        let may_be_called_so = |section: &&Section| {
            section.name.starts_with('/') && content(section).is_some_and(|bytes| begins_with_common_entry(&bytes))
        };
        let sections = &self.sections;
        let section = sections.iter().find(is_called_so).or_else(|| sections.iter().find(may_be_called_so))?;
        let bytes = content(section)?;
        let address = section.rva.at(self.header().image_base);
        let kind = FrameSectionKind::EhFrame;
        Some(CallFrames::new(FrameSection { kind, bytes, address, text: None, data: None, header: None }, cpu))
    }

    fn relocations(&self) -> &Relocations {
        self.relocations.get_or_init(|| Relocations::new(self.directory(directory::BASE_RELOCATION)))
    }

    /// The content of a data directory as far as its section holds it; empty if there is none.
    fn directory(&self, index: usize) -> &[u8] {
        let (rva, size_bytes) = self.header().directories[index];
        let rest = if rva.0 == 0 { &[] } else { self.raw_from(rva) };
        &rest[..rest.len().min(size_bytes as usize)]
    }

    /// IMAGE_DEBUG_DIRECTORY entries: type, and the data. It is sought by RVA; the data of an entry without one (it is
    /// not mapped) lies at a file offset, which the image in memory does not have.
    fn debug_entries(&self) -> impl Iterator<Item = (u32, &[u8])> + '_ {
        self.directory(directory::DEBUG).chunks_exact(28).filter_map(|entry| {
            let mut input = Reader::at(entry, 12).ok()?;
            let (kind, size_bytes) = (input.u32().ok()?, input.u32().ok()?);
            let (rva, offset) = (Rva(input.u32().ok()?), input.u32().ok()?);
            let data = match (rva, self.layout) {
                (Rva(0), Layout::Memory) => &[],
                (Rva(0), Layout::File) => {
                    slice_at(self.pe.data(), offset.into(), size_bytes.into()).unwrap_or_default()
                }
                _ => self.raw_from(rva),
            };
            Some((kind, &data[..data.len().min(size_bytes as usize)]))
        })
    }

    fn pointer_bytes(&self) -> u32 {
        self.header().pointer_bytes
    }

    /// Import address tables of delay-loaded modules: each runs from its descriptor's RVA to a zero.
    fn delay_load_tables(&self) -> Vec<Range<u64>> {
        let pointer_bytes = self.pointer_bytes() as usize;
        let mut places = Vec::new();
        // All tables together are no longer than the image, whatever the descriptors say.
        let mut left = self.pe.data().len() / pointer_bytes;
        for descriptor in self.directory(directory::DELAY_IMPORT).chunks_exact(32).take(MOST_DELAY_LOADED) {
            let rva_at = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| descriptor[at + byte]));
            let (handle, table) = (rva_at(8), rva_at(12));
            if table == 0 {
                break;
            }
            let entries = self.raw_from(Rva(table)).chunks_exact(pointer_bytes).take(left);
            let count = entries.take_while(|entry| entry.iter().any(|&byte| byte != 0)).count();
            left -= count;
            for (rva, size) in [(handle, pointer_bytes), (table, count * pointer_bytes)] {
                places.push(u64::from(rva)..u64::from(rva) + size as u64);
            }
        }
        places
    }

    /// Pointer-sized places that fields of IMAGE_LOAD_CONFIG_DIRECTORY point to.
    fn load_config_targets(&self) -> Vec<Range<u64>> {
        // SecurityCookie, GuardCFCheckFunctionPointer, GuardCFDispatchFunctionPointer,
        // GuardRFFailureRoutineFunctionPointer, GuardRFVerifyStackPointerFunctionPointer,
        // GuardXFG check, dispatch and table-dispatch pointers, CastGuardOsDeterminedFailureMode,
        // GuardMemcpyFunctionPointer
        const FIELDS_32: [usize; 10] = [0x3c, 0x48, 0x4c, 0x84, 0x90, 0xac, 0xb0, 0xb4, 0xb8, 0xbc];
        const FIELDS_64: [usize; 10] = [0x58, 0x70, 0x78, 0xd8, 0xe8, 0x118, 0x120, 0x128, 0x130, 0x138];
        let pointer_bytes = self.pointer_bytes();
        let (rva, _) = self.header().directories[directory::LOAD_CONFIG];
        let config = if rva.0 == 0 { &[] } else { self.raw_from(rva) };
        // The structure's own first field says how long it is; the directory's size was wrong for years.
        let size = Reader::new(config).u32().unwrap_or(0) as usize;
        let config = &config[..config.len().min(size)];
        let fields = if pointer_bytes == 8 { FIELDS_64 } else { FIELDS_32 };
        let targets = fields.iter().filter_map(|&field| {
            let mut input = Reader::at(config, field).ok()?;
            let address = if pointer_bytes == 8 { input.u64().ok()? } else { input.u32().ok()?.into() };
            Rva::of(address, self.header().image_base).filter(|target| target.0 != 0)
        });
        targets.map(|target| u64::from(target.0)..u64::from(target.0) + u64::from(pointer_bytes)).collect()
    }
}

impl Image for PeImage {
    fn cpu(&self) -> Option<Cpu> {
        self.pe.cpu()
    }

    fn key(&self) -> Key {
        Key::Pe { time_date_stamp: self.header().time_date_stamp, size_of_image: self.header().size_of_image }
    }

    fn wanted_key(&self, module: &Module) -> Key {
        Key::Pe { time_date_stamp: module.time_date_stamp, size_of_image: module.size_bytes }
    }

    fn linked_base(&self) -> u64 {
        self.header().image_base
    }

    fn codeview(&self) -> CodeView {
        let record = self.debug_entries().find(|(kind, _)| *kind == 2);
        record.map_or(CodeView::None, |(_, data)| CodeView::parse(data))
    }

    /// There is a debug directory entry IMAGE_DEBUG_TYPE_REPRO.
    fn is_reproducible(&self) -> bool {
        self.debug_entries().any(|(kind, _)| kind == 16)
    }

    fn sections(&self) -> &[Section] {
        &self.sections
    }

    fn headers_bytes(&self) -> u32 {
        self.header().size_of_headers
    }

    fn raw_from(&self, rva: Rva) -> &[u8] {
        match self.section_at(rva) {
            Some(section) => {
                let raw = self.pe.data().get(section.raw.clone()).unwrap_or_default();
                raw.get((rva.0 - section.rva.0) as usize..).unwrap_or_default()
            }
            None => {
                let headers = &self.pe.data()[..self.pe.data().len().min(self.header().size_of_headers as usize)];
                headers.get(rva.0 as usize..).unwrap_or_default()
            }
        }
    }

    fn read_mapped(&self, rva: Rva, base: u64, buffer: &mut [u8]) -> usize {
        let raw = self.raw_from(rva);
        let held = raw.len().min(buffer.len());
        buffer[..held].copy_from_slice(&raw[..held]);
        let mut size = held;
        if let Some(section) = self.section_at(rva).filter(|section| section.lost_bytes == 0) {
            let left = (section.end() - u64::from(rva.0)).min(buffer.len() as u64) as usize;
            buffer[held.min(left)..left].fill(0);
            size = left.max(held);
        }
        self.relocations().apply(self, rva, base.wrapping_sub(self.header().image_base), &mut buffer[..size]);
        size
    }

    fn relocated_words(&self, start: Rva, size: u32, base: u64) -> Vec<Range<u64>> {
        if base == self.header().image_base { Vec::new() } else { self.relocations().words_in(self, start, size) }
    }

    /// - the import address table, and the delay-load tables: addresses of imported functions;
    /// - of the load configuration: the security cookie, and the control-flow-guard pointers (`GuardCF…` check and
    ///   dispatch pointers), which the loader sets to functions of ntdll;
    /// - of the headers: ImageBase, which the loader sets to where the image is; CheckSum, which tools set later.
    fn loader_written(&self) -> &[Range<u64>] {
        self.loader_written.get_or_init(|| {
            let at = |rva: u32, size: u32| u64::from(rva)..u64::from(rva) + u64::from(size);
            let mut places = vec![at(self.header().image_base_offset, self.header().pointer_bytes)];
            places.push(at(self.header().check_sum_offset, 4));
            let (table, size) = self.header().directories[directory::IMPORT_ADDRESS_TABLE];
            places.push(at(table.0, size));
            places.extend(self.delay_load_tables());
            places.extend(self.load_config_targets());
            places.retain(|place| !place.is_empty());
            places.sort_by_key(|place| place.start);
            places
        })
    }

    fn export_at(&self, rva: Rva) -> Option<(Cow<'_, str>, Rva)> {
        let exports = self.exports.get_or_init(|| {
            let (start, size) = self.header().directories[directory::EXPORT];
            Exports::read(self, start, size)
        });
        let (name, at) = exports.nearest(self, rva)?;
        let section = self.section_at(rva)?;
        section.contains(at).then_some((name, at))
    }

    fn own_debug_info(&self, _folder: Option<&Path>) -> Option<DebugFile> {
        DebugFile::of_pe(self.pe.clone()).filter(|_| self.layout == Layout::File)
    }
}

impl UnwindTables for PeImage {
    fn exception_directory(&self) -> &[u8] {
        self.directory(directory::EXCEPTION)
    }

    fn bytes_from(&self, rva: Rva) -> &[u8] {
        self.raw_from(rva)
    }

    fn cfi_at(&self, rva: Rva) -> Option<CfiRow> {
        let frames = self.frames.get_or_init(|| self.read_frames()).as_ref()?;
        frames.row_at(rva.at(self.header().image_base))
    }

    fn is_executable(&self, rva: Rva) -> bool {
        self.section_at(rva).is_some_and(|section| section.executable)
    }
}

fn read_section(pe: &Pe, section: &SectionHeader, layout: Layout) -> Section {
    let (wanted, start) = match layout {
        Layout::File => (section.held_bytes() as usize, section.raw_offset as usize),
        Layout::Memory => (section.size_bytes() as usize, section.rva.0 as usize),
    };
    let file_bytes = pe.data().len();
    let start = start.min(file_bytes);
    let held = wanted.min(file_bytes - start);
    let name = match layout {
        Layout::File => pe.section_name(section),
        // The string table is not mapped.
        Layout::Memory => String::from_utf8_lossy(section.short_name()),
    };
    Section {
        name: name.into_owned(),
        rva: section.rva,
        size_bytes: section.size_bytes(),
        raw: start..start + held,
        readable: section.is_readable(),
        writable: section.is_writable(),
        executable: section.is_executable(),
        lost_bytes: (wanted - held) as u32,
    }
}

/// Whether a section can be an `.eh_frame`: its first entry is a common one, version 1 or 3, with an augmentation of `z`
/// or none. Source: Linux Standard Base Core 5.0, section 10.6.1.1.1, "The Common Information Entry Format".
fn begins_with_common_entry(bytes: &[u8]) -> bool {
    let mut input = Reader::new(bytes);
    let (Ok(length), Ok(id), Ok(version)) = (input.u32(), input.u32(), input.u8()) else { return false };
    let is_whole = (length as usize) < bytes.len() && length > 8;
    is_whole && id == 0 && matches!(version, 1 | 3) && matches!(input.u8(), Ok(0 | b'z'))
}
