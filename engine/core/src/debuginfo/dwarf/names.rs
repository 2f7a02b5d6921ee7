//! Qualified names of functions: their own, after those of the namespaces, classes and functions around them.
//!
//! Source: DWARF 5, sections 2.13 (declarations completed elsewhere), 3.2.2 (namespaces), 3.3.8 (inlined calls).

use std::sync::Arc;

use gimli::constants as dw;
use gimli::{AttributeValue, UnitOffset};

use super::Dwarf;
use super::file::{Need, Slice};
use super::unit::{MOST_TEXT_BYTES, Unit, View};
use crate::debuginfo::TypeId;
use crate::names::display_name;

/// References that are followed from one entry.
const MOST_REFERENCES: usize = 16;
/// Scopes whose own declaration is elsewhere, one in the other.
const MOST_DETOURS: usize = 8;
/// Scopes around an entry.
const MOST_SCOPES: usize = 64;

/// Where a file's units are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// In the file itself.
    Main,
    /// In the file that it shares information with.
    Supplementary,
}

/// An entry in whichever unit.
#[derive(Clone)]
pub struct Entry {
    /// Which file.
    pub origin: Origin,
    /// Its unit.
    pub unit: Arc<Unit>,
    /// Where in the unit.
    pub offset: UnitOffset,
}

impl Entry {
    /// Another entry of the same unit.
    pub fn sibling(&self, offset: UnitOffset) -> Entry {
        Entry { offset, ..self.clone() }
    }
}

/// What an entry says of its name.
struct Naming<'a> {
    tag: gimli::DwTag,
    name: Option<String>,
    linkage_name: Option<String>,
    reference: Option<AttributeValue<Slice<'a>>>,
    type_: Option<AttributeValue<Slice<'a>>>,
}

impl Dwarf {
    /// The qualified name of the entry at `offset` of a unit.
    pub(super) fn qualified_name(&self, origin: Origin, unit: &Arc<Unit>, offset: UnitOffset) -> Option<String> {
        self.name_of(Entry { origin, unit: unit.clone(), offset }, MOST_DETOURS)
    }

    fn name_of(&self, mut entry: Entry, detours: usize) -> Option<String> {
        let (mut name, mut linkage_name) = (None, None);
        for _ in 0..MOST_REFERENCES {
            let view = entry.unit.view(self.file(entry.origin)?, Need::Entries)?;
            let naming = naming(&view, entry.offset)?;
            name = name.or(naming.name);
            linkage_name = linkage_name.or(naming.linkage_name);
            match naming.reference.and_then(|reference| self.follow(&entry, reference)) {
                Some(next) => entry = next,
                None => break,
            }
        }
        match (name, linkage_name) {
            (Some(name), linkage_name) => {
                let prefix = self.scope_prefix(&entry, detours)?;
                let linked = linkage_name.filter(|_| prefix.is_empty()).and_then(|linked| qualified(&linked, &name));
                Some(linked.unwrap_or(prefix + &name))
            }
            (None, Some(linkage_name)) => Some(display_name(&linkage_name).into_owned()),
            (None, None) => None,
        }
    }

    /// A variable's own name, and where in `.debug_info` its type is (0 if that is not known).
    pub(super) fn name_and_type(&self, mut entry: Entry) -> Option<(String, Option<TypeId>)> {
        let (mut name, mut type_) = (None, None);
        for _ in 0..MOST_REFERENCES {
            let view = entry.unit.view(self.file(entry.origin)?, Need::Entries)?;
            let naming = naming(&view, entry.offset)?;
            name = name.or(naming.name);
            type_ = type_.or_else(|| match (entry.origin, naming.type_?) {
                _ if entry.unit.is_split() => None,
                (Origin::Main, AttributeValue::UnitRef(offset)) => Some(TypeId((entry.unit.offset + offset.0) as u64)),
                (Origin::Main, AttributeValue::DebugInfoRef(offset)) => Some(TypeId(offset.0 as u64)),
                _ => None,
            });
            match naming.reference.and_then(|reference| self.follow(&entry, reference)) {
                Some(next) => entry = next,
                None => break,
            }
        }
        Some((name?, type_))
    }

