//! One module (object file) of a PDB: its functions, and where its lines are.

use std::sync::OnceLock;

use super::PdbError;
use super::dbi::ModuleInfo;
use super::inlinees::Inlinees;
use super::lines::LineTables;
use super::msf::Msf;
use super::records::{Record, kind, record_at, text};
use crate::bytes::{Reader, Truncated};

/// The signature at the start of a module's symbols (CV_SIGNATURE_C13).
const SIGNATURE_BYTES: usize = 4;
/// Scopes that may be open at once while a scope's end is sought.
const DEEPEST_SCOPE: usize = 4096;

/// A module's symbols and lines, read when an address in it was asked about.
pub struct Module {
    /// Symbol records; offsets in references count from its start.
    pub symbols: Vec<u8>,
    c13: Vec<u8>,
    functions: OnceLock<Vec<FunctionRecord>>,
    lines: OnceLock<LineTables>,
    inlinees: OnceLock<Inlinees>,
}

/// A procedure or thunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionRecord {
    /// 1-based section.
    pub section: u16,
    /// Offset in the section.
    pub offset: u32,
    /// Bytes.
    pub size_bytes: u32,
    /// Offset of its record in the module's symbols.
    pub record: usize,
}

impl Module {
    /// Reads a module's stream.
    pub fn read(msf: &Msf, info: &ModuleInfo) -> Result<Module, PdbError> {
        let stream = match info.stream {
            Some(number) => msf.stream(number)?,
            None => None,
        };
        let (symbols, c13) = match stream {
            Some(stream) => {
                let lines = info.symbols_bytes.saturating_add(info.c11_bytes);
                (stream.up_to(0, info.symbols_bytes)?.into_owned(), stream.up_to(lines, info.c13_bytes)?.into_owned())
            }
            None => (Vec::new(), Vec::new()),
        };
        let (functions, lines, inlinees) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Ok(Module { symbols, c13, functions, lines, inlinees })
    }

    /// Bytes that it holds in memory.
    pub fn size_bytes(&self) -> usize {
        self.symbols.len() + self.c13.len()
    }

    /// Procedures and thunks in address order.
    pub fn functions(&self) -> &[FunctionRecord] {
        self.functions.get_or_init(|| {
            let mut functions = find_functions(&self.symbols);
            functions.sort_by_key(|function| (function.section, function.offset));
            functions
        })
    }

    /// The function that covers an offset of a section.
    pub fn function_at(&self, section: u16, offset: u32) -> Option<&FunctionRecord> {
        let functions = self.functions();
        let after = functions.partition_point(|it| (it.section, it.offset) <= (section, offset));
        // Functions do not overlap, but folded ones share an address, and thunks may have no size.
        let covering = functions[..after].iter().rev().take(4);
        covering.into_iter().find(|it| it.section == section && offset - it.offset < it.size_bytes)
    }

    /// Its line tables.
    pub fn lines(&self) -> &LineTables {
        self.lines.get_or_init(|| LineTables::find(&self.c13))
    }

    /// Where its inlined functions begin in their sources.
    pub fn inlinees(&self) -> &Inlinees {
        self.inlinees.get_or_init(|| Inlinees::read(&self.c13))
    }

    /// The bytes of its line information.
    pub fn c13(&self) -> &[u8] {
        &self.c13
    }

    /// The records inside the scope that begins with the record at `offset`, without its end.
    pub fn scope(&self, offset: usize) -> impl Iterator<Item = Record<'_>> {
        let mut next = record_at(&self.symbols, offset).map(|record| record.next);
        let mut depth = 0usize;
        std::iter::from_fn(move || {
            let record = record_at(&self.symbols, next?)?;
            next = Some(record.next);
            if record.opens_scope() {
                depth += 1;
            } else if record.closes_scope() {
                depth = depth.checked_sub(1)?;
            }
            (depth < DEEPEST_SCOPE).then_some(record)
        })
    }
}

/// Finds the outermost scopes. The offset of a scope's end is only a hint: it is followed where an end record is there.
fn find_functions(symbols: &[u8]) -> Vec<FunctionRecord> {
    let mut functions = Vec::new();
    let mut next = SIGNATURE_BYTES;
    while let Some(record) = record_at(symbols, next) {
        next = record.next;
        if let Some((function, _)) = read_function(&record) {
            functions.push(function);
        }
        if record.opens_scope() {
            next = end_of_scope(symbols, &record).unwrap_or(next);
        }
    }
    functions
}

/// The offset behind the end record of a scope, by its hint.
fn end_of_scope(symbols: &[u8], record: &Record<'_>) -> Option<usize> {
    let end = Reader::at(record.data, 4).ok()?.u32().ok()? as usize;
    let end = record_at(symbols, end).filter(|end| end.closes_scope() && end.offset >= record.next)?;
    Some(end.next)
}

/// A procedure or thunk, and its name.
pub fn read_function(record: &Record<'_>) -> Option<(FunctionRecord, String)> {
    let read = || -> Result<(u16, u32, u32, String), Truncated> {
        let mut input = Reader::at(record.data, 12)?;
        if record.kind == kind::S_THUNK32 {
            let (offset, section, size) = (input.u32()?, input.u16()?, input.u16()?);
            input.skip(1)?; // ordinal
            return Ok((section, offset, size.into(), text(&mut input)));
        }
        let size = input.u32()?;
        input.skip(12)?; // start and end of debugging, type
        let (offset, section) = (input.u32()?, input.u16()?);
        input.skip(1)?; // flags
        Ok((section, offset, size, text(&mut input)))
    };
    if !record.is_procedure() && record.kind != kind::S_THUNK32 {
        return None;
    }
    let (section, offset, size_bytes, name) = read().ok()?;
    Some((FunctionRecord { section, offset, size_bytes, record: record.offset }, name))
}
