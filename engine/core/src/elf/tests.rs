//! The programs in `tests/shapes`, with expected values of readelf and nm; and files that are made here.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::*;

/// A program of `tests/shapes`.
pub(crate) fn shapes(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shapes").join(name)
}

fn open(name: &str) -> Elf {
    Elf::open(Data::map(&shapes(name)).unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn headers_of_real_programs() {
    for (name, cpu, base, entry, segments, sections, build_id) in [
        ("shapes.x64", Cpu::X64, 0x40_0000, 0x40_0177, 4, 17, "75dfc7820023f6ddf811f8fc9dbac5c55eb81153"),
        ("shapes.x86", Cpu::X86, 0x804_8000, 0x804_8150, 4, 15, "c4f332323f487296c8a3689121abc415fa4704b2"),
        ("shapes.arm64", Cpu::Arm64, 0x20_0000, 0x21_01c0, 6, 18, "0f4c27f89a52d2d1494fecc700dff7e91c874376"),
    ] {
        let elf = open(name);
        assert_eq!((elf.cpu(), elf.base(), elf.entry()), (Some(cpu), base, entry), "{name}");
        assert_eq!((elf.segments().len(), elf.sections().len()), (segments, sections), "{name}");
        assert_eq!((elf.kind(), elf.is_64()), (FileKind::Executable, cpu != Cpu::X86), "{name}");
        assert_eq!(elf.build_id().map(|id| hex(&id)).as_deref(), Some(build_id), "{name}");
        assert_eq!(elf.rva(entry), Some(Rva((entry - base) as u32)), "{name}");
        assert_eq!((elf.sections_error(), elf.soname(), elf.debug_link()), (None, None, None), "{name}");
    }
}

#[test]
fn symbols_of_real_programs() {
    for (name, address, size_bytes) in
        [("shapes.x64", 0x40_0170, 7), ("shapes.x86", 0x804_80d8, 0x13), ("shapes.arm64", 0x21_01b4, 0xc)]
    {
        let table = open(name).symbol_table().unwrap();
        let named = |symbol: &ElfSymbol| table.names[symbol.name as usize..].starts_with(b"_ZNK3geo4Rect4areaEv\0");
        let symbol = table.iter().find(named).unwrap();
        assert_eq!((symbol.value, symbol.size_bytes), (address, size_bytes), "{name}");
        assert_eq!((symbol.kind, symbol.binding), (SymbolType::Function, Binding::Global), "{name}");
    }
}

/// Writes a 64-bit little-endian file.
#[derive(Default)]
struct Builder {
    bytes: Vec<u8>,
    segments: Vec<[u64; 7]>,
    sections: Vec<(String, u32, u64, u64, u64)>,
}

impl Builder {
    const HEADER_BYTES: usize = 64;

    fn content(&mut self, bytes: &[u8]) -> u64 {
        self.bytes.extend(bytes);
        (Builder::HEADER_BYTES + self.bytes.len() - bytes.len()) as u64
    }

    fn section(mut self, name: &str, kind: u32, flags: u64, bytes: &[u8]) -> Builder {
        let offset = self.content(bytes);
        self.sections.push((name.to_owned(), kind, flags, offset, bytes.len() as u64));
        self
    }

    fn segment(mut self, kind: u32, vaddr: u64, bytes: &[u8]) -> Builder {
        let offset = self.content(bytes);
        let size = bytes.len() as u64;
        self.segments.push([u64::from(kind), offset, vaddr, vaddr, size, size, 4]);
        self
    }

    fn build(mut self) -> Vec<u8> {
        let mut names = vec![0];
        let mut headers = vec![0; 64];
        let count = self.sections.len() as u64;
        let sections = std::mem::take(&mut self.sections);
        for (name, kind, flags, offset, size) in sections {
            let words = [flags, 0, offset, size, 0, 1, 0];
            headers.extend((names.len() as u32).to_le_bytes().into_iter().chain(kind.to_le_bytes()));
            headers.extend(words.iter().flat_map(|word: &u64| word.to_le_bytes()));
            names.extend(name.bytes().chain([0]));
        }
        let names_size = names.len() as u64;
        let names_offset = self.content(&names);
        headers.extend(0u32.to_le_bytes().into_iter().chain(3u32.to_le_bytes()));
        headers.extend([0, 0, names_offset, names_size, 0, 1, 0].iter().flat_map(|word: &u64| word.to_le_bytes()));
        let sections_offset = self.content(&headers);
        let segments: Vec<u8> =
            self.segments.iter().flat_map(|words| words.iter().flat_map(|it| it.to_le_bytes())).collect();
        let segment_count = self.segments.len() as u16;
        let segments_offset = self.content(&segments);
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        file.extend([3u16, 62].iter().flat_map(|it| it.to_le_bytes()).chain(1u32.to_le_bytes()));
        file.extend([0, segments_offset, sections_offset].iter().flat_map(|it: &u64| it.to_le_bytes()));
        file.extend(0u32.to_le_bytes());
        let sizes = [64, 56, segment_count, 64, count as u16 + 2, count as u16 + 1];
        file.extend(sizes.iter().flat_map(|it: &u16| it.to_le_bytes()));
        assert_eq!(file.len(), Builder::HEADER_BYTES);
        file.extend(self.bytes);
        file
    }

    fn open(self) -> Elf {
        Elf::open(Data::from(self.build())).unwrap()
    }
}

const COMPRESSED: u64 = 0x800;
const PROGBITS: u32 = 1;

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An `Elf64_Chdr` and what follows it.
fn compressed(kind: u32, size: u64, bytes: &[u8]) -> Vec<u8> {
    let mut stored: Vec<u8> = kind.to_le_bytes().into_iter().chain([0; 4]).chain(size.to_le_bytes()).collect();
    stored.extend(1u64.to_le_bytes().iter().chain(bytes));
    stored
}

fn debug_section(name: &str, flags: u64, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let elf = Builder::default().section(name, PROGBITS, flags, bytes).open();
    let section = elf.debug_section(".debug_str");
    section.map(|section| section.map(|bytes| bytes.to_vec())).map_err(|error| error.to_string())
}

#[test]
fn compressed_sections_of_every_kind() {
    let text: Vec<u8> = (0..5000u32).flat_map(|number| (number % 300).to_le_bytes()).collect();
    let size = text.len() as u64;
    let zstd = ruzstd::encoding::compress_to_vec(&text[..], ruzstd::encoding::CompressionLevel::Fastest);
    let gnu: Vec<u8> = b"ZLIB".iter().copied().chain(size.to_be_bytes()).chain(zlib(&text)).collect();
    for (name, flags, stored) in [
        (".debug_str", 0, text.clone()),
        (".debug_str", COMPRESSED, compressed(1, size, &zlib(&text))),
        (".debug_str", COMPRESSED, compressed(2, size, &zstd)),
        (".zdebug_str", 0, gnu),
    ] {
        assert_eq!(debug_section(name, flags, &stored), Ok(Some(text.clone())), "{name} {flags:#x}");
    }
    assert_eq!(debug_section(".debug_line", 0, &text), Ok(None));
}

#[test]
fn sections_that_do_not_decompress_say_why() {
    let bomb = zlib(&vec![0; 1 << 20]);
    for (stored, expected) in [
        (compressed(1, 1 << 40, &bomb), format!("{} compressed bytes claim to become 1099511627776", bomb.len())),
        (compressed(1, 1000, &bomb), "it became 1001 bytes, not 1000".to_owned()),
        (compressed(1, (1 << 20) + 1, &bomb), "it became 1048576 bytes, not 1048577".to_owned()),
        (compressed(9, 1, &bomb), "compression type 9 is not known".to_owned()),
        (vec![1, 0, 0], "its compression header is truncated at offset 0x0: 4 bytes needed, 3 left".to_owned()),
    ] {
        let error = debug_section(".debug_str", COMPRESSED, &stored).unwrap_err();
        assert_eq!(error, format!("a damaged ELF file: section .debug_str: {expected}"));
    }
    let cut = &compressed(1, 1 << 20, &bomb)[..bomb.len()];
    assert!(debug_section(".debug_str", COMPRESSED, cut).is_err());
    assert!(debug_section(".zdebug_str", 0, b"ZLIX").unwrap_err().ends_with("it does not begin with ZLIB"));
}

#[test]
fn names_of_other_files() {
    let dynamic: Vec<u8> = [5, 0x5000, 14, 3, 0, 0].iter().flat_map(|word: &u64| word.to_le_bytes()).collect();
    let elf = Builder::default()
        .section(".gnu_debuglink", PROGBITS, 0, b"crash.debug\0\x04\x03\x02\x01")
        .section(".gnu_debugaltlink", PROGBITS, 0, b"../.dwz/x.debug\0\xab\xcd")
        .segment(segment_kind::DYNAMIC, 0x4000, &dynamic)
        .segment(segment_kind::LOAD, 0x5000, b"ab\0libx.so.6\0")
        .open();
    assert_eq!(elf.soname().as_deref(), Some("libx.so.6"));
    assert_eq!(elf.debug_link(), Some(DebugLink { name: "crash.debug".to_owned(), crc: 0x0102_0304 }));
    let expected = DebugAltLink { path: "../.dwz/x.debug".to_owned(), build_id: vec![0xab, 0xcd] };
    assert_eq!(elf.debug_alt_link(), Some(expected));
    assert_eq!((elf.base(), elf.kind(), elf.build_id()), (0x5000, FileKind::Shared, None));
}

#[test]
fn notes_follow_each_other_at_multiples_of_four() {
    let mut notes = Vec::new();
    for (owner, kind, descriptor) in [(&b"CORE\0"[..], 1u32, &b"12345"[..]), (b"GNU\0", 3, b"\xde\xad")] {
        notes.extend((owner.len() as u32).to_le_bytes());
        notes.extend((descriptor.len() as u32).to_le_bytes());
        notes.extend(kind.to_le_bytes());
        for part in [owner, descriptor] {
            notes.extend(part);
            notes.resize(notes.len().next_multiple_of(4), 0);
        }
    }
    let elf = Builder::default().segment(segment_kind::NOTE, 0, &notes).open();
    let found: Vec<(Vec<u8>, u32, Vec<u8>)> =
        elf.notes().map(|note| (note.owner.to_vec(), note.kind, note.descriptor.to_vec())).collect();
    assert_eq!(found, [(b"CORE".to_vec(), 1, b"12345".to_vec()), (b"GNU".to_vec(), 3, b"\xde\xad".to_vec())]);
    assert_eq!(elf.build_id(), Some(vec![0xde, 0xad]));
}

#[test]
fn more_segments_than_the_file_header_can_count() {
    // PN_XNUM: cores of processes with more than 65,534 maps have their number in the first section header.
    let mut file =
        Builder::default().segment(segment_kind::LOAD, 0x1000, b"x").segment(segment_kind::NOTE, 0, b"").build();
    let number = |file: &[u8], at: usize| u64::from_le_bytes(file[at..at + 8].try_into().unwrap()) as usize;
    let first_section = number(&file, 40);
    file[56..58].copy_from_slice(&[0xff, 0xff]);
    file[first_section + 44] = 2; // sh_info
    let elf = Elf::open(Data::from(file)).unwrap();
    assert_eq!(elf.segments().iter().map(|segment| segment.kind).collect::<Vec<_>>(), [1, 4]);
}

#[test]
fn what_is_no_elf_file_says_so() {
    let mut big_endian = std::fs::read(shapes("shapes.x64")).unwrap();
    big_endian[5] = 2;
    for (bytes, expected) in [
        (&b""[..], "not an ELF file: the file is empty"),
        (b"MZ", "not an ELF file: it does not begin with 7F ELF"),
        (&big_endian, "an ELF file that is not supported: a big-endian file"),
        (
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0",
            "a damaged ELF file: file header truncated at offset 0x12: 2 bytes needed, 0 left",
        ),
    ] {
        assert_eq!(Elf::open(Data::from(bytes.to_vec())).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_file_without_its_section_headers_still_has_segments() {
    let bytes = std::fs::read(shapes("shapes.x64")).unwrap();
    let elf = Elf::open(Data::from(bytes[..0x300].to_vec())).unwrap();
    assert_eq!(elf.segments().len(), 4);
    assert!(elf.sections().is_empty());
    let error = elf.sections_error().unwrap().to_string();
    assert!(error.starts_with("a damaged ELF file: section headers truncated at offset 0x"), "{error}");
    // The build-id is in a segment, too.
    assert_eq!(elf.build_id().map(|id| hex(&id)).as_deref(), Some("75dfc7820023f6ddf811f8fc9dbac5c55eb81153"));
}
