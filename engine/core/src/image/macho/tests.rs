//! The program in `tests/frames`, whose dSYM has call frame information too, which must say what the compact encodings
//! say; and where the folder of real data is there, a dump of macOS.

use std::path::Path;

use super::*;
use crate::cfi::{CfaRule, Rule};
use crate::debuginfo::file::{DebugFile, DebugFormat, DebugIdentity};
use crate::dump::Dump;
use crate::image::tests::prove_with;
use crate::macho::tests::{frames, open};
use crate::memory::AddressSpace;
use crate::process::Process;
use crate::registers::{Register, arm64, x64};
use crate::shared_data::shared;
use crate::unwind::{Stop, Trust, WalkEnd, walk};

fn data(path: &Path) -> Data {
    Data::map(path).unwrap()
}

fn image(cpu: Cpu) -> MachImage {
    MachImage::open(data(&frames("frames.dylib")), Some(cpu)).unwrap()
}

/// `.debug_frame` of the dSYM.
fn debug_frames(cpu: Cpu) -> CallFrames {
    let bytes = open("frames.dwarf", cpu).debug_section(".debug_frame").unwrap().unwrap();
    let kind = FrameSectionKind::DebugFrame;
    CallFrames::new(FrameSection { kind, bytes, address: 0, text: None, data: None, header: None }, cpu)
}

fn in_order(mut row: CfiRow) -> CfiRow {
    row.rules.sort_by_key(|(register, _)| *register);
    row
}

#[test]
fn compact_encodings_say_what_dwarf_says() {
    // Calls (llvm-objdump), and instructions of leaves: without a frame, with a stack, with few and many registers, with
    // a size that is in the code, with vector registers, with a frame pointer.
    for (cpu, addresses) in [
        (Cpu::X64, [0x2e8, 0x304, 0x31e, 0x355, 0x396, 0x3bd, 0x440, 0x4ca, 0x51c, 0x5a2]),
        (Cpu::Arm64, [0x2a4, 0x2c0, 0x2d4, 0x318, 0x35c, 0x380, 0x408, 0x4a0, 0x500, 0x580]),
    ] {
        let (image, frames) = (image(cpu), debug_frames(cpu));
        for address in addresses {
            let row = image.cfi_at(Rva(address)).map(in_order);
            assert!(row.is_some(), "{cpu:?} {address:#x}");
            assert_eq!(row, frames.row_at(address.into()).map(in_order), "{cpu:?} {address:#x}");
        }
    }
}

#[test]
fn prologues_are_followed() {
    // Instructions of `many`; clang tells of each push how deep it leads, and of registers only at the end.
    let (image, frames) = (image(Cpu::X64), debug_frames(Cpu::X64));
    for address in [0x3d0_u32, 0x3d1, 0x3d3, 0x3d5, 0x3d7, 0x3d9, 0x3da] {
        let (row, dwarf) = (image.cfi_at(Rva(address)).unwrap(), frames.row_at(address.into()).unwrap());
        assert_eq!(row.cfa, dwarf.cfa, "{address:#x}");
        // The return address, and what was pushed so far: one instruction each.
        let pushed = [0x3d0, 0x3d1, 0x3d3, 0x3d5, 0x3d7, 0x3d9, 0x3da].iter().filter(|&&it| it < address).count();
        assert_eq!(row.rules.len(), pushed + 1, "{address:#x}");
    }
    let image = self::image(Cpu::Arm64);
    // sub sp, sp, #0x20; stp x29, x30, [sp, #0x10]; add x29, sp, #0x10
    for (address, depth, rules) in [
        (0x2ec, 0, vec![]),
        (0x2f0, 0x20, vec![]),
        (0x2f4, 0x20, vec![(arm64::FP, Rule::Offset(-16)), (arm64::LR, Rule::Offset(-8))]),
    ] {
        let row = image.cfi_at(Rva(address)).unwrap();
        assert_eq!((row.cfa, row.rules), (CfaRule::RegisterOffset(arm64::SP, depth), rules), "{address:#x}");
    }
}

#[test]
fn nothing_unwinds_outside_of_code() {
    for (cpu, addresses) in [(Cpu::X64, [0, 0x2df, 0x5b5, 0x2000]), (Cpu::Arm64, [0, 0x29c, 0x598, 0x4000])] {
        let image = image(cpu);
        assert_eq!(addresses.map(|address| image.cfi_at(Rva(address))), [None, None, None, None], "{cpu:?}");
    }
}

#[test]
fn names_by_the_symbol_table() {
    let image = image(Cpu::X64);
    let at = |rva| image.export_at(Rva(rva)).map(|(name, start)| (name.into_owned(), start.0));
    assert_eq!(at(0x355), Some(("one".to_owned(), 0x330)));
    assert_eq!(at(0x5b4), Some(("dynamic".to_owned(), 0x570)));
    assert_eq!((at(0x2df), at(0x5b5)), (None, None));
    assert_eq!(image.section_name(Rva(0x355)).as_deref(), Some("__TEXT,__text"));
    assert_eq!(image.section_name(Rva(0x2010)).as_deref(), Some("__LINKEDIT"));
}

