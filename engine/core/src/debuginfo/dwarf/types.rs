//! Types.
//!
//! Source: DWARF 5, chapter 5, "Type Entries".

use gimli::constants as dw;
use gimli::{AttributeValue, UnitOffset};

use super::Dwarf;
use super::attributes::{Described, Number, chain};
use super::entry::Entry;
use super::file::Need;
use crate::debuginfo::{BaseEncoding, ClassKind, PointerKind, Type, TypeId, TypeShape};

/// Types that are looked at for the size of one.
const MOST_STEPS: usize = 32;
/// `DW_TAG_LLVM_ptrauth_type`: a pointer that is signed (arm64e).
const POINTER_AUTHENTICATION: gimli::DwTag = gimli::DwTag(0x4300);
/// Children of an entry that are listed.
const MOST_CHILDREN: usize = 1 << 16;
/// Entries that are passed over to list them: their own children.
const MOST_ENTRIES: usize = 1 << 20;
/// The same of an array, which has few.
const MOST_ENTRIES_OF_ARRAY: usize = 256;
/// Parameters of a function.
const MOST_PARAMETERS: usize = 1 << 10;
/// Dimensions of an array, and arrays in arrays.
const MOST_DIMENSIONS: usize = 16;

/// A child of an entry: where it is, its tag.
pub type Child = (UnitOffset, gimli::DwTag);

/// A child, and the variant, or part with variants, that it is in.
pub type VariantChild = (Child, Option<Child>);

impl Dwarf {
    /// The type with this number.
    pub(super) fn described_type(&self, id: TypeId) -> Option<Type> {
        let entry = self.definition(self.entry_of(id)?);
        let read = Described::read(self, &entry, Need::Entries)?;
        let shape = self.shape(&read)?;
        let size_bytes = match shape {
            TypeShape::Function { .. } | TypeShape::Void => None,
            TypeShape::Class { is_declaration: true, .. } => None,
            _ => self.size_of(entry.clone()),
        };
        let name = match shape {
            TypeShape::Function { .. } | TypeShape::Pointer { .. } | TypeShape::MemberPointer { .. } => None,
            TypeShape::Modified { .. } | TypeShape::Array { .. } => None,
            _ => self.qualified_name(&entry.unit, entry.offset),
        };
        Some(Type { name: name.unwrap_or_default(), size_bytes, shape })
    }

    /// The entry with the type's content: of one that leaves that to a type unit, that unit's.
    pub(super) fn definition(&self, entry: Entry) -> Entry {
        let elsewhere = || {
            let read = Described::read(self, &entry, Need::Entries)?;
            self.follow(&entry, read.value(dw::DW_AT_signature)?)
        };
        elsewhere().unwrap_or(entry)
    }

