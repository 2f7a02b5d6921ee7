//! Real files, where the folder of data is there: every record of a file is asked for, and compared with what a plain
//! reader, which holds the whole file and searches it from front to back, finds.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::*;
use crate::cfi::{CfaRule, CfiRow, Expression, Rule};
use crate::debuginfo::{FrameRule, LineRow};
use crate::registers::Register;
use crate::shared_data::shared;

/// Each `.sym` file among the real data that does not belong to the repository.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Some(folder) = shared("others") else { return found };
    for part in ["breakpad/symbols", "dump_syms", "symbolic/windows", "symbolic/linux", "symbolic/macos"] {
        find(&folder.join(part), &mut found);
    }
    found
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "sym") {
            found.push(path);
        }
    }
}

/// Rules, and from which address on.
type Changes<'a> = Vec<(u32, &'a str)>;

/// What a plain reader knows of a file.
#[derive(Default)]
struct Plain<'a> {
    files: HashMap<&'a str, &'a str>,
    origins: HashMap<&'a str, &'a str>,
    functions: Vec<PlainFunction<'a>>,
    publics: Vec<(u32, &'a str)>,
    /// Type, start, size, the other fields.
    win: Vec<(&'a str, u32, u32, Vec<&'a str>)>,
    /// Start, size, rules and their changes.
    cfi: Vec<(u32, u32, Changes<'a>)>,
}

struct PlainFunction<'a> {
    start: u32,
    size: u32,
    name: &'a str,
    /// Start, size, line, file.
    lines: Vec<(u32, u32, u32, &'a str)>,
    /// Fields of `INLINE` records.
    inlines: Vec<Vec<&'a str>>,
}

fn number(text: &str) -> u32 {
    u32::from_str_radix(text, 16).unwrap_or_else(|_| panic!("{text}"))
}

/// The text after so many fields.
fn after(line: &str, fields: usize) -> &str {
    line.splitn(fields + 1, ' ').last().unwrap()
}

fn read(text: &str) -> Plain<'_> {
    let mut plain = Plain::default();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let folded = usize::from(fields.get(1) == Some(&"m"));
        match fields[..] {
            ["MODULE" | "INFO", ..] => {}
            ["FILE", index, ..] => _ = plain.files.insert(index, after(line, 2)),
            ["INLINE_ORIGIN", index, ..] => _ = plain.origins.insert(index, after(line, 2)),
            ["FUNC", ..] => plain.functions.push(PlainFunction {
                start: number(fields[1 + folded]),
                size: number(fields[2 + folded]),
                name: after(line, 4 + folded),
                lines: Vec::new(),
                inlines: Vec::new(),
            }),
            ["PUBLIC", ..] => plain.publics.push((number(fields[1 + folded]), after(line, 3 + folded))),
            ["INLINE", ..] => plain.functions.last_mut().unwrap().inlines.push(fields[1..].to_vec()),
            ["STACK", "WIN", kind, start, size, ..] => {
                plain.win.push((kind, number(start), number(size), fields[5..].to_vec()))
            }
            ["STACK", "CFI", "INIT", start, size, ..] => {
                plain.cfi.push((number(start), number(size), vec![(number(start), after(line, 5))]));
            }
            ["STACK", "CFI", start, ..] => plain.cfi.last_mut().unwrap().2.push((number(start), after(line, 3))),
            [start, size, at, file] => {
                let row = (number(start), number(size), at.parse().unwrap(), file);
                plain.functions.last_mut().unwrap().lines.push(row);
            }
            _ => panic!("{line}"),
        }
    }
    plain
}

/// Of the ranges that cover an address the one that starts last; of those the shortest; of those the first.
fn in_force(ranges: impl Iterator<Item = (u32, u32)>, rva: u32) -> Option<usize> {
    let covers = |&(_, (start, size)): &(usize, (u32, u32))| start <= rva && rva - start < size;
    let best = ranges.enumerate().filter(covers).min_by_key(|&(_, (start, size))| (std::cmp::Reverse(start), size));
    best.map(|(index, _)| index)
}

impl Plain<'_> {
    fn function(&self, rva: u32) -> Option<&PlainFunction<'_>> {
        Some(&self.functions[in_force(self.functions.iter().map(|it| (it.start, it.size)), rva)?])
    }

    fn place(&self, line: u32, file: &str) -> String {
        let has_source = ![0, 0xf0_0f00, 0xfe_efee].contains(&line);
        if has_source { format!("{}:{line}", self.files[file]) } else { String::new() }
    }

    /// What [`chain`] gives for the two innermost and the outermost scope, of a file whose `INLINE` names the call's file.
    fn chain(&self, function: &PlainFunction, rva: u32) -> Vec<(String, String)> {
        let line = in_force(function.lines.iter().map(|it| (it.0, it.1)), rva).map(|index| function.lines[index]);
        let mut place = line.map_or_else(String::new, |(_, _, line, file)| self.place(line, file));
        let mut levels: Vec<&Vec<&str>> = function.inlines.iter().filter(|it| covers(&it[4..], rva)).collect();
        levels.sort_by_key(|it| it[0].parse::<u32>().unwrap());
        let mut chain = Vec::new();
        for inline in levels.into_iter().rev() {
            chain.push((self.origins[inline[3]].to_owned(), place));
            place = self.place(inline[1].parse().unwrap(), inline[2]);
        }
        chain.push((function.name.to_owned(), place));
        chain
    }
}

