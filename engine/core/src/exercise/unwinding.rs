//! Unwinding by untrusted tables: a process of one module whose memory, tables and registers all come from the input.

use crate::address::{ReadMemory, Rva};
use crate::bytes::Reader;
use crate::callframe::{CallFrames, FrameSection, FrameSectionKind};
use crate::cfi::CfiRow;
use crate::data::Data;
use crate::debuginfo::{DebugInfo, FpoKind, FrameData, FrameRule, Function, LineRow, Scope, Symbol, Variable};
use crate::registers::{Cpu, Register, RegisterSet, arm};
use crate::unwind::{Known, ModuleRange, Process, UnwindTables, walk};

const BASE: u64 = 0x10000;
const SIZE_BYTES: u64 = 0x4000;
const FRAMES: usize = 32;

/// Walks an x64 stack by exception directory, unwind codes and code of the input.
pub fn unwind_x64(bytes: &[u8]) {
    let mut registers = RegisterSet::new(Cpu::X64);
    let mut input = Reader::new(bytes);
    for index in 0..17 {
        // Small values, so that they often point into the module.
        registers.set(Register(index), BASE + u64::from(input.u16().unwrap_or(index.into()) % SIZE_BYTES as u16));
    }
    let directory_bytes = usize::from(input.u16().unwrap_or(0));
    walk(&Fake { directory_bytes, ..Fake::new(input.rest()) }, &registers, FRAMES);
}

/// Walks an ARM64 stack by exception directory, unwind codes and code of the input.
pub fn unwind_arm64(bytes: &[u8]) {
    let mut registers = RegisterSet::new(Cpu::Arm64);
    let mut input = Reader::new(bytes);
    for index in 0..33 {
        registers.set(Register(index), BASE + u64::from(input.u16().unwrap_or(index.into()) % SIZE_BYTES as u16));
    }
    let directory_bytes = usize::from(input.u16().unwrap_or(0));
    walk(&Fake { directory_bytes, ..Fake::new(input.rest()) }, &registers, FRAMES);
}

/// Walks an ARM stack, in either state, by the link register, frame pointers and code of the input.
pub fn unwind_arm(bytes: &[u8]) {
    let mut registers = RegisterSet::new(Cpu::Arm);
    let mut input = Reader::new(bytes);
    for index in 0..16 {
        registers.set(Register(index), BASE + u64::from(input.u16().unwrap_or(index.into()) % SIZE_BYTES as u16));
    }
    registers.set(arm::CPSR, input.u8().unwrap_or(0).into());
    walk(&Fake::new(input.rest()), &registers, FRAMES);
}

/// Walks an x86 stack by frame records that hold a program of the input.
pub fn unwind_x86(bytes: &[u8]) {
    let mut registers = RegisterSet::new(Cpu::X86);
    let mut input = Reader::new(bytes);
    for index in 0..9 {
        registers.set(Register(index), BASE + u64::from(input.u16().unwrap_or(index.into()) % SIZE_BYTES as u16));
    }
    let kind = input.u8().unwrap_or(0);
    let program_bytes = usize::from(input.u8().unwrap_or(0)).min(input.left());
    let program = String::from_utf8_lossy(input.take(program_bytes).unwrap_or_default()).into_owned();
    let rule = match kind % 5 {
        0 => FrameRule::Fpo { uses_base_pointer: kind & 0x10 != 0, kind: FpoKind::Fpo },
        1 => FrameRule::Fpo { uses_base_pointer: kind & 0x10 != 0, kind: FpoKind::Trap },
        2 => FrameRule::Fpo { uses_base_pointer: kind & 0x10 != 0, kind: FpoKind::NonFpo },
        _ => FrameRule::Program(program),
    };
    let record = FrameData {
        start: Rva(0),
        size_bytes: SIZE_BYTES as u32,
        locals_bytes: input.u32().unwrap_or(8),
        params_bytes: input.u32().unwrap_or(4),
        saved_registers_bytes: input.u16().unwrap_or(4),
        prologue_bytes: input.u16().unwrap_or(3),
        rule,
    };
    walk(&Fake { program: Some(record), ..Fake::new(input.rest()) }, &registers, FRAMES);
}

