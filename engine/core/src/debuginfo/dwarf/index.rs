//! Which unit holds the code at an address, without reading units.
//!
//! `.debug_aranges` says so for units of compilers that write it (gcc does, clang does not unless told); of the others
//! the root entry is read, once, and nothing more.
//!
//! Source: DWARF 5, section 6.1.2, "Lookup by Address".

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use gimli::constants as dw;
use gimli::{DebugAranges, LittleEndian, Reader, Section, SectionId, UnitHeader, UnitType};

use super::file::{File, Need, Problems, Slice, headers};
use super::ranges::{RangeMap, Ranged};
use super::root::{Root, root_abbreviation};

/// Units that are looked at for one address. Several cover one where the linker kept one of their equal functions.
const MOST_UNITS: usize = 16;

/// Units by address.
#[derive(Default)]
pub struct UnitIndex {
    listed: OnceLock<Listed>,
    scanned: OnceLock<RangeMap<usize>>,
}

/// What `.debug_aranges` says.
struct Listed {
    map: RangeMap<usize>,
    units: HashSet<usize>,
}

impl UnitIndex {
    /// Offsets in `.debug_info` of units that say that they cover `rva`, the likeliest first.
    pub fn units_at(&self, rva: u32, file: &File, problems: &Problems) -> Vec<usize> {
        let listed = self.listed(file, problems);
        let mut units: Vec<usize> = listed.map.covering(rva).map(|range| range.value).take(MOST_UNITS).collect();
        if units.is_empty() {
            let scanned = self.scanned(file, problems).covering(rva);
            units = scanned.map(|range| range.value).take(MOST_UNITS).collect();
        }
        units
    }

    /// Offsets of units of which a range overlaps `[start, end)`, in order of address, each once.
    pub fn units_in(&self, start: u32, end: u32, file: &File, problems: &Problems) -> Vec<usize> {
        let listed = self.listed(file, problems).map.overlapping(start, end);
        let scanned = self.scanned(file, problems).overlapping(start, end);
        let mut ranges: Vec<&Ranged<usize>> = listed.chain(scanned).collect();
        ranges.sort_by_key(|range| range.start);
        let mut seen = HashSet::new();
        ranges.into_iter().map(|range| range.value).filter(|&unit| seen.insert(unit)).collect()
    }

    fn listed(&self, file: &File, problems: &Problems) -> &Listed {
        self.listed.get_or_init(|| {
            let section = file.section(SectionId::DebugAranges);
            read_aranges(&section, file).unwrap_or_else(|(error, so_far)| {
                problems.report(format_args!("damaged debug information: .debug_aranges: {error}"));
                so_far
            })
        })
    }

    fn scanned(&self, file: &File, problems: &Problems) -> &RangeMap<usize> {
        self.scanned.get_or_init(|| Scan::new(file, problems).run(&self.listed(file, problems).units))
    }
}

/// Reads the whole section; on damage gives what came before it.
fn read_aranges(section: &[u8], file: &File) -> Result<Listed, (gimli::Error, Listed)> {
    let (mut ranges, mut units) = (Vec::new(), HashSet::new());
    let mut read = || -> Result<(), gimli::Error> {
        let mut headers = DebugAranges::new(section, LittleEndian).headers();
        while let Some(header) = headers.next()? {
            let unit = header.debug_info_offset().0;
            units.insert(unit);
            let mut entries = header.entries();
            while let Some(entry) = entries.next_raw()? {
                let end = entry.address().saturating_add(entry.length());
                if let Some((start, end)) = file.range(entry.address(), end) {
                    ranges.push(Ranged { start, end, value: unit });
                }
            }
        }
        Ok(())
    };
    let result = read();
    let listed = Listed { map: RangeMap::new(ranges), units };
    match result {
        Ok(()) => Ok(listed),
        Err(error) => Err((error, listed)),
    }
}

/// Reading the root entries of all units that are not listed.
struct Scan<'a> {
    file: &'a File,
    problems: &'a Problems,
    dwarf: gimli::Dwarf<Slice<'a>>,
    /// By where the table begins and the root's code in it: after dwz, units share tables.
    abbreviations: HashMap<(usize, u64), Arc<gimli::Abbreviations>>,
    /// Bytes of abbreviations that may be passed over, and ranges that may be read.
    budgets: (usize, usize),
    ranges: Vec<Ranged<usize>>,
}

impl<'a> Scan<'a> {
    fn new(file: &'a File, problems: &'a Problems) -> Scan<'a> {
        let dwarf = file.dwarf(Need::Entries);
        let abbreviation_bytes = dwarf.debug_abbrev.reader().len();
        let budgets = (abbreviation_bytes.saturating_mul(4), range_budget(&dwarf));
        Scan { file, problems, dwarf, abbreviations: HashMap::new(), budgets, ranges: Vec::new() }
    }

    fn run(mut self, listed: &HashSet<usize>) -> RangeMap<usize> {
        let dwarf = self.file.dwarf(Need::Entries);
        for header in headers(&dwarf, self.problems) {
            let is_listed = header.debug_info_offset().is_some_and(|offset| listed.contains(&offset.0));
            if is_listed || matches!(header.type_(), UnitType::Type { .. } | UnitType::SplitType { .. }) {
                continue;
            }
            if let Err(error) = self.unit(&header) {
                self.problems.report(format_args!("damaged debug information: a unit: {error}"));
            }
        }
        RangeMap::new(self.ranges)
    }

    /// Takes a unit's ranges in.
    fn unit(&mut self, header: &UnitHeader<Slice<'a>>) -> Result<(), gimli::Error> {
        let Some(offset) = header.debug_info_offset() else { return Ok(()) };
        let code = header.range_from(header.root_offset()..)?.read_uleb128()?;
        let key = (header.debug_abbrev_offset().0, code);
        if !self.abbreviations.contains_key(&key) {
            let read = root_abbreviation(&self.dwarf, header, code, &mut self.budgets.0);
            let read = read.ok_or(gimli::Error::InvalidAbbreviationCode(code))?;
            self.abbreviations.insert(key, Arc::new(read));
        }
        let abbreviations = self.abbreviations[&key].clone();
        let (root, extent, _) = Root::read(&self.dwarf, header, &abbreviations, None)?;
        if !matches!(root.tag, dw::DW_TAG_compile_unit | dw::DW_TAG_skeleton_unit) {
            return Ok(());
        }
        let unit = root.unit(*header, abbreviations);
        let ranges = extent.ranges(self.file, &self.dwarf, &unit, &mut self.budgets.1)?;
        self.ranges.extend(ranges.into_iter().map(|(start, end)| Ranged { start, end, value: offset.0 }));
        Ok(())
    }
}

/// How many ranges a file can hold: a question that reads more reads the same ones over and over.
pub fn range_budget(dwarf: &gimli::Dwarf<Slice<'_>>) -> usize {
    let lists = &dwarf.ranges;
    lists.debug_ranges().reader().len().saturating_add(lists.debug_rnglists().reader().len())
}
