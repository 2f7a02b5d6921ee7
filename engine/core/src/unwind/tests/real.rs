//! Dumps of real programs, where the folder of real data is there. The expected chains are those of the sources.

use std::sync::Arc;

use super::*;
use crate::data::Data;
use crate::debuginfo::pdb::Pdb;
use crate::dump::Dump;
use crate::memory::AddressSpace;

fn shared(name: &str) -> Option<Data> {
    Some(Data::map(&crate::shared_data::shared(name)?).unwrap())
}

/// The walk of the first thread with the dump's own images, and the functions of its frames by the PDB of module 0,
/// inlined ones too.
fn walk_dump(dump: &str, pdb: &str) -> Option<(Walk, Vec<(String, u32)>)> {
    let (dump, pdb) = (shared(dump)?, shared(pdb)?);
    let dump = Arc::new(Dump::open(dump).unwrap());
    let base = dump.modules()[0].base;
    let pdb = Pdb::open(pdb).unwrap();
    let mut process = crate::process::Process::new(AddressSpace::new(dump.clone()));
    for module in 0..dump.modules().len() {
        process.space.set_image(module, None);
        process.set_debug_info(module, None);
    }
    let walk = walk(&process, &dump.context(0).unwrap(), 100);
    let scopes = walk.frames.iter().flat_map(|frame| {
        let scopes = Rva::of(frame.lookup_address, base).map(|rva| pdb.scopes_at(rva)).unwrap_or_default();
        scopes.into_iter().map(|scope| (scope.function, scope.location.map_or(0, |location| location.line)))
    });
    let scopes = scopes.collect();
    Some((walk, scopes))
}

/// By `app.cpp`: the null write, inlined twice, in the innermost of five recursions.
const CRASH: [(&str, u32); 9] = [
    ("poke", 77),
    ("outer_poke", 82),
    ("crash_here", 98),
    ("recurse", 109),
    ("recurse", 111),
    ("recurse", 111),
    ("recurse", 111),
    ("recurse", 111),
    ("main", 146),
];

#[test]
fn windows_arm64() {
    for build in ["d", "O2"] {
        let (dump, pdb) = (format!("made/app_arm64.{build}.crash.emu.dmp"), format!("made/app_arm64.{build}.pdb"));
        let Some((walk, scopes)) = walk_dump(&dump, &pdb) else { return };
        let expected = CRASH.map(|(function, line)| (function.to_owned(), line));
        assert_eq!(scopes[..CRASH.len()], expected, "{build}");
        let rest: Vec<&str> = scopes[CRASH.len()..].iter().map(|(function, _)| function.as_str()).collect();
        assert_eq!((rest, walk.end), (vec!["mainCRTStartup"], WalkEnd::Done(Stop::EndOfStack)), "{build}");
        assert!(walk.frames[1..].iter().all(|frame| frame.trust == Trust::Cfi), "{build}");
    }
}
