//! Callers on x86 by debug information: frame-data programs and FPO records.

use super::code_bytes::{Evidence, evidence};
use super::frame_program::{self, Machine, ProgramError, Values};
use super::step::{Caller, Halt, Position, Step};
use super::{Frame, Known, ModuleRange, Process, Stop, Trust, fpo, frame_pointer, prologue};
use crate::address::Rva;
use crate::debuginfo::{DebugInfo, FpoKind, FrameData, FrameRule};
use crate::registers::{Register, x86};

/// Words above the computed place that are searched for a return address.
const SEARCH_WORDS: u64 = 64;

/// Registers that programs name and may leave as they are.
///
/// Folklore: Microsoft's compiler writes some by name and some by their number in `cvconst.h` (`CV_REG_EBX` is 20), even
/// in one program: `$T0 $ebp = … $20 $T0 40 - ^ = $23 $T0 44 - ^ =`.
const PROGRAM_REGISTERS: [(&str, Register); 10] = [
    ("$esp", x86::ESP),
    ("$21", x86::ESP),
    ("$ebp", x86::EBP),
    ("$22", x86::EBP),
    ("$ebx", x86::EBX),
    ("$20", x86::EBX),
    ("$esi", x86::ESI),
    ("$23", x86::ESI),
    ("$edi", x86::EDI),
    ("$24", x86::EDI),
];

/// The caller of a function that was stopped before its first instruction: told by the call, which names that address.
///
/// No record covers thunks and imports, and frame pointers would skip the caller: EBP is still its.
pub(super) fn at_entry(position: &Position, module: ModuleRange, debug: Option<&dyn DebugInfo>) -> Step {
    // Any absent word is left to the frame pointer: the stack pointer of a crash may be wild.
    let top = position.process.read_u32(position.sp).map(u64::from);
    let Some(address) = top.filter(|&address| position.is_exact() && address != 0) else { return Ok(None) };
    let rva = Rva::of(position.ip, module.base);
    let function = debug.zip(rva).and_then(|(debug, rva)| debug.function_at(rva));
    let starts_here = function.is_some_and(|function| Some(function.start) == rva);
    let seen = evidence(position.process, address, position.cpu())?;
    if seen == Evidence::DirectCall(position.ip) || starts_here && seen > Evidence::Refuted {
        let registers = position.preserved_registers();
        return position.caller(registers, address, position.sp.wrapping_add(4), Trust::Cfi);
    }
    Ok(None)
}

/// The caller by the frame record that covers the frame's code.
pub(super) fn caller(position: &Position, module: ModuleRange, debug: &dyn DebugInfo) -> Step {
    let Some(lookup) = Rva::of(position.frame.lookup_address, module.base) else { return Ok(None) };
    let Some(data) = debug.frame_data_at(lookup) else { return Ok(None) };
    let start = data.start.at(module.base);
    if position.is_exact() && position.ip.wrapping_sub(start) < u64::from(data.prologue_bytes) {
        let starts_function = debug.function_at(data.start).is_some_and(|function| function.start == data.start);
        if starts_function && let Some(caller) = prologue::caller(position, start)? {
            return Ok(Some(caller));
        }
    }
    match &data.rule {
        FrameRule::Program(program) => by_program(position, &data, program),
        FrameRule::Fpo { kind: FpoKind::Fpo, uses_base_pointer } => match return_address_slot(position, &data)? {
            Some(slot) => fpo::caller(position, &data, start, slot, *uses_base_pointer),
            None => Ok(None),
        },
        FrameRule::Fpo { kind: FpoKind::NonFpo, .. } => frame_pointer::caller(position),
        FrameRule::Fpo { .. } => Ok(None),
    }
}

