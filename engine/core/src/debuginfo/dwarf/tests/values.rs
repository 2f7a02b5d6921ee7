//! The programs in `tests/values`: types, members and variables. What is expected is in their source, and where a compiler
//! has put it: gdb (`ptype /o`), nm, llvm-dwarfdump.

use super::*;
use crate::debuginfo::dwarf::SplitFiles;
use crate::debuginfo::file::DebugFile;
use crate::debuginfo::{BaseEncoding, Bits, ClassKind, MemberKind, PointerKind, TypeShape, VirtualBase};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/values").join(name)
}

/// gcc 12, DWARF 3; the same, 4 with type units; 5, optimised. clang 19, DWARF 4; 5 with type units; 5 with an index of
/// names.
const PROGRAMS: [&str; 6] = ["gcc3", "gcc4", "gcc5", "clang4", "clang5", "names5"];

pub fn program(name: &str) -> Dwarf {
    Dwarf::new(elf(&file(name)), None)
}

/// The program whose entries are elsewhere: in `.dwo` files, or in a package.
fn split(as_package: bool) -> Dwarf {
    let dwarf = program("split5");
    let skeletons = dwarf.skeletons().into_iter();
    let files = if as_package {
        SplitFiles { package: Some(Data::map(&file("split5.dwp")).unwrap()), ..SplitFiles::default() }
    } else {
        let files = skeletons.map(|it| (it.dwo_id, file(&it.dwo_name)));
        SplitFiles { files: files.collect(), ..SplitFiles::default() }
    };
    dwarf.attach(files);
    dwarf
}

/// All of them, by name.
fn all() -> impl Iterator<Item = (String, Dwarf)> {
    let programs = PROGRAMS.into_iter().map(|name| (name.to_owned(), program(name)));
    programs.chain([false, true].map(|as_package| (format!("split5 {as_package}"), split(as_package))))
}

fn type_named(dwarf: &Dwarf, name: &str) -> TypeId {
    *dwarf.types_named(name).first().unwrap_or_else(|| panic!("no {name}: {:?}", dwarf.problems()))
}

fn member(dwarf: &Dwarf, class: &str, name: &str) -> Member {
    let members = dwarf.members_of(type_named(dwarf, class));
    members.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("{class}: no {name}: {members:?}")).clone()
}

fn field(offset_bytes: u64) -> MemberKind {
    MemberKind::Field { offset_bytes, bits: None }
}

fn bits(offset_bytes: u64, first: u32, count: u32) -> MemberKind {
    MemberKind::Field { offset_bytes, bits: Some(Bits { first, count }) }
}

