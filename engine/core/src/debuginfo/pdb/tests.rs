//! Real PDBs: those of the examples, and where the folder of real data is there, others with known answers.
//!
//! Expected values come from the programs' sources, from llvm-pdbutil, and from the `.sym` files that Mozilla's
//! dump_syms made of the same PDBs with Microsoft's own library.

mod data;
mod synthetic;
mod types;
mod variables;

use std::path::{Path, PathBuf};

use super::*;
use crate::debuginfo::{Checksum, FrameRule, Place};
use crate::registers::{x64, x86};
use crate::shared_data::shared;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn open(path: &Path) -> Pdb {
    Pdb::open(Data::map(path).unwrap()).unwrap()
}

fn hello(name: &str) -> Pdb {
    open(&repository().join("examples/hello").join(name))
}

/// Function and line of each scope, innermost first.
fn chain(pdb: &Pdb, rva: u32) -> Vec<(String, u32)> {
    let scopes = pdb.scopes_at(Rva(rva)).into_iter();
    scopes.map(|scope| (scope.function, scope.location.map_or(0, |location| location.line))).collect()
}

fn expected(chain: &[(&str, u32)]) -> Vec<(String, u32)> {
    chain.iter().map(|(name, line)| ((*name).to_owned(), *line)).collect()
}

#[test]
fn main_of_the_example() {
    let source = std::fs::read_to_string(repository().join("examples/hello/hello.cpp")).unwrap();
    let line_of = |text: &str| source.lines().position(|line| line.contains(text)).unwrap() as u32 + 1;
    for (name, assignment, call) in [("hello.pdb", 0x1934, 0x193b), ("hello64.pdb", 0x1934, 0x1940)] {
        let pdb = hello(name);
        assert_eq!(chain(&pdb, assignment), expected(&[("main", line_of("const auto message"))]));
        assert_eq!(chain(&pdb, call), expected(&[("main", line_of("printf(message)"))]));
        let rows = pdb.lines_in(Rva(assignment), Rva(call + 1));
        let starts: Vec<u32> = rows.iter().map(|row| row.start.0).collect();
        assert_eq!(starts, [assignment, call]);
        let file = &rows[0].location.file;
        assert!(file.path.ends_with("hello.cpp"), "{}", file.path);
        assert!(matches!(&file.checksum, Some(Checksum::Sha256(digest)) if digest.len() == 32));
    }
}

#[test]
fn the_local_of_the_example_is_where_the_source_put_it() {
    // hello32.S and hello64.S: S_BPREL32 [ebp-8], S_REGREL32 [rsp+20h].
    for (name, place) in
        [("hello.pdb", Place::RegisterRelative(x86::EBP, -8)), ("hello64.pdb", Place::RegisterRelative(x64::RSP, 0x20))]
    {
        let variables = hello(name).variables_at(Rva(0x1934));
        let found: Vec<(&str, &Place)> = variables.iter().map(|it| (it.name.as_str(), &it.place)).collect();
        assert_eq!(found, [("message", &place)]);
    }
}

#[test]
fn symbols_of_the_example_by_name_and_by_address() {
    let pdb = hello("hello.pdb");
    let symbol = pdb.symbol_at(Rva(0x10d2)).unwrap();
    assert_eq!((symbol.name.as_str(), symbol.rva), ("_printf", Rva(0x10d2)));
    // The function's own record, and `_main`, which names the same address, count once.
    let named: Vec<(String, Rva)> = pdb.symbols_named("main").into_iter().map(|it| (it.name, it.rva)).collect();
    assert_eq!(named, [("main".to_owned(), Rva(0x1916))]);
    assert_eq!(pdb.symbols_named("_printf")[0].rva, Rva(0x10d2));
    assert!(pdb.symbols_named("no such name").is_empty());
    let matching = pdb.symbols_matching(&mut |name| name.contains("printf"), 10);
    assert!(matching.iter().any(|symbol| symbol.rva == Rva(0x10d2)));
}

#[test]
fn frame_data_of_the_example() {
    let frame = hello("hello.pdb").frame_data_at(Rva(0x193f)).unwrap();
    assert!(frame.start <= Rva(0x193f) && 0x193f < frame.start.0 + frame.size_bytes);
    assert!(matches!(&frame.rule, FrameRule::Program(program) if program.contains("$eip")), "{frame:?}");
    assert_eq!(hello("hello64.pdb").frame_data_at(Rva(0x1945)), None);
}

