//! What files have that the documentation has not.

use super::*;

#[test]
fn records_that_stand_for_several_symbols_have_a_marker() {
    let symbols = linux("FUNC m 1000 10 0 folded\nPUBLIC m 2000 0 also folded\nFUNC m m 3000 10 0 twice\n");
    assert_eq!(function(&symbols, 0x1005), named("folded", 0x1000, 0x10));
    assert_eq!(symbols.symbol_at(Rva(0x2001)).unwrap().name, "also folded");
    assert_eq!(function(&symbols, 0x3000), named("twice", 0x3000, 0x10));
}

#[test]
fn a_function_without_a_size_reaches_to_the_next_symbol() {
    let symbols = linux(
        "FILE 0 a.s\nFUNC 1000 0 0 first\n1000 4 7 0\nFUNC 1020 10 0 next\nFUNC 1024 0 0 within\nPUBLIC 1040 0 public\n\
         FUNC 1050 0 0 last\n1060 4 9 0\nFUNC 1050 0 0 same place\n",
    );
    assert_eq!(function(&symbols, 0x1000), named("first", 0x1000, 0x20));
    assert_eq!(chain(&symbols, 0x1003), expected(&[("first", "a.s:7", 0x1000)]));
    assert_eq!(function(&symbols, 0x1024), named("next", 0x1020, 0x10));
    assert_eq!(function(&symbols, 0x1030), None);
    assert_eq!(function(&symbols, 0x1040), named("public", 0x1040, 0x10));
    assert_eq!(function(&symbols, 0x1063), named("last", 0x1050, u32::MAX - 0x1050));
    assert_eq!(
        rows(&symbols, 0, u32::MAX),
        [(0x1000, 0x1004, "a.s:7".to_owned()), (0x1060, 0x1064, "a.s:9".to_owned())]
    );
}

#[test]
fn a_public_symbol_reaches_to_the_next_symbol_and_not_out_of_a_function() {
    let symbols = linux(
        "PUBLIC 500 0 a\nPUBLIC 600 0 b\nFUNC 1000 100 0 f\nPUBLIC 1080 0 within\nPUBLIC 2000 0 z\nPUBLIC 1000 0 f's alias\n",
    );
    assert_eq!(function(&symbols, 0x5ff), named("a", 0x500, 0x100));
    assert_eq!(function(&symbols, 0xfff), named("b", 0x600, 0xa00));
    assert_eq!(function(&symbols, 0x1090), named("f", 0x1000, 0x100));
    assert_eq!(symbols.symbol_at(Rva(0x1090)).unwrap().name, "f");
    // Behind the function: the symbol within it names nothing any more, though it is the nearest.
    assert_eq!(function(&symbols, 0x1100), None);
    assert_eq!(function(&symbols, 0x2000), named("z", 0x2000, u32::MAX - 0x2000));
    assert_eq!(function(&linux("FUNC 1000 10 0 f\nPUBLIC 1000 0 alias\n"), 0x1010), None);
}

#[test]
fn of_functions_that_overlap_the_one_that_starts_last_wins() {
    let symbols = linux(
        "FILE 0 a.c\nFUNC 1000 100 0 outer\n1000 100 1 0\nFUNC 1040 20 0 inner\n1040 30 2 0\nFUNC 1050 8 0 innermost\nFUNC 1000 100 0 again\n",
    );
    for (rva, name) in
        [(0x1000, "outer"), (0x1040, "inner"), (0x1050, "innermost"), (0x1058, "inner"), (0x1060, "outer")]
    {
        assert_eq!(function(&symbols, rva).unwrap().0, name, "{rva:#x}");
    }
    // `inner`'s line reaches over its end, and `innermost` has none.
    let row = |start, end, line| (start, end, format!("a.c:{line}"));
    assert_eq!(
        rows(&symbols, 0, u32::MAX),
        [row(0x1000, 0x1040, 1), row(0x1040, 0x1050, 2), row(0x1058, 0x1060, 2), row(0x1060, 0x1100, 1)]
    );
}

