//! `Space`: the address space of a dump and the questions asked of it.

use std::sync::{PoisonError, RwLock};

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use stillframe_engine::debuginfo::{self, Missing, TypeId};
use stillframe_engine::disasm::{Limit, disassemble};
use stillframe_engine::dump::system::SystemInfo;
use stillframe_engine::locate::FrameView;
use stillframe_engine::memory::{self, Absence, AddressSpace, Source};
use stillframe_engine::process::Process;
use stillframe_engine::tail_frames::with_tail_calls;
use stillframe_engine::unwind::{self, Stop, Trust, WalkEnd, Wanted};

use crate::debug::DebugFile;
use crate::disasm::Instruction;
use crate::dump::DumpFile;
use crate::errors::engine_error;
use crate::image::{ImageFile, Proof};
use crate::registers::Registers;
use crate::variables::{Located, VariableRecord};

/// Most bytes that one call reads: a size that comes from a damaged file must not exhaust memory.
const MOST_READ_BYTES: usize = 1 << 30;
/// Most addresses that one search gives.
const MOST_FOUND: usize = 1 << 20;
/// Most bytes that are disassembled at once.
const MOST_CODE_BYTES: u64 = 1 << 24;
/// Longest x86 instruction.
const LONGEST_INSTRUCTION_BYTES: u64 = 15;

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct Span {
    address: u64,
    size_bytes: u64,
    source: &'static str,
    relocated: bool,
    offset: Option<u64>,
    module: Option<usize>,
    section: Option<String>,
    reason: Option<&'static str>,
}

impl Span {
    fn new(span: memory::Span, process: &Process) -> Span {
        let mut record = Span {
            address: span.address,
            size_bytes: span.size_bytes,
            source: "dump",
            relocated: false,
            offset: None,
            module: None,
            section: process.space.section_name(span.address),
            reason: None,
        };
        match span.source {
            Source::Dump { offset } => record.offset = Some(offset),
            Source::Image { module, rva, relocated } => {
                (record.source, record.module, record.relocated) = ("image", Some(module), relocated);
                record.offset = Some(rva.0.into());
            }
            Source::Absent { module, reason } => {
                (record.source, record.module) = ("absent", module);
                record.reason = Some(match reason {
                    Absence::Free => "free",
                    Absence::NotInDump => "not_in_dump",
                    Absence::WritableSection => "writable_section",
                    Absence::LoaderWritten => "loader_written",
                    Absence::ImageNotAsked => "image_not_asked",
                    Absence::ImageMissing => "image_missing",
                    Absence::NotInImage => "not_in_image",
                });
            }
        }
        record
    }
}

/// See `_engine.pyi`.
#[pyclass(frozen, module = "stillframe._engine")]
pub struct FrameRecord {
    #[pyo3(get)]
    registers: Py<Registers>,
    found_by: Trust,
    #[pyo3(get)]
    instruction: u64,
    #[pyo3(get)]
    lookup_address: u64,
    #[pyo3(get)]
    module: Option<usize>,
    #[pyo3(get)]
    cfa: Option<u64>,
    #[pyo3(get)]
    virtual_frame: Option<u64>,
}

#[pymethods]
impl FrameRecord {
    #[getter]
    fn trust(&self) -> &'static str {
        match self.found_by {
            Trust::Scan => "scan",
            Trust::FramePointer => "frame_pointer",
            Trust::TailCall => "tail_call",
            Trust::Cfi => "cfi",
            Trust::Context => "context",
        }
    }
}

impl FrameRecord {
    fn new(py: Python<'_>, frame: unwind::Frame) -> PyResult<FrameRecord> {
        Ok(FrameRecord {
            found_by: frame.trust,
            instruction: frame.registers.instruction_pointer().unwrap_or(frame.lookup_address),
            lookup_address: frame.lookup_address,
            module: frame.module,
            cfa: frame.cfa,
            virtual_frame: frame.virtual_frame,
            registers: Py::new(py, Registers(frame.registers))?,
        })
    }

