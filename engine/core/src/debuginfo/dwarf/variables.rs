//! Variables that are in scope at an address, and where they live.
//!
//! Source: DWARF 5, sections 3.3.5 (frame base), 3.3.8 (inlined calls) and 4.1 (data objects).

use gimli::constants as dw;
use gimli::{Abbreviation, EntriesRaw, UnitOffset};

use super::Dwarf;
use super::attributes::{Described, chain};
use super::entry::Entry;
use super::file::{File, Need, Slice};
use super::index::range_budget;
use super::places::Placing;
use super::root::Extent;
use super::unit::View;
use crate::debuginfo::{DebugInfo, Place, Variable};

/// A function at an address of which variables are asked for.
pub struct Question<'a> {
    /// Everything.
    pub dwarf: &'a Dwarf,
    /// The file that holds the function.
    pub file: &'a File,
    /// Its unit, with location lists.
    pub view: &'a View<'a>,
    /// Its entry.
    pub function: Entry,
    /// The address.
    pub rva: u32,
}

/// An entry with children that is open.
#[derive(Debug, Clone, Copy)]
struct Scope {
    depth: isize,
    /// Whether it holds the address, and variables in it are those of the function.
    is_ours: bool,
    inlined: u32,
    level: u32,
}

impl<'a> Question<'a> {
    /// Variables, innermost scope first. Ends at a damaged entry.
    pub fn variables(&self) -> Vec<Variable> {
        let mut variables = Vec::new();
        let _ = self.read(&mut variables);
        variables.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
        variables.into_iter().map(|(_, variable)| variable).collect()
    }

    fn read(&self, variables: &mut Vec<(u32, Variable)>) -> Result<(), gimli::Error> {
        let mut entries = self.view.unit.entries_raw(Some(self.function.offset))?;
        let mut budget = range_budget(&self.view.dwarf);
        let frame_base = self.dwarf.frame_base(&self.function, self.rva);
        let mut open: Vec<Scope> = Vec::new();
        while !entries.is_empty() {
            let (offset, depth) = (entries.next_offset(), entries.next_depth());
            let is_function = offset == self.function.offset;
            if depth <= 0 && !is_function {
                break;
            }
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            while open.pop_if(|scope| scope.depth >= depth).is_some() {}
            let around = open.last().copied();
            let mut scope = around.unwrap_or(Scope { depth, is_ours: true, inlined: 0, level: 0 });
            match abbreviation.tag() {
                dw::DW_TAG_subprogram if is_function => entries.skip_attributes(abbreviation.attributes())?,
                dw::DW_TAG_inlined_subroutine | dw::DW_TAG_lexical_block if scope.is_ours => {
                    scope.is_ours = self.covers(&mut entries, abbreviation, &mut budget)?;
                    scope.level += 1;
                    scope.inlined += u32::from(abbreviation.tag() == dw::DW_TAG_inlined_subroutine);
                }
                tag @ (dw::DW_TAG_variable | dw::DW_TAG_formal_parameter) if scope.is_ours => {
                    entries.skip_attributes(abbreviation.attributes())?;
                    let is_parameter = tag == dw::DW_TAG_formal_parameter;
                    let variable = self.variable(offset, is_parameter, &frame_base, scope.inlined);
                    variables.extend(variable.map(|variable| (scope.level, variable)));
                    scope.is_ours = false;
                }
                _ => {
                    entries.skip_attributes(abbreviation.attributes())?;
                    scope.is_ours = false;
                }
            }
            if abbreviation.has_children() {
                open.push(Scope { depth, ..scope });
            }
        }
        Ok(())
    }

    fn variable(
        &self,
        offset: UnitOffset,
        is_parameter: bool,
        frame_base: &[u8],
        inline_depth: u32,
    ) -> Option<Variable> {
        let (mut name, mut type_id, mut place, mut declared) = (None, None, None, None);
        let (mut is_artificial, mut is_extern) = (false, false);
        // An inlined call's entry leaves to the abstract one what all calls share.
        for entry in chain(self.dwarf, self.function.sibling(offset)) {
            let Some(read) = Described::read(self.dwarf, &entry, Need::Locations) else { continue };
            name = name.or_else(|| read.text(dw::DW_AT_name));
            declared = declared.or_else(|| read.text(dw::DW_AT_linkage_name));
            type_id = type_id.or_else(|| read.reference(dw::DW_AT_type));
            is_artificial |= read.flag(dw::DW_AT_artificial);
            is_extern |= read.flag(dw::DW_AT_external) && read.flag(dw::DW_AT_declaration);
            place = place.or_else(|| self.place(&read, frame_base));
        }
        let name = name.unwrap_or_default();
        if name.is_empty() && !is_parameter {
            return None;
        }
        if place.is_none() && is_extern {
            place = self.defined_elsewhere(declared.as_deref().unwrap_or(&name));
        }
        let place = place.unwrap_or(Place::OptimizedAway);
        Some(Variable { name, is_parameter, is_artificial, place, type_id, inline_depth })
    }

    /// Where an entry says that its variable is.
    fn place(&self, read: &Described<'_>, frame_base: &[u8]) -> Option<Place> {
        match read.value(dw::DW_AT_location) {
            Some(location) => {
                let placing = Placing::new(self.dwarf, &read.at.unit, &read.view).at(self.rva, frame_base);
                Some(placing.place(location))
            }
            None => self.dwarf.constant(read).map(Place::Constant),
        }
    }

    /// Where the variable is that a function declares `extern`, by the name that the linker knows.
    fn defined_elsewhere(&self, linkage_name: &str) -> Option<Place> {
        let symbols = self.dwarf.symbols().symbols_named(linkage_name);
        symbols.first().map(|symbol| Place::Static(symbol.rva))
    }

    /// Whether a scope holds the address; one that does not say where it is does.
    fn covers(
        &self,
        entries: &mut EntriesRaw<'_, Slice<'a>>,
        abbreviation: &Abbreviation,
        budget: &mut usize,
    ) -> Result<bool, gimli::Error> {
        let mut extent = Extent::default();
        for &specification in abbreviation.attributes() {
            let attribute = entries.read_attribute(specification)?;
            extent.add(attribute.name(), &attribute.value());
        }
        let ranges = extent.ranges(self.file, &self.view.dwarf, &self.view.unit, budget)?;
        Ok(extent.is_empty() || ranges.iter().any(|&(start, end)| (start..end).contains(&self.rva)))
    }
}
