//! Types of PDBs. Expected values: the sources (types.cpp, the lab's app.cpp), the C++ ABIs, llvm-pdbutil.

use super::*;
use crate::debuginfo::{BaseEncoding, Bits, ClassKind, MemberKind, PointerKind, TypeShape, VirtualBase};

/// The PDB of `tests/types/types.cpp`.
pub fn types() -> Pdb {
    open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/types/types.pdb"))
}

pub fn named(pdb: &Pdb, name: &str) -> TypeId {
    let found = pdb.types_named(name);
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    found[0]
}

fn type_named(pdb: &Pdb, name: &str) -> Type {
    pdb.type_of(named(pdb, name)).unwrap()
}

/// Name, offset, and of bit-fields the first bit and their count.
type Laid = (String, u64, Option<(u32, u32)>);

/// Name, offset and bits of each field, and of each base class its name and offset.
fn layout(pdb: &Pdb, name: &str) -> Vec<Laid> {
    let members = pdb.members_of(named(pdb, name)).into_iter();
    members
        .filter_map(|member| match member.kind {
            MemberKind::Field { offset_bytes, bits } => {
                Some((member.name, offset_bytes, bits.map(|bits| (bits.first, bits.count))))
            }
            MemberKind::Base { offset_bytes } => Some((member.name, offset_bytes, None)),
            _ => None,
        })
        .collect()
}

/// How the type of a member is made up, in words.
fn spelled(pdb: &Pdb, id: Option<TypeId>) -> String {
    let Some(id) = id else { return "void".to_owned() };
    let found = pdb.type_of(id).unwrap();
    let of = |target| spelled(pdb, target);
    match found.shape {
        TypeShape::Pointer { target, kind: PointerKind::Pointer } => format!("pointer to {}", of(target)),
        TypeShape::Pointer { target, kind: PointerKind::Reference } => format!("reference to {}", of(target)),
        TypeShape::Pointer { target, kind: PointerKind::RvalueReference } => {
            format!("rvalue reference to {}", of(target))
        }
        TypeShape::MemberPointer { target, class } => format!("pointer to member of {}: {}", of(class), of(target)),
        TypeShape::Modified { target, is_const: true, .. } => format!("const {}", of(target)),
        TypeShape::Modified { target, is_volatile: true, .. } => format!("volatile {}", of(target)),
        TypeShape::Array { element, counts } => {
            let counts: Vec<u64> = counts.into_iter().map(|count| count.unwrap_or(0)).collect();
            format!("array {counts:?} of {}", of(element))
        }
        TypeShape::Function { result, parameters, is_variadic, class } => {
            let mut all: Vec<String> = parameters.into_iter().map(|id| of(Some(id))).collect();
            all.extend(is_variadic.then(|| "...".to_owned()));
            let of_class = class.map_or(String::new(), |class| format!(" of {}", of(Some(class))));
            format!("function{of_class} ({}) to {}", all.join(", "), of(result))
        }
        _ => found.name,
    }
}

