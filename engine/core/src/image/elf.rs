//! ELF images: what their segments map, and the call frame information for unwinding.
//!
//! Source: System V gABI, "Program Loading"; Linux Standard Base, "Exception Frames" (`.eh_frame_hdr`).

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::segments::{Layout, Mapping, Segments};
use super::{Image, ImageError, Key, Section, swapped};
use crate::address::Rva;
use crate::bytes::Reader;
use crate::callframe::{CallFrames, FrameSection, FrameSectionKind};
use crate::cfi::CfiRow;
use crate::data::Data;
use crate::debuginfo::DebugInfo;
use crate::debuginfo::file::DebugFile;
use crate::debuginfo::symbol_table::SymbolTable;
use crate::dump::modules::{CodeView, Module};
use crate::elf::{Elf, FileKind, Segment, section_kind, segment_kind};
use crate::names::display_name;
use crate::registers::Cpu;
use crate::unwind::UnwindTables;

/// Flags of segments: PF_X, PF_W, PF_R.
const EXECUTABLE: u32 = 1;
const WRITABLE: u32 = 2;
const READABLE: u32 = 4;
/// Segments that are looked at; linkers make less than ten.
const MOST_SEGMENTS: usize = 256;

/// An ELF image in a file, or as it was mapped.
pub struct ElfImage {
    elf: Arc<Elf>,
    layout: Layout,
    build_id: Option<Vec<u8>>,
    segments: Segments,
    frames: OnceLock<Option<CallFrames>>,
    symbols: OnceLock<SymbolTable>,
}

impl ElfImage {
    /// Opens an image file. A file of debug information alone is refused: its segments have the sizes of the image's,
    /// but not their bytes.
    pub fn open(data: Data) -> Result<ElfImage, ImageError> {
        let elf = ElfImage::open_elf(data)?;
        let is_hollow = |section: &crate::elf::Section| section.is_executable() && section.kind == section_kind::NOBITS;
        if elf.sections().iter().any(is_hollow) {
            return Err(ImageError::Elf("an ELF file of debug information alone: it holds no code".to_owned()));
        }
        let build_id = elf.build_id();
        Ok(ElfImage::new(elf, Layout::File, build_id))
    }

    /// Opens an image as the loader mapped it, for its tables. Section headers are not mapped, but in the vDSO.
    pub fn open_mapped(data: Data, build_id: Option<Vec<u8>>) -> Result<ElfImage, ImageError> {
        let elf = ElfImage::open_elf(data)?;
        let layout = if elf.is_mapped_whole() { Layout::File } else { Layout::Memory };
        Ok(ElfImage::new(elf, layout, build_id))
    }

    fn open_elf(data: Data) -> Result<Elf, ImageError> {
        let elf = Elf::open(data).map_err(|error| ImageError::Elf(error.to_string()))?;
        match elf.kind() {
            FileKind::Executable | FileKind::Shared => Ok(elf),
            _ => Err(ImageError::Elf("an ELF file that is neither a program nor a library".to_owned())),
        }
    }

    fn new(elf: Elf, layout: Layout, build_id: Option<Vec<u8>>) -> ElfImage {
        let loaded = elf.segments().iter().filter(|segment| segment.kind == segment_kind::LOAD).take(MOST_SEGMENTS);
        let segments = loaded.filter_map(|segment| section(&elf, segment, layout)).collect();
        let segments = Segments::new(elf.data().clone(), segments);
        let (frames, symbols) = (OnceLock::new(), OnceLock::new());
        ElfImage { elf: Arc::new(elf), layout, build_id, segments, frames, symbols }
    }

    /// The file: its sections and links.
    pub fn elf(&self) -> &Arc<Elf> {
        &self.elf
    }

    /// `.eh_frame`: by its section, else by the program header of its search table.
    fn read_frames(&self) -> Option<CallFrames> {
        let cpu = self.elf.cpu()?;
        let header = self.elf.segments().iter().find(|segment| segment.kind == segment_kind::GNU_EH_FRAME);
        let header = header.and_then(|segment| {
            let bytes = self.mapped_part(segment.vaddr)?;
            let size = segment.memory_size_bytes.min(bytes.len() as u64);
            Some((segment.vaddr, bytes.part(0, size)?))
        });
        let (address, bytes) = match self.section_bytes(".eh_frame") {
            Some(found) => found,
            None => {
                let address = frames_address(header.as_ref()?)?;
                (address, self.mapped_part(address)?)
            }
        };
        let address_of = |name| self.section_address(name);
        let (text, data) = (address_of(".text"), address_of(".got"));
        let section = FrameSection { kind: FrameSectionKind::EhFrame, bytes, address, text, data, header };
        Some(CallFrames::new(section, cpu))
    }

    fn section_bytes(&self, name: &str) -> Option<(u64, Data)> {
        let section = self.named(name)?;
        Some((section.vaddr, self.elf.section_bytes(section).ok()?))
    }

    fn section_address(&self, name: &str) -> Option<u64> {
        Some(self.named(name)?.vaddr)
    }

    fn named(&self, name: &str) -> Option<&crate::elf::Section> {
        if self.layout == Layout::Memory { None } else { self.elf.section_named(name) }
    }

    /// The image's bytes at one of its own addresses, to the end of the segment.
    fn mapped_part(&self, vaddr: u64) -> Option<Data> {
        self.segments.part_from(self.elf.rva(vaddr)?)
    }

