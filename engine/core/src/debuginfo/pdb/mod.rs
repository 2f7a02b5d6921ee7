//! PDBs, entered by index: what an answer does not need is not read.
//!
//! | module | subject |
//! | --- | --- |
//! | `msf` | the container: streams made of pages |
//! | `info`, `dbi`, `sections` | identity and strings; modules and contributions; addresses |
//! | `module`, `records` | one object file's symbols; symbol records |
//! | `lines`, `inlinees`, `scopes` | lines; lines of inlined calls; the chain of calls |
//! | `variables`, `ranges`, `registers` | variables and where they live |
//! | `symbols` | global and public symbols, by name and address |
//! | `types`, `typed` | types by index and name; typedefs, and functions' types |
//! | `globals` | global variables and constants |
//! | `hash` | the hash of names |
//! | `frames` | x86 frame records |

mod dbi;
mod frames;
mod globals;
mod hash;
mod info;
mod inlinees;
mod lines;
mod module;
mod msf;
mod ranges;
mod records;
mod registers;
mod scopes;
mod sections;
mod symbols;
mod typed;
mod types;
mod variables;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use thiserror::Error;

use super::{
    DataSymbol, DebugInfo, Enumerator, FrameData, Function, LineRow, Member, Place, Scope, SourceFile, SourceLocation,
    Symbol, SymbolKind, Type, TypeId, Variable,
};
use crate::address::Rva;
use crate::bytes::Truncated;
use crate::data::Data;
use crate::names::without_anonymous_namespaces;
use crate::registers::Cpu;
use dbi::{Dbi, DebugStream};
use frames::Frames;
use info::{Info, Names};
use module::{FunctionRecord, Module, read_function};
use msf::Msf;
use records::{kind, record_at};
use sections::Sections;
use symbols::{Global, Symbols, rva_of};
use types::Types;

const INFO_STREAM: u32 = 1;
const DBI_STREAM: u32 = 3;
/// Of all natvis files together.
const MOST_NATVIS_BYTES: u32 = 16 << 20;
/// Bytes of modules that are kept for the next question.
const MOST_CACHED_BYTES: usize = 64 << 20;

/// Why a PDB, or a part of one, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PdbError {
    /// Another format.
    #[error("not a PDB: {0}")]
    NotPdb(&'static str),
    /// A part of the container is cut off.
    #[error("a damaged PDB: {0}")]
    Truncated(#[from] Truncated),
    /// A stream does not hold what it should.
    #[error("a damaged PDB: stream {number} does not hold {needed} bytes at offset {offset:#x}")]
    Stream {
        /// Its number.
        number: u32,
        /// Offset in the stream.
        offset: u32,
        /// Bytes that were wanted.
        needed: u32,
    },
    /// A stream that has to be there.
    #[error("a damaged PDB: it has no stream {0}")]
    NoStream(u32),
    /// A value that the format does not allow.
    #[error("a damaged PDB: {0}")]
    Invalid(String),
}

/// What tells one PDB from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// GUID in file order.
    pub guid: [u8; 16],
    /// The age that counts: the DBI stream's, else the info stream's.
    pub age: u32,
    /// The info stream's age.
    pub info_age: u32,
}

/// A PDB.
pub struct Pdb {
    msf: Msf,
    info: Info,
    dbi: Option<Dbi>,
    sections: OnceLock<Sections>,
    names: OnceLock<Option<Names>>,
    symbols: OnceLock<Option<Symbols>>,
    types: OnceLock<Types>,
    data_by_address: OnceLock<globals::ByAddress>,
    frames: OnceLock<Frames>,
    modules: Mutex<Cache>,
    problems: Mutex<Vec<String>>,
}

/// Modules that were asked about.
#[derive(Default)]
struct Cache {
    modules: HashMap<u16, Arc<Module>>,
    size_bytes: usize,
}

/// A function and the module that it belongs to.
struct Found {
    module: Arc<Module>,
    function: FunctionRecord,
    section: u16,
    offset: u32,
}

impl Found {
    /// The address that was asked about, from the start of the function.
    fn within(&self) -> u32 {
        self.offset - self.function.offset
    }
}

impl Pdb {
    /// Opens a PDB: reads the directory, the identity, and the header of the DBI stream.
    pub fn open(data: Data) -> Result<Pdb, PdbError> {
        let msf = Msf::open(data)?;
        let info = msf.stream(INFO_STREAM)?.ok_or(PdbError::NoStream(INFO_STREAM))?;
        let info = Info::read(&info.all()?)?;
        // Without the DBI stream a PDB holds types only.
        let dbi = msf.stream(DBI_STREAM)?.filter(|stream| stream.size_bytes() > 0).map(Dbi::open).transpose()?;
        Ok(Pdb {
            msf,
            info,
            dbi,
            sections: OnceLock::new(),
            names: OnceLock::new(),
            symbols: OnceLock::new(),
            types: OnceLock::new(),
            data_by_address: OnceLock::new(),
            frames: OnceLock::new(),
            modules: Mutex::default(),
            problems: Mutex::default(),
        })
    }