#[test]
fn lines_that_cover_nothing_or_too_much() {
    let symbols = linux(
        "FILE 0 a.c\nFUNC 1000 20 0 f\n1000 0 1 0\nff0 14 2 0\n1004 10 3 0\n1008 4 4 0\n1014 ffffffffff 5 0\n2000 4 6 0\nFUNC 1010 4 0 g\n",
    );
    let row = |start, end, line| (start, end, format!("a.c:{line}"));
    assert_eq!(
        rows(&symbols, 0, u32::MAX),
        [
            row(0x1000, 0x1004, 2),
            row(0x1004, 0x1008, 3),
            row(0x1008, 0x100c, 4),
            row(0x100c, 0x1010, 3),
            row(0x1014, 0x1020, 5)
        ]
    );
}

#[test]
fn lines_without_a_source() {
    // 0: the compiler made this code up. 0xf00f00 and 0xfeefee: Microsoft's way to say it. A file that is not declared.
    for line in [
        "1000 4 0 0",
        "1000 4 -1 0",
        "1000 4 15732480 0",
        "1000 4 16707566 0",
        "1000 4 7 9",
        "1000 4 7 -1",
        "1000 4 4294967296 0",
    ] {
        let symbols = linux(&format!("FILE 0 a.c\nFUNC 1000 8 0 f\n{line}\n1004 4 8 0\n"));
        assert_eq!(chain(&symbols, 0x1000), expected(&[("f", "", 0x1000)]), "{line}");
        assert_eq!(rows(&symbols, 0, u32::MAX), [(0x1004, 0x1008, "a.c:8".to_owned())], "{line}");
    }
}

#[test]
fn line_ends_of_windows_tabs_and_a_missing_newline() {
    let text = "MODULE windows x86_64 000000000000000000000000000000000 a.pdb\r\nFILE\t0\tdir\\a b.c\r\n\r\nFUNC  1000\t10 0 f(int, int)\r\n1000 10\t5 0";
    let symbols = open(text);
    assert_eq!(chain(&symbols, 0x100f), expected(&[("f(int, int)", "dir\\a b.c:5", 0x1000)]));
    let windows = NESTED.replace('\n', "\r\n");
    for rva in 0xff0..0x1060 {
        assert_eq!(chain(&linux(&windows), rva), chain(&linux(NESTED), rva), "{rva:#x}");
    }
}

#[test]
fn unknown_records_and_further_fields_are_passed_over() {
    let symbols = linux(
        "INFO GENERATOR some tool\nFILE 0 a.c\nFUNC 1000 10 0 f\nNOTE what is this\n1000 8 5 0 column 7\nFILE 1 late.c\n\
         1008 8 6 1\nSTACK CFI INIT 1000 10 .cfa: $rsp 8 + .ra: .cfa -8 + ^\n1000 8 9 0\n",
    );
    assert_eq!(chain(&symbols, 0x1000), expected(&[("f", "a.c:5", 0x1000)]));
    assert_eq!(chain(&symbols, 0x1008), expected(&[("f", "late.c:6", 0x1000)]));
    assert_eq!(symbols.problems(), Vec::<String>::new());
}

#[test]
fn addresses_beyond_four_gigabytes_are_not_cut_to_32_bits() {
    let symbols =
        linux("FUNC 100001000 10 0 far\nPUBLIC 100002000 0 far too\nFUNC fffffff0 20 0 edge\n100000000 4 1 0\n");
    assert_eq!(function(&symbols, 0x1000), None);
    assert_eq!(symbols.symbol_at(Rva(0x2000)), None);
    assert_eq!(function(&symbols, 0xffff_fffe), named("edge", 0xffff_fff0, 0xf));
    assert_eq!(symbols.problems(), ["2 records are damaged or beyond 4 GiB; the first is at offset 0x3c"]);
}

