//! Breakpad symbol files (`.sym`): text, one record a line, entered by an index of addresses.
//!
//! The file is not parsed when it is opened. The first question makes an [`index`] in one pass over the lines, or takes
//! one that was kept from before; after that each answer parses the records of one function.
//!
//! Source: Breakpad, `docs/symbol_files.md`.

mod cfi;
mod index;
mod records;

#[cfg(test)]
mod tests;

use std::sync::{Mutex, OnceLock, PoisonError};

use memchr::memmem;
use thiserror::Error;

use self::index::{Entry, Index, Table};
use self::records::{Block, FuncRecord, Inline, Line, PublicRecord};
use super::{
    DebugInfo, FpoKind, FrameData, FrameRule, Function, LineRow, Scope, SourceFile, SourceLocation, Symbol, SymbolKind,
    Variable,
};
use crate::address::Rva;
use crate::cfi::CfiRow;
use crate::data::Data;
use crate::registers::Cpu;

/// Bytes of one line that are looked at.
const LONGEST_LINE_BYTES: usize = 64 << 10;
/// Bytes at the start of the file among which INFO records are sought.
const HEAD_BYTES: usize = 4 << 10;
/// Problems that are kept.
const MOST_PROBLEMS: usize = 100;

/// Why a file cannot be opened as Breakpad symbols.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BreakpadError {
    /// The first line is not one of theirs.
    #[error("not a Breakpad symbol file: it does not begin with a MODULE record")]
    NoModule,
}

/// What tells one build from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `windows`, `Linux`, `mac`…
    pub os: String,
    /// `x86`, `x86_64`, `arm64`…
    pub arch: String,
    /// GUID and age as 33 or more hexadecimal digits.
    pub debug_id: String,
    /// Name of the debug file.
    pub name: String,
    /// Of `INFO CODE_ID`: the key of the image.
    pub code_id: Option<String>,
}

/// A Breakpad symbol file.
pub struct BreakpadSymbols {
    data: Data,
    identity: Identity,
    index: OnceLock<Index>,
    kept: Mutex<Option<Data>>,
    problems: Mutex<Vec<String>>,
}

impl BreakpadSymbols {
    /// Opens a file: reads the MODULE record. `index` is what [`BreakpadSymbols::index`] once gave for this file; one
    /// that does not belong to it is ignored.
    pub fn open(data: Data, index: Option<Data>) -> Result<BreakpadSymbols, BreakpadError> {
        let identity = read_identity(&data).ok_or(BreakpadError::NoModule)?;
        let (kept, problems) = (Mutex::new(index), Mutex::default());
        Ok(BreakpadSymbols { data, identity, index: OnceLock::new(), kept, problems })
    }

    /// What tells one build from another.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The processor, if the engine knows it.
    pub fn cpu(&self) -> Option<Cpu> {
        match self.identity.arch.as_str() {
            "x86" => Some(Cpu::X86),
            "x86_64" | "x86_64h" => Some(Cpu::X64),
            "arm64" | "arm64e" => Some(Cpu::Arm64),
            _ => None,
        }
    }