#[test]
fn classes_of_the_lab_are_laid_out_as_their_abi_says() {
    // Fields of geo::Rect: name, offset with pointers of 8 bytes, of 4 bytes.
    const RECT: [(&str, u64, u64); 7] = [
        ("geo::Shape", 0, 0),
        ("geo::Named", 24, 12),
        ("m_inner", 40, 24),
        ("m_origin", 56, 40),
        ("m_w", 64, 48),
        ("m_h", 68, 52),
        ("m_color", 72, 56),
    ];
    let files =
        ["x64.d", "x64.O2", "arm64.d", "arm64.O2", "x86_64.O0", "x86_64.O2", "x86.d", "x86.O2", "i686.O0", "i686.O2"];
    for file in files {
        let Some(path) = shared(&format!("made/app_{file}.pdb")) else { return };
        let pdb = open(&path);
        let is_wide = pdb.cpu() != Cpu::X86;
        let pick = |wide, narrow| if is_wide { wide } else { narrow };
        let size = |name| type_named(&pdb, name).size_bytes.unwrap();
        assert_eq!(size("geo::Rect"), pick(80, 64), "{file}");
        assert_eq!(size("geo::Shape"), pick(24, 12), "{file}");
        assert_eq!(size("geo::Named"), pick(16, 8), "{file}");
        assert_eq!([size("Point"), size("Value"), size("Flags"), size("Array<Point,4>")], [8, 8, 16, 36], "{file}");
        assert_eq!([size("Array<int,8>"), size("Node"), size("geo::Rect::Inner")], [36, pick(16, 8), 16], "{file}");
        let rect: Vec<_> =
            RECT.iter().map(|(name, wide, narrow)| ((*name).to_owned(), pick(*wide, *narrow), None)).collect();
        assert_eq!(layout(&pdb, "geo::Rect"), rect, "{file}");
        // `unsigned a : 3; unsigned b : 5; int c : 9; unsigned long long d : 40;`
        let bits = |first, count| Some((first, count));
        let flags = [("a", 0, bits(0, 3)), ("b", 0, bits(3, 5)), ("c", 0, bits(8, 9)), ("d", 8, bits(0, 40))];
        assert_eq!(layout(&pdb, "Flags"), flags.map(|(name, at, bits)| (name.to_owned(), at, bits)), "{file}");
        let node = pdb.members_of(named(&pdb, "Node"));
        assert_eq!(spelled(&pdb, node[1].type_id), "pointer to Node", "{file}");
        let Some(TypeShape::Pointer { target, .. }) = pdb.type_of(node[1].type_id.unwrap()).map(|next| next.shape)
        else {
            panic!("{file}");
        };
        assert_eq!(target, Some(named(&pdb, "Node")), "a class has one id");
    }
}

#[test]
fn enumerations_of_the_lab_have_their_values() {
    let Some(path) = shared("made/app_x64.d.pdb") else { return };
    let pdb = open(&path);
    let values = |name| -> Vec<(String, i128)> {
        let names = pdb.enumerators_of(named(&pdb, name)).into_iter();
        names.map(|enumerator| (enumerator.name, enumerator.value)).collect()
    };
    assert_eq!(values("Color"), [("Red", 1), ("Green", 2), ("Blue", 40)].map(|(name, value)| (name.to_owned(), value)));
    assert_eq!(values("Mode"), [("Idle", 0), ("Busy", 7), ("Done", 8)].map(|(name, value)| (name.to_owned(), value)));
    let mode = type_named(&pdb, "Mode");
    let TypeShape::Enum { underlying: Some(underlying), is_declaration: false } = mode.shape else {
        panic!("{mode:?}")
    };
    assert_eq!((mode.size_bytes, spelled(&pdb, Some(underlying)).as_str()), (Some(1), "unsigned char"));
}

#[test]
fn members_of_every_kind() {
    let pdb = types();
    let fields = [
        ("whole", 0, "int"),
        ("parts", 0, "array [4] of char"),
        ("text", 8, "volatile pointer to const char"),
        ("reference", 16, "reference to int"),
        ("rvalue", 24, "rvalue reference to Unnamed"),
        ("data_member", 32, "pointer to member of Unnamed: int"),
        ("function_member", 40, "pointer to member of Everything: function of Everything (short) to int"),
        ("callback", 48, "pointer to function (pointer to const char, ...) to int"),
        ("later", 56, "pointer to Later"),
        ("rows", 64, "array [2, 3] of char32_t"),
        ("constants", 88, "array [5] of const unsigned short"),
        ("flag", 98, "bool"),
        ("narrow", 100, "int"),
        ("nothing", 104, "std::nullptr_t"),
        ("number", 112, "long"),
        ("letter", 116, "wchar_t"),
        ("octet", 118, "char8_t"),
        ("byte", 119, "unsigned char"),
        ("tiny", 120, "signed char"),
        ("single", 124, "float"),
        ("last", 128, "long"),
    ];
    let members = pdb.members_of(named(&pdb, "Everything"));
    let mut expected = fields.iter();
    for member in &members {
        if let MemberKind::Field { offset_bytes, .. } = member.kind {
            let found = (member.name.as_str(), offset_bytes, spelled(&pdb, member.type_id));
            assert_eq!(Some((found.0, found.1, found.2.as_str())), expected.next().copied());
        }
    }
    assert_eq!(expected.next(), None);
    let kind = |name| members.iter().find(|member| member.name == name).unwrap().kind;
    assert_eq!(kind("narrow"), MemberKind::Field { offset_bytes: 100, bits: Some(Bits { first: 0, count: 5 }) });
    assert_eq!((kind("shared"), kind("Nested")), (MemberKind::Static, MemberKind::NestedType));
    assert_eq!(type_named(&pdb, "Everything").size_bytes, Some(136));
    assert!(members.iter().all(|member| !member.is_artificial));
}

