//! Types and variables by name, and variables by address.
//!
//! Source: DWARF 5, section 4.1, "Data Object Entries".

use gimli::constants as dw;

use super::Dwarf;
use super::attributes::{Described, chain, constant_bytes};
use super::catalog::Rank;
use super::entry::Entry;
use super::file::Need;
use super::name_index::{Wanted, is_wanted};
use super::places::Placing;
use super::spelling::is_same;
use crate::address::Rva;
use crate::debuginfo::{DataSymbol, Place, TypeId};

impl Dwarf {
    /// Types with this qualified name, definitions first.
    pub(super) fn types_with_name(&self, name: &str) -> Vec<TypeId> {
        if let Some(found) = self.indexed(name, Wanted::Type) {
            let mut ranked: Vec<(Rank, TypeId)> = found.iter().filter_map(|entry| self.ranked(entry)).collect();
            ranked.sort();
            ranked.dedup();
            return ranked.into_iter().map(|(_, id)| id).collect();
        }
        self.catalog().types_like(name).filter(|&id| self.is_named(id, name)).collect()
    }

    /// One type of each name that is accepted.
    pub(super) fn types_accepted(&self, accept: &mut dyn FnMut(&str) -> bool, limit: usize) -> Vec<(String, TypeId)> {
        let named = self.catalog().first_types().into_iter().filter_map(|id| {
            let entry = self.entry_of(id)?;
            Some((self.qualified_name(&entry.unit, entry.offset)?, id))
        });
        named.filter(|(name, _)| accept(name)).take(limit).collect()
    }

    /// Variables with this qualified name.
    pub(super) fn data_with_name(&self, name: &str) -> Vec<DataSymbol> {
        let ids: Vec<TypeId> = match self.indexed(name, Wanted::Data) {
            Some(found) => found.iter().filter_map(|entry| self.id_of(&entry.unit, entry.offset)).collect(),
            None => self.catalog().data_like(name).collect(),
        };
        let alike = ids.into_iter().filter_map(|id| self.data_symbol(id));
        alike.filter(|symbol| is_same(&symbol.name, name)).collect()
    }

    /// The variable that begins nearest at or below `rva`, in the same section.
    pub(super) fn data_below(&self, rva: Rva) -> Option<DataSymbol> {
        let (start, id) = self.catalog().data_at(rva.0)?;
        if self.symbols().is_limit_between(Rva(start), rva) {
            return None;
        }
        self.data_symbol(id)
    }

    /// What comes first of several types, and the type's number; None if the entry is none.
    fn ranked(&self, entry: &Entry) -> Option<(Rank, TypeId)> {
        let read = Described::read(self, entry, Need::Entries).filter(|read| is_wanted(read.tag(), Wanted::Type))?;
        Some((Rank::of(read.tag(), read.flag(dw::DW_AT_declaration)), read.id()?))
    }

    fn is_named(&self, id: TypeId, name: &str) -> bool {
        let found = self.entry_of(id).and_then(|entry| self.qualified_name(&entry.unit, entry.offset));
        found.is_some_and(|found| is_same(&found, name))
    }

    fn data_symbol(&self, id: TypeId) -> Option<DataSymbol> {
        let entry = self.entry_of(id)?;
        let name = self.qualified_name(&entry.unit, entry.offset)?;
        let (mut type_id, mut place) = (None, None);
        for entry in chain(self, entry) {
            let Some(read) = Described::read(self, &entry, Need::Entries) else { continue };
            type_id = type_id.or_else(|| read.reference(dw::DW_AT_type));
            place = place.or_else(|| self.shared_place(&read));
        }
        let place = place.or_else(|| self.linked_thread_local(id));
        Some(DataSymbol { name, type_id, place: place.unwrap_or(Place::OptimizedAway) })
    }

    /// Where the symbol table has a thread-local variable that has no location. gcc and clang for ARM64 give none of
    /// them one, as its ABI long had no relocation for it; only names that other files see are those of one variable.
    fn linked_thread_local(&self, id: TypeId) -> Option<Place> {
        let (mut linkage_name, mut name, mut is_external) = (None, None, false);
        for entry in chain(self, self.entry_of(id)?) {
            let Some(read) = Described::read(self, &entry, Need::Entries) else { continue };
            linkage_name = linkage_name.or_else(|| read.text(dw::DW_AT_linkage_name));
            name = name.or_else(|| read.text(dw::DW_AT_name));
            is_external |= read.flag(dw::DW_AT_external);
        }
        let name = linkage_name.or(name).filter(|_| is_external)?;
        Some(Place::ThreadLocal(self.symbols().thread_local(name.as_bytes())?))
    }

    /// Where an entry says that a variable is, as far as that is the same in all frames.
    pub(super) fn shared_place(&self, read: &Described<'_>) -> Option<Place> {
        if let Some(location) = read.value(dw::DW_AT_location) {
            return Some(Placing::new(self, &read.at.unit, &read.view).place(location));
        }
        Some(Place::Constant(self.constant(read)?))
    }

    /// The bytes of a variable that is a constant.
    pub(super) fn constant(&self, read: &Described<'_>) -> Option<Vec<u8>> {
        let value = read.raw_value(dw::DW_AT_const_value)?;
        let type_entry: Option<Entry> = chain(self, read.at.clone()).iter().find_map(|entry| {
            let read = Described::read(self, entry, Need::Entries)?;
            self.follow(entry, read.value(dw::DW_AT_type)?)
        });
        constant_bytes(&read.view, &value, type_entry.and_then(|entry| self.size_of(entry)))
    }
}
