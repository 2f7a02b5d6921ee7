//! Lists of fields: what classes consist of, and the names of enumerations' values.
//!
//! Source: Microsoft, microsoft-pdb, cvinfo.h (`lfFieldList` and what is in it).

use std::collections::HashSet;

use super::super::records::text;
use super::leaf::{Number, Udt, UdtKind, count, kind, number};
use super::names::plain_name;
use super::{Reference, Types};
use crate::bytes::Reader;
use crate::debuginfo::{BaseEncoding, Enumerator, Member, MemberKind, TypeId, TypeShape, VariantRole, VirtualBase};

/// Records that one list may be made of: each holds up to 64 KB.
const MOST_LISTS: usize = 4096;
/// Lists are padded with bytes 0xf1 to 0xff, which count themselves and what follows.
const FIRST_PAD: u8 = 0xf0;

/// One field of a list.
enum Field {
    /// A base class: type, offset.
    Base(u32, u64),
    /// A virtual base class: type, and where its offset is.
    VirtualBase(u32, VirtualBase),
    /// A data member: type, offset, name.
    Data(u32, u64, String),
    /// The pointer to the virtual functions: type, offset.
    VtablePointer(u32, u64),
    /// A static data member: type, name.
    Static(u32, String),
    /// A nested type: type, name.
    Nested(u32, String),
    /// A value of an enumeration.
    Value(i128, String),
    /// The list goes on elsewhere.
    GoesOn(u32),
    /// A function, a friend.
    Other,
}

impl Types {
    /// What a class consists of.
    pub fn members_of(&self, index: u32) -> Vec<Member> {
        let mut members = Vec::new();
        if let Some(class) = self.udt(self.resolved(index)) {
            self.for_each_field(&class, &mut |field| members.extend(self.member(field)));
        }
        members
    }

    /// The names of an enumeration's values.
    ///
    /// Folklore: LLVM writes all values as unsigned numbers of the enumeration's width: -1 is 4294967295.
    pub fn enumerators_of(&self, index: u32) -> Vec<Enumerator> {
        let mut names = Vec::new();
        let Some(enumeration) = self.udt(self.resolved(index)) else { return names };
        let UdtKind::Enum(underlying) = enumeration.kind else { return names };
        let underlying = self.type_of(Reference::Type(underlying));
        let signed_bits = underlying.and_then(|underlying| match underlying.shape {
            TypeShape::Base(BaseEncoding::Signed | BaseEncoding::SignedCharacter) => underlying.size_bytes,
            _ => None,
        });
        let signed_bits = signed_bits.filter(|size| (1..=8).contains(size)).map(|size| size * 8);
        self.for_each_field(&enumeration, &mut |field| {
            if let Field::Value(value, name) = field {
                let wraps = signed_bits.filter(|bits| value >> (bits - 1) == 1);
                names.push(Enumerator { name, value: wraps.map_or(value, |bits| value - (1 << bits)) });
            }
        });
        names
    }

    fn for_each_field(&self, udt: &Udt, each: &mut dyn FnMut(Field)) {
        let mut seen = HashSet::new();
        let mut lists = vec![udt.fields];
        while let Some(list) = lists.pop() {
            if seen.len() >= MOST_LISTS || !seen.insert(list) {
                return;
            }
            let Some(leaf) = self.record(list).filter(|leaf| leaf.kind == kind::LF_FIELDLIST) else { return };
            let mut input = Reader::new(&leaf.data);
            while let Some(field) = read_field(&mut input) {
                match field {
                    Field::GoesOn(next) => lists.push(next),
                    field => each(field),
                }
                skip_padding(&mut input);
            }
        }
    }

    fn member(&self, field: Field) -> Option<Member> {
        let (index, name, kind) = match field {
            Field::Data(index, offset_bytes, name) => {
                let (index, bits) = match self.bit_field(index) {
                    Some((underlying, bits)) => (underlying, Some(bits)),
                    None => (index, None),
                };
                (index, name, MemberKind::Field { offset_bytes, bits })
            }
            Field::Base(index, offset_bytes) => (index, self.class_name(index), MemberKind::Base { offset_bytes }),
            Field::VirtualBase(index, place) => (index, self.class_name(index), MemberKind::VirtualBase(place)),
            Field::VtablePointer(index, offset_bytes) => {
                (index, "__vfptr".to_owned(), MemberKind::Field { offset_bytes, bits: None })
            }
            Field::Static(index, name) => (index, name, MemberKind::Static),
            Field::Nested(index, name) => (index, plain_name(&name), MemberKind::NestedType),
            Field::Value(..) | Field::GoesOn(_) | Field::Other => return None,
        };
        let is_artificial = name == "__vfptr";
        Some(Member { name, type_id: self.reference(index), kind, is_artificial, variant: VariantRole::Always })
    }

    fn class_name(&self, index: u32) -> String {
        self.type_of(Reference::Type(index)).map(|class| class.name).unwrap_or_default()
    }

