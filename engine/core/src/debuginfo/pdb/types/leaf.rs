//! Leaves: kinds of records, numbers, and the records of types that have a name.
//!
//! Source: Microsoft, microsoft-pdb, cvinfo.h (`LEAF_ENUM_e`, `lfClass`, `lfUnion`, `lfEnum`, `CV_prop_t`);
//! `LF_CLASS_19` and its kin, which newer compilers write for what does not fit: microsoft-pdb, issue 50.

use super::super::records::text;
use crate::bytes::{Reader, Truncated};
use crate::debuginfo::ClassKind;

/// Kinds of records.
#[allow(missing_docs)]
pub mod kind {
    pub const LF_VTSHAPE: u16 = 0x000a;
    pub const LF_MODIFIER: u16 = 0x1001;
    pub const LF_POINTER: u16 = 0x1002;
    pub const LF_PROCEDURE: u16 = 0x1008;
    pub const LF_MFUNCTION: u16 = 0x1009;
    pub const LF_ARGLIST: u16 = 0x1201;
    pub const LF_FIELDLIST: u16 = 0x1203;
    pub const LF_BITFIELD: u16 = 0x1205;
    pub const LF_BCLASS: u16 = 0x1400;
    pub const LF_VBCLASS: u16 = 0x1401;
    pub const LF_IVBCLASS: u16 = 0x1402;
    pub const LF_INDEX: u16 = 0x1404;
    pub const LF_VFUNCTAB: u16 = 0x1409;
    pub const LF_FRIENDCLS: u16 = 0x140b;
    pub const LF_VFUNCOFF: u16 = 0x140c;
    pub const LF_ENUMERATE: u16 = 0x1502;
    pub const LF_ARRAY: u16 = 0x1503;
    pub const LF_CLASS: u16 = 0x1504;
    pub const LF_STRUCTURE: u16 = 0x1505;
    pub const LF_UNION: u16 = 0x1506;
    pub const LF_ENUM: u16 = 0x1507;
    pub const LF_ALIAS: u16 = 0x150a;
    pub const LF_FRIENDFCN: u16 = 0x150c;
    pub const LF_MEMBER: u16 = 0x150d;
    pub const LF_STMEMBER: u16 = 0x150e;
    pub const LF_METHOD: u16 = 0x150f;
    pub const LF_NESTTYPE: u16 = 0x1510;
    pub const LF_ONEMETHOD: u16 = 0x1511;
    pub const LF_NESTTYPEEX: u16 = 0x1512;
    pub const LF_MEMBERMODIFY: u16 = 0x1513;
    pub const LF_INTERFACE: u16 = 0x1519;
    pub const LF_BINTERFACE: u16 = 0x151a;
    pub const LF_FUNC_ID: u16 = 0x1601;
    pub const LF_MFUNC_ID: u16 = 0x1602;
    pub const LF_STRING_ID: u16 = 0x1605;
    pub const LF_CLASS_19: u16 = 0x1608;
    pub const LF_STRUCTURE_19: u16 = 0x1609;
    pub const LF_UNION_19: u16 = 0x160a;
    pub const LF_INTERFACE_19: u16 = 0x160b;
}

/// A number in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number {
    /// An integer.
    Integer(i128),
    /// Anything else (floating point, text): its bytes.
    Bytes(Vec<u8>),
}

/// Reads a numeric leaf: below 0x8000 the number itself, else its kind, then the number. None if it is damaged: what
/// follows a leaf of unknown size cannot be read either.
pub fn number(input: &mut Reader<'_>) -> Option<Number> {
    let integer = match input.u16().ok()? {
        small @ 0..0x8000 => i128::from(small),
        0x8000 => i128::from(input.u8().ok()? as i8),
        0x8001 => i128::from(input.u16().ok()? as i16),
        0x8002 => i128::from(input.u16().ok()?),
        0x8003 => i128::from(input.i32().ok()?),
        0x8004 => i128::from(input.u32().ok()?),
        0x8009 => i128::from(input.u64().ok()? as i64),
        0x800a => i128::from(input.u64().ok()?),
        0x8017 | 0x8018 => input.u128().ok()? as i128,
        other => return bytes_of(other, input).map(|bytes| Number::Bytes(bytes.to_vec())),
    };
    Some(Number::Integer(integer))
}