    /// The names of the scopes around an entry, each with `::` behind it.
    fn scope_prefix(&self, entry: &Entry, detours: usize) -> Option<String> {
        let view = entry.unit.view(self.file(entry.origin)?, Need::Entries)?;
        let mut parts = Vec::new();
        let mut size_bytes = 0;
        for scope in entry.unit.scopes_around(entry.offset).take(MOST_SCOPES) {
            let naming = naming(&view, scope)?;
            let is_elsewhere = naming.reference.is_some() && detours > 0;
            let name = if is_elsewhere { self.name_of(entry.sibling(scope), detours - 1) } else { naming.name };
            let name = name.unwrap_or_else(|| unnamed(naming.tag).to_owned());
            size_bytes += name.len();
            parts.push(name);
            // A declaration that is elsewhere has told the scopes around it too.
            if is_elsewhere || size_bytes > MOST_TEXT_BYTES {
                break;
            }
        }
        Some(parts.iter().rev().map(|part| format!("{part}::")).collect())
    }

    fn follow(&self, from: &Entry, reference: AttributeValue<Slice<'_>>) -> Option<Entry> {
        let (origin, offset) = match reference {
            AttributeValue::UnitRef(offset) => return Some(from.sibling(offset)),
            // Split units do not refer to each other.
            AttributeValue::DebugInfoRef(_) if from.unit.is_split() => return None,
            AttributeValue::DebugInfoRef(offset) => (from.origin, offset),
            AttributeValue::DebugInfoRefSup(offset) => (Origin::Supplementary, offset),
            _ => return None,
        };
        let file = self.file(origin)?;
        let unit = self.unit(origin, file.unit_holding(offset.0)?)?;
        let offset = UnitOffset(offset.0.checked_sub(unit.offset)?);
        Some(Entry { origin, unit, offset })
    }
}

/// The name that the linker knows, if it qualifies the plain one.
///
/// clang 19 puts functions that are declared with attributes in a namespace of libstdc++'s (`std::__terminate`) outside
/// of every namespace; only the linkage name (`_ZSt11__terminatev`) tells that they belong to one.
fn qualified(linkage_name: &str, name: &str) -> Option<String> {
    let linked = display_name(linkage_name);
    linked.strip_suffix(name).is_some_and(|scope| scope.ends_with("::")).then(|| linked.into_owned())
}

fn naming<'a>(view: &View<'a>, offset: UnitOffset) -> Option<Naming<'a>> {
    let entry = view.unit.entry(offset).ok()?;
    let mut naming = Naming { tag: entry.tag(), name: None, linkage_name: None, reference: None, type_: None };
    for attribute in entry.attrs() {
        match attribute.name() {
            dw::DW_AT_name => naming.name = view.text(attribute.value()),
            dw::DW_AT_linkage_name | dw::DW_AT_MIPS_linkage_name => naming.linkage_name = view.text(attribute.value()),
            dw::DW_AT_specification | dw::DW_AT_abstract_origin => naming.reference = Some(attribute.value()),
            dw::DW_AT_type => naming.type_ = Some(attribute.value()),
            _ => {}
        }
    }
    Some(naming)
}

/// What a scope without name is called, as by clang and gdb.
fn unnamed(tag: gimli::DwTag) -> &'static str {
    match tag {
        dw::DW_TAG_namespace => "(anonymous namespace)",
        dw::DW_TAG_class_type => "(anonymous class)",
        dw::DW_TAG_structure_type => "(anonymous struct)",
        dw::DW_TAG_union_type => "(anonymous union)",
        dw::DW_TAG_enumeration_type => "(anonymous enum)",
        _ => "(anonymous)",
    }
}
