//! Layers of memory: what wins, what fills, what stays absent.

use super::*;
use crate::image::tests::{BASE, Built};

/// A dump with one module (`built.exe` at [`BASE`]) and the given memory.
fn space(memory: &[(u64, &[u8])]) -> AddressSpace {
    let mut file = b"MDMP\x93\xa7\0\0".to_vec();
    let word = |value: u32| value.to_le_bytes();
    let memory_bytes: usize = memory.iter().map(|(_, bytes)| bytes.len()).sum();
    let list = 32 + 24 + 112;
    let data = list + 4 + 16 * memory.len();
    for value in [2u32, 32, 0, 0, 0, 0, 4, 112, 56, 5, (4 + 16 * memory.len()) as u32, list as u32] {
        file.extend(word(value));
    }
    file.extend(word(1));
    file.extend(BASE.to_le_bytes());
    file.extend([word(0x5000), word(0), word(0x5eed_0001)].concat());
    file.resize(list, 0);
    file.extend(word(memory.len() as u32));
    let mut offset = data;
    for (address, bytes) in memory {
        file.extend(address.to_le_bytes());
        file.extend([word(bytes.len() as u32), word(offset as u32)].concat());
        offset += bytes.len();
    }
    memory.iter().for_each(|(_, bytes)| file.extend_from_slice(bytes));
    assert_eq!(file.len(), data + memory_bytes);
    AddressSpace::new(Arc::new(Dump::open(Data::from(file)).unwrap()))
}

fn with_image(memory: &[(u64, &[u8])], built: &Built) -> AddressSpace {
    let mut space = space(memory);
    space.set_image(0, Some(Arc::new(built.open())));
    space
}

fn sources(space: &AddressSpace, address: u64, size: u64) -> Vec<(u64, u64, Source)> {
    let spans = space.provenance(address, size);
    spans.into_iter().map(|span| (span.address, span.size_bytes, span.source)).collect()
}

fn absent(module: Option<usize>, reason: Absence) -> Source {
    Source::Absent { module, reason }
}

#[test]
fn reads_go_across_ranges_that_touch_and_stop_at_the_first_absent_byte() {
    let space = space(&[(0x1000, b"abcd"), (0x1004, b"ef"), (0x1007, b"h")]);
    for (address, size, expected) in [
        (0x1002, 4, &b"cdef"[..]),
        (0x1000, 100, b"abcdef"),
        (0x1005, 1, b"f"),
        (0x1006, 1, b""),
        (0x1007, 4, b"h"),
        (0xfff, 4, b""),
        (u64::MAX, 4, b""),
        (0x1000, 0, b""),
    ] {
        assert_eq!(space.bytes(address, size), expected, "{address:#x} {size}");
    }
}

#[test]
fn captured_bytes_win_over_the_image_and_the_image_fills_the_rest() {
    let space = with_image(&[(BASE + 0x2002, b"NS")], &Built::default());
    assert_eq!(space.bytes(BASE + 0x2000, 8), b"coNStant");
    let offset = 32 + 24 + 112 + 4 + 16;
    let image = |rva| Source::Image { module: 0, rva: Rva(rva), relocated: false };
    assert_eq!(
        sources(&space, BASE + 0x2000, 8),
        [
            (BASE + 0x2000, 2, image(0x2000)),
            (BASE + 0x2002, 2, Source::Dump { offset }),
            (BASE + 0x2004, 4, image(0x2004)),
        ]
    );
}

#[test]
fn a_writable_section_is_never_filled() {
    let space = with_image(&[(BASE + 0x3004, b"live")], &Built::default());
    assert_eq!(space.bytes(BASE + 0x3000, 8), b"");
    assert_eq!(space.bytes(BASE + 0x3004, 8), b"live");
    assert_eq!(sources(&space, BASE + 0x3000, 4), [(BASE + 0x3000, 4, absent(Some(0), Absence::WritableSection))]);
}

