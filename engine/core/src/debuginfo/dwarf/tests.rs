//! The programs in `tests/shapes`, and where the folder of real data is there, others with known answers.
//!
//! Expected values come from the programs' source, llvm-symbolizer, llvm-dwarfdump and nm.

mod computed;
mod pe;
mod split;
mod values;

use std::path::{Path, PathBuf};

use super::*;
use crate::cfi::{CfaRule, Rule};
use crate::data::Data;
use crate::debuginfo::{Checksum, Place};
use crate::elf::Elf;
use crate::elf::tests::shapes;
use crate::registers::{Register, arm64, x86};
use crate::shared_data::shared;

fn elf(path: &Path) -> Arc<Elf> {
    Arc::new(Elf::open(Data::map(path).unwrap()).unwrap())
}

fn open(name: &str) -> Dwarf {
    Dwarf::new(elf(&shapes(name)), None)
}

/// Function and line of each scope, innermost first.
fn chain(debug: &dyn DebugInfo, rva: u32) -> Vec<(String, u32)> {
    let scopes = debug.scopes_at(Rva(rva)).into_iter();
    scopes.map(|scope| (scope.function, scope.location.map_or(0, |location| location.line))).collect()
}

fn expected(chain: &[(&str, u32)]) -> Vec<(String, u32)> {
    chain.iter().map(|(name, line)| ((*name).to_owned(), *line)).collect()
}

const AREA: &str = "geo::Rect::area";
const CRASH: &str = "(anonymous namespace)::crash";
const POKE: &str = "(anonymous namespace)::poke";

#[test]
fn functions_and_inlined_calls() {
    // gcc, DWARF 5; gcc, 32-bit, DWARF 4, -O0; clang, DWARF 5 without .debug_aranges.
    for (name, rva, lines) in [
        ("shapes.x64", 0x144, &[(AREA, 11), (CRASH, 32)][..]),
        ("shapes.x64", 0x15b, &[(CRASH, 35)]),
        ("shapes.x64", 0x16d, &[(POKE, 28), (CRASH, 37)]),
        ("shapes.x64", 0x176, &[(AREA, 12)]),
        ("shapes.x64", 0x18b, &[("_start", 45)]),
        ("shapes.x64", 0x19d, &[("geo::twice<int>", 15)]),
        ("shapes.x64", 0x16f, &[]),
        ("shapes.x86", 0x108, &[(CRASH, 34)]),
        ("shapes.x86", 0x142, &[(POKE, 28), (CRASH, 37)]),
        ("shapes.x86", 0x182, &[("geo::twice<int>", 16)]),
        ("shapes.arm64", 0x101f8, &[(AREA, 11), (CRASH, 32)]),
        // Line 0: the compiler says that there is no source.
        ("shapes.arm64", 0x10220, &[(POKE, 0), (CRASH, 37)]),
        ("shapes.arm64", 0x10224, &[(POKE, 28), (CRASH, 37)]),
        ("shapes.arm64", 0, &[]),
    ] {
        let dwarf = open(name);
        assert_eq!(chain(&dwarf, rva), expected(lines), "{name} {rva:#x}");
        assert_eq!(dwarf.problems(), Vec::<String>::new());
    }
}

#[test]
fn ranges_of_functions_and_of_inlined_calls() {
    for (name, rva, start, size_bytes) in [
        ("shapes.x64", 0x16d, 0x144, 0x2b),
        ("shapes.x86", 0x142, 0xeb, 0x65),
        ("shapes.arm64", 0x10224, 0x101ec, 0x40),
    ] {
        let function = open(name).function_at(Rva(rva)).unwrap();
        let found = (function.name.as_str(), function.start, function.size_bytes);
        assert_eq!(found, (CRASH, Rva(start), size_bytes), "{name}");
    }
    // llvm-dwarfdump: DW_TAG_inlined_subroutine of poke.
    let scopes = open("shapes.x86").scopes_at(Rva(0x142));
    assert_eq!(
        scopes.iter().map(|scope| (scope.is_inlined, scope.start)).collect::<Vec<_>>(),
        [(true, Rva(0x13a)), (false, Rva(0xeb))]
    );
}

#[test]
fn symbols_by_address_and_by_name() {
    for (name, area, counter) in
        [("shapes.x64", 0x170, 0x11a4), ("shapes.x86", 0xd8, 0x1184), ("shapes.arm64", 0x101b4, 0x20234)]
    {
        let dwarf = open(name);
        let symbol = dwarf.symbol_at(Rva(area + 4)).unwrap();
        assert_eq!((symbol.name.as_str(), symbol.rva), (AREA, Rva(area)), "{name}");
        let symbol = dwarf.symbol_at(Rva(counter + 1)).unwrap();
        assert_eq!((symbol.name.as_str(), symbol.rva, symbol.kind), ("counter", Rva(counter), SymbolKind::PublicData));
        for spelling in [AREA, "_ZNK3geo4Rect4areaEv"] {
            let found = dwarf.symbols_named(spelling);
            assert_eq!(found.iter().map(|it| it.rva).collect::<Vec<_>>(), [Rva(area)], "{name} {spelling}");
        }
        assert!(dwarf.symbols_named("geo::Rect::perimeter").is_empty());
        let mut matching = dwarf.symbols_matching(&mut |name| name.contains("crash"), 10);
        assert_eq!(matching.pop().map(|it| it.name).as_deref(), Some("_ZN12_GLOBAL__N_15crashERKN3geo4RectE"));
    }
}

