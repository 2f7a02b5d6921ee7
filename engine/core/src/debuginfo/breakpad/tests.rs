//! Files written here, whose answers follow from the format's documentation, and the real ones that the folder of data has.

mod folklore;
mod index;
mod real;
mod stack;

use super::*;
use crate::debuginfo::SourceLocation;

fn open(text: &str) -> BreakpadSymbols {
    open_bytes(text.as_bytes())
}

fn open_bytes(text: &[u8]) -> BreakpadSymbols {
    BreakpadSymbols::open(Data::from(text.to_vec()), None).unwrap()
}

/// A file of an x64 module with these records.
fn linux(records: &str) -> BreakpadSymbols {
    open(&format!("MODULE Linux x86_64 000000000000000000000000000000000 a.out\n{records}"))
}

/// Name, start and size of the function at an address.
fn function(symbols: &BreakpadSymbols, rva: u32) -> Option<(String, u32, u32)> {
    symbols.function_at(Rva(rva)).map(|it| (it.name, it.start.0, it.size_bytes))
}

fn named(name: &str, start: u32, size: u32) -> Option<(String, u32, u32)> {
    Some((name.to_owned(), start, size))
}

/// `path:line` of a location.
fn place(location: Option<&SourceLocation>) -> String {
    location.map_or_else(String::new, |location| format!("{}:{}", location.file.path, location.line))
}

/// Function, place and start of each scope, innermost first.
fn chain(symbols: &BreakpadSymbols, rva: u32) -> Vec<(String, String, u32)> {
    let scopes = symbols.scopes_at(Rva(rva));
    let inlined = scopes.iter().filter(|scope| scope.is_inlined).count();
    assert!(scopes.is_empty() || inlined == scopes.len() - 1 && !scopes[inlined].is_inlined, "{scopes:?}");
    scopes.iter().map(|it| (it.function.clone(), place(it.location.as_ref()), it.start.0)).collect()
}

fn expected(chain: &[(&str, &str, u32)]) -> Vec<(String, String, u32)> {
    chain.iter().map(|&(name, place, start)| (name.to_owned(), place.to_owned(), start)).collect()
}

/// Start, end and place of each row.
fn rows(symbols: &BreakpadSymbols, start: u32, end: u32) -> Vec<(u32, u32, String)> {
    let rows = symbols.lines_in(Rva(start), Rva(end));
    rows.iter().map(|row| (row.start.0, row.end.0, place(Some(&row.location)))).collect()
}

#[test]
fn identity_and_processor_are_what_the_first_lines_say() {
    let symbols = open(
        "MODULE windows x86 3249D99D0C4049318610F4E4FB0B69361 my app.pdb\r\nINFO CODE_ID 5AB380779000 app.exe\r\n",
    );
    let identity = symbols.identity();
    assert_eq!((identity.os.as_str(), identity.arch.as_str()), ("windows", "x86"));
    assert_eq!(identity.debug_id, "3249D99D0C4049318610F4E4FB0B69361");
    assert_eq!((identity.name.as_str(), identity.code_id.as_deref()), ("my app.pdb", Some("5AB380779000")));
    for (arch, cpu) in [("x86", Some(Cpu::X86)), ("x86_64", Some(Cpu::X64)), ("arm64", Some(Cpu::Arm64)), ("ppc", None)]
    {
        let symbols = open(&format!("MODULE Linux {arch} 000000000000000000000000000000000 a"));
        assert_eq!((symbols.cpu(), symbols.identity().code_id.as_ref()), (cpu, None), "{arch}");
    }
}

#[test]
fn what_is_no_symbol_file_says_so() {
    for (text, message) in [
        ("", "not a Breakpad symbol file: the file is empty"),
        ("FUNC 1000 10 0 main\n", "not a Breakpad symbol file: it does not begin with a MODULE record"),
        ("MODULES\n", "not a Breakpad symbol file: it does not begin with a MODULE record"),
        ("MODULE Linux\n", "a damaged Breakpad symbol file: its MODULE record has no architecture"),
        ("MODULE Linux x86 12 a\n", "a damaged Breakpad symbol file: its MODULE record has no debug id"),
        (
            "MODULE Linux x86 000000000000000000000000000000000\nINFO CODE_ID 1\n",
            "a damaged Breakpad symbol file: its MODULE record has no name",
        ),
    ] {
        let error = BreakpadSymbols::open(Data::from(text.as_bytes().to_vec()), None).err().unwrap();
        assert_eq!(error.to_string(), message);
    }
}

/// `main` calls `outer` on line 12, which calls `inner` on line 5 of another file; `outer` has two ranges.
const NESTED: &str = "FILE 0 main.c\nFILE 1 dir/my outer.h\nINLINE_ORIGIN 3 outer(int)\nINLINE_ORIGIN 4 inner\n\
    FUNC 1000 40 0 main\nINLINE 0 12 0 3 1010 10 1030 8\nINLINE 1 5 1 4 1018 4\n\
    1000 10 11 0\n1010 8 4 1\n1018 4 30 1\n101c 4 6 1\n1020 10 13 0\n1030 8 7 1\n1038 8 14 0\nPUBLIC 1050 0 _start\n";

