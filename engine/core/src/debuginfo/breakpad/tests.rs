//! Symbol files written by hand after Breakpad's documentation, and real ones against a plain reading of every line.

use std::path::Path;

use super::*;
use crate::cfi::{CfaRule, Rule};
use crate::registers::{Register, x64};

const ID: &str = "5A9832E5287241C1838ED98914E9B7FF1";

fn symbols(records: &str) -> BreakpadSymbols {
    symbols_of("x86_64", records)
}

fn symbols_of(arch: &str, records: &str) -> BreakpadSymbols {
    let text = format!("MODULE Linux {arch} {ID} app\nINFO CODE_ID ABCDEF app\n{records}");
    BreakpadSymbols::open(Data::from(text.into_bytes()), None).ok().unwrap()
}

fn name_at(symbols: &BreakpadSymbols, rva: u32) -> Option<String> {
    symbols.function_at(Rva(rva)).map(|function| function.name)
}

#[test]
fn the_first_records_say_what_it_belongs_to() {
    let identity = symbols("").identity().clone();
    let [os, arch, name] = [&identity.os, &identity.arch, &identity.name].map(String::as_str);
    assert_eq!((os, arch, name), ("Linux", "x86_64", "app"));
    assert_eq!((identity.debug_id.as_str(), identity.code_id.as_deref()), (ID, Some("ABCDEF")));
    for text in ["", "MODULE", "MODULE Linux x86_64 12 app", "FUNC 1 2 3 f\n"] {
        assert!(BreakpadSymbols::open(Data::from(text.as_bytes().to_vec()), None).is_err(), "{text}");
    }
}

#[test]
fn functions_have_lines_and_reach_to_their_end() {
    let symbols = symbols(
        "FILE 0 /src/a b.c\r\nFILE 2 c.h\r\nFUNC 1000 20 0 first(int, char)\r\n1000 10 7 0\r\n1010 8 -3 0\r\n\
         1018 8 9 2\r\nFUNC m 2000 10 4 folded\r\n2000 10 1 5\r\nPUBLIC 1040 0 after\r\nPUBLIC m 3000 0 last",
    );
    assert_eq!(name_at(&symbols, 0x101f).as_deref(), Some("first(int, char)"));
    assert_eq!(name_at(&symbols, 0x1020), None);
    assert_eq!(name_at(&symbols, 0x2000).as_deref(), Some("folded"));
    let location = |rva| symbols.scopes_at(Rva(rva)).pop().and_then(|scope| scope.location);
    let place = |rva| location(rva).map(|location| (location.file.path, location.line));
    assert_eq!(place(0x100f), Some(("/src/a b.c".to_owned(), 7)));
    assert_eq!(place(0x1010), None); // a negative number: the compiler's own code
    assert_eq!(place(0x1018), Some(("c.h".to_owned(), 9)));
    assert_eq!(place(0x2000), None); // a file that is not listed
    let rows = symbols.lines_in(Rva(0x100f), Rva(0x2000));
    assert_eq!(
        rows.iter().map(|row| (row.start.0, row.end.0)).collect::<Vec<_>>(),
        [(0x1000, 0x1010), (0x1018, 0x1020)]
    );
    let symbol = |rva| symbols.symbol_at(Rva(rva)).map(|symbol| (symbol.name, symbol.size_bytes));
    assert_eq!(symbol(0x1030), Some(("first(int, char)".to_owned(), Some(0x20))));
    assert_eq!(symbol(0x1050), Some(("after".to_owned(), None)));
    assert_eq!(symbol(0xfff), None);
    assert_eq!(symbols.symbols_named("last")[0].rva, Rva(0x3000));
    assert_eq!(symbols.symbols_named("fold"), []);
    let all = symbols.symbols_matching(&mut |_| true, 10);
    assert_eq!(all.iter().map(|symbol| symbol.rva.0).collect::<Vec<_>>(), [0x1000, 0x1040, 0x2000, 0x3000]);
}

