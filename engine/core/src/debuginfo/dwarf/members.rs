//! What classes and enumerations consist of.
//!
//! Source: DWARF 5, sections 5.7 (classes; 5.7.3, inheritance; 5.7.6, members and bit-fields) and 5.8 (enumerations); DWARF 3, section
//! 5.6.6, for the older way of describing bit-fields.

use gimli::constants as dw;
use gimli::{AttributeValue, Operation, Reader};

use super::Dwarf;
use super::attributes::Described;
use super::entry::Entry;
use super::file::{Need, Slice};
use super::types::{Child, children, variant_children};
use crate::debuginfo::{
    BaseEncoding, Bits, Enumerator, Member, MemberKind, TypeId, TypeShape, VariantRole, VirtualBase,
};

/// Bytes of names in one answer.
const MOST_TEXT_BYTES: usize = 16 << 20;
/// Types that are looked at to find what one stands for.
const MOST_STEPS: usize = 32;

impl Dwarf {
    /// What a class consists of; of a declaration, what the first definition of that name does.
    pub(super) fn members(&self, id: TypeId) -> Vec<Member> {
        let mut members = Vec::new();
        let Some(class) = self.entry_of(id).and_then(|entry| self.defined_somewhere(entry)) else { return members };
        let Some(read) = Described::read(self, &class, Need::Entries) else { return members };
        let mut text_bytes = 0;
        for ((offset, tag), variant) in variant_children(&read) {
            let mut member = self.member(&class.sibling(offset), tag);
            if let (Some(member), Some(variant)) = (&mut member, variant) {
                member.variant = self.variant_role(&class, variant);
            }
            text_bytes += member.as_ref().map_or(0, |member| member.name.len());
            if text_bytes > MOST_TEXT_BYTES {
                self.problems.report("a class has too many members: some are left out");
                break;
            }
            members.extend(member);
        }
        members
    }

    /// Names of an enumeration's values.
    pub(super) fn enumerators(&self, id: TypeId) -> Vec<Enumerator> {
        let mut enumerators: Vec<Enumerator> = Vec::new();
        let Some(entry) = self.entry_of(id).and_then(|entry| self.defined_somewhere(entry)) else { return enumerators };
        let Some(read) = Described::read(self, &entry, Need::Entries) else { return enumerators };
        let size_bytes = self.size_of(entry.clone());
        let is_signed = self.is_signed(&read);
        let mut text_bytes = 0;
        for (offset, tag) in children(&read) {
            let child = entry.sibling(offset);
            let read = Described::read(self, &child, Need::Entries).filter(|_| tag == dw::DW_TAG_enumerator);
            let Some((name, number)) =
                read.and_then(|it| it.text(dw::DW_AT_name).zip(it.number(dw::DW_AT_const_value)))
            else {
                continue;
            };
            text_bytes += name.len();
            if text_bytes > MOST_TEXT_BYTES {
                self.problems.report("an enumeration has too many names: some are left out");
                break;
            }
            // Of one without underlying type the form says whether a number is signed.
            let is_signed = is_signed.unwrap_or(number.value < 0 || number.plain_bytes.is_none());
            enumerators.push(Enumerator { name, value: number.typed(size_bytes.unwrap_or(8), is_signed) });
        }
        enumerators
    }

    /// A class or enumeration, or if the entry only declares it, the one that has its name.
    fn defined_somewhere(&self, entry: Entry) -> Option<Entry> {
        let entry = self.definition(entry);
        let read = Described::read(self, &entry, Need::Entries)?;
        let (tag, is_declaration) = (read.tag(), read.flag(dw::DW_AT_declaration));
        drop(read);
        if !is_declaration {
            return Some(entry);
        }
        let name = self.qualified_name(&entry.unit, entry.offset)?;
        let is_one = |entry: &Entry| {
            let found = Described::read(self, entry, Need::Entries);
            found.is_some_and(|it| !it.flag(dw::DW_AT_declaration) && is_alike(it.tag(), tag))
        };
        let named = self.types_with_name(&name).into_iter().filter_map(|id| self.entry_of(id));
        named.map(|entry| self.definition(entry)).find(is_one)
    }