    /// GUID and ages.
    pub fn identity(&self) -> Identity {
        let age = self.dbi.as_ref().map_or(self.info.age, |dbi| dbi.age);
        Identity { guid: self.info.guid, age, info_age: self.info.age }
    }

    /// The processor; x64 if the PDB does not say.
    pub fn cpu(&self) -> Cpu {
        self.dbi.as_ref().and_then(Dbi::cpu).unwrap_or(Cpu::X64)
    }

    /// Whether its symbols stayed in the object files (`/DEBUG:FASTLINK`).
    pub fn is_fastlink(&self) -> bool {
        self.info.is_fastlink
    }

    fn report(&self, problem: impl std::fmt::Display) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let problem = problem.to_string();
        if problems.len() < 100 && !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// A stream; that it is damaged is reported.
    fn stream(&self, number: Option<u32>) -> Option<msf::Stream> {
        self.msf.stream(number?).map_err(|error| self.report(error)).ok().flatten()
    }

    fn debug_stream(&self, which: DebugStream) -> Option<msf::Stream> {
        self.stream(self.dbi.as_ref()?.debug_stream(which))
    }

    fn sections(&self) -> &Sections {
        self.sections.get_or_init(|| {
            let bytes = |which| {
                let stream = self.debug_stream(which);
                stream.and_then(|stream| Some(stream.all().ok()?.into_owned())).unwrap_or_default()
            };
            let from_source = bytes(DebugStream::OmapFromSource);
            let original = if from_source.is_empty() { Vec::new() } else { bytes(DebugStream::OriginalSections) };
            if original.is_empty() {
                return Sections::new(&bytes(DebugStream::Sections), &[], &[]);
            }
            Sections::new(&original, &bytes(DebugStream::OmapToSource), &from_source)
        })
    }

    fn names(&self) -> Option<&Names> {
        let open = || {
            let stream = self.stream(self.info.named_stream("/names"))?;
            Names::open(stream).map_err(|error| self.report(error)).ok()
        };
        self.names.get_or_init(open).as_ref()
    }

    fn symbols(&self) -> Option<&Symbols> {
        let open = || {
            let dbi = self.dbi.as_ref()?;
            let records = self.stream(dbi.records)?;
            Some(Symbols::open(records, self.stream(dbi.globals), self.stream(dbi.publics)))
        };
        self.symbols.get_or_init(open).as_ref()
    }

    fn types(&self) -> &Types {
        let pointer_size_bytes = self.cpu().pointer_size_bytes() as u64;
        self.types.get_or_init(|| Types::open(&self.msf, pointer_size_bytes, |error| self.report(error)))
    }

    fn frames(&self) -> &Frames {
        self.frames.get_or_init(|| Frames {
            frame_data: self.debug_stream(DebugStream::FrameData),
            fpo: self.debug_stream(DebugStream::Fpo),
        })
    }

    fn module(&self, index: u16) -> Option<Arc<Module>> {
        let mut cache = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = cache.modules.get(&index) {
            return Some(module.clone());
        }
        let info = self.dbi.as_ref()?.modules().get(usize::from(index))?;
        let module = Arc::new(Module::read(&self.msf, info).map_err(|error| self.report(error)).ok()?);
        if cache.size_bytes > MOST_CACHED_BYTES {
            *cache = Cache::default();
        }
        cache.size_bytes += module.size_bytes();
        cache.modules.insert(index, module.clone());
        Some(module)
    }

    fn find(&self, rva: Rva) -> Option<Found> {
        let (section, offset) = self.sections().place(rva)?;
        let contribution = self.dbi.as_ref()?.contribution_at(section, offset)?;
        let module = self.module(contribution.module)?;
        let function = module.function_at(section, offset)?.clone();
        Some(Found { module, function, section, offset })
    }

    fn function(&self, module: &Module, function: &FunctionRecord) -> Option<Function> {
        let record = record_at(&module.symbols, function.record)?;
        let (_, name) = read_function(&record)?;
        let start = self.sections().rva(function.section, function.offset)?;
        let name = without_anonymous_namespaces(name);
        Some(Function { name, start, size_bytes: function.size_bytes, is_thunk: record.kind == kind::S_THUNK32 })
    }

