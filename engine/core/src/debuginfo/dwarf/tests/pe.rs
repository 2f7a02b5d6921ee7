//! DWARF in PE files: MinGW's. Expected values are llvm-symbolizer's, llvm-dwarfdump's and nm's, less the ImageBase.

use super::*;
use crate::debuginfo::file::{DebugFile, DebugFormat};
use crate::image;
use crate::pe::PeError;
use crate::shared_data;

fn debug_file(path: &Path) -> DebugFile {
    DebugFile::open(Data::map(path).unwrap(), None).unwrap()
}

#[test]
fn functions_and_inlined_calls_of_mingw_programs() {
    for (name, cpu, rva, lines) in [
        ("shapes.x86.exe", Cpu::X86, 0x1010, &[(AREA, 11)][..]),
        ("shapes.x86.exe", Cpu::X86, 0x1020, &[(CRASH, 32)]),
        ("shapes.x86.exe", Cpu::X86, 0x106f, &[(POKE, 28), (CRASH, 37)]),
        ("shapes.x86.exe", Cpu::X86, 0x1094, &[("_start", 45)]),
        ("shapes.x86.exe", Cpu::X86, 0x10a3, &[("geo::twice<int>", 15)]),
        ("shapes.x64.exe", Cpu::X64, 0x1004, &[(AREA, 11), (CRASH, 32)]),
        ("shapes.x64.exe", Cpu::X64, 0x1028, &[(POKE, 28), (CRASH, 37)]),
        ("shapes.x64.exe", Cpu::X64, 0x1051, &[("_start", 45)]),
    ] {
        let file = debug_file(&shapes(name));
        assert_eq!((file.format, file.cpu), (DebugFormat::Dwarf, cpu), "{name}");
        assert_eq!(chain(&*file.info, rva), expected(lines), "{name} {rva:#x}");
        assert_eq!(file.info.problems(), Vec::<String>::new());
    }
}

#[test]
fn symbols_have_the_names_of_the_source() {
    // nm: __ZNK3geo4Rect4areaEv and _counter on x86, _ZNK3geo4Rect4areaEv and counter on x64.
    for (name, area) in [("shapes.x86.exe", 0x1000), ("shapes.x64.exe", 0x102c)] {
        let info = debug_file(&shapes(name)).info;
        for spelling in [AREA, "_ZNK3geo4Rect4areaEv"] {
            let found: Vec<Rva> = info.symbols_named(spelling).iter().map(|it| it.rva).collect();
            assert_eq!(found, [Rva(area)], "{name} {spelling}");
        }
        let symbol = info.symbol_at(Rva(0x2001)).unwrap();
        assert_eq!((symbol.rva, symbol.kind), (Rva(0x2000), SymbolKind::PublicData));
        assert!(info.symbols_named("counter").iter().any(|it| it.rva == Rva(0x2000)), "{name}");
    }
}

#[test]
fn variables_of_a_mingw_program() {
    // llvm-dwarfdump: DW_OP_reg2 RCX.
    let variables = debug_file(&shapes("shapes.x64.exe")).info.variables_at(Rva(0x1004));
    let rect = variables.iter().find(|it| it.name == "this").unwrap();
    assert_eq!(
        (&rect.place, rect.inline_depth),
        (&Place::Register { register: crate::registers::x64::RCX, first_byte: 0 }, 1)
    );
}

#[test]
fn call_frame_information_of_x86_images() {
    // llvm-dwarfdump --eh-frame: 0x40101c: CFA=EBP+8: EBP=[CFA-8], EIP=[CFA-4]; 0x401036: CFA=ESP+20: EIP=[CFA-4].
    let ebp = (x86::EBP, Rule::Offset(-8));
    let eip = (x86::EIP, Rule::Offset(-4));
    for (name, rva, cfa, rules) in [
        ("shapes.x86.exe", 0x1020, CfaRule::RegisterOffset(x86::EBP, 8), &[ebp, eip.clone()][..]),
        // A stripped file, in which the section's name is cut off.
        ("shapes.stripped.exe", 0x104f, CfaRule::RegisterOffset(x86::ESP, 20), &[eip]),
    ] {
        let image = image::open(Data::map(&shapes(name)).unwrap()).unwrap();
        let mut row = image.cfi_at(Rva(rva)).unwrap();
        row.rules.sort_by_key(|(register, _)| *register);
        assert_eq!((row.cfa, &row.rules[..]), (cfa, rules), "{name}");
        assert_eq!(image.cfi_at(Rva(0x2000)), None);
    }
}

#[test]
fn an_image_answers_with_its_own_debug_information() {
    let own = |name: &str| image::open(Data::map(&shapes(name)).unwrap()).unwrap().own_debug_info(None);
    assert_eq!(own("shapes.x86.exe").map(|file| file.format), Some(DebugFormat::Dwarf));
    assert!(own("shapes.stripped.exe").is_none());
    let error = DebugFile::open(Data::map(&shapes("shapes.stripped.exe")).unwrap(), None).err().unwrap();
    assert_eq!(error.to_string(), PeError::NoDebugInfo.to_string());
}

#[test]
fn a_real_program_of_mingw() {
    let Some(path) = shared_data::shared("others/symbolic/windows/hello-dwarf.exe") else { return };
    let file = debug_file(&path);
    assert_eq!(file.format, DebugFormat::Dwarf);
    // objdump: main is 140001572 to 140001591; llvm-symbolizer: it begins at line 3 of hello.c.
    let main = file.info.function_at(Rva(0x1582)).unwrap();
    assert_eq!((main.name.as_str(), main.start, main.size_bytes), ("main", Rva(0x1572), 0x1f));
    assert_eq!(chain(&*file.info, 0x1572), expected(&[("main", 3)]));
    let path = file.info.scopes_at(Rva(0x1572)).remove(0).location.unwrap().file.path;
    assert_eq!(path, "/src/hello.c");
    assert_eq!(file.info.symbols_named("mainCRTStartup")[0].rva, Rva(0x14d0));
    assert_eq!(file.info.problems(), Vec::<String>::new());
}
