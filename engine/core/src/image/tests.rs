//! Images assembled by hand from the layout in Microsoft's "PE Format".

use super::*;
use crate::address::Rva;
use crate::data::Data;
use crate::dump::memory::{MemoryIndex, MemoryRange};
use crate::dump::modules::Module;

pub const BASE: u64 = 0x1_4000_0000;
const TEXT: u32 = 0x6000_0020;
const RDATA: u32 = 0x4000_0040;
const DATA: u32 = 0xc000_0040;

/// A PE32+ image: `.text` at 0x1000, `.rdata` at 0x2000, `.data` at 0x3000, `.reloc` at 0x4000; one file page each.
pub struct Built {
    pub text: Vec<u8>,
    pub rdata: Vec<u8>,
    pub data: Vec<u8>,
    pub reloc: Vec<u8>,
    /// (index, RVA, size)
    pub directories: Vec<(usize, u32, u32)>,
}

impl Default for Built {
    fn default() -> Built {
        let reloc = [0x1000u32.to_le_bytes().to_vec(), 12u32.to_le_bytes().to_vec(), vec![0x08, 0xa0, 0, 0]].concat();
        Built {
            // A relocated word (DIR64) at 0x1008.
            text: [vec![0xcc; 8], (BASE + 0x2000).to_le_bytes().to_vec(), vec![0x90; 16]].concat(),
            rdata: b"constant".to_vec(),
            data: b"initial!".to_vec(),
            directories: vec![(5, 0x4000, 12)],
            reloc,
        }
    }
}

impl Built {
    pub fn bytes(&self) -> Vec<u8> {
        let mut file = vec![0; 0x200 * 5];
        file[..2].copy_from_slice(b"MZ");
        file[0x3c] = 0x40;
        let put = |file: &mut Vec<u8>, at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(&mut file, 0x40, b"PE\0\0\x64\x86\x04\0");
        put(&mut file, 0x48, &0x5eed_0001u32.to_le_bytes());
        put(&mut file, 0x54, &240u16.to_le_bytes());
        let optional = 0x58;
        put(&mut file, optional, &0x20bu16.to_le_bytes());
        put(&mut file, optional + 24, &BASE.to_le_bytes());
        put(&mut file, optional + 56, &0x5000u32.to_le_bytes());
        put(&mut file, optional + 60, &0x200u32.to_le_bytes());
        put(&mut file, optional + 108, &16u32.to_le_bytes());
        for (index, rva, size) in &self.directories {
            put(&mut file, optional + 112 + index * 8, &rva.to_le_bytes());
            put(&mut file, optional + 116 + index * 8, &size.to_le_bytes());
        }
        let sections =
            [(&b".text"[..], &self.text, TEXT), (b".rdata", &self.rdata, RDATA), (b".data", &self.data, DATA)];
        let sections = sections.into_iter().chain([(&b".reloc"[..], &self.reloc, RDATA)]);
        for (index, (name, content, flags)) in sections.enumerate() {
            let header = optional + 240 + index * 40;
            put(&mut file, header, name);
            let (rva, offset) = (0x1000 * (index as u32 + 1), 0x200 * (index as u32 + 1));
            for (field, value) in [(8, 0x300), (12, rva), (16, 0x200), (20, offset), (36, flags)] {
                put(&mut file, header + field, &u32::to_le_bytes(value));
            }
            put(&mut file, offset as usize, content);
        }
        file
    }

    pub fn open(&self) -> PeImage {
        PeImage::open(Data::from(self.bytes())).unwrap()
    }
}

pub fn module(base: u64) -> Module {
    Module {
        name: "built.exe".to_owned(),
        base,
        size_bytes: 0x5000,
        time_date_stamp: 0x5eed_0001,
        check_sum: 0,
        version: None,
        codeview: Vec::new(),
    }
}

/// Proves `image` against memory whose ranges are given by RVA and content.
pub fn prove_with(image: &dyn Image, module: &Module, ranges: &[(u64, &[u8])]) -> Proof {
    let mut file = Vec::new();
    let mut found = Vec::new();
    for (rva, bytes) in ranges {
        found.push(MemoryRange {
            address: module.base + rva,
            size_bytes: bytes.len() as u64,
            offset: file.len() as u64,
        });
        file.extend_from_slice(bytes);
    }
    prove(image, module, &file, &MemoryIndex::new(found))
}

