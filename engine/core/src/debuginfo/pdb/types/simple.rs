//! Types that have no record: indexes below 0x1000 say what they are.
//!
//! Source: Microsoft, microsoft-pdb, cvinfo.h (`TYPE_ENUM_e`); LLVM, TypeIndex.h (`SimpleTypeKind`, `SimpleTypeMode`).

use crate::debuginfo::{BaseEncoding, PointerKind, Type, TypeId, TypeShape};

/// Indexes from here on have a record.
pub const FIRST_RECORD: u32 = 0x1000;
/// `T_NOTYPE`: no type is known, or the end of a list of parameters that goes on (`...`).
pub const NO_TYPE: u32 = 0;
/// `T_VOID`.
pub const VOID: u32 = 3;
/// `void` with the mode of a 16-bit near pointer: what compilers made of `decltype(nullptr)`.
const NULL: u32 = 0x0103;

/// Kind, spelling, bytes and encoding of the fundamental types. `long` and `int` are different types of one size;
/// kinds that C++ does not tell apart (`T_QUAD`, `T_INT8`) have one spelling.
const KINDS: [(u32, &str, u64, BaseEncoding); 46] = {
    use BaseEncoding::{
        Boolean, Complex, Float, Hresult, Signed, SignedCharacter, Unicode, Unknown, Unsigned, UnsignedCharacter,
    };
    [
        (0x04, "CURRENCY", 8, Unknown),
        (0x08, "HRESULT", 4, Hresult),
        (0x10, "signed char", 1, SignedCharacter),
        (0x11, "short", 2, Signed),
        (0x12, "long", 4, Signed),
        (0x13, "long long", 8, Signed),
        (0x14, "__int128", 16, Signed),
        (0x20, "unsigned char", 1, UnsignedCharacter),
        (0x21, "unsigned short", 2, Unsigned),
        (0x22, "unsigned long", 4, Unsigned),
        (0x23, "unsigned long long", 8, Unsigned),
        (0x24, "unsigned __int128", 16, Unsigned),
        (0x30, "bool", 1, Boolean),
        (0x31, "__bool16", 2, Boolean),
        (0x32, "__bool32", 4, Boolean),
        (0x33, "__bool64", 8, Boolean),
        (0x34, "__bool128", 16, Boolean),
        (0x40, "float", 4, Float),
        (0x41, "double", 8, Float),
        (0x42, "long double", 10, Float),
        (0x43, "__float128", 16, Float),
        (0x44, "__float48", 6, Unknown),
        (0x45, "float", 4, Float),
        (0x46, "_Float16", 2, Float),
        (0x50, "_Complex float", 8, Complex),
        (0x51, "_Complex double", 16, Complex),
        (0x52, "_Complex long double", 20, Complex),
        (0x53, "_Complex __float128", 32, Complex),
        (0x56, "_Complex _Float16", 4, Complex),
        (0x60, "__bit", 1, Unknown),
        (0x62, "BOOL", 4, Boolean),
        (0x68, "signed char", 1, Signed),
        (0x69, "unsigned char", 1, Unsigned),
        (0x70, "char", 1, SignedCharacter),
        (0x71, "wchar_t", 2, Unicode),
        (0x72, "short", 2, Signed),
        (0x73, "unsigned short", 2, Unsigned),
        (0x74, "int", 4, Signed),
        (0x75, "unsigned int", 4, Unsigned),
        (0x76, "long long", 8, Signed),
        (0x77, "unsigned long long", 8, Unsigned),
        (0x78, "__int128", 16, Signed),
        (0x79, "unsigned __int128", 16, Unsigned),
        (0x7a, "char16_t", 2, Unicode),
        (0x7b, "char32_t", 4, Unicode),
        (0x7c, "char8_t", 1, Unicode),
    ]
};

