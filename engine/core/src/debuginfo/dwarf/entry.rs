//! Entries in whichever unit of whichever file, and the numbers by which others refer to them.
//!
//! A [`TypeId`] of DWARF names an entry. Its four highest bits say where the other 60 count:
//!
//! | kind | entry | other bits |
//! | --- | --- | --- |
//! | 0 | of the file's `.debug_info` | offset in the section |
//! | 1 | of the file's `.debug_types` (DWARF 4) | offset in the section |
//! | 2 | of the `.debug_info` of the supplementary file (`.gnu_debugaltlink`) | offset in the section |
//! | 3 | of a split unit | 24: which unit of `.debug_info` is its skeleton; 36: offset in the unit |
//! | 4 | of a type unit in a `.dwo` file | 20: skeleton; 14: which of the file's type units; 26: offset in the unit |
//! | 5 | of a type unit in a package | 30: row of `.debug_tu_index`; 30: offset in the unit |
//!
//! Source: DWARF 5, sections 7.5.4 (references), 7.32 (type signatures).

use std::sync::Arc;

use gimli::{AttributeValue, UnitOffset};

use super::Dwarf;
use super::file::{Need, Slice, UnitAt};
use super::unit::{Unit, View};
use crate::debuginfo::TypeId;

/// Bits of a [`TypeId`] below its kind.
const KIND_SHIFT: u32 = 60;
const SPLIT_OFFSET_BITS: u32 = 36;
const DWO_TYPE_BITS: u32 = 14;
const DWO_TYPE_OFFSET_BITS: u32 = 26;
const PACKAGE_OFFSET_BITS: u32 = 30;

/// Where a unit is looked for, and what the number beside it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// In the file itself, at an offset of `.debug_info`; or that unit's split one.
    Main,
    /// In the file itself, at an offset of `.debug_types`.
    Types,
    /// In the file that it shares information with, at an offset of `.debug_info`.
    Supplementary,
    /// Among the type units of a `.dwo` file: skeleton and index, packed.
    DwoType,
    /// Among the type units of a package: row of `.debug_tu_index`.
    PackageType,
}

/// An entry in whichever unit.
#[derive(Clone)]
pub struct Entry {
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

/// `high` above `low`, if both fit.
fn packed(high: u64, high_bits: u32, low: u64, low_bits: u32) -> Option<u64> {
    (high >> high_bits == 0 && low >> low_bits == 0).then_some(high << low_bits | low)
}

/// What [`packed`] put together.
fn unpacked(packed: u64, low_bits: u32) -> (usize, usize) {
    ((packed >> low_bits) as usize, (packed & ((1 << low_bits) - 1)) as usize)
}

impl Dwarf {
    /// The number of an entry; None if it is too far out for one.
    pub(super) fn id_of(&self, unit: &Unit, offset: UnitOffset) -> Option<TypeId> {
        let offset = offset.0 as u64;
        let place = unit.place as u64;
        let in_section = |kind: u64| Some((kind, place.checked_add(offset)?));
        let (kind, number) = match unit.origin {
            Origin::Main if unit.is_split() => {
                let skeleton = self.main.unit_index(unit.place)? as u64;
                (3, packed(skeleton, KIND_SHIFT - SPLIT_OFFSET_BITS, offset, SPLIT_OFFSET_BITS)?)
            }
            Origin::Main => in_section(0)?,
            Origin::Types => in_section(1)?,
            Origin::Supplementary => in_section(2)?,
            Origin::DwoType => (4, packed(place, KIND_SHIFT - DWO_TYPE_OFFSET_BITS, offset, DWO_TYPE_OFFSET_BITS)?),
            Origin::PackageType => (5, packed(place, KIND_SHIFT - PACKAGE_OFFSET_BITS, offset, PACKAGE_OFFSET_BITS)?),
        };
        (number >> KIND_SHIFT == 0).then_some(TypeId(kind << KIND_SHIFT | number))
    }

    /// The entry that a number names. There may be none at its offset.
    pub(super) fn entry_of(&self, id: TypeId) -> Option<Entry> {
        let number = id.0 & ((1 << KIND_SHIFT) - 1);
        let (origin, place, offset) = match id.0 >> KIND_SHIFT {
            0 => return self.entry_in(Origin::Main, number),
            1 => return self.entry_in(Origin::Types, number),
            2 => return self.entry_in(Origin::Supplementary, number),
            3 => {
                let (skeleton, offset) = unpacked(number, SPLIT_OFFSET_BITS);
                (Origin::Main, self.main.unit_with_index(skeleton)?, offset)
            }
            4 => {
                let (place, offset) = unpacked(number, DWO_TYPE_OFFSET_BITS);
                (Origin::DwoType, place, offset)
            }
            5 => {
                let (place, offset) = unpacked(number, PACKAGE_OFFSET_BITS);
                (Origin::PackageType, place, offset)
            }
            _ => return None,
        };
        Some(Entry { unit: self.unit(origin, place)?, offset: UnitOffset(offset) })
    }

