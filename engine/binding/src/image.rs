//! `ImageFile` and the proof.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use stillframe_engine::address::Rva;
use stillframe_engine::data::Data;
use stillframe_engine::image::{self, Image, Key};
use stillframe_engine::names::display_name;
use stillframe_engine::registers::Cpu;

use crate::debug::{DebugFile, SymbolRecord};
use crate::errors::engine_error;
use crate::identity::Pdb70;
use crate::registers::cpu_named;

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct Section {
    name: String,
    rva: u32,
    size_bytes: u32,
    readable: bool,
    writable: bool,
    executable: bool,
}

/// See `_engine.pyi`.
#[pyclass(frozen, module = "stillframe._engine")]
pub struct ImageFile(pub Arc<dyn Image>);

#[pymethods]
impl ImageFile {
    #[staticmethod]
    #[pyo3(signature = (path, cpu=None))]
    fn open(py: Python<'_>, path: PathBuf, cpu: Option<&str>) -> PyResult<ImageFile> {
        let cpu = cpu.and_then(cpu_named);
        py.detach(|| Ok(ImageFile(image::open_for(Data::map(&path)?, cpu).map_err(engine_error)?)))
    }

    #[getter]
    fn cpu(&self) -> Option<&'static str> {
        self.0.cpu().map(Cpu::name)
    }

    #[getter]
    fn key(&self) -> String {
        self.0.key().to_string()
    }

    #[getter]
    fn linked_base(&self) -> u64 {
        self.0.linked_base()
    }

    #[getter]
    fn sections(&self) -> Vec<Section> {
        let record = |section: &image::Section| Section {
            name: section.name.clone(),
            rva: section.rva.0,
            size_bytes: section.size_bytes,
            readable: section.readable,
            writable: section.writable,
            executable: section.executable,
        };
        self.0.sections().iter().map(record).collect()
    }

    #[getter]
    fn pdb(&self) -> Option<Pdb70> {
        Pdb70::of(self.0.codeview())
    }

    #[getter]
    fn build_id(&self) -> Option<Vec<u8>> {
        match self.0.key() {
            Key::BuildId(id) => Some(id),
            _ => None,
        }
    }

    #[getter]
    fn uuid(&self) -> Option<[u8; 16]> {
        match self.0.key() {
            Key::Uuid(uuid) => Some(uuid),
            _ => None,
        }
    }

    #[getter]
    fn debug_link(&self) -> Option<String> {
        self.0.debug_link()
    }

    #[pyo3(signature = (keep=None))]
    fn own_debug_info(&self, py: Python<'_>, keep: Option<PathBuf>) -> Option<DebugFile> {
        py.detach(|| self.0.own_debug_info(keep.as_deref())).map(DebugFile)
    }

    #[getter]
    fn is_reproducible(&self) -> bool {
        self.0.is_reproducible()
    }

    fn export_at(&self, rva: u32) -> Option<SymbolRecord> {
        let (name, at) = self.0.export_at(Rva(rva))?;
        Some(SymbolRecord::export(name.clone().into_owned(), display_name(&name).into_owned(), at.0))
    }
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
#[derive(Clone)]
pub struct DifferingRange {
    address: u64,
    size_bytes: u64,
    expected: Vec<u8>,
    found: Vec<u8>,
    section: String,
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct Proof {
    accepted: bool,
    key_matches: bool,
    key_name: Option<&'static str>,
    expected_key: String,
    found_key: String,
    compared_bytes: u64,
    compared_pages: u64,
    differing_pages: u64,
    differing_bytes: u64,
    differing: Vec<DifferingRange>,
}

impl Proof {
    /// The record of a comparison; `expected` is the key that the dump has.
    pub fn new(proof: image::Proof, expected: &Key, image: &dyn Image) -> Proof {
        let range = |difference: image::Difference| DifferingRange {
            address: difference.address,
            size_bytes: difference.size_bytes,
            expected: difference.expected,
            found: difference.found,
            section: difference.section,
        };
        Proof {
            accepted: proof.is_accepted(),
            key_matches: proof.key_matches,
            key_name: expected.name(),
            expected_key: expected.to_string(),
            found_key: image.key().to_string(),
            compared_bytes: proof.compared_bytes,
            compared_pages: proof.compared_pages,
            differing_pages: proof.differing_pages,
            differing_bytes: proof.differing_bytes,
            differing: proof.differing.into_iter().map(range).collect(),
        }
    }
}
