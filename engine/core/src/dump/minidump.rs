//! Minidumps: opened by header and directory, each stream read when someone asks for it, once.
//!
//! A broken stream costs that stream, or the records in it that are broken: [`Facts::problems`] says which and why.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::Facts;
use super::directory::{self, DumpError, Header, StreamEntry, kind};
use super::function_tables::{self, FunctionTable};
use super::handles::{self, Handle};
use super::memory::{self, MemoryIndex, MemoryRange, MemoryRegion};
use super::modules::{self, Module, UnloadedModule};
use super::records::{Problem, Records, narrow, utf16};
use super::system::{self, MiscInfo, SystemInfo};
use super::threads::{self, Exception, Location, Thread, ThreadInfo};
use super::{context, linux};
use crate::bytes::slice_at;
use crate::data::Data;
use crate::registers::RegisterSet;

/// Problems that are kept: a damaged directory may have a million.
const MOST_PROBLEMS: usize = 1000;

/// A minidump.
pub struct Minidump {
    data: Data,
    header: Header,
    streams: Vec<StreamEntry>,
    problems: Mutex<Vec<(usize, String)>>,
    system: OnceLock<Option<SystemInfo>>,
    misc: OnceLock<Option<MiscInfo>>,
    modules: OnceLock<Vec<Module>>,
    unloaded_modules: OnceLock<Vec<UnloadedModule>>,
    threads: OnceLock<Vec<Thread>>,
    thread_names: OnceLock<Vec<(u32, String)>>,
    thread_infos: OnceLock<Vec<ThreadInfo>>,
    exception: OnceLock<Option<Exception>>,
    memory: OnceLock<MemoryIndex>,
    regions: OnceLock<Vec<MemoryRegion>>,
    handles: OnceLock<Vec<Handle>>,
    function_tables: OnceLock<Vec<FunctionTable>>,
}

impl Minidump {
    /// Opens a minidump: reads the header and the directory, nothing else.
    pub fn open(data: Data) -> Result<Minidump, DumpError> {
        let (header, streams) = directory::read_directory(&data)?;
        Ok(Minidump {
            data,
            header,
            streams,
            problems: Mutex::default(),
            system: OnceLock::new(),
            misc: OnceLock::new(),
            modules: OnceLock::new(),
            unloaded_modules: OnceLock::new(),
            threads: OnceLock::new(),
            thread_names: OnceLock::new(),
            thread_infos: OnceLock::new(),
            exception: OnceLock::new(),
            memory: OnceLock::new(),
            regions: OnceLock::new(),
            handles: OnceLock::new(),
            function_tables: OnceLock::new(),
        })
    }

    /// Thread ids and names, in the order of the ids.
    fn thread_names(&self) -> &[(u32, String)] {
        self.thread_names.get_or_init(|| {
            let mut names = self.list(kind::THREAD_NAMES, |bytes| threads::thread_names(&self.data, bytes));
            names.sort_by_key(|(id, _)| *id);
            names
        })
    }

    /// Times and start addresses of threads, in the order of their ids.
    fn thread_infos(&self) -> &[ThreadInfo] {
        self.thread_infos.get_or_init(|| {
            let mut infos = self.list(kind::THREAD_INFO_LIST, threads::thread_infos);
            infos.sort_by_key(|info| info.id);
            infos
        })
    }

    fn report(&self, stream: Option<usize>, text: String) {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let problem = (stream.unwrap_or(usize::MAX), text);
        if problems.len() < MOST_PROBLEMS && !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// Of duplicates, the first with bytes: rewritten dumps keep empty leftovers.
    fn first_of(&self, kinds: &[u32]) -> Option<usize> {
        let found = |kind: &u32| self.streams.iter().position(|entry| entry.kind == *kind && entry.size_bytes > 0);
        kinds.iter().find_map(found)
    }

    /// Bytes of the first stream of `kind`; that it lies outside of the file is reported here.
    fn stream(&self, kind: u32) -> Option<(usize, &[u8])> {
        let index = self.first_of(&[kind])?;
        match self.streams[index].bytes(&self.data) {
            Ok(bytes) => Some((index, bytes)),
            Err(outside) => {
                self.report(Some(index), Problem::OutsideFile(outside).to_string());
                // What is there may still be of use: a list that was cut off keeps its first records.
                self.stream_bytes(index).filter(|bytes| !bytes.is_empty()).map(|bytes| (index, bytes))
            }
        }
    }

    fn list<T>(&self, kind: u32, read: impl FnOnce(&[u8]) -> Records<T>) -> Vec<T> {
        let Some((index, bytes)) = self.stream(kind) else { return Vec::new() };
        let records = read(bytes);
        if let Some(problem) = records.problem {
            self.report(Some(index), problem.to_string());
        }
        records.good
    }

    fn one<T>(&self, kind: u32, read: impl FnOnce(&[u8]) -> Result<T, Problem>) -> Option<T> {
        let (index, bytes) = self.stream(kind)?;
        read(bytes).map_err(|problem| self.report(Some(index), problem.to_string())).ok()
    }

    fn context_at(&self, location: Location) -> Result<Option<RegisterSet>, Problem> {
        let Some(cpu) = self.cpu() else { return Ok(None) };
        if location.size_bytes == 0 {
            return Ok(None);
        }
        let bytes = slice_at(&self.data, location.offset.into(), location.size_bytes.into());
        context::registers(bytes.map_err(Problem::OutsideFile)?, cpu).map(Some)
    }
}

impl Facts for Minidump {
    fn data(&self) -> &Data {
        &self.data
    }

