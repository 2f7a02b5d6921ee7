//! Mach-O images: what their segments map, and two kinds of unwind information.
//!
//! Source: Apple, `mach-o/loader.h`, `mach-o/compact_unwind_encoding.h`.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::segments::{Layout, Mapping, Segments};
use super::{Image, ImageError, Key, Section, swapped};
use crate::address::Rva;
use crate::callframe::{CallFrames, FrameSection, FrameSectionKind};
use crate::cfi::CfiRow;
use crate::data::Data;
use crate::debuginfo::DebugInfo;
use crate::debuginfo::file::DebugFile;
use crate::debuginfo::symbol_table::SymbolTable;
use crate::dump::modules::{CodeView, Module};
use crate::macho::{self, FileKind, MachO, Segment, UnwindInfo, Unwinding, protection, segment_flag};
use crate::names::display_name;
use crate::registers::Cpu;
use crate::unwind::UnwindTables;

/// Segments that are looked at; linkers make less than ten.
const MOST_SEGMENTS: usize = 256;
/// Tables for the dynamic linker, symbols and signatures.
const LINK_EDIT: &str = "__LINKEDIT";
/// Why the file of a dSYM bundle is no image.
const HOLLOW: &str = "a Mach-O file of debug information alone (dSYM): it holds no code";

/// A Mach-O image in a file, or as it was mapped.
pub struct MachImage {
    macho: Arc<MachO>,
    layout: Layout,
    segments: Segments,
    unlike_memory: Vec<Range<u64>>,
    tables: OnceLock<Tables>,
    symbols: OnceLock<SymbolTable>,
}

/// What is there for unwinding.
struct Tables {
    compact: Option<UnwindInfo>,
    frames: Option<CallFrames>,
    function_starts: Vec<Rva>,
}

impl MachImage {
    /// Opens an image file; of a universal one, the image for `cpu`. A dSYM's file is refused: it has the segments of
    /// its image, but not their bytes.
    pub fn open(data: Data, cpu: Option<Cpu>) -> Result<MachImage, ImageError> {
        let macho = MachO::open(data, cpu).map_err(|error| ImageError::MachO(error.to_string()))?;
        MachImage::new(macho, Layout::File)
    }

    /// Opens an image as the loader mapped it, for its tables.
    pub fn open_mapped(data: Data) -> Result<MachImage, ImageError> {
        let macho = MachO::open(data, None).map_err(|error| ImageError::MachO(error.to_string()))?;
        MachImage::new(macho, Layout::Memory)
    }

    fn new(macho: MachO, layout: Layout) -> Result<MachImage, ImageError> {
        let refuse = |why: &str| Err(ImageError::MachO(why.to_owned()));
        let is_hollow =
            |section: &macho::Section| section.is_executable() && section.size_bytes != 0 && !macho.holds(section);
        match macho.kind() {
            FileKind::DebugInformation => return refuse(HOLLOW),
            FileKind::Executable
            | FileKind::Library
            | FileKind::Bundle
            | FileKind::DynamicLinker
            | FileKind::KernelExtension => {}
            _ => return refuse("a Mach-O file that is neither a program nor a library"),
        }
        if macho.sections().iter().any(is_hollow) {
            return refuse(HOLLOW);
        }
        let segments = macho.segments().iter().take(MOST_SEGMENTS);
        let segments = segments.filter_map(|segment| section(&macho, segment, layout)).collect();
        let segments = Segments::new(macho.data().clone(), segments);
        let unlike_memory = unlike_memory(&macho, segments.list());
        let (tables, symbols) = (OnceLock::new(), OnceLock::new());
        Ok(MachImage { macho: Arc::new(macho), layout, segments, unlike_memory, tables, symbols })
    }

    /// The file: its sections and symbols.
    pub fn macho(&self) -> &Arc<MachO> {
        &self.macho
    }

    fn tables(&self) -> &Tables {
        self.tables.get_or_init(|| {
            let part = |name| self.section_part(name).filter(|(_, bytes)| !bytes.is_empty());
            let frames = part("__eh_frame").zip(self.macho.cpu()).map(|((address, bytes), cpu)| {
                let (kind, text) = (FrameSectionKind::EhFrame, self.vmaddr_of("__text"));
                CallFrames::new(FrameSection { kind, bytes, address, text, data: None, header: None }, cpu)
            });
            let compact = part("__unwind_info").map(|(_, bytes)| UnwindInfo::new(bytes));
            let function_starts = match self.layout {
                Layout::File => self.macho.function_starts(),
                Layout::Memory => Vec::new(),
            };
            Tables { compact, frames, function_starts }
        })
    }

    fn vmaddr_of(&self, section: &str) -> Option<u64> {
        Some(self.macho.section_named("__TEXT", section)?.vmaddr)
    }

    /// A section of `__TEXT`: its address and what is held of it.
    fn section_part(&self, name: &str) -> Option<(u64, Data)> {
        let section = self.macho.section_named("__TEXT", name)?;
        let bytes = self.segments.part_from(self.macho.rva(section.vmaddr)?)?;
        let size_bytes = section.size_bytes.min(bytes.len() as u64);
        Some((section.vmaddr, bytes.part(0, size_bytes)?))
    }