#[test]
fn what_the_loader_writes_is_never_filled() {
    let built = Built { directories: vec![(12, 0x2000, 4)], ..Built::default() };
    let space = with_image(&[], &built);
    assert_eq!(space.bytes(BASE + 0x2000, 8), b"");
    assert_eq!(space.bytes(BASE + 0x2004, 4), b"tant");
    let spans = sources(&space, BASE + 0x2000, 8);
    assert_eq!(spans[0], (BASE + 0x2000, 4, absent(Some(0), Absence::LoaderWritten)));
    assert_eq!(spans.len(), 2);
}

#[test]
fn every_absence_has_its_own_reason_and_the_spans_have_no_gap() {
    let mut space = space(&[]);
    assert_eq!(sources(&space, BASE, 1), [(BASE, 1, absent(Some(0), Absence::ImageNotAsked))]);
    space.set_image(0, None);
    assert_eq!(sources(&space, BASE, 1), [(BASE, 1, absent(Some(0), Absence::ImageMissing))]);
    let space = with_image(&[], &Built::default());
    let spans = space.provenance(BASE - 0x10, 0x6000);
    assert_eq!(spans[0].source, absent(None, Absence::NotInDump));
    let mut next = BASE - 0x10;
    for span in &spans {
        assert_eq!(span.address, next);
        next += span.size_bytes;
    }
    assert_eq!(next, BASE - 0x10 + 0x6000);
    let reasons: Vec<Absence> = spans
        .iter()
        .filter_map(|span| match span.source {
            Source::Absent { reason, .. } => Some(reason),
            _ => None,
        })
        .collect();
    for reason in [Absence::NotInImage, Absence::WritableSection, Absence::LoaderWritten, Absence::NotInDump] {
        assert!(reasons.contains(&reason), "{reason:?}");
    }
}

#[test]
fn what_provenance_calls_present_can_be_read_and_nothing_else() {
    let space = with_image(&[(BASE + 0x1ff0, &[7; 0x20]), (BASE + 0x3010, &[8; 8])], &Built::default());
    for span in space.provenance(BASE - 8, 0x6000) {
        let readable = space.bytes(span.address, span.size_bytes as usize).len() as u64;
        let is_absent = matches!(span.source, Source::Absent { .. });
        assert_eq!(readable, if is_absent { 0 } else { span.size_bytes }, "{span:?}");
    }
}

/// The bytes of `built` as the loader maps them at [`BASE`].
fn mapped(built: &Built) -> Vec<u8> {
    let (image, file) = (built.open(), built.bytes());
    let mut bytes = vec![0; 0x5000];
    bytes[..0x200].copy_from_slice(&file[..0x200]);
    for section in image.sections() {
        let start = section.rva.0 as usize;
        image.read_mapped(section.rva, BASE, &mut bytes[start..start + 0x300]);
    }
    bytes
}

#[test]
fn a_dump_that_holds_a_whole_module_has_its_tables() {
    let whole = mapped(&Built::default());
    let space = space(&[(BASE, &whole[..0x2000]), (BASE + 0x2000, &whole[0x2000..])]);
    let image = space.captured_image(0).unwrap();
    assert_eq!(image.section_at(Rva(0x2000)).unwrap().name, ".rdata");
    assert_eq!(&image.raw_from(Rva(0x2000))[..8], b"constant");
    assert!(matches!(space.tables(0), File::Here(_)));
    assert_eq!((space.is_executable(BASE + 0x1000), space.is_executable(BASE + 0x2000)), (Some(true), Some(false)));
}

#[test]
fn a_part_of_a_module_or_another_image_in_its_place_has_none() {
    let whole = mapped(&Built::default());
    let mut other = whole.clone();
    other[0x48] ^= 1; // TimeDateStamp
    for memory in [&[(BASE, &whole[..0x4fff])][..], &[(BASE + 1, &whole[1..])], &[(BASE, &other)], &[]] {
        let space = space(memory);
        assert!(space.captured_image(0).is_none());
        assert!(matches!(space.tables(0), File::NotAsked));
    }
}