    fn member(&self, at: &Entry, tag: gimli::DwTag) -> Option<Member> {
        let read = Described::read(self, at, Need::Entries)?;
        let name = read.text(dw::DW_AT_name).unwrap_or_default();
        let is_declared =
            read.flag(dw::DW_AT_declaration) || read.flag(dw::DW_AT_external) || read.has(dw::DW_AT_const_value);
        let (kind, name, type_id) = match tag {
            dw::DW_TAG_inheritance => {
                let id = read.reference(dw::DW_AT_type);
                let base = id.and_then(|id| self.entry_of(id));
                let name = base.and_then(|base| self.qualified_name(&base.unit, base.offset)).unwrap_or_default();
                (base_kind(&read)?, name, id)
            }
            dw::DW_TAG_variable => (MemberKind::Static, name, read.reference(dw::DW_AT_type)),
            dw::DW_TAG_member if is_declared && !read.has(dw::DW_AT_data_member_location) => {
                (MemberKind::Static, name, read.reference(dw::DW_AT_type))
            }
            dw::DW_TAG_member => (self.field(&read)?, name, read.reference(dw::DW_AT_type)),
            dw::DW_TAG_class_type
            | dw::DW_TAG_structure_type
            | dw::DW_TAG_union_type
            | dw::DW_TAG_interface_type
            | dw::DW_TAG_enumeration_type
            | dw::DW_TAG_typedef
            | dw::DW_TAG_template_alias
                if !name.is_empty() =>
            {
                (MemberKind::NestedType, name, read.id())
            }
            _ => return None,
        };
        let is_artificial = read.flag(dw::DW_AT_artificial);
        Some(Member { name, type_id, kind, is_artificial, variant: VariantRole::Always })
    }

    /// What a member is that a variant of `class`, or its part with variants, holds. Source: DWARF 5, section 5.7.10.
    fn variant_role(&self, class: &Entry, (offset, tag): Child) -> VariantRole {
        if tag != dw::DW_TAG_variant {
            return VariantRole::Discriminant;
        }
        let entry = class.sibling(offset);
        let Some(read) = Described::read(self, &entry, Need::Entries) else { return VariantRole::Always };
        match (read.number(dw::DW_AT_discr_value), read.value(dw::DW_AT_discr_list)) {
            (Some(one), _) => VariantRole::When(vec![(one.value, one.value)]),
            (None, Some(AttributeValue::Block(list))) => VariantRole::When(discriminants(list)),
            (None, Some(_)) => VariantRole::Always,
            (None, None) => VariantRole::Otherwise,
        }
    }

    fn field(&self, read: &Described<'_>) -> Option<MemberKind> {
        let start = match read.value(dw::DW_AT_data_member_location) {
            None => 0, // members of unions, and bit-fields of DWARF 4 and 5
            Some(_) => member_offset(read)?,
        };
        let Some(bit_count) = read.count(dw::DW_AT_bit_size).and_then(|count| u32::try_from(count).ok()) else {
            return Some(MemberKind::Field { offset_bytes: start, bits: None });
        };
        let type_entry = read.value(dw::DW_AT_type).and_then(|value| self.follow(read.at, value));
        let type_bytes = type_entry.and_then(|entry| self.size_of(entry));
        // Bits from the start of the object, in little-endian order.
        let first = if let Some(first) = read.count(dw::DW_AT_data_bit_offset) {
            i128::from(start) * 8 + i128::from(first)
        } else if let Some(from_top) = read.number(dw::DW_AT_bit_offset) {
            // Counted from the most significant bit of a unit that is as large as the type, or as is said. It is negative
            // where the bits reach out of the unit (gcc, packed structures).
            let unit_bytes = read.count(dw::DW_AT_byte_size).or(type_bytes)?;
            let end = from_top.value.checked_add(bit_count.into())?;
            ((i128::from(start) + i128::from(unit_bytes)) * 8).checked_sub(end)?
        } else {
            i128::from(start) * 8 // of unions
        };
        let first = u64::try_from(first).ok()?;
        // The type's own aligned place, if that holds all of them; else the byte in which they begin.
        let unit_bytes = type_bytes.filter(|&size| {
            size > 0 && {
                let bits = size.saturating_mul(8);
                first % bits + u64::from(bit_count) <= bits
            }
        });
        let unit_bytes = unit_bytes.unwrap_or(1);
        let unit_bits = unit_bytes.saturating_mul(8);
        let offset_bytes = first / unit_bits * unit_bytes;
        let bits = Bits { first: u32::try_from(first % unit_bits).ok()?, count: bit_count };
        Some(MemberKind::Field { offset_bytes, bits: Some(bits) })
    }

