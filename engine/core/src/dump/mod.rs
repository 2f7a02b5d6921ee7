//! Dumps: what was saved of a process. Opened by header and directory; each part is read when someone asks for it, once.
//!
//! Minidumps and ELF cores give the same facts ([`Facts`]); what stands above never asks which one it is. A broken part
//! costs that part, or the records in it that are broken: [`Facts::problems`] says which and why.

pub mod context;
pub mod directory;
pub mod elf_core;
pub mod function_tables;
pub mod handles;
pub mod linux;
pub mod memory;
pub mod minidump;
pub mod modules;
pub mod records;
pub mod system;
pub mod threads;

#[cfg(test)]
pub(crate) mod tests;

use std::ops::Deref;

pub use directory::{DumpError, Format, Header, StreamEntry};
use elf_core::ElfCore;
use function_tables::FunctionTable;
use handles::Handle;
use memory::{MemoryIndex, MemoryRegion};
use minidump::Minidump;
use modules::{Module, UnloadedModule};
use records::Problem;
use system::{MiscInfo, SystemInfo};
use threads::{Exception, Thread, ThreadInfo};

use crate::data::Data;
use crate::registers::{Cpu, RegisterSet};

/// What every format of dumps answers. What a format does not have is empty.
pub trait Facts: Send + Sync {
    /// The whole file.
    fn data(&self) -> &Data;

    /// Time stamp and flags.
    fn header(&self) -> Header;

    /// The parts of the file: streams of a minidump, notes of a core; known ones and others.
    fn streams(&self) -> &[StreamEntry];

    /// The bytes of a stream as far as the file holds them; None if there is no such entry.
    fn stream_bytes(&self, index: usize) -> Option<&[u8]>;

    /// What is known to be broken: index of the stream, and why. Only streams that were asked for are known.
    fn problems(&self) -> Vec<(usize, String)>;

    /// Asks for every stream, so that [`Facts::problems`] is complete.
    fn read_all(&self);

    /// The machine.
    fn system(&self) -> Option<&SystemInfo>;

    /// The processor, if the engine knows it.
    fn cpu(&self) -> Option<Cpu> {
        self.system().and_then(SystemInfo::cpu)
    }

    /// The process.
    fn misc(&self) -> Option<&MiscInfo>;

    /// Loaded modules, in the order of the dump.
    fn modules(&self) -> &[Module];

    /// Modules that were unloaded before.
    fn unloaded_modules(&self) -> &[UnloadedModule] {
        &[]
    }

    /// Threads, in the order of the dump.
    fn threads(&self) -> &[Thread];

    /// The name of the thread with this id.
    fn thread_name(&self, _id: u32) -> Option<&str> {
        None
    }

    /// Times and start address of the thread with this id.
    fn thread_info(&self, _id: u32) -> Option<&ThreadInfo> {
        None
    }

    /// The exception or signal at which the dump was taken.
    fn exception(&self) -> Option<&Exception>;

    /// Captured memory.
    fn memory(&self) -> &MemoryIndex;

    /// The address space as the system saw it.
    fn regions(&self) -> &[MemoryRegion];

    /// Open handles.
    fn handles(&self) -> &[Handle] {
        &[]
    }

    /// Unwind information that the process registered at run time, in the order of the dump.
    fn function_tables(&self) -> &[FunctionTable] {
        &[]
    }

    /// The command that the process was started with, as far as the dump holds it.
    fn command_line(&self) -> Option<String> {
        None
    }

    /// Comments, the narrow one first.
    fn comments(&self) -> Vec<String> {
        Vec::new()
    }

    /// Registers that the list of threads has for the thread with this index.
    fn thread_context(&self, thread: usize) -> Result<Option<RegisterSet>, Problem>;

    /// Registers at the exception; None if there is no exception, or if it is the thread's own that count.
    fn exception_context(&self) -> Option<Result<Option<RegisterSet>, Problem>> {
        None
    }

    /// Registers of the thread with this index; of the thread that raised the exception, those at the exception. (Where
    /// the process dumped itself, the thread's own record shows it inside the writer.)
    fn context(&self, thread: usize) -> Option<RegisterSet> {
        let id = self.threads().get(thread)?.id;
        let raised = self.exception().is_some_and(|exception| exception.thread_id == id);
        let at_exception = if raised { self.exception_context() } else { None };
        match at_exception {
            Some(Ok(Some(registers))) => Some(registers),
            _ => self.thread_context(thread).ok().flatten(),
        }
    }
}

/// A dump of any format that is known.
pub struct Dump(Box<dyn Facts>);

impl Dump {
    /// Opens a dump: reads its header and directory, nothing else.
    pub fn open(data: Data) -> Result<Dump, DumpError> {
        if data.starts_with(b"\x7fELF") {
            return Ok(Dump(Box::new(ElfCore::open(data)?)));
        }
        Ok(Dump(Box::new(Minidump::open(data)?)))
    }
}

impl Deref for Dump {
    type Target = dyn Facts;

    fn deref(&self) -> &(dyn Facts + 'static) {
        self.0.as_ref()
    }
}
