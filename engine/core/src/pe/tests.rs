//! PE files made by hand: names, symbols and compressed sections. Programs of compilers are read in the tests of DWARF.

use std::io::Write;

use super::*;
use crate::address::Rva;
use crate::debuginfo::DebugInfo;
use crate::debuginfo::symbol_table::SymbolTable as Symbols;

const CODE: u32 = 0x6000_0020;
const DATA: u32 = 0x4000_0040;

/// A symbol: name as it is in the record, value, section, type, class, auxiliary records.
type Record = ([u8; 8], u32, u16, u16, u8, u8);

fn short(name: &str) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes
}

fn long(offset: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[4..].copy_from_slice(&offset.to_le_bytes());
    bytes
}

/// A PE32 file of sections (RVA 0x1000, 0x2000, …) and symbols; `strings` follow the size of the string table.
fn file(machine: u16, sections: &[(&str, &[u8], u32)], symbols: &[Record], strings: &[u8]) -> Vec<u8> {
    let mut headers = vec![0; 0x40];
    headers[..2].copy_from_slice(b"MZ");
    headers[0x3c] = 0x40;
    let data_start = 0x40 + 24 + 96 + 40 * sections.len();
    let data_bytes: usize = sections.iter().map(|section| section.1.len()).sum();
    let record_count: usize = symbols.iter().map(|symbol| 1 + usize::from(symbol.5)).sum();
    headers.extend(b"PE\0\0");
    headers.extend([machine.to_le_bytes(), (sections.len() as u16).to_le_bytes()].concat());
    let words = [0, (data_start + data_bytes) as u32, record_count as u32];
    headers.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    headers.extend([96, 0, 0, 0]);
    let mut optional = vec![0; 96];
    optional[..2].copy_from_slice(&0x10b_u16.to_le_bytes());
    optional[28..32].copy_from_slice(&0x40_0000_u32.to_le_bytes());
    headers.extend(optional);
    let mut content = Vec::new();
    for (index, (name, bytes, flags)) in sections.iter().enumerate() {
        headers.extend(short(name));
        let (size, offset) = (bytes.len() as u32, (data_start + content.len()) as u32);
        for word in [size, 0x1000 * (index as u32 + 1), size, offset, 0, 0, 0, *flags] {
            headers.extend(word.to_le_bytes());
        }
        content.extend_from_slice(bytes);
    }
    headers.extend(content);
    for (name, value, section, kind, class, auxiliary_count) in symbols {
        headers.extend(name);
        headers.extend(value.to_le_bytes());
        headers.extend([section.to_le_bytes(), kind.to_le_bytes()].concat());
        headers.extend([*class, *auxiliary_count]);
        headers.extend(vec![0xaa; 18 * usize::from(*auxiliary_count)]);
    }
    headers.extend((strings.len() as u32 + 4).to_le_bytes());
    headers.extend(strings);
    headers
}

fn open(bytes: Vec<u8>) -> Pe {
    Pe::open(Data::from(bytes)).unwrap()
}

#[test]
fn long_names_of_sections_are_in_the_string_table() {
    let strings = b".debug_info\0.debug_abbrev\0";
    let symbols = [(short("a"), 0, 1, 0, 2, 0)];
    let sections = [(".text", &b"code"[..], CODE), ("/4", b"info", DATA), ("//AAAAAQ", b"abbr", DATA)];
    let pe = open(file(0x14c, &sections, &symbols, strings));
    let names: Vec<_> = pe.sections().iter().map(|section| pe.section_name(section)).collect();
    assert_eq!(names, [".text", ".debug_info", ".debug_abbrev"]);
    assert_eq!(pe.debug_section(".debug_info").unwrap().as_deref(), Some(&b"info"[..]));
    assert_eq!(pe.debug_section(".debug_abbrev").unwrap().as_deref(), Some(&b"abbr"[..]));
    assert!(pe.debug_section(".debug_line").unwrap().is_none());
    // Names that lead nowhere stay what they are: beyond the table, no number, a table that was cut off.
    for name in ["/30", "/999999", "/x", "/", "//-AAAAA"] {
        let pe = open(file(0x14c, &[(name, b"info", DATA)], &symbols, strings));
        assert_eq!(pe.section_name(&pe.sections()[0]), name);
    }
    let mut cut = file(0x14c, &sections, &symbols, strings);
    cut.truncate(cut.len() - 1);
    let pe = open(cut);
    assert_eq!(pe.section_name(&pe.sections()[1]), "/4");
}

