//! ELF cores: what Linux writes when a process dies, and what `gcore` writes while it lives.
//!
//! A core is an ELF file whose loadable segments are memory and whose notes are everything else. It lists files that
//! are mapped (NT_FILE), not modules: those of them that are ELF images become modules, with the build-id that their
//! captured first page leads to.
//!
//! Source: Linux, `fs/binfmt_elf.c`, `include/uapi/linux/elf.h`, `include/linux/elfcore.h`; core(5).

mod mappings;
mod registers;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::OnceLock;

use super::directory::{DumpError, Format, Header, StreamEntry};
use super::memory::{MemoryIndex, MemoryRange, MemoryRegion};
use super::modules::Module;
use super::records::{Problem, narrow};
use super::system::{MiscInfo, SystemInfo, architecture};
use super::threads::{Exception, Location, Thread};
use super::{Facts, linux};
use crate::bytes::Reader;
use crate::data::Data;
use crate::elf::{Elf, FileKind, Note, Segment, machine, segment_kind};
use crate::registers::RegisterSet;

/// Types of notes, of the owner `CORE`; `Nt` of elf.h.
mod note {
    pub const PRSTATUS: u32 = 1;
    pub const FPREGSET: u32 = 2;
    pub const PRPSINFO: u32 = 3;
    pub const AUXV: u32 = 6;
    pub const FILE: u32 = 0x4649_4c45;
    pub const SIGINFO: u32 = 0x5349_4749;
}

/// Notes that are looked at: one process has a few for each thread.
const MOST_NOTES: usize = 1 << 20;
/// Permissions of a segment: PF_X, PF_W, PF_R.
const EXECUTABLE: u32 = 1;
const WRITABLE: u32 = 2;
const READABLE: u32 = 4;
/// Problems that are kept.
const MOST_PROBLEMS: usize = 1000;

/// A thread: its PRSTATUS note, and the floating-point registers that follow it.
struct ThreadNotes {
    status: Data,
    floating_point: Option<Data>,
}

/// A core.
pub struct ElfCore {
    elf: Elf,
    notes: Vec<Note>,
    streams: Vec<StreamEntry>,
    system: Option<SystemInfo>,
    threads: Vec<Thread>,
    thread_notes: Vec<ThreadNotes>,
    misc: MiscInfo,
    exception: Option<Exception>,
    memory: OnceLock<MemoryIndex>,
    regions: OnceLock<Vec<MemoryRegion>>,
    modules: OnceLock<Vec<Module>>,
}

impl ElfCore {
    /// Opens a core: reads its program headers and walks its notes.
    pub fn open(data: Data) -> Result<ElfCore, DumpError> {
        let elf = Elf::open(data).map_err(|error| DumpError::Core(error.to_string()))?;
        if elf.kind() != FileKind::Core {
            return Err(DumpError::Core("not a dump: an ELF file that is no core".to_owned()));
        }
        // gcore's cores have section headers too, which lead to the same notes again.
        let mut seen = HashSet::new();
        let notes = elf.notes().take(MOST_NOTES).filter(|note| seen.insert(note.descriptor.start()));
        let notes: Vec<Note> = notes.collect();
        let streams = notes.iter().enumerate().map(|(index, note)| entry(index, note)).collect();
        let mut core = ElfCore {
            system: architecture(&elf).map(system_info),
            elf,
            notes,
            streams,
            threads: Vec::new(),
            thread_notes: Vec::new(),
            misc: MiscInfo::default(),
            exception: None,
            memory: OnceLock::new(),
            regions: OnceLock::new(),
            modules: OnceLock::new(),
        };
        core.read_threads();
        core.misc.process_id = core.process_id();
        core.exception = core.read_exception();
        Ok(core)
    }

    fn is_64(&self) -> bool {
        self.elf.is_64()
    }

    fn core_note(&self, kind: u32) -> Option<&Note> {
        self.notes.iter().find(|note| note.kind == kind && note.owner[..] == b"CORE"[..])
    }

    fn loaded(&self) -> impl Iterator<Item = &Segment> {
        self.elf.segments().iter().filter(|segment| segment.kind == segment_kind::LOAD)
    }

    fn read_threads(&mut self) {
        for note in self.notes.iter().filter(|note| note.owner[..] == b"CORE"[..]) {
            match note.kind {
                note::PRSTATUS => {
                    let id = registers::thread_id(&note.descriptor, self.is_64());
                    self.threads.push(Thread {
                        id: id.unwrap_or(0),
                        suspend_count: 0,
                        priority_class: 0,
                        priority: 0,
                        teb: 0,
                        stack_start: 0,
                        stack: Location { size_bytes: 0, offset: 0 },
                        context: Location { size_bytes: 0, offset: 0 },
                    });
                    self.thread_notes.push(ThreadNotes { status: note.descriptor.clone(), floating_point: None });
                }
                note::FPREGSET => {
                    if let Some(thread) = self.thread_notes.last_mut() {
                        thread.floating_point = Some(note.descriptor.clone());
                    }
                }
                _ => {}
            }
        }
        self.find_stacks();
    }