/// Runs a frame-data program.
///
/// Folklore, told by Breakpad: a preserved register that a program does not assign was not touched by the
/// function, and is what it was in the callee. Compilers rely on it (LLVM names only the registers that it pushed).
fn by_program(position: &Position, data: &FrameData, program: &str) -> Step {
    let mut values = Values::new();
    for (name, register) in PROGRAM_REGISTERS {
        if let Some(value) = position.frame.registers.get(register) {
            values.insert(name, value);
        }
    }
    let callee_params = callee_params_bytes(position);
    values.insert(".cbParams", data.params_bytes.into());
    values.insert(".cbCalleeParams", callee_params.into());
    values.insert(".cbLocals", data.locals_bytes.into());
    values.insert(".cbSavedRegs", data.saved_registers_bytes.into());
    values.insert(".cbProlog", data.prologue_bytes.into());
    if program.contains(".raSearch") {
        let Some(slot) = return_address_slot(position, data)? else { return Ok(None) };
        values.insert(".raSearch", slot);
        values.insert(".raSearchStart", slot);
    }
    let before = values.clone();
    let memory = |address| position.process.read_u32(address).map(u64::from);
    match frame_program::run(program, &mut values, Machine { largest_word: u32::MAX.into(), memory: &memory }) {
        Ok(()) => {}
        // The stack ends before the frame does. (Any other absent address comes of a wild EBP.)
        Err(ProgramError::NoMemory(address)) if position.is_near_above(address) => {
            return Err(Halt::Stop(Stop::NoMemory(address)));
        }
        Err(_) => return Ok(None),
    }
    let mut registers = position.preserved_registers();
    for (name, register) in PROGRAM_REGISTERS {
        if let Some(&value) = values.get(name).filter(|value| before.get(name) != Some(value)) {
            registers.set(register, value);
        }
    }
    match (values.get("$eip"), values.get("$esp")) {
        (Some(&ip), Some(&sp)) if sp > position.sp => {
            let caller = position.caller(registers, ip, sp, Trust::Cfi)?;
            Ok(caller.map(|caller| Caller { virtual_frame: values.get("$T0").copied(), ..caller }))
        }
        _ => Ok(None),
    }
}

/// Where the return address is: above the arguments of the call in progress, the saved registers and the locals.
///
/// The bytes of those arguments are known only if the callee has a record too; a callee in a system library has
/// none, and its arguments lie there all the same. So, as Microsoft's debuggers do, the words from the computed place
/// on are searched. A word counts if a call ends where it points; in code that cannot be read, only the first that
/// points into a module, and only if no call is seen.
fn return_address_slot(position: &Position, data: &FrameData) -> Result<Option<u64>, Halt> {
    let below = callee_params_bytes(position)
        .saturating_add(data.locals_bytes)
        .saturating_add(u32::from(data.saved_registers_bytes));
    let start = position.sp.wrapping_add(u64::from(below));
    let mut unchecked = None;
    for index in 0..SEARCH_WORDS {
        let slot = start.wrapping_add(4 * index);
        let Some(address) = position.process.read_u32(slot).map(u64::from) else { break };
        if address == 0 {
            continue;
        }
        match evidence(position.process, address, position.cpu())? {
            Evidence::Refuted => {}
            Evidence::Unchecked if index == 0 => return Ok(Some(slot)),
            Evidence::Unchecked => unchecked = unchecked.or(Some(slot)),
            Evidence::IndirectCall | Evidence::DirectCall(_) => return Ok(Some(slot)),
        }
    }
    if unchecked.is_none() {
        position.word(start)?;
    }
    Ok(unchecked)
}

/// Bytes of arguments that the frame had pushed for the call in progress; 0 if that is not known.
fn callee_params_bytes(position: &Position) -> u32 {
    position.callee.and_then(|callee| frame_data_of(position.process, callee)).map_or(0, |data| data.params_bytes)
}

fn frame_data_of(process: &dyn Process, frame: &Frame) -> Option<FrameData> {
    let module = process.module_at(frame.lookup_address)?;
    let Known::Yes(debug) = process.debug_info(module.index) else { return None };
    debug.frame_data_at(Rva::of(frame.lookup_address, module.base)?)
}