    /// What the compact encoding of the function at `rva` says.
    fn compact(&self, rva: Rva) -> Option<Unwinding> {
        let tables = self.tables();
        let entry = tables.compact.as_ref()?.entry_at(rva)?;
        // An entry may stand for several functions.
        let starts = &tables.function_starts;
        let before = starts[..starts.partition_point(|&start| start <= rva)].last();
        let start = before.map_or(entry.start, |&start| start.max(entry.start));
        let executed = self.raw_from(start).get(..rva.0.checked_sub(start.0)? as usize);
        macho::unwinding(self.macho.cpu()?, entry, self.raw_from(entry.start), executed)
    }

    fn symbols(&self) -> &SymbolTable {
        let read = || match self.layout {
            Layout::File => SymbolTable::of_macho(&self.macho),
            Layout::Memory => SymbolTable::new(Vec::new(), Data::from(Vec::new()), Vec::new()),
        };
        self.symbols.get_or_init(read)
    }
}

/// A segment as something that is mapped. What lies below the header is mapped as inaccessible (`__PAGEZERO`).
///
/// Situation: pointers to other modules stand in `__DATA_CONST`, `__AUTH_CONST` and the like, which the dynamic linker
/// writes and then makes read-only, so that not all linkers call them writable. Here all of them are.
fn section(macho: &MachO, segment: &Segment, layout: Layout) -> Option<Section> {
    let may = |permission: u32| segment.protection & permission != 0;
    let is_data = segment.name.starts_with("__DATA") || segment.name.starts_with("__AUTH");
    let mapping = Mapping {
        name: segment.name.clone(),
        rva: macho.rva(segment.vmaddr)?,
        memory_size_bytes: segment.memory_size_bytes,
        offset: segment.offset,
        file_size_bytes: segment.file_size_bytes,
        readable: may(protection::READ),
        writable: may(protection::WRITE) || is_data || segment.flags & segment_flag::READ_ONLY != 0,
        executable: may(protection::EXECUTE),
    };
    mapping.section(macho.data(), layout)
}

/// What a process has in memory otherwise than the file has it, in address order.
///
/// Situations: the libraries of a system share one `__LINKEDIT`, which the builder of their shared cache has written, and
/// signing a program changes its own. Programs of the App Store are encrypted in the file.
fn unlike_memory(macho: &MachO, segments: &[Section]) -> Vec<Range<u64>> {
    let link_edit = segments.iter().filter(|segment| segment.name == LINK_EDIT);
    let link_edit = link_edit.map(|segment| segment.rva.0.into()..segment.end());
    let encrypted = macho.encrypted().and_then(|place| {
        let covers = |segment: &&Segment| place.offset.wrapping_sub(segment.offset) < segment.file_size_bytes;
        let segment = macho.segments().iter().find(covers)?;
        let start = u64::from(macho.rva(segment.vmaddr)?.0) + (place.offset - segment.offset);
        Some(start..start + place.size_bytes)
    });
    let mut unlike: Vec<Range<u64>> = link_edit.chain(encrypted).collect();
    unlike.sort_by_key(|range| range.start);
    unlike
}

impl Image for MachImage {
    fn cpu(&self) -> Option<Cpu> {
        self.macho.cpu()
    }

    fn key(&self) -> Key {
        self.macho.uuid().map_or(Key::None, Key::Uuid)
    }

    fn wanted_key(&self, module: &Module) -> Key {
        match module.identity() {
            CodeView::Pdb70 { guid, .. } => Key::Uuid(swapped(&guid)),
            _ => Key::None,
        }
    }

    fn linked_base(&self) -> u64 {
        self.macho.base()
    }

    fn sections(&self) -> &[Section] {
        self.segments.list()
    }

    fn headers_bytes(&self) -> u32 {
        0
    }

    /// The section, which says more than the segment: `__TEXT,__text`.
    fn section_name(&self, rva: Rva) -> Option<Cow<'_, str>> {
        let vmaddr = self.macho.base().checked_add(rva.0.into())?;
        match self.macho.sections().iter().find(|section| section.contains(vmaddr)) {
            Some(section) => Some(Cow::Owned(section.full_name())),
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
        &self.unlike_memory
    }

    fn export_at(&self, rva: Rva) -> Option<(Cow<'_, str>, Rva)> {
        let symbol = self.symbols().symbol_at(rva)?;
        let name = display_name(&symbol.name).into_owned();
        (self.section_at(rva)?.contains(symbol.rva)).then_some((Cow::Owned(name), symbol.rva))
    }

    fn own_debug_info(&self, _folder: Option<&Path>) -> Option<DebugFile> {
        (self.layout == Layout::File).then(|| DebugFile::of_macho(self.macho.clone()))
    }
}

impl UnwindTables for MachImage {
    fn exception_directory(&self) -> &[u8] {
        &[]
    }

    fn bytes_from(&self, rva: Rva) -> &[u8] {
        self.raw_from(rva)
    }

    /// By the compact encoding of the function, else by `__TEXT,__eh_frame`.
    fn cfi_at(&self, rva: Rva) -> Option<CfiRow> {
        let unwinding = self.compact(rva);
        let frames = self.tables().frames.as_ref();
        let vmaddr = self.macho.base().checked_add(rva.0.into())?;
        match unwinding {
            Some(Unwinding::Row(row)) => Some(row),
            Some(Unwinding::FrameDescription(offset)) if offset != 0 => {
                frames?.row_in(offset.into(), vmaddr).or_else(|| frames?.row_at(vmaddr))
            }
            _ => frames?.row_at(vmaddr),
        }
    }

    fn is_executable(&self, rva: Rva) -> bool {
        self.section_at(rva).is_some_and(|segment| segment.executable)
    }
}
