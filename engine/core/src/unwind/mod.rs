//! Walking a thread's stack: from a full register set to its caller's, until there is a reason to stop.
//!
//! Each step tries, in this order, and takes the first that answers:
//!
//! | file | what it goes by | trust |
//! | --- | --- | --- |
//! | `walk` | a call to no code at all: its return address is on top | CFI |
//! | `sigreturn` | the instructions of a Linux signal's trampoline: the interrupted registers are on the stack | CFI |
//! | `information`: `x64`, `arm64`, `x86`, `cfi` | unwind codes; frame data and FPO; rows of call frame information | CFI |
//! | `straight_line` | x86, x64: instructions that run straight into a return (system call stubs) | CFI |
//! | `link_register` | ARM64, ARM: a function that has not changed the link register yet | CFI |
//! | `frame_pointer`, `arm_frame_pointer` | the chain of EBP, RBP or X29; of R11 or R7 | frame pointer |
//! | `scan`, `consistency` | words on the stack after a call, whose frames above agree | scan |
//!
//! A frame that is missed is better than one that is made up: what cannot be checked is not taken, except where the
//! convention is strong (EBP and X29 chains).

mod arm64;
mod arm64_codes;
mod arm64_instructions;
mod arm64_packed;
mod arm_frame_pointer;
mod arm_instructions;
mod cfi;
mod code_bytes;
mod consistency;
mod dwarf_expression;
mod fpo;
mod frame_pointer;
mod frame_program;
mod information;
mod link_register;
mod prologue;
mod scan;
mod sigreturn;
mod step;
mod straight_line;
mod walk;
mod x64;
mod x64_codes;
mod x86;

pub use information::canonical_frame_address;
pub use walk::{Walk, WalkEnd, Walker, walk};

use crate::address::{ReadMemory, Rva};
use crate::cfi::CfiRow;
use crate::debuginfo::DebugInfo;
use crate::registers::RegisterSet;

/// How far a frame can be trusted, from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// A word on the stack that looks like a return address.
    Scan,
    /// The chain of frame pointers.
    FramePointer,
    /// None: debug information says that a function between two frames has jumped to the inner one.
    TailCall,
    /// Unwind information: PE unwind codes, frame-data programs, FPO, DWARF CFI.
    Cfi,
    /// The registers that the dump holds.
    Context,
}

/// One physical frame.
#[derive(Debug, Clone)]
pub struct Frame {
    /// All registers, each valid or not. The instruction pointer is always valid.
    pub registers: RegisterSet,
    /// How the registers were found.
    pub trust: Trust,
    /// The address to look up: the instruction pointer itself in a context or interrupted frame; one less in a
    /// caller, so that a call at the very end of a function or a line is not taken for what comes after it.
    pub lookup_address: u64,
    /// Index of the module that holds the instruction pointer.
    pub module: Option<usize>,
    /// The canonical frame address: what the stack pointer was in the caller, before the call. Known once the caller is
    /// found by anything better than a scan.
    pub cfa: Option<u64>,
    /// Of an x86 frame with frame data, `$T0`, from which CodeView's `VFRAME` counts; known once the caller is found.
    pub virtual_frame: Option<u64>,
}

/// Why a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The outermost frame: the return address is zero or the frame belongs to no code that could have been called.
    EndOfStack,
    /// The stack memory that the next step needs is not in the dump; the address is the first byte that is missing.
    NoMemory(u64),
    /// Nothing more was found: no unwind information applied and no scan succeeded.
    NoCaller,
    /// The next frame would not lie above this one.
    Loop,
    /// The limit of frames was reached.
    Limit,
}

/// A file that the walk would like to have. It can be asked again once that is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The image of the module with this index.
    Image(usize),
    /// The debug information of the module with this index.
    DebugInfo(usize),
}

/// Something of a module that may have to be found first.
pub enum Known<T> {
    /// It is here.
    Yes(T),
    /// It was sought and does not exist.
    No,
    /// Nobody has looked for it yet.
    NotAsked,
}

/// A module as the walker sees it: `[base, base + size_bytes)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModuleRange {
    /// Index in the dump's list.
    pub index: usize,
    /// First address.
    pub base: u64,
    /// Bytes.
    pub size_bytes: u64,
}

/// The tables that an image holds for unwinding.
pub trait UnwindTables {
    /// The content of the exception directory (`.pdata`), empty if there is none.
    fn exception_directory(&self) -> &[u8];

    /// The image's bytes from `rva` to the end of that section (as initialised by the file), empty if outside.
    fn bytes_from(&self, rva: Rva) -> &[u8];

    /// The call frame information that covers `rva`, of images that have it.
    fn cfi_at(&self, _rva: Rva) -> Option<CfiRow> {
        None
    }

    /// Whether `rva` lies in a section that is executable.
    fn is_executable(&self, rva: Rva) -> bool;
}

/// Unwind tables and the code `[base, base + size_bytes)` that they are of: their RVAs are relative to `base`.
#[derive(Clone, Copy)]
pub struct PlacedTables<'a> {
    /// First address.
    pub base: u64,
    /// Bytes.
    pub size_bytes: u64,
    /// The tables.
    pub tables: &'a dyn UnwindTables,
}

/// The convention by which functions call each other, as far as it depends on the system (on x64; the others have one
/// for all systems).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abi {
    /// Microsoft's: RSI, RDI and XMM6 to XMM15 are preserved too.
    Windows,
    /// System V's: Linux, macOS.
    SystemV,
}

/// What the walker needs to know about the dumped process.
pub trait Process: ReadMemory {
    /// The module that covers `address`.
    fn module_at(&self, address: u64) -> Option<ModuleRange>;

    /// The unwind tables of a module's image.
    fn unwind_tables(&self, module: usize) -> Known<&dyn UnwindTables>;

    /// The debug information of a module.
    fn debug_info(&self, module: usize) -> Known<&dyn DebugInfo>;

    /// The unwind tables that the process registered for code outside of modules, at `address`.
    fn registered_tables(&self, _address: u64) -> Option<PlacedTables<'_>> {
        None
    }

    /// Whether `address` is known to be executable or known not to be; `None` if the dump does not say.
    fn is_executable(&self, address: u64) -> Option<bool>;

    /// The calling convention.
    fn abi(&self) -> Abi {
        Abi::Windows
    }

    /// The bits of a pointer to code that are its address: the others may hold a pointer-authentication code (ARM64).
    fn code_address_mask(&self) -> u64 {
        u64::MAX
    }
}

#[cfg(test)]
mod tests;