/// An ELF file whose symbol table was removed, and which counts the sections that are asked for.
struct Stripped {
    elf: Arc<Elf>,
    asked: Mutex<Vec<String>>,
}

impl DwarfFile for Stripped {
    fn section(&self, name: &str) -> Result<Option<Data>, String> {
        self.asked.lock().unwrap().push(name.to_owned());
        DwarfFile::section(&*self.elf, name)
    }

    fn base(&self) -> u64 {
        self.elf.base()
    }

    fn cpu(&self) -> Option<Cpu> {
        self.elf.cpu()
    }

    fn symbols(&self) -> SymbolTable {
        SymbolTable::new(Vec::new(), Data::from(Vec::new()), Vec::new())
    }
}

#[test]
fn names_are_found_without_a_symbol_table() {
    let stripped = Stripped { elf: elf(&shapes("shapes.arm64")), asked: Mutex::default() };
    let dwarf = Dwarf::new(Arc::new(stripped), None);
    let found = dwarf.symbols_named(CRASH).pop().unwrap();
    assert_eq!((found.rva, found.size_bytes), (Rva(0x101ec), Some(0x40)));
    let names: Vec<String> = dwarf.symbols_matching(&mut |_| true, 10).into_iter().map(|it| it.name).collect();
    assert_eq!(names, [AREA, "_start", CRASH, "geo::twice<int>"]);
}

#[test]
fn sections_are_read_when_they_are_needed() {
    let stripped = Arc::new(Stripped { elf: elf(&shapes("shapes.x64")), asked: Mutex::default() });
    let dwarf = Dwarf::new(stripped.clone(), None);
    assert!(stripped.asked.lock().unwrap().is_empty());
    assert!(dwarf.function_at(Rva(0x150)).is_some());
    let locations = |name: &String| name.starts_with(".debug_loc");
    assert!(!stripped.asked.lock().unwrap().iter().any(locations));
    assert!(!dwarf.variables_at(Rva(0x150)).is_empty());
    let asked = stripped.asked.lock().unwrap();
    assert!(asked.iter().any(locations));
    let once: HashSet<&String> = asked.iter().collect();
    assert_eq!(once.len(), asked.len(), "{asked:?}");
}

#[test]
fn lines_of_a_function() {
    let rows = open("shapes.x86").lines_in(Rva(0x13a), Rva(0x150));
    let found: Vec<(u32, u32, u32)> = rows.iter().map(|it| (it.start.0, it.end.0, it.location.line)).collect();
    let expected = [(0x13a, 0x142, 27), (0x142, 0x14a, 28), (0x14a, 0x14b, 29), (0x14b, 0x14e, 38), (0x14e, 0x150, 39)];
    assert_eq!(found, expected);
    assert!(rows.iter().all(|row| row.is_statement && row.location.file.path == "/shapes/shapes.cpp"));
    assert_eq!(rows[0].location.file.checksum, None);
}

#[test]
fn files_have_the_checksum_that_clang_records() {
    let rows = open("shapes.arm64").lines_in(Rva(0x101b4), Rva(0x101b8));
    let file = &rows[0].location.file;
    assert_eq!(file.path, "/shapes/shapes.cpp");
    // md5sum shapes.cpp
    let digest = [0xf7, 0xab, 0x2b, 0x7a, 0x85, 0x3d, 0xbf, 0xc7, 0x5c, 0x78, 0x5e, 0xd3, 0xe4, 0x66, 0x71, 0xb8];
    assert_eq!(file.checksum, Some(Checksum::Md5(digest.to_vec())));
}

/// Name, whether it is a parameter, place, and how deep it is inlined.
fn variables(name: &str, rva: u32) -> Vec<(String, bool, Place, u32)> {
    let variables = open(name).variables_at(Rva(rva)).into_iter();
    variables.map(|it| (it.name, it.is_parameter, it.place, it.inline_depth)).collect()
}

fn variable(name: &str, is_parameter: bool, place: Place, inline_depth: u32) -> (String, bool, Place, u32) {
    (name.to_owned(), is_parameter, place, inline_depth)
}

