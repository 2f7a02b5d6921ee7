//! A process made of literals: memory, modules with images and debug information, all assembled by hand.

mod arm;
mod arm64;
mod arm64_heuristics;
mod cfi;
mod heuristics;
mod hostile;
mod real;
mod signals;
mod x64;
mod x86;

use std::collections::BTreeMap;

use super::*;
use crate::debuginfo::{FrameData, Function, LineRow, Scope, Symbol, Variable};
use crate::registers::{Cpu, Register};

/// Where the stack of most tests begins.
const STACK: u64 = 0x10_0000;

#[derive(Default)]
struct FakeProcess {
    memory: BTreeMap<u64, Vec<u8>>,
    modules: Vec<FakeModule>,
    executable: Vec<std::ops::Range<u64>>,
    is_system_v: bool,
    /// Bits above an address of code, which hold its signature.
    signature_bits: u64,
}

struct FakeModule {
    base: u64,
    size_bytes: u64,
    image: Asked<FakeImage>,
    debug: Asked<FakeDebugInfo>,
}

enum Asked<T> {
    Yes(T),
    No,
    NotYet,
}

impl<T> Asked<T> {
    fn known(&self) -> Known<&T> {
        match self {
            Asked::Yes(file) => Known::Yes(file),
            Asked::No => Known::No,
            Asked::NotYet => Known::NotAsked,
        }
    }
}

#[derive(Default)]
struct FakeImage {
    /// Address in the image, bytes, whether it is code.
    sections: Vec<(u32, Vec<u8>, bool)>,
    exception_directory: Vec<u8>,
    rows: Rows,
}

#[derive(Default)]
struct FakeDebugInfo {
    frame_data: Vec<FrameData>,
    functions: Vec<(u32, u32)>,
    rows: Rows,
}

/// Rows of call frame information by the addresses that they cover.
type Rows = Vec<(std::ops::Range<u32>, CfiRow)>;

fn row_at(rows: &Rows, rva: Rva) -> Option<CfiRow> {
    rows.iter().find(|(range, _)| range.contains(&rva.0)).map(|(_, row)| row.clone())
}

impl FakeProcess {
    fn words(&mut self, address: u64, width: usize, words: &[u64]) {
        let bytes = words.iter().flat_map(|word| word.to_le_bytes()[..width].to_vec()).collect();
        self.memory.insert(address, bytes);
    }

    fn module(&mut self, base: u64, image: Asked<FakeImage>, debug: Asked<FakeDebugInfo>) {
        self.modules.push(FakeModule { base, size_bytes: 0x1_0000, image, debug });
    }
}

impl ReadMemory for FakeProcess {
    fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        let Some((start, bytes)) = self.memory.range(..=address).next_back() else { return 0 };
        let bytes = bytes.get((address - start) as usize..).unwrap_or_default();
        let size = bytes.len().min(buffer.len());
        buffer[..size].copy_from_slice(&bytes[..size]);
        size
    }
}

impl Process for FakeProcess {
    fn module_at(&self, address: u64) -> Option<ModuleRange> {
        let covers = |module: &FakeModule| address >= module.base && address - module.base < module.size_bytes;
        let index = self.modules.iter().position(covers)?;
        Some(ModuleRange { index, base: self.modules[index].base, size_bytes: self.modules[index].size_bytes })
    }

    fn unwind_tables(&self, module: usize) -> Known<&dyn UnwindTables> {
        match self.modules[module].image.known() {
            Known::Yes(image) => Known::Yes(image),
            Known::No => Known::No,
            Known::NotAsked => Known::NotAsked,
        }
    }

    fn debug_info(&self, module: usize) -> Known<&dyn DebugInfo> {
        match self.modules[module].debug.known() {
            Known::Yes(debug) => Known::Yes(debug),
            Known::No => Known::No,
            Known::NotAsked => Known::NotAsked,
        }
    }

    fn is_executable(&self, address: u64) -> Option<bool> {
        (!self.executable.is_empty()).then(|| self.executable.iter().any(|range| range.contains(&address)))
    }

    fn abi(&self) -> Abi {
        if self.is_system_v { Abi::SystemV } else { Abi::Windows }
    }

    fn code_address_mask(&self) -> u64 {
        !self.signature_bits
    }
}

impl FakeImage {
    fn section_at(&self, rva: Rva) -> Option<(&[u8], bool)> {
        self.sections.iter().find_map(|(start, bytes, is_code)| {
            let rest = bytes.get(rva.0.checked_sub(*start)? as usize..)?;
            (!rest.is_empty()).then_some((rest, *is_code))
        })
    }
}

impl UnwindTables for FakeImage {
    fn exception_directory(&self) -> &[u8] {
        &self.exception_directory
    }

    fn bytes_from(&self, rva: Rva) -> &[u8] {
        self.section_at(rva).map_or(&[], |(bytes, _)| bytes)
    }

    fn cfi_at(&self, rva: Rva) -> Option<CfiRow> {
        row_at(&self.rows, rva)
    }

    fn is_executable(&self, rva: Rva) -> bool {
        self.section_at(rva).is_some_and(|(_, is_code)| is_code)
    }
}

impl DebugInfo for FakeDebugInfo {
    fn function_at(&self, rva: Rva) -> Option<Function> {
        let &(start, end) = self.functions.iter().find(|(start, end)| (*start..*end).contains(&rva.0))?;
        Some(Function { name: String::new(), start: Rva(start), size_bytes: end - start, is_thunk: false })
    }

    fn frame_data_at(&self, rva: Rva) -> Option<FrameData> {
        let covers = |data: &&FrameData| rva >= data.start && rva.0 - data.start.0 < data.size_bytes;
        self.frame_data.iter().filter(covers).max_by_key(|data| data.start).cloned()
    }

    fn cfi_at(&self, rva: Rva) -> Option<CfiRow> {
        row_at(&self.rows, rva)
    }

    fn scopes_at(&self, _: Rva) -> Vec<Scope> {
        Vec::new()
    }

    fn symbol_at(&self, _: Rva) -> Option<Symbol> {
        None
    }

    fn lines_in(&self, _: Rva, _: Rva) -> Vec<LineRow> {
        Vec::new()
    }

    fn variables_at(&self, _: Rva) -> Vec<Variable> {
        Vec::new()
    }

    fn symbols_named(&self, _: &str) -> Vec<Symbol> {
        Vec::new()
    }

    fn symbols_matching(&self, _: &mut dyn FnMut(&str) -> bool, _: usize) -> Vec<Symbol> {
        Vec::new()
    }

    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Registers with these values.
fn context(cpu: Cpu, values: &[(Register, u64)]) -> RegisterSet {
    let mut registers = RegisterSet::new(cpu);
    values.iter().for_each(|&(register, value)| registers.set(register, value));
    registers
}

/// Instruction pointers and trust of the frames, and the end.
fn summary(walk: &Walk) -> (Vec<(u64, Trust)>, WalkEnd) {
    let frames = walk.frames.iter().map(|frame| (frame.registers.instruction_pointer().unwrap(), frame.trust));
    (frames.collect(), walk.end)
}

/// Code of `size` bytes: `nop`s, with other bytes at some offsets.
fn code(size: usize, parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0x90; size];
    for (offset, part) in parts {
        bytes[*offset..offset + part.len()].copy_from_slice(part);
    }
    bytes
}

/// `call target` at `address`.
fn call(address: u32, target: u32) -> [u8; 5] {
    let distance = target.wrapping_sub(address + 5).to_le_bytes();
    [0xe8, distance[0], distance[1], distance[2], distance[3]]
}