    fn shape(&self, read: &Described<'_>) -> Option<TypeShape> {
        let target = read.reference(dw::DW_AT_type);
        let pointer = |kind| TypeShape::Pointer { target, kind };
        let modified = |is_const, is_volatile| TypeShape::Modified { target, is_const, is_volatile };
        let is_declaration = read.flag(dw::DW_AT_declaration);
        let class = |kind| TypeShape::Class { kind, is_declaration };
        Some(match read.tag() {
            dw::DW_TAG_base_type => TypeShape::Base(encoding(read)),
            dw::DW_TAG_unspecified_type => match read.text(dw::DW_AT_name).as_deref() {
                Some("decltype(nullptr)" | "std::nullptr_t" | "nullptr_t") => TypeShape::Base(BaseEncoding::Null),
                _ => TypeShape::Void,
            },
            dw::DW_TAG_pointer_type => pointer(PointerKind::Pointer),
            dw::DW_TAG_reference_type => pointer(PointerKind::Reference),
            dw::DW_TAG_rvalue_reference_type => pointer(PointerKind::RvalueReference),
            dw::DW_TAG_ptr_to_member_type => {
                TypeShape::MemberPointer { target, class: read.reference(dw::DW_AT_containing_type) }
            }
            dw::DW_TAG_const_type => modified(true, false),
            dw::DW_TAG_volatile_type => modified(false, true),
            dw::DW_TAG_restrict_type
            | dw::DW_TAG_atomic_type
            | dw::DW_TAG_packed_type
            | dw::DW_TAG_shared_type
            | dw::DW_TAG_immutable_type
            | POINTER_AUTHENTICATION => modified(false, false),
            dw::DW_TAG_typedef | dw::DW_TAG_template_alias | dw::DW_TAG_subrange_type => TypeShape::Typedef { target },
            dw::DW_TAG_array_type => TypeShape::Array { element: target, counts: self.counts(read) },
            dw::DW_TAG_class_type => class(ClassKind::Class),
            dw::DW_TAG_structure_type => class(ClassKind::Struct),
            dw::DW_TAG_union_type => class(ClassKind::Union),
            dw::DW_TAG_interface_type => class(ClassKind::Interface),
            dw::DW_TAG_enumeration_type => TypeShape::Enum { underlying: target, is_declaration },
            dw::DW_TAG_subroutine_type | dw::DW_TAG_subprogram => self.function(read.at),
            dw::DW_TAG_string_type | dw::DW_TAG_set_type | dw::DW_TAG_file_type => {
                TypeShape::Base(BaseEncoding::Unknown)
            }
            _ => return None,
        })
    }

    /// Bytes of an object of the type.
    pub(super) fn size_of(&self, mut entry: Entry) -> Option<u64> {
        let (mut elements, mut arrays) = (1_u64, 0);
        for _ in 0..MOST_STEPS {
            entry = self.definition(entry);
            let read = Described::read(self, &entry, Need::Entries)?;
            if let Some(size) = read.count(dw::DW_AT_byte_size) {
                return size.checked_mul(elements);
            }
            let pointer_bytes = u64::from(read.view.unit.encoding().address_size);
            let size = match read.tag() {
                dw::DW_TAG_pointer_type
                | dw::DW_TAG_reference_type
                | dw::DW_TAG_rvalue_reference_type
                | dw::DW_TAG_unspecified_type => Some(pointer_bytes),
                dw::DW_TAG_ptr_to_member_type => {
                    // Itanium C++ ABI, 2.3: of functions, a pointer or index, and what is added to `this`.
                    let target = read.value(dw::DW_AT_type).and_then(|value| self.follow(&entry, value));
                    let tag = target.and_then(|it| Described::read(self, &it, Need::Entries).map(|it| it.tag()));
                    let words = if tag == Some(dw::DW_TAG_subroutine_type) { 2 } else { 1 };
                    Some(pointer_bytes.saturating_mul(words))
                }
                dw::DW_TAG_base_type => Some(read.count(dw::DW_AT_bit_size)?.div_ceil(8)),
                dw::DW_TAG_array_type => {
                    arrays += 1;
                    if arrays > MOST_DIMENSIONS {
                        return None;
                    }
                    for count in self.counts(&read) {
                        elements = elements.checked_mul(count?)?;
                    }
                    None
                }
                dw::DW_TAG_class_type | dw::DW_TAG_structure_type | dw::DW_TAG_union_type => return None,
                dw::DW_TAG_subroutine_type | dw::DW_TAG_subprogram => return None,
                _ => None,
            };
            if let Some(size) = size {
                return size.checked_mul(elements);
            }
            entry = self.follow(&entry, read.value(dw::DW_AT_type)?)?;
        }
        None
    }