#[test]
fn virtual_bases_are_found_through_a_table() {
    // Microsoft's ABI: the pointer to the table of virtual bases comes first in Left, where no vtable is; Top is its entry 1.
    let pdb = types();
    let top = MemberKind::VirtualBase(VirtualBase::Table { pointer_offset_bytes: 0, index: 1 });
    let left = pdb.members_of(named(&pdb, "outer::Left"));
    assert_eq!(
        (left[0].name.as_str(), left[0].kind, left[0].type_id),
        ("outer::Top", top, Some(named(&pdb, "outer::Top")))
    );
    // Bottom has Top through Left and Right, not as a base of its own.
    let expected = [("outer::Left", 0), ("outer::Right", 16), ("bottom", 32)];
    assert_eq!(layout(&pdb, "outer::Bottom"), expected.map(|(name, offset)| (name.to_owned(), offset, None)));
    assert_eq!(pdb.members_of(named(&pdb, "outer::Bottom")).len(), 3);
    // A polymorphic class begins with its vtable's pointer.
    let vtable = &pdb.members_of(named(&pdb, "outer::Top"))[0];
    assert_eq!(vtable.kind, MemberKind::Field { offset_bytes: 0, bits: None });
    assert!(vtable.is_artificial);
    assert_eq!(spelled(&pdb, vtable.type_id), "pointer to array [1] of pointer to void");
}

#[test]
fn values_of_enumerations_have_their_sign() {
    let pdb = types();
    let values = |name| -> Vec<i128> { pdb.enumerators_of(named(&pdb, name)).into_iter().map(|it| it.value).collect() };
    assert_eq!(values("outer::Signed"), [-1, i128::from(i32::MIN), 1000]);
    assert_eq!(values("outer::Wide"), [1, i128::from(u64::MAX)]);
}

#[test]
fn types_are_found_by_name() {
    let pdb = types();
    let unnamed_namespace = type_named(&pdb, "Hidden");
    assert_eq!((unnamed_namespace.name.as_str(), unnamed_namespace.size_bytes), ("Hidden", Some(4)));
    let local = type_named(&pdb, "counted::Local");
    assert_eq!((local.name.as_str(), local.size_bytes), ("counted::Local", Some(4)));
    let declared = type_named(&pdb, "Later");
    assert_eq!(declared.shape, TypeShape::Class { kind: ClassKind::Struct, is_declaration: true });
    assert_eq!((declared.size_bytes, pdb.members_of(named(&pdb, "Later"))), (None, Vec::new()));
    let typedef = type_named(&pdb, "Callback");
    let TypeShape::Typedef { target } = typedef.shape else { panic!("{typedef:?}") };
    assert_eq!((typedef.name.as_str(), typedef.size_bytes), ("Callback", Some(8)));
    assert_eq!(spelled(&pdb, target), "pointer to function (pointer to const char, ...) to int");
    let fundamental = type_named(&pdb, "unsigned long");
    assert_eq!((fundamental.size_bytes, fundamental.shape), (Some(4), TypeShape::Base(BaseEncoding::Unsigned)));
    for name in ["", "Nothing", "outer", "everything", "Outer::Top"] {
        assert_eq!(pdb.types_named(name), [], "{name}");
    }
    let first = named(&types(), "outer::Top");
    assert_eq!([first; 20], [(); 20].map(|()| named(&pdb, "outer::Top")), "after many questions as after none");
    let all: Vec<String> = pdb.types_matching(&mut |_| true, 100).into_iter().map(|(name, _)| name).collect();
    for name in ["outer::Top", "Everything", "Hidden", "counted::Local", "Later", "Callback", "Unnamed", "outer::Wide"]
    {
        assert_eq!(all.iter().filter(|found| *found == name).count(), 1, "{name} in {all:?}");
    }
    assert_eq!(pdb.types_matching(&mut |name| name.starts_with("outer::"), 2).len(), 2);
}

