//! The walk: from frame to frame by the best means there is, until there is a reason to stop.

use super::step::{Caller, Halt, Position, Step, is_code};
use super::{
    Frame, Process, Stop, Trust, Wanted, arm_frame_pointer, code_bytes, frame_pointer, information, link_register,
    scan, sigreturn, straight_line,
};
use crate::registers::{Cpu, RegisterSet};

/// How a walk, or the part of it that was possible, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalkEnd {
    /// It is complete, for this reason.
    Done(Stop),
    /// It goes on once this file is here or known not to exist.
    Needs(Wanted),
}

/// The frames of one thread, innermost first.
#[derive(Debug, Clone)]
pub struct Walk {
    /// The frames found.
    pub frames: Vec<Frame>,
    /// Why there are no more.
    pub end: WalkEnd,
}

/// A walk that can wait for files: [`Walker::run`] goes on where the last call ended, and walks nothing twice.
#[derive(Debug, Clone)]
pub struct Walker {
    context: RegisterSet,
    frames: Vec<Frame>,
    limit: usize,
    stop: Option<Stop>,
}

/// Walks the stack of a thread that was stopped with the registers `context`, for at most `limit` frames.
///
/// Where the end is [`WalkEnd::Needs`], find the file or mark it as missing, and walk again (or use a [`Walker`]).
/// A context without an instruction pointer has no frames.
pub fn walk(process: &dyn Process, context: &RegisterSet, limit: usize) -> Walk {
    let mut walker = Walker::new(context, limit);
    let end = walker.run(process);
    Walk { frames: walker.frames, end }
}

impl Walker {
    /// A walk from the registers `context`, which has not begun.
    pub fn new(context: &RegisterSet, limit: usize) -> Walker {
        Walker { context: context.clone(), frames: Vec::new(), limit, stop: None }
    }

    /// The frames found so far, innermost first.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// Walks on until the end of the stack, or until a file is wanted.
    pub fn run(&mut self, process: &dyn Process) -> WalkEnd {
        loop {
            if let Some(stop) = self.stop {
                return WalkEnd::Done(stop);
            }
            match self.advance(process) {
                Ok(()) => {}
                Err(Halt::Stop(stop)) => self.stop = Some(stop),
                Err(Halt::Needs(wanted)) => return WalkEnd::Needs(wanted),
            }
        }
    }

    fn advance(&mut self, process: &dyn Process) -> Result<(), Halt> {
        if self.frames.len() >= self.limit {
            return Err(Halt::Stop(Stop::Limit));
        }
        let Some(frame) = self.frames.last() else {
            let caller = Caller::interrupted(self.context.clone(), Trust::Context);
            self.frames.push(Frame::new(process, caller).ok_or(Halt::Stop(Stop::NoCaller))?);
            return Ok(());
        };
        let callee = self.frames.len().checked_sub(2).and_then(|index| self.frames.get(index));
        let position = Position::of(process, frame, callee).ok_or(Halt::Stop(Stop::NoCaller))?;
        let caller = step(&position)?.ok_or(Halt::Stop(Stop::NoCaller))?;
        let (interrupted, cfa, virtual_frame) = (caller.interrupted, caller.cfa, caller.virtual_frame);
        let next = Frame::new(process, caller).ok_or(Halt::Stop(Stop::NoCaller))?;
        // A function that keeps its return address in the link register may have no stack of its own.
        let is_leaf = position.cpu().link_register().is_some() && position.is_exact();
        let grows = next.registers.stack_pointer() > frame.registers.stack_pointer()
            || is_leaf && next.registers.stack_pointer() == frame.registers.stack_pointer();
        if !grows && (!interrupted || self.has_been_at(&next)) {
            return Err(Halt::Stop(Stop::Loop));
        }
        if let Some(frame) = self.frames.last_mut() {
            (frame.cfa, frame.virtual_frame) = (cfa, virtual_frame);
        }
        self.frames.push(next);
        Ok(())
    }

    /// Whether some frame already has the place of `next`. An interrupted frame may lie on another stack, at any address.
    fn has_been_at(&self, next: &Frame) -> bool {
        self.frames.iter().any(|frame| {
            frame.registers.stack_pointer() == next.registers.stack_pointer()
                && frame.registers.instruction_pointer() == next.registers.instruction_pointer()
        })
    }
}

impl Frame {
    pub(super) fn new(process: &dyn Process, caller: Caller) -> Option<Frame> {
        let ip = caller.registers.instruction_pointer()?;
        let lookup_address = if caller.interrupted { ip } else { ip.wrapping_sub(1) };
        let module = process.module_at(ip).map(|module| module.index);
        let (registers, trust) = (caller.registers, caller.trust);
        Some(Frame { registers, trust, lookup_address, module, cfa: None, virtual_frame: None })
    }

    /// Whether the frame was stopped at its instruction pointer (by an exception, or when the dump was taken), instead
    /// of having called from there.
    pub fn is_exact(&self) -> bool {
        self.registers.instruction_pointer() == Some(self.lookup_address)
    }
}

/// Finds the caller of one frame: by what certainly holds, then by what usually does.
fn step(position: &Position) -> Step {
    let strategies: &[fn(&Position) -> Step] = match position.cpu() {
        Cpu::Arm64 => &[
            called_astray,
            sigreturn::caller,
            information::caller,
            link_register::caller,
            frame_pointer::caller,
            scan::caller,
        ],
        Cpu::Arm => &[
            called_astray,
            sigreturn::caller,
            information::caller,
            link_register::caller,
            arm_frame_pointer::caller,
            scan::caller,
        ],
        Cpu::X86 | Cpu::X64 => &[
            called_astray,
            sigreturn::caller,
            information::caller,
            straight_line::caller,
            frame_pointer::caller,
            scan::caller,
        ],
    };
    for strategy in strategies {
        if let Some(caller) = strategy(position)? {
            return Ok(Some(caller));
        }
    }
    Ok(None)
}

/// The caller of an address that is no code: a call through a null or wild pointer has pushed its return address (ARM64 and
/// ARM: put it into the link register) and done nothing else.
fn called_astray(position: &Position) -> Step {
    if !position.is_exact() || is_code(position.process, position.ip) {
        return Ok(None);
    }
    let (address, popped_bytes) = match position.cpu().link_register() {
        Some(link) => (position.frame.registers.get(link).unwrap_or(0), 0),
        None => (position.word(position.sp)?, position.cpu().pointer_size_bytes() as u64),
    };
    let address = address & position.process.code_address_mask();
    if address == 0
        || code_bytes::evidence(position.process, address, position.cpu())? != code_bytes::Evidence::IndirectCall
    {
        return Ok(None);
    }
    position.caller(position.preserved_registers(), address, position.sp.wrapping_add(popped_bytes), Trust::Cfi)
}