fn covers(ranges: &[&str], rva: u32) -> bool {
    ranges.chunks(2).any(|range| number(range[0]) <= rva && rva - number(range[0]) < number(range[1]))
}

/// Runs a comparison over every file, with a fresh index and with a stored one.
fn every_file(compare: impl Fn(&str, &Plain, &BreakpadSymbols)) {
    for path in files() {
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let plain = read(&text);
        let name = path.file_name().unwrap().to_string_lossy();
        let fresh = open_bytes(&bytes);
        compare(&name, &plain, &fresh);
        assert_eq!(fresh.problems(), Vec::<String>::new(), "{name}");
        let stored = BreakpadSymbols::open(Data::map(&path).unwrap(), Some(fresh.index_bytes())).unwrap();
        compare(&name, &plain, &stored);
        assert!(stored.uses_stored_index(), "{name}");
    }
}

#[test]
fn every_function_is_found_at_both_ends() {
    every_file(|file, plain, symbols| {
        for function in &plain.functions {
            for rva in [function.start, function.start + function.size / 2, function.start + function.size - 1] {
                let expected = plain.function(rva).unwrap();
                let found = symbols.function_at(Rva(rva)).unwrap();
                assert_eq!((found.start.0, found.size_bytes), (expected.start, expected.size), "{file} {rva:#x}");
                assert!(found.name == expected.name || expected.name == "<name omitted>", "{file} {rva:#x}");
            }
            let after = function.start + function.size;
            let beyond = symbols.function_at(Rva(after)).filter(|found| found.start.0 != after);
            assert_eq!(beyond.map(|it| it.start.0), plain.function(after).map(|it| it.start).filter(|&it| it != after));
        }
    });
}

#[test]
fn every_line_is_found_with_its_inlined_calls() {
    every_file(|file, plain, symbols| {
        if file == "linux_inline.old.sym" {
            return; // it is compared with the newer one
        }
        for function in &plain.functions {
            for &(start, size, ..) in function.lines.iter().filter(|line| line.1 > 0) {
                for rva in [start, start + size - 1] {
                    let Some(owner) = plain.function(rva) else { continue };
                    let found: Vec<(String, String)> =
                        chain(symbols, rva).into_iter().map(|(name, place, _)| (name, place)).collect();
                    assert_eq!(found, plain.chain(owner, rva), "{file} {rva:#x}");
                }
            }
        }
    });
}

#[test]
fn the_whole_line_table_has_every_line_once() {
    every_file(|file, plain, symbols| {
        let mut rows: BTreeMap<u32, LineRow> = BTreeMap::new();
        for row in symbols.lines_in(Rva(0), Rva(u32::MAX)) {
            assert!(rows.last_key_value().is_none_or(|(_, last)| last.end <= row.start), "{file}: rows overlap");
            rows.insert(row.start.0, row);
        }
        let at = |rva: u32| rows.range(..=rva).next_back().filter(|(_, row)| rva < row.end.0);
        for function in &plain.functions {
            for &(start, size, ..) in function.lines.iter().filter(|line| line.1 > 0) {
                for rva in [start, start + size - 1] {
                    let Some(owner) = plain.function(rva) else { continue };
                    let index = in_force(owner.lines.iter().map(|it| (it.0, it.1)), rva);
                    let expected =
                        index.map_or_else(String::new, |it| plain.place(owner.lines[it].2, owner.lines[it].3));
                    assert_eq!(place(at(rva).map(|(_, row)| &row.location)), expected, "{file} {rva:#x}");
                }
            }
        }
    });
}

#[test]
fn every_public_symbol_is_found() {
    every_file(|file, plain, symbols| {
        for &(rva, name) in &plain.publics {
            let found = symbols.symbol_at(Rva(rva)).unwrap();
            match plain.function(rva) {
                Some(function) => assert_eq!(found.rva.0, function.start, "{file} {rva:#x}"),
                None => {
                    let first = plain.publics.iter().find(|it| it.0 == rva).unwrap();
                    assert_eq!((found.rva.0, found.name.as_str()), (rva, first.1), "{file}");
                    assert_eq!(symbols.function_at(Rva(rva)).unwrap().start.0, rva, "{file} {rva:#x}");
                }
            }
            assert!(symbols.symbols_named(name).iter().any(|it| it.rva.0 == rva), "{file} {name}");
        }
        for function in &plain.functions {
            let named = symbols.symbols_named(function.name);
            assert!(named.iter().any(|it| it.rva.0 == function.start), "{file} {}", function.name);
        }
    });
}

