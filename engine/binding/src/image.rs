//! `ImageFile` and the proof.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use stillframe_engine::address::Rva;
use stillframe_engine::data::Data;
use stillframe_engine::image::{self, PeImage};
use stillframe_engine::names::display_name;

use crate::debug::SymbolRecord;
use crate::errors::engine_error;
use crate::identity::Pdb70;
use crate::registers::cpu_name;

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
pub struct ImageFile(pub Arc<PeImage>);

#[pymethods]
impl ImageFile {
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<ImageFile> {
        py.detach(|| {
            let image = PeImage::open(Data::map(&path)?).map_err(engine_error)?;
            Ok(ImageFile(Arc::new(image)))
        })
    }

    #[getter]
    fn machine(&self) -> u16 {
        self.0.machine
    }

    #[getter]
    fn cpu(&self) -> String {
        self.0.cpu().map_or_else(|| format!("unknown({:#06x})", self.0.machine), |cpu| cpu_name(cpu).to_owned())
    }

    #[getter]
    fn time_date_stamp(&self) -> u32 {
        self.0.time_date_stamp
    }

    #[getter]
    fn size_of_image(&self) -> u32 {
        self.0.size_of_image
    }

    #[getter]
    fn image_base(&self) -> u64 {
        self.0.image_base
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
    expected_time_date_stamp: u32,
    expected_size_of_image: u32,
    found_time_date_stamp: u32,
    found_size_of_image: u32,
    compared_bytes: u64,
    compared_pages: u64,
    differing_pages: u64,
    differing_bytes: u64,
    differing: Vec<DifferingRange>,
}

impl Proof {
    /// The record of a comparison; `expected` is the key that the dump has.
    pub fn new(proof: image::Proof, expected: (u32, u32), image: &PeImage) -> Proof {
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
            expected_time_date_stamp: expected.0,
            expected_size_of_image: expected.1,
            found_time_date_stamp: image.time_date_stamp,
            found_size_of_image: image.size_of_image,
            compared_bytes: proof.compared_bytes,
            compared_pages: proof.compared_pages,
            differing_pages: proof.differing_pages,
            differing_bytes: proof.differing_bytes,
            differing: proof.differing.into_iter().map(range).collect(),
        }
    }
}
