//! The headers of a PE image, and its bytes by RVA.
//!
//! Source: Microsoft, "PE Format".

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use thiserror::Error;

use super::exports::Exports;
use super::relocations::Relocations;
use super::{Image, Key, Section};
use crate::address::Rva;
use crate::bytes::{Reader, Truncated, slice_at};
use crate::data::Data;
use crate::dump::modules::{CodeView, Module};
use crate::registers::Cpu;
use crate::unwind::UnwindTables;

/// Most sections that the Windows loader accepts.
const MOST_SECTIONS: u16 = 96;
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
    pub const COUNT: usize = 16;
}

/// Why a file cannot be opened as a PE image.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImageError {
    /// No `MZ` or no `PE` signature.
    #[error("not an image: {0}")]
    NotPe(&'static str),
    /// The headers are cut off.
    #[error("a damaged PE image: its headers are {0}")]
    Headers(#[from] Truncated),
    /// An ELF file that is no image, or is damaged.
    #[error("{0}")]
    Elf(String),
    /// A Mach-O file that is no image, or is damaged.
    #[error("{0}")]
    MachO(String),
    /// Headers that contradict themselves.
    #[error("a damaged PE image: {0}")]
    Invalid(String),
}

/// A PE image in a file. Everything beyond the headers is read when it is asked for.
pub struct PeImage {
    data: Data,
    layout: Layout,
    /// IMAGE_FILE_MACHINE_….
    pub machine: u16,
    /// Half of the key.
    pub time_date_stamp: u32,
    /// The other half.
    pub size_of_image: u32,
    /// The address that it was linked for.
    pub image_base: u64,
    /// SizeOfHeaders: the headers are mapped at RVA 0.
    pub size_of_headers: u32,
    sections: Vec<Section>,
    directories: [(Rva, u32); directory::COUNT],
    headers: HeaderPlaces,
    relocations: OnceLock<Relocations>,
    exports: OnceLock<Exports>,
    loader_written: OnceLock<Vec<Range<u64>>>,
}

/// Where the bytes of sections are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// At the offsets that the section headers give.
    File,
    /// At their RVAs.
    Memory,
}

/// RVAs (= file offsets) of header fields that the loader or a tool changes.
#[derive(Debug, Clone, Copy)]
struct HeaderPlaces {
    image_base: u32,
    image_base_bytes: u32,
    check_sum: u32,
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
        let mut input = Reader::new(&data);
        if input.array().is_ok_and(|magic: [u8; 2]| &magic != b"MZ") || data.is_empty() {
            return Err(ImageError::NotPe("it does not begin with MZ"));
        }
        let pe_offset = Reader::at(&data, 0x3c)?.u32()?;
        let mut input = Reader::at(&data, pe_offset as usize)?;
        if &input.array::<4>()? != b"PE\0\0" {
            return Err(ImageError::NotPe("it has no PE signature"));
        }
        let machine = input.u16()?;
        let section_count = input.u16()?;
        let time_date_stamp = input.u32()?;
        input.skip(8)?; // symbol table
        let optional_bytes = input.u16()?;
        input.skip(2)?;
        let optional_offset = input.offset();
        let mut image = read_optional_header(&data, input.take(optional_bytes.into())?, optional_offset as u32)?;
        (image.machine, image.time_date_stamp, image.layout) = (machine, time_date_stamp, layout);
        if section_count > MOST_SECTIONS {
            return Err(ImageError::Invalid(format!("{section_count} sections, at most {MOST_SECTIONS} are possible")));
        }
        for _ in 0..section_count {
            image.sections.push(read_section(&mut input, data.len(), layout)?);
        }
        image.sections.sort_by_key(|section| section.rva);
        Ok(image)
    }

    fn relocations(&self) -> &Relocations {
        self.relocations.get_or_init(|| Relocations::new(self.directory(directory::BASE_RELOCATION)))
    }

    /// The content of a data directory as far as its section holds it; empty if there is none.
    fn directory(&self, index: usize) -> &[u8] {
        let (rva, size_bytes) = self.directories[index];
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
                (Rva(0), Layout::File) => slice_at(&self.data, offset.into(), size_bytes.into()).unwrap_or_default(),
                _ => self.raw_from(rva),
            };
            Some((kind, &data[..data.len().min(size_bytes as usize)]))
        })
    }

    fn pointer_bytes(&self) -> u32 {
        self.headers.image_base_bytes
    }

    /// Import address tables of delay-loaded modules: each runs from its descriptor's RVA to a zero.
    fn delay_load_tables(&self) -> Vec<Range<u64>> {
        let pointer_bytes = self.pointer_bytes() as usize;
        let mut places = Vec::new();
        // All tables together are no longer than the image, whatever the descriptors say.
        let mut left = self.data.len() / pointer_bytes;
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
        let (rva, _) = self.directories[directory::LOAD_CONFIG];
        let config = if rva.0 == 0 { &[] } else { self.raw_from(rva) };
        // The structure's own first field says how long it is; the directory's size was wrong for years.
        let size = Reader::new(config).u32().unwrap_or(0) as usize;
        let config = &config[..config.len().min(size)];
        let fields = if pointer_bytes == 8 { FIELDS_64 } else { FIELDS_32 };
        let targets = fields.iter().filter_map(|&field| {
            let mut input = Reader::at(config, field).ok()?;
            let address = if pointer_bytes == 8 { input.u64().ok()? } else { input.u32().ok()?.into() };
            Rva::of(address, self.image_base).filter(|target| target.0 != 0)
        });
        targets.map(|target| u64::from(target.0)..u64::from(target.0) + u64::from(pointer_bytes)).collect()
    }
}