#[test]
fn functions_have_types() {
    let pdb = types();
    let spelled_at = |name: &str| {
        let start = pdb.symbols_named(name)[0].rva;
        spelled(&pdb, pdb.function_type_at(start))
    };
    assert_eq!(spelled_at("counted"), "function (int) to int");
    assert_eq!(spelled_at("start"), "function () to int");
    // A static member function takes no `this`.
    assert_eq!(spelled_at("Everything::f"), "function (int, double) to void");
    assert_eq!(spelled_at("outer::Top::~Top"), "function of outer::Top () to void");
    assert_eq!(pdb.function_type_at(Rva(0)), None);
}

/// Name and size of each class and enumeration that llvm-pdbutil lists, without those that are only declared.
fn sizes_by_llvm(listing: &str) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    let mut name = None;
    for line in listing.lines() {
        if line.contains("| LF_") {
            let is_class = ["LF_CLASS", "LF_STRUCTURE", "LF_UNION"].iter().any(|kind| line.contains(kind));
            name = line.split_once('`').filter(|_| is_class).map(|(_, rest)| rest.trim_end_matches('`').to_owned());
        }
        if let (Some((_, size)), false) = (line.split_once("sizeof "), line.contains("forward ref"))
            && let Some(name) = name.take()
        {
            found.push((name, size.trim().parse().unwrap()));
        }
    }
    found
}

#[test]
fn sizes_agree_with_llvm() {
    let files =
        ["others/dump_syms/basic32", "others/dump_syms/dump_syms_regtest64", "made/stl_x86_64.O0", "made/msstl_x64"];
    for file in files {
        let Some(path) = shared(&format!("{file}.pdb")) else { return };
        let output = std::process::Command::new("llvm-pdbutil-19").args(["dump", "--types"]).arg(&path).output();
        let Ok(output) = output else {
            eprintln!("skipped: no llvm-pdbutil-19");
            return;
        };
        let pdb = open(&path);
        let listed = sizes_by_llvm(&String::from_utf8_lossy(&output.stdout));
        assert!(listed.len() > 5, "{file}");
        for (name, size_bytes) in listed {
            if name.contains("unnamed") || name.contains("anonymous") {
                continue;
            }
            let sizes: Vec<_> =
                pdb.types_named(&name).into_iter().filter_map(|id| pdb.type_of(id)?.size_bytes).collect();
            assert!(sizes.contains(&size_bytes), "{file}: {name} has {size_bytes}, not {sizes:?}");
        }
    }
}

#[test]
fn classes_of_microsofts_compiler() {
    let Some(path) = shared("others/dump_syms/basic32.pdb") else { return };
    let pdb = open(&path);
    // winnt.h; several object files define it, each in a way of its own.
    let integer = pdb.types_named("_LARGE_INTEGER")[0];
    assert_eq!(pdb.type_of(integer).unwrap().size_bytes, Some(8));
    let members = pdb.members_of(integer);
    let at: Vec<(&str, MemberKind)> = members.iter().map(|member| (member.name.as_str(), member.kind)).collect();
    let field = |offset_bytes| MemberKind::Field { offset_bytes, bits: None };
    let declared = [("LowPart", 0), ("HighPart", 4), ("u", 0), ("QuadPart", 0)];
    let declared = declared.map(|(name, offset)| (name, field(offset)));
    assert!(declared.iter().all(|member| at.contains(member)), "{at:?}");
    // vcruntime_exception.h: a vtable, and a structure of two words.
    let exception = named(&pdb, "std::exception");
    assert_eq!(pdb.type_of(exception).unwrap().size_bytes, Some(12));
    let members = pdb.members_of(exception);
    let data = members.iter().find(|member| member.name == "_Data").unwrap();
    assert_eq!((data.kind, spelled(&pdb, data.type_id).as_str()), (field(4), "__std_exception_data"));
    let vtable = members.iter().find(|member| member.is_artificial).unwrap();
    assert_eq!((vtable.name.as_str(), vtable.kind), ("__vfptr", field(0)));
    // unknwnbase.h: COM's base has only its vtable; a global constant is an enumerator.
    let constant = &pdb.data_named("FEATURE_XMLHTTP")[0];
    assert_eq!(constant.place, Place::Constant(24u32.to_le_bytes().to_vec()));
}
