//! Where a variable is in one frame of a stack.

use crate::address::{ReadMemory, Rva};
use crate::debuginfo::{
    Bound, BoundValue, CallTarget, DebugInfo, Located, LocatedPiece, Machine, Missing, Passed, Piece, Place, TypeId,
};
use crate::process::Process;
use crate::registers::{Cpu, Register};
use crate::tail_calls::{Function, may_run_again};
use crate::unwind::{Frame, Known, Process as _, Trust, canonical_frame_address};

/// Calls that are followed towards the outermost frame for what one passed to the next.
const MOST_CALLERS: usize = 16;
/// How deep places are made of places.
const DEEPEST: usize = 4;

/// A frame of a process, with those that called it.
#[derive(Clone, Copy)]
pub struct FrameView<'a> {
    process: &'a Process,
    frame: &'a Frame,
    callers: &'a [Frame],
    /// Callers that may still be asked.
    budget: usize,
}

impl<'a> FrameView<'a> {
    /// The first of `frames`, which the others called, each the one before it. None if there is none.
    pub fn new(process: &'a Process, frames: &'a [Frame]) -> Option<FrameView<'a>> {
        let (frame, callers) = frames.split_first()?;
        Some(FrameView { process, frame, callers, budget: MOST_CALLERS })
    }

    fn caller(&self) -> Option<FrameView<'a>> {
        let (frame, callers) = self.callers.split_first()?;
        Some(FrameView { process: self.process, frame, callers, budget: self.budget.checked_sub(1)? })
    }

    /// Where a variable is that debug information of the frame's module gave this place.
    pub fn locate(&self, place: &Place) -> Located {
        self.locate_within(place, DEEPEST)
    }

    /// How many elements the dimensions of an array have that its module's debug information computes in this frame; None
    /// of other dimensions.
    pub fn array_counts(&self, id: TypeId) -> Vec<Option<u64>> {
        let (Some(debug), Some(rva)) = (self.debug_info(), self.rva()) else { return Vec::new() };
        debug.bounds_at(id, rva).iter().map(|bound| self.count(bound.as_ref()?)).collect()
    }

    /// How many elements a dimension has.
    fn count(&self, bound: &Bound) -> Option<u64> {
        let last = match &bound.value {
            BoundValue::Result(place) => match self.locate(place) {
                Located::Memory(number) => number,
                located @ (Located::Register { .. } | Located::Value(_)) => self.number(&located)?,
                _ => return None,
            },
            BoundValue::Variable { place, size_bytes } => {
                let unused_bits = 64_u32.checked_sub(u32::try_from(size_bytes.checked_mul(8)?).ok()?)?;
                self.number(&self.locate(place))?.checked_shl(unused_bits)? >> unused_bits
            }
        };
        // One without elements ends before its first one: -1, as wide as a word.
        let last = if self.cpu().pointer_size_bytes() == 4 { i64::from(last as i32) } else { last as i64 };
        u64::try_from(last.checked_sub(bound.first)?.checked_add(1)?).ok()
    }

    fn locate_within(&self, place: &Place, depth: usize) -> Located {
        match place {
            &Place::Register { register, first_byte } => match self.register(register) {
                Some(_) => Located::Register { register, first_byte },
                None => Located::Absent(Missing::Register(register)),
            },
            &Place::Vector(index) => match self.vector(index) {
                Some(_) => Located::Vector(index),
                None => Located::Absent(Missing::Vector(index)),
            },
            &Place::RegisterRelative(register, offset) => match self.register(register) {
                Some(value) => Located::Memory(self.wrapped(value, offset.into())),
                None => Located::Absent(Missing::Register(register)),
            },
            &Place::RegisterIndirect(register, offset) => match self.register(register) {
                Some(value) => self.pointed_to(self.wrapped(value, offset.into())),
                None => Located::Absent(Missing::Register(register)),
            },
            &Place::CfaRelative(offset) => self.off_base(self.cfa(), offset),
            &Place::VirtualFrameRelative(offset) => self.off_base(self.virtual_frame(), offset.into()),
            Place::Static(rva) => match self.module_base() {
                Some(base) => Located::Memory(rva.at(base)),
                None => Located::Absent(Missing::Expression),
            },
            &Place::ThreadLocal(offset) => Located::ThreadLocal(offset),
            Place::Constant(bytes) => Located::Value(bytes.clone()),
            Place::Pieces(pieces) => self.pieces(pieces, depth),
            Place::Computed(computed) => match self.debug_info() {
                Some(debug) => debug.evaluate(computed, self),
                None => Located::Absent(Missing::Expression),
            },
            Place::OptimizedAway => Located::Absent(Missing::OptimizedAway),
        }
    }

    fn pieces(&self, pieces: &[Piece], depth: usize) -> Located {
        let Some(depth) = depth.checked_sub(1) else { return Located::Absent(Missing::Expression) };
        let pieces = pieces.iter().map(|piece| LocatedPiece {
            offset_bits: piece.offset_bytes.saturating_mul(8),
            size_bits: piece.size_bytes.map(|size| size.saturating_mul(8)),
            located: self.locate_within(&piece.place, depth),
        });
        Located::Pieces(pieces.collect())
    }

    fn off_base(&self, base: Option<u64>, offset: i64) -> Located {
        base.map_or(Located::Absent(Missing::FrameBase), |base| Located::Memory(self.wrapped(base, offset)))
    }

    fn pointed_to(&self, address: u64) -> Located {
        self.word(address).map_or(Located::Absent(Missing::Memory(address)), Located::Memory)
    }

    fn word(&self, address: u64) -> Option<u64> {
        match self.cpu().pointer_size_bytes() {
            4 => self.read_u32(address).map(u64::from),
            _ => self.read_u64(address),
        }
    }

    /// A sum as the processor computes it, without carry.
    fn wrapped(&self, address: u64, offset: i64) -> u64 {
        let address = address.wrapping_add_signed(offset);
        if self.cpu().pointer_size_bytes() == 4 { address & u64::from(u32::MAX) } else { address }
    }

    /// The address that counts, in the frame's module.
    fn rva(&self) -> Option<Rva> {
        Rva::of(self.frame.lookup_address, self.module_base()?)
    }

    fn debug_info(&self) -> Option<&'a dyn DebugInfo> {
        match self.process.debug_info(self.frame.module?) {
            Known::Yes(debug) => Some(debug),
            _ => None,
        }
    }

    /// The function that this frame's, `calling`, has called; what is called in another module may be `running`.
    pub fn called(&self, calling: &Function<'a>, running: &Function<'a>, return_address: Rva) -> Option<Function<'a>> {
        match calling.debug().call_target(return_address)? {
            CallTarget::Function(identity) => calling.called(&identity, running),
            CallTarget::Address(place) => {
                let address = self.number(&self.locate(&place))?;
                Function::at(self.process, self.cpu().code_address(address))
            }
        }
    }

    /// The value that a place holds, as a number of a register's width.
    fn number(&self, located: &Located) -> Option<u64> {
        match located {
            &Located::Memory(address) => self.word(address),
            &Located::Register { register, first_byte } => {
                self.register(register)?.checked_shr(u32::from(first_byte).saturating_mul(8))
            }
            Located::Value(bytes) => {
                let mut word = [0; 8];
                let count = bytes.len().min(8);
                word.get_mut(..count)?.copy_from_slice(bytes.get(..count)?);
                Some(u64::from_le_bytes(word))
            }
            _ => None,
        }
    }
}

