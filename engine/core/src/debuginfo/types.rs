//! Types, as every format of debug information tells them.
//!
//! The engine names what the program names: classes, enumerations, typedefs, fundamental types. How a pointer, an array or
//! a function type is spelled is not stored in any format; that is composed above.

/// A type, by the format's own reference: an index of the TPI stream, an offset in `.debug_info`. Means something only
/// to the debug information that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u64);

/// A type. What it consists of is asked for with [`super::DebugInfo::members_of`] and
/// [`super::DebugInfo::enumerators_of`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    /// Qualified, `geo::Rect`, `std::vector<int, std::allocator<int> >`, as the format has it; empty where the program
    /// gave no name (pointers, arrays, functions, unnamed classes).
    pub name: String,
    /// Bytes of an object; None where the format does not say (functions, declarations, unbounded arrays).
    pub size_bytes: Option<u64>,
    /// What kind of type.
    pub shape: TypeShape,
}

/// What kind of type, and which others it is made of. An [`Option`] of a type is None for `void`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeShape {
    /// `void`; DWARF's `decltype(nullptr)` is [`BaseEncoding::Null`].
    Void,
    /// A fundamental type.
    Base(BaseEncoding),
    /// A pointer or reference.
    Pointer {
        /// What it points to.
        target: Option<TypeId>,
        /// Which of them.
        kind: PointerKind,
    },
    /// A pointer to a member of a class, or to a member function (the target is a function then).
    MemberPointer {
        /// The member's type.
        target: Option<TypeId>,
        /// The class.
        class: Option<TypeId>,
    },
    /// `const`, `volatile`.
    Modified {
        /// What is modified.
        target: Option<TypeId>,
        /// `const`
        is_const: bool,
        /// `volatile`
        is_volatile: bool,
    },
    /// Another name.
    Typedef {
        /// What it stands for.
        target: Option<TypeId>,
    },
    /// An array, `counts.len()` dimensions of it, the outermost first.
    Array {
        /// What it holds.
        element: Option<TypeId>,
        /// Elements of each dimension; None where the format does not say (`int a[]`).
        counts: Vec<Option<u64>>,
    },
    /// A class, structure, union or interface.
    Class {
        /// Which keyword.
        kind: ClassKind,
        /// Whether only its declaration is known here: it has neither size nor members.
        is_declaration: bool,
    },
    /// An enumeration.
    Enum {
        /// The integer type that holds it.
        underlying: Option<TypeId>,
        /// Whether only its declaration is known here.
        is_declaration: bool,
    },
    /// A function.
    Function {
        /// What it returns.
        result: Option<TypeId>,
        /// In order, without `this`.
        parameters: Vec<TypeId>,
        /// Whether more may follow (`...`).
        is_variadic: bool,
        /// The class of a member function that takes `this`.
        class: Option<TypeId>,
    },
}

/// How the bytes of a fundamental type are read, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseEncoding {
    /// 0 is false.
    Boolean,
    /// Two's complement.
    Signed,
    /// Unsigned.
    Unsigned,
    /// IEEE 754 of 2, 4, 8 or 16 bytes; x87's format where only 10 bytes count.
    Float,
    /// Two floats.
    Complex,
    /// A character, signed; one byte.
    SignedCharacter,
    /// A character, unsigned; one byte.
    UnsignedCharacter,
    /// A character of UTF-8, -16 or -32 (`char8_t`, `char16_t`, `char32_t`) or `wchar_t`, by its size.
    Unicode,
    /// `HRESULT`: signed, shown as a code.
    Hresult,
    /// `decltype(nullptr)`
    Null,
    /// Another; its bytes are all that is known.
    Unknown,
}

/// What points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointerKind {
    /// `*`
    Pointer,
    /// `&`
    Reference,
    /// `&&`
    RvalueReference,
}

/// The keyword of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassKind {
    /// `class`
    Class,
    /// `struct`
    Struct,
    /// `union`
    Union,
    /// `__interface`
    Interface,
}

/// Something that a class consists of, in the order of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// As in the source, without the class; of a base class its qualified name. Empty for an unnamed structure or union.
    pub name: String,
    /// Its type.
    pub type_id: Option<TypeId>,
    /// What it is, and where.
    pub kind: MemberKind,
    /// Whether the compiler added it (a vtable pointer).
    pub is_artificial: bool,
    /// Which of the alternatives of a tagged union it is part of.
    pub variant: VariantRole,
}

/// What a [`Member`] is in a tagged union, such as an enumeration of Rust.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum VariantRole {
    /// It is there in all of them.
    #[default]
    Always,
    /// It tells which alternative there is.
    Discriminant,
    /// It is there if the discriminant is in one of these ranges, whose ends count.
    When(Vec<(i128, i128)>),
    /// It is there if nothing else is.
    Otherwise,
}

/// What a [`Member`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    /// Data at an offset in the object.
    Field {
        /// Bytes from the start of the object.
        offset_bytes: u64,
        /// Of a bit-field: which bits of the little-endian number at `offset_bytes`.
        bits: Option<Bits>,
    },
    /// A base class at an offset in the object.
    Base {
        /// Bytes from the start of the object.
        offset_bytes: u64,
    },
    /// A virtual base class: where it is depends on the object.
    VirtualBase(VirtualBase),
    /// Static data: a variable named `Class::name`.
    Static,
    /// A type that is declared in the class.
    NestedType,
}

/// Bits of a little-endian number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits {
    /// The lowest, counted from the least significant.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// How the offset of a virtual base is found in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VirtualBase {
    /// Microsoft: entry `index` (4 bytes, signed) of the table that the pointer at `pointer_offset_bytes` leads to; its
    /// value counts from that pointer's place.
    Table {
        /// Of the vbtable pointer, from the start of the object.
        pointer_offset_bytes: i64,
        /// In the vbtable.
        index: u32,
    },
    /// Itanium C++ ABI 2.5.2: the word at `offset_bytes` (negative) from the vtable's address point; its value counts
    /// from the start of the object.
    Vtable {
        /// From where the object's vtable pointer leads.
        offset_bytes: i64,
    },
}

/// A name of an enumeration's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enumerator {
    /// Without the enumeration's.
    pub name: String,
    /// Its value.
    pub value: i128,
}

/// A global or static variable, or a named constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSymbol {
    /// Qualified.
    pub name: String,
    /// Its type.
    pub type_id: Option<TypeId>,
    /// Where it is: static, thread-local, constant.
    pub place: super::Place,
}
