//! Breakpad symbol files (`.sym`): text of up to a gigabyte, entered by index.
//!
//! | module | subject |
//! | --- | --- |
//! | `text`, `records` | lines and fields; records, each parsed from its line |
//! | `module` | what the first lines say: identity and processor |
//! | `spans` | ranges that overlap, made into ranges that do not |
//! | `index`, `build` | the index's form; making it in one pass |
//! | `lookup` | records by address, number and name |
//! | `lines` | lines and inlined calls |
//! | `stack_win`, `stack_cfi` | frame records of x86; call frame information |
//! | `names` | names that are searched for |
//!
//! Source: Breakpad, "Symbol file format" (`docs/symbol_files.md`), and for `INLINE` the files of its dumpers.

mod build;
mod index;
mod lines;
mod lookup;
mod module;
mod names;
mod records;
mod spans;
mod stack_cfi;
mod stack_win;
mod text;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

use super::{DebugInfo, FrameData, Function, LineRow, Scope, Symbol, SymbolKind, Variable};
use crate::address::Rva;
use crate::cfi::CfiRow;
use crate::data::Data;
use crate::registers::Cpu;
use index::Index;
use lookup::{Answer, Records};

pub use module::Identity;

/// Why a file cannot be opened as a Breakpad symbol file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BreakpadError {
    /// Another format.
    #[error("not a Breakpad symbol file: {0}")]
    NotBreakpad(&'static str),
    /// The first record does not say what it has to.
    #[error("a damaged Breakpad symbol file: its MODULE record has no {0}")]
    Module(&'static str),
}

/// A Breakpad symbol file.
pub struct BreakpadSymbols {
    text: Data,
    identity: Identity,
    /// The index that came with the file, if it is one of this file.
    stored: Option<Index>,
    /// The stored index turned out to lead elsewhere.
    is_stored_stale: AtomicBool,
    built: OnceLock<Option<Index>>,
}

/// Makes an index of a symbol file in one pass over it: a compact binary that [`BreakpadSymbols::open`] takes, and that
/// knows to which text it belongs.
pub fn build_index(text: &Data) -> Vec<u8> {
    build::build(text)
}

impl BreakpadSymbols {
    /// Opens a symbol file: reads `MODULE` and `INFO CODE_ID`, nothing else.
    ///
    /// `index` is what [`build_index`] or [`BreakpadSymbols::index_bytes`] once gave for this file. One of another file, of
    /// another version or a damaged one is ignored; then, and without one, it is built when the first question comes.
    pub fn open(data: Data, index: Option<Data>) -> Result<BreakpadSymbols, BreakpadError> {
        let identity = Identity::read(&data)?;
        let stored = index.and_then(|index| Index::open(index, &data));
        let is_stored_stale = AtomicBool::new(false);
        Ok(BreakpadSymbols { text: data, identity, stored, is_stored_stale, built: OnceLock::new() })
    }

    /// What the file says that it belongs to.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The processor, if it is one of ours.
    pub fn cpu(&self) -> Option<Cpu> {
        self.identity.cpu()
    }

    /// The index in use, which is built if there is none yet: for the caller to store beside the file.
    pub fn index_bytes(&self) -> Data {
        self.current().map_or_else(|| Data::from(Vec::new()), |index| index.data().clone())
    }

    /// Whether the index that came with the file is the one in use.
    pub fn uses_stored_index(&self) -> bool {
        self.believed().is_some()
    }

    fn believed(&self) -> Option<&Index> {
        self.stored.as_ref().filter(|_| !self.is_stored_stale.load(Ordering::Relaxed))
    }

    fn built(&self) -> Option<&Index> {
        let build = || Index::open(Data::from(build::build(&self.text)), &self.text);
        self.built.get_or_init(build).as_ref()
    }

    fn current(&self) -> Option<&Index> {
        self.believed().or_else(|| self.built())
    }

    /// Asks by the index that is believed; if it leads to what is not there, it is not believed any more, and another is
    /// built from the text.
    fn ask<T: Default>(&self, mut question: impl FnMut(Records) -> Answer<T>) -> T {
        if let Some(index) = self.believed() {
            if let Ok(answer) = question(Records { text: &self.text, index }) {
                return answer;
            }
            self.is_stored_stale.store(true, Ordering::Relaxed);
        }
        let Some(index) = self.built() else { return T::default() };
        question(Records { text: &self.text, index }).unwrap_or_default()
    }
}

impl DebugInfo for BreakpadSymbols {
    fn function_at(&self, rva: Rva) -> Option<Function> {
        self.ask(|records| records.code_at(rva.0)?.map(|found| records.shown(&found)).transpose())
    }

    fn scopes_at(&self, rva: Rva) -> Vec<Scope> {
        self.ask(|records| records.scopes_at(rva.0))
    }

    fn symbol_at(&self, rva: Rva) -> Option<Symbol> {
        self.ask(|records| records.symbol_at(rva.0))
    }

    fn lines_in(&self, start: Rva, end: Rva) -> Vec<LineRow> {
        self.ask(|records| records.lines_in(start.0, end.0))
    }

    fn variables_at(&self, _rva: Rva) -> Vec<Variable> {
        Vec::new()
    }

    fn frame_data_at(&self, rva: Rva) -> Option<FrameData> {
        self.ask(|records| records.frame_data_at(rva.0))
    }

    fn cfi_at(&self, rva: Rva) -> Option<CfiRow> {
        let cpu = self.cpu()?;
        self.ask(|records| records.cfi_at(rva.0, cpu))
    }

    fn symbols_named(&self, name: &str) -> Vec<Symbol> {
        let mut found = self.ask(|records| records.symbols_named(name));
        if self.cpu() == Some(Cpu::X86) {
            // `main` of C is `_main` to the linker.
            let publics = self.ask(|records| records.symbols_named(&format!("_{name}")));
            found.extend(publics.into_iter().filter(|symbol| symbol.kind != SymbolKind::Function));
        }
        let functions: HashSet<Rva> =
            found.iter().filter(|it| it.kind == SymbolKind::Function).map(|it| it.rva).collect();
        found.retain(|symbol| symbol.kind == SymbolKind::Function || !functions.contains(&symbol.rva));
        found.sort_by(|a, b| (a.rva, &a.name).cmp(&(b.rva, &b.name)));
        found.dedup();
        found
    }

    fn symbols_matching(&self, accept: &mut dyn FnMut(&str) -> bool, limit: usize) -> Vec<Symbol> {
        self.ask(|records| records.symbols_matching(accept, limit))
    }

    fn problems(&self) -> Vec<String> {
        let index = self.believed().or_else(|| self.built.get()?.as_ref());
        let Some(index) = index.filter(|index| index.damaged > 0) else { return Vec::new() };
        let (count, first) = (index.damaged, index.first_damaged);
        vec![format!("{count} records are damaged or beyond 4 GiB; the first is at offset {first:#x}")]
    }
}