    fn entry_in(&self, origin: Origin, offset: u64) -> Option<Entry> {
        let offset = usize::try_from(offset).ok()?;
        let file = self.file(origin)?;
        let place = match origin {
            Origin::Types => file.types_unit_holding(offset),
            _ => file.unit_holding(offset),
        };
        let unit = self.unit(origin, place?)?;
        // (Offsets in a unit with its entries elsewhere are of those.)
        let offset = UnitOffset(offset.checked_sub(unit.place)?);
        (!unit.is_split()).then_some(Entry { unit, offset })
    }

    /// What an entry's unit is read with.
    pub(super) fn view<'a>(&'a self, unit: &'a Unit, need: Need) -> Option<View<'a>> {
        unit.view(self.file(unit.origin), need)
    }

    /// The entry that an attribute refers to.
    pub(super) fn follow(&self, from: &Entry, reference: AttributeValue<Slice<'_>>) -> Option<Entry> {
        let (origin, offset) = match reference {
            AttributeValue::UnitRef(offset) => return Some(from.sibling(offset)),
            AttributeValue::DebugTypesRef(signature) => return self.type_unit(&from.unit, signature.0),
            // Split units do not refer to each other.
            AttributeValue::DebugInfoRef(_) if from.unit.is_split() => return None,
            // What refers from `.debug_types` refers to `.debug_info`.
            AttributeValue::DebugInfoRef(offset) if from.unit.origin == Origin::Types => (Origin::Main, offset),
            AttributeValue::DebugInfoRef(offset) => (from.unit.origin, offset),
            AttributeValue::DebugInfoRefSup(offset) => (Origin::Supplementary, offset),
            _ => return None,
        };
        self.entry_in(origin, offset.0 as u64)
    }

    /// The number of the entry that an attribute refers to, which need not be read for it.
    pub(super) fn reference_id(&self, from: &Unit, reference: AttributeValue<Slice<'_>>) -> Option<TypeId> {
        match reference {
            AttributeValue::UnitRef(offset) => self.id_of(from, offset),
            AttributeValue::DebugTypesRef(signature) => {
                let entry = self.type_unit(from, signature.0)?;
                self.id_of(&entry.unit, entry.offset)
            }
            AttributeValue::DebugInfoRef(offset) if !from.is_split() => {
                let kind = u64::from(from.origin == Origin::Supplementary) * 2;
                Some(TypeId(kind << KIND_SHIFT | offset.0 as u64))
            }
            AttributeValue::DebugInfoRefSup(offset) => Some(TypeId(2 << KIND_SHIFT | offset.0 as u64)),
            _ => None,
        }
    }

    /// The type of a type unit that has this signature, from where `from` may refer to it.
    pub(super) fn type_unit(&self, from: &Unit, signature: u64) -> Option<Entry> {
        if !from.is_split() {
            let (at, offset) = self.main.type_units().by_signature(signature)?;
            let (origin, place) = match at {
                UnitAt::Info(place) => (Origin::Main, place),
                UnitAt::Types(place) => (Origin::Types, place),
            };
            return Some(Entry { unit: self.unit(origin, place)?, offset });
        }
        if let Some(row) = self.split.get()?.package_row(signature) {
            let unit = self.unit(Origin::PackageType, row)?;
            let offset = unit.type_offset()?;
            return Some(Entry { unit, offset });
        }
        let place = match from.origin {
            Origin::Main => from.place,
            Origin::DwoType => self.main.unit_with_index(unpacked(from.place as u64, DWO_TYPE_BITS).0)?,
            _ => return None,
        };
        let skeleton = self.unit(Origin::Main, place)?;
        let index = skeleton.other_file()?.type_units().index_of(signature)?;
        let unit = self.unit(Origin::DwoType, self.dwo_type_place(&skeleton, index)?)?;
        let offset = unit.type_offset()?;
        Some(Entry { unit, offset })
    }

    /// The place of a type unit of the `.dwo` file that a unit's entries are in.
    pub(super) fn dwo_type_place(&self, skeleton: &Unit, index: usize) -> Option<usize> {
        let skeleton = self.main.unit_index(skeleton.place)?;
        let place = packed(skeleton as u64, 20, index as u64, DWO_TYPE_BITS)?;
        usize::try_from(place).ok()
    }

    /// The unit whose place among type units of `.dwo` files or of the package this is.
    pub(super) fn read_split_type_unit(&self, origin: Origin, place: usize) -> Option<Result<Unit, gimli::Error>> {
        let (file, at) = if origin == Origin::PackageType {
            let file = self.split.get()?.package_type_file(place, &self.problems)?;
            let at = file.type_units().at(0)?;
            (file, at)
        } else {
            let (skeleton, index) = unpacked(place as u64, DWO_TYPE_BITS);
            let split = self.unit(Origin::Main, self.main.unit_with_index(skeleton)?)?;
            let file = split.other_file()?.clone();
            let at = file.type_units().at(index)?;
            (file, at)
        };
        Some(Unit::read_types(file, at, origin, place, &self.problems))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_has_no_number() {
        for (high, low, expected) in [
            (0, 0, Some(0)),
            (0xf_ffff, 0x3fff, Some(0x3_ffff_ffff)),
            (0x10_0000, 0, None),
            (0, 0x4000, None),
            (u64::MAX, u64::MAX, None),
        ] {
            assert_eq!(packed(high, 20, low, 14), expected);
            if let Some(packed) = expected {
                assert_eq!(unpacked(packed, 14), (high as usize, low as usize));
            }
        }
    }
}
