//! PDBs made of records that no compiler writes, or seldom: damaged, cyclic, of rare kinds.

use super::*;
use crate::debuginfo::{BaseEncoding, MemberKind, TypeShape};

const PAGE_BYTES: usize = 4096;

/// A container with these streams, each in pages of its own.
fn container(streams: &[Vec<u8>]) -> Vec<u8> {
    let mut directory: Vec<u32> = vec![streams.len() as u32];
    directory.extend(streams.iter().map(|stream| stream.len() as u32));
    let mut next_page = 3u32; // header, map of the directory, free page map
    for stream in streams {
        let pages = stream.len().div_ceil(PAGE_BYTES) as u32;
        directory.extend(next_page..next_page + pages);
        next_page += pages;
    }
    let directory_bytes: Vec<u8> = directory.iter().flat_map(|word| word.to_le_bytes()).collect();
    let directory_pages = directory_bytes.len().div_ceil(PAGE_BYTES) as u32;
    let mut file = b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0".to_vec();
    for word in [PAGE_BYTES as u32, 2, next_page + directory_pages, directory_bytes.len() as u32, 0, 1] {
        file.extend(word.to_le_bytes());
    }
    file.resize(PAGE_BYTES, 0);
    file.extend((next_page..next_page + directory_pages).flat_map(u32::to_le_bytes));
    file.resize(3 * PAGE_BYTES, 0);
    for stream in streams.iter().chain([&directory_bytes]) {
        file.extend(stream);
        file.resize(file.len().next_multiple_of(PAGE_BYTES), 0);
    }
    file
}

/// A record: its size, its kind, and what follows.
fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let size = data.len() as u16 + 2;
    [&size.to_le_bytes()[..], &kind.to_le_bytes(), data].concat()
}

