//! A dumped process: its address space with images and debug files attached. What unwinding and disassembly ask.

use std::sync::Arc;

use crate::address::{ReadMemory, Rva};
use crate::debuginfo::{DebugInfo, Place, Symbol, SymbolKind};
use crate::disasm::strings::looks_like_text;
use crate::disasm::{Encoding, Label, Literal, Names};
use crate::image::PeImage;
use crate::memory::AddressSpace;
use crate::names::display_name;
use crate::registers::Register;
use crate::unwind::{self, Known, ModuleRange, UnwindTables};

/// Bytes read of a string literal.
const LITERAL_BYTES: usize = 1024;

/// A file that a module may have: not asked for yet, sought in vain, or here.
enum Slot<T> {
    NotAsked,
    Missing,
    Here(T),
}

impl<T> Slot<T> {
    fn known<'a, U: ?Sized>(&'a self, view: impl FnOnce(&'a T) -> &'a U) -> Known<&'a U> {
        match self {
            Slot::NotAsked => Known::NotAsked,
            Slot::Missing => Known::No,
            Slot::Here(file) => Known::Yes(view(file)),
        }
    }

    fn here(&self) -> Option<&T> {
        match self {
            Slot::Here(file) => Some(file),
            _ => None,
        }
    }
}

/// The address space of a dump, with the debug files of its modules.
pub struct Process {
    space: AddressSpace,
    debug: Vec<Slot<Arc<dyn DebugInfo>>>,
}
