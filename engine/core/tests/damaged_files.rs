//! Damaged copies of the example files: cut off at every length, and with random bytes changed. Nothing may panic,
//! hang or allocate without bound; the answers do not matter.

#![allow(clippy::panic, clippy::expect_used)]

use std::path::{Path, PathBuf};

use stillframe_engine::data::Data;
use stillframe_engine::exercise;
use stillframe_engine::macho::slices;

/// Changed copies of each file.
const MUTATIONS: usize = 10_000;

/// A file, by its path from the engine's folder.
fn fixture(path: &str) -> Vec<u8> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn hello(name: &str) -> Vec<u8> {
    fixture(&format!("../../examples/hello/{name}"))
}

/// Small programs of three compilers and processors, with DWARF 4 and 5.
const SHAPES: [&str; 4] = ["shapes.x64", "shapes.x86", "shapes.arm64", "shapes.dwz"];

fn shapes(name: &str) -> Vec<u8> {
    fixture(&format!("tests/shapes/{name}"))
}

fn values(name: &str) -> Vec<u8> {
    fixture(&format!("tests/values/{name}"))
}

/// A PDB with types of every kind.
fn types() -> Vec<u8> {
    fixture("tests/types/types.pdb")
}

/// xorshift64*: the same sequence on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// Values that break arithmetic come more often than by chance.
    fn word(&mut self) -> u32 {
        match self.below(4) {
            0 => [0, 1, u32::MAX, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0][self.below(6)],
            1 => self.below(256) as u32,
            _ => self.next() as u32,
        }
    }

    /// One to four bytes or words, at places anywhere or near the start, where the structure is.
    fn damage(&mut self, bytes: &mut [u8]) {
        for _ in 0..=self.below(4) {
            let reach = if self.below(2) == 0 { bytes.len() } else { bytes.len().min(0x600) };
            let at = self.below(reach);
            if self.below(2) == 0 {
                bytes[at] = self.next() as u8;
            } else if let Some(place) = bytes.get_mut(at & !3..(at & !3) + 4) {
                place.copy_from_slice(&self.word().to_le_bytes());
            }
        }
    }
}

fn every_cut(bytes: &[u8], ask: fn(&[u8])) {
    for length in 0..bytes.len() {
        ask(&bytes[..length]);
    }
}

fn many_mutations(bytes: &[u8], seed: u64, ask: impl Fn(&[u8])) {
    some_mutations(MUTATIONS, bytes, seed, ask);
}

fn some_mutations(count: usize, bytes: &[u8], seed: u64, ask: impl Fn(&[u8])) {
    let mut random = Random(seed);
    for _ in 0..count {
        let mut damaged = bytes.to_vec();
        random.damage(&mut damaged);
        ask(&damaged);
    }
}

#[test]
fn dumps_cut_off_anywhere() {
    for name in ["hello.dmp", "hello64.dmp"] {
        every_cut(&hello(name), exercise::dump);
    }
}

#[test]
fn images_cut_off_anywhere() {
    for name in ["hello.exe", "hello64.exe"] {
        every_cut(&hello(name), exercise::image);
    }
}

/// Programs of MinGW: DWARF, a COFF symbol table, `.eh_frame`.
const MINGW: [&str; 3] = ["shapes.x64.exe", "shapes.x86.exe", "shapes.stripped.exe"];

#[test]
fn mingw_programs_cut_off_anywhere() {
    for name in MINGW {
        let file = shapes(name);
        // Of the debug information not every cut is another case.
        for length in (0..0x800).chain((0x800..file.len()).step_by(7)) {
            exercise::image(&file[..length]);
        }
    }
}

#[test]
fn mingw_programs_with_random_damage() {
    for (name, seed) in MINGW.into_iter().zip(20..) {
        many_mutations(&shapes(name), seed, exercise::image);
    }
}

#[test]
fn pdbs_cut_off_anywhere() {
    for name in ["hello.pdb", "hello64.pdb"] {
        every_cut(&hello(name), exercise::pdb);
    }
    let file = types();
    for length in (0..file.len()).step_by(7) {
        exercise::pdb(&file[..length]);
    }
}

#[test]
fn dumps_with_random_damage() {
    for (name, seed) in [("hello.dmp", 1), ("hello64.dmp", 2)] {
        many_mutations(&hello(name), seed, exercise::dump);
    }
}

#[test]
fn images_with_random_damage() {
    for (name, seed) in [("hello.exe", 3), ("hello64.exe", 4)] {
        many_mutations(&hello(name), seed, exercise::image);
    }
}

