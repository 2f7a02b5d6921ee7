//! A dumped process: its address space with the debug files of its modules. What unwinding and disassembly ask.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::address::{ReadMemory, Rva};
use crate::debuginfo::{DebugInfo, Place};
use crate::disasm::strings::looks_like_text;
use crate::disasm::{Encoding, Label, Literal, Names};
use crate::dump::system::SystemInfo;
use crate::memory::{AddressSpace, File};
use crate::names::display_name;
use crate::registered_tables::RegisteredTables;
use crate::registers::{Cpu, Register};
use crate::unwind::{self, Abi, Known, ModuleRange, PlacedTables, UnwindTables};

/// Bytes read of a string literal.
const LITERAL_BYTES: usize = 1024;

/// See the module's documentation.
pub struct Process {
    /// Captured memory above proved images.
    pub space: AddressSpace,
    debug: Vec<File<Arc<dyn DebugInfo>>>,
    registered: RegisteredTables,
    /// Answers of [`crate::tail_calls::may_run_again`]; functions by module and identity.
    pub(crate) repeated: Mutex<HashMap<(usize, String), bool>>,
}

impl Process {
    /// A process without files yet.
    pub fn new(space: AddressSpace) -> Process {
        let debug = space.dump().modules().iter().map(|_| File::NotAsked).collect();
        let registered = RegisteredTables::new(space.dump().clone());
        Process { space, debug, registered, repeated: Mutex::default() }
    }

    /// Lets `debug` answer for `module`, or declares that there is none.
    pub fn set_debug_info(&mut self, module: usize, debug: Option<Arc<dyn DebugInfo>>) {
        if let Some(slot) = self.debug.get_mut(module) {
            *slot = debug.map_or(File::Missing, File::Here);
            self.repeated.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// The debug information that answers for `address`, the address as it counts, and the module's index.
    fn debug_at(&self, address: u64) -> Option<(&dyn DebugInfo, Rva, usize)> {
        let (index, base, _) = self.space.module_at(address)?;
        let debug = self.debug.get(index)?.here()?;
        Some((debug.as_ref(), Rva::of(address, base)?, index))
    }

    /// The export at or below `address`: what is left where there is no debug information.
    fn export(&self, address: u64) -> Option<Label> {
        let (index, base, _) = self.space.module_at(address)?;
        let File::Here(image) = self.space.tables(index) else { return None };
        let (name, at) = image.export_at(Rva::of(address, base)?)?;
        let offset = address - at.at(base);
        Some(Label { name: display_name(&name).into_owned(), offset })
    }

    /// Whether a literal may be at `address`: the bytes can be neither written nor executed.
    fn is_constant(&self, address: u64) -> bool {
        let Some((index, base, _)) = self.space.module_at(address) else { return false };
        let section = match self.space.tables(index) {
            File::Here(image) => Rva::of(address, base).and_then(|rva| image.section_at(rva)),
            _ => None,
        };
        section.is_some_and(|section| !section.writable && !section.executable)
    }
}

impl ReadMemory for Process {
    fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        self.space.read(address, buffer)
    }
}

impl unwind::Process for Process {
    fn module_at(&self, address: u64) -> Option<ModuleRange> {
        let (index, base, size_bytes) = self.space.module_at(address)?;
        Some(ModuleRange { index, base, size_bytes })
    }

    fn unwind_tables(&self, module: usize) -> Known<&dyn UnwindTables> {
        match self.space.tables(module) {
            File::NotAsked => Known::NotAsked,
            File::Missing => Known::No,
            File::Here(image) => Known::Yes(image),
        }
    }

    fn debug_info(&self, module: usize) -> Known<&dyn DebugInfo> {
        match self.debug.get(module) {
            Some(File::NotAsked) => Known::NotAsked,
            Some(File::Missing) | None => Known::No,
            Some(File::Here(debug)) => Known::Yes(debug.as_ref()),
        }
    }

    fn registered_tables(&self, address: u64) -> Option<PlacedTables<'_>> {
        self.registered.at(address)
    }

    fn is_executable(&self, address: u64) -> Option<bool> {
        self.space.is_executable(address)
    }

    fn abi(&self) -> Abi {
        if self.space.dump().system().is_some_and(SystemInfo::is_windows) { Abi::Windows } else { Abi::SystemV }
    }

    /// Of 64 bits, user space of ARM64 has 47 on macOS and 48 elsewhere.
    fn code_address_mask(&self) -> u64 {
        let dump = self.space.dump();
        match dump.cpu() {
            Some(Cpu::Arm64) if dump.system().is_some_and(SystemInfo::is_apple) => (1 << 47) - 1,
            Some(Cpu::Arm64) => (1 << 48) - 1,
            _ => u64::MAX,
        }
    }
}

impl Names for Process {
    /// A symbol that begins at `address` says most; inside a function its name does; else what lies below.
    fn symbol(&self, address: u64) -> Option<Label> {
        let Some((debug, rva, _)) = self.debug_at(address) else { return self.export(address) };
        let symbol = debug.symbol_at(rva);
        if symbol.as_ref().is_none_or(|symbol| symbol.rva != rva)
            && let Some(function) = debug.function_at(rva)
        {
            return Some(Label { name: function.name, offset: u64::from(rva.0 - function.start.0) });
        }
        let Some(symbol) = symbol else { return self.export(address) };
        // A literal is its text, not the start of what follows it.
        let is_other_literal = symbol.rva != rva && Encoding::of_symbol(&symbol.name).is_some();
        let is_past_its_end = symbol.size_bytes.is_some_and(|size| rva.0 - symbol.rva.0 >= size.max(1));
        if is_other_literal || is_past_its_end {
            return None;
        }
        Some(Label { name: display_name(&symbol.name).into_owned(), offset: u64::from(rva.0 - symbol.rva.0) })
    }

    fn string(&self, address: u64) -> Option<Literal> {
        if !self.is_constant(address) {
            return None;
        }
        let mut bytes = [0; LITERAL_BYTES];
        let size = self.read(address, &mut bytes);
        let symbol = self.debug_at(address).and_then(|(debug, rva, _)| debug.symbol_at(rva).filter(|it| it.rva == rva));
        match symbol.and_then(|symbol| Encoding::of_symbol(&symbol.name)) {
            Some(encoding) => Some(Literal::decode(&bytes[..size], encoding)),
            None => looks_like_text(&bytes[..size]),
        }
    }

    fn local(&self, pc: u64, register: Register, displacement: i64) -> Option<Label> {
        let (debug, rva, _) = self.debug_at(pc)?;
        let found = debug.variables_at(rva).into_iter().find(|variable| match variable.place {
            Place::RegisterRelative(base, offset) => base == register && i64::from(offset) == displacement,
            _ => false,
        });
        found.map(|variable| Label { name: variable.name, offset: 0 })
    }
}
