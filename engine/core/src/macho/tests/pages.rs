//! Tables by hand, from the layout of the section in `compact_unwind_encoding.h`.

use crate::address::Rva;
use crate::data::Data;
use crate::macho::{Entry, UnwindInfo};

/// A table with two encodings that all pages share, a compressed page of two of its own, and a regular page.
fn table() -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let halves = |halves: &[u16]| halves.iter().flat_map(|half| half.to_le_bytes()).collect::<Vec<u8>>();
    let header = words(&[1, 28, 2, 36, 0, 36, 3]);
    let common = words(&[0xc0, 0xc1]);
    let first_level = words(&[0x1000, 72, 0, 0x3000, 104, 0, 0x4000, 0, 0]);
    let compressed =
        [words(&[3]), halves(&[12, 3, 24, 2]), words(&[1 << 24, 0x10 | 2 << 24, 0x40 | 3 << 24]), words(&[0xd0, 0xd1])];
    let regular = [words(&[2]), halves(&[8, 2]), words(&[0x3000, 0xe0, 0x3800, 0xe1])];
    [header, common, first_level, compressed.concat(), regular.concat()].concat()
}

#[test]
fn entries_of_both_kinds_of_pages() {
    let info = UnwindInfo::new(Data::from(table()));
    for (rva, expected) in [
        (0xfff, None),
        (0x1000, Some((0x1000, 0xc1))),
        (0x100f, Some((0x1000, 0xc1))),
        (0x1010, Some((0x1010, 0xd0))),
        (0x1040, Some((0x1040, 0xd1))),
        (0x2fff, Some((0x1040, 0xd1))),
        (0x3000, Some((0x3000, 0xe0))),
        (0x37ff, Some((0x3000, 0xe0))),
        (0x3fff, Some((0x3800, 0xe1))),
        // The last entry of the first level says where code ends.
        (0x4000, None),
        (u32::MAX, None),
    ] {
        let expected = expected.map(|(start, encoding)| Entry { start: Rva(start), encoding });
        assert_eq!(info.entry_at(Rva(rva)), expected, "{rva:#x}");
    }
}

#[test]
fn damaged_tables_have_no_entries() {
    let at = |bytes: Vec<u8>| UnwindInfo::new(Data::from(bytes)).entry_at(Rva(0x1010));
    let changed = |offset: usize, value: u32| {
        let mut bytes = table();
        bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    assert!(at(changed(28, 0xff)).is_some());
    for (what, offset, value) in [
        ("version", 0, 2),
        ("number of entries of the first level", 24, u32::MAX),
        ("offset of the first level", 20, u32::MAX),
        ("offset of a page", 40, u32::MAX),
        ("kind of a page", 72, 4),
        ("number of common encodings", 8, 0x4000_0000),
        ("number of an encoding", 88, 0x10 | 4 << 24),
    ] {
        assert_eq!(at(changed(offset, value)), None, "{what}");
    }
    for length in 0..table().len() {
        let _ = at(table()[..length].to_vec());
    }
}