#[test]
fn every_frame_record_is_found() {
    every_file(|file, plain, symbols| {
        for &(_, start, size, _) in plain.win.iter().filter(|it| it.2 > 0) {
            for rva in [start, start + size - 1] {
                let of = |kind| in_force(plain.win.iter().map(|it| (it.1, if it.0 == kind { it.2 } else { 0 })), rva);
                let (_, start, size, fields) = &plain.win[of("4").or_else(|| of("0")).unwrap()];
                let found = symbols.frame_data_at(Rva(rva)).unwrap();
                assert_eq!((found.start.0, found.size_bytes), (*start, *size), "{file} {rva:#x}");
                assert_eq!((found.params_bytes, found.locals_bytes), (number(fields[2]), number(fields[4])));
                match found.rule {
                    FrameRule::Program(program) => {
                        assert_eq!((fields[6], program.as_str()), ("1", fields[7..].join(" ").trim()))
                    }
                    FrameRule::Fpo { uses_base_pointer, .. } => {
                        assert_eq!((fields[6], uses_base_pointer), ("0", fields[7] == "1"))
                    }
                }
            }
        }
    });
}

/// The rules in force at an address, by column, in the one spelling that [`shown`] uses.
fn plain_rules(changes: &[(u32, &str)], rva: u32) -> BTreeMap<String, String> {
    let mut rules = BTreeMap::new();
    for (_, text) in changes.iter().filter(|change| change.0 <= rva) {
        let mut column = String::new();
        for token in text.split(' ') {
            match token.strip_suffix(':') {
                Some(name) => {
                    column = name.replace(".ra", "$rip");
                    rules.insert(column.clone(), String::new());
                }
                None => rules.get_mut(&column).unwrap().push_str(&format!(" {token}")),
            }
        }
    }
    for rule in rules.values_mut() {
        let fields: Vec<&str> = rule.split(' ').collect();
        if let ["", ".cfa", number, "-", "^"] = fields[..] {
            let offset = -number.parse::<i64>().unwrap();
            *rule = format!(" .cfa {offset} + ^");
        }
    }
    rules
}

fn shown(row: &CfiRow) -> BTreeMap<String, String> {
    let name = |register: Register| {
        let names = Cpu::X64.register_names();
        format!("${}", names[usize::from(register.0)])
    };
    let mut rules = BTreeMap::new();
    let cfa = match &row.cfa {
        CfaRule::RegisterOffset(register, offset) => format!(" {} {offset} +", name(*register)),
        CfaRule::Expression(Expression::Postfix(text)) => format!(" {text}"),
        other => panic!("{other:?}"),
    };
    rules.insert(".cfa".to_owned(), cfa);
    for (register, rule) in &row.rules {
        let rule = match rule {
            Rule::Offset(offset) => format!(" .cfa {offset} + ^"),
            Rule::SameValue => format!(" {}", name(*register)),
            Rule::Register(other) => format!(" {}", name(*other)),
            Rule::ValueExpression(Expression::Postfix(text)) => format!(" {text}"),
            other => panic!("{other:?}"),
        };
        rules.insert(name(*register), rule);
    }
    rules
}

#[test]
fn every_row_of_call_frame_information_is_found() {
    every_file(|file, plain, symbols| {
        for (start, size, changes) in &plain.cfi {
            for rva in changes.iter().map(|it| it.0).chain([start + size - 1]) {
                let (_, _, changes) = &plain.cfi[in_force(plain.cfi.iter().map(|it| (it.0, it.1)), rva).unwrap()];
                let expected = plain_rules(changes, rva);
                // Of glibc's trampolines, whose rule for the canonical frame address no dumper can translate, there is
                // `.ra` alone.
                let is_complete = expected.contains_key(".cfa");
                let found = symbols.cfi_at(Rva(rva)).as_ref().map(shown);
                assert_eq!(found, Some(expected).filter(|_| is_complete), "{file} {rva:#x}");
            }
        }
    });
}

#[test]
fn the_older_form_of_inlined_calls_gives_the_same_chains() {
    let find = |name: &str| files().into_iter().find(|path| path.ends_with(name));
    let (Some(old), Some(new)) = (find("linux_inline.old.sym"), find("linux_inline.new.sym")) else { return };
    let [old, new] = [old, new].map(|path| BreakpadSymbols::open(Data::map(&path).unwrap(), None).unwrap());
    let without_file = |symbols: &BreakpadSymbols, rva| -> Vec<(String, Option<u32>, u32)> {
        let scopes = symbols.scopes_at(Rva(rva)).into_iter();
        scopes.map(|it| (it.function, it.location.map(|location| location.line), it.start.0)).collect()
    };
    for rva in 0x15b30..0x161ff {
        assert_eq!(without_file(&old, rva), without_file(&new, rva), "{rva:#x}");
    }
    let scopes = |line| {
        vec![
            ("func()", line, 0x15b83),
            ("bar()", Some(32), 0x15b72),
            ("foo()", Some(39), 0x15b45),
            ("main", Some(42), 0x15b30),
        ]
    };
    let expected =
        |line| scopes(line).into_iter().map(|(name, line, start)| (name.to_owned(), line, start)).collect::<Vec<_>>();
    assert_eq!(without_file(&old, 0x15b83), expected(Some(9)));
    assert_eq!(without_file(&new, 0x15b97), expected(None));
}