    fn header(&self) -> Header {
        self.header
    }

    fn streams(&self) -> &[StreamEntry] {
        &self.streams
    }

    fn stream_bytes(&self, index: usize) -> Option<&[u8]> {
        let entry = self.streams.get(index)?;
        let rest = self.data.get(entry.offset as usize..).unwrap_or_default();
        Some(&rest[..rest.len().min(entry.size_bytes as usize)])
    }

    fn problems(&self) -> Vec<(usize, String)> {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone();
        problems.sort();
        problems
    }

    fn read_all(&self) {
        let _ = (self.system(), self.misc(), self.modules(), self.unloaded_modules(), self.threads());
        let _ = (self.thread_names(), self.thread_infos(), self.exception(), self.memory(), self.regions());
        let _ = (self.handles(), self.function_tables(), self.comments());
        for (index, thread) in self.threads().iter().enumerate() {
            if let Err(problem) = self.thread_context(index) {
                let stream = self.first_of(&[kind::THREAD_LIST, kind::THREAD_EX_LIST]);
                self.report(stream, format!("the context of thread {:#x}: {problem}", thread.id));
            }
        }
        if let Some(Err(problem)) = self.exception_context() {
            self.report(self.first_of(&[kind::EXCEPTION]), format!("the context of the exception: {problem}"));
        }
        for entry in &self.streams {
            if let Err(outside) = entry.bytes(&self.data) {
                self.report(Some(entry.index), Problem::OutsideFile(outside).to_string());
            }
        }
    }

    fn system(&self) -> Option<&SystemInfo> {
        let read = || self.one(kind::SYSTEM_INFO, |bytes| system::system_info(&self.data, bytes));
        self.system.get_or_init(read).as_ref()
    }

    fn misc(&self) -> Option<&MiscInfo> {
        self.misc.get_or_init(|| self.one(kind::MISC_INFO, system::misc_info)).as_ref()
    }

    fn modules(&self) -> &[Module] {
        self.modules.get_or_init(|| self.list(kind::MODULE_LIST, |bytes| modules::module_list(&self.data, bytes)))
    }

    fn unloaded_modules(&self) -> &[UnloadedModule] {
        let read = || self.list(kind::UNLOADED_MODULE_LIST, |bytes| modules::unloaded_module_list(&self.data, bytes));
        self.unloaded_modules.get_or_init(read)
    }

    fn threads(&self) -> &[Thread] {
        self.threads.get_or_init(|| {
            let threads = self.list(kind::THREAD_LIST, |bytes| threads::thread_list(bytes, 48));
            if threads.is_empty() {
                return self.list(kind::THREAD_EX_LIST, |bytes| threads::thread_list(bytes, 64));
            }
            threads
        })
    }

    fn thread_name(&self, id: u32) -> Option<&str> {
        let names = self.thread_names();
        names
            .get(names.partition_point(|(other, _)| *other < id))
            .filter(|(other, _)| *other == id)
            .map(|it| it.1.as_str())
    }

    fn thread_info(&self, id: u32) -> Option<&ThreadInfo> {
        let infos = self.thread_infos();
        infos.get(infos.partition_point(|other| other.id < id)).filter(|info| info.id == id)
    }

    fn exception(&self) -> Option<&Exception> {
        self.exception.get_or_init(|| self.one(kind::EXCEPTION, threads::exception)).as_ref()
    }

    fn memory(&self) -> &MemoryIndex {
        self.memory.get_or_init(|| {
            let file_bytes = self.data.len() as u64;
            let mut found: Vec<MemoryRange> = memory::stacks(self.threads(), file_bytes).collect();
            found.extend(self.list(kind::MEMORY_LIST, |bytes| memory::memory_list(bytes, file_bytes)));
            found.extend(self.list(kind::MEMORY64_LIST, |bytes| memory::memory64_list(bytes, file_bytes)));
            found.retain(|range| range.size_bytes > 0);
            MemoryIndex::new(found)
        })
    }

    fn regions(&self) -> &[MemoryRegion] {
        self.regions.get_or_init(|| {
            let regions = self.list(kind::MEMORY_INFO_LIST, memory::memory_info_list);
            if regions.is_empty() {
                return self.stream(kind::LINUX_MAPS).map_or_else(Vec::new, |(_, maps)| linux::regions(maps));
            }
            regions
        })
    }

    fn handles(&self) -> &[Handle] {
        self.handles.get_or_init(|| self.list(kind::HANDLE_DATA, |bytes| handles::handle_data(&self.data, bytes)))
    }

    fn function_tables(&self) -> &[FunctionTable] {
        self.function_tables.get_or_init(|| self.list(kind::FUNCTION_TABLE, function_tables::function_tables))
    }

    fn command_line(&self) -> Option<String> {
        let (_, arguments) = self.stream(kind::LINUX_CMD_LINE)?;
        Some(linux::arguments(arguments)).filter(|line| !line.is_empty())
    }

    fn comments(&self) -> Vec<String> {
        let narrow = self.stream(kind::COMMENT_A).map(|(_, bytes)| narrow(bytes));
        let wide = self.stream(kind::COMMENT_W).map(|(_, bytes)| utf16(bytes));
        narrow.into_iter().chain(wide).collect()
    }

    fn thread_context(&self, thread: usize) -> Result<Option<RegisterSet>, Problem> {
        match self.threads().get(thread) {
            Some(thread) => self.context_at(thread.context),
            None => Ok(None),
        }
    }

    fn exception_context(&self) -> Option<Result<Option<RegisterSet>, Problem>> {
        self.exception().map(|exception| self.context_at(exception.context))
    }
}
