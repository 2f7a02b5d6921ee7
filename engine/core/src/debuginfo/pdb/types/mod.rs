//! Types, by index: the TPI stream has types, the IPI stream functions' ids.
//!
//! | module | subject |
//! | --- | --- |
//! | `stream` | records by index and by hash |
//! | `leaf`, `simple` | records' kinds, numbers, classes and enumerations; types without record |
//! | `shape` | what a type is, and its size |
//! | `members` | lists of fields |
//! | `names` | types by name, the definition of a declaration, names of functions |

pub mod leaf;
mod members;
mod names;
mod shape;
pub mod simple;
mod stream;

use super::PdbError;
use super::msf::Msf;
use crate::debuginfo::TypeId;
use leaf::Udt;
pub use names::stored_names;
use simple::{FIRST_RECORD, NO_TYPE, VOID};
use stream::{Leaf, TypeStream};

const TPI_STREAM: u32 = 2;
const IPI_STREAM: u32 = 4;
/// How deep types are made of types before their size is given up.
const DEEPEST: u32 = 32;

/// Types and ids.
pub struct Types {
    ids: Option<TypeStream>,
    types: Option<TypeStream>,
    pointer_size_bytes: u64,
}

/// What a [`TypeId`] of a PDB refers to.
///
/// Most are indexes of the TPI stream. Two kinds of types have none of their own: typedefs, which are symbols, and the
/// pointer in `T *const`, whose one record says both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// An index.
    Type(u32),
    /// An index of a pointer, without its own `const` and `volatile`.
    BarePointer(u32),
    /// The offset of an S_UDT in the stream of symbol records.
    Typedef(u32),
}

impl Reference {
    const TYPEDEF: u64 = 1 << 32;
    const BARE_POINTER: u64 = 1 << 33;

    /// What an id refers to; None if no PDB gives such an id.
    pub fn new(id: TypeId) -> Option<Reference> {
        let low = id.0 as u32;
        match id.0 - u64::from(low) {
            0 => Some(Reference::Type(low)),
            Reference::TYPEDEF => Some(Reference::Typedef(low)),
            Reference::BARE_POINTER => Some(Reference::BarePointer(low)),
            _ => None,
        }
    }

    /// Its id.
    pub fn id(self) -> TypeId {
        TypeId(match self {
            Reference::Type(index) => index.into(),
            Reference::BarePointer(index) => Reference::BARE_POINTER | u64::from(index),
            Reference::Typedef(offset) => Reference::TYPEDEF | u64::from(offset),
        })
    }
}

impl Types {
    /// Looks at the headers of the two streams. One that is damaged is left out, and `report`ed.
    pub fn open(msf: &Msf, pointer_size_bytes: u64, report: impl Fn(PdbError)) -> Types {
        let open = |number| {
            let stream = msf.stream(number).map_err(&report).ok().flatten()?;
            TypeStream::open(msf, stream).map_err(&report).ok()
        };
        Types { ids: open(IPI_STREAM), types: open(TPI_STREAM), pointer_size_bytes }
    }

    fn record(&self, index: u32) -> Option<Leaf> {
        self.types.as_ref()?.record(index)
    }

    fn udt(&self, index: u32) -> Option<Udt> {
        let leaf = self.record(index)?;
        Udt::read(leaf.kind, &leaf.data)
    }

    /// The index of a type, of a declaration that of its definition, if there is one: a class has one id.
    fn resolved(&self, index: u32) -> u32 {
        let declaration = self.udt(index).filter(Udt::is_declaration);
        declaration.and_then(|declaration| self.definition_of(&declaration)).unwrap_or(index)
    }

    /// Bytes of an object of the type with an index.
    pub fn size_of_type(&self, index: u32) -> Option<u64> {
        self.size_of(index, DEEPEST)
    }

    /// The id for an index in a record; None for `void` and where there is no type.
    pub fn reference(&self, index: u32) -> Option<TypeId> {
        match index {
            NO_TYPE | VOID => None,
            simple @ 0..FIRST_RECORD => Some(Reference::Type(simple).id()),
            index => Some(Reference::Type(self.resolved(index)).id()),
        }
    }
}
