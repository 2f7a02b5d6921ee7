//! An entry with its attributes: numbers, flags, texts, references.
//!
//! Source: DWARF 5, sections 7.5.5 (classes of forms) and 7.5.6.

use gimli::constants as dw;
use gimli::{AttributeValue, DebuggingInformationEntry, Reader};

use super::Dwarf;
use super::entry::Entry;
use super::file::{Need, Slice};
use super::names::MOST_REFERENCES;
use super::unit::View;
use crate::debuginfo::TypeId;

/// An entry, read.
pub struct Described<'a> {
    dwarf: &'a Dwarf,
    /// Which one.
    pub at: &'a Entry,
    /// What it is read with.
    pub view: View<'a>,
    entry: DebuggingInformationEntry<Slice<'a>>,
}

impl<'a> Described<'a> {
    /// Reads the entry, with lists of locations if `need` says so.
    pub fn read(dwarf: &'a Dwarf, at: &'a Entry, need: Need) -> Option<Described<'a>> {
        let view = dwarf.view(&at.unit, need)?;
        let entry = view.unit.entry(at.offset).ok()?;
        Some(Described { dwarf, at, view, entry })
    }

    /// Its tag.
    pub fn tag(&self) -> gimli::DwTag {
        self.entry.tag()
    }

    /// Whether it has the attribute.
    pub fn has(&self, name: gimli::DwAt) -> bool {
        self.entry.has_attr(name)
    }

    /// An attribute.
    pub fn value(&self, name: gimli::DwAt) -> Option<AttributeValue<Slice<'a>>> {
        self.entry.attr_value(name)
    }

    /// An attribute as it is in the file: a number without its class.
    pub fn raw_value(&self, name: gimli::DwAt) -> Option<AttributeValue<Slice<'a>>> {
        self.entry.attr_value_raw(name)
    }

    /// An attribute that is a number.
    pub fn number(&self, name: gimli::DwAt) -> Option<Number> {
        Number::of(&self.entry.attr_value_raw(name)?)
    }

    /// An attribute that is a count or a size.
    pub fn count(&self, name: gimli::DwAt) -> Option<u64> {
        u64::try_from(self.number(name)?.value).ok()
    }

    /// Whether the flag is set.
    pub fn flag(&self, name: gimli::DwAt) -> bool {
        self.value(name) == Some(AttributeValue::Flag(true))
    }

    /// An attribute that is a text.
    pub fn text(&self, name: gimli::DwAt) -> Option<String> {
        self.view.text(self.value(name)?)
    }

    /// The number of the entry that an attribute refers to.
    pub fn reference(&self, name: gimli::DwAt) -> Option<TypeId> {
        self.dwarf.reference_id(&self.at.unit, self.value(name)?)
    }

    /// The entry that says more of the same thing.
    pub fn origin(&self) -> Option<Entry> {
        let names = [dw::DW_AT_abstract_origin, dw::DW_AT_specification, dw::DW_AT_signature];
        let reference = names.into_iter().find_map(|name| self.value(name))?;
        self.dwarf.follow(self.at, reference)
    }

    /// The number of the entry itself.
    pub fn id(&self) -> Option<TypeId> {
        self.dwarf.id_of(&self.at.unit, self.at.offset)
    }
}

/// An entry, those that say more of the same thing behind it.
pub fn chain(dwarf: &Dwarf, entry: Entry) -> Vec<Entry> {
    let mut chain = vec![entry];
    while chain.len() < MOST_REFERENCES
        && let Some(last) = chain.last()
        && let Some(next) = Described::read(dwarf, last, Need::Entries).and_then(|last| last.origin())
    {
        chain.push(next);
    }
    chain
}

/// A number as an attribute has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// Its value, unsigned where the form does not say.
    pub value: i128,
    /// Bytes of a form that does not say whether it is signed.
    pub plain_bytes: Option<u8>,
}

impl Number {
    /// Of an attribute's value as it is in the file.
    pub fn of(value: &AttributeValue<Slice<'_>>) -> Option<Number> {
        let plain = |value: i128, bytes| Some(Number { value, plain_bytes: Some(bytes) });
        let told = |value: i128| Some(Number { value, plain_bytes: None });
        match *value {
            AttributeValue::Data1(value) => plain(value.into(), 1),
            AttributeValue::Data2(value) => plain(value.into(), 2),
            AttributeValue::Data4(value) => plain(value.into(), 4),
            AttributeValue::Data8(value) => plain(value.into(), 8),
            AttributeValue::Data16(value) => plain(value as i128, 16),
            AttributeValue::Sdata(value) => told(value.into()),
            AttributeValue::Udata(value) => told(value.into()),
            // In versions 2 and 3 it has the form of a number.
            AttributeValue::SecOffset(value) => told(value as i128),
            _ => None,
        }
    }

    /// The value as a number of `size_bytes`, signed or not.
    ///
    /// Producers choose the smallest form for a number that is not negative: `200` of an `int` is one byte (gcc 12), and not
    /// negative for that. Only a form as wide as the type has the type's sign.
    pub fn typed(self, size_bytes: u64, is_signed: bool) -> i128 {
        let bits = size_bytes.clamp(1, 16) as u32 * 8;
        let unused = 128 - bits;
        let is_whole = self.plain_bytes.is_none_or(|bytes| u64::from(bytes) >= size_bytes);
        if is_signed && is_whole {
            self.value.wrapping_shl(unused).wrapping_shr(unused)
        } else if bits == 128 {
            self.value
        } else {
            self.value & ((1_i128 << bits) - 1)
        }
    }
}

/// The little-endian bytes of a constant: as many as `size_bytes` says, else as it has.
pub fn constant_bytes(view: &View<'_>, value: &AttributeValue<Slice<'_>>, size_bytes: Option<u64>) -> Option<Vec<u8>> {
    const MOST_BYTES: usize = 1 << 16;
    let block = match value {
        AttributeValue::Block(block) => Some(block.slice()),
        AttributeValue::Exprloc(expression) => Some(expression.0.slice()),
        _ => None,
    };
    if let Some(block) = block {
        return Some(block.get(..block.len().min(MOST_BYTES))?.to_vec());
    }
    if let Some(number) = Number::of(value) {
        let size = size_bytes.filter(|&size| size > 0).unwrap_or(8).min(16);
        return Some(number.typed(size, true).to_le_bytes().get(..size as usize)?.to_vec());
    }
    let text = view.dwarf.attr_string(&view.unit, *value).ok()?;
    let mut bytes = text.to_slice().ok()?.get(..text.len().min(MOST_BYTES))?.to_vec();
    bytes.push(0);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_sign_of_its_type_only_in_a_form_as_wide() {
        for (value, size_bytes, is_signed, expected) in [
            (AttributeValue::Data1(200), 4, true, 200),
            (AttributeValue::Data1(200), 1, true, -56),
            (AttributeValue::Data1(200), 1, false, 200),
            (AttributeValue::Data4(u32::MAX), 4, true, -1),
            (AttributeValue::Sdata(-1), 4, true, -1),
            (AttributeValue::Sdata(-1), 4, false, 0xffff_ffff),
            (AttributeValue::Udata(u64::MAX), 8, false, i128::from(u64::MAX)),
            (AttributeValue::Udata(u64::MAX), 8, true, -1),
            (AttributeValue::Data16(u128::MAX), 16, true, -1),
        ] {
            let number = Number::of(&value).unwrap();
            assert_eq!(number.typed(size_bytes, is_signed), expected, "{value:?} {size_bytes} {is_signed}");
        }
    }
}