    /// The index, to be kept for the next time.
    pub fn index_bytes(&self) -> &Data {
        self.index().bytes()
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
            kept.and_then(|kept| Index::open(kept, &self.data)).unwrap_or_else(|| Index::build(&self.data))
        })
    }

    fn report(&self, problem: impl Into<String>) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let problem = problem.into();
        if problems.len() < MOST_PROBLEMS && !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// The line at an offset, without its end.
    fn line(&self, offset: u64) -> Option<&[u8]> {
        let rest = self.data.get(usize::try_from(offset).ok()?..)?;
        let rest = &rest[..rest.len().min(LONGEST_LINE_BYTES)];
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        Some(rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]))
    }

    /// The record of an entry of the index; an index that leads elsewhere is reported.
    fn record<'a, T>(&'a self, entry: Entry, read: impl FnOnce(&'a [u8]) -> Option<T>) -> Option<T> {
        let record = self.line(entry.offset).and_then(read);
        if record.is_none() {
            self.report(format!("the index leads to no record at offset {:#x}", entry.offset));
        }
        record
    }

    /// The function that covers `rva`: of overlapping ones that which starts last.
    fn func_at(&self, rva: Rva) -> Option<(Entry, FuncRecord<'_>)> {
        let entry = self.index().covering(Table::Functions, rva.0)?;
        let record = self.record(entry, FuncRecord::read)?;
        (record.address == u64::from(entry.key)).then_some((entry, record))
    }

    /// INLINE and line records of a function.
    fn block(&self, entry: Entry) -> Block<'_> {
        let start = (entry.offset as usize).min(self.data.len());
        Block::read(&self.data[start..])
    }

    fn file(&self, number: u32) -> Option<SourceFile> {
        let line = self.line(self.index().numbered(Table::Files, number)?.offset)?;
        let path = records::numbered_name(line, b"FILE ")?;
        Some(SourceFile { path: String::from_utf8_lossy(path).into_owned(), checksum: None })
    }

    fn origin(&self, number: u32) -> String {
        let entry = self.index().numbered(Table::Origins, number);
        let line = entry.and_then(|entry| self.line(entry.offset));
        let name = line.and_then(|line| records::numbered_name(line, b"INLINE_ORIGIN "));
        name.map_or_else(|| format!("inlined function {number}"), |name| String::from_utf8_lossy(name).into_owned())
    }

    fn location(&self, file: u32, line: u32) -> Option<SourceLocation> {
        if line == 0 {
            return None; // code of no line
        }
        Some(SourceLocation { file: self.file(file)?, line })
    }

    fn inlined_scope(&self, inline: &Inline, rva: Rva, location: Option<SourceLocation>) -> Scope {
        let start = inline.start_of_run(rva.0).unwrap_or(rva.0);
        Scope { function: self.origin(inline.origin), location, is_inlined: true, start: Rva(start) }
    }

    fn function_symbol(&self, entry: Entry) -> Option<Symbol> {
        let record = self.record(entry, FuncRecord::read)?;
        let size_bytes = Some(entry.size.max(1));
        Some(Symbol { name: record.name(), rva: Rva(entry.key), kind: SymbolKind::Function, size_bytes })
    }

    fn public_symbol(&self, entry: Entry) -> Option<Symbol> {
        let record = self.record(entry, PublicRecord::read)?;
        Some(Symbol { name: record.name(), rva: Rva(entry.key), kind: SymbolKind::PublicCode, size_bytes: None })
    }
}

fn read_identity(data: &[u8]) -> Option<Identity> {
    let head = &data[..data.len().min(HEAD_BYTES)];
    let mut lines = head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let module = String::from_utf8_lossy(lines.next()?).into_owned();
    let mut words = module.strip_prefix("MODULE ")?.splitn(4, ' ');
    let (os, arch, debug_id) = (words.next()?, words.next()?, words.next()?);
    let is_id = debug_id.len() >= 33 && debug_id.bytes().all(|digit| digit.is_ascii_hexdigit());
    let infos = lines.take_while(|line| line.starts_with(b"INFO "));
    let code_id = infos.filter_map(|line| std::str::from_utf8(line.strip_prefix(b"INFO CODE_ID ")?).ok()).next();
    is_id.then(|| Identity {
        os: os.to_owned(),
        arch: arch.to_owned(),
        debug_id: debug_id.to_ascii_uppercase(),
        name: words.next().unwrap_or_default().to_owned(),
        code_id: code_id.and_then(|text| text.split(' ').next()).map(str::to_owned),
    })
}

impl DebugInfo for BreakpadSymbols {
    fn function_at(&self, rva: Rva) -> Option<Function> {
        let (entry, record) = self.func_at(rva)?;
        Some(Function { name: record.name(), start: Rva(entry.key), size_bytes: entry.size, is_thunk: false })
    }

    fn scopes_at(&self, rva: Rva) -> Vec<Scope> {
        let Some((entry, record)) = self.func_at(rva) else { return Vec::new() };
        let block = self.block(entry);
        let line = block.line_at(rva.0);
        let mut location = line.and_then(|line| self.location(line.file, line.line));
        let mut scopes = Vec::new();
        for inline in block.chain_at(rva.0).iter().rev() {
            // What the innermost scope's line is, the next outer scope's is where that was called.
            let call_site = self.location(inline.call_file, inline.call_line);
            scopes.push(self.inlined_scope(inline, rva, std::mem::replace(&mut location, call_site)));
        }
        scopes.push(Scope { function: record.name(), location, is_inlined: false, start: Rva(entry.key) });
        scopes
    }

