//! Variables of PDBs. Expected values: types.cpp, the lab's app.cpp, llvm-pdbutil's list of symbols; for Microsoft's
//! compiler the function's declaration.

use std::sync::Arc;

use super::types::types;
use super::*;
use crate::debuginfo::Piece;
use crate::dump::Dump;
use crate::registers::Register;

fn variable(pdb: &Pdb, rva: Rva, name: &str) -> Variable {
    let variables = pdb.variables_at(rva);
    let mut found = variables.iter().filter(|variable| variable.name == name);
    found.next().unwrap_or_else(|| panic!("no {name} in {variables:?}")).clone()
}

#[test]
fn a_part_of_a_register_has_the_value_of_the_source() {
    // `base` is `depth * 10 + pt.x + sumsq(pt.x, pt.y)`: depth is 1 and pt {0, 1} when recurse reaches 0: 10 + 0 + 1.
    let (Some(pdb), Some(dump)) = (shared("made/app_x64.O2.pdb"), shared("made/app_x64.O2.crash.t0.dmp")) else {
        return;
    };
    let base = variable(&open(&pdb), Rva(0x1506), "base");
    assert_eq!((&base.place, base.inline_depth), (&Place::Register { register: x64::RSI, first_byte: 0 }, 1));
    let dump = Arc::new(Dump::open(Data::map(&dump).unwrap()).unwrap());
    let values = (0..dump.threads().len()).filter_map(|thread| dump.context(thread)).filter_map(|registers| {
        let ip = registers.instruction_pointer()?;
        let module = dump.modules().iter().find(|module| ip.wrapping_sub(module.base) == 0x1506)?;
        assert!(module.name.ends_with("app_x64.O2.exe"), "{}", module.name);
        registers.get(x64::RSI)
    });
    assert_eq!(values.map(|value| value as u32).collect::<Vec<u32>>(), [11]);
}

#[test]
fn a_local_that_is_a_constant_somewhere_is_not_known_anywhere() {
    // LLVM writes `S_CONSTANT rect = 3` for a class of 80 bytes: m_origin.x, which is not its first member.
    let Some(path) = shared("made/app_x64.O2.pdb") else { return };
    let pdb = open(&path);
    let main = pdb.symbols_named("main")[0].rva;
    for name in ["rect", "numbers"] {
        assert_eq!(variable(&pdb, Rva(main.0 + 0x40), name).place, Place::OptimizedAway);
    }
    for name in ["fl", "v"] {
        let variable = variable(&pdb, Rva(0x1506), name);
        assert_eq!((variable.place, variable.is_parameter), (Place::OptimizedAway, false), "{name}");
    }
}

#[test]
fn locals_of_an_unoptimised_build() {
    let pdb = types();
    let counted = pdb.symbols_named("counted")[0].rva;
    let at = Rva(counted.0 + 20);
    let (step, local, count) = (variable(&pdb, at, "step"), variable(&pdb, at, "local"), variable(&pdb, at, "count"));
    assert!(step.is_parameter && !local.is_parameter && !count.is_parameter);
    assert_eq!(count.place, Place::Static(Rva(0x3014))); // 0003:0020
    assert!(matches!(step.place, Place::RegisterRelative(x64::RSP, _)), "{step:?}");
    let destructor = pdb.symbols_named("outer::Top::~Top")[0].rva;
    let this = variable(&pdb, destructor, "this");
    assert!(this.is_parameter && this.is_artificial);
}

#[test]
fn parameters_of_microsofts_compiler_are_told_from_locals() {
    // dump_syms_regtest64's main(int argc, char **argv) has three locals; unoptimised, with S_REGREL32.
    let Some(path) = shared("others/dump_syms/dump_syms_regtest64.pdb") else { return };
    let pdb = open(&path);
    let at = |name: &str| Rva(pdb.symbols_named(name)[0].rva.0 + 0x18);
    let told = |name: &str| -> Vec<(String, bool)> {
        pdb.variables_at(at(name)).into_iter().map(|it| (it.name, it.is_parameter)).collect()
    };
    let expected = [("argc", true), ("argv", true), ("object", false), ("nothing", false), ("value", false)];
    assert_eq!(told("main"), expected.map(|(name, is_parameter)| (name.to_owned(), is_parameter)));
    let set_member = pdb.variables_at(pdb.symbols_named("google_breakpad::C::set_member")[0].rva);
    let told: Vec<_> = set_member.iter().map(|it| (it.name.as_str(), it.is_parameter, it.is_artificial)).collect();
    assert_eq!(told, [("this", true, true), ("value", true, false)]);
}

fn piece(offset_bytes: u32, register: Register) -> Piece {
    let place = Place::Register { register, first_byte: 0 };
    Piece { offset_bytes, size_bytes: Some(0), place }
}

#[test]
fn variables_in_parts_are_in_pieces() {
    // llvm-pdbutil: S_DEFRANGE_SUBFIELD_REGISTER of `threads` in RDI at 0001:1648+291, its second element in RAX at
    // 0001:1681+33, its third at 0001:1714+6. Of `num`, EDI at 0001:43751+85, EDX (at 4) at 0001:43725+47 but for 43769+2.
    let of = |size, pieces: &[Piece]| {
        Place::Pieces(pieces.iter().map(|piece| Piece { size_bytes: Some(size), ..piece.clone() }).collect())
    };
    let rax = |offset| piece(offset, x64::RAX);
    let cases: [(&str, u32, &str, Place); 6] = [
        ("made/app_x64.O2", 1650, "threads", of(8, &[piece(0, x64::RDI)])),
        ("made/app_x64.O2", 1681, "threads", of(8, &[piece(0, x64::RDI), rax(8)])),
        ("made/app_x64.O2", 1714, "threads", of(8, &[piece(0, x64::RDI), rax(16)])),
        ("others/dump_syms/basic32", 43760, "num", of(4, &[piece(0, x86::EDI), piece(4, x86::EDX)])),
        ("others/dump_syms/basic32", 43769, "num", of(4, &[piece(0, x86::EDI)])),
        ("others/dump_syms/basic32", 43771, "num", of(4, &[piece(0, x86::EDI), piece(4, x86::EDX)])),
    ];
    for (file, offset, name, place) in cases {
        let Some(path) = shared(&format!("{file}.pdb")) else { return };
        assert_eq!(variable(&open(&path), Rva(0x1000 + offset), name).place, place, "{file} {offset}");
    }
}
