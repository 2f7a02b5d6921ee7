//! The program in `tests/frames`, with expected values of llvm-objdump and llvm-nm; and files that are made here.

mod encodings;
mod pages;

use std::path::{Path, PathBuf};

use super::*;

/// A file of `tests/frames`.
pub(crate) fn frames(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frames").join(name)
}

pub(crate) fn open(name: &str, cpu: Cpu) -> MachO {
    MachO::open(Data::map(&frames(name)).unwrap(), Some(cpu)).unwrap()
}

fn error(bytes: &[u8], cpu: Option<Cpu>) -> String {
    MachO::open(Data::from(bytes.to_vec()), cpu).unwrap_err().to_string()
}

const UUID_X64: u128 = 0x4c4c4441_5555_3144_a1c6_284c1db7ff9e;
const UUID_ARM64: u128 = 0x4c4c4475_5555_3144_a19b_909544fb6e6c;

#[test]
fn headers_of_both_slices() {
    for (cpu, uuid, text, text_bytes, link_edit) in
        [(Cpu::X64, UUID_X64, 0x2e0, 0x2d5, 0x2000), (Cpu::Arm64, UUID_ARM64, 0x2a0, 0x2f8, 0x4000)]
    {
        for (name, kind, install_name) in [
            ("frames.dylib", FileKind::Library, Some("/frames/frames.dylib")),
            ("frames.dwarf", FileKind::DebugInformation, None),
        ] {
            let file = open(name, cpu);
            assert_eq!((file.cpu(), file.kind(), file.install_name()), (Some(cpu), kind, install_name));
            assert_eq!(file.uuid(), Some(uuid.to_be_bytes()), "{name}");
            let section = file.section_named("__TEXT", "__text").unwrap();
            assert_eq!((section.vmaddr, section.size_bytes), (text, text_bytes), "{name}");
            assert!(section.is_executable() && section.contains(text) && !section.contains(text + text_bytes));
        }
        let file = open("frames.dylib", cpu);
        let segments: Vec<(&str, u64, u32)> =
            file.segments().iter().map(|it| (it.name.as_str(), it.vmaddr, it.protection)).collect();
        assert_eq!(segments, [("__TEXT", 0, 5), ("__LINKEDIT", link_edit, 1)]);
    }
}

#[test]
fn symbols_without_the_records_for_debuggers() {
    let file = open("frames.dylib", Cpu::X64);
    let table = file.symbol_table().unwrap();
    let name = |symbol: &MachSymbol| {
        let rest = &table.names[symbol.name as usize..];
        String::from_utf8(rest[..rest.iter().position(|&byte| byte == 0).unwrap()].to_vec()).unwrap()
    };
    let mut symbols: Vec<(u64, String)> = table.iter().map(|symbol| (symbol.value, name(&symbol))).collect();
    symbols.sort();
    let expected = [
        (0x2e0, "_sink"),
        (0x2f0, "_sink_doubles"),
        (0x300, "_leaf"),
        (0x310, "_leaf_with_stack"),
        (0x330, "_one"),
        (0x370, "_two"),
        (0x3d0, "_many"),
        (0x480, "_large"),
        (0x500, "_doubles"),
        (0x570, "_dynamic"),
    ];
    assert_eq!(symbols, expected.map(|(value, name)| (value, name.to_owned())));
    assert_eq!(file.function_starts(), expected.map(|(value, _)| Rva(value as u32)));
    // A dSYM has symbols, but says nothing about starts.
    let debug = open("frames.dwarf", Cpu::X64);
    assert_eq!((debug.symbol_table().unwrap().iter().count(), debug.function_starts().len()), (10, 0));
}

#[test]
fn a_dsym_has_its_sections_but_not_those_of_its_image() {
    for cpu in [Cpu::X64, Cpu::Arm64] {
        let file = open("frames.dwarf", cpu);
        let text = file.section_named("__TEXT", "__text").unwrap();
        assert!(!file.holds(text) && file.section_bytes(text).unwrap().is_empty(), "{cpu:?}");
    }
    // dsymutil copies this one, which the image for x86-64 has.
    let file = open("frames.dwarf", Cpu::X64);
    let frames = file.section_named("__TEXT", "__eh_frame").unwrap();
    let image = open("frames.dylib", Cpu::X64);
    let of_image = image.section_bytes(image.section_named("__TEXT", "__eh_frame").unwrap()).unwrap();
    assert_eq!(&file.section_bytes(frames).unwrap()[..], &of_image[..]);
    let file = open("frames.dwarf", Cpu::Arm64);
    // .debug_info begins with the unit's length, which says where it ends.
    let info = file.debug_section(".debug_info").unwrap().unwrap();
    assert_eq!(u32::from_le_bytes(*info.first_chunk().unwrap()) as usize, info.len() - 4);
    assert_eq!(file.debug_section(".debug_rnglists").unwrap().map(|it| it.len()), None);
    // Names end after 16 bytes.
    let accelerator = file.section_named("__DWARF", "__apple_namespac").unwrap();
    let bytes = file.section_bytes(accelerator).unwrap();
    assert_eq!(&file.debug_section(".apple_namespaces").unwrap().unwrap()[..], &bytes[..]);
}