impl ReadMemory for FrameView<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        self.process.read(address, buffer)
    }
}

impl Machine for FrameView<'_> {
    fn cpu(&self) -> Cpu {
        self.frame.registers.cpu()
    }

    fn register(&self, register: Register) -> Option<u64> {
        self.frame.registers.get(register)
    }

    fn vector(&self, index: u8) -> Option<u128> {
        self.frame.registers.vector(index.into())
    }

    fn cfa(&self) -> Option<u64> {
        if self.frame.trust == Trust::TailCall {
            return None; // others have its place on the stack
        }
        // The walk has not gone beyond the outermost frame; where that begins, its own record tells all the same.
        self.frame.cfa.or_else(|| canonical_frame_address(self.process, self.frame))
    }

    fn virtual_frame(&self) -> Option<u64> {
        self.frame.virtual_frame
    }

    fn module_base(&self) -> Option<u64> {
        self.process.module_at(self.frame.lookup_address).map(|module| module.base)
    }

    /// Another function may run in that frame than was called: one that the called one jumped to (a tail call). Where it
    /// is known which did, it is the caller; else nothing is known.
    fn entry_value(&self, passed: Passed) -> Option<u64> {
        let caller = self.caller()?;
        let calling = Function::at(self.process, caller.frame.lookup_address)?;
        let running = Function::at(self.process, self.frame.lookup_address)?;
        let return_address = calling.rva_of(caller.frame.registers.instruction_pointer()?)?;
        let called = caller.called(&calling, &running, return_address)?;
        if !called.is(&running) || may_run_again(self.process, self.frame.lookup_address) {
            return None;
        }
        let place = calling.debug().call_site_value(return_address, passed)?;
        caller.number(&caller.locate(&place))
    }
}