    /// A thread's stack is what its stack pointer's segment holds from there on.
    fn find_stacks(&mut self) {
        let mut segments: Vec<(u64, u64)> =
            self.loaded().map(|segment| (segment.vaddr, segment.file_size_bytes)).collect();
        segments.sort_unstable();
        for index in 0..self.threads.len() {
            let registers = self.thread_context(index).ok().flatten();
            let Some(sp) = registers.and_then(|registers| registers.stack_pointer()) else { continue };
            let after = segments.partition_point(|(start, _)| *start <= sp);
            let Some(&(start, size)) = segments[..after].last() else { continue };
            if sp - start < size {
                self.threads[index].stack_start = sp;
                self.threads[index].stack.size_bytes = u32::try_from(size - (sp - start)).unwrap_or(u32::MAX);
            }
        }
    }

    /// `pr_pid` of PRPSINFO; else the first thread's number, which is the process's own in a single-threaded one.
    fn process_id(&self) -> Option<u32> {
        let offset = if self.is_64() { 24 } else { 12 };
        let of_process =
            self.core_note(note::PRPSINFO).and_then(|note| Reader::at(&note.descriptor, offset).ok()?.u32().ok());
        of_process.or(self.threads.first().map(|thread| thread.id))
    }

    /// The signal: of NT_SIGINFO, else `pr_cursig` of the thread that dumped, which is written first.
    fn read_exception(&self) -> Option<Exception> {
        let thread_id = self.threads.first()?.id;
        let (code, flags, address) = match self.core_note(note::SIGINFO) {
            Some(note) => signal(&note.descriptor, self.is_64())?,
            None => {
                let signal = registers::current_signal(&self.thread_notes.first()?.status)?;
                (signal.into(), 0, 0)
            }
        };
        let context = Location { size_bytes: 0, offset: 0 };
        // With SIGSTOP `gcore` halts a process that lives on.
        const STOP: u32 = 19;
        (code != 0 && code != STOP).then(|| Exception {
            thread_id,
            code,
            flags,
            nested_record: 0,
            address,
            parameters: Vec::new(),
            context,
        })
    }

    /// The value of an entry of the auxiliary vector.
    fn auxiliary(&self, wanted: u64) -> Option<u64> {
        let bytes = &self.core_note(note::AUXV)?.descriptor;
        let width = if self.is_64() { 8 } else { 4 };
        let word = |at: &[u8]| at.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte));
        let mut pairs = bytes.chunks_exact(2 * width).map(|pair| (word(&pair[..width]), word(&pair[width..])));
        pairs.find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
    }
}

/// NT_SIGINFO: `si_signo`, `si_code`, and `si_addr` of the signals that have one.
fn signal(info: &[u8], is_64: bool) -> Option<(u32, u32, u64)> {
    let mut input = Reader::new(info);
    let (number, _, code) = (input.u32().ok()?, input.u32().ok()?, input.u32().ok()?);
    let address =
        if is_64 { Reader::at(info, 16).and_then(|mut input| input.u64()) } else { input.u32().map(u64::from) };
    // SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV of the kernel's own; otherwise the union holds the sender.
    let has_address = matches!(number, 4 | 5 | 7 | 8 | 11) && (code as i32) > 0;
    Some((number, code, if has_address { address.unwrap_or(0) } else { 0 }))
}

/// The processor by the number that a minidump would have for it, if there is one.
fn architecture(elf: &Elf) -> Option<u16> {
    Some(match (elf.machine(), elf.is_64()) {
        (machine::I386, false) => architecture::X86,
        (machine::X86_64, true) => architecture::X64,
        (machine::ARM, false) => architecture::ARM,
        (machine::AARCH64, true) => architecture::ARM64,
        (machine::MIPS, false) => architecture::MIPS,
        (machine::MIPS, true) => architecture::MIPS64,
        (machine::PPC, false) => architecture::PPC,
        (machine::PPC64, true) => architecture::PPC64,
        (machine::SPARC | machine::SPARC32PLUS, false) | (machine::SPARCV9, true) => architecture::SPARC,
        (machine::RISCV, false) => architecture::RISCV,
        (machine::RISCV, true) => architecture::RISCV64,
        (machine::IA_64, true) => architecture::IA64,
        _ => return None,
    })
}

fn system_info(architecture: u16) -> SystemInfo {
    const LINUX: u32 = 0x8201;
    SystemInfo {
        architecture,
        level: 0,
        revision: 0,
        processor_count: 0,
        platform: LINUX,
        version: [0; 3],
        csd_version: String::new(),
        vendor: None,
    }
}

