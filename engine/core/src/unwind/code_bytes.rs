//! Code read as evidence: whether an address can be one that a call returns to.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, OpKind, Register as MachineRegister};

use super::arm_instructions;
use super::arm64_instructions::{Meaning, meaning_at};
use super::step::{Halt, is_code};
use super::{Known, Process, Wanted, sigreturn};
use crate::address::Rva;
use crate::registers::Cpu;

/// Bytes of the longest near call with one prefix (`rex call [base+index+disp32]`).
const LONGEST_CALL_BYTES: usize = 8;

/// How much speaks for a word on the stack being a return address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Evidence {
    /// It points to no code, or its bytes are known and no call ends there.
    Refuted,
    /// It points into a module, but the code there cannot be read.
    Unchecked,
    /// An indirect call ends there.
    IndirectCall,
    /// A call of this address (on ARM with the bit of its state) ends there, and nothing else.
    DirectCall(u64),
}

impl Evidence {
    /// Whether a call instruction was seen.
    pub fn is_call(self) -> bool {
        matches!(self, Evidence::IndirectCall | Evidence::DirectCall(_))
    }
}

/// Copies code from `address` on and returns how many bytes came: from the process, else from a module's image.
pub(super) fn read_code(process: &dyn Process, address: u64, buffer: &mut [u8]) -> usize {
    let read = process.read(address, buffer);
    if read == buffer.len() {
        return read;
    }
    let Some(module) = process.module_at(address) else { return read };
    let (Known::Yes(tables), Some(rva)) = (process.unwind_tables(module.index), Rva::of(address, module.base)) else {
        return read;
    };
    let bytes = tables.bytes_from(rva);
    let size = bytes.len().min(buffer.len());
    if size > read {
        buffer[..size].copy_from_slice(&bytes[..size]);
    }
    size.max(read)
}

/// Decodes the x86 or x64 instruction at `address`, if its bytes can be read and mean something.
pub(super) fn instruction_at(process: &dyn Process, address: u64, cpu: Cpu) -> Option<Instruction> {
    let mut bytes = [0; 15];
    let size = read_code(process, address, &mut bytes);
    decode(&bytes[..size], address, cpu)
}

fn decode(bytes: &[u8], address: u64, cpu: Cpu) -> Option<Instruction> {
    let bitness = match cpu {
        Cpu::X86 => 32,
        Cpu::X64 => 64,
        Cpu::Arm64 | Cpu::Arm => return None,
    };
    let instruction = Decoder::with_ip(bitness, bytes, address, DecoderOptions::NONE).decode();
    (!instruction.is_invalid()).then_some(instruction)
}

/// What the code before `address` (on ARM with the bit of its state) says about its being a return address. Asks for the image of its module if the dump
/// does not hold the code.
pub(super) fn evidence(process: &dyn Process, address: u64, cpu: Cpu) -> Result<Evidence, Halt> {
    if !is_code(process, address) {
        return Ok(Evidence::Refuted);
    }
    let seen = call_before(process, address, cpu);
    if !seen.is_some_and(Evidence::is_call) && sigreturn::is_trampoline(process, cpu.code_address(address), cpu) {
        // The kernel made it look as if the trampoline had called the signal's handler.
        return Ok(Evidence::IndirectCall);
    }
    if let Some(seen) = seen {
        return Ok(seen);
    }
    let Some(module) = process.module_at(address) else { return Ok(Evidence::Unchecked) };
    match process.unwind_tables(module.index) {
        Known::NotAsked => Err(Halt::Needs(Wanted::Image(module.index))),
        // The image is here and yet there are no bytes before the address: it is the start of a section.
        Known::Yes(_) => Ok(Evidence::Refuted),
        Known::No => Ok(Evidence::Unchecked),
    }
}

/// Whether debug information knows a function that a call before `address` can belong to: the best that can be said
/// where the code cannot be read.
pub(super) fn is_in_function(process: &dyn Process, address: u64) -> Result<bool, Halt> {
    let Some(module) = process.module_at(address) else { return Ok(false) };
    match process.debug_info(module.index) {
        Known::NotAsked => Err(Halt::Needs(Wanted::DebugInfo(module.index))),
        Known::No => Ok(false),
        Known::Yes(debug) => {
            let call = Rva::of(address.wrapping_sub(1), module.base);
            Ok(call.is_some_and(|rva| debug.function_at(rva).is_some()))
        }
    }
}

