//! Split DWARF: gcc's of version 4, clang's of version 5. Expected values are llvm-symbolizer's, llvm-dwarfdump's and
//! nm's, less the address of the first page (0x200000).

use super::*;
use crate::debuginfo::dwarf::{Skeleton, SplitFiles};

/// The program with its `.dwo` file, or with the package of it.
pub fn attached(name: &str, as_package: bool) -> Dwarf {
    let dwarf = open(name);
    let ids = dwarf.skeletons().into_iter().map(|it| it.dwo_id);
    let files = if as_package {
        let package = Some(Data::map(&shapes(&format!("{name}.dwp"))).unwrap());
        SplitFiles { package, ..SplitFiles::default() }
    } else {
        SplitFiles { files: ids.map(|id| (id, shapes(&format!("{name}.dwo")))).collect(), ..SplitFiles::default() }
    };
    dwarf.attach(files);
    dwarf
}

#[test]
fn skeletons_say_which_file_has_their_entries() {
    for (name, dwo_id) in [("split4", 0x280f_768f_c608_9435), ("split5", 0x80de_5700_4ff2_ff93)] {
        let (dwo_name, directory) = (format!("{name}.dwo"), Some("/shapes".to_owned()));
        assert_eq!(open(name).skeletons(), [Skeleton { dwo_name, directory, dwo_id }]);
    }
    // One has a table of addresses, the other does not.
    for name in ["shapes.x64", "shapes.arm64"] {
        let file = Arc::new(Stripped { elf: elf(&shapes(name)), asked: Mutex::default() });
        assert_eq!(Dwarf::new(file.clone(), None).skeletons(), []);
        assert!(!file.asked.lock().unwrap().contains(&".debug_info".to_owned()));
    }
}

#[test]
fn functions_inlined_calls_and_lines_of_split_units() {
    for (name, rva, lines) in [
        ("split4", 0x11de, &[(CRASH, 32)][..]),
        ("split4", 0x122e, &[(POKE, 28), (CRASH, 37)]),
        ("split4", 0x1256, &[("_start", 45)]),
        ("split4", 0x1263, &[("geo::twice<int>", 14)]),
        ("split5", 0x1200, &[(AREA, 11), (CRASH, 32)]),
        ("split5", 0x1227, &[(POKE, 28), (CRASH, 37)]),
        ("split5", 0x11c0, &[(AREA, 11)]),
    ] {
        for as_package in [false, true] {
            let dwarf = attached(name, as_package);
            assert_eq!(chain(&dwarf, rva), expected(lines), "{name} {rva:#x} {as_package}");
            assert_eq!(dwarf.problems(), Vec::<String>::new());
        }
    }
    let path = attached("split5", true).scopes_at(Rva(0x1227)).remove(0).location.unwrap().file.path;
    assert_eq!(path, "/shapes/shapes.cpp");
}

#[test]
fn variables_of_split_units() {
    for as_package in [false, true] {
        // gcc: DW_OP_fbreg from the canonical frame address: rect -56, sum -20.
        let variables = attached("split4", as_package).variables_at(Rva(0x11e6));
        let place = |name: &str| variables.iter().find(|it| it.name == name).map(|it| it.place.clone());
        assert_eq!((place("rect"), place("sum")), (Some(Place::CfaRelative(-56)), Some(Place::CfaRelative(-20))));
        // clang: a list of locations; rect in RDI.
        let variables = attached("split5", as_package).variables_at(Rva(0x1200));
        let rect = variables.iter().find(|it| it.name == "rect").unwrap();
        assert_eq!(rect.place, Place::Register { register: crate::registers::x64::RDI, first_byte: 0 });
    }
}

#[test]
fn files_that_are_missing_or_of_another_build() {
    // What the linked file has stays: its symbol table. Its lines it has, too.
    let dwarf = open("split5");
    assert_eq!(chain(&dwarf, 0x1227), expected(&[(CRASH, 28)]));
    assert_eq!(dwarf.problems(), ["some debug information is in .dwo files, which are not there"]);
    let dwarf = open("split5");
    let id = dwarf.skeletons()[0].dwo_id;
    let files = [(id, shapes("split4.dwo"))].into_iter().collect();
    dwarf.attach(SplitFiles { files, ..SplitFiles::default() });
    assert_eq!(chain(&dwarf, 0x1227), expected(&[(CRASH, 28)]));
    let problem = "a .dwo file is of another build: it has no unit 80de57004ff2ff93";
    assert!(dwarf.problems().iter().any(|it| it == problem), "{:?}", dwarf.problems());
}