#[test]
fn of_overlapping_functions_the_one_that_starts_last_answers() {
    let symbols = symbols("FUNC 1000 100 0 outer\nFUNC 1010 10 0 inner\nFUNC 1010 10 0 twin\nFUNC 1018 0 0 empty\n");
    assert_eq!(name_at(&symbols, 0x1018).as_deref(), Some("inner"));
    assert_eq!(name_at(&symbols, 0x1020).as_deref(), Some("outer"));
}

#[test]
fn inlined_calls_are_scopes_with_their_call_sites() {
    let symbols = symbols(
        "FILE 1 a.c\nFILE 2 b.h\nINLINE_ORIGIN 4 middle()\nINLINE_ORIGIN 5 inner()\nFUNC 1000 100 0 outer()\n\
         INLINE 0 10 1 4 1010 30 1080 10\nINLINE 1 20 2 5 1018 8\nINLINE 2 1 1 9 1f00 8\n1000 100 30 2\n",
    );
    let scopes: Vec<_> = symbols
        .scopes_at(Rva(0x101a))
        .into_iter()
        .map(|scope| {
            let place = scope.location.map(|location| (location.file.path, location.line));
            (scope.function, place, scope.is_inlined, scope.start.0)
        })
        .collect();
    let place = |path: &str, line| Some((path.to_owned(), line));
    assert_eq!(
        scopes,
        [
            ("inner()".to_owned(), place("b.h", 30), true, 0x1018),
            ("middle()".to_owned(), place("b.h", 20), true, 0x1010),
            ("outer()".to_owned(), place("a.c", 10), false, 0x1000),
        ]
    );
    assert_eq!(symbols.scopes_at(Rva(0x1084)).len(), 2);
    assert_eq!(symbols.scopes_at(Rva(0x1050)).len(), 1);
}

#[test]
fn rules_of_callers_change_along_the_range() {
    let symbols = symbols(
        "STACK CFI INIT 1000 20 .cfa: $rsp 8 + .ra: .cfa -8 + ^\nSTACK CFI 1001 .cfa: $rsp 16 + $rbp: .cfa -16 + ^\n\
         STACK CFI 1004 .cfa: $rbp 16 + $rbx: .cfa 8 - ^ $r12: .undef $r13: $rax $r14: .cfa 24 +\nFUNC 1000 20 0 f\n",
    );
    let row = symbols.cfi_at(Rva(0x1000)).unwrap();
    assert_eq!(row.cfa, CfaRule::RegisterOffset(x64::RSP, 8));
    assert_eq!((row.return_address, &row.rules[..]), (x64::RIP, &[(x64::RIP, Rule::Offset(-8))][..]));
    let row = symbols.cfi_at(Rva(0x101f)).unwrap();
    let rule = |register| row.rules.iter().find(|(of, _)| *of == register).map(|(_, rule)| rule.clone());
    assert_eq!(row.cfa, CfaRule::RegisterOffset(x64::RBP, 16));
    assert_eq!(rule(x64::RBP), Some(Rule::Offset(-16)));
    assert_eq!(rule(x64::RBX), Some(Rule::ValueExpression(crate::cfi::Expression::Postfix(".cfa 8 - ^".to_owned()))));
    assert_eq!(rule(x64::R12), Some(Rule::Undefined));
    assert_eq!(rule(Register(13)), Some(Rule::Register(x64::RAX)));
    assert_eq!(rule(Register(14)), Some(Rule::ValueOffset(24)));
    assert_eq!(symbols.cfi_at(Rva(0x1020)), None);
}