/// Looks for a call that ends at `address`; `None` if too few bytes before it can be read to deny one.
fn call_before(process: &dyn Process, address: u64, cpu: Cpu) -> Option<Evidence> {
    match cpu {
        Cpu::Arm64 => return link_before(process, address),
        Cpu::Arm => return arm_instructions::call_before(process, address),
        Cpu::X86 | Cpu::X64 => {}
    }
    let mut bytes = [0; LONGEST_CALL_BYTES];
    let readable = (2..=LONGEST_CALL_BYTES).rev().find(|&size| {
        let start = address.wrapping_sub(size as u64);
        start < address && read_code(process, start, &mut bytes[LONGEST_CALL_BYTES - size..]) >= size
    })?;
    let mut direct = None;
    for size in 2..=readable {
        let start = address.wrapping_sub(size as u64);
        let Some(instruction) = decode(&bytes[LONGEST_CALL_BYTES - size..], start, cpu) else { continue };
        if instruction.len() != size {
            continue;
        }
        match instruction.flow_control() {
            FlowControl::IndirectCall => return Some(Evidence::IndirectCall),
            FlowControl::Call if instruction.is_call_near() && is_code(process, instruction.near_branch_target()) => {
                direct = Some(Evidence::DirectCall(instruction.near_branch_target()));
            }
            _ => {}
        }
    }
    match direct {
        None if readable < LONGEST_CALL_BYTES => None,
        None => Some(Evidence::Refuted),
        found => found,
    }
}

/// The same on ARM64, whose instructions lie where they lie.
fn link_before(process: &dyn Process, address: u64) -> Option<Evidence> {
    if !address.is_multiple_of(4) {
        return Some(Evidence::Refuted);
    }
    match meaning_at(process, address.wrapping_sub(4))? {
        Meaning::Call(target) if is_code(process, target) => Some(Evidence::DirectCall(target)),
        Meaning::IndirectCall => Some(Evidence::IndirectCall),
        _ => Some(Evidence::Refuted),
    }
}

/// Where a call or jump leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// To this address.
    Code(u64),
    /// Through a pointer that holds no address of code, as import addresses do in a file: to another module.
    Elsewhere,
    /// That cannot be told.
    Unknown,
}

/// Where the call that ends at `address` leads, through thunks (import thunks, incremental linking).
pub(super) fn destination_of_call(process: &dyn Process, address: u64, cpu: Cpu) -> Destination {
    match call_before(process, address, cpu) {
        Some(Evidence::DirectCall(target)) => through_thunks(process, target, cpu),
        Some(Evidence::IndirectCall) => {
            // `call [address]` has 6 bytes (7 with a prefix, which is skipped here).
            let call = instruction_at(process, address.wrapping_sub(6), cpu);
            let call = call.filter(|call| call.next_ip() == address && call.is_call_near_indirect());
            call.map_or(Destination::Unknown, |call| through_pointer(process, &call, cpu))
        }
        _ => Destination::Unknown,
    }
}

fn through_thunks(process: &dyn Process, target: u64, cpu: Cpu) -> Destination {
    let mut address = target;
    for _ in 0..4 {
        match instruction_at(process, address, cpu) {
            Some(jump) if jump.is_jmp_short_or_near() => address = jump.near_branch_target(),
            Some(jump) if jump.is_jmp_near_indirect() => return through_pointer(process, &jump, cpu),
            _ => break,
        }
    }
    Destination::Code(address)
}

fn through_pointer(process: &dyn Process, instruction: &Instruction, cpu: Cpu) -> Destination {
    let is_absolute = instruction.is_ip_rel_memory_operand()
        || cpu == Cpu::X86
            && instruction.op0_kind() == OpKind::Memory
            && instruction.memory_base() == MachineRegister::None
            && instruction.memory_index() == MachineRegister::None;
    let mut pointer = [0; 8];
    let width = cpu.pointer_size_bytes();
    let place = instruction.memory_displacement64();
    if !is_absolute || read_code(process, place, &mut pointer[..width]) < width {
        return Destination::Unknown;
    }
    match u64::from_le_bytes(pointer) {
        address if is_code(process, address) => Destination::Code(address),
        _ => Destination::Elsewhere,
    }
}

/// Whether the code at `address` only jumps on: an import or incremental-linking thunk. True if it cannot be read.
pub(super) fn may_be_thunk(process: &dyn Process, address: u64, cpu: Cpu) -> bool {
    if cpu == Cpu::Arm {
        return arm_instructions::may_be_thunk(process, address);
    }
    if cpu == Cpu::Arm64 {
        // `adrp`, `ldr` and perhaps `add` before the jump.
        let meanings = (0..4).map(|index| meaning_at(process, address.wrapping_add(4 * index)));
        let jump = meanings.into_iter().find(|meaning| *meaning != Some(Meaning::Other));
        return matches!(jump, Some(None | Some(Meaning::Jump(_) | Meaning::IndirectJump)));
    }
    let mut address = address;
    for _ in 0..3 {
        let Some(instruction) = instruction_at(process, address, cpu) else { return true };
        match instruction.flow_control() {
            FlowControl::UnconditionalBranch | FlowControl::IndirectBranch => return true,
            FlowControl::Next => address = instruction.next_ip(),
            _ => return false,
        }
    }
    false
}