    fn symbols(&self) -> &SymbolTable {
        let read = || match self.layout {
            Layout::File => SymbolTable::of_elf(&self.elf),
            Layout::Memory => SymbolTable::new(Vec::new(), Data::from(Vec::new()), Vec::new()),
        };
        self.symbols.get_or_init(read)
    }
}

/// A segment as something that is mapped.
fn section(elf: &Elf, segment: &Segment, layout: Layout) -> Option<Section> {
    let rva = elf.rva(segment.vaddr)?;
    let may = |permission: u32| segment.flags & permission != 0;
    let (readable, writable, executable) = (may(READABLE), may(WRITABLE), may(EXECUTABLE));
    let name = [(readable, 'r'), (writable, 'w'), (executable, 'x')].map(|(is, letter)| if is { letter } else { '-' });
    let name = format!("LOAD {}", name.iter().collect::<String>());
    let (offset, file_size_bytes) = (segment.offset, segment.file_size_bytes);
    let memory_size_bytes = segment.memory_size_bytes;
    Mapping { name, rva, memory_size_bytes, offset, file_size_bytes, readable, writable, executable }
        .section(elf.data(), layout)
}

/// `eh_frame_ptr` of a search table; linkers write it relative to its own place, in four signed bytes.
fn frames_address((address, header): &(u64, Data)) -> Option<u64> {
    const RELATIVE_SIGNED_4: u8 = 0x1b;
    let mut input = Reader::new(header);
    let (version, encoding) = (input.u8().ok()?, input.u8().ok()?);
    input.skip(2).ok()?;
    let pointer = input.i32().ok()?;
    (version == 1 && encoding == RELATIVE_SIGNED_4).then(|| address.wrapping_add(4).wrapping_add_signed(pointer.into()))
}

impl Image for ElfImage {
    fn cpu(&self) -> Option<Cpu> {
        self.elf.cpu()
    }

    fn key(&self) -> Key {
        self.build_id.clone().map_or(Key::None, Key::BuildId)
    }

    /// Old dumps have, in the place of the build-id, its first 16 bytes as a GUID, whose fields Breakpad turns around.
    fn own_key(&self, module: &Module) -> Key {
        let (Some(own), CodeView::Pdb70 { guid, .. }) = (&self.build_id, module.identity()) else { return self.key() };
        let mut first = [0; 16];
        first[..own.len().min(16)].copy_from_slice(&own[..own.len().min(16)]);
        Key::Uuid(if swapped(&first) == guid { guid } else { first })
    }

    fn wanted_key(&self, module: &Module) -> Key {
        match module.identity() {
            CodeView::BuildId(id) if !id.is_empty() => Key::BuildId(id),
            CodeView::Pdb70 { guid, .. } => Key::Uuid(guid),
            _ => Key::None,
        }
    }

    fn linked_base(&self) -> u64 {
        self.elf.base()
    }

    fn sections(&self) -> &[Section] {
        self.segments.list()
    }

    fn headers_bytes(&self) -> u32 {
        0
    }

    /// The ELF section, which says more than the segment.
    fn section_name(&self, rva: Rva) -> Option<Cow<'_, str>> {
        let vaddr = self.elf.base().checked_add(rva.0.into())?;
        let sections = if self.layout == Layout::Memory { &[] } else { self.elf.sections() };
        let covers = |section: &&crate::elf::Section| {
            section.vaddr != 0 && section.vaddr <= vaddr && vaddr - section.vaddr < section.size_bytes
        };
        match sections.iter().find(covers) {
            Some(section) => Some(String::from_utf8_lossy(self.elf.section_name(section))),
            None => self.section_at(rva).map(|segment| Cow::Borrowed(segment.name.as_str())),
        }
    }

    fn raw_from(&self, rva: Rva) -> &[u8] {
        self.segments.raw_from(rva)
    }

    fn read_mapped(&self, rva: Rva, _base: u64, buffer: &mut [u8]) -> usize {
        self.segments.read_mapped(rva, buffer)
    }

    /// What the dynamic linker relocates lies in writable segments.
    fn relocated_words(&self, _start: Rva, _size: u32, _base: u64) -> Vec<Range<u64>> {
        Vec::new()
    }

    fn loader_written(&self) -> &[Range<u64>] {
        &[]
    }

    fn export_at(&self, rva: Rva) -> Option<(Cow<'_, str>, Rva)> {
        let symbol = self.symbols().symbol_at(rva)?;
        let name = display_name(&symbol.name).into_owned();
        (self.section_at(rva)?.contains(symbol.rva)).then_some((Cow::Owned(name), symbol.rva))
    }

    fn own_debug_info(&self, folder: Option<&Path>) -> Option<DebugFile> {
        (self.layout == Layout::File).then(|| DebugFile::of_elf(self.elf.clone(), None, folder))
    }

    fn debug_link(&self) -> Option<String> {
        self.elf.debug_link().filter(|_| self.layout == Layout::File).map(|link| link.name)
    }
}

impl UnwindTables for ElfImage {
    fn exception_directory(&self) -> &[u8] {
        &[]
    }

    fn bytes_from(&self, rva: Rva) -> &[u8] {
        self.raw_from(rva)
    }

    fn cfi_at(&self, rva: Rva) -> Option<CfiRow> {
        let frames = self.frames.get_or_init(|| self.read_frames()).as_ref()?;
        frames.row_at(self.elf.base().checked_add(rva.0.into())?)
    }

    fn is_executable(&self, rva: Rva) -> bool {
        self.section_at(rva).is_some_and(|segment| segment.executable)
    }
}