impl Image for PeImage {
    fn cpu(&self) -> Option<Cpu> {
        match self.machine {
            0x014c => Some(Cpu::X86),
            0x8664 => Some(Cpu::X64),
            0xaa64 => Some(Cpu::Arm64),
            _ => None,
        }
    }

    fn key(&self) -> Key {
        Key::Pe { time_date_stamp: self.time_date_stamp, size_of_image: self.size_of_image }
    }

    fn wanted_key(&self, module: &Module) -> Key {
        Key::Pe { time_date_stamp: module.time_date_stamp, size_of_image: module.size_bytes }
    }

    fn linked_base(&self) -> u64 {
        self.image_base
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
        self.size_of_headers
    }

    fn raw_from(&self, rva: Rva) -> &[u8] {
        match self.section_at(rva) {
            Some(section) => {
                let raw = self.data.get(section.raw.clone()).unwrap_or_default();
                raw.get((rva.0 - section.rva.0) as usize..).unwrap_or_default()
            }
            None => {
                let headers = &self.data[..self.data.len().min(self.size_of_headers as usize)];
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
        self.relocations().apply(self, rva, base.wrapping_sub(self.image_base), &mut buffer[..size]);
        size
    }

    fn relocated_words(&self, start: Rva, size: u32, base: u64) -> Vec<Range<u64>> {
        if base == self.image_base { Vec::new() } else { self.relocations().words_in(self, start, size) }
    }

    /// - the import address table, and the delay-load tables: addresses of imported functions;
    /// - of the load configuration: the security cookie, and the control-flow-guard pointers (`GuardCF…` check and
    ///   dispatch pointers), which the loader sets to functions of ntdll;
    /// - of the headers: ImageBase, which the loader sets to where the image is; CheckSum, which tools set later.
    fn loader_written(&self) -> &[Range<u64>] {
        self.loader_written.get_or_init(|| {
            let at = |rva: u32, size: u32| u64::from(rva)..u64::from(rva) + u64::from(size);
            let mut places = vec![at(self.headers.image_base, self.headers.image_base_bytes)];
            places.push(at(self.headers.check_sum, 4));
            let (table, size) = self.directories[directory::IMPORT_ADDRESS_TABLE];
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
            let (start, size) = self.directories[directory::EXPORT];
            Exports::read(self, start, size)
        });
        let (name, at) = exports.nearest(self, rva)?;
        let section = self.section_at(rva)?;
        section.contains(at).then_some((name, at))
    }
}

impl UnwindTables for PeImage {
    fn exception_directory(&self) -> &[u8] {
        self.directory(directory::EXCEPTION)
    }

    fn bytes_from(&self, rva: Rva) -> &[u8] {
        self.raw_from(rva)
    }

    fn is_executable(&self, rva: Rva) -> bool {
        self.section_at(rva).is_some_and(|section| section.executable)
    }
}

fn read_optional_header(data: &Data, header: &[u8], offset: u32) -> Result<PeImage, ImageError> {
    let mut input = Reader::new(header);
    let is_64 = match input.u16()? {
        0x10b => false,
        0x20b => true,
        other => return Err(ImageError::Invalid(format!("optional header of unknown kind {other:#x}"))),
    };
    let image_base_offset = if is_64 { 24 } else { 28 };
    let mut input = Reader::at(header, image_base_offset)?;
    let image_base = if is_64 { input.u64()? } else { input.u32()?.into() };
    let mut input = Reader::at(header, 56)?;
    let (size_of_image, size_of_headers) = (input.u32()?, input.u32()?);
    let mut input = Reader::at(header, if is_64 { 108 } else { 92 })?;
    let count = (input.u32()? as usize).min(directory::COUNT);
    let mut directories = [(Rva(0), 0); directory::COUNT];
    for directory in &mut directories[..count] {
        // Fewer directories than claimed: the others are not there.
        let (Ok(rva), Ok(size)) = (input.u32(), input.u32()) else { break };
        *directory = (Rva(rva), size);
    }
    let headers = HeaderPlaces {
        image_base: offset.wrapping_add(image_base_offset as u32),
        image_base_bytes: if is_64 { 8 } else { 4 },
        check_sum: offset.wrapping_add(64),
    };
    Ok(PeImage {
        data: data.clone(),
        layout: Layout::File,
        machine: 0,
        time_date_stamp: 0,
        size_of_image,
        image_base,
        size_of_headers,
        sections: Vec::new(),
        directories,
        headers,
        relocations: OnceLock::new(),
        exports: OnceLock::new(),
        loader_written: OnceLock::new(),
    })
}

fn read_section(input: &mut Reader<'_>, file_bytes: usize, layout: Layout) -> Result<Section, Truncated> {
    let name = input.array::<8>()?;
    let (virtual_bytes, rva, raw_bytes, raw_offset) = (input.u32()?, input.u32()?, input.u32()?, input.u32()?);
    input.skip(12)?;
    let flags = input.u32()?;
    let size_bytes = if virtual_bytes == 0 { raw_bytes } else { virtual_bytes };
    let (wanted, start) = match layout {
        Layout::File => (raw_bytes.min(size_bytes) as usize, raw_offset as usize),
        Layout::Memory => (size_bytes as usize, rva as usize),
    };
    let start = start.min(file_bytes);
    let held = wanted.min(file_bytes - start);
    Ok(Section {
        name: String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned(),
        rva: Rva(rva),
        size_bytes,
        raw: start..start + held,
        readable: flags & 0x4000_0000 != 0,
        writable: flags & 0x8000_0000 != 0,
        executable: flags & 0x2000_0000 != 0,
        lost_bytes: (wanted - held) as u32,
    })
}