    fn location(&self, module: &Module, file: u32, line: u32) -> Option<SourceLocation> {
        Some(SourceLocation { file: self.file(module, file)?, line })
    }

    fn file(&self, module: &Module, file: u32) -> Option<SourceFile> {
        module.lines().file(module.c13(), file, self.names())
    }

    /// The location of the function's own line at the address.
    fn own_location(&self, found: &Found) -> Option<SourceLocation> {
        let end = found.offset.checked_add(1)?;
        let rows = found.module.lines().rows_in(found.module.c13(), found.section, found.offset, end);
        let row = rows.last()?;
        self.location(&found.module, row.file, row.line)
    }

    /// The variable that begins nearest at or below `rva`, but behind `start`. Static variables have no public symbol.
    fn static_after(&self, start: Rva, rva: Rva) -> Option<Symbol> {
        let data = self.find_data_at(rva)?;
        let Place::Static(begin) = data.place else { return None };
        let size = || self.type_of(data.type_id?)?.size_bytes;
        (begin > start).then(|| Symbol {
            size_bytes: size().and_then(|size| u32::try_from(size).ok()),
            name: data.name,
            rva: begin,
            kind: SymbolKind::Variable,
        })
    }

    fn symbol(&self, global: Global) -> Option<Symbol> {
        /// S_PUB32's flags: code, function.
        const CODE: u32 = 1 | 2;
        let placed = &global.placed;
        let (kind, size_bytes) = match global.kind {
            kind::S_PUB32 if placed.first & CODE != 0 => (SymbolKind::PublicCode, None),
            kind::S_PUB32 => (SymbolKind::PublicData, None),
            kind::S_GDATA32 | kind::S_LDATA32 => (SymbolKind::Variable, None),
            kind::S_PROCREF | kind::S_LPROCREF => {
                let module = self.module(placed.section.checked_sub(1)?)?;
                let (function, _) = read_function(&record_at(&module.symbols, placed.offset as usize)?)?;
                let rva = self.sections().rva(function.section, function.offset)?;
                let (kind, size_bytes) = (SymbolKind::Function, Some(function.size_bytes));
                return Some(Symbol { name: global.placed.name, rva, kind, size_bytes });
            }
            _ => return None,
        };
        let rva = rva_of(placed, self.sections())?;
        Some(Symbol { name: global.placed.name, rva, kind, size_bytes })
    }
}

impl DebugInfo for Pdb {
    fn function_at(&self, rva: Rva) -> Option<Function> {
        let found = self.find(rva)?;
        self.function(&found.module, &found.function)
    }

    fn scopes_at(&self, rva: Rva) -> Vec<Scope> {
        let Some(found) = self.find(rva) else { return Vec::new() };
        let Some(function) = self.function(&found.module, &found.function) else { return Vec::new() };
        let mut scopes = Vec::new();
        for site in scopes::sites_at(&found.module, &found.function, found.within()) {
            let name = self.types().function_name(site.inlinee).map(without_anonymous_namespaces);
            let row = site.row_at(found.within());
            scopes.push(Scope {
                function: name.unwrap_or_else(|| format!("inlined function {:#x}", site.inlinee)),
                location: row.and_then(|row| self.location(&found.module, row.file, row.line)),
                is_inlined: true,
                start: Rva(function.start.0.saturating_add(site.start_of_run(found.within()).unwrap_or(0))),
            });
        }
        scopes.reverse();
        let location = self.own_location(&found);
        scopes.push(Scope { function: function.name, location, is_inlined: false, start: function.start });
        scopes
    }

    fn symbol_at(&self, rva: Rva) -> Option<Symbol> {
        let (section, offset) = self.sections().place(rva)?;
        let public = self.symbols().and_then(|symbols| symbols.public_at(section, offset));
        let public = public.and_then(|public| self.symbol(public));
        let function = self.function_at(rva).map(|function| Symbol {
            name: function.name,
            rva: function.start,
            kind: SymbolKind::Function,
            size_bytes: Some(function.size_bytes),
        });
        match (public, function) {
            (Some(public), Some(function)) if function.rva > public.rva => Some(function),
            (Some(public), None) if public.kind == SymbolKind::PublicData && public.rva != rva => {
                Some(self.static_after(public.rva, rva).unwrap_or(public))
            }
            (Some(public), _) => Some(public),
            (None, Some(function)) => Some(function),
            (None, None) => self.static_after(Rva(0), rva),
        }
    }