#[test]
fn variables_of_an_unoptimised_function_are_in_its_frame() {
    // In the loop: its block's variables come first. llvm-symbolizer, FRAME.
    let place = Place::CfaRelative;
    assert_eq!(
        variables("shapes.x86", 0x10a),
        [
            variable("part", false, place(-28), 0),
            variable("step", false, place(-24), 0),
            variable("rect", true, place(0), 0),
            variable("sum", false, place(-20), 0),
        ]
    );
    // In the inlined call, of which gcc lists the parameters backwards.
    assert_eq!(
        variables("shapes.x86", 0x142)[..3],
        [
            variable("value", true, place(-36), 1),
            variable("where", true, place(-32), 1),
            variable("doubled", false, place(-40), 1),
        ]
    );
}

#[test]
fn variables_of_an_optimised_function_are_in_registers() {
    // llvm-dwarfdump: rect and this in W0; sum is computed later.
    let in_w0 = || Place::Register { register: Register(0), first_byte: 0 };
    assert_eq!(
        variables("shapes.arm64", 0x101f4),
        [
            variable("this", true, in_w0(), 1),
            variable("rect", true, in_w0(), 0),
            variable("sum", false, Place::OptimizedAway, 0),
        ]
    );
    // step is the constant 0 there: DW_OP_consts 0, DW_OP_stack_value.
    let at_loop = variables("shapes.arm64", 0x101fc);
    let step = at_loop.iter().find(|it| it.0 == "step").map(|it| &it.2);
    assert!(matches!(step, Some(Place::Computed(it)) if it.operations == [0x11, 0, 0x9f]), "{at_loop:?}");
    assert!(at_loop.contains(&variable("sum", false, in_w0(), 0)), "{at_loop:?}");
    // DW_OP_fbreg 8 where the frame base is SP.
    let in_start = variables("shapes.arm64", 0x101d8);
    assert_eq!(in_start, [variable("rect", false, Place::RegisterRelative(arm64::SP, 8), 0)]);
}

#[test]
fn call_frame_information_of_debuggers() {
    // readelf --debug-dump=frames-interp: "080480db ebp+8 c-8 c-4".
    let row = open("shapes.x86").cfi_at(Rva(0xdc)).unwrap();
    assert_eq!(row.cfa, CfaRule::RegisterOffset(x86::EBP, 8));
    assert_eq!((row.return_address, row.is_signal_frame), (x86::EIP, false));
    let mut rules = row.rules;
    rules.sort_by_key(|(register, _)| *register);
    assert_eq!(rules, [(x86::EBP, Rule::Offset(-8)), (x86::EIP, Rule::Offset(-4))]);
    assert_eq!(open("shapes.x86").cfi_at(Rva(0x1184)), None);
}

#[test]
fn names_and_entries_that_are_in_a_supplementary_file() {
    let supplementary = elf(&shapes("shapes.sup"));
    let link = elf(&shapes("shapes.dwz")).debug_alt_link().unwrap();
    assert_eq!((link.path.as_str(), Some(link.build_id)), ("shapes.sup", supplementary.build_id()));
    let dwarf = Dwarf::new(elf(&shapes("shapes.dwz")), Some(supplementary));
    assert_eq!(chain(&dwarf, 0x1bc), expected(&[(POKE, 28), (CRASH, 37)]));
    assert_eq!(chain(&dwarf, 0x14c), expected(&[(AREA, 11)]));
    assert_eq!(dwarf.variables_at(Rva(0x1d4))[0].name, "rect");
    assert_eq!(dwarf.problems(), Vec::<String>::new());
    // Without it, the symbol table still names functions that were not inlined.
    let dwarf = Dwarf::new(elf(&shapes("shapes.dwz")), None);
    assert_eq!(chain(&dwarf, 0x1bc), expected(&[(UNNAMED, 28), (CRASH, 37)]));
    assert_eq!(dwarf.problems(), ["some names are in another file (.gnu_debugaltlink), which is not there"]);
}

#[test]
fn the_crash_of_a_real_program() {
    for name in ["crash.debug", "crash.debug-zstd"] {
        let Some(path) = shared(&format!("others/symbolic/linux/{name}")) else { return };
        let dwarf = Dwarf::new(elf(&path), None);
        let lines = [(CRASH, 23), ("(anonymous namespace)::start", 27), ("main", 35)];
        assert_eq!(chain(&dwarf, 0x1d72), expected(&lines), "{name}");
        let file = dwarf.scopes_at(Rva(0x1d72)).remove(0).location.unwrap().file;
        assert!(file.path.ends_with("linux/../linux/main.cpp"), "{}", file.path);
    }
}

#[test]
fn a_stripped_program_has_the_names_of_its_symbol_table() {
    let Some(path) = shared("others/symbolic/linux/crash") else { return };
    let dwarf = Dwarf::new(elf(&path), None);
    assert!(!dwarf.has_entries());
    assert_eq!(chain(&dwarf, 0x1d72), expected(&[("main", 0)]));
    assert_eq!(chain(&dwarf, 0x1900), expected(&[("google_breakpad::PageAllocator::FreeAll", 0)]));
}