#[test]
fn pdbs_with_random_damage() {
    for (name, seed) in [("hello.pdb", 5), ("hello64.pdb", 6)] {
        many_mutations(&hello(name), seed, exercise::pdb);
    }
    many_mutations(&types(), 30, exercise::pdb);
}

#[test]
fn elf_files_cut_off_anywhere() {
    for name in SHAPES {
        every_cut(&shapes(name), exercise::elf);
        every_cut(&shapes(name), exercise::dwarf);
    }
}

#[test]
fn elf_files_with_random_damage() {
    for (name, seed) in SHAPES.into_iter().zip(9..) {
        many_mutations(&shapes(name), seed, exercise::elf);
        many_mutations(&shapes(name), seed, exercise::dwarf);
    }
}

/// One of everything that types and variables are made of: type units, an index of names, optimised code.
#[test]
fn types_and_variables_with_random_damage() {
    for (name, seed) in ["gcc4", "gcc5", "names5"].into_iter().zip(40..) {
        some_mutations(MUTATIONS / 5, &values(name), seed, exercise::dwarf);
    }
    let (file, package) = (values("split5"), values("split5.dwp"));
    some_mutations(MUTATIONS / 5, &package, 43, |damaged| exercise::split_dwarf(&file, damaged));
}

#[test]
fn split_dwarf_of_which_one_file_is_damaged() {
    for (name, seed) in [("split4", 30), ("split5", 31)] {
        let (file, package) = (shapes(name), shapes(&format!("{name}.dwp")));
        for length in 0..package.len() {
            exercise::split_dwarf(&file, &package[..length]);
        }
        many_mutations(&file, seed, |damaged| exercise::split_dwarf(damaged, &package));
        many_mutations(&package, seed, |damaged| exercise::split_dwarf(&file, damaged));
    }
}

/// A symbol file with a record of every kind, at addresses that the questions ask about.
const SYMBOL_FILE: &str = "MODULE Linux x86_64 C0BCC3F19827FE653058404B2831D9E60 crash\nINFO CODE_ID F1C3BCC0\nFILE 0 main.cpp\nFILE 1 a b.h\n\
    INLINE_ORIGIN 0 outer(int)\nINLINE_ORIGIN 1 0 inner\nFUNC m 1000 d0 0 main\nINLINE 0 12 0 0 1010 10 1030 8\nINLINE 1 5 1 1018 4\n\
    1000 10 11 0\n1010 8 4 1\n1018 4 30 1\n1020 b0 13 0\nFUNC 10d0 0 0 <name omitted>\n10d0 8 7 0\nPUBLIC 10d0 0 _ZN3geo4Rect4areaEi\n\
    FUNC 1010 10 8 overlaps(char const*) const\nPUBLIC m 1240 0 ?area@Rect@geo@@QEBAHXZ\nSTACK WIN 4 1000 d0 1 0 0 4 8 0 1 $T0 $ebp =\n\
    STACK WIN 0 1930 20 0 0 8 4 0 0 0 1\nSTACK CFI INIT 1000 d0 .cfa: $rsp 8 + .ra: .cfa -8 + ^\n\
    STACK CFI 1001 .cfa: $rsp 16 + $rbp: .cfa -16 + ^\nSTACK CFI 1018 $rbp: $rbp $rbx: .undef\n";

#[test]
fn symbol_files_cut_off_anywhere_and_with_random_damage() {
    every_cut(SYMBOL_FILE.as_bytes(), exercise::breakpad);
    many_mutations(SYMBOL_FILE.as_bytes(), 13, exercise::breakpad);
    // Longer than the ends by which an index recognises its file.
    let records = SYMBOL_FILE.split_once('\n').map_or("", |(_, rest)| rest);
    many_mutations(format!("{SYMBOL_FILE}{}", records.repeat(3)).as_bytes(), 14, exercise::breakpad);
}

/// The files in the universal files of `frames`.
fn frames() -> Vec<Vec<u8>> {
    let file = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frames").join(name);
        let data = Data::map(&path).expect("a file of tests/frames");
        slices(&data).expect("a universal file").into_iter().map(|slice| slice.data.to_vec())
    };
    file("frames.dylib").chain(file("frames.dwarf")).collect()
}

#[test]
fn macho_files_cut_off_anywhere() {
    for file in frames() {
        // Most of them is debug information, of which not every cut is another case.
        for length in (0..0x800).chain((0x800..file.len()).step_by(61)) {
            exercise::macho(&file[..length]);
        }
    }
}

#[test]
fn macho_files_with_random_damage() {
    for (file, seed) in frames().iter().zip(14..) {
        many_mutations(file, seed, exercise::macho);
    }
}

