//! What DWARF comes in: sections of an ELF, PE or Mach-O file, fetched when they are first needed.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gimli::{
    Abbreviations, DebugStrOffset, DwarfFileType, DwarfSections, EndianSlice, LittleEndian, Section, SectionId,
    UnitHeader,
};

use super::root::table_bytes;
use super::type_units::TypeUnits;
use crate::data::Data;
use crate::debuginfo::symbol_table::SymbolTable;
use crate::elf::Elf;
use crate::macho::MachO;
use crate::pe::Pe;
use crate::registers::Cpu;

/// Bytes of a section.
pub type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// A file with DWARF sections.
pub trait DwarfFile: Send + Sync {
    /// The content of a section, decompressed, by the name that it has in ELF (`.debug_info`). None if there is none.
    /// The error is a sentence for people.
    fn section(&self, name: &str) -> Result<Option<Data>, String>;

    /// Whether there is such a section with content, without inflating it.
    fn has_section(&self, name: &str) -> bool {
        self.section(name).is_ok_and(|section| section.is_some_and(|bytes| !bytes.is_empty()))
    }

    /// The file's own address of RVA 0.
    fn base(&self) -> u64;

    /// The processor.
    fn cpu(&self) -> Option<Cpu>;

    /// The file's symbol table: it names what the debug information does not.
    fn symbols(&self) -> SymbolTable;

    /// What was kept of the file under a name.
    fn kept(&self, _name: &str) -> Option<Data> {
        None
    }

    /// Keeps something for the next time, where that can be.
    fn keep(&self, _name: &str, _content: &[u8]) {}
}

impl DwarfFile for Elf {
    fn has_section(&self, name: &str) -> bool {
        self.has_debug_section(name)
    }

    fn section(&self, name: &str) -> Result<Option<Data>, String> {
        self.debug_section(name).map_err(|error| error.to_string())
    }

    fn base(&self) -> u64 {
        Elf::base(self)
    }

    fn cpu(&self) -> Option<Cpu> {
        Elf::cpu(self)
    }

    fn symbols(&self) -> SymbolTable {
        SymbolTable::of_elf(self)
    }
}

impl DwarfFile for MachO {
    fn section(&self, name: &str) -> Result<Option<Data>, String> {
        self.debug_section(name).map_err(|error| error.to_string())
    }

    fn base(&self) -> u64 {
        MachO::base(self)
    }

    fn cpu(&self) -> Option<Cpu> {
        MachO::cpu(self)
    }

    fn symbols(&self) -> SymbolTable {
        SymbolTable::of_macho(self)
    }
}

impl DwarfFile for Pe {
    fn section(&self, name: &str) -> Result<Option<Data>, String> {
        self.debug_section(name).map_err(|error| error.to_string())
    }

    fn base(&self) -> u64 {
        self.header().image_base
    }

    fn cpu(&self) -> Option<Cpu> {
        Pe::cpu(self)
    }

    fn symbols(&self) -> SymbolTable {
        SymbolTable::of_pe(self)
    }
}

/// What was found damaged, each sentence once.
#[derive(Debug, Default)]
pub struct Problems(Mutex<Vec<String>>);

/// Problems that are kept.
const MOST_PROBLEMS: usize = 100;

impl Problems {
    /// Adds a sentence.
    pub fn report(&self, problem: impl std::fmt::Display) {
        let mut problems = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let problem = problem.to_string();
        if problems.len() < MOST_PROBLEMS && !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// All sentences, in order of discovery.
    pub fn list(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A file and those of its sections that were fetched.
pub struct File {
    file: Arc<dyn DwarfFile>,
    /// Whether it is linked, or holds what a linker did not touch.
    kind: DwarfFileType,
    sections: DwarfSections<LazySection>,
    base: u64,
    /// The file with what this one shares with others (`.gnu_debugaltlink`).
    supplementary: Option<Box<File>>,
    problems: Arc<Problems>,
    unit_offsets: OnceLock<Vec<usize>>,
    type_units: OnceLock<TypeUnits>,
    /// Of the unit that was read last, with where they are: after dwz, units share them.
    abbreviations: Mutex<Option<(usize, Arc<Abbreviations>)>>,
}

/// A section that is fetched when it is first looked at.
struct LazySection {
    id: SectionId,
    data: OnceLock<Data>,
}

/// Where a unit begins: the section and the offset in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnitAt {
    /// In `.debug_info`.
    Info(usize),
    /// In `.debug_types`, which DWARF 4 has.
    Types(usize),
}

/// Which sections a question needs beside those that all need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// No more.
    Entries,
    /// Lists of locations.
    Locations,
}

impl File {
    /// Fetches nothing.
    pub fn new(file: Arc<dyn DwarfFile>, supplementary: Option<File>, problems: Arc<Problems>) -> File {
        let Ok(sections) = DwarfSections::load(|id| Ok::<_, Infallible>(LazySection { id, data: OnceLock::new() }));
        let base = file.base();
        File {
            file,
            kind: DwarfFileType::Main,
            sections,
            base,
            supplementary: supplementary.map(Box::new),
            problems,
            unit_offsets: OnceLock::new(),
            type_units: OnceLock::new(),
            abbreviations: Mutex::default(),
        }
    }