#[test]
fn headers_and_sections_are_read() {
    let image = Built::default().open();
    assert_eq!(image.key(), Key::Pe { time_date_stamp: 0x5eed_0001, size_of_image: 0x5000 });
    assert_eq!(image.linked_base(), BASE);
    let names: Vec<&str> = image.sections().iter().map(|section| section.name.as_str()).collect();
    assert_eq!(names, [".text", ".rdata", ".data", ".reloc"]);
    let flags: Vec<(bool, bool)> = image.sections().iter().map(|it| (it.writable, it.executable)).collect();
    assert_eq!(flags, [(false, true), (false, false), (true, false), (false, false)]);
    for (rva, section) in [(0xfff, None), (0x1000, Some(".text")), (0x12ff, Some(".text")), (0x1300, None)] {
        assert_eq!(image.section_at(Rva(rva)).map(|it| it.name.as_str()), section, "{rva:#x}");
    }
}

#[test]
fn zeros_follow_initialised_bytes_up_to_the_virtual_size() {
    let image = Built::default().open();
    let mut buffer = [0xff; 0x400];
    assert_eq!(image.read_mapped(Rva(0x2000), BASE, &mut buffer), 0x300);
    assert_eq!(&buffer[..8], b"constant");
    assert!(buffer[8..0x300].iter().all(|&byte| byte == 0));
    assert_eq!(image.read_mapped(Rva(0x1300), BASE, &mut buffer), 0);
}

#[test]
fn relocated_words_follow_the_base_even_where_a_read_cuts_them() {
    let image = Built::default().open();
    let base = 0x2_8000_0000;
    let word = (base + 0x2000u64).to_le_bytes();
    let mut buffer = [0; 8];
    image.read_mapped(Rva(0x1008), base, &mut buffer);
    assert_eq!(buffer, word);
    image.read_mapped(Rva(0x100c), base, &mut buffer);
    assert_eq!(buffer[..4], word[4..]);
    image.read_mapped(Rva(0x1004), base, &mut buffer);
    assert_eq!(buffer[4..], word[..4]);
    let cut = image.relocated_words(Rva(0x1000), 0xa, base);
    assert_eq!((cut.len(), cut.first()), (1, Some(&(0x1008..0x100a))));
    assert_eq!(image.relocated_words(Rva(0x1000), 0x20, BASE), []);
}

#[test]
fn equal_bytes_prove_an_image_at_another_base() {
    let (built, base) = (Built::default(), 0x2_8000_0000);
    let mut text = built.text.clone();
    text[8..16].copy_from_slice(&(base + 0x2000u64).to_le_bytes());
    let proof = prove_with(&built.open(), &module(base), &[(0x1000, &text), (0x2000, b"const")]);
    assert!(proof.is_accepted());
    assert_eq!((proof.compared_bytes, proof.compared_pages), (32 + 5, 2));
    let unrelocated = prove_with(&built.open(), &module(base), &[(0x1000, &built.text)]);
    assert!(!unrelocated.is_accepted());
}

#[test]
fn one_differing_byte_refuses_and_is_named() {
    let built = Built::default();
    let mut text = built.text.clone();
    text[20] = 0xcc;
    let proof = prove_with(&built.open(), &module(BASE), &[(0x1000, &text), (0x2000, b"const")]);
    assert!(proof.key_matches && !proof.is_accepted());
    assert_eq!((proof.differing_bytes, proof.differing_pages, proof.compared_pages), (1, 1, 2));
    let difference = &proof.differing[0];
    assert_eq!((difference.address, difference.size_bytes, difference.section.as_str()), (BASE + 0x1014, 1, ".text"));
    assert_eq!((&difference.expected[..], &difference.found[..]), (&[0x90][..], &[0xcc][..]));
}

#[test]
fn another_key_compares_nothing() {
    let built = Built::default();
    for wrong in [Module { time_date_stamp: 1, ..module(BASE) }, Module { size_bytes: 0x6000, ..module(BASE) }] {
        let proof = prove_with(&built.open(), &wrong, &[(0x1000, &built.text)]);
        assert_eq!((proof.key_matches, proof.compared_bytes, proof.is_accepted()), (false, 0, false));
    }
}

