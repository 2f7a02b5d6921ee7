//! Frames of functions that ended with a jump to another one.
//!
//! `drop_gil` calls `pthread_mutex_unlock`, which does all its work by a jump to `__pthread_mutex_unlock_usercnt` (glibc
//! 2.36, gcc -O2): this one returns to `drop_gil`, and on the stack nothing is left of the function between them. Debug
//! information says whom each call calls, and which jumps are calls. Where exactly one way leads along them from the
//! function that was called to the one that runs, the functions on it are frames again: what is said of the last jump
//! tells what the running function was given.

use crate::locate::FrameView;
use crate::process::Process;
use crate::tail_calls::{Function, Ways};
use crate::unwind::{Frame, Process as _, Trust};

/// The frames of a walk, with those of functions between them that ended with a jump.
pub fn with_tail_calls(process: &Process, frames: Vec<Frame>) -> Vec<Frame> {
    let mut ways = Ways::new();
    let mut all = Vec::with_capacity(frames.len());
    for (index, frame) in frames.iter().enumerate() {
        all.push(frame.clone());
        all.extend(between(process, frame, &frames[index + 1..], &mut ways).unwrap_or_default());
    }
    all
}

/// The frames between two, innermost first.
fn between(process: &Process, callee: &Frame, callers: &[Frame], ways: &mut Ways) -> Option<Vec<Frame>> {
    let caller = callers.first().filter(|caller| caller.trust == Trust::Cfi && !caller.is_exact())?;
    let running = Function::at(process, callee.lookup_address)?;
    let calling = Function::at(process, caller.lookup_address)?;
    let return_address = calling.rva_of(caller.registers.instruction_pointer()?)?;
    let called = FrameView::new(process, callers)?.called(&calling, &running, return_address)?;
    if called.is(&running) {
        return None;
    }
    let way = ways.only_one(&called, &running)?;
    Some(way.into_iter().rev().map(|address| frame_at(process, address, caller)).collect())
}

/// The frame of a function that has jumped from before `address`. Of its registers are left those that it has given back
/// to its caller; its stack belongs to the function that it jumped to.
fn frame_at(process: &Process, address: u64, caller: &Frame) -> Frame {
    let mut registers = caller.registers.clone();
    let cpu = registers.cpu();
    registers.set(cpu.instruction_pointer(), address);
    registers.forget(cpu.stack_pointer());
    Frame {
        registers,
        trust: Trust::TailCall,
        lookup_address: address.wrapping_sub(1),
        module: process.module_at(address).map(|module| module.index),
        cfa: None,
        virtual_frame: None,
    }
}
