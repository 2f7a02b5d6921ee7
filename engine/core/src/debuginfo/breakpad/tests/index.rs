//! With a stored index, without one and with a damaged one, answers are the same.

use super::*;
use crate::debuginfo::breakpad::index::{Entry, TABLES, write};

const RECORDS: &str = "PUBLIC 800 0 early\nSTACK WIN 4 1000 40 1 0 0 0 0 0 1 $T0 $ebp =\nSTACK WIN 0 1000 80 0 0 0 0 0 0 0 1\n\
    STACK CFI INIT 1000 40 .cfa: $rsp 8 + .ra: .cfa -8 + ^\nSTACK CFI 1004 .cfa: $rsp 16 +\nPUBLIC 3000 0 _ZN3FooC1Ev\nFUNC x\n";

fn text() -> Vec<u8> {
    format!("MODULE Linux x86_64 000000000000000000000000000000000 a.out\n{NESTED}{RECORDS}").into_bytes()
}

fn with_index(text: &[u8], index: &[u8]) -> BreakpadSymbols {
    BreakpadSymbols::open(Data::from(text.to_vec()), Some(Data::from(index.to_vec()))).unwrap()
}

/// Every answer, as text.
fn answers(symbols: &BreakpadSymbols) -> Vec<String> {
    let mut answers = Vec::new();
    for rva in [0, 0x800, 0x1000, 0x1004, 0x1018, 0x103f, 0x1040, 0x1050, 0x3000, u32::MAX].map(Rva) {
        answers.push(format!(
            "{:?} {:?} {:?}",
            symbols.function_at(rva),
            symbols.scopes_at(rva),
            symbols.symbol_at(rva)
        ));
        answers.push(format!("{:?} {:?}", symbols.frame_data_at(rva), symbols.cfi_at(rva)));
    }
    answers.push(format!("{:?}", symbols.lines_in(Rva(0), Rva(u32::MAX))));
    for name in ["main", "Foo::Foo", "_start", "none"] {
        answers.push(format!("{:?}", symbols.symbols_named(name)));
    }
    answers.push(format!("{:?}", symbols.symbols_matching(&mut |_| true, 99)));
    answers.push(format!("{:?}", symbols.problems()));
    answers
}

#[test]
fn a_stored_index_is_used_and_gives_the_same_answers() {
    let text = text();
    let fresh = open_bytes(&text);
    let expected = answers(&fresh);
    assert!(!fresh.uses_stored_index());
    assert_eq!(build_index(&Data::from(text.clone())), fresh.index_bytes().to_vec());
    let stored = with_index(&text, &fresh.index_bytes());
    assert_eq!(answers(&stored), expected);
    assert!(stored.uses_stored_index() && stored.built.get().is_none());
    assert_eq!(stored.index_bytes().to_vec(), fresh.index_bytes().to_vec());
}

#[test]
fn a_damaged_index_is_ignored() {
    let text = text();
    let index = build_index(&Data::from(text.clone()));
    let expected = answers(&open_bytes(&text));
    let refused = |index: &[u8], how: &str| {
        let symbols = with_index(&text, index);
        assert!(!symbols.uses_stored_index(), "{how}");
        assert_eq!(answers(&symbols), expected, "{how}");
    };
    for at in 0..index.len() {
        for change in [1, 0x80, 0xff] {
            let mut damaged = index.clone();
            damaged[at] ^= change;
            refused(&damaged, &format!("byte {at} changed by {change:#x}"));
        }
        refused(&index[..at], &format!("cut off at {at}"));
    }
    refused(&[&index[..], &[0]].concat(), "one byte more");
}

#[test]
fn an_index_of_another_text_is_ignored() {
    let text = text();
    let other = String::from_utf8_lossy(&text).replace("main", "niam").into_bytes();
    let symbols = with_index(&text, &build_index(&Data::from(other)));
    assert!(!symbols.uses_stored_index());
    assert_eq!(answers(&symbols), answers(&open_bytes(&text)));
}

#[test]
fn an_index_that_leads_elsewhere_is_found_out_and_built_anew() {
    // Both files have the same size and the same first and last KiB; records in the middle moved.
    let filler = "INFO this line is here to keep the records away from the ends of the file\n".repeat(16);
    let file = |records: &str| {
        let text = format!("MODULE Linux x86_64 000000000000000000000000000000000 a.out\n{filler}{records}{filler}");
        text.into_bytes()
    };
    let (mut first, mut second) = (NESTED.to_owned() + RECORDS, NESTED.to_owned() + RECORDS);
    first.insert_str(0, "INFO a longer line in front\n");
    second.push_str("INFO a longer line in front\n");
    let (first, second) = (file(&first), file(&second));
    let index = build_index(&Data::from(first));
    let symbols = with_index(&second, &index);
    assert!(symbols.uses_stored_index());
    assert_eq!(answers(&symbols), answers(&open_bytes(&second)));
    assert!(!symbols.uses_stored_index());
}

#[test]
fn offsets_of_an_index_are_never_believed() {
    let text = text();
    let expected = answers(&open_bytes(&text));
    for record in [0, 1, text.len() as u64 - 1, text.len() as u64, (1 << 40) - 1] {
        let keys = [0, 0x800, 0x1000, 0x1050, u32::MAX];
        let tables: [Vec<Entry>; TABLES] = std::array::from_fn(|_| keys.map(|key| Entry { key, record }).to_vec());
        let symbols = with_index(&text, &write(&text, &tables, 1, 0));
        assert!(symbols.uses_stored_index());
        assert_eq!(answers(&symbols)[..20], expected[..20], "{record}");
        assert!(!symbols.uses_stored_index());
        assert_eq!(answers(&symbols), expected, "{record}");
    }
}

#[test]
fn a_file_with_nothing_but_its_first_line_has_an_index_too() {
    let symbols = open("MODULE Linux x86_64 000000000000000000000000000000000 a.out");
    assert!(answers(&symbols).iter().all(|answer| !answer.contains("Rva")));
    let stored = with_index(b"MODULE Linux x86_64 000000000000000000000000000000000 a.out", &symbols.index_bytes());
    assert!(stored.uses_stored_index());
    assert_eq!(answers(&stored), answers(&symbols));
}
