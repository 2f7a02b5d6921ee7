//! Types and variables by name, by an index that the file has: nothing else need be read then.
//!
//! | section | of | says |
//! | --- | --- | --- |
//! | `.debug_names` | clang 5 and later, lld, gdb's `gdb-add-index` | everything but declarations and constants |
//! | `.debug_gnu_pubtypes`, `.debug_pubtypes`, `.debug_gnu_pubnames`, `.debug_pubnames` | gcc and clang when told | what is not only its unit's |
//!
//! What is found is looked at: an index that lies costs time, and no wrong answer. Of what is not found only
//! `.debug_names` tells that it does not exist, and only where it is of all units.
//!
//! Source: DWARF 5, section 6.1.1; DWARF 4, section 6.1.1; gdb's "Index Section Format" for the kinds of GNU.

use std::collections::HashSet;

use gimli::constants as dw;
use gimli::{DebugNames, LittleEndian, NameEntry, NameIndex, NameTypeUnit, SectionId, UnitOffset};

use super::Dwarf;
use super::attributes::Described;
use super::entry::{Entry, Origin};
use super::file::{Need, Slice};
use super::spelling::is_same;
use crate::data::Data;

/// Entries of an index that are looked at for one name.
const MOST_CANDIDATES: usize = 256;

/// The sections.
pub struct NameSections {
    names: Data,
    /// Whether `.debug_names` is of all units.
    is_complete: bool,
    /// Types and others, each with GNU's extension and without.
    public: [[Data; 2]; 2],
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Types that have names.
    Type,
    /// Variables.
    Data,
}

impl Dwarf {
    /// Entries that an index says have this name; None if that does not tell.
    pub(super) fn indexed(&self, name: &str, wanted: Wanted) -> Option<Vec<Entry>> {
        let sections = self.names.get_or_init(|| self.name_sections());
        let mut found = Vec::new();
        // Arguments of templates are spelled in many ways, of which the index has one; and beyond ASCII there are several
        // of upper and lower case.
        let is_plain = name.is_ascii() && !name.contains('<');
        if !sections.names.is_empty() && is_plain {
            self.each_index(&sections.names, &mut |index| self.look_up(index, name, wanted, &mut found));
        }
        let public = &sections.public[usize::from(wanted == Wanted::Data)];
        if found.is_empty() {
            self.look_up_public(public, name, &mut found);
        }
        found.retain(|entry| {
            let tag = Described::read(self, entry, Need::Entries).map(|read| read.tag());
            tag.is_some_and(|tag| is_wanted(tag, wanted))
                && self.qualified_name(&entry.unit, entry.offset).is_some_and(|it| is_same(&it, name))
        });
        let is_certain = sections.is_complete && is_plain && wanted == Wanted::Type;
        (is_certain || !found.is_empty()).then_some(found)
    }

    fn name_sections(&self) -> NameSections {
        let section = |id| self.main.section(id);
        let names = section(SectionId::DebugNames);
        let mut listed = HashSet::new();
        self.each_index(&names, &mut |index| {
            listed.extend((0..index.compile_unit_count()).map_while(|unit| index.compile_unit(unit).ok()));
            listed.extend((0..index.local_type_unit_count()).map_while(|unit| index.local_type_unit(unit).ok()));
            Ok(())
        });
        let is_listed = |&offset: &usize| listed.contains(&gimli::DebugInfoOffset(offset));
        let has_others = || self.main.has_supplementary() || self.main.file().has_section(".debug_types");
        let is_complete = !listed.is_empty() && self.main.unit_offsets().iter().all(is_listed) && !has_others();
        let public = [
            [SectionId::DebugGnuPubTypes, SectionId::DebugPubTypes],
            [SectionId::DebugGnuPubNames, SectionId::DebugPubNames],
        ];
        NameSections { names, is_complete, public: public.map(|sections| sections.map(section)) }
    }

