//! Types by name, the definition of a declaration, and names of functions by id.

use std::collections::HashSet;

use super::super::records::text;
use super::leaf::{Udt, UdtKind, kind};
use super::stream::TypeStream;
use super::{Types, simple};
use crate::bytes::Reader;
use crate::names::without_anonymous_namespaces;

/// How compilers write an unnamed namespace in the name of a type: LLVM's, and Microsoft's.
const UNNAMED_NAMESPACES: [&str; 2] = ["`anonymous namespace'::", "`anonymous-namespace'::"];
/// Most namespaces in a name, any of which might be preceded by an unnamed one.
const MOST_NAMESPACES: usize = 16;

/// A type's name as people write it: without unnamed namespaces; empty if the program gave none.
pub fn plain_name(stored: &str) -> String {
    let last = stored.rfind("::<unnamed-").map_or(0, |at| at + 2);
    let is_unnamed = stored[last..].starts_with("<unnamed-") && stored.ends_with('>');
    if is_unnamed || stored == "__unnamed" || stored.ends_with("::__unnamed") {
        return String::new();
    }
    without_anonymous_namespaces(stored.to_owned())
}

/// Names under which something may be stored that people call `name`: as it is, and in an unnamed namespace.
pub fn stored_names(name: &str) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    let nested = name.match_indices("::").map(|(at, _)| at + 2).take(MOST_NAMESPACES);
    // Template arguments have colons too; what is made of them is not found.
    for at in std::iter::once(0).chain(nested) {
        names.extend(UNNAMED_NAMESPACES.map(|unnamed| format!("{}{unnamed}{}", &name[..at], &name[at..])));
    }
    names
}

impl Types {
    /// The definition that a declaration declares: the one with its decorated name, else the one with its name.
    ///
    /// Folklore: `class Rect;` may declare what is defined as `struct Rect`; their decorated names differ in a letter.
    pub fn definition_of(&self, declaration: &Udt) -> Option<u32> {
        let mut by_name = None;
        for &index in self.types.as_ref()?.may_be_named(declaration.hashed_name()).iter() {
            let Some(found) = self.udt(index).filter(|found| !found.is_declaration()) else { continue };
            if found.unique_name.is_some() && found.unique_name == declaration.unique_name {
                return Some(index);
            }
            let may_be = found.name == declaration.name
                && matches!(found.kind, UdtKind::Enum(_)) == matches!(declaration.kind, UdtKind::Enum(_))
                && !declaration.is_scoped();
            if may_be && by_name.is_none() {
                by_name = Some(index);
            }
        }
        by_name
    }

    /// Definitions with this name, or a fundamental type.
    pub fn definitions_named(&self, name: &str) -> Vec<u32> {
        let mut found: Vec<u32> = simple::named(name).into_iter().collect();
        let Some(types) = &self.types else { return found };
        for name in stored_names(name) {
            let is_it = |index: &&u32| self.udt(**index).is_some_and(|udt| udt.name == name && !udt.is_declaration());
            found.extend(types.may_be_named(&name).iter().filter(is_it));
        }
        found
    }

    /// Types with this name that the file's table has not under it: those local to functions, and declarations without
    /// definition. Definitions first.
    pub fn others_named(&self, name: &str) -> Vec<u32> {
        let Some(types) = &self.types else { return Vec::new() };
        let (mut definitions, mut declarations) = (Vec::new(), Vec::new());
        for &index in types.others_that_may_be_named(name) {
            match self.udt(index) {
                Some(udt) if plain_name(&udt.name) != name => {}
                Some(udt) if !udt.is_declaration() => definitions.push(index),
                Some(udt) if self.definition_of(&udt).is_none() => declarations.push(index),
                _ => {}
            }
        }
        definitions.append(&mut declarations);
        definitions
    }

    /// Calls `each` with the name and index of every class and enumeration that has a name, definitions before what is
    /// only declared, until it answers false. A name may come more than once.
    pub fn for_each_name(&self, each: &mut dyn FnMut(String, u32) -> bool) {
        let Some(types) = &self.types else { return };
        let (mut declarations, mut defined, mut goes_on) = (Vec::new(), HashSet::new(), true);
        types.for_each(&mut |index, kind, data| {
            let Some(udt) = Udt::read(kind, data) else { return true };
            let name = plain_name(&udt.name);
            if name.is_empty() {
                return true;
            }
            if udt.is_declaration() {
                declarations.push((name, index));
                return true;
            }
            defined.insert(name.clone());
            goes_on = each(name, index);
            goes_on
        });
        for (name, index) in declarations {
            if goes_on && !defined.contains(&name) {
                goes_on = each(name, index);
            }
        }
    }

    /// The name of the function with an id: `geo::Rect::area`, `poke`. Ids live in the IPI stream, classes in the TPI.
    pub fn function_name(&self, id: u32) -> Option<String> {
        let leaf = self.ids.as_ref()?.record(id)?;
        let mut input = Reader::new(&leaf.data);
        let scope = input.u32().ok()?;
        input.skip(4).ok()?; // type
        let name = text(&mut input);
        let scope = match leaf.kind {
            kind::LF_FUNC_ID if scope == 0 => None,
            kind::LF_FUNC_ID => string_id(self.ids.as_ref()?, scope),
            kind::LF_MFUNC_ID => self.udt(scope).map(|class| class.name),
            _ => return None,
        };
        Some(match scope {
            Some(scope) => format!("{scope}::{name}"),
            None => name,
        })
    }

    /// The index of the type of the function with an id.
    pub fn function_type(&self, id: u32) -> Option<u32> {
        let leaf = self.ids.as_ref()?.record(id)?;
        let is_function = matches!(leaf.kind, kind::LF_FUNC_ID | kind::LF_MFUNC_ID);
        Reader::at(&leaf.data, 4).ok()?.u32().ok().filter(|_| is_function)
    }
}

fn string_id(ids: &TypeStream, id: u32) -> Option<String> {
    let leaf = ids.record(id)?;
    let mut input = Reader::at(&leaf.data, 4).ok()?;
    (leaf.kind == kind::LF_STRING_ID).then(|| text(&mut input))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_program_did_not_give_are_empty() {
        for (stored, plain) in [
            ("<unnamed-tag>", ""),
            ("Value::<unnamed-type-u>", ""),
            ("_LARGE_INTEGER::__unnamed", ""),
            ("`anonymous-namespace'::Local", "Local"),
            ("geo::`anonymous namespace'::Local", "geo::Local"),
            ("std::vector<<unnamed-tag>,int>", "std::vector<<unnamed-tag>,int>"),
            ("geo::Rect", "geo::Rect"),
        ] {
            assert_eq!(plain_name(stored), plain);
        }
        let stored = stored_names("geo::Local");
        assert_eq!(stored[0], "geo::Local");
        assert!(stored.contains(&"geo::`anonymous-namespace'::Local".to_owned()));
        assert!(stored.contains(&"`anonymous namespace'::geo::Local".to_owned()));
    }
}
