//! `DebugFile` and the records it answers with.

use std::collections::HashMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use stillframe_engine::address::Rva;
use stillframe_engine::data::Data;
use stillframe_engine::debuginfo::dwarf::SplitFiles;
use stillframe_engine::debuginfo::file::{self, DebugFormat, DebugIdentity};
use stillframe_engine::debuginfo::{self, Checksum, SymbolKind, TypeId};
use stillframe_engine::names::display_name;

use crate::errors::engine_error;
use crate::identity::debug_id;
use crate::registers::cpu_named;
use crate::types::{MemberRecord, TypeRecord};
use crate::variables::VariableRecord;

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
#[derive(Clone)]
pub struct SourceFile {
    path: String,
    checksum_kind: Option<&'static str>,
    checksum: Option<Vec<u8>>,
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
#[derive(Clone)]
pub struct SourceLocation {
    file: SourceFile,
    line: u32,
}

impl From<debuginfo::SourceLocation> for SourceLocation {
    fn from(location: debuginfo::SourceLocation) -> SourceLocation {
        let (checksum_kind, checksum) = match location.file.checksum {
            None => (None, None),
            Some(Checksum::Md5(digest)) => (Some("md5"), Some(digest)),
            Some(Checksum::Sha1(digest)) => (Some("sha1"), Some(digest)),
            Some(Checksum::Sha256(digest)) => (Some("sha256"), Some(digest)),
        };
        let file = SourceFile { path: location.file.path, checksum_kind, checksum };
        SourceLocation { file, line: location.line }
    }
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct FunctionRecord {
    name: String,
    rva: u32,
    size_bytes: u32,
    is_thunk: bool,
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct ScopeRecord {
    function: String,
    location: Option<SourceLocation>,
    is_inlined: bool,
    rva: u32,
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct SymbolRecord {
    name: String,
    display_name: String,
    rva: u32,
    kind: &'static str,
    size_bytes: Option<u32>,
}

impl From<debuginfo::Symbol> for SymbolRecord {
    fn from(symbol: debuginfo::Symbol) -> SymbolRecord {
        SymbolRecord {
            display_name: display_name(&symbol.name).into_owned(),
            name: symbol.name,
            rva: symbol.rva.0,
            kind: match symbol.kind {
                SymbolKind::Function => "function",
                SymbolKind::PublicCode => "public_code",
                SymbolKind::PublicData => "public_data",
                SymbolKind::Variable => "variable",
            },
            size_bytes: symbol.size_bytes,
        }
    }
}

impl SymbolRecord {
    /// An entry of an image's export table.
    pub fn export(name: String, display_name: String, rva: u32) -> SymbolRecord {
        SymbolRecord { name, display_name, rva, kind: "export", size_bytes: None }
    }
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct LineRow {
    rva: u32,
    end_rva: u32,
    location: SourceLocation,
    is_statement: bool,
}

/// See `_engine.pyi`.
#[pyclass(frozen, module = "stillframe._engine")]
pub struct DebugFile(pub file::DebugFile);

#[pymethods]
impl DebugFile {
    #[staticmethod]
    #[pyo3(signature = (path, helper=None, keep=None, cpu=None))]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        helper: Option<PathBuf>,
        keep: Option<PathBuf>,
        cpu: Option<&str>,
    ) -> PyResult<DebugFile> {
        let cpu = cpu.and_then(cpu_named);
        py.detach(|| {
            let helper = helper.map(|path| Data::map(&path)).transpose()?;
            let file =
                file::DebugFile::open_for(Data::map(&path)?, helper, cpu, keep.as_deref()).map_err(engine_error)?;
            Ok(DebugFile(file))
        })
    }

    #[getter]
    fn format(&self) -> &'static str {
        match self.0.format {
            DebugFormat::Pdb => "pdb",
            DebugFormat::Dwarf => "dwarf",
            DebugFormat::Symbols => "symbols",
            DebugFormat::Breakpad => "breakpad",
        }
    }

    #[getter]
    fn guid(&self) -> Option<[u8; 16]> {
        match &self.0.identity {
            DebugIdentity::Pdb(identity) => Some(identity.guid),
            _ => None,
        }
    }

    #[getter]
    fn age(&self) -> Option<u32> {
        match &self.0.identity {
            DebugIdentity::Pdb(identity) => Some(identity.age),
            _ => None,
        }
    }

    #[getter]
    fn build_id(&self) -> Option<Vec<u8>> {
        match &self.0.identity {
            DebugIdentity::BuildId(id) => Some(id.clone()),
            _ => None,
        }
    }

    #[getter]
    fn uuid(&self) -> Option<[u8; 16]> {
        match &self.0.identity {
            DebugIdentity::Uuid(uuid) => Some(*uuid),
            _ => None,
        }
    }

    #[getter]
    fn debug_id(&self) -> Option<String> {
        match &self.0.identity {
            DebugIdentity::Pdb(identity) => Some(debug_id(&identity.guid, identity.age)),
            DebugIdentity::Breakpad(id) => Some(id.clone()),
            _ => None,
        }
    }

    #[getter]
    fn is_stripped_of_symbols(&self) -> bool {
        self.0.is_fastlink
    }

    fn uses_helper_as_index(&self, py: Python<'_>) -> bool {
        self.0.breakpad.as_ref().is_some_and(|symbols| py.detach(|| symbols.uses_stored_index()))
    }

    fn index_bytes<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let symbols = self.0.breakpad.as_ref()?;
        let bytes = py.detach(|| symbols.index_bytes().clone());
        Some(PyBytes::new(py, &bytes))
    }

    #[getter]
    fn alt_link(&self) -> Option<(String, Vec<u8>)> {
        self.0.alt_link.as_ref().map(|link| (link.path.clone(), link.build_id.clone()))
    }

    fn skeletons(&self, py: Python<'_>) -> Vec<(String, Option<String>, u64)> {
        let Some(dwarf) = &self.0.dwarf else { return Vec::new() };
        let skeletons = py.detach(|| dwarf.skeletons());
        skeletons.into_iter().map(|it| (it.dwo_name, it.directory, it.dwo_id)).collect()
    }

    #[pyo3(signature = (files, package=None))]
    fn attach_split(&self, files: HashMap<u64, PathBuf>, package: Option<PathBuf>) -> PyResult<()> {
        let package = package.map(|path| Data::map(&path)).transpose()?;
        if let Some(dwarf) = &self.0.dwarf {
            dwarf.attach(SplitFiles { package, files });
        }
        Ok(())
    }

    fn function_at(&self, py: Python<'_>, rva: u32) -> Option<FunctionRecord> {
        let function = py.detach(|| self.0.info.function_at(Rva(rva)))?;
        Some(FunctionRecord {
            name: function.name,
            rva: function.start.0,
            size_bytes: function.size_bytes,
            is_thunk: function.is_thunk,
        })
    }

    fn scopes_at(&self, py: Python<'_>, rva: u32) -> Vec<ScopeRecord> {
        let scopes = py.detach(|| self.0.info.scopes_at(Rva(rva)));
        let record = |scope: debuginfo::Scope| ScopeRecord {
            function: scope.function,
            location: scope.location.map(SourceLocation::from),
            is_inlined: scope.is_inlined,
            rva: scope.start.0,
        };
        scopes.into_iter().map(record).collect()
    }

    fn symbol_at(&self, py: Python<'_>, rva: u32) -> Option<SymbolRecord> {
        py.detach(|| self.0.info.symbol_at(Rva(rva))).map(SymbolRecord::from)
    }

    fn lines_in(&self, py: Python<'_>, start: u32, end: u32) -> Vec<LineRow> {
        let rows = py.detach(|| self.0.info.lines_in(Rva(start), Rva(end)));
        let record = |row: debuginfo::LineRow| LineRow {
            rva: row.start.0,
            end_rva: row.end.0,
            location: row.location.into(),
            is_statement: row.is_statement,
        };
        rows.into_iter().map(record).collect()
    }

    fn variables_at(&self, py: Python<'_>, rva: u32) -> Vec<VariableRecord> {
        let cpu = self.0.cpu;
        let variables = py.detach(|| self.0.info.variables_at(Rva(rva)));
        variables.into_iter().map(|variable| VariableRecord::new(variable, cpu)).collect()
    }

    fn type_of(&self, py: Python<'_>, type_id: u64) -> Option<TypeRecord> {
        py.detach(|| self.0.info.type_of(TypeId(type_id))).map(TypeRecord::from)
    }

    fn members_of(&self, py: Python<'_>, type_id: u64) -> Vec<MemberRecord> {
        let members = py.detach(|| self.0.info.members_of(TypeId(type_id)));
        members.into_iter().map(MemberRecord::from).collect()
    }

    fn enumerators_of(&self, py: Python<'_>, type_id: u64) -> Vec<(String, i128)> {
        let enumerators = py.detach(|| self.0.info.enumerators_of(TypeId(type_id)));
        enumerators.into_iter().map(|it| (it.name, it.value)).collect()
    }

    fn types_named(&self, py: Python<'_>, name: &str) -> Vec<u64> {
        py.detach(|| self.0.info.types_named(name)).into_iter().map(|id| id.0).collect()
    }

    fn types_matching(&self, py: Python<'_>, pattern: &str, limit: usize) -> Vec<(String, u64)> {
        let pattern = pattern.to_lowercase();
        let mut accept = |name: &str| wildcard_match(&pattern, &name.to_lowercase());
        let types = py.detach(|| self.0.info.types_matching(&mut accept, limit));
        types.into_iter().map(|(name, id)| (name, id.0)).collect()
    }

    fn function_type_at(&self, py: Python<'_>, rva: u32) -> Option<u64> {
        py.detach(|| self.0.info.function_type_at(Rva(rva))).map(|id| id.0)
    }

    fn data_named(&self, py: Python<'_>, name: &str) -> Vec<VariableRecord> {
        let data = py.detach(|| self.0.info.data_named(name));
        data.into_iter().map(|data| VariableRecord::of_data(data, self.0.cpu)).collect()
    }

    fn data_at(&self, py: Python<'_>, rva: u32) -> Option<VariableRecord> {
        let data = py.detach(|| self.0.info.data_at(Rva(rva)))?;
        Some(VariableRecord::of_data(data, self.0.cpu))
    }

    fn symbols_named(&self, py: Python<'_>, name: &str) -> Vec<SymbolRecord> {
        let symbols = py.detach(|| self.0.info.symbols_named(name));
        symbols.into_iter().map(SymbolRecord::from).collect()
    }

    fn symbols_matching(&self, py: Python<'_>, pattern: &str, limit: usize) -> Vec<SymbolRecord> {
        let pattern = pattern.to_lowercase();
        let mut accept = |name: &str| wildcard_match(&pattern, &display_name(name).to_lowercase());
        let symbols = py.detach(|| self.0.info.symbols_matching(&mut accept, limit));
        symbols.into_iter().map(SymbolRecord::from).collect()
    }

    fn natvis_files<'py>(&self, py: Python<'py>) -> Vec<(String, Bound<'py, PyBytes>)> {
        let files = py.detach(|| self.0.info.natvis_files());
        files.into_iter().map(|(name, bytes)| (name, PyBytes::new(py, &bytes))).collect()
    }

    fn problems(&self) -> Vec<String> {
        self.0.info.problems()
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters and `?` for one. Linear in the product
/// of both lengths: it backtracks to the last `*` only.
fn wildcard_match(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                last_star = Some((p + 1, t));
                p += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match last_star {
                Some((after_star, matched)) => {
                    last_star = Some((after_star, matched + 1));
                    (p, t) = (after_star, matched + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&rest| rest == '*')
}