#[test]
fn bytes_are_found_in_ranges_across_them_and_in_images() {
    let found = |space: &AddressSpace, pattern: &[u8]| space.search(pattern, 0, u64::MAX, 1, 100);
    let plain = space(&[(0x1000, b"abcd"), (0x1004, b"ab"), (0x1007, b"ab"), (0x2000, b"xxcdab")]);
    assert_eq!(found(&plain, b"ab"), [0x1000, 0x1004, 0x1007, 0x2004]);
    assert_eq!(found(&plain, b"cda"), [0x1002, 0x2002]); // the first runs into the next range
    assert_eq!(found(&plain, b"abab"), []); // a byte is absent between them
    assert_eq!((found(&plain, b""), found(&plain, &[0; 5000])), (vec![], vec![]));
    assert_eq!(plain.search(b"ab", 0x1001, 0x2004, 1, 100), [0x1004, 0x1007]);
    assert_eq!(plain.search(b"ab", 0, u64::MAX, 4, 100), [0x1000, 0x1004, 0x2004]);
    assert_eq!(plain.search(b"ab", 0, u64::MAX, 1, 2), [0x1000, 0x1004]);
    // What a read says is there, the search finds, whichever layer holds it.
    let imaged = with_image(&[(0x1000, b"abcd")], &Built::default());
    let code = imaged.bytes(BASE + 0x1000, 8);
    assert_eq!(code.len(), 8);
    assert!(found(&imaged, &code).contains(&(BASE + 0x1000)));
    assert!(found(&space(&[(0x1000, b"abcd")]), &code).is_empty());
}

/// Seeking pointers in memory that was overwritten with one letter: an unaligned match must not hide the aligned ones
/// that begin inside of it.
#[test]
fn matches_that_overlap_are_all_found() {
    let run = space(&[(0x1000, b"xaaaaaaa"), (0x1008, b"aaaaaaaax")]);
    let all = |from: u64, to: u64| (from..=to).collect::<Vec<_>>();
    assert_eq!(run.search(b"aaaaaaaa", 0, u64::MAX, 1, 100), all(0x1001, 0x1008));
    assert_eq!(run.search(b"aaaaaaaa", 0, u64::MAX, 8, 100), [0x1008]);
    assert_eq!(run.search(b"aaaa", 0, u64::MAX, 4, 100), [0x1004, 0x1008, 0x100c]);
    assert_eq!(run.search(b"aaaa", 0x1005, 0x100c, 4, 100), [0x1008]);
    assert_eq!(run.search(b"aaaa", 0x1005, 0x1005, 1, 100), []);
    assert_eq!(run.search(b"aaaa", 0x1005, 0x1006, 1, 100), [0x1005]);
    assert_eq!(run.search(b"aaaaaaaa", 0, u64::MAX, 1, 3), all(0x1001, 0x1003));
    assert_eq!(run.search(b"aaaa", 0, u64::MAX, 1, 0), []);
    // The same as asking at each address, whatever the pattern and the alignment.
    let mixed = space(&[(0x1000, b"abaababaab"), (0x100a, b"b"), (0x100b, b"aabab"), (0x1012, b"abaab")]);
    for pattern in [&b"a"[..], b"ab", b"aba", b"abaab", b"bab", b"baabab"] {
        for alignment in [1, 2, 3, 4, 8] {
            let is_there = |&at: &u64| at.is_multiple_of(alignment) && mixed.bytes(at, pattern.len()) == pattern;
            let expected: Vec<u64> = (0x1003..0x1015).filter(is_there).collect();
            assert_eq!(mixed.search(pattern, 0x1003, 0x1015, alignment, 100), expected, "{pattern:?} {alignment}");
        }
    }
}
