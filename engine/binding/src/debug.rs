//! `DebugFile` and the records it answers with.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use stillframe_engine::address::Rva;
use stillframe_engine::data::Data;
use stillframe_engine::debuginfo::{self, DebugInfo, Place, SymbolKind};
use stillframe_engine::debuginfo::pdb::Pdb;
use stillframe_engine::names;

use crate::identity::debug_id;
use crate::registers::register_name;
use crate::to_python;

#[pyclass(frozen, get_all, module = "stillframe._engine")]
#[derive(Clone)]
pub struct SourceFile {
    path: String,
    checksum_kind: Option<&'static str>,
    checksum: Option<Vec<u8>>,
}

#[pyclass(frozen, module = "stillframe._engine")]
#[derive(Clone)]
pub struct SourceLocation {
    #[pyo3(get)]
    file: SourceFile,
    #[pyo3(get)]
    line: u32,
}