/// Reads both kinds of call frame information, with and without a search table, and walks stacks by them. The input is
/// the size of the table (`u16`), the table, the section.
pub fn eh_frame(bytes: &[u8]) {
    let mut input = Reader::new(bytes);
    let header_bytes = usize::from(input.u16().unwrap_or(0)).min(input.left());
    let header = Data::from(input.take(header_bytes).unwrap_or_default().to_vec());
    let section = Data::from(input.rest().to_vec());
    for cpu in [Cpu::X86, Cpu::X64, Cpu::Arm64, Cpu::Arm] {
        for kind in [FrameSectionKind::EhFrame, FrameSectionKind::DebugFrame] {
            for header in [None, Some((CODE + 0x2000, header.clone()))] {
                let (text, data) = (Some(CODE), Some(0));
                let section = FrameSection { kind, bytes: section.clone(), address: CODE + 0x1000, text, data, header };
                walk_by(CallFrames::new(section, cpu), cpu, bytes);
            }
        }
    }
}

fn walk_by(frames: CallFrames, cpu: Cpu, bytes: &[u8]) {
    for address in [0, CODE, CODE + 4, CODE + 0x80, CODE + 0x2000, u64::MAX] {
        frames.row_at(address);
    }
    let mut registers = RegisterSet::new(cpu);
    for index in 0..cpu.register_names().len() as u8 {
        registers.set(Register(index), BASE + u64::from(index) * 8);
    }
    for entry in [0, 4, 0x3f, 0x80] {
        registers.set(cpu.instruction_pointer(), BASE + entry);
        registers.set(cpu.stack_pointer(), BASE);
        let frames = Some(&frames);
        walk(&Fake { frames, ..Fake::new(bytes) }, &registers, FRAMES);
    }
}

/// Where the code of call frame information lies in the file's own addresses.
const CODE: u64 = 0x40_1000;

/// One module at [`BASE`]; its bytes and those of the stack are the input, over and over.
struct Fake<'a> {
    bytes: &'a [u8],
    directory_bytes: usize,
    program: Option<FrameData>,
    frames: Option<&'a CallFrames>,
}

impl<'a> Fake<'a> {
    fn new(bytes: &'a [u8]) -> Fake<'a> {
        Fake { bytes, directory_bytes: 0, program: None, frames: None }
    }
}

impl ReadMemory for Fake<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        if self.bytes.is_empty() || !(BASE..BASE + SIZE_BYTES).contains(&address) {
            return 0;
        }
        let held = ((BASE + SIZE_BYTES - address) as usize).min(buffer.len());
        let start = (address - BASE) as usize;
        for (index, byte) in buffer[..held].iter_mut().enumerate() {
            *byte = self.bytes[(start + index) % self.bytes.len()];
        }
        held
    }
}

impl UnwindTables for Fake<'_> {
    fn exception_directory(&self) -> &[u8] {
        &self.bytes[..self.bytes.len().min(self.directory_bytes)]
    }

    fn bytes_from(&self, rva: Rva) -> &[u8] {
        self.bytes.get(rva.0 as usize..).unwrap_or_default()
    }

    fn cfi_at(&self, rva: Rva) -> Option<CfiRow> {
        self.frames?.row_at(CODE + u64::from(rva.0))
    }

    fn is_executable(&self, rva: Rva) -> bool {
        u64::from(rva.0) < SIZE_BYTES
    }
}

impl Process for Fake<'_> {
    fn module_at(&self, address: u64) -> Option<ModuleRange> {
        let module = ModuleRange { index: 0, base: BASE, size_bytes: SIZE_BYTES };
        (BASE..BASE + SIZE_BYTES).contains(&address).then_some(module)
    }

    fn unwind_tables(&self, _module: usize) -> Known<&dyn UnwindTables> {
        Known::Yes(self)
    }

    fn debug_info(&self, _module: usize) -> Known<&dyn DebugInfo> {
        if self.program.is_some() { Known::Yes(self) } else { Known::No }
    }

    fn is_executable(&self, address: u64) -> Option<bool> {
        Some((BASE..BASE + SIZE_BYTES).contains(&address))
    }
}

impl DebugInfo for Fake<'_> {
    fn function_at(&self, _rva: Rva) -> Option<Function> {
        None
    }

    fn scopes_at(&self, _rva: Rva) -> Vec<Scope> {
        Vec::new()
    }

    fn symbol_at(&self, _rva: Rva) -> Option<Symbol> {
        None
    }

    fn lines_in(&self, _start: Rva, _end: Rva) -> Vec<LineRow> {
        Vec::new()
    }

    fn variables_at(&self, _rva: Rva) -> Vec<Variable> {
        Vec::new()
    }

    fn frame_data_at(&self, _rva: Rva) -> Option<FrameData> {
        self.program.clone()
    }

    fn symbols_named(&self, _name: &str) -> Vec<Symbol> {
        Vec::new()
    }

    fn symbols_matching(&self, _accept: &mut dyn FnMut(&str) -> bool, _limit: usize) -> Vec<Symbol> {
        Vec::new()
    }

    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}
