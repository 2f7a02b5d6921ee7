//! Types by name, of typedefs too, and the types of functions.
//!
//! A typedef is no type in a PDB but a symbol (S_UDT), which every class has as well.

use std::collections::HashSet;

use super::Pdb;
use super::module::{FunctionRecord, Module};
use super::records::{Record, kind, record_at};
use super::types::{Reference, simple};
use crate::bytes::Reader;
use crate::debuginfo::{Type, TypeId, TypeShape};
use crate::names::without_anonymous_namespaces;

/// Where a procedure's record has its type.
const TYPE_OFFSET_BYTES: usize = 24;

impl Pdb {
    /// A type.
    pub(super) fn find_type(&self, id: TypeId) -> Option<Type> {
        let reference = Reference::new(id)?;
        let Reference::Typedef(offset) = reference else { return self.types().type_of(reference) };
        let (index, name) = self.symbols()?.record(offset, |record| record.typedef())?;
        let target = self.types().reference(index);
        let size_bytes = self.types().type_of(Reference::Type(index)).and_then(|target| target.size_bytes);
        let shape = TypeShape::Typedef { target };
        Some(Type { name: without_anonymous_namespaces(name), size_bytes, shape })
    }

    /// The index of a type that is a record.
    pub(super) fn index_of(&self, id: TypeId) -> Option<u32> {
        match Reference::new(id)? {
            Reference::Type(index) => Some(index),
            Reference::BarePointer(_) | Reference::Typedef(_) => None,
        }
    }

    /// Types with this name: definitions, then typedefs; if there are none, types that are local to functions, and
    /// declarations.
    pub(super) fn find_types_named(&self, name: &str) -> Vec<TypeId> {
        let types = self.types();
        let mut found: Vec<TypeId> =
            types.definitions_named(name).into_iter().map(|index| Reference::Type(index).id()).collect();
        if let Some(symbols) = self.symbols() {
            for name in super::types::stored_names(name) {
                for offset in symbols.may_be_named(&name) {
                    let typedef =
                        symbols.record(offset, |record| record.typedef()).filter(|(_, stored)| *stored == name);
                    found.extend(typedef.and_then(|(index, name)| self.typedef_id(offset, index, &name)));
                }
            }
        }
        if found.is_empty() {
            found.extend(types.others_named(name).into_iter().map(|index| Reference::Type(index).id()));
        }
        without_repetitions(found)
    }

    /// The id of what an S_UDT says: a typedef, or the class itself where it has the same name.
    fn typedef_id(&self, offset: u32, index: u32, name: &str) -> Option<TypeId> {
        if index == simple::NO_TYPE {
            return None;
        }
        let target = self.types().reference(index);
        let is_class = target.filter(|_| index >= simple::FIRST_RECORD).is_some_and(|target| {
            self.find_type(target).is_some_and(|target| target.name == without_anonymous_namespaces(name.to_owned()))
        });
        if is_class { target } else { Some(Reference::Typedef(offset).id()) }
    }

    /// Types whose names match: classes and enumerations in the order of the TPI stream, declarations, typedefs.
    pub(super) fn find_types_matching(
        &self,
        accept: &mut dyn FnMut(&str) -> bool,
        limit: usize,
    ) -> Vec<(String, TypeId)> {
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        let mut add = |name: String, id: TypeId| {
            if found.len() < limit && accept(&name) && seen.insert(name.clone()) {
                found.push((name, id));
            }
            found.len() < limit
        };
        let mut goes_on = limit > 0;
        if goes_on {
            self.types().for_each_name(&mut |name, index| {
                goes_on = add(name, Reference::Type(index).id());
                goes_on
            });
        }
        if let Some(symbols) = self.symbols().filter(|_| goes_on) {
            symbols.for_each_record(&mut |offset, record| {
                let typedef = record.typedef().filter(|(index, _)| *index != simple::NO_TYPE);
                typedef.is_none_or(|(_, name)| add(without_anonymous_namespaces(name), Reference::Typedef(offset).id()))
            });
        }
        found
    }

    /// The type of a function: its record has it, or the id of the function, which has it.
    pub(super) fn function_type(&self, module: &Module, function: &FunctionRecord) -> Option<TypeId> {
        let record = record_at(&module.symbols, function.record).filter(Record::is_procedure)?;
        let index = Reader::at(record.data, TYPE_OFFSET_BYTES).ok()?.u32().ok()?;
        let has_id = matches!(record.kind, kind::S_GPROC32_ID | kind::S_LPROC32_ID | kind::S_LPROC32_DPC_ID);
        self.types().reference(if has_id { self.types().function_type(index)? } else { index })
    }

    /// How many parameters a function's type has, without `this`.
    pub(super) fn parameter_count(&self, module: &Module, function: &FunctionRecord) -> usize {
        let found = self.function_type(module, function).and_then(|id| self.find_type(id));
        match found.map(|found| found.shape) {
            Some(TypeShape::Function { parameters, .. }) => parameters.len(),
            _ => 0,
        }
    }
}

fn without_repetitions(ids: Vec<TypeId>) -> Vec<TypeId> {
    let mut seen = HashSet::new();
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}