#[test]
fn writable_sections_and_the_import_address_table_prove_nothing() {
    let built = Built { directories: vec![(5, 0x4000, 12), (12, 0x2000, 4)], ..Built::default() };
    let image = built.open();
    let other: &[u8] = b"\x11\x22\x33\x44tant";
    let proof = prove_with(&image, &module(BASE), &[(0x2000, other), (0x3000, b"changed!")]);
    assert!(proof.is_accepted());
    assert_eq!(proof.compared_bytes, 4);
    // Without the table the same bytes refuse the image.
    assert!(!prove_with(&Built::default().open(), &module(BASE), &[(0x2000, other)]).is_accepted());
}

#[test]
fn pointers_that_the_loader_sets_are_not_compared() {
    // Offsets of LLVM's coff_load_configuration64: GuardCFCheckFunction 0x70, GuardRFFailureRoutineFunctionPointer
    // 0xd8; GuardLongJumpTargetCount at 0xb8 is a count, whatever number it holds.
    let mut rdata = vec![0; 0x200];
    rdata[..4].copy_from_slice(&0x140_u32.to_le_bytes());
    let address = |rva: u64| (BASE + rva).to_le_bytes();
    rdata[0x70..0x78].copy_from_slice(&address(0x2180));
    rdata[0xd8..0xe0].copy_from_slice(&address(0x2190));
    rdata[0xb8..0xc0].copy_from_slice(&address(0x21a0));
    let image = Built { rdata, directories: vec![(10, 0x2000, 0x140)], ..Built::default() }.open();
    let written = |rva: u64| image.loader_written().iter().any(|place| *place == (rva..rva + 8));
    assert_eq!([0x2180, 0x2190, 0x21a0].map(written), [true, true, false]);
}

#[test]
fn the_headers_are_compared_but_for_what_changes() {
    let built = Built::default();
    let mut headers = built.bytes()[..0x200].to_vec();
    headers[0x58 + 24..0x58 + 32].copy_from_slice(&0x7777u64.to_le_bytes()); // ImageBase
    headers[0x58 + 64] = 0x99; // CheckSum
    let proof = prove_with(&built.open(), &module(BASE), &[(0, &headers)]);
    assert!(proof.is_accepted());
    assert_eq!(proof.compared_bytes, 0x200 - 8 - 4);
    headers[0x48] ^= 1; // TimeDateStamp in memory
    assert!(!prove_with(&built.open(), &module(BASE), &[(0, &headers)]).is_accepted());
}

#[test]
fn exports_are_found_by_address_and_forwarders_are_not_addresses() {
    let mut rdata = vec![0; 0x100];
    let put = |rdata: &mut Vec<u8>, at: usize, values: &[u32]| {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        rdata[at..at + bytes.len()].copy_from_slice(&bytes);
    };
    put(&mut rdata, 20, &[2, 2, 0x2040, 0x2050, 0x2060]);
    put(&mut rdata, 0x40, &[0x1010, 0x2080]); // functions: one in .text, one forwarder
    put(&mut rdata, 0x50, &[0x2070, 0x2078]);
    rdata[0x60..0x64].copy_from_slice(&[0, 0, 1, 0]);
    rdata[0x70..0x75].copy_from_slice(b"here\0");
    rdata[0x78..0x7d].copy_from_slice(b"away\0");
    let image = Built { rdata, directories: vec![(0, 0x2000, 0x90)], ..Built::default() }.open();
    assert_eq!(image.export_at(Rva(0x1018)), Some(("here".into(), Rva(0x1010))));
    assert_eq!(image.export_at(Rva(0x100f)), None);
    assert_eq!(image.export_at(Rva(0x2080)), None);
}

#[test]
fn a_file_that_was_cut_off_gives_no_zeros_for_what_it_lost() {
    let bytes = Built::default().bytes();
    let image = PeImage::open(Data::from(bytes[..0x400 + 4].to_vec())).unwrap();
    let mut buffer = [0xff; 16];
    assert_eq!(image.read_mapped(Rva(0x2000), BASE, &mut buffer), 4);
    assert_eq!(&buffer[..4], b"cons");
}

#[test]
fn what_is_no_image_says_so() {
    for (bytes, expected) in [
        (&b""[..], "not an image: it does not begin with MZ"),
        (b"\x7fELF", "not an image: it does not begin with MZ"),
        (b"MZ", "a damaged PE image: its headers are truncated at offset 0x3c"),
    ] {
        let error = PeImage::open(Data::from(bytes.to_vec())).err().unwrap().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