#[test]
fn inlined_calls_at_the_crash_of_a_release_build() {
    let lines = expected(&[("poke", 77), ("outer_poke", 82), ("crash_here", 98)]);
    for (name, rva) in [("app_x64.O2", 0x1506), ("app_x86.O2", 0x14f7), ("app_x64.d", 0x1253), ("app_x86.d", 0x11a1)] {
        let Some(path) = shared(&format!("made/{name}.pdb")) else { return };
        assert_eq!(chain(&open(&path), rva), lines, "{name}");
    }
}

#[test]
fn inlined_calls_as_microsofts_compiler_writes_them() {
    let Some(path) = shared("others/symbolic/windows/crash.pdb") else { return };
    assert_eq!(chain(&open(&path), 0x2a3d), expected(&[("crash", 24), ("start", 28), ("main", 35)]));
}

#[test]
fn variables_of_a_release_build_live_in_registers() {
    let Some(path) = shared("made/app_x86.O2.pdb") else { return };
    let variables = open(&path).variables_at(Rva(0x14f7));
    let base = variables.iter().find(|variable| variable.name == "base").unwrap();
    assert_eq!((&base.place, base.inline_depth), (&Place::Register { register: x86::ESI, first_byte: 0 }, 1));
}

/// Whether each function and line of a `.sym` file is found at its address: (functions, lines) that are, and the rest.
fn compare(pdb: &Pdb, sym: &str) -> (usize, usize, Vec<String>) {
    let (mut functions, mut lines, mut differences) = (0, 0, Vec::new());
    let number = |text: &str| u32::from_str_radix(text, 16).unwrap();
    let mut files: HashMap<&str, &str> = HashMap::new();
    for line in sym.lines() {
        let fields: Vec<&str> = line.split(' ').filter(|field| *field != "m").collect();
        match fields[..] {
            ["FILE", index, ..] => {
                files.insert(index, line.splitn(3, ' ').last().unwrap());
            }
            ["FUNC", start, size, ..] => match pdb.function_at(Rva(number(start))) {
                Some(found) if found.start.0 == number(start) && found.size_bytes == number(size) => functions += 1,
                _ => differences.push(line.to_owned()),
            },
            // dump_syms keeps 0xf00f00, by which the compiler says that there is no source.
            [_, _, "15732480", _] => {}
            [start, size, at, file] if number_is(start) && number_is(size) && number(size) > 0 => {
                let scopes = pdb.scopes_at(Rva(number(start)));
                match scopes.last().and_then(|scope| scope.location.as_ref()) {
                    Some(found) if found.line.to_string() == at && found.file.path == files[file] => lines += 1,
                    _ => differences.push(line.to_owned()),
                }
            }
            _ => {}
        }
    }
    (functions, lines, differences)
}

fn number_is(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[test]
fn functions_and_lines_agree_with_those_that_microsofts_library_finds() {
    for (name, function_count) in
        [("dump_syms/basic32", 3072), ("dump_syms/dump_syms_regtest64", 246), ("symbolic/windows/crash", 92)]
    {
        let Some(path) = shared(&format!("others/{name}.pdb")) else { return };
        let sym = std::fs::read(path.with_extension("sym")).unwrap();
        let (functions, lines, differences) = compare(&open(&path), &String::from_utf8_lossy(&sym));
        assert_eq!(functions, function_count, "{name}");
        assert!(lines > 500, "{name}: {lines} lines");
        assert_eq!(differences, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn what_is_no_pdb_says_so() {
    for (bytes, expected) in [
        (&b""[..], "not a PDB: the file is empty"),
        (b"MZ", "not a PDB: it does not begin with Microsoft C/C++ MSF 7.00"),
        (b"Microsoft MSFZ Container\r\n", "not a PDB: a compressed PDB (MSFZ), which is not supported yet"),
        (b"BSJB\x01\0", "not a PDB: a portable PDB of .NET, which is not supported"),
    ] {
        assert_eq!(Pdb::open(Data::from(bytes.to_vec())).err().unwrap().to_string(), expected);
    }
    let bytes = std::fs::read(repository().join("examples/hello/hello.pdb")).unwrap();
    let error = Pdb::open(Data::from(bytes[..bytes.len() / 2].to_vec())).err().unwrap().to_string();
    assert!(error.contains("it was cut off"), "{error}");
}
