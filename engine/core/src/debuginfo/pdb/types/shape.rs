//! What a type is made of, and its size.
//!
//! Source: Microsoft, microsoft-pdb, cvinfo.h (`lfPointer`, `lfModifier`, `lfArray`, `lfProc`, `lfMFunc`, `lfArgList`,
//! `lfBitfield`, `lfVTShape`, `lfAlias`).

use super::super::records::text;
use super::leaf::{Udt, UdtKind, count, kind};
use super::names::plain_name;
use super::simple::{self, FIRST_RECORD, NO_TYPE, VOID};
use super::{DEEPEST, Reference, Types};
use crate::bytes::Reader;
use crate::debuginfo::{Bits, PointerKind, Type, TypeId, TypeShape};

/// `lfPointerAttr`: the low five bits tell the kind, three the mode, bits 13 to 18 the size in bytes.
#[derive(Debug, Clone, Copy)]
struct PointerAttributes(u32);

impl PointerAttributes {
    fn mode(self) -> u32 {
        self.0 >> 5 & 7
    }

    fn is_volatile(self) -> bool {
        self.0 & 1 << 9 != 0
    }

    fn is_const(self) -> bool {
        self.0 & 1 << 10 != 0
    }

    fn size_bytes(self, of_processor: u64) -> u64 {
        match (self.0 >> 13 & 0x3f, self.0 & 0x1f) {
            (0, 0x0a) => 4, // CV_PTR_NEAR32, of compilers that left the size out
            (0, 0x0c) => 8, // CV_PTR_64
            (0, _) => of_processor,
            (size, _) => size.into(),
        }
    }
}

impl Types {
    /// A type. Of a declaration that has a definition here, the definition.
    pub fn type_of(&self, reference: Reference) -> Option<Type> {
        match reference {
            Reference::Typedef(_) => None, // a symbol
            Reference::BarePointer(index) => self.pointer(index, true),
            Reference::Type(index @ 0..FIRST_RECORD) => simple::type_of(index, self.pointer_size_bytes),
            Reference::Type(index) => self.of_record(index),
        }
    }

    fn of_record(&self, index: u32) -> Option<Type> {
        let leaf = self.record(index)?;
        let mut input = Reader::new(&leaf.data);
        match leaf.kind {
            kind::LF_POINTER => self.pointer(index, false),
            kind::LF_MODIFIER => {
                let (target, flags) = (input.u32().ok()?, input.u16().ok()?);
                let (is_const, is_volatile) = (flags & 1 != 0, flags & 2 != 0);
                let shape = TypeShape::Modified { target: self.reference(target), is_const, is_volatile };
                Some(unnamed(self.size_of(target, DEEPEST), shape))
            }
            kind::LF_ALIAS => {
                let target = input.u32().ok()?;
                let (name, size_bytes) = (text(&mut input), self.size_of(target, DEEPEST));
                Some(Type { name, size_bytes, shape: TypeShape::Typedef { target: self.reference(target) } })
            }
            kind::LF_ARRAY => self.array(index),
            kind::LF_PROCEDURE | kind::LF_MFUNCTION => self.function(leaf.kind, &mut input),
            kind::LF_BITFIELD => {
                let (underlying, _) = self.bit_field(index)?;
                self.type_of(Reference::Type(underlying)).filter(|_| underlying < FIRST_RECORD)
            }
            kind::LF_VTSHAPE => {
                let count = u64::from(input.u16().ok()?);
                let element = Some(Reference::Type(simple::void_pointer(self.pointer_size_bytes)).id());
                let shape = TypeShape::Array { element, counts: vec![Some(count)] };
                Some(unnamed(Some(count * self.pointer_size_bytes), shape))
            }
            _ => self.named_type(&Udt::read(leaf.kind, &leaf.data)?),
        }
    }

    fn named_type(&self, udt: &Udt) -> Option<Type> {
        if udt.is_declaration()
            && let Some(definition) = self.definition_of(udt).and_then(|index| self.udt(index))
        {
            return self.named_type(&definition); // which is no declaration
        }
        let is_declaration = udt.is_declaration();
        let (shape, size_bytes) = match udt.kind {
            UdtKind::Class(kind) => (TypeShape::Class { kind, is_declaration }, Some(udt.size_bytes)),
            UdtKind::Enum(underlying) => {
                let shape = TypeShape::Enum { underlying: self.reference(underlying), is_declaration };
                (shape, self.size_of(underlying, DEEPEST))
            }
        };
        Some(Type { name: plain_name(&udt.name), size_bytes: size_bytes.filter(|_| !is_declaration), shape })
    }

