//! `DumpFile` and its records.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use stillframe_engine::data::Data;
use stillframe_engine::dump::modules::{self, CodeView};
use stillframe_engine::dump::{Dump, Format, StreamEntry, memory, threads};

use crate::errors::engine_error;
use crate::identity::Pdb70;
use crate::registers::Registers;

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct Stream {
    index: usize,
    r#type: u32,
    name: String,
    offset: u64,
    size_bytes: u64,
    problem: Option<String>,
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct SystemInfo {
    cpu: String,
    cpu_info: Option<String>,
    cpu_count: u8,
    os: String,
    os_version: String,
    csd_version: String,
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct ModuleRecord {
    index: usize,
    name: String,
    base: u64,
    size_bytes: u32,
    time_date_stamp: u32,
    check_sum: u32,
    version: Option<String>,
    pdb: Option<Pdb70>,
    build_id: Option<Vec<u8>>,
    codeview: Vec<u8>,
}

impl ModuleRecord {
    fn new(index: usize, module: &modules::Module) -> ModuleRecord {
        let identity = module.identity();
        let build_id = match &identity {
            CodeView::BuildId(id) => Some(id.clone()),
            _ => None,
        };
        ModuleRecord {
            index,
            name: module.name.clone(),
            base: module.base,
            size_bytes: module.size_bytes,
            time_date_stamp: module.time_date_stamp,
            check_sum: module.check_sum,
            version: module.version.map(|[a, b, c, d]| format!("{a}.{b}.{c}.{d}")),
            pdb: Pdb70::of(identity),
            build_id,
            codeview: module.codeview.clone(),
        }
    }
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct UnloadedModuleRecord {
    name: String,
    base: u64,
    size_bytes: u32,
    time_date_stamp: u32,
    check_sum: u32,
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct ThreadRecord {
    index: usize,
    id: u32,
    name: Option<String>,
    suspend_count: u32,
    priority_class: u32,
    priority: u32,
    teb: u64,
    stack_start: u64,
    stack_size_bytes: u32,
    create_time: Option<u64>,
    kernel_time: Option<u64>,
    user_time: Option<u64>,
    start_address: Option<u64>,
}

impl ThreadRecord {
    fn new(index: usize, thread: &threads::Thread, dump: &Dump) -> ThreadRecord {
        let info = dump.thread_info(thread.id);
        ThreadRecord {
            index,
            id: thread.id,
            name: dump.thread_name(thread.id).map(str::to_owned),
            suspend_count: thread.suspend_count,
            priority_class: thread.priority_class,
            priority: thread.priority,
            teb: thread.teb,
            stack_start: thread.stack_start,
            stack_size_bytes: thread.stack.size_bytes,
            create_time: info.map(|info| info.create_time),
            kernel_time: info.map(|info| info.kernel_time),
            user_time: info.map(|info| info.user_time),
            start_address: info.map(|info| info.start_address),
        }
    }
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct ExceptionRecord {
    thread_id: u32,
    code: u32,
    flags: u32,
    address: u64,
    nested_record: u64,
    parameters: Vec<u64>,
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct MemoryRange {
    address: u64,
    size_bytes: u64,
    offset: u64,
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct MemoryRegion {
    base: u64,
    allocation_base: u64,
    allocation_protect: u32,
    size_bytes: u64,
    state: u32,
    protect: u32,
    r#type: u32,
}

impl From<&memory::MemoryRegion> for MemoryRegion {
    fn from(region: &memory::MemoryRegion) -> MemoryRegion {
        MemoryRegion {
            base: region.base,
            allocation_base: region.allocation_base,
            allocation_protect: region.allocation_protect,
            size_bytes: region.size_bytes,
            state: region.state,
            protect: region.protect,
            r#type: region.kind,
        }
    }
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct MiscInfo {
    process_id: Option<u32>,
    process_create_time: Option<u32>,
    process_user_time: Option<u32>,
    process_kernel_time: Option<u32>,
    build_string: Option<String>,
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct HandleRecord {
    handle: u64,
    type_name: Option<String>,
    object_name: Option<String>,
    attributes: u32,
    granted_access: u32,
    handle_count: u32,
    pointer_count: u32,
}

/// See `_engine.pyi`.
#[pyclass(frozen, module = "stillframe._engine")]
pub struct DumpFile(pub Arc<Dump>);

impl DumpFile {
    fn new(data: Data) -> PyResult<DumpFile> {
        Ok(DumpFile(Arc::new(Dump::open(data).map_err(engine_error)?)))
    }

    fn problem(&self, stream: usize) -> Option<String> {
        let problems: Vec<String> =
            self.0.problems().into_iter().filter(|(index, _)| *index == stream).map(|(_, text)| text).collect();
        (!problems.is_empty()).then(|| problems.join("; "))
    }

    fn stream(&self, entry: &StreamEntry) -> Stream {
        Stream {
            index: entry.index,
            r#type: entry.kind,
            name: entry.name.to_string(),
            offset: entry.offset,
            size_bytes: entry.size_bytes,
            problem: self.problem(entry.index),
        }
    }
}

#[pymethods]
impl DumpFile {
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<DumpFile> {
        py.detach(|| DumpFile::new(Data::map(&path)?))
    }

    #[staticmethod]
    fn from_bytes(data: Vec<u8>) -> PyResult<DumpFile> {
        DumpFile::new(Data::from(data))
    }

    #[getter]
    fn size_bytes(&self) -> usize {
        self.0.data().len()
    }

    #[getter]
    fn format(&self) -> &'static str {
        match self.0.header().format {
            Format::Minidump => "minidump",
            Format::ElfCore => "elf_core",
        }
    }

    #[getter]
    fn timestamp(&self) -> Option<u32> {
        self.0.header().timestamp
    }

    #[getter]
    fn flags(&self) -> u64 {
        self.0.header().flags
    }

    #[getter]
    fn streams(&self) -> Vec<Stream> {
        self.0.streams().iter().map(|entry| self.stream(entry)).collect()
    }

    #[getter]
    fn system(&self) -> Option<SystemInfo> {
        let system = self.0.system()?;
        let [major, minor, build] = system.version;
        Some(SystemInfo {
            cpu: system.cpu_name(),
            cpu_info: system.cpu_info(),
            cpu_count: system.processor_count,
            os: system.os_name(),
            os_version: format!("{major}.{minor}.{build}"),
            csd_version: system.csd_version.clone(),
        })
    }

    #[getter]
    fn misc(&self) -> Option<MiscInfo> {
        let misc = self.0.misc()?.clone();
        Some(MiscInfo {
            process_id: misc.process_id,
            process_create_time: misc.process_create_time,
            process_user_time: misc.process_user_time,
            process_kernel_time: misc.process_kernel_time,
            build_string: misc.build_string,
        })
    }

    #[getter]
    fn modules(&self) -> Vec<ModuleRecord> {
        self.0.modules().iter().enumerate().map(|(index, module)| ModuleRecord::new(index, module)).collect()
    }

    #[getter]
    fn unloaded_modules(&self) -> Vec<UnloadedModuleRecord> {
        let record = |module: &modules::UnloadedModule| UnloadedModuleRecord {
            name: module.name.clone(),
            base: module.base,
            size_bytes: module.size_bytes,
            time_date_stamp: module.time_date_stamp,
            check_sum: module.check_sum,
        };
        self.0.unloaded_modules().iter().map(record).collect()
    }

    #[getter]
    fn threads(&self) -> Vec<ThreadRecord> {
        let threads = self.0.threads().iter().enumerate();
        threads.map(|(index, thread)| ThreadRecord::new(index, thread, &self.0)).collect()
    }

    #[getter]
    fn exception(&self) -> Option<ExceptionRecord> {
        let exception = self.0.exception()?;
        Some(ExceptionRecord {
            thread_id: exception.thread_id,
            code: exception.code,
            flags: exception.flags,
            address: exception.address,
            nested_record: exception.nested_record,
            parameters: exception.parameters.clone(),
        })
    }

    #[getter]
    fn memory_ranges(&self) -> Vec<MemoryRange> {
        let record = |range: &memory::MemoryRange| MemoryRange {
            address: range.address,
            size_bytes: range.size_bytes,
            offset: range.offset,
        };
        self.0.memory().ranges().iter().map(record).collect()
    }

    #[getter]
    fn memory_regions(&self) -> Vec<MemoryRegion> {
        self.0.regions().iter().map(MemoryRegion::from).collect()
    }

    #[getter]
    fn handles(&self) -> Vec<HandleRecord> {
        let handles = self.0.handles().iter().cloned();
        handles
            .map(|handle| HandleRecord {
                handle: handle.handle,
                type_name: handle.type_name,
                object_name: handle.object_name,
                attributes: handle.attributes,
                granted_access: handle.granted_access,
                handle_count: handle.handle_count,
                pointer_count: handle.pointer_count,
            })
            .collect()
    }

    #[getter]
    fn command_line(&self) -> Option<String> {
        self.0.command_line()
    }

    #[getter]
    fn comments(&self) -> Vec<String> {
        self.0.comments()
    }

    fn stream_bytes(&self, index: usize) -> PyResult<Vec<u8>> {
        let bytes = self.0.stream_bytes(index);
        bytes.map(<[u8]>::to_vec).ok_or_else(|| PyIndexError::new_err(format!("no stream {index}")))
    }

    fn context(&self, thread: usize) -> Option<Registers> {
        self.0.context(thread).map(Registers)
    }

    fn thread_context(&self, thread: usize) -> Option<Registers> {
        self.0.thread_context(thread).ok().flatten().map(Registers)
    }

    fn check(&self, py: Python<'_>) -> Vec<String> {
        py.detach(|| self.0.read_all());
        let name = |index: usize| match self.0.streams().get(index) {
            Some(entry) => format!("stream {index} ({})", entry.name),
            None => "the dump".to_owned(),
        };
        self.0.problems().into_iter().map(|(index, text)| format!("{}: {text}", name(index))).collect()
    }
}
