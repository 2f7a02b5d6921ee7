//! Global data of PDBs. Expected values: types.cpp, the lab's app.cpp, llvm-pdbutil's list of globals.

use super::types::{named, types};
use super::*;
use crate::debuginfo::DataSymbol;

fn only(pdb: &Pdb, name: &str) -> DataSymbol {
    let found = pdb.data_named(name);
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    found[0].clone()
}

#[test]
fn variables_are_found_by_name_and_by_address() {
    let pdb = types();
    let names = ["everything", "Everything::shared", "outer", "hidden", "counted::count", "wide"];
    let found = names.map(|name| pdb.data_named(name).first().map(|data| data.name.clone()));
    let expected = ["everything", "Everything::shared", "", "hidden", "counted::count", "wide"];
    assert_eq!(found.map(Option::unwrap_or_default), expected.map(str::to_owned));
    // llvm-pdbutil: `wide` at 0003:0008, `sign` at 0003:0016; .data begins at RVA 0x3000.
    let wide = only(&pdb, "wide");
    assert_eq!((wide.place.clone(), wide.type_id), (Place::Static(Rva(0x3008)), Some(named(&pdb, "outer::Wide"))));
    for offset in [0, 1, 7] {
        assert_eq!(pdb.data_at(Rva(0x3008 + offset)), Some(wide.clone()));
    }
    assert_eq!(pdb.data_at(Rva(0x3010)).map(|data| data.name), Some("sign".to_owned()));
    assert_eq!(pdb.data_at(Rva(0)), None);
}

#[test]
fn static_variables_name_what_no_public_symbol_does() {
    // llvm-pdbutil: S_GDATA32 `_fltused` at 0003:0000 with a public symbol, S_LDATA32 `g_loaded_grams` at 0003:0004.
    let pdb = open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/depot/depot.pdb"));
    let found = |rva| pdb.symbol_at(Rva(rva)).map(|it| (it.name, it.rva.0, it.kind, it.size_bytes));
    assert_eq!(found(0x3000), Some(("_fltused".to_owned(), 0x3000, SymbolKind::PublicData, None)));
    for rva in [0x3004, 0x3007] {
        assert_eq!(found(rva), Some(("g_loaded_grams".to_owned(), 0x3004, SymbolKind::Variable, Some(4))));
    }
}

#[test]
fn thread_locals_count_from_the_start_of_their_section() {
    let pdb = types();
    assert_eq!(only(&pdb, "slot_before").place, Place::ThreadLocal(0));
    assert_eq!(only(&pdb, "slot").place, Place::ThreadLocal(4));
}

#[test]
fn constants_have_the_bytes_of_their_type() {
    let pdb = types();
    assert_eq!(only(&pdb, "limit").place, Place::Constant(70000i32.to_le_bytes().to_vec()));
    let Some(path) = shared("made/app_x64.O2.pdb") else { return };
    let pdb = open(&path);
    assert_eq!(only(&pdb, "Busy").place, Place::Constant(vec![7]));
    // `static double s_ratio = 1.5`, which nothing changes.
    assert_eq!(only(&pdb, "s_ratio").place, Place::Constant(1.5f64.to_le_bytes().to_vec()));
}

#[test]
fn globals_of_the_lab_are_where_their_symbols_are() {
    for file in ["x64.d", "x86.d", "arm64.d", "x64.O2", "x86_64.O0", "i686.O0"] {
        let Some(path) = shared(&format!("made/app_{file}.pdb")) else { return };
        let pdb = open(&path);
        for name in ["g_counter", "g_matrix", "g_points", "geo::Shape::s_count", "g_callback", "g_head"] {
            let data = only(&pdb, name);
            let Place::Static(rva) = data.place else { panic!("{file} {name}: {data:?}") };
            let symbols = pdb.symbols_named(name);
            assert!(symbols.iter().any(|symbol| symbol.rva == rva), "{file} {name}");
            assert_eq!(pdb.data_at(rva).map(|data| data.name).as_deref(), Some(name), "{file}");
            assert!(data.type_id.and_then(|id| pdb.type_of(id)).is_some(), "{file} {name}");
        }
    }
}