    /// Elements of each dimension of an array.
    fn counts(&self, read: &Described<'_>) -> Vec<Option<u64>> {
        let count = |offset| {
            let entry = read.at.sibling(offset);
            let read = Described::read(self, &entry, Need::Entries)?;
            if let Some(count) = read.number(dw::DW_AT_count) {
                return u64::try_from(count.value).ok();
            }
            let lower = read.number(dw::DW_AT_lower_bound).map_or(0, |lower| lower.value);
            let upper = bound(read.number(dw::DW_AT_upper_bound)?, read.view.unit.encoding().address_size);
            u64::try_from(upper.checked_sub(lower)?.checked_add(1)?).ok()
        };
        dimensions(read).into_iter().map(count).collect()
    }

    /// A function's type. What its entry does not say, its declaration does.
    fn function(&self, at: &Entry) -> TypeShape {
        let mut result = None;
        let mut parameters = Vec::new();
        let (mut is_variadic, mut class) = (false, None);
        // The declaration comes last, and has all parameters; a definition may have lost some.
        for entry in chain(self, at.clone()) {
            let Some(read) = Described::read(self, &entry, Need::Entries) else { continue };
            result = result.or_else(|| read.reference(dw::DW_AT_type));
            let children = children(&read);
            let has = |wanted| children.iter().any(|(_, tag)| *tag == wanted);
            is_variadic |= has(dw::DW_TAG_unspecified_parameters);
            if has(dw::DW_TAG_formal_parameter) {
                let of_entry = children.iter().filter(|(_, tag)| *tag == dw::DW_TAG_formal_parameter);
                let of_entry: Vec<Entry> =
                    of_entry.take(MOST_PARAMETERS).map(|&(offset, _)| entry.sibling(offset)).collect();
                let is_artificial = |it: &Entry| self.is_artificial(it);
                class = class.or(of_entry.first().filter(|it| is_artificial(it)).and_then(|it| self.pointee(it)));
                let explicit = of_entry.iter().filter(|it| !is_artificial(it));
                parameters = explicit.filter_map(|it| self.attribute_of(it, dw::DW_AT_type)).collect();
            }
        }
        TypeShape::Function { result, parameters, is_variadic, class }
    }

    fn is_artificial(&self, entry: &Entry) -> bool {
        let has = |it: &Entry| Described::read(self, it, Need::Entries).is_some_and(|it| it.flag(dw::DW_AT_artificial));
        chain(self, entry.clone()).iter().any(has)
    }

    /// The entry that an attribute refers to, of the first of an entry's chain that has it.
    fn attribute_of(&self, entry: &Entry, name: gimli::DwAt) -> Option<TypeId> {
        let chain = chain(self, entry.clone());
        chain.iter().find_map(|entry| Described::read(self, entry, Need::Entries)?.reference(name))
    }

    /// What the pointer points to that `this` is, without `const`.
    fn pointee(&self, parameter: &Entry) -> Option<TypeId> {
        let mut id = self.attribute_of(parameter, dw::DW_AT_type)?;
        let mut is_pointer = false;
        for _ in 0..MOST_STEPS {
            let entry = self.entry_of(id)?;
            let read = Described::read(self, &entry, Need::Entries)?;
            match read.tag() {
                dw::DW_TAG_pointer_type | dw::DW_TAG_reference_type => is_pointer = true,
                dw::DW_TAG_const_type | dw::DW_TAG_volatile_type => {}
                dw::DW_TAG_class_type | dw::DW_TAG_structure_type | dw::DW_TAG_union_type => {
                    return Some(id).filter(|_| is_pointer);
                }
                _ => return None,
            }
            id = read.reference(dw::DW_AT_type)?;
        }
        None
    }
}

/// Entries of an array's dimensions, the outermost first.
pub fn dimensions(array: &Described<'_>) -> Vec<UnitOffset> {
    let is_dimension =
        |tag| matches!(tag, dw::DW_TAG_subrange_type | dw::DW_TAG_generic_subrange | dw::DW_TAG_enumeration_type);
    let children = few_children(array, MOST_ENTRIES_OF_ARRAY).into_iter().filter(|&(_, tag)| is_dimension(tag));
    children.map(|(offset, _)| offset).take(MOST_DIMENSIONS).collect()
}