    /// A file of split units. Fetches nothing.
    pub fn split(file: Arc<dyn DwarfFile>, problems: Arc<Problems>) -> File {
        File { kind: DwarfFileType::Dwo, ..File::new(file, None, problems) }
    }

    /// The file itself.
    pub fn file(&self) -> &dyn DwarfFile {
        &*self.file
    }

    /// The file itself, for others that read it too.
    pub fn shared(&self) -> Arc<dyn DwarfFile> {
        self.file.clone()
    }

    /// The file with what this one shares with others; that it is missing is reported.
    pub fn supplementary(&self) -> Option<&File> {
        if self.supplementary.is_none() {
            self.problems.report("some names are in another file (.gnu_debugaltlink), which is not there");
        }
        self.supplementary.as_deref()
    }

    /// Whether that file is there.
    pub fn has_supplementary(&self) -> bool {
        self.supplementary.is_some()
    }

    /// The file's own address of RVA 0.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// A section that [`File::dwarf`] leaves out.
    pub fn section(&self, id: SectionId) -> Data {
        self.file
            .section(id.name())
            .map_err(|problem| self.problems.report(problem))
            .ok()
            .flatten()
            .unwrap_or_else(|| Data::from(Vec::new()))
    }

    /// The sections as gimli wants them. Ones that `need` does not name are left empty, and so not decompressed.
    pub fn dwarf(&self, need: Need) -> gimli::Dwarf<Slice<'_>> {
        let slice = |section: &LazySection| match section.id {
            SectionId::DebugMacinfo
            | SectionId::DebugMacro
            | SectionId::DebugNames
            | SectionId::DebugTypes
            | SectionId::DebugAranges => false,
            SectionId::DebugLoc | SectionId::DebugLocLists => need == Need::Locations,
            _ => true,
        };
        let dwarf = self.sections.borrow(|section| {
            let bytes: &[u8] = if slice(section) { section.data.get_or_init(|| self.section(section.id)) } else { &[] };
            EndianSlice::new(bytes, LittleEndian)
        });
        gimli::Dwarf { file_type: self.kind, ..dwarf }
    }

    /// A string of `.debug_str`.
    pub fn string(&self, offset: DebugStrOffset) -> Option<&[u8]> {
        let section = &self.sections.debug_str;
        let dwarf = section.borrow(|section| {
            let bytes: &[u8] = section.data.get_or_init(|| self.section(section.id));
            EndianSlice::new(bytes, LittleEndian)
        });
        dwarf.get_str(offset).ok().map(|text| text.slice())
    }

    /// The whole of `.debug_abbrev`.
    pub fn all_abbreviations(&self) -> &[u8] {
        let section = self.sections.debug_abbrev.borrow(|section| {
            let bytes: &[u8] = section.data.get_or_init(|| self.section(section.id));
            EndianSlice::new(bytes, LittleEndian)
        });
        section.reader().slice()
    }

    /// Where the unit begins that holds an offset of `.debug_info`.
    pub fn unit_holding(&self, offset: usize) -> Option<usize> {
        let offsets = self.unit_offsets();
        offsets[..offsets.partition_point(|&start| start <= offset)].last().copied()
    }

    /// How many units of `.debug_info` come before the one at an offset.
    pub fn unit_index(&self, offset: usize) -> Option<usize> {
        self.unit_offsets().binary_search(&offset).ok()
    }