#[test]
fn scopes_are_the_inlined_calls_and_the_function() {
    let symbols = linux(NESTED);
    for (rva, scopes) in [
        (0xfff, &[][..]),
        (0x1000, &[("main", "main.c:11", 0x1000)]),
        (0x1010, &[("outer(int)", "dir/my outer.h:4", 0x1010), ("main", "main.c:12", 0x1000)]),
        (
            0x101b,
            &[
                ("inner", "dir/my outer.h:30", 0x1018),
                ("outer(int)", "dir/my outer.h:5", 0x1010),
                ("main", "main.c:12", 0x1000),
            ],
        ),
        (0x101c, &[("outer(int)", "dir/my outer.h:6", 0x1010), ("main", "main.c:12", 0x1000)]),
        (0x1020, &[("main", "main.c:13", 0x1000)]),
        (0x1037, &[("outer(int)", "dir/my outer.h:7", 0x1030), ("main", "main.c:12", 0x1000)]),
        (0x103f, &[("main", "main.c:14", 0x1000)]),
        (0x1040, &[]),
        (0x1050, &[("_start", "", 0x1050)]),
    ] {
        assert_eq!(chain(&symbols, rva), expected(scopes), "{rva:#x}");
    }
}

#[test]
fn rows_are_those_that_overlap_what_is_asked() {
    let symbols = linux(NESTED);
    let row = |start, end, place: &str| (start, end, place.to_owned());
    assert_eq!(
        rows(&symbols, 0x1017, 0x1019),
        [row(0x1010, 0x1018, "dir/my outer.h:4"), row(0x1018, 0x101c, "dir/my outer.h:30")]
    );
    assert_eq!(rows(&symbols, 0x1018, 0x101c), [row(0x1018, 0x101c, "dir/my outer.h:30")]);
    assert_eq!(rows(&symbols, 0x1018, 0x1018), []);
    assert_eq!(rows(&symbols, 0x1040, u32::MAX), []);
    assert_eq!(rows(&symbols, 0, u32::MAX).len(), 7);
}

#[test]
fn symbols_by_address_and_name() {
    let symbols = linux(NESTED);
    let main = Symbol { name: "main".into(), rva: Rva(0x1000), kind: SymbolKind::Function, size_bytes: Some(0x40) };
    let start = Symbol { name: "_start".into(), rva: Rva(0x1050), kind: SymbolKind::PublicCode, size_bytes: None };
    for (rva, symbol) in
        [(0xfff, None), (0x1000, Some(&main)), (0x104f, Some(&main)), (0x1050, Some(&start)), (u32::MAX, Some(&start))]
    {
        assert_eq!(symbols.symbol_at(Rva(rva)).as_ref(), symbol, "{rva:#x}");
    }
    assert_eq!(symbols.symbols_named("main"), std::slice::from_ref(&main));
    assert_eq!(symbols.symbols_named("start"), []); // an x64 linker knows no `_`
    assert_eq!(symbols.symbols_matching(&mut |name| name.contains('a'), 9), [main.clone(), start]);
    assert_eq!(symbols.symbols_matching(&mut |name| name.contains('a'), 1), [main]);
    assert_eq!(symbols.variables_at(Rva(0x1000)), []);
    assert_eq!(symbols.problems(), Vec::<String>::new());
}

#[test]
fn a_name_is_found_decorated_undecorated_and_qualified() {
    let symbols = open(
        "MODULE windows x86 000000000000000000000000000000000 a.pdb\nFUNC 1000 10 0 geo::Rect::area() const\nFUNC 1010 10 4 geo::Rect::area(int)\n\
         PUBLIC 1000 0 ?area@Rect@geo@@QBEHXZ\nPUBLIC 2000 0 _ZN3geo4Rect4areaEi\nPUBLIC 3000 0 _main\nFUNC 1020 8 0 (anonymous namespace)::f(int)\n",
    );
    let find = |name: &str| symbols.symbols_named(name).iter().map(|it| it.rva.0).collect::<Vec<_>>();
    assert_eq!(find("geo::Rect::area"), [0x1000, 0x1010, 0x2000]);
    assert_eq!(find("geo::Rect::area(int)"), [0x1010]);
    assert_eq!(find("?area@Rect@geo@@QBEHXZ"), [0x1000]);
    assert_eq!(find("main"), [0x3000]);
    assert_eq!(find("_main"), [0x3000]);
    assert_eq!(find("(anonymous namespace)::f"), [0x1020]);
    assert_eq!(find("area"), []);
    assert_eq!(find(""), []);
}