#[test]
fn members_of_classes() {
    // ptype /o, with bit-fields told by the aligned unit of their type where that holds them.
    let expected = [
        ("Flags", "first", bits(0, 0, 3)),
        ("Flags", "second", bits(0, 3, 5)),
        ("Flags", "wide", bits(0, 8, 40)),
        ("Flags", "on", bits(6, 0, 1)),
        ("Flags", "plain", field(7)),
        ("Flags", "last", bits(8, 0, 12)),
        ("Packed", "head", field(0)),
        ("Packed", "first", bits(0, 8, 7)),
        ("Packed", "crossing", bits(1, 7, 30)),
        ("Packed", "tail", field(6)),
        ("Number", "whole", field(0)),
        ("Number", "bit", bits(0, 0, 1)),
        ("Number", "", field(0)),
        ("geo::Shape", "id", field(8)),
        ("geo::Shape", "colour", field(12)),
        ("geo::Shape", "made", MemberKind::Static),
        ("geo::Shape", "sides", MemberKind::Static),
        ("geo::Shape", "Colour", MemberKind::NestedType),
        ("geo::Solid", "geo::Shape", MemberKind::VirtualBase(VirtualBase::Vtable { offset_bytes: -24 })),
        ("geo::Solid", "geo::Point", MemberKind::Base { offset_bytes: 8 }),
        ("geo::Solid", "depth", field(16)),
        ("geo::Box<geo::Point,2>", "items", field(0)),
        ("geo::Box<geo::Point, 2>", "tag", field(16)),
        ("Everything", "extended", field(32)),
        ("Everything", "grid", field(112)),
        ("Everything", "open", field(224)),
    ];
    for (name, dwarf) in all() {
        for (class, field, kind) in expected {
            assert_eq!(member(&dwarf, class, field).kind, kind, "{name}: {class}::{field}");
        }
        assert_eq!(dwarf.problems(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn vtable_pointers_are_artificial() {
    for (name, dwarf) in all() {
        let members = dwarf.members_of(type_named(&dwarf, "geo::Shape"));
        let artificial: Vec<&Member> = members.iter().filter(|it| it.is_artificial).collect();
        assert!(
            matches!(artificial[..], [it] if it.name.starts_with("_vptr") && it.kind == field(0)),
            "{name}: {members:?}"
        );
    }
}

/// How C++ would spell a type, roughly: what it is made of, from the outside in.
fn spell(dwarf: &Dwarf, id: Option<TypeId>) -> String {
    let Some(id) = id else { return "void".to_owned() };
    let Some(it) = dwarf.type_of(id) else { return "?".to_owned() };
    let of = |id| spell(dwarf, id);
    match it.shape {
        TypeShape::Pointer { target, kind: PointerKind::Pointer } => format!("* {}", of(target)),
        TypeShape::Pointer { target, kind: PointerKind::Reference } => format!("& {}", of(target)),
        TypeShape::Pointer { target, kind: PointerKind::RvalueReference } => format!("&& {}", of(target)),
        TypeShape::MemberPointer { target, class } => format!("{}::* {}", of(class), of(target)),
        TypeShape::Modified { target, is_const, is_volatile } => {
            format!(
                "{}{}{}",
                if is_const { "const " } else { "" },
                if is_volatile { "volatile " } else { "" },
                of(target)
            )
        }
        TypeShape::Array { element, counts } => {
            let counts = counts.iter().map(|it| it.map_or("[]".to_owned(), |count| format!("[{count}]")));
            format!("{} {}", counts.collect::<String>(), of(element))
        }
        TypeShape::Function { result, parameters, is_variadic, class } => {
            let parameters: Vec<String> = parameters.into_iter().map(|it| of(Some(it))).collect();
            let class = class.map_or(String::new(), |class| format!("{}::", of(Some(class))));
            format!("{class}({}{}) {}", parameters.join(", "), if is_variadic { "..." } else { "" }, of(result))
        }
        _ => it.name,
    }
}

#[test]
fn types_of_members() {
    let expected = [
        ("null", "decltype(nullptr)"),
        ("reference", "& int"),
        ("moved", "&& int"),
        ("member", "geo::Point::* int"),
        ("method", "Method"),
        ("handler", "Handler"),
        ("grid", "[2][3] int"),
        ("declared", "* Declared"),
        ("pair", "geo::Pair"),
        ("sign", "Signed"),
        ("anything", "* void"),
        ("open", "[] int"),
        ("none", "[0] int"),
    ];
    for (name, dwarf) in all() {
        for (field, mut spelling) in expected {
            // DWARF 3 has no reference to an rvalue.
            if (name.as_str(), field) == ("gcc3", "moved") {
                spelling = "& int";
            }
            assert_eq!(spell(&dwarf, member(&dwarf, "Everything", field).type_id), spelling, "{name}: {field}");
        }
        let pointer = spell(&dwarf, member(&dwarf, "Everything", "pointer").type_id);
        assert!(["const * const volatile int", "const * volatile const int"].contains(&pointer.as_str()), "{pointer}");
        let target = |id: TypeId| match dwarf.type_of(id).unwrap().shape {
            TypeShape::Typedef { target } => target,
            other => panic!("{name}: {other:?}"),
        };
        let handler = target(type_named(&dwarf, "Handler"));
        assert_eq!(spell(&dwarf, handler), "* (* const char...) int", "{name}");
        let method = target(type_named(&dwarf, "Method"));
        assert_eq!(spell(&dwarf, method), "geo::Shape::* geo::Shape::() int", "{name}");
        assert_eq!(spell(&dwarf, target(type_named(&dwarf, "geo::Pair"))), "geo::Box<geo::Point, 2>", "{name}");
    }
}

#[test]
fn sizes_and_encodings() {
    let expected = [
        ("flag", 1, BaseEncoding::Boolean),
        ("letter", 1, BaseEncoding::SignedCharacter),
        ("small", 1, BaseEncoding::SignedCharacter),
        ("byte", 1, BaseEncoding::UnsignedCharacter),
        ("wide", 4, BaseEncoding::Unicode),
        ("utf16", 2, BaseEncoding::Unicode),
        ("utf32", 4, BaseEncoding::Unicode),
        ("single", 4, BaseEncoding::Float),
        ("number", 8, BaseEncoding::Float),
        ("extended", 16, BaseEncoding::Float),
        ("null", 8, BaseEncoding::Null),
        ("huge", 16, BaseEncoding::Signed),
    ];
    for (name, dwarf) in all() {
        let type_of = |field| dwarf.type_of(member(&dwarf, "Everything", field).type_id.unwrap()).unwrap();
        for (field, size_bytes, encoding) in expected {
            let it = type_of(field);
            assert_eq!((it.size_bytes, it.shape), (Some(size_bytes), TypeShape::Base(encoding)), "{name}: {field}");
        }
        let size = |field| type_of(field).size_bytes;
        assert_eq!(["reference", "member", "method", "handler"].map(size), [8, 8, 16, 8].map(Some), "{name}");
        assert_eq!(["grid", "pair", "sign", "top", "none"].map(size), [24, 24, 4, 8, 0].map(Some), "{name}");
        assert_eq!(size("open"), None, "{name}");
        let whole = dwarf.type_of(type_named(&dwarf, "Everything")).unwrap();
        let shape = TypeShape::Class { kind: ClassKind::Struct, is_declaration: false };
        assert_eq!((whole.name.as_str(), whole.size_bytes, whole.shape), ("Everything", Some(224), shape), "{name}");
    }
}

#[test]
fn enumerators_have_the_sign_of_their_type() {
    for (name, dwarf) in all() {
        let values = |of: &str| {
            let list = dwarf.enumerators_of(type_named(&dwarf, of));
            list.into_iter().map(|it| (it.name, it.value)).collect::<Vec<_>>()
        };
        let expected =
            |list: &[(&str, i128)]| list.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect::<Vec<_>>();
        assert_eq!(values("Signed"), expected(&[("minus", -5), ("zero", -4), ("large", 200)]), "{name}");
        assert_eq!(values("Wide"), expected(&[("top", u64::MAX.into())]), "{name}");
        assert_eq!(values("geo::Shape::Colour"), expected(&[("red", 1), ("green", 200)]), "{name}");
    }
}

#[test]
fn declarations_are_completed_by_name() {
    for (name, dwarf) in all() {
        let target = |field| match dwarf.type_of(member(&dwarf, "Everything", field).type_id.unwrap()).unwrap().shape {
            TypeShape::Pointer { target: Some(target), .. } => target,
            other => panic!("{other:?}"),
        };
        let later = dwarf.members_of(target("later"));
        let found: Vec<_> = later.iter().map(|it| (it.name.as_str(), it.kind)).collect();
        assert_eq!(found, [("late", field(0)), ("later", field(4))], "{name}");
        let declared = dwarf.type_of(target("declared")).unwrap();
        let shape = TypeShape::Class { kind: ClassKind::Struct, is_declaration: true };
        assert_eq!((declared.size_bytes, declared.shape), (None, shape), "{name}");
        assert_eq!(dwarf.members_of(target("declared")), [], "{name}");
    }
}

#[test]
fn variables_by_name_and_by_address() {
    for (name, dwarf) in all() {
        // What the symbol table says is not what is asked here.
        let address = |symbol: &str| dwarf.symbols().symbols_named(symbol).first().map(|it| it.rva);
        let shared = address("_ZZ4workN3geo5PointEPK5FlagsiE6shared");
        let shared = shared.or_else(|| address("_ZZ4workN3geo5PointEPK5FlagsiE6shared.0"));
        for (variable, at) in [
            ("geo::Shape::made", address("_ZN3geo5Shape4madeE")),
            ("elsewhere", address("elsewhere")),
            ("work::shared", shared),
            ("twice::calls", address("_ZZL5twiceiE5calls")),
            ("flags", address("flags")),
        ] {
            // clang 19 puts a static variable of an inlined function into a function without name.
            if !name.starts_with("gcc") && variable == "twice::calls" {
                continue;
            }
            let rva = at.unwrap_or_else(|| panic!("{name}: no symbol of {variable}"));
            let found = dwarf.data_named(variable);
            let places: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.place.clone())).collect();
            assert_eq!(places, [(variable, Place::Static(rva))], "{name}");
            assert_eq!(dwarf.data_at(Rva(rva.0 + 1)).map(|it| it.name).as_deref(), Some(variable), "{name}");
        }
        let place = |variable: &str| dwarf.data_named(variable).first().map(|it| it.place.clone());
        assert_eq!(place("slot"), Some(Place::ThreadLocal(0)), "{name}");
        assert_eq!(place("nowhere"), None);
        assert_eq!(dwarf.data_at(Rva(0)), None);
    }
}

/// A file of which something is kept, in memory.
struct Keeping {
    elf: Arc<Elf>,
    kept: Mutex<HashMap<String, Vec<u8>>>,
}

impl DwarfFile for Keeping {
    fn section(&self, name: &str) -> Result<Option<Data>, String> {
        DwarfFile::section(&*self.elf, name)
    }

    fn base(&self) -> u64 {
        self.elf.base()
    }

    fn cpu(&self) -> Option<Cpu> {
        self.elf.cpu()
    }

    fn symbols(&self) -> SymbolTable {
        SymbolTable::of_elf(&self.elf)
    }

    fn kept(&self, name: &str) -> Option<Data> {
        self.kept.lock().unwrap().get(name).map(|bytes| Data::from(bytes.clone()))
    }

    fn keep(&self, name: &str, content: &[u8]) {
        self.kept.lock().unwrap().insert(name.to_owned(), content.to_vec());
    }
}

#[test]
fn the_catalog_is_kept_and_believed_if_it_belongs() {
    let elf = elf(&file("gcc5"));
    let file: Arc<dyn DwarfFile> = Arc::new(Keeping { elf, kept: Mutex::default() });
    let answers = |dwarf: &Dwarf| {
        let address = dwarf.data_named("flags").first().map(|it| it.place.clone());
        let names: Vec<String> = dwarf.types_matching(&mut |_| true, 1000).into_iter().map(|(name, _)| name).collect();
        (address, dwarf.types_named("geo::Point"), names)
    };
    let first = answers(&Dwarf::new(file.clone(), None));
    assert!(!first.1.is_empty() && first.2.len() > 10);
    let whole = file.kept("catalog").unwrap().to_vec();
    assert_eq!(answers(&Dwarf::new(file.clone(), None)), first);
    // One that is of nothing, as its header says rightly, is believed: so it was used before, and not made again.
    let sizes = (file.section(".debug_info").unwrap().unwrap().len() as u64, 0);
    let empty = super::super::tables::encode([&mut Vec::new(), &mut Vec::new(), &mut Vec::new()], sizes);
    file.keep("catalog", &empty);
    assert!(answers(&Dwarf::new(file.clone(), None)).2.is_empty());
    // A damaged one is not, and replaced.
    let mut damaged = whole.clone();
    damaged[100] ^= 1;
    file.keep("catalog", &damaged);
    assert_eq!(answers(&Dwarf::new(file.clone(), None)), first);
    assert_eq!(file.kept("catalog").unwrap().to_vec(), whole);
}

#[test]
fn constants_have_the_bytes_of_their_type() {
    // The value is told by gcc of `answer`; of the member by all.
    for (name, dwarf) in all() {
        let place = |variable: &str| dwarf.data_named(variable).first().map(|it| it.place.clone());
        if name.starts_with("gcc5") {
            assert_eq!(place("answer"), Some(Place::Constant(vec![42, 0, 0, 0])), "{name}");
        }
        assert_eq!(place("geo::Shape::sides"), Some(Place::Constant(vec![4, 0, 0, 0])), "{name}");
    }
}

#[test]
fn types_of_functions() {
    for (name, dwarf) in all() {
        let of = |symbol: &str| {
            let rva = dwarf.symbols().symbols_named(symbol)[0].rva;
            spell(&dwarf, dwarf.function_type_at(Rva(rva.0 + 1)))
        };
        assert_eq!(of("_Z4workN3geo5PointEPK5Flagsi"), "(geo::Point, * const Flags, int) int", "{name}");
        assert_eq!(of("outside"), "(int) int", "{name}");
        assert_eq!(of("_start"), "() void", "{name}");
        assert_eq!(of("_ZN3geo5ShapeD2Ev"), "geo::Shape::() void", "{name}");
    }
}

#[test]
fn types_are_listed_once() {
    for (name, dwarf) in all() {
        let mut types = dwarf.types_matching(&mut |name| name.starts_with("geo::"), 100);
        types.sort();
        let names: Vec<&str> = types.iter().map(|it| it.0.as_str()).collect();
        let expected = [
            "geo::Box<geo::Point, 2>",
            "geo::Box<geo::Point, 2>::Tag",
            "geo::Pair",
            "geo::Point",
            "geo::Shape",
            "geo::Shape::Colour",
            "geo::Solid",
        ];
        assert_eq!(names, expected, "{name}");
        assert_eq!(dwarf.types_matching(&mut |_| true, 3).len(), 3);
    }
}

#[test]
fn an_index_of_names_saves_reading_all_units() {
    for name in ["gcc3", "clang4", "names5"] {
        let dwarf = program(name);
        assert_eq!(dwarf.types_named("geo::Shape").len(), 1, "{name}");
        // (The older ones leave nested types out: for those all units are read.)
        if name == "names5" {
            assert_eq!(dwarf.types_named("geo::Shape::Colour").len(), 1, "{name}");
        }
        assert_eq!(dwarf.data_named("elsewhere").len(), 1, "{name}");
        assert!(dwarf.catalog.get().is_none(), "{name}");
    }
    // The one of DWARF 5 tells what there is not, too.
    let dwarf = program("names5");
    assert_eq!(dwarf.types_named("geo::Circle"), []);
    assert!(dwarf.catalog.get().is_none());
    let dwarf = program("gcc5");
    assert_eq!(dwarf.types_named("geo::Circle"), []);
    assert!(dwarf.catalog.get().is_some());
}

#[test]
fn types_in_every_container() {
    // shapes.cpp in ELF and PE files of three processors, with a supplementary file, and split, of DWARF 4 and 5.
    let open = |name: &str| DebugFile::open(Data::map(&shapes(name)).unwrap(), None).unwrap().info;
    let mut files: Vec<(&str, Arc<dyn DebugInfo>)> =
        ["shapes.x64", "shapes.x86", "shapes.arm64", "shapes.x86.exe", "shapes.x64.exe"]
            .map(|it| (it, open(it)))
            .into();
    let supplementary = elf(&shapes("shapes.sup"));
    files.push(("shapes.dwz", Arc::new(Dwarf::new(elf(&shapes("shapes.dwz")), Some(supplementary)))));
    files.push(("split4", Arc::new(super::split::attached("split4", true))));
    files.push(("split5", Arc::new(super::split::attached("split5", false))));
    for (name, info) in files {
        let rect = *info.types_named("geo::Rect").first().unwrap_or_else(|| panic!("{name}: {:?}", info.problems()));
        assert_eq!(info.type_of(rect).unwrap().size_bytes, Some(8), "{name}");
        let members = info.members_of(rect);
        let found: Vec<_> = members.iter().map(|it| (it.name.as_str(), it.kind)).collect();
        assert_eq!(found, [("width", field(0)), ("height", field(4))], "{name}");
        let int = info.type_of(members[1].type_id.unwrap()).unwrap();
        assert_eq!((int.name.as_str(), int.size_bytes), ("int", Some(4)), "{name}");
        let counter = info.symbols_named("counter")[0].rva;
        let data = info.data_named("counter");
        assert_eq!(data.iter().map(|it| it.place.clone()).collect::<Vec<_>>(), [Place::Static(counter)], "{name}");
    }
}