#[test]
fn of_a_universal_file_the_slice_that_is_asked_for() {
    let data = Data::map(&frames("frames.dylib")).unwrap();
    let found: Vec<_> = slices(&data).unwrap().iter().map(|it| (it.cpu(), it.data.start(), it.data.len())).collect();
    assert_eq!(found, [(Some(Cpu::X64), 0x1000, 9088), (Some(Cpu::Arm64), 0x4000, 17568)]);
    assert_eq!(error(&data, None), "a universal Mach-O file for x86-64, ARM64: which of them is meant has to be said");
    assert_eq!(error(&data, Some(Cpu::X86)), "a universal Mach-O file without code for x86: it has x86-64, ARM64");
    // With a single slice nobody has to ask; numbers of 64 bits are another variant.
    let thin = slices(&data).unwrap()[0].data.clone();
    let fields = [0xcafe_babf_u32, 1, 0x0100_0007, 3, 0, 40, 0, thin.len() as u32, 12, 0].map(u32::to_be_bytes);
    let universal = [fields.as_flattened(), &thin].concat();
    let file = MachO::open(Data::from(universal), None).unwrap();
    assert_eq!(file.uuid(), Some(UUID_X64.to_be_bytes()));
}

#[test]
fn what_is_not_read_says_why() {
    for (bytes, expected) in [
        (&b""[..], "not a Mach-O file: it is too short"),
        (b"MZ\x90\x00", "not a Mach-O file: it does not begin as one"),
        (b"\xce\xfa\xed\xfe\x07\0\0\0", "a Mach-O file that is not supported: a 32-bit file"),
        (b"\xfe\xed\xfa\xcf\x01\0\0\x12", "a Mach-O file that is not supported: a big-endian file"),
        (b"\xfe\xed\xfa\xce\0\0\0\x12", "a Mach-O file that is not supported: a big-endian file"),
        // Java's class files begin as universal files do: version 52.
        (b"\xca\xfe\xba\xbe\0\0\0\x34", "not a Mach-O file: it does not begin as one"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", "a damaged Mach-O file: list of processors truncated"),
        (b"\xcf\xfa\xed\xfe\x07\0\0\x01", "a damaged Mach-O file: file header truncated"),
    ] {
        let error = error(bytes, None);
        assert!(error.starts_with(expected), "{error}");
    }
    assert!(!is_macho(b"\xca\xfe\xba\xbe\0\0\0\x34"));
}

/// A file of these load commands: number, content.
fn file_of(commands: &[(u32, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, content) in commands {
        bytes.extend([number.to_le_bytes(), (content.len() as u32 + 8).to_le_bytes()].as_flattened());
        bytes.extend(*content);
    }
    let fields = [0xfeed_facf, 0x0100_000c, 0, 2, commands.len() as u32, bytes.len() as u32, 0, 0];
    [fields.map(u32::to_le_bytes).as_flattened(), &bytes].concat()
}

#[test]
fn load_commands_end_where_they_say() {
    let good = file_of(&[(0x1b, &[7; 16]), (0x99, &[1, 2, 3, 4])]);
    let file = MachO::open(Data::from(good.clone()), None).unwrap();
    assert_eq!((file.uuid(), file.cpu(), file.base()), (Some([7; 16]), Some(Cpu::Arm64), 0));
    // One that claims no bytes would be read for ever, one that claims many has not got them.
    for (size, sentence) in [
        (0, "a damaged Mach-O file: load command 0 claims 0 bytes"),
        (0x1000, "a damaged Mach-O file: load command 0 claims 4096 bytes"),
    ] {
        let mut bad = good.clone();
        bad[36..40].copy_from_slice(&u32::to_le_bytes(size));
        assert_eq!(error(&bad, None), sentence);
    }
    let mut sections = vec![0; 64];
    sections[56..60].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(error(&file_of(&[(0x19, &sections)]), None), "a damaged Mach-O file: load command 0 claims 72 bytes");
    assert!(error(&good[..50], None).starts_with("a damaged Mach-O file: load commands truncated"));
}