#[test]
fn text_that_is_not_utf_8_is_shown_as_far_as_it_is() {
    let symbols = open_bytes(b"MODULE Linux x86_64 000000000000000000000000000000000 a\nFILE 0 caf\xe9.c\nFUNC 1000 10 0 na\xefve\n1000 10 1 0\n");
    assert_eq!(chain(&symbols, 0x1000), expected(&[("na\u{fffd}ve", "caf\u{fffd}.c:1", 0x1000)]));
}

#[test]
fn inlined_calls_out_of_place() {
    let symbols = linux(
        "FILE 0 a.c\nINLINE_ORIGIN 0 zero\nINLINE_ORIGIN 1 one\nFUNC 1000 20 0 f\nINLINE 0 3 0 0 ff0 18 2000 10\nINLINE 2 4 0 1 1004 4\n\
         INLINE 0 5 0 9 1010 4\nINLINE 0 6 0 1 1014 4 zz\n1000 20 7 0\n",
    );
    // A range that begins before the function.
    assert_eq!(chain(&symbols, 0x1000), expected(&[("zero", "a.c:7", 0x1000), ("f", "a.c:3", 0x1000)]));
    // A level is missing: whose line it is, and who calls that, is not known.
    assert_eq!(chain(&symbols, 0x1004), expected(&[("zero", "", 0x1000), ("f", "a.c:3", 0x1000)]));
    // An origin that is not declared.
    assert_eq!(chain(&symbols, 0x1010), expected(&[("inlined function 9", "a.c:7", 0x1010), ("f", "a.c:5", 0x1000)]));
    assert_eq!(chain(&symbols, 0x2000), []);
}

#[test]
fn a_chain_without_end_is_cut() {
    let levels: String = (0..5000).map(|level| format!("INLINE {level} 1 0 0 1000 4\n")).collect();
    let symbols = linux(&format!("FILE 0 a.c\nINLINE_ORIGIN 0 deeper\nFUNC 1000 8 0 f\n{levels}1000 8 1 0\n"));
    assert_eq!(symbols.scopes_at(Rva(0x1000)).len(), 129);
}

#[test]
fn names_that_the_dumper_did_not_know() {
    let symbols =
        linux("FUNC d20 1a 0 <name omitted>\nPUBLIC d20 0 _ZN3FooC1Ev\nFUNC d40 1a 0 <name omitted>\nFUNC d60 10 0\n");
    assert_eq!(function(&symbols, 0xd21), named("_ZN3FooC1Ev", 0xd20, 0x1a));
    assert_eq!(function(&symbols, 0xd40), named("<name omitted>", 0xd40, 0x1a));
    assert_eq!(function(&symbols, 0xd60), named("<name omitted>", 0xd60, 0x10));
}

#[test]
fn a_file_of_nothing_but_overlaps_costs_no_more_than_another() {
    // One function with a very long name around many others, with as many lines that all reach over the rest of it.
    const COUNT: u32 = 100_000;
    let mut text = format!("FILE 0 a.c\nFUNC 0 fffffff 0 {}\n", "outer".repeat(1 << 18));
    for index in 0..COUNT {
        text.push_str(&format!("{:x} ffffff 1 0\nINLINE {index} 1 0 0 0 ffffff\n", 8 * index));
    }
    for index in 0..COUNT {
        text.push_str(&format!("FUNC {:x} 4 0 inner\n", 8 * index));
    }
    text.push_str("FUNC 4 fffff 0 late\nPUBLIC 4 0 late\n");
    let symbols = linux(&text);
    assert_eq!(rows(&symbols, 0, u32::MAX).len(), 1);
    assert_eq!(symbols.symbols_named("inner").len(), COUNT as usize);
    assert_eq!(chain(&symbols, 0xff_fff0).len(), 129);
    assert_eq!(function(&symbols, 0x105), named("late", 4, 0xf_ffff));
}