    /// Whether an enumeration's numbers are signed; None if it does not say.
    fn is_signed(&self, read: &Described<'_>) -> Option<bool> {
        let mut id = read.reference(dw::DW_AT_type)?;
        for _ in 0..MOST_STEPS {
            match self.described_type(id)?.shape {
                TypeShape::Base(encoding) => {
                    return Some(matches!(encoding, BaseEncoding::Signed | BaseEncoding::SignedCharacter));
                }
                TypeShape::Typedef { target } | TypeShape::Modified { target, .. } => id = target?,
                _ => return None,
            }
        }
        None
    }
}

/// Values and ranges of a discriminant, which stand as signed or unsigned numbers alike: those of 64 bits are unsigned here.
fn discriminants(mut list: Slice<'_>) -> Vec<(i128, i128)> {
    let mut found = Vec::new();
    while let Ok(kind) = list.read_u8() {
        let Ok(first) = list.read_uleb128() else { break };
        let last = if gimli::DwDsc(kind) == dw::DW_DSC_range { list.read_uleb128() } else { Ok(first) };
        found.extend(last.map(|last| (i128::from(first), i128::from(last))));
    }
    found
}

/// Whether what is declared as the one may be defined as the other.
fn is_alike(one: gimli::DwTag, other: gimli::DwTag) -> bool {
    let is_class = |tag| matches!(tag, dw::DW_TAG_class_type | dw::DW_TAG_structure_type | dw::DW_TAG_interface_type);
    one == other || is_class(one) && is_class(other)
}

/// Where a member is, if that is the same in all objects.
fn member_offset(read: &Described<'_>) -> Option<u64> {
    if let Some(offset) = read.count(dw::DW_AT_data_member_location) {
        return Some(offset);
    }
    // DWARF 2: an expression that adds to the object's address.
    match operations(read)?[..] {
        [Operation::PlusConstant { value } | Operation::UnsignedConstant { value }] => Some(value),
        [Operation::UnsignedConstant { value }, Operation::Plus] => Some(value),
        _ => None,
    }
}

fn base_kind(read: &Described<'_>) -> Option<MemberKind> {
    if let Some(offset_bytes) = member_offset(read) {
        return Some(MemberKind::Base { offset_bytes });
    }
    if read.value(dw::DW_AT_data_member_location).is_none() {
        return Some(MemberKind::Base { offset_bytes: 0 });
    }
    // gcc and clang: dup, deref, constant, minus, deref, plus.
    let distance = match operations(read)?[..] {
        [
            Operation::Pick { index: 0 },
            Operation::Deref { .. },
            Operation::UnsignedConstant { value },
            Operation::Minus,
            Operation::Deref { .. },
            Operation::Plus,
        ] => i64::try_from(value).ok()?.checked_neg()?,
        _ => return None,
    };
    Some(MemberKind::VirtualBase(VirtualBase::Vtable { offset_bytes: distance }))
}

/// The expression that says where a member is; None if it is longer than any that is understood.
fn operations<'a>(read: &Described<'a>) -> Option<Vec<Operation<super::file::Slice<'a>>>> {
    const MOST_OPERATIONS: usize = 8;
    let AttributeValue::Exprloc(expression) = read.value(dw::DW_AT_data_member_location)? else { return None };
    let mut iter = expression.operations(read.view.unit.encoding());
    let mut operations = Vec::new();
    while let Some(operation) = iter.next().ok()? {
        operations.push(operation);
        if operations.len() > MOST_OPERATIONS {
            return None;
        }
    }
    Some(operations)
}