#[test]
fn programs_of_which_one_file_is_damaged() {
    for (name, seed) in [("hello", 7), ("hello64", 8)] {
        let files = ["dmp", "exe", "pdb"].map(|extension| hello(&format!("{name}.{extension}")));
        let [dump, image, pdb] = &files;
        many_mutations(dump, seed, |damaged| exercise::program(damaged, image, pdb));
        many_mutations(image, seed, |damaged| exercise::program(dump, damaged, pdb));
        many_mutations(pdb, seed, |damaged| exercise::program(dump, image, damaged));
    }
}

/// A dump of Breakpad's of a 32-bit ARM process: one thread in Thumb code, a stack with a frame record, that code.
fn arm_dump() -> Vec<u8> {
    const STACK: u32 = 0x2_0000;
    const CODE: u32 = 0x4_0000;
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    // SystemInfo, ThreadList, MemoryList, MemoryInfoList behind the directory; then what they refer to.
    let (system, threads, memory, regions, context) = (0x60, 0x98, 0xcc, 0xf0, 0x130);
    let (stack, code, code_bytes) = (context + 368, context + 368 + 64, 0x200);
    let mut dump = words(&[0x504d_444d, 0xa793, 4, 32, 0, 0, 0, 0]);
    dump.extend(words(&[7, 56, system, 3, 52, threads, 5, 36, memory, 16, 64, regions]));
    dump.resize(system as usize, 0);
    dump.extend(words(&[5, 1, 0, 0, 0, 0x8203]));
    dump.resize(threads as usize, 0);
    dump.extend(words(&[1, 7, 0, 0, 0, 0, 0, STACK, 0, 64, stack, 368, context]));
    dump.extend(words(&[2, STACK, 0, 64, stack, CODE, 0, code_bytes, code]));
    dump.extend(words(&[16, 48, 1, 0, CODE, 0, CODE, 0, 0x20, 0, 0x1000, 0, 0x1000, 0x20, 0x2_0000, 0]));
    dump.extend(words(&[0x4000_0006]));
    let registers = (0..17).map(|index| match index {
        7 => STACK + 8,
        13 => STACK,
        14 => CODE + 0x103,
        15 => CODE + 0x180,
        16 => 0x30,
        other => other,
    });
    dump.extend(words(&registers.collect::<Vec<u32>>()));
    dump.resize(stack as usize, 0);
    dump.extend(words(&[0, 0, STACK + 0x20, CODE + 0x103, 0, 0, 0, 0, 0, 0]));
    dump.resize(code as usize + 0x100, 0);
    dump.extend([0x98, 0x47]); // blx r3
    dump.resize((code + code_bytes) as usize, 0);
    dump
}

#[test]
fn dumps_of_arm() {
    use stillframe_engine::{dump::Dump, memory::AddressSpace, process::Process, unwind::walk};
    let bytes = arm_dump();
    let dump = Dump::open(Data::from(bytes.clone())).expect("a dump");
    let registers = dump.context(0).expect("registers");
    let process = Process::new(AddressSpace::new(std::sync::Arc::new(dump)));
    assert_eq!(walk(&process, &registers, 10).frames.len(), 2, "the whole dump");
    every_cut(&bytes, exercise::dump);
    many_mutations(&bytes, 21, exercise::dump);
    many_mutations(&bytes, 22, exercise::unwind_arm);
}

/// What fuzzing found once, in `engine/fuzz/regressions/TARGET/`.
#[test]
fn findings_of_fuzzing_stay_mended() {
    type Ask = fn(&[u8]);
    let targets: [(&str, Ask); 14] = [
        ("dump", exercise::dump),
        ("image", exercise::image),
        ("pdb", exercise::pdb),
        ("elf", exercise::elf),
        ("breakpad", exercise::breakpad),
        ("dwarf", exercise::dwarf),
        ("macho", exercise::macho),
        ("unwind_x64", exercise::unwind_x64),
        ("unwind_x86", exercise::unwind_x86),
        ("unwind_arm64", exercise::unwind_arm64),
        ("unwind_arm", exercise::unwind_arm),
        ("eh_frame", exercise::eh_frame),
        ("code", exercise::code),
        ("name", exercise::name),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    for entry in std::fs::read_dir(folder.join("fuzz_targets")).expect("the fuzz targets") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        assert!(targets.iter().any(|(target, _)| *target == name), "{name} is missing from this test");
    }
    for (target, ask) in targets {
        let Ok(findings) = std::fs::read_dir(folder.join("regressions").join(target)) else { continue };
        for finding in findings {
            ask(&std::fs::read(finding.expect("an entry").path()).expect("a finding"));
        }
    }
}