/// The upper bound of an array. gcc 12 gives arrays without elements (`int a[0]`) the bound -1, as an unsigned number.
fn bound(upper: Number, address_bytes: u8) -> i128 {
    match upper {
        Number { value, plain_bytes: Some(bytes) } if bytes >= address_bytes && bytes <= 8 => {
            Number { value, plain_bytes: None }.typed(bytes.into(), true)
        }
        Number { value, .. } if value == i128::from(u64::MAX) => -1,
        Number { value, .. } => value,
    }
}

/// Children of an entry, in their order; as far as they are not damaged. What is in a variant counts as child of what the
/// variant is in.
pub fn children(read: &Described<'_>) -> Vec<Child> {
    few_children(read, MOST_ENTRIES)
}

/// The same, with the variants that they are in.
pub fn variant_children(read: &Described<'_>) -> Vec<VariantChild> {
    let mut children = Vec::new();
    let _ = add_children(read, MOST_ENTRIES, &mut children);
    children
}

/// Children, with at most so many entries passed over.
fn few_children(read: &Described<'_>, most_entries: usize) -> Vec<Child> {
    let mut children = Vec::new();
    let _ = add_children(read, most_entries, &mut children);
    children.into_iter().map(|(child, _)| child).collect()
}

fn add_children(
    read: &Described<'_>,
    most_entries: usize,
    children: &mut Vec<VariantChild>,
) -> Result<(), gimli::Error> {
    let mut entries = read.view.unit.entries_raw(Some(read.at.offset))?;
    // How deep children are: below the entry, and below variants in it.
    let mut depths = vec![(1, None)];
    for _ in 0..most_entries {
        let (offset, depth) = (entries.next_offset(), entries.next_depth());
        if entries.is_empty() || depth <= 0 && offset != read.at.offset || children.len() >= MOST_CHILDREN {
            break;
        }
        let Some(abbreviation) = entries.read_abbreviation()? else { continue };
        while depths.pop_if(|(of, _)| *of > depth.max(1)).is_some() {}
        if let Some(&(of, variant)) = depths.last().filter(|(of, _)| *of == depth) {
            match abbreviation.tag() {
                tag @ (dw::DW_TAG_variant_part | dw::DW_TAG_variant) => depths.push((of + 1, Some((offset, tag)))),
                tag => children.push(((offset, tag), variant)),
            }
        }
        entries.skip_attributes(abbreviation.attributes())?;
    }
    Ok(())
}

/// What a fundamental type's bytes mean.
fn encoding(read: &Described<'_>) -> BaseEncoding {
    let Some(AttributeValue::Encoding(encoding)) = read.value(dw::DW_AT_encoding) else {
        return BaseEncoding::Unknown;
    };
    // gcc and clang make `wchar_t` an integer; before DWARF 4 there was nothing else to make of the others.
    if let Some("wchar_t" | "char8_t" | "char16_t" | "char32_t") = read.text(dw::DW_AT_name).as_deref() {
        return BaseEncoding::Unicode;
    }
    match encoding {
        dw::DW_ATE_boolean => BaseEncoding::Boolean,
        dw::DW_ATE_signed => BaseEncoding::Signed,
        dw::DW_ATE_unsigned | dw::DW_ATE_address => BaseEncoding::Unsigned,
        dw::DW_ATE_float => BaseEncoding::Float,
        dw::DW_ATE_complex_float => BaseEncoding::Complex,
        dw::DW_ATE_signed_char => BaseEncoding::SignedCharacter,
        dw::DW_ATE_unsigned_char | dw::DW_ATE_ASCII => BaseEncoding::UnsignedCharacter,
        dw::DW_ATE_UTF | dw::DW_ATE_UCS => BaseEncoding::Unicode,
        _ => BaseEncoding::Unknown,
    }
}