    /// Shows each index of `.debug_names`: one of each unit, or one that the linker made of them. Ends at a damaged one.
    fn each_index(&self, section: &Data, visit: &mut dyn FnMut(&NameIndex<Slice<'_>>) -> Result<(), gimli::Error>) {
        let mut headers = DebugNames::new(section, LittleEndian).headers();
        let mut read = || -> Result<(), gimli::Error> {
            while let Some(header) = headers.next()? {
                visit(&header.index()?)?;
            }
            Ok(())
        };
        if let Err(error) = read() {
            self.problems.report(format_args!("damaged debug information: .debug_names: {error}"));
        }
    }

    fn look_up(
        &self,
        index: &NameIndex<Slice<'_>>,
        name: &str,
        wanted: Wanted,
        found: &mut Vec<Entry>,
    ) -> Result<(), gimli::Error> {
        let last = last_part(name);
        if index.bucket_count() == 0 {
            return Ok(());
        }
        let mut names = index.find_by_hash(gimli::case_folding_djb_hash(last))?;
        while let Some(entry) = names.next()? {
            // (The text need not be compared: what the entry is called will be.)
            let mut entries = index.name_entries(entry)?;
            while let Some(entry) = entries.next()?
                && found.len() < MOST_CANDIDATES
            {
                if is_wanted(entry.tag, wanted) {
                    found.extend(self.entry_named(index, &entry)?);
                }
            }
        }
        Ok(())
    }

    /// The entry that one of `.debug_names` leads to.
    fn entry_named<'a>(
        &self,
        index: &NameIndex<Slice<'a>>,
        entry: &NameEntry<Slice<'a>>,
    ) -> Result<Option<Entry>, gimli::Error> {
        let Some(offset) = entry.die_offset()? else { return Ok(None) };
        let own = match entry.compile_unit(index)? {
            Some(unit) => Some(unit),
            None => index.default_compile_unit()?,
        };
        let own = own.and_then(|unit| self.unit(Origin::Main, unit.0));
        let unit = match entry.type_unit(index)? {
            Some(NameTypeUnit::Local(unit)) => self.unit(Origin::Main, unit.0),
            Some(NameTypeUnit::Foreign(signature)) => own.and_then(|own| Some(self.type_unit(&own, signature.0)?.unit)),
            None => own,
        };
        Ok(unit.map(|unit| Entry { unit, offset }))
    }

    fn look_up_public(&self, sections: &[Data; 2], name: &str, found: &mut Vec<Entry>) {
        let mut add = |text: &[u8], unit: usize, offset: UnitOffset| {
            let is_it =
                found.len() < MOST_CANDIDATES && std::str::from_utf8(text).is_ok_and(|text| is_same(text, name));
            if is_it && let Some(unit) = self.unit(Origin::Main, unit) {
                found.push(Entry { unit, offset });
            }
        };
        let [gnu, plain] = sections;
        let mut items = gimli::DebugGnuPubNames::new(gnu, LittleEndian).items();
        while let Ok(Some(item)) = items.next() {
            add(item.name().slice(), item.unit_header_offset().0, item.die_offset());
        }
        let mut items = gimli::DebugPubNames::new(plain, LittleEndian).items();
        while let Ok(Some(item)) = items.next() {
            add(item.name().slice(), item.unit_header_offset().0, item.die_offset());
        }
    }
}

/// A name without its scopes.
fn last_part(name: &str) -> &str {
    let mut depth = 0_usize;
    let mut start = 0;
    let bytes = name.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'<' | b'(' => depth += 1,
            b'>' | b')' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && bytes.get(index + 1) == Some(&b':') => start = index + 2,
            _ => {}
        }
    }
    name.get(start..).unwrap_or(name).trim()
}

/// Whether entries of that kind are looked for. Static variables of classes are members up to DWARF 4.
pub fn is_wanted(tag: gimli::DwTag, wanted: Wanted) -> bool {
    match wanted {
        Wanted::Type => matches!(
            tag,
            dw::DW_TAG_base_type
                | dw::DW_TAG_unspecified_type
                | dw::DW_TAG_typedef
                | dw::DW_TAG_template_alias
                | dw::DW_TAG_class_type
                | dw::DW_TAG_structure_type
                | dw::DW_TAG_union_type
                | dw::DW_TAG_interface_type
                | dw::DW_TAG_enumeration_type
        ),
        Wanted::Data => matches!(tag, dw::DW_TAG_variable | dw::DW_TAG_member | dw::DW_TAG_constant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_a_name() {
        for (name, expected) in [
            ("geo::Rect", "Rect"),
            ("int", "int"),
            ("std::vector<std::string>", "vector<std::string>"),
            ("(anonymous namespace)::Local", "Local"),
            ("f(std::string)::Inner", "Inner"),
            ("geo::", ""),
        ] {
            assert_eq!(last_part(name), expected);
        }
    }
}