    /// The engine's frame again.
    fn frame(&self, py: Python<'_>) -> unwind::Frame {
        unwind::Frame {
            registers: self.registers.borrow(py).0.clone(),
            trust: self.found_by,
            lookup_address: self.lookup_address,
            module: self.module,
            cfa: self.cfa,
            virtual_frame: self.virtual_frame,
        }
    }
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct Walk {
    frames: Vec<Py<FrameRecord>>,
    stop: Option<&'static str>,
    stop_address: Option<u64>,
    wants: Option<(&'static str, usize)>,
}

/// See `_engine.pyi`.
#[pyclass(frozen, module = "stillframe._engine")]
pub struct Space(RwLock<Process>);

impl Space {
    /// Asks the process. The lock is taken and given back without the GIL: a thread that waited for the one while it
    /// held the other would wait for ever.
    fn ask<T: Send>(&self, py: Python<'_>, question: impl FnOnce(&Process) -> T + Send) -> T {
        py.detach(|| question(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }

    fn change(&self, py: Python<'_>, change: impl FnOnce(&mut Process) + Send) {
        py.detach(|| change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner)));
    }
}

#[pymethods]
impl Space {
    #[new]
    fn new(dump: &DumpFile) -> Space {
        Space(RwLock::new(Process::new(AddressSpace::new(dump.0.clone()))))
    }

    fn prove(&self, py: Python<'_>, module: usize, image: &ImageFile) -> PyResult<Proof> {
        let proof = self.ask(py, |process| {
            let record = process.space.dump().modules().get(module)?;
            let key = image.0.wanted_key(record);
            Some(Proof::new(process.space.prove(module, image.0.as_ref())?, &key, image.0.as_ref()))
        });
        proof.ok_or_else(|| PyIndexError::new_err(format!("no module {module}")))
    }

    fn attach_image(&self, py: Python<'_>, module: usize, image: &ImageFile) {
        self.change(py, |process| process.space.set_image(module, Some(image.0.clone())));
    }

    fn captured_image(&self, py: Python<'_>, module: usize) -> Option<ImageFile> {
        self.ask(py, |process| process.space.captured_image(module).cloned()).map(ImageFile)
    }

    fn attach_debug_file(&self, py: Python<'_>, module: usize, debug: &DebugFile) {
        let debug = debug.0.info.clone();
        self.change(py, |process| process.set_debug_info(module, Some(debug)));
    }

    fn declare_missing(&self, py: Python<'_>, what: &str, module: usize) -> PyResult<()> {
        match what {
            "image" => self.change(py, |process| process.space.set_image(module, None)),
            "debug_info" => self.change(py, |process| process.set_debug_info(module, None)),
            _ => return Err(PyValueError::new_err(format!("{what}: neither image nor debug_info"))),
        }
        Ok(())
    }

    fn module_at(&self, py: Python<'_>, address: u64) -> Option<usize> {
        self.ask(py, |process| process.space.module_at(address).map(|(index, ..)| index))
    }

    fn read(&self, py: Python<'_>, address: u64, size: usize) -> Vec<u8> {
        self.ask(py, |process| process.space.bytes(address, size.min(MOST_READ_BYTES)))
    }

    fn search(&self, py: Python<'_>, pattern: &[u8], start: u64, end: u64, alignment: u64, limit: usize) -> Vec<u64> {
        self.ask(py, |process| process.space.search(pattern, start, end, alignment, limit.min(MOST_FOUND)))
    }

    fn provenance(&self, py: Python<'_>, address: u64, size: u64) -> Vec<Span> {
        self.ask(py, |process| {
            let spans = process.space.provenance(address, size);
            spans.into_iter().map(|span| Span::new(span, process)).collect()
        })
    }

    #[pyo3(signature = (registers, limit = 1024))]
    fn walk(&self, py: Python<'_>, registers: &Registers, limit: usize) -> PyResult<Walk> {
        let walk = self.ask(py, |process| unwind::walk(process, &registers.0, limit));
        let frame = |frame| Py::new(py, FrameRecord::new(py, frame)?);
        let mut record = Walk {
            frames: walk.frames.into_iter().map(frame).collect::<PyResult<_>>()?,
            stop: None,
            stop_address: None,
            wants: None,
        };
        match walk.end {
            WalkEnd::Needs(Wanted::Image(module)) => record.wants = Some(("image", module)),
            WalkEnd::Needs(Wanted::DebugInfo(module)) => record.wants = Some(("debug_info", module)),
            WalkEnd::Done(stop) => {
                record.stop = Some(match stop {
                    Stop::EndOfStack => "end_of_stack",
                    Stop::NoMemory(_) => "no_memory",
                    Stop::NoCaller => "no_caller",
                    Stop::Loop => "loop",
                    Stop::Limit => "limit",
                });
                if let Stop::NoMemory(address) = stop {
                    record.stop_address = Some(address);
                }
            }
        }
        Ok(record)
    }

    fn with_tail_calls(&self, py: Python<'_>, frames: Vec<PyRef<'_, FrameRecord>>) -> PyResult<Vec<Py<FrameRecord>>> {
        let frames: Vec<_> = frames.iter().map(|frame| frame.frame(py)).collect();
        let frames = self.ask(py, |process| with_tail_calls(process, frames));
        frames.into_iter().map(|frame| Py::new(py, FrameRecord::new(py, frame)?)).collect()
    }

    fn locate(&self, py: Python<'_>, frames: Vec<PyRef<'_, FrameRecord>>, of: &VariableRecord) -> PyResult<Located> {
        let frames: Vec<_> = frames.iter().map(|frame| frame.frame(py)).collect();
        let Some(first) = frames.first() else { return Err(PyValueError::new_err("no frame")) };
        let cpu = first.registers.cpu();
        let located = self.ask(py, |process| Some(FrameView::new(process, &frames)?.locate(&of.where_it_lives)));
        Located::new(py, located.unwrap_or(debuginfo::Located::Absent(Missing::Expression)), cpu)
    }

    fn array_counts(
        &self,
        py: Python<'_>,
        frames: Vec<PyRef<'_, FrameRecord>>,
        type_id: u64,
    ) -> PyResult<Vec<Option<u64>>> {
        let frames: Vec<_> = frames.iter().map(|frame| frame.frame(py)).collect();
        if frames.is_empty() {
            return Err(PyValueError::new_err("no frame"));
        }
        let counts = self.ask(py, |process| Some(FrameView::new(process, &frames)?.array_counts(TypeId(type_id))));
        Ok(counts.unwrap_or_default())
    }

    #[pyo3(signature = (address, *, count = None, end = None))]
    fn disassemble(
        &self,
        py: Python<'_>,
        address: u64,
        count: Option<usize>,
        end: Option<u64>,
    ) -> PyResult<Vec<Instruction>> {
        let (limit, size_bytes) = match (count, end) {
            (Some(count), None) => (Limit::Count(count), (count as u64).saturating_mul(LONGEST_INSTRUCTION_BYTES)),
            (None, Some(end)) => {
                (Limit::End(end), end.saturating_sub(address).saturating_add(LONGEST_INSTRUCTION_BYTES))
            }
            _ => return Err(PyValueError::new_err("either count or end")),
        };
        let listing = self.ask(py, |process| {
            let dump = process.space.dump();
            let Some(cpu) = dump.cpu() else { return Err(dump.system().map(SystemInfo::cpu_name)) };
            let code = process.space.bytes(address, size_bytes.min(MOST_CODE_BYTES) as usize);
            Ok(disassemble(&code, address, cpu, limit, process))
        });
        let listing = listing.map_err(|processor| match processor {
            Some(name) => engine_error(format!("instructions of {name} cannot be disassembled yet")),
            None => engine_error("the dump does not say of which processor it is"),
        })?;
        Ok(listing.map_err(engine_error)?.instructions.into_iter().map(Instruction::from).collect())
    }
}