#[test]
fn frames_of_x86_have_programs_or_sizes() {
    let symbols = symbols_of(
        "x86",
        "STACK WIN 4 1000 10 3 0 8 4 c 0 1 $T0 $ebp = $eip $T0 4 + ^ =\nSTACK WIN 0 2000 10 0 0 4 0 0 0 0 1\n",
    );
    let frame = symbols.frame_data_at(Rva(0x100f)).unwrap();
    assert_eq!((frame.params_bytes, frame.saved_registers_bytes, frame.locals_bytes), (8, 4, 0xc));
    assert_eq!(frame.rule, FrameRule::Program("$T0 $ebp = $eip $T0 4 + ^ =".to_owned()));
    let frame = symbols.frame_data_at(Rva(0x2000)).unwrap();
    assert_eq!(frame.rule, FrameRule::Fpo { uses_base_pointer: true, kind: FpoKind::Fpo });
}

/// Real files: function, line and file of every address that a plain reading of the text knows.
#[test]
fn real_files_answer_as_a_plain_reading_does() {
    let others = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/others");
    for name in
        ["rust-minidump/symbols/test_app.pdb/5A9832E5287241C1838ED98914E9B7FF1/test_app.sym", "dump_syms/basic32.sym"]
    {
        let Ok(text) = std::fs::read(others.join(name)) else {
            eprintln!("skipped: no real data: {name}");
            return;
        };
        let fresh = BreakpadSymbols::open(Data::from(text.clone()), None).ok().unwrap();
        let kept = BreakpadSymbols::open(Data::from(text.clone()), Some(fresh.index_bytes().clone())).ok().unwrap();
        let text = String::from_utf8_lossy(&text);
        let files: std::collections::HashMap<&str, &str> =
            text.lines().filter_map(|line| line.strip_prefix("FILE ")?.split_once(' ')).collect();
        let (mut function, mut checked) = ("", 0);
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            if let Some(rest) = line.strip_prefix("FUNC ") {
                let rest = rest.strip_prefix("m ").unwrap_or(rest);
                function = rest.splitn(4, ' ').nth(3).unwrap_or("");
            } else if words.len() == 4 && words[0].bytes().all(|digit| digit.is_ascii_hexdigit()) && words[1] != "0" {
                let rva = Rva(u32::from_str_radix(words[0], 16).unwrap());
                let scopes = fresh.scopes_at(rva);
                assert_eq!(scopes, kept.scopes_at(rva));
                let outermost = scopes.last().unwrap_or_else(|| panic!("{name}: {line}"));
                // Where functions were folded the first one in the file answers for the address.
                if outermost.function == function && scopes.len() == 1 {
                    let location = outermost.location.as_ref().unwrap();
                    assert_eq!(
                        (location.line.to_string().as_str(), location.file.path.as_str()),
                        (words[2], files[words[3]])
                    );
                    checked += 1;
                }
            }
        }
        assert!(checked > 500, "{name}: {checked}");
    }
}

#[test]
fn an_index_of_another_text_or_a_damaged_one_is_not_believed() {
    let records = "FILE 0 a.c\nFUNC 1000 20 0 first\n1000 20 7 0\nFUNC 2000 20 0 second\nPUBLIC 3000 0 third\n";
    let fresh = symbols(records);
    let text = fresh.data.clone();
    let index = fresh.index_bytes().to_vec();
    let other = symbols("FUNC 1000 20 0 wrong\nFUNC 2000 20 0 wrong\n");
    let with = |index: &[u8]| BreakpadSymbols::open(text.clone(), Some(Data::from(index.to_vec()))).ok().unwrap();
    assert_eq!(name_at(&with(other.index_bytes()), 0x1000).as_deref(), Some("first"));
    for length in 0..index.len() {
        assert_eq!(name_at(&with(&index[..length]), 0x1000).as_deref(), Some("first"), "{length}");
    }
    for at in 0..index.len() {
        let mut damaged = index.clone();
        damaged[at] ^= 0x41;
        let found = name_at(&with(&damaged), 0x1000);
        assert!(matches!(found.as_deref(), None | Some("first")), "{at}: {found:?}");
    }
}