    /// Where the unit of `.debug_info` begins before which so many others come.
    pub fn unit_with_index(&self, index: usize) -> Option<usize> {
        self.unit_offsets().get(index).copied()
    }

    /// Where each unit of `.debug_info` begins.
    pub fn unit_offsets(&self) -> &[usize] {
        self.unit_offsets.get_or_init(|| {
            let dwarf = self.dwarf(Need::Entries);
            headers(&dwarf, &self.problems).filter_map(|header| header.debug_info_offset()).map(|it| it.0).collect()
        })
    }

    /// Type units.
    pub fn type_units(&self) -> &TypeUnits {
        self.type_units.get_or_init(|| {
            let has_types = self.file.has_section(SectionId::DebugTypes.name());
            let types = if has_types { self.types() } else { EndianSlice::new(&[], LittleEndian) };
            TypeUnits::read(&self.dwarf(Need::Entries), types, &self.problems)
        })
    }

    /// Where the unit begins that holds an offset of `.debug_types`.
    pub fn types_unit_holding(&self, offset: usize) -> Option<usize> {
        self.type_units().holding(offset)
    }

    /// The whole of `.debug_types`.
    fn types(&self) -> Slice<'_> {
        let section = self.sections.debug_types.borrow(|section| {
            let bytes: &[u8] = section.data.get_or_init(|| self.section(section.id));
            EndianSlice::new(bytes, LittleEndian)
        });
        *section.reader()
    }

    /// A unit's header.
    pub fn header<'a>(
        &'a self,
        dwarf: &gimli::Dwarf<Slice<'a>>,
        at: UnitAt,
    ) -> Result<UnitHeader<Slice<'a>>, gimli::Error> {
        match at {
            UnitAt::Info(offset) => dwarf.unit_header(gimli::DebugInfoOffset(offset)),
            UnitAt::Types(offset) => {
                let rest = self.types().slice().get(offset..).unwrap_or_default();
                let section = gimli::DebugTypes::new(rest, LittleEndian);
                section.units().next()?.ok_or(gimli::Error::OffsetOutOfBounds(offset as u64))
            }
        }
    }

    /// The abbreviations of a unit.
    pub fn abbreviations(
        &self,
        dwarf: &gimli::Dwarf<Slice<'_>>,
        header: &UnitHeader<Slice<'_>>,
    ) -> Result<Arc<Abbreviations>, gimli::Error> {
        let offset = header.debug_abbrev_offset().0;
        let mut last = self.abbreviations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, abbreviations)) = last.as_ref().filter(|(of, _)| *of == offset) {
            return Ok(abbreviations.clone());
        }
        let abbreviations = dwarf.abbreviations(header)?;
        *last = Some((offset, abbreviations.clone()));
        Ok(abbreviations)
    }

    /// Bytes that [`File::abbreviations`] would read for a unit.
    pub fn new_abbreviation_bytes(&self, dwarf: &gimli::Dwarf<Slice<'_>>, header: &UnitHeader<Slice<'_>>) -> usize {
        let offset = header.debug_abbrev_offset().0;
        let last = self.abbreviations.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_ref() {
            Some((of, _)) if *of == offset => 0,
            _ => table_bytes(dwarf, offset),
        }
    }

    /// An RVA range of the file's own addresses. Linkers leave 0, 1 or a number below the module where they removed
    /// a function: then None, as for empty ranges.
    pub fn range(&self, begin: u64, end: u64) -> Option<(u32, u32)> {
        if begin <= 1 || begin >= end {
            return None;
        }
        let start = u32::try_from(begin.checked_sub(self.base)?).ok()?;
        let end = u32::try_from(end.checked_sub(self.base)?).unwrap_or(u32::MAX);
        (start < end).then_some((start, end))
    }

    /// The RVA of one of the file's own addresses.
    pub fn rva(&self, address: u64) -> Option<u32> {
        u32::try_from(address.checked_sub(self.base)?).ok()
    }
}

/// Headers of all units of `.debug_info`; ends at a damaged one, which is reported.
pub fn headers<'a>(
    dwarf: &gimli::Dwarf<Slice<'a>>,
    problems: &Problems,
) -> impl Iterator<Item = UnitHeader<Slice<'a>>> {
    let mut units = dwarf.units();
    std::iter::from_fn(move || {
        let next = units.next();
        next.map_err(|error| problems.report(format_args!("damaged debug information: .debug_info: {error}"))).ok()?
    })
}
