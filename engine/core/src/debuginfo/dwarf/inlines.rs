//! Calls that were inlined into a function.
//!
//! Source: DWARF 5, section 3.3.8.2, "Concrete Instances of Inlined Subprograms".

use std::sync::OnceLock;

use gimli::constants as dw;
use gimli::{AttributeValue, UnitOffset};

use super::file::File;
use super::index::range_budget;
use super::root::Extent;
use super::unit::View;

/// An inlined call.
pub struct Inline {
    /// Where its entry is in the unit.
    pub entry: UnitOffset,
    /// The inlined call that it was inlined into, by index; None if that is the function itself.
    pub parent: Option<u32>,
    /// Its code.
    pub ranges: Vec<(u32, u32)>,
    /// File of the call, in the unit's line table.
    pub call_file: Option<u64>,
    /// Line of the call.
    pub call_line: u32,
    /// Its qualified name, when it was asked for.
    pub name: OnceLock<Option<String>>,
}

impl Inline {
    /// Roughly how much memory it takes, with its name.
    pub fn size_bytes(&self) -> usize {
        const NAME_BYTES: usize = 64;
        size_of::<Inline>() + size_of_val(&self.ranges[..]) + NAME_BYTES
    }

    /// The range that covers `rva`.
    pub fn range_at(&self, rva: u32) -> Option<(u32, u32)> {
        self.ranges.iter().copied().find(|&(start, end)| (start..end).contains(&rva))
    }
}

/// Calls inlined into the function at `entry`, outer ones before those inside of them. Ends at a damaged entry.
pub fn inlines_of(file: &File, view: &View<'_>, entry: UnitOffset) -> Vec<Inline> {
    let mut inlines = Vec::new();
    let _ = read(file, view, entry, &mut inlines);
    inlines
}

/// The chain of calls that cover `rva`, outermost first.
pub fn chain_at(inlines: &[Inline], rva: u32) -> Vec<&Inline> {
    let mut chain = Vec::new();
    let mut innermost = None;
    for (index, inline) in inlines.iter().enumerate() {
        if inline.parent == innermost && inline.range_at(rva).is_some() {
            chain.push(inline);
            innermost = Some(index as u32);
        }
    }
    chain
}

fn read(file: &File, view: &View<'_>, function: UnitOffset, inlines: &mut Vec<Inline>) -> Result<(), gimli::Error> {
    let mut entries = view.unit.entries_raw(Some(function))?;
    let mut budget = range_budget(&view.dwarf);
    // Inlined calls that are open, with the depth of their entries.
    let mut open: Vec<(isize, u32)> = Vec::new();
    // Depth of a function inside of the function: its calls are not ours.
    let mut other = None;
    while !entries.is_empty() {
        let (offset, depth) = (entries.next_offset(), entries.next_depth());
        if depth <= 0 && offset != function {
            break;
        }
        let Some(abbreviation) = entries.read_abbreviation()? else { continue };
        if other.is_some_and(|other| depth <= other) {
            other = None;
        }
        while open.pop_if(|(of, _)| *of >= depth).is_some() {}
        match abbreviation.tag() {
            dw::DW_TAG_inlined_subroutine if other.is_none() => {}
            dw::DW_TAG_subprogram if offset != function => {
                other = other.or(Some(depth));
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            _ => {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
        }
        let (mut extent, mut call_file, mut call_line) = (Extent::default(), None, 0);
        for &specification in abbreviation.attributes() {
            let attribute = entries.read_attribute(specification)?;
            match (attribute.name(), attribute.value()) {
                (dw::DW_AT_call_file, AttributeValue::FileIndex(index)) => call_file = Some(index),
                (dw::DW_AT_call_line, value) => {
                    call_line = value.udata_value().and_then(|line| u32::try_from(line).ok()).unwrap_or(0);
                }
                (name, value) => extent.add(name, &value),
            }
        }
        let parent = open.last().map(|(_, inline)| *inline);
        if abbreviation.has_children() {
            open.push((depth, inlines.len() as u32));
        }
        let ranges = extent.ranges(file, &view.dwarf, &view.unit, &mut budget)?;
        inlines.push(Inline { entry: offset, parent, ranges, call_file, call_line, name: OnceLock::new() });
    }
    Ok(())
}