    /// Bytes of the innermost field that begins at an offset of an object, as far as the type tells.
    pub fn size_of_part(&self, id: TypeId, offset_bytes: u64) -> Option<u64> {
        let Some(Reference::Type(mut index)) = Reference::new(id) else { return None };
        let mut left = offset_bytes;
        for _ in 0..super::DEEPEST {
            index = self.without_modifiers(index);
            let members = self.members_of(index);
            let within = |member: &Member| match member.kind {
                MemberKind::Field { offset_bytes, bits: None } | MemberKind::Base { offset_bytes } => {
                    let Some(Reference::Type(index)) = Reference::new(member.type_id?) else { return None };
                    let at = left.checked_sub(offset_bytes)?;
                    (at < self.size_of(index, super::DEEPEST)?).then_some((index, at))
                }
                _ => None,
            };
            match members.iter().find_map(within) {
                Some((inner, at)) => (index, left) = (inner, at),
                None => return self.size_of(index, super::DEEPEST).filter(|_| left == 0),
            }
        }
        None
    }

    /// Whether an enumeration has a value with this name.
    pub fn has_enumerator(&self, id: TypeId, name: &str) -> bool {
        let Some(Reference::Type(index)) = Reference::new(id) else { return false };
        self.enumerators_of(index).iter().any(|enumerator| enumerator.name == name)
    }

    /// Whether a type is `const`, and neither a class nor an array.
    pub fn is_constant_scalar(&self, id: TypeId) -> bool {
        let shape = |id| self.type_of(Reference::new(id)?).map(|found| found.shape);
        match shape(id) {
            Some(TypeShape::Modified { target: Some(target), is_const: true, .. }) => {
                !matches!(shape(target), None | Some(TypeShape::Class { .. } | TypeShape::Array { .. }))
            }
            _ => false,
        }
    }

    fn without_modifiers(&self, mut index: u32) -> u32 {
        for _ in 0..super::DEEPEST {
            match self.record(index).filter(|leaf| leaf.kind == kind::LF_MODIFIER) {
                Some(leaf) => index = Reader::new(&leaf.data).u32().unwrap_or(index),
                None => break,
            }
        }
        index
    }
}

/// One field. None at the end, and where a record is damaged or of an unknown kind, which hides those behind it.
fn read_field(input: &mut Reader<'_>) -> Option<Field> {
    let leaf = input.u16().ok()?;
    let attributes = input.u16().ok()?; // or padding, or a count
    if leaf == kind::LF_ENUMERATE {
        let value = number(input)?;
        let name = string(input)?;
        return Some(match value {
            Number::Integer(value) => Field::Value(value, name),
            Number::Bytes(_) => Field::Other,
        });
    }
    let index = input.u32().ok()?;
    Some(match leaf {
        kind::LF_BCLASS | kind::LF_BINTERFACE => Field::Base(index, count(input)?),
        kind::LF_VBCLASS | kind::LF_IVBCLASS => {
            input.skip(4).ok()?; // type of the vbtable pointer
            let pointer_offset_bytes = integer(input)?;
            let table = VirtualBase::Table { pointer_offset_bytes, index: u32::try_from(integer(input)?).ok()? };
            // A virtual base of a base belongs to that base, through which it is found.
            if leaf == kind::LF_IVBCLASS { Field::Other } else { Field::VirtualBase(index, table) }
        }
        kind::LF_INDEX => Field::GoesOn(index),
        kind::LF_VFUNCTAB => Field::VtablePointer(index, 0),
        kind::LF_VFUNCOFF => Field::VtablePointer(index, input.u32().ok()?.into()),
        kind::LF_MEMBER => Field::Data(index, count(input)?, string(input)?),
        kind::LF_STMEMBER => Field::Static(index, string(input)?),
        kind::LF_NESTTYPE | kind::LF_NESTTYPEEX => Field::Nested(index, string(input)?),
        kind::LF_METHOD | kind::LF_FRIENDFCN | kind::LF_MEMBERMODIFY => string(input).map(|_| Field::Other)?,
        kind::LF_ONEMETHOD => {
            // CV_methodprop_e: of a virtual function that is new here, its place in the vtable follows.
            if matches!(attributes >> 2 & 7, 4 | 6) {
                input.skip(4).ok()?;
            }
            string(input).map(|_| Field::Other)?
        }
        kind::LF_FRIENDCLS => Field::Other,
        _ => return None,
    })
}

fn integer(input: &mut Reader<'_>) -> Option<i64> {
    match number(input)? {
        Number::Integer(value) => i64::try_from(value).ok(),
        Number::Bytes(_) => None,
    }
}

/// A name; unlike the last one of a record it must have an end.
fn string(input: &mut Reader<'_>) -> Option<String> {
    let name = text(input);
    input.c_string().ok().map(|_| name)
}

fn skip_padding(input: &mut Reader<'_>) {
    while let Some(pad) = input.rest().first().filter(|byte| **byte > FIRST_PAD) {
        if input.skip(usize::from(pad - FIRST_PAD)).is_err() {
            return;
        }
    }
}