/// The note as an entry of a directory.
fn entry(index: usize, note: &Note) -> StreamEntry {
    let owner = narrow(&note.owner);
    let standard = match (owner.as_str(), note.kind) {
        ("CORE", note::PRSTATUS) => "NT_PRSTATUS",
        ("CORE", note::FPREGSET) => "NT_PRFPREG",
        ("CORE", note::PRPSINFO) => "NT_PRPSINFO",
        ("CORE", note::AUXV) => "NT_AUXV",
        ("CORE", note::FILE) => "NT_FILE",
        ("CORE", note::SIGINFO) => "NT_SIGINFO",
        ("LINUX", 0x202) => "NT_X86_XSTATE",
        ("LINUX", 0x200) => "NT_386_TLS",
        ("LINUX", 0x400) => "NT_ARM_VFP",
        ("LINUX", 0x401) => "NT_ARM_TLS",
        ("LINUX", 0x406) => "NT_ARM_PAC_MASK",
        _ => "",
    };
    let name = match standard {
        "" => Cow::Owned(format!("{owner}({:#x})", note.kind)),
        standard => Cow::Borrowed(standard),
    };
    let (offset, size_bytes) = (note.descriptor.start(), note.descriptor.len() as u64);
    StreamEntry { index, kind: note.kind, name, offset, size_bytes }
}

impl Facts for ElfCore {
    fn data(&self) -> &Data {
        self.elf.data()
    }

    fn header(&self) -> Header {
        Header { timestamp: None, flags: 0, format: Format::ElfCore }
    }

    fn streams(&self) -> &[StreamEntry] {
        &self.streams
    }

    fn stream_bytes(&self, index: usize) -> Option<&[u8]> {
        self.notes.get(index).map(|note| &note.descriptor[..])
    }

    fn problems(&self) -> Vec<(usize, String)> {
        let file_bytes = self.data().len() as u64;
        let cut_off = |segment: &&Segment| segment.offset.saturating_add(segment.file_size_bytes) > file_bytes;
        let lost = self.loaded().filter(cut_off).count();
        let mut problems = Vec::new();
        if lost > 0 {
            let all = self.loaded().count();
            problems
                .push((usize::MAX, format!("the file is cut off: it lacks bytes of {lost} of {all} ranges of memory")));
        }
        for index in 0..self.threads.len().min(MOST_PROBLEMS) {
            if let Err(problem) = self.thread_context(index) {
                problems.push((usize::MAX, format!("registers of thread {}: {problem}", self.threads[index].id)));
            }
        }
        problems
    }

    fn read_all(&self) {
        let _ = (self.memory(), self.regions(), self.modules());
    }

    fn system(&self) -> Option<&SystemInfo> {
        self.system.as_ref()
    }

    fn misc(&self) -> Option<&MiscInfo> {
        Some(&self.misc)
    }

    fn modules(&self) -> &[Module] {
        self.modules.get_or_init(|| mappings::modules(self))
    }

    fn threads(&self) -> &[Thread] {
        &self.threads
    }

    fn exception(&self) -> Option<&Exception> {
        self.exception.as_ref()
    }

    fn memory(&self) -> &MemoryIndex {
        self.memory.get_or_init(|| {
            let file_bytes = self.data().len() as u64;
            let ranges = self.loaded().filter_map(|segment| {
                let held = file_bytes.saturating_sub(segment.offset).min(segment.file_size_bytes);
                let size_bytes = held.min(u64::MAX - segment.vaddr);
                (size_bytes > 0).then_some(MemoryRange { address: segment.vaddr, size_bytes, offset: segment.offset })
            });
            MemoryIndex::new(ranges.collect())
        })
    }

    fn regions(&self) -> &[MemoryRegion] {
        self.regions.get_or_init(|| {
            let mut regions: Vec<MemoryRegion> = self
                .loaded()
                .filter(|segment| segment.memory_size_bytes > 0)
                .map(|segment| {
                    let may = |permission: u32| segment.flags & permission != 0;
                    let protect = linux::protection(may(READABLE), may(WRITABLE), may(EXECUTABLE));
                    linux::private(segment.vaddr, segment.memory_size_bytes, protect)
                })
                .collect();
            regions.sort_by_key(|region| region.base);
            regions
        })
    }

    fn command_line(&self) -> Option<String> {
        let (offset, size) = if self.is_64() { (56, 80) } else { (44, 80) };
        let arguments = self.core_note(note::PRPSINFO)?.descriptor.part(offset, size)?;
        Some(narrow(&arguments).trim_end().to_owned()).filter(|text| !text.is_empty())
    }

    fn thread_context(&self, thread: usize) -> Result<Option<RegisterSet>, Problem> {
        let (Some(notes), Some(cpu)) = (self.thread_notes.get(thread), self.cpu()) else { return Ok(None) };
        registers::registers(&notes.status, notes.floating_point.as_deref(), cpu).map(Some)
    }
}