#[test]
fn functions_lines_and_symbols_of_a_dsym() {
    for (cpu, addresses) in [(Cpu::X64, [0x355, 0x440]), (Cpu::Arm64, [0x318, 0x408])] {
        let debug = DebugFile::open_for(data(&frames("frames.dwarf")), None, Some(cpu), None).unwrap();
        let uuid = image(cpu).macho().uuid().unwrap();
        assert_eq!((debug.format, debug.identity, debug.cpu), (DebugFormat::Dwarf, DebugIdentity::Uuid(uuid), cpu));
        let at = |rva| {
            let scopes = debug.info.scopes_at(Rva(rva));
            scopes.into_iter().map(|it| (it.function, it.location.unwrap().line)).collect::<Vec<_>>()
        };
        assert_eq!(at(addresses[0]), [("one".to_owned(), 27)]);
        assert_eq!(at(addresses[1]), [("many".to_owned(), 37)]);
        assert_eq!(debug.info.problems(), [""; 0]);
        // The image itself has its symbols.
        let own = DebugFile::of_macho(image(cpu).macho().clone());
        assert_eq!(own.format, DebugFormat::Symbols);
        assert_eq!(own.info.function_at(Rva(addresses[0])).unwrap().name, "one");
    }
}

#[test]
fn what_is_no_image_says_so() {
    let open = |bytes: Data, cpu| MachImage::open(bytes, cpu).err().unwrap().to_string();
    let dsym = open(data(&frames("frames.dwarf")), Some(Cpu::X64));
    assert_eq!(dsym, "a Mach-O file of debug information alone (dSYM): it holds no code");
    // The same where only the sizes in the file say it.
    let mut hollow = crate::macho::tests::open("frames.dwarf", Cpu::X64).data().to_vec();
    hollow[12] = 6; // filetype: a library
    assert_eq!(open(Data::from(hollow), None), dsym);
    let mut object = slice(Cpu::X64).to_vec();
    object[12] = 1; // filetype
    assert_eq!(open(Data::from(object), None), "a Mach-O file that is neither a program nor a library");
}

/// One of the files in the universal one.
fn slice(cpu: Cpu) -> Data {
    open("frames.dylib", cpu).data().clone()
}

/// A module whose CodeView record has the UUID as Breakpad writes it.
fn module(uuid: [u8; 16]) -> Module {
    let codeview = [&b"RSDS"[..], &swapped(&uuid), &[0; 4], b"frames.dylib\0"].concat();
    Module { codeview, size_bytes: 0x2000, ..crate::image::tests::module(0x10_0000) }
}

#[test]
fn a_proof_compares_code_and_not_the_tables_of_the_linker() {
    let (image, file) = (image(Cpu::X64), slice(Cpu::X64));
    let module = Module { size_bytes: 0x3000, ..module(image.macho().uuid().unwrap()) };
    let proof = prove_with(&image, &module, &[(0x300, &file[0x300..0x310]), (0x2000, b"other bytes")]);
    assert!(proof.is_accepted());
    assert_eq!((proof.compared_bytes, proof.key_matches), (16, true));
    assert!(!prove_with(&image, &module, &[(0x300, &[0xcc; 16])]).is_accepted());
    // Another build.
    assert!(!prove_with(&image, &self::module([1; 16]), &[(0x300, &file[0x300..0x310])]).key_matches);
}

#[test]
fn what_is_encrypted_in_the_file_proves_and_fills_nothing() {
    // LC_ENCRYPTION_INFO_64 in place of LC_DYLD_INFO_ONLY: offset, size, and which encryption, 0 if none.
    let mut file = slice(Cpu::X64).to_vec();
    let at = file.windows(8).position(|bytes| bytes == b"\x22\0\0\x80\x30\0\0\0").unwrap();
    for (encryption, compared) in [(1_u32, 0), (0, 16)] {
        let fields = [0x2c_u32, 48, 0x300, 0x80, encryption].map(u32::to_le_bytes);
        file[at..at + 20].copy_from_slice(fields.as_flattened());
        let image = MachImage::open(Data::from(file.clone()), None).unwrap();
        let module = module(image.macho().uuid().unwrap());
        let proof = prove_with(&image, &module, &[(0x308, &file[0x308..0x318])]);
        assert_eq!(proof.compared_bytes, compared, "{encryption}");
    }
}

#[test]
fn what_the_dynamic_linker_writes_is_writable() {
    // The names of two segments, in place of __LINKEDIT; a flag that says that writing ends.
    for (name, protection, flags, writable) in [
        (&b"__DATA_CONST\0"[..], 1_u32, 0_u32, true),
        (b"__AUTH_CONST\0", 1, 0, true),
        (b"__OTHER\0", 3, 0, true),
        (b"__OTHER\0", 1, 0x10, true),
        (b"__OTHER\0", 1, 0, false),
    ] {
        let mut file = slice(Cpu::X64).to_vec();
        let at = file.windows(11).position(|bytes| bytes == b"__LINKEDIT\0").unwrap();
        file[at..at + name.len()].copy_from_slice(name);
        file[at + 52..at + 56].copy_from_slice(&protection.to_le_bytes()); // initprot
        file[at + 60..at + 64].copy_from_slice(&flags.to_le_bytes());
        let image = MachImage::open(Data::from(file), None).unwrap();
        assert_eq!(image.sections()[1].writable, writable, "{name:?}");
    }
}

