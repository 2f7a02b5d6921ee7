//! Type units: types that several units refer to by a number, their signature.
//!
//! Source: DWARF 5, sections 3.1.4 (type units) and 7.32 (signatures); DWARF 4, section 7.5.1.2 (`.debug_types`).

use std::collections::HashMap;

use gimli::{UnitHeader, UnitOffset, UnitType};

use super::file::{Problems, Slice, UnitAt, headers};

/// Type units of a file that are listed.
const MOST_UNITS: usize = 1 << 22;

/// The type units of a file.
#[derive(Debug, Default)]
pub struct TypeUnits {
    /// Those of `.debug_info`, then those of `.debug_types`, in the order of the sections.
    list: Vec<(UnitAt, UnitOffset)>,
    by_signature: HashMap<u64, u32>,
}

impl TypeUnits {
    /// Reads the headers of all units.
    pub fn read(dwarf: &gimli::Dwarf<Slice<'_>>, types: Slice<'_>, problems: &Problems) -> TypeUnits {
        let mut units = TypeUnits::default();
        for header in headers(dwarf, problems) {
            units.add(&header, header.debug_info_offset().map(|offset| UnitAt::Info(offset.0)));
        }
        let section = gimli::DebugTypes::from(types);
        let mut headers = section.units();
        loop {
            match headers.next() {
                Ok(Some(header)) => {
                    units.add(&header, header.debug_types_offset().map(|offset| UnitAt::Types(offset.0)));
                }
                Ok(None) => break,
                Err(error) => {
                    problems.report(format_args!("damaged debug information: .debug_types: {error}"));
                    break;
                }
            }
        }
        units
    }

    fn add(&mut self, header: &UnitHeader<Slice<'_>>, at: Option<UnitAt>) {
        let (UnitType::Type { type_signature, type_offset } | UnitType::SplitType { type_signature, type_offset }) =
            header.type_()
        else {
            return;
        };
        let Some(at) = at.filter(|_| self.list.len() < MOST_UNITS) else { return };
        self.by_signature.entry(type_signature.0).or_insert(self.list.len() as u32);
        self.list.push((at, type_offset));
    }

    /// The unit with this signature, and where its type is in it.
    pub fn by_signature(&self, signature: u64) -> Option<(UnitAt, UnitOffset)> {
        self.list.get(self.index_of(signature)?).copied()
    }

    /// The index of the unit with this signature.
    pub fn index_of(&self, signature: u64) -> Option<usize> {
        self.by_signature.get(&signature).map(|&index| index as usize)
    }

    /// The unit with this index.
    pub fn at(&self, index: usize) -> Option<UnitAt> {
        self.list.get(index).map(|&(at, _)| at)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// All units.
    pub fn iter(&self) -> impl Iterator<Item = UnitAt> + '_ {
        self.list.iter().map(|&(at, _)| at)
    }

    /// Where the unit of `.debug_types` begins that holds an offset.
    pub fn holding(&self, offset: usize) -> Option<usize> {
        let is_before = |&(at, _): &(UnitAt, UnitOffset)| match at {
            UnitAt::Info(_) => true,
            UnitAt::Types(start) => start <= offset,
        };
        match self.list.get(self.list.partition_point(is_before).checked_sub(1)?)? {
            (UnitAt::Types(start), _) => Some(*start),
            (UnitAt::Info(_), _) => None,
        }
    }
}