/// A PDB of types alone, from index 0x1000 on, without the stream of hashes.
fn pdb_of(records: &[Vec<u8>]) -> Pdb {
    let body = records.concat();
    let mut tpi = Vec::new();
    for word in [20_040_203, 56, 0x1000, 0x1000 + records.len() as u32, body.len() as u32, 0xffff] {
        tpi.extend(u32::to_le_bytes(word));
    }
    tpi.resize(56, 0);
    tpi.extend(body);
    Pdb::open(Data::from(container(&[Vec::new(), vec![0; 28], tpi, Vec::new(), Vec::new()]))).unwrap()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// LF_ENUM `E` of an underlying type, with a list of fields.
fn enumeration(underlying: u32, fields: u32) -> Vec<u8> {
    record(0x1507, &[&[0; 4][..], &words(&[underlying, fields]), b"E\0"].concat())
}

/// LF_ENUMERATE, its number as given.
fn value(number: &[u8], name: &str) -> Vec<u8> {
    let mut field = [&[0x02, 0x15, 3, 0][..], number, name.as_bytes(), &[0]].concat();
    while field.len() % 4 != 0 {
        field.push(0xf0 + (4 - field.len() % 4) as u8);
    }
    field
}

fn goes_on(list: u32) -> Vec<u8> {
    [&[0x04, 0x14, 0, 0][..], &list.to_le_bytes()].concat()
}

fn values(pdb: &Pdb, index: u64) -> Vec<(String, i128)> {
    pdb.enumerators_of(TypeId(index)).into_iter().map(|it| (it.name, it.value)).collect()
}

#[test]
fn numbers_of_every_kind() {
    // cvinfo.h: LF_CHAR, LF_SHORT, LF_USHORT, LF_LONG, LF_ULONG, LF_QUADWORD, LF_UQUADWORD.
    let list = [
        value(&[0xff, 0x7f], "small"),
        value(&[0x00, 0x80, 0xff], "char"),
        value(&[0x01, 0x80, 0x00, 0x80], "short"),
        value(&[0x02, 0x80, 0xff, 0xff], "ushort"),
        value(&[0x03, 0x80, 0, 0, 0, 0x80], "long"),
        value(&[0x04, 0x80, 0, 0, 0, 0x80], "ulong"),
        value(&[0x09, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x80], "quad"),
        value(&[0x05, 0x80, 0, 0, 0x80, 0x3f], "real"),
        value(&[0x0a, 0x80, 1, 0, 0, 0, 0, 0, 0, 0x80], "uquad"),
    ];
    let pdb = pdb_of(&[record(0x1203, &list.concat()), enumeration(0x23, 0x1000)]);
    let expected = [
        ("small", 0x7fff),
        ("char", -1),
        ("short", -0x8000),
        ("ushort", 0xffff),
        ("long", -0x8000_0000),
        ("ulong", 0x8000_0000),
        ("quad", -0x8000_0000_0000_0000),
        ("uquad", 0x8000_0000_0000_0001),
    ];
    assert_eq!(values(&pdb, 0x1001), expected.map(|(name, value)| (name.to_owned(), value)));
    assert_eq!(pdb.types_named("E"), [TypeId(0x1001)], "by a table of names that the file lacks");
}

#[test]
fn lists_that_go_on_end_where_they_come_round() {
    let first = [value(&[1, 0], "one"), goes_on(0x1001)].concat();
    let second = [value(&[2, 0], "two"), goes_on(0x1000)].concat();
    let pdb = pdb_of(&[record(0x1203, &first), record(0x1203, &second), enumeration(0x74, 0x1000)]);
    assert_eq!(values(&pdb, 0x1002), [("one".to_owned(), 1), ("two".to_owned(), 2)]);
}

#[test]
fn types_made_of_themselves_have_no_size() {
    // LF_MODIFIER of itself, LF_ENUM of itself, LF_ARRAY of itself, LF_POINTER to itself.
    let pdb = pdb_of(&[
        record(0x1001, &[&words(&[0x1000])[..], &[1, 0]].concat()),
        enumeration(0x1001, 0x1001),
        record(0x1503, &[&words(&[0x1002, 0x23])[..], &[64, 0, 0]].concat()),
        record(0x1002, &words(&[0x1003, 0x0001_000c])),
    ]);
    assert_eq!(pdb.type_of(TypeId(0x1000)).unwrap().size_bytes, None);
    assert_eq!(pdb.type_of(TypeId(0x1001)).unwrap().size_bytes, None);
    assert!(pdb.type_of(TypeId(0x1002)).is_some());
    let pointer = pdb.type_of(TypeId(0x1003)).unwrap();
    assert!(matches!(pointer.shape, TypeShape::Pointer { target: Some(TypeId(0x1003)), .. }), "{pointer:?}");
    assert_eq!(pointer.size_bytes, Some(8));
}

#[test]
fn classes_as_newer_compilers_write_them() {
    // LF_STRUCTURE_19: flags (unique name), fields, derivation, vtable shape, count, size 24, names.
    let members = [&[0x0d, 0x15, 3, 0][..], &words(&[0x74]), &[16, 0], b"last\0", &[0xf1]].concat();
    let class = [&words(&[0x200, 0x1000, 0, 0])[..], &[1, 0, 24, 0], b"New\0.?AUNew@@\0"].concat();
    let declaration = [&[0, 0, 0x80, 0x02][..], &words(&[0, 0, 0]), &[0, 0], b"New\0.?AVNew@@\0"].concat();
    let pdb = pdb_of(&[record(0x1203, &members), record(0x1609, &class), record(0x1504, &declaration)]);
    let found = pdb.type_of(TypeId(0x1001)).unwrap();
    assert_eq!((found.name.as_str(), found.size_bytes), ("New", Some(24)));
    assert_eq!(pdb.members_of(TypeId(0x1001))[0].kind, MemberKind::Field { offset_bytes: 16, bits: None });
    // `class New;` declares it, though it is a structure.
    assert_eq!(pdb.type_of(TypeId(0x1002)), Some(found));
    assert_eq!(pdb.members_of(TypeId(0x1002)).len(), 1);
}

#[test]
fn ids_that_no_answer_gave_have_no_type() {
    let pdb = pdb_of(&[record(0x1201, &words(&[1000, 0x74]))]);
    for id in
        [0, 0x1000, 0x1001, 0xfff, 1 << 32, (1 << 32) + 5, (1 << 33) + 0x1000, (1 << 33) + 0x74, 1 << 34, u64::MAX]
    {
        assert_eq!(pdb.type_of(TypeId(id)), None, "{id:#x}");
        assert!(pdb.members_of(TypeId(id)).is_empty() && pdb.enumerators_of(TypeId(id)).is_empty());
    }
    assert_eq!(pdb.type_of(TypeId(0x74)).unwrap().shape, TypeShape::Base(BaseEncoding::Signed));
    assert_eq!((pdb.data_named("x"), pdb.data_at(Rva(0)), pdb.function_type_at(Rva(0))), (Vec::new(), None, None));
}