#[test]
fn an_image_as_it_was_mapped() {
    let file = slice(Cpu::X64);
    let uuid = open("frames.dylib", Cpu::X64).uuid().unwrap();
    let mapped = file.part(0, 0x2000).unwrap();
    let image = crate::image::open_mapped(mapped.clone(), &module(uuid)).unwrap();
    assert_eq!(image.cfi_at(Rva(0x440)), self::image(Cpu::X64).cfi_at(Rva(0x440)));
    assert!(crate::image::open_mapped(mapped, &module([1; 16])).is_none());
}

/// Expected values: the source, the snapshots and the Breakpad symbols that came with the dump, llvm-objdump.
#[test]
fn a_dump_of_macos_by_its_image_and_dsym() {
    let folder = "others/symbolic/macos";
    let Some(dump) = shared(&format!("{folder}/mini.dmp")) else { return };
    let file = |name: &str| data(&shared(&format!("{folder}/{name}")).unwrap());
    let dump = Arc::new(Dump::open(data(&dump)).unwrap());
    let image: Arc<dyn Image> = Arc::new(MachImage::open(file("crash"), None).unwrap());
    let debug = DebugFile::open(file("crash.dSYM/Contents/Resources/DWARF/crash"), None).unwrap();
    assert_eq!(image.key().to_string(), "UUID 67e9247c814e392ba027dbde6748fcbf");
    assert_eq!(image.key(), image.wanted_key(&dump.modules()[0]));

    let mut process = Process::new(AddressSpace::new(dump.clone()));
    // The dump has 256 bytes around the instruction.
    let proof = process.space.prove(0, image.as_ref()).unwrap();
    assert!(proof.is_accepted());
    assert_eq!((proof.compared_bytes, proof.differing_bytes), (256, 0));
    for module in 1..dump.modules().len() {
        process.space.set_image(module, None);
        process.set_debug_info(module, None);
    }
    process.space.set_image(0, Some(image));
    process.set_debug_info(0, Some(debug.info.clone()));
    let walk = walk(&process, &dump.context(0).unwrap(), 64);
    // `main` (encoding 0x52280400): 320 bytes of stack, RBX pushed; called by libdyld.
    let frames: Vec<_> = walk.frames.iter().map(|frame| (frame.lookup_address, frame.trust)).collect();
    assert_eq!(frames, [(0x1_09ba_8c15, Trust::Context), (140_737_084_568_116, Trust::Cfi)]);
    let stack = [0, 1].map(|frame| walk.frames[frame].registers.stack_pointer().unwrap());
    assert_eq!(stack[1], stack[0] + 320);
    assert_eq!(walk.end, WalkEnd::Done(Stop::NoCaller));
    let scopes = debug.info.scopes_at(Rva(0xdc15));
    let lines: Vec<_> = scopes.iter().map(|it| (it.function.as_str(), it.location.as_ref().unwrap().line)).collect();
    let expected = [("(anonymous namespace)::crash", 21), ("(anonymous namespace)::start", 25), ("main", 32)];
    assert_eq!(lines, expected);
}

/// Functions whose frames `__eh_frame` describes, by offsets that the encodings give (llvm-objdump, llvm-dwarfdump).
#[test]
fn a_program_of_macos_with_both_kinds_of_information() {
    let Some(path) = shared("others/symbolic/macos/crash") else { return };
    let image = MachImage::open(data(&path), None).unwrap();
    let saved = |row: &CfiRow| {
        let offset = |(register, rule): &(Register, Rule)| match rule {
            Rule::Offset(offset) => (register.0, *offset),
            other => panic!("{other:?}"),
        };
        let mut saved: Vec<(u8, i64)> = row.rules.iter().map(offset).collect();
        saved.sort();
        saved
    };
    for (rva, cfa, expected) in [
        // 0x52961020: 0x96 words; 4 registers, of which the order is number 32.
        (0xb300, (x64::RSP, 1200), vec![(3, -40), (5, -16), (14, -32), (15, -24), (16, -8)]),
        // 0x0309b020: the size is in `sub rsp, 0x2068`, 9 bytes from the start; 5 words besides; the same registers.
        (0xb218, (x64::RSP, 0x2068 + 40), vec![(3, -40), (5, -16), (14, -32), (15, -24), (16, -8)]),
        // 0x14000ee8: DW_CFA_def_cfa_offset 16 after the push.
        (0xd9c5, (x64::RSP, 16), vec![(16, -8)]),
    ] {
        let row = image.cfi_at(Rva(rva)).unwrap();
        assert_eq!((row.cfa.clone(), saved(&row)), (CfaRule::RegisterOffset(cfa.0, cfa.1), expected), "{rva:#x}");
    }
}
