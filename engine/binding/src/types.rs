//! Types and what they consist of.

use pyo3::prelude::*;
use stillframe_engine::debuginfo::{
    BaseEncoding, ClassKind, Member, MemberKind, PointerKind, Type, TypeId, TypeShape, VariantRole, VirtualBase,
};

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct TypeRecord {
    name: String,
    size_bytes: Option<u64>,
    kind: &'static str,
    encoding: Option<&'static str>,
    target: Option<u64>,
    class_id: Option<u64>,
    is_const: bool,
    is_volatile: bool,
    is_declaration: bool,
    counts: Vec<Option<u64>>,
    parameters: Vec<u64>,
    is_variadic: bool,
}

impl From<Type> for TypeRecord {
    fn from(value: Type) -> TypeRecord {
        let mut record = TypeRecord {
            name: value.name,
            size_bytes: value.size_bytes,
            kind: "void",
            encoding: None,
            target: None,
            class_id: None,
            is_const: false,
            is_volatile: false,
            is_declaration: false,
            counts: Vec::new(),
            parameters: Vec::new(),
            is_variadic: false,
        };
        let number = |id: Option<TypeId>| id.map(|id| id.0);
        match value.shape {
            TypeShape::Void => {}
            TypeShape::Base(encoding) => (record.kind, record.encoding) = ("base", Some(encoding_name(encoding))),
            TypeShape::Pointer { target, kind } => {
                record.target = number(target);
                record.kind = match kind {
                    PointerKind::Pointer => "pointer",
                    PointerKind::Reference => "reference",
                    PointerKind::RvalueReference => "rvalue_reference",
                };
            }
            TypeShape::MemberPointer { target, class } => {
                (record.kind, record.target, record.class_id) = ("member_pointer", number(target), number(class));
            }
            TypeShape::Modified { target, is_const, is_volatile } => {
                (record.kind, record.target) = ("modified", number(target));
                (record.is_const, record.is_volatile) = (is_const, is_volatile);
            }
            TypeShape::Typedef { target } => (record.kind, record.target) = ("typedef", number(target)),
            TypeShape::Array { element, counts } => {
                (record.kind, record.target, record.counts) = ("array", number(element), counts);
            }
            TypeShape::Class { kind, is_declaration } => {
                record.is_declaration = is_declaration;
                record.kind = match kind {
                    ClassKind::Class => "class",
                    ClassKind::Struct => "struct",
                    ClassKind::Union => "union",
                    ClassKind::Interface => "interface",
                };
            }
            TypeShape::Enum { underlying, is_declaration } => {
                (record.kind, record.target, record.is_declaration) = ("enum", number(underlying), is_declaration);
            }
            TypeShape::Function { result, parameters, is_variadic, class } => {
                (record.kind, record.target, record.class_id) = ("function", number(result), number(class));
                record.parameters = parameters.into_iter().map(|id| id.0).collect();
                record.is_variadic = is_variadic;
            }
        }
        record
    }
}

fn encoding_name(encoding: BaseEncoding) -> &'static str {
    match encoding {
        BaseEncoding::Boolean => "boolean",
        BaseEncoding::Signed => "signed",
        BaseEncoding::Unsigned => "unsigned",
        BaseEncoding::Float => "float",
        BaseEncoding::Complex => "complex",
        BaseEncoding::SignedCharacter => "signed_character",
        BaseEncoding::UnsignedCharacter => "unsigned_character",
        BaseEncoding::Unicode => "unicode",
        BaseEncoding::Hresult => "hresult",
        BaseEncoding::Null => "null",
        BaseEncoding::Unknown => "unknown",
    }
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct MemberRecord {
    name: String,
    type_id: Option<u64>,
    kind: &'static str,
    offset_bytes: Option<i64>,
    bits: Option<(u32, u32)>,
    table_index: Option<u32>,
    is_artificial: bool,
    variant: &'static str,
    discriminants: Vec<(i128, i128)>,
}

impl From<Member> for MemberRecord {
    fn from(member: Member) -> MemberRecord {
        let (kind, offset_bytes, bits, table_index) = match member.kind {
            MemberKind::Field { offset_bytes, bits } => {
                ("field", i64::try_from(offset_bytes).ok(), bits.map(|bits| (bits.first, bits.count)), None)
            }
            MemberKind::Base { offset_bytes } => ("base", i64::try_from(offset_bytes).ok(), None, None),
            MemberKind::VirtualBase(VirtualBase::Table { pointer_offset_bytes, index }) => {
                ("virtual_base", Some(pointer_offset_bytes), None, Some(index))
            }
            MemberKind::VirtualBase(VirtualBase::Vtable { offset_bytes }) => {
                ("virtual_base", Some(offset_bytes), None, None)
            }
            MemberKind::Static => ("static", None, None, None),
            MemberKind::NestedType => ("nested_type", None, None, None),
        };
        let type_id = member.type_id.map(|id| id.0);
        let (name, is_artificial) = (member.name, member.is_artificial);
        let (variant, discriminants) = match member.variant {
            VariantRole::Always => ("always", Vec::new()),
            VariantRole::Discriminant => ("discriminant", Vec::new()),
            VariantRole::When(ranges) => ("when", ranges),
            VariantRole::Otherwise => ("otherwise", Vec::new()),
        };
        MemberRecord { name, type_id, kind, offset_bytes, bits, table_index, is_artificial, variant, discriminants }
    }
}