    fn symbol_at(&self, rva: Rva) -> Option<Symbol> {
        let function = self.index().at_or_below(Table::Functions, rva.0);
        let public = self.index().at_or_below(Table::Publics, rva.0);
        match (function, public) {
            (Some(function), Some(public)) if public.key > function.key => self.public_symbol(public),
            (Some(function), _) => self.function_symbol(function),
            (None, public) => self.public_symbol(public?),
        }
    }

    fn lines_in(&self, start: Rva, end: Rva) -> Vec<LineRow> {
        let mut rows = Vec::new();
        for entry in self.index().overlapping(Table::Functions, start.0, end.0) {
            let block = self.block(entry);
            let wanted = |line: &&Line| line.address < end.0 && start.0 < line.end() && line.size > 0;
            rows.extend(block.lines.iter().filter(wanted).filter_map(|line| {
                let location = self.location(line.file, line.line)?;
                Some(LineRow { start: Rva(line.address), end: Rva(line.end()), location, is_statement: true })
            }));
        }
        rows.sort_by_key(|row| row.start);
        rows
    }

    fn variables_at(&self, _rva: Rva) -> Vec<Variable> {
        Vec::new()
    }

    fn frame_data_at(&self, rva: Rva) -> Option<FrameData> {
        let entry = self.index().covering(Table::StackWin, rva.0)?;
        let record = self.record(entry, records::StackWin::read)?;
        let rule = match record.program {
            Some(program) => FrameRule::Program(String::from_utf8_lossy(program).into_owned()),
            None => FrameRule::Fpo { uses_base_pointer: record.uses_base_pointer, kind: FpoKind::Fpo },
        };
        Some(FrameData {
            start: Rva(entry.key),
            size_bytes: entry.size,
            locals_bytes: record.locals_bytes,
            params_bytes: record.params_bytes,
            saved_registers_bytes: u16::try_from(record.saved_bytes).unwrap_or(u16::MAX),
            prologue_bytes: u16::try_from(record.prologue_bytes).unwrap_or(u16::MAX),
            rule,
        })
    }

    fn cfi_at(&self, rva: Rva) -> Option<CfiRow> {
        let entry = self.index().covering(Table::StackCfi, rva.0)?;
        let rest = self.data.get(entry.offset as usize..)?;
        cfi::row(rest, rva.0, self.cpu()?)
    }

    fn symbols_named(&self, name: &str) -> Vec<Symbol> {
        if name.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<Symbol> = memmem::find_iter(&self.data, name.as_bytes())
            .filter_map(|at| {
                let before = &self.data[at.saturating_sub(LONGEST_LINE_BYTES)..at];
                let start = at - before.len() + memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
                let line = self.line(start as u64)?;
                let symbol = match FuncRecord::read(line) {
                    Some(record) => record.symbol(),
                    None => PublicRecord::read(line)?.symbol(),
                };
                symbol.filter(|symbol| symbol.name == name)
            })
            .collect();
        found.sort_by_key(|symbol| (symbol.rva, symbol.kind == SymbolKind::PublicCode));
        found.dedup_by_key(|symbol| symbol.rva);
        found
    }

    fn symbols_matching(&self, accept: &mut dyn FnMut(&str) -> bool, limit: usize) -> Vec<Symbol> {
        let mut found = Vec::new();
        let functions = self.index().entries(Table::Functions).filter_map(|entry| self.function_symbol(entry));
        let publics = self.index().entries(Table::Publics).filter_map(|entry| self.public_symbol(entry));
        for symbols in [&mut functions.into_iter() as &mut dyn Iterator<Item = Symbol>, &mut publics.into_iter()] {
            found.extend(symbols.filter(|symbol| accept(&symbol.name)).take(limit));
        }
        found.sort_by_key(|symbol| symbol.rva);
        found.truncate(limit);
        found
    }

    fn problems(&self) -> Vec<String> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