/// What an index below [`FIRST_RECORD`] says; None for `T_NOTYPE` and what is not known.
pub fn type_of(index: u32, pointer_size_bytes: u64) -> Option<Type> {
    let pointed = index & 0xff;
    let size_bytes = match index >> 8 {
        0 => return direct(index),
        _ if index == NULL => {
            let shape = TypeShape::Base(BaseEncoding::Null);
            return Some(Type { name: "std::nullptr_t".to_owned(), size_bytes: Some(pointer_size_bytes), shape });
        }
        1 => 2,     // near
        2..=4 => 4, // far, huge, 32-bit near
        5 => 6,     // 32-bit far
        6 => 8,
        7 => 16,
        _ => return None,
    };
    let target = if pointed == VOID { None } else { Some(TypeId(direct(pointed).map(|_| pointed)?.into())) };
    let shape = TypeShape::Pointer { target, kind: PointerKind::Pointer };
    Some(Type { name: String::new(), size_bytes: Some(size_bytes), shape })
}

fn direct(index: u32) -> Option<Type> {
    if index == VOID {
        return Some(Type { name: "void".to_owned(), size_bytes: None, shape: TypeShape::Void });
    }
    let &(_, name, size_bytes, encoding) = KINDS.iter().find(|(kind, ..)| *kind == index)?;
    Some(Type { name: name.to_owned(), size_bytes: Some(size_bytes), shape: TypeShape::Base(encoding) })
}

/// The index of the fundamental type with this spelling.
pub fn named(name: &str) -> Option<u32> {
    // Of the kinds with one spelling, compilers of today write those of exact width least.
    KINDS.iter().find(|(_, spelling, ..)| *spelling == name).map(|(kind, ..)| *kind)
}

/// The index of `void *`.
pub fn void_pointer(pointer_size_bytes: u64) -> u32 {
    if pointer_size_bytes == 4 { 0x0403 } else { 0x0603 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_say_what_they_are() {
        // cvinfo.h's TYPE_ENUM_e.
        for (index, name, size_bytes, encoding) in [
            (0x0012, "long", 4, BaseEncoding::Signed),                     // T_LONG
            (0x0074, "int", 4, BaseEncoding::Signed),                      // T_INT4
            (0x0075, "unsigned int", 4, BaseEncoding::Unsigned),           // T_UINT4
            (0x0022, "unsigned long", 4, BaseEncoding::Unsigned),          // T_ULONG
            (0x0013, "long long", 8, BaseEncoding::Signed),                // T_QUAD
            (0x0030, "bool", 1, BaseEncoding::Boolean),                    // T_BOOL08
            (0x0070, "char", 1, BaseEncoding::SignedCharacter),            // T_RCHAR
            (0x0020, "unsigned char", 1, BaseEncoding::UnsignedCharacter), // T_UCHAR
            (0x0071, "wchar_t", 2, BaseEncoding::Unicode),                 // T_WCHAR
            (0x007a, "char16_t", 2, BaseEncoding::Unicode),                // T_CHAR16
            (0x007b, "char32_t", 4, BaseEncoding::Unicode),                // T_CHAR32
            (0x007c, "char8_t", 1, BaseEncoding::Unicode),                 // T_CHAR8
            (0x0008, "HRESULT", 4, BaseEncoding::Hresult),                 // T_HRESULT
            (0x0041, "double", 8, BaseEncoding::Float),                    // T_REAL64
            (0x0103, "std::nullptr_t", 8, BaseEncoding::Null),
        ] {
            let expected =
                Type { name: name.to_owned(), size_bytes: Some(size_bytes), shape: TypeShape::Base(encoding) };
            assert_eq!(type_of(index, 8), Some(expected), "{index:#x}");
        }
    }

    #[test]
    fn modes_are_pointers() {
        // T_32PVOID, T_64PVOID, T_32PINT4, T_64PRCHAR, T_PINT4.
        for (index, size_bytes, target) in [
            (0x0403, 4, None),
            (0x0603, 8, None),
            (0x0474, 4, Some(0x74)),
            (0x0670, 8, Some(0x70)),
            (0x0174, 2, Some(0x74)),
        ] {
            let shape = TypeShape::Pointer { target: target.map(TypeId), kind: PointerKind::Pointer };
            assert_eq!(type_of(index, 8), Some(Type { name: String::new(), size_bytes: Some(size_bytes), shape }));
        }
        for index in [0, 0x0874, 0x0fff, 0x00ff, 0x06ff] {
            assert_eq!(type_of(index, 8), None, "{index:#x}");
        }
        assert_eq!(type_of(3, 8).map(|void| void.shape), Some(TypeShape::Void));
        assert_eq!((named("long"), named("unsigned int"), named("Rect")), (Some(0x12), Some(0x75), None));
    }
}
