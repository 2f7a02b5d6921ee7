//! Split DWARF: units of which the linked file has a skeleton (code, lines, addresses), and a `.dwo` file, or a package
//! of them (`.dwp`), the entries.
//!
//! Which file belongs to which skeleton is said by a number, the DWO id, that both have. Nobody looks for files here:
//! their paths are given.
//!
//! Source: DWARF 5, sections 3.1.2 and 3.1.3 (skeleton and split units), 7.3.2 and 7.3.5 (`.dwo` and package files,
//! `.debug_cu_index`); GNU, "DebugFission" and "DebugFissionDWP", for DWARF 4.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gimli::constants as dw;
use gimli::{
    AttributeValue, DebugCuIndex, DebugTuIndex, EndianSlice, LittleEndian, UnitHeader, UnitIndex as PackageIndex,
    UnitType,
};

use super::Dwarf;
use super::file::{DwarfFile, File, Need, Problems, Slice, headers};
use super::root::{Root, declares_skeletons, root_abbreviation};
use crate::data::Data;
use crate::debuginfo::symbol_table::SymbolTable;
use crate::elf::Elf;
use crate::registers::Cpu;

/// Skeletons that are listed: as many `.dwo` files are looked for.
const MOST_SKELETONS: usize = 1 << 16;
/// Units of one `.dwo` file that are looked at; compilers write one, beside type units.
const MOST_UNITS: usize = 1 << 12;

/// A unit whose entries are in another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skeleton {
    /// Path of the `.dwo` file as the compiler wrote it, usually relative to `directory`.
    pub dwo_name: String,
    /// Where the compiler ran.
    pub directory: Option<String>,
    /// What the `.dwo` file has too.
    pub dwo_id: u64,
}

/// Where the entries of skeletons are.
#[derive(Default)]
pub struct SplitFiles {
    /// A package of `.dwo` files.
    pub package: Option<Data>,
    /// `.dwo` files by DWO id. A file that turns out to be another one is not believed.
    pub files: HashMap<u64, PathBuf>,
}

/// The files, opened as they are needed.
pub(super) struct SplitUnits {
    main: Arc<Sections>,
    package: OnceLock<Option<Arc<Sections>>>,
    files: SplitFiles,
    /// The offset of the skeleton of each id: a second one would read the same unit once more.
    skeletons: Mutex<HashMap<u64, usize>>,
}

/// A file whose sections are fetched once, for all units that share them.
struct Sections {
    file: Arc<dyn DwarfFile>,
    fetched: Mutex<HashMap<String, Option<Data>>>,
}

/// What one split unit is read from.
struct SplitUnit {
    main: Arc<Sections>,
    split: Arc<Sections>,
    /// Of a package: which part of each section belongs to the unit, by name: offset and size.
    parts: Option<HashMap<&'static str, (u64, u64)>>,
}

impl Sections {
    fn new(file: Arc<dyn DwarfFile>) -> Arc<Sections> {
        Arc::new(Sections { file, fetched: Mutex::default() })
    }

    fn section(&self, name: &str) -> Result<Option<Data>, String> {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = fetched.get(name) {
            return Ok(known.clone());
        }
        let section = self.file.section(name)?;
        fetched.insert(name.to_owned(), section.clone());
        Ok(section)
    }
}

impl DwarfFile for SplitUnit {
    /// Sections of the split file have names of their own; what depends on where code lies stays in the linked file.
    fn section(&self, name: &str) -> Result<Option<Data>, String> {
        match name {
            ".debug_addr" | ".debug_ranges" => return self.main.section(name),
            ".debug_line" | ".debug_line_str" | ".debug_aranges" => return Ok(None),
            _ => {}
        }
        let name = format!("{name}.dwo");
        let whole = self.split.section(&name)?;
        // Strings are shared by all units of a package.
        let Some(parts) = self.parts.as_ref().filter(|_| name != ".debug_str.dwo") else { return Ok(whole) };
        let part = parts.get(name.as_str()).copied();
        Ok(whole.zip(part).and_then(|(whole, (offset, size))| whole.part(offset, size)))
    }