    fn lines_in(&self, start: Rva, end: Rva) -> Vec<LineRow> {
        let (Some(dbi), Some((section, first))) = (&self.dbi, self.sections().place(start)) else { return Vec::new() };
        let last = first.saturating_add(end.0.saturating_sub(start.0));
        let mut rows = Vec::new();
        for contribution in dbi.contributions_in(section, first, last) {
            let Some(module) = self.module(contribution.module) else { continue };
            let from = contribution.offset.max(first);
            let to = contribution.offset.saturating_add(contribution.size_bytes).min(last);
            let mut files: HashMap<u32, Option<SourceFile>> = HashMap::new();
            for row in module.lines().rows_in(module.c13(), section, from, to) {
                let file = files.entry(row.file).or_insert_with(|| self.file(&module, row.file));
                let place = self.sections().rva(section, row.offset).zip(self.sections().rva(section, row.end));
                if let (Some(file), Some((start, end))) = (file, place) {
                    let location = SourceLocation { file: file.clone(), line: row.line };
                    rows.push(LineRow { start, end, location, is_statement: row.is_statement });
                }
            }
        }
        rows
    }

    fn variables_at(&self, rva: Rva) -> Vec<Variable> {
        let Some(found) = self.find(rva) else { return Vec::new() };
        variables::variables(&variables::Question {
            module: &found.module,
            function: &found.function,
            parameter_count: self.parameter_count(&found.module, &found.function),
            section: found.section,
            offset: found.offset,
            cpu: self.cpu(),
            sections: self.sections(),
            types: self.types(),
        })
    }

    fn frame_data_at(&self, rva: Rva) -> Option<FrameData> {
        self.frames().at(rva, self.names())
    }

    fn symbols_named(&self, name: &str) -> Vec<Symbol> {
        let Some(symbols) = self.symbols() else { return Vec::new() };
        let mut found: Vec<Symbol> = symbols.globals_named(name).into_iter().filter_map(|it| self.symbol(it)).collect();
        let mut publics = symbols.publics_named(name);
        if self.cpu() == Cpu::X86 {
            publics.extend(symbols.publics_named(&format!("_{name}"))); // `main` of C is `_main`
        }
        for public in publics.into_iter().filter_map(|it| self.symbol(it)) {
            if found.iter().all(|symbol| symbol.rva != public.rva) {
                found.push(public);
            }
        }
        found.sort_by(|a, b| (a.rva, &a.name).cmp(&(b.rva, &b.name)));
        found.dedup();
        found
    }

    fn symbols_matching(&self, accept: &mut dyn FnMut(&str) -> bool, limit: usize) -> Vec<Symbol> {
        let mut found = Vec::new();
        if let Some(symbols) = self.symbols() {
            symbols.for_each(&mut |global| {
                if accept(&global.placed.name) {
                    found.extend(self.symbol(global));
                }
                found.len() < limit
            });
        }
        found.sort_by(|a, b| (a.rva, &a.name).cmp(&(b.rva, &b.name)));
        found.dedup();
        found
    }

    fn type_of(&self, id: TypeId) -> Option<Type> {
        self.find_type(id)
    }

    fn members_of(&self, id: TypeId) -> Vec<Member> {
        self.index_of(id).map(|index| self.types().members_of(index)).unwrap_or_default()
    }

    fn enumerators_of(&self, id: TypeId) -> Vec<Enumerator> {
        self.index_of(id).map(|index| self.types().enumerators_of(index)).unwrap_or_default()
    }

    fn types_named(&self, name: &str) -> Vec<TypeId> {
        self.find_types_named(name)
    }

    fn types_matching(&self, accept: &mut dyn FnMut(&str) -> bool, limit: usize) -> Vec<(String, TypeId)> {
        self.find_types_matching(accept, limit)
    }

    fn function_type_at(&self, rva: Rva) -> Option<TypeId> {
        let found = self.find(rva)?;
        self.function_type(&found.module, &found.function)
    }

    fn data_named(&self, name: &str) -> Vec<DataSymbol> {
        self.find_data_named(name)
    }

    fn data_at(&self, rva: Rva) -> Option<DataSymbol> {
        self.find_data_at(rva)
    }

    fn natvis_files(&self) -> Vec<(String, Vec<u8>)> {
        let mut left = MOST_NATVIS_BYTES;
        let read = |(name, number): (&str, u32)| {
            let stream = self.stream(Some(number))?;
            left = left.checked_sub(stream.size_bytes())?; // many names may share a stream
            let bytes = stream.bytes(0, stream.size_bytes()).ok()?.into_owned();
            Some((name.trim_start_matches(info::SOURCES).to_owned(), bytes))
        };
        self.info.natvis_streams().into_iter().filter_map(read).collect()
    }

    fn problems(&self) -> Vec<String> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