/// The bytes of a numeric leaf that is no integer.
fn bytes_of<'a>(kind: u16, input: &mut Reader<'a>) -> Option<&'a [u8]> {
    let size = match kind {
        0x801c => 2,                            // LF_REAL16
        0x8005 => 4,                            // LF_REAL32
        0x800b => 6,                            // LF_REAL48
        0x8006 | 0x800c | 0x801a => 8,          // LF_REAL64, LF_COMPLEX32, LF_DATE
        0x8007 => 10,                           // LF_REAL80
        0x8008 | 0x800d | 0x8019 => 16,         // LF_REAL128, LF_COMPLEX64, LF_DECIMAL
        0x800e => 20,                           // LF_COMPLEX80
        0x800f => 32,                           // LF_COMPLEX128
        0x8010 => input.u16().ok()?.into(),     // LF_VARSTRING
        0x801b => return input.c_string().ok(), // LF_UTF8STRING
        _ => return None,
    };
    input.take(size).ok()
}

/// A number that counts: a size, an offset. None if it is negative or damaged.
pub fn count(input: &mut Reader<'_>) -> Option<u64> {
    match number(input)? {
        Number::Integer(value) => u64::try_from(value).ok(),
        Number::Bytes(_) => None,
    }
}

/// What kind of type has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UdtKind {
    /// A class, structure, union or interface.
    Class(ClassKind),
    /// An enumeration, and the type that holds it.
    Enum(u32),
}

/// A user-defined type: a class or enumeration, or the declaration of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Udt {
    /// Which.
    pub kind: UdtKind,
    properties: u16,
    /// Index of its list of fields; 0 if it has none.
    pub fields: u32,
    /// Bytes; 0 for enumerations and declarations.
    pub size_bytes: u64,
    /// As stored, qualified.
    pub name: String,
    /// The decorated name.
    pub unique_name: Option<String>,
}

impl Udt {
    const IS_DECLARATION: u16 = 0x80;
    const IS_SCOPED: u16 = 0x100;
    const HAS_UNIQUE_NAME: u16 = 0x200;

    /// Reads a record, if it is one of these.
    pub fn read(leaf: u16, data: &[u8]) -> Option<Udt> {
        let class = match leaf {
            kind::LF_CLASS | kind::LF_CLASS_19 => Some(ClassKind::Class),
            kind::LF_STRUCTURE | kind::LF_STRUCTURE_19 => Some(ClassKind::Struct),
            kind::LF_UNION | kind::LF_UNION_19 => Some(ClassKind::Union),
            kind::LF_INTERFACE | kind::LF_INTERFACE_19 => Some(ClassKind::Interface),
            kind::LF_ENUM => None,
            _ => return None,
        };
        let mut input = Reader::new(data);
        let is_wide = (kind::LF_CLASS_19..=kind::LF_INTERFACE_19).contains(&leaf);
        let (properties, kind, fields) = match class {
            Some(class) => class_head(&mut input, class, is_wide).ok()?,
            None => enum_head(&mut input).ok()?,
        };
        let size_bytes = if class.is_some() { count(&mut input)? } else { 0 };
        let name = text(&mut input);
        let has_unique_name = properties & Udt::HAS_UNIQUE_NAME != 0 && input.c_string().is_ok();
        let unique_name = Some(text(&mut input)).filter(|name| has_unique_name && !name.is_empty());
        Some(Udt { kind, properties, fields, size_bytes, name, unique_name })
    }

    /// Whether it is a declaration without definition.
    pub fn is_declaration(&self) -> bool {
        self.properties & Udt::IS_DECLARATION != 0
    }

    /// Whether it is local to a function, such that others may have its name.
    pub fn is_scoped(&self) -> bool {
        self.properties & Udt::IS_SCOPED != 0
    }

    /// The name under which the definition is in the hash table.
    /// Source: LLVM, `getHashForUdt` (TpiHashing.cpp); microsoft-pdb, tpi.cpp (`hashUdtName`).
    pub fn hashed_name(&self) -> &str {
        self.unique_name.as_deref().filter(|_| self.is_scoped()).unwrap_or(&self.name)
    }
}

fn class_head(input: &mut Reader<'_>, class: ClassKind, is_wide: bool) -> Result<(u16, UdtKind, u32), Truncated> {
    let properties = if is_wide {
        input.u32()? as u16
    } else {
        input.skip(2)?; // count of members
        input.u16()?
    };
    let fields = input.u32()?;
    if class != ClassKind::Union {
        input.skip(8)?; // derivation list, vtable shape
    }
    if is_wide {
        input.skip(2)?; // count of members
    }
    Ok((properties, UdtKind::Class(class), fields))
}

fn enum_head(input: &mut Reader<'_>) -> Result<(u16, UdtKind, u32), Truncated> {
    input.skip(2)?; // count of names
    let (properties, underlying, fields) = (input.u16()?, input.u32()?, input.u32()?);
    Ok((properties, UdtKind::Enum(underlying), fields))
}