    fn base(&self) -> u64 {
        self.main.file.base()
    }

    fn cpu(&self) -> Option<Cpu> {
        self.main.file.cpu()
    }

    fn symbols(&self) -> SymbolTable {
        SymbolTable::new(Vec::new(), Data::from(Vec::new()), Vec::new())
    }
}

impl SplitUnits {
    pub fn new(main: Arc<dyn DwarfFile>, files: SplitFiles) -> SplitUnits {
        SplitUnits { main: Sections::new(main), package: OnceLock::new(), files, skeletons: Mutex::default() }
    }

    /// The file and the offset in it of the unit whose skeleton is at `skeleton` and has this id; that it cannot be read
    /// is reported.
    pub fn find(&self, skeleton: usize, dwo_id: u64, problems: &Arc<Problems>) -> Option<(Arc<File>, usize)> {
        let first = *self.skeletons.lock().unwrap_or_else(PoisonError::into_inner).entry(dwo_id).or_insert(skeleton);
        if first != skeleton {
            problems.report(format_args!("several units have the DWO id {dwo_id:016x}: one of them is read"));
            return None;
        }
        let unit = self.in_package(dwo_id).or_else(|| self.in_file(dwo_id, problems))?;
        let file = File::split(Arc::new(unit), problems.clone());
        let offset = unit_with(&file, dwo_id, problems)?;
        Some((Arc::new(file), offset))
    }

    fn in_package(&self, dwo_id: u64) -> Option<SplitUnit> {
        let bytes = self.package()?.section(".debug_cu_index").ok()??;
        let index: PackageIndex<Slice<'_>> = DebugCuIndex::new(&bytes, LittleEndian).index().ok()?;
        self.in_row(&index, index.find(dwo_id)?)
    }

    /// The row of the package's index of type units that has this signature.
    pub fn package_row(&self, signature: u64) -> Option<usize> {
        let bytes = self.package()?.section(".debug_tu_index").ok()??;
        let index: PackageIndex<Slice<'_>> = DebugTuIndex::new(&bytes, LittleEndian).index().ok()?;
        index.find(signature).map(|row| row as usize)
    }

    /// Rows of the package's index of type units.
    pub fn package_rows(&self) -> usize {
        let rows = || {
            let bytes = self.package()?.section(".debug_tu_index").ok()??;
            let index: PackageIndex<Slice<'_>> = DebugTuIndex::new(&bytes, LittleEndian).index().ok()?;
            // Each has its offsets in the section.
            Some((index.unit_count() as usize).min(bytes.len() / 4))
        };
        rows().unwrap_or(0)
    }

    /// The type unit in a row of the package's index, as a file of its own.
    pub fn package_type_file(&self, row: usize, problems: &Arc<Problems>) -> Option<Arc<File>> {
        let bytes = self.package()?.section(".debug_tu_index").ok()??;
        let index: PackageIndex<Slice<'_>> = DebugTuIndex::new(&bytes, LittleEndian).index().ok()?;
        let unit = self.in_row(&index, u32::try_from(row).ok()?)?;
        Some(Arc::new(File::split(Arc::new(unit), problems.clone())))
    }

    fn package(&self) -> Option<&Arc<Sections>> {
        let open = || Some(Sections::new(Arc::new(Elf::open(self.files.package.clone()?).ok()?)));
        self.package.get_or_init(open).as_ref()
    }

    fn in_row(&self, index: &PackageIndex<Slice<'_>>, row: u32) -> Option<SplitUnit> {
        let sections = index.sections(row).ok()?;
        let parts = sections.map(|it| (it.section.dwo_name(), (it.offset.into(), it.size.into()))).collect();
        Some(SplitUnit { main: self.main.clone(), split: self.package()?.clone(), parts: Some(parts) })
    }

