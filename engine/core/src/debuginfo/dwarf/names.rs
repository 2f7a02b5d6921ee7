//! Qualified names of functions: their own, after those of the namespaces, classes and functions around them.
//!
//! Source: DWARF 5, sections 2.13 (declarations completed elsewhere), 3.2.2 (namespaces), 3.3.8 (inlined calls).

use std::sync::Arc;

use gimli::constants as dw;
use gimli::{AttributeValue, UnitOffset};

use super::Dwarf;
use super::entry::Entry;
use super::file::{Need, Slice};
use super::unit::{MOST_TEXT_BYTES, Unit, View};
use crate::names::display_name;

/// References that are followed from one entry.
pub const MOST_REFERENCES: usize = 16;
/// Scopes whose own declaration is elsewhere, one in the other.
const MOST_DETOURS: usize = 8;
/// Scopes around an entry.
const MOST_SCOPES: usize = 64;

/// What an entry says of its name.
struct Naming<'a> {
    tag: gimli::DwTag,
    name: Option<String>,
    linkage_name: Option<String>,
    reference: Option<AttributeValue<Slice<'a>>>,
}

impl Dwarf {
    /// The qualified name of the entry at `offset` of a unit.
    pub(super) fn qualified_name(&self, unit: &Arc<Unit>, offset: UnitOffset) -> Option<String> {
        self.name_of(Entry { unit: unit.clone(), offset }, MOST_DETOURS)
    }

    fn name_of(&self, mut entry: Entry, detours: usize) -> Option<String> {
        let (mut name, mut linkage_name) = (None, None);
        for _ in 0..MOST_REFERENCES {
            let view = self.view(&entry.unit, Need::Entries)?;
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

    /// The names of the scopes around an entry, each with `::` behind it.
    fn scope_prefix(&self, entry: &Entry, detours: usize) -> Option<String> {
        let view = self.view(&entry.unit, Need::Entries)?;
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
    let mut naming = Naming { tag: entry.tag(), name: None, linkage_name: None, reference: None };
    for attribute in entry.attrs() {
        match attribute.name() {
            dw::DW_AT_name => naming.name = view.text(attribute.value()),
            dw::DW_AT_linkage_name | dw::DW_AT_MIPS_linkage_name => naming.linkage_name = view.text(attribute.value()),
            // (A declaration that leaves the rest to a type unit may still hold definitions of its functions.)
            dw::DW_AT_specification | dw::DW_AT_abstract_origin | dw::DW_AT_signature => {
                naming.reference = Some(attribute.value());
            }
            _ => {}
        }
    }
    Some(naming)
}

/// What a scope without name is called, as by clang and gdb.
pub fn unnamed(tag: gimli::DwTag) -> &'static str {
    match tag {
        dw::DW_TAG_namespace => "(anonymous namespace)",
        dw::DW_TAG_class_type => "(anonymous class)",
        dw::DW_TAG_structure_type => "(anonymous struct)",
        dw::DW_TAG_union_type => "(anonymous union)",
        dw::DW_TAG_enumeration_type => "(anonymous enum)",
        _ => "(anonymous)",
    }
}
