//! Variables that are in scope at an address, and where they live.
//!
//! Source: DWARF 5, sections 3.3.5 (frame base), 3.3.8 (inlined calls) and 4.1 (data objects).

use std::collections::HashSet;

use gimli::constants as dw;
use gimli::{Abbreviation, EntriesRaw};

use super::Dwarf;
use super::attributes::{Described, chain};
use super::entry::Entry;
use super::file::{File, Need, Slice};
use super::index::range_budget;
use super::places::Placing;
use super::root::Extent;
use super::types::children;
use super::unit::View;
use crate::debuginfo::{DebugInfo, Place, TypeId, Variable};

/// Variables that are told of one address.
const MOST_VARIABLES: usize = 1 << 12;

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

/// What is gathered.
struct Found {
    variables: Vec<(u32, Variable)>,
    frame_base: Vec<u8>,
    /// Entries that variables are made of, and how deep those are inlined.
    seen: HashSet<(u32, TypeId)>,
    /// The function and the inlined calls that hold the address.
    instances: Vec<(Entry, Scope)>,
}

impl<'a> Question<'a> {
    /// Variables, innermost scope first. Ends at a damaged entry.
    pub fn variables(&self) -> Vec<Variable> {
        let frame_base = self.dwarf.frame_base(&self.function, self.rva);
        let mut found = Found { variables: Vec::new(), frame_base, seen: HashSet::new(), instances: Vec::new() };
        let _ = self.read(&mut found);
        for (instance, scope) in std::mem::take(&mut found.instances) {
            self.add_left_out(&instance, scope, &mut found);
        }
        let mut variables = found.variables;
        variables.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
        variables.into_iter().map(|(_, variable)| variable).collect()
    }

    fn read(&self, found: &mut Found) -> Result<(), gimli::Error> {
        let mut entries = self.view.unit.entries_raw(Some(self.function.offset))?;
        let mut budget = range_budget(&self.view.dwarf);
        let mut open: Vec<Scope> = Vec::new();
        while !entries.is_empty() && found.variables.len() < MOST_VARIABLES {
            let (offset, depth) = (entries.next_offset(), entries.next_depth());
            let is_function = offset == self.function.offset;
            if depth <= 0 && !is_function {
                break;
            }
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            while open.pop_if(|scope| scope.depth >= depth).is_some() {}
            let around = open.last().copied();
            let mut scope = around.unwrap_or(Scope { depth, is_ours: true, inlined: 0, level: 0 });
            let entry = || self.function.sibling(offset);
            match abbreviation.tag() {
                dw::DW_TAG_subprogram if is_function => {
                    entries.skip_attributes(abbreviation.attributes())?;
                    found.instances.push((entry(), scope));
                }
                dw::DW_TAG_inlined_subroutine | dw::DW_TAG_lexical_block if scope.is_ours => {
                    let is_inlined = abbreviation.tag() == dw::DW_TAG_inlined_subroutine;
                    scope.is_ours = self.covers(&mut entries, abbreviation, &mut budget)?;
                    scope.level += 1;
                    scope.inlined += u32::from(is_inlined);
                    if scope.is_ours && is_inlined && found.instances.len() < MOST_VARIABLES {
                        found.instances.push((entry(), scope));
                    }
                }
                tag if is_variable(tag) && scope.is_ours => {
                    entries.skip_attributes(abbreviation.attributes())?;
                    self.add(entry(), tag, scope, found);
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

    /// Adds what an inlined call has by its abstract entry alone. gcc leaves static variables to that.
    fn add_left_out(&self, instance: &Entry, scope: Scope, found: &mut Found) {
        let origin = || {
            let read = Described::read(self.dwarf, instance, Need::Entries)?;
            self.dwarf.follow(instance, read.value(dw::DW_AT_abstract_origin)?)
        };
        let Some(origin) = origin() else { return };
        let Some(read) = Described::read(self.dwarf, &origin, Need::Entries) else { return };
        for (offset, tag) in children(&read) {
            let id = self.dwarf.id_of(&origin.unit, offset);
            let is_new = id.is_some_and(|id| !found.seen.contains(&(scope.inlined, id)));
            if is_new && is_variable(tag) && found.variables.len() < MOST_VARIABLES {
                self.add(origin.sibling(offset), tag, scope, found);
            }
        }
    }

    fn add(&self, entry: Entry, tag: gimli::DwTag, scope: Scope, found: &mut Found) {
        // An inlined call's entry leaves to the abstract one what all calls share.
        let chain = chain(self.dwarf, entry);
        let ids = chain.iter().filter_map(|entry| self.dwarf.id_of(&entry.unit, entry.offset));
        found.seen.extend(ids.map(|id| (scope.inlined, id)));
        let variable = self.variable(&chain, tag == dw::DW_TAG_formal_parameter, &found.frame_base, scope.inlined);
        found.variables.extend(variable.map(|variable| (scope.level, variable)));
    }

    fn variable(&self, chain: &[Entry], is_parameter: bool, frame_base: &[u8], inline_depth: u32) -> Option<Variable> {
        let (mut name, mut type_id, mut place, mut declared) = (None, None, None, None);
        let (mut is_artificial, mut is_extern) = (false, false);
        for entry in chain {
            let Some(read) = Described::read(self.dwarf, entry, Need::Locations) else { continue };
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
        let in_block = || self.dwarf.symbols().thread_local(linkage_name.as_bytes()).map(Place::ThreadLocal);
        symbols.first().map(|symbol| Place::Static(symbol.rva)).or_else(in_block)
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

fn is_variable(tag: gimli::DwTag) -> bool {
    matches!(tag, dw::DW_TAG_variable | dw::DW_TAG_formal_parameter)
}