#[test]
fn compressed_sections_are_inflated() {
    let content = vec![7; 5000];
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&content).unwrap();
    let stored = [b"ZLIB", &(content.len() as u64).to_be_bytes()[..], &encoder.finish().unwrap()].concat();
    let symbols = [(short("a"), 0, 1, 0, 2, 0)];
    let pe = open(file(0x8664, &[("/4", &stored, DATA)], &symbols, b".zdebug_line\0"));
    assert_eq!(pe.debug_section(".debug_line").unwrap().as_deref(), Some(&content[..]));
    let pe = open(file(0x8664, &[("/4", b"ZLIX1234", DATA)], &symbols, b".zdebug_line\0"));
    let error = pe.debug_section(".debug_line").unwrap_err().to_string();
    assert_eq!(error, "a damaged PE image: section .zdebug_line: it does not begin with ZLIB");
}

#[test]
fn symbols_of_a_coff_symbol_table() {
    let symbols = [
        (short(".file"), 0, 0xfffe, 0, 103, 1),
        (short("_begin"), 0x10, 1, 0x20, 2, 1),
        (short("_helper8"), 0x20, 1, 0x20, 3, 0), // not ended by a NUL
        (long(4), 0x30, 1, 0x20, 2, 0),
        (short("_asm"), 0x40, 1, 0, 2, 0),
        (short(".text"), 0, 1, 0, 3, 1),
        (short("_datum"), 4, 2, 0, 2, 0),
        (short("_import"), 0, 0, 0x20, 2, 0),
        (short("_const"), 7, 0xffff, 0, 2, 0),
        (short("_label"), 0x44, 1, 0, 6, 0),
        (short("_lost"), 0, 3, 0x20, 2, 0),
    ];
    let sections = [(".text", &[0x90; 0x80][..], CODE), (".data", &[0; 16], DATA)];
    let bytes = file(0x14c, &sections, &symbols, b"__ZN1a1bEv\0");
    let table = Symbols::of_pe(&open(bytes.clone()));
    assert!(table.is_full());
    let mut names: Vec<_> = table.symbols_matching(&mut |_| true, 100);
    names.sort_by_key(|it| it.rva);
    let names: Vec<(&str, u32)> = names.iter().map(|it| (it.name.as_str(), it.rva.0)).collect();
    let expected = [("begin", 0x1010), ("helper8", 0x1020), ("_ZN1a1bEv", 0x1030), ("asm", 0x1040), ("datum", 0x2004)];
    assert_eq!(names, expected);
    let function = |rva| table.function_at(Rva(rva)).map(|it| (it.name, it.start.0, it.size_bytes));
    assert_eq!(function(0x1031), Some(("a::b".to_owned(), 0x1030, 0x10)));
    // To the end of the section.
    assert_eq!(function(0x1041), Some(("asm".to_owned(), 0x1040, 0x40)));
    assert_eq!(function(0x2004), None);
    // On x64 names have no underscore more than in the source.
    let table = Symbols::of_pe(&open(file(0x8664, &sections, &symbols, b"__ZN1a1bEv\0")));
    assert_eq!(table.function_at(Rva(0x1010)).map(|it| it.name).as_deref(), Some("_begin"));
    // A table that is not whole is none.
    let mut cut = bytes;
    cut.truncate(cut.len() - 40);
    assert!(open(cut).symbol_table().is_none());
}