    fn in_file(&self, dwo_id: u64, problems: &Problems) -> Option<SplitUnit> {
        let path = self.files.files.get(&dwo_id)?;
        let opened = Data::map(path).map_err(|error| error.to_string());
        let opened = opened.and_then(|data| Elf::open(data).map_err(|error| error.to_string()));
        let report = |error: String| problems.report(format_args!("{}: {error}", path.display()));
        let elf = opened.map_err(report).ok()?;
        Some(SplitUnit { main: self.main.clone(), split: Sections::new(Arc::new(elf)), parts: None })
    }
}

/// Where the unit with this id begins.
fn unit_with(file: &File, dwo_id: u64, problems: &Problems) -> Option<usize> {
    let dwarf = file.dwarf(Need::Entries);
    let mut budget = abbreviation_budget(&dwarf);
    let found = headers(&dwarf, problems).take(MOST_UNITS).find(|header| match header.type_() {
        UnitType::SplitCompilation(id) => id.0 == dwo_id,
        UnitType::Compilation => {
            root_of(&dwarf, header, &mut budget).is_some_and(|(root, _)| root.dwo_id == Some(dwo_id))
        }
        _ => false,
    });
    match found {
        Some(header) => Some(header.debug_info_offset()?.0),
        None => {
            problems.report(format_args!("a .dwo file is of another build: it has no unit {dwo_id:016x}"));
            None
        }
    }
}

/// A unit's root entry, and what it says of the file with its entries: name and directory. Lowers `budget` by the bytes
/// of abbreviations that it passed over.
fn root_of<'a>(
    dwarf: &gimli::Dwarf<Slice<'a>>,
    header: &UnitHeader<Slice<'a>>,
    budget: &mut usize,
) -> Option<(Root, [Option<AttributeValue<Slice<'a>>>; 2])> {
    let code = header.range_from(header.root_offset()..).ok()?;
    let code = gimli::Reader::read_uleb128(&mut EndianSlice::new(code.slice(), LittleEndian)).ok()?;
    let abbreviations = Arc::new(root_abbreviation(dwarf, header, code, budget)?);
    let (root, _, directory) = Root::read(dwarf, header, &abbreviations, None).ok()?;
    let entry = header.entry(&abbreviations, header.root_offset()).ok()?;
    let name = entry.attr_value(dw::DW_AT_dwo_name).or_else(|| entry.attr_value(dw::DW_AT_GNU_dwo_name));
    Some((root, [name, directory]))
}

/// Bytes of abbreviations that may be passed over: units may share tables.
fn abbreviation_budget(dwarf: &gimli::Dwarf<Slice<'_>>) -> usize {
    gimli::Section::reader(&dwarf.debug_abbrev).len().saturating_mul(4)
}

impl Dwarf {
    /// Units whose entries are in other files, which [`Dwarf::attach`] wants. Looks at the root entry of every unit if there are any.
    pub fn skeletons(&self) -> Vec<Skeleton> {
        // Of files without any, which most are, little is inflated. (Split units say where they are by an index into the
        // table of addresses.)
        if !self.main.file().has_section(".debug_addr") || !declares_skeletons(self.main.all_abbreviations()) {
            return Vec::new();
        }
        let dwarf = self.main.dwarf(Need::Entries);
        let text = |root: &Root, header: &UnitHeader<_>, value: Option<AttributeValue<_>>| {
            let unit = root.unit(*header, Arc::default());
            let text = dwarf.attr_string(&unit, value?).ok()?;
            Some(String::from_utf8_lossy(&text.slice()[..text.len().min(super::unit::MOST_TEXT_BYTES)]).into_owned())
        };
        let mut budget = abbreviation_budget(&dwarf);
        let units = headers(&dwarf, &self.problems).filter_map(|header| {
            let (root, [name, directory]) = root_of(&dwarf, &header, &mut budget)?;
            let dwo_id = root.dwo_id.filter(|_| root.is_split)?;
            Some(Skeleton { dwo_name: text(&root, &header, name)?, directory: text(&root, &header, directory), dwo_id })
        });
        units.take(MOST_SKELETONS).collect()
    }

    /// Lets units be read from other files. To be called once, before anything is asked; another time changes nothing.
    pub fn attach(&self, files: SplitFiles) {
        let _ = self.split.set(SplitUnits::new(self.main.shared(), files));
    }
}