    /// A pointer. One that is `const` itself is a modified one, unless `is_bare`.
    fn pointer(&self, index: u32, is_bare: bool) -> Option<Type> {
        let leaf = self.record(index).filter(|leaf| leaf.kind == kind::LF_POINTER)?;
        let mut input = Reader::new(&leaf.data);
        let (target, attributes) = (input.u32().ok()?, PointerAttributes(input.u32().ok()?));
        let size_bytes = Some(attributes.size_bytes(self.pointer_size_bytes));
        let (is_const, is_volatile) = (attributes.is_const(), attributes.is_volatile());
        if !is_bare && (is_const || is_volatile) {
            let target = Some(Reference::BarePointer(index).id());
            return Some(unnamed(size_bytes, TypeShape::Modified { target, is_const, is_volatile }));
        }
        let target = self.reference(target);
        let kind = match attributes.mode() {
            0 => PointerKind::Pointer,
            1 => PointerKind::Reference,
            4 => PointerKind::RvalueReference,
            2 | 3 => {
                let class = self.reference(input.u32().ok()?);
                return Some(unnamed(size_bytes, TypeShape::MemberPointer { target, class }));
            }
            _ => return None,
        };
        Some(unnamed(size_bytes, TypeShape::Pointer { target, kind }))
    }

    /// An array; arrays of arrays are its further dimensions. Records tell sizes, not counts.
    fn array(&self, index: u32) -> Option<Type> {
        let (mut element, size_bytes) = self.array_record(index)?;
        let mut sizes = vec![size_bytes];
        while let Some((inner, size_bytes)) = self.array_record(element).filter(|_| sizes.len() < DEEPEST as usize) {
            sizes.push(size_bytes);
            element = inner;
        }
        sizes.push(self.size_of(element, DEEPEST).unwrap_or(0));
        let count = |pair: &[u64]| pair[0].checked_div(pair[1]).filter(|count| *count > 0);
        let counts = sizes.windows(2).map(count).collect();
        let shape = TypeShape::Array { element: self.reference(element), counts };
        Some(unnamed(Some(size_bytes).filter(|size| *size > 0), shape))
    }

    /// Index of the element's type, and bytes of the whole.
    fn array_record(&self, index: u32) -> Option<(u32, u64)> {
        let leaf = self.record(index).filter(|leaf| leaf.kind == kind::LF_ARRAY)?;
        let mut input = Reader::new(&leaf.data);
        let element = input.u32().ok()?;
        input.skip(4).ok()?; // type of the index
        Some((element, count(&mut input)?))
    }

    fn function(&self, leaf: u16, input: &mut Reader<'_>) -> Option<Type> {
        let result = self.reference(input.u32().ok()?);
        let mut class = None;
        if leaf == kind::LF_MFUNCTION {
            let (of_class, this) = (input.u32().ok()?, input.u32().ok()?);
            class = self.reference(of_class).filter(|_| this != NO_TYPE && this != VOID);
        }
        input.skip(4).ok()?; // calling convention, attributes, count
        let mut parameters = self.parameters(input.u32().ok()?);
        let is_variadic = parameters.last() == Some(&NO_TYPE);
        parameters.retain(|index| *index != NO_TYPE && *index != VOID);
        let parameters: Vec<TypeId> = parameters.into_iter().filter_map(|index| self.reference(index)).collect();
        Some(unnamed(None, TypeShape::Function { result, parameters, is_variadic, class }))
    }

    fn parameters(&self, list: u32) -> Vec<u32> {
        let read = || -> Option<Vec<u32>> {
            let leaf = self.record(list).filter(|leaf| leaf.kind == kind::LF_ARGLIST)?;
            let mut input = Reader::new(&leaf.data);
            let count = input.count_of(4).ok()?;
            (0..count).map(|_| input.u32().ok()).collect()
        };
        read().unwrap_or_default()
    }

    /// Index of the type that a bit-field is of, and its bits.
    pub fn bit_field(&self, index: u32) -> Option<(u32, Bits)> {
        let leaf = self.record(index).filter(|leaf| leaf.kind == kind::LF_BITFIELD)?;
        let mut input = Reader::new(&leaf.data);
        let (underlying, count, first) = (input.u32().ok()?, input.u8().ok()?, input.u8().ok()?);
        Some((underlying, Bits { first: first.into(), count: count.into() }))
    }

    /// Bytes of an object of the type with an index, followed `depth` times to what it is made of.
    pub(super) fn size_of(&self, index: u32, depth: u32) -> Option<u64> {
        if index < FIRST_RECORD {
            return simple::type_of(index, self.pointer_size_bytes)?.size_bytes;
        }
        let depth = depth.checked_sub(1)?;
        let leaf = self.record(index)?;
        match leaf.kind {
            kind::LF_MODIFIER | kind::LF_ALIAS => self.size_of(Reader::new(&leaf.data).u32().ok()?, depth),
            kind::LF_ARRAY => self.array_record(index).map(|(_, size_bytes)| size_bytes).filter(|size| *size > 0),
            kind::LF_POINTER => self.pointer(index, true)?.size_bytes,
            _ => {
                let udt = Udt::read(leaf.kind, &leaf.data)?;
                let defined = if udt.is_declaration() { self.udt(self.definition_of(&udt)?)? } else { udt };
                match defined.kind {
                    UdtKind::Class(_) => Some(defined.size_bytes),
                    UdtKind::Enum(underlying) => self.size_of(underlying, depth),
                }
            }
        }
    }
}

fn unnamed(size_bytes: Option<u64>, shape: TypeShape) -> Type {
    Type { name: String::new(), size_bytes, shape }
}
