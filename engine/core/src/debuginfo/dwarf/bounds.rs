//! How many elements arrays have whose bounds are computed: those of variable length.
//!
//! Source: DWARF 5, sections 2.19, "Static and Dynamic Values of Attributes", and 5.13, "Subrange Type Entries".

use gimli::AttributeValue;
use gimli::constants as dw;

use super::Dwarf;
use super::attributes::Described;
use super::entry::Entry;
use super::file::Need;
use super::places::Placing;
use super::types::dimensions;
use crate::address::Rva;
use crate::debuginfo::{Bound, BoundValue, TypeId};

impl Dwarf {
    /// The bounds of an array's dimensions that are computed, the outermost first; None of those that are not.
    pub(super) fn computed_bounds(&self, id: TypeId, rva: Rva) -> Vec<Option<Bound>> {
        let Some(entry) = self.entry_of(id).map(|entry| self.definition(entry)) else { return Vec::new() };
        let Some(read) = Described::read(self, &entry, Need::Entries) else { return Vec::new() };
        if read.tag() != dw::DW_TAG_array_type {
            return Vec::new();
        }
        let base = self.function_entry_at(rva).map(|function| self.frame_base(&function, rva.0)).unwrap_or_default();
        dimensions(&read).into_iter().map(|offset| self.bound(&entry.sibling(offset), rva, &base)).collect()
    }

    fn bound(&self, entry: &Entry, rva: Rva, frame_base: &[u8]) -> Option<Bound> {
        let read = Described::read(self, entry, Need::Locations)?;
        let (value, is_count) = match read.value(dw::DW_AT_count) {
            Some(count) => (count, true),
            None => (read.value(dw::DW_AT_upper_bound)?, false),
        };
        let lower = read.number(dw::DW_AT_lower_bound).map_or(0, |lower| lower.value);
        let first = if is_count { 1 } else { i64::try_from(lower).ok()? };
        let value = match value {
            AttributeValue::Exprloc(expression) => {
                let placing = Placing::new(self, &entry.unit, &read.view).at(rva.0, frame_base);
                BoundValue::Result(placing.computed(expression.0.slice())?)
            }
            reference => {
                let variable = self.follow(entry, reference)?;
                let read = Described::read(self, &variable, Need::Locations)?;
                let placing = Placing::new(self, &variable.unit, &read.view).at(rva.0, frame_base);
                let place = placing.place(read.value(dw::DW_AT_location)?);
                let type_entry = self.follow(&variable, read.value(dw::DW_AT_type)?)?;
                BoundValue::Variable { place, size_bytes: self.size_of(type_entry)? }
            }
        };
        Some(Bound { value, first })
    }
}
