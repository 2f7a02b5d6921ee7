//! Where a variable lives, and where that is in one frame.
//!
//! A [`Place`] is what debug information says of all frames of a function at one address. In a frame, with its registers,
//! its callers and memory, it becomes a [`Located`].

use super::TypeId;
use crate::address::{ReadMemory, Rva};
use crate::registers::{Cpu, Register};

/// Where a variable lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a general register, from its byte `first_byte` on (1 for AH, BH, CH, DH).
    Register {
        /// The whole register.
        register: Register,
        /// Where the variable begins in it.
        first_byte: u8,
    },
    /// In the vector register with this index.
    Vector(u8),
    /// In memory at a register's value plus an offset.
    RegisterRelative(Register, i32),
    /// In memory at the address that the word at a register's value plus an offset holds.
    RegisterIndirect(Register, i32),
    /// In memory at the canonical frame address plus an offset (DWARF).
    CfaRelative(i64),
    /// In memory at an offset from the base of an x86 frame whose base is no register (CodeView's `VFRAME`, `$T0`).
    VirtualFrameRelative(i32),
    /// In memory of the module.
    Static(Rva),
    /// In the module's thread-local storage, at this offset in the block of the thread.
    ThreadLocal(u64),
    /// Nowhere: its value is known, little-endian.
    Constant(Vec<u8>),
    /// In parts, in the order of their bytes; what no part covers is not there.
    Pieces(Vec<Piece>),
    /// What an expression of DWARF yields; [`super::DebugInfo::evaluate`] carries it out.
    Computed(Computed),
    /// Nowhere at this address.
    OptimizedAway,
}

/// A part of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where in the variable.
    pub offset_bytes: u32,
    /// Bytes; None: as many as the variable has from there on.
    pub size_bytes: Option<u32>,
    /// Where it lives.
    pub place: Place,
}

/// An expression that only its own debug information can carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// Where it was found: the format's own reference of the unit.
    pub unit: u64,
    /// The address that it holds for.
    pub rva: Rva,
    /// The operations.
    pub operations: Vec<u8>,
    /// The operations of the function's frame base; empty if it has none.
    pub frame_base: Vec<u8>,
}

/// A bound of an array's dimension that is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The index of its last element.
    pub value: BoundValue,
    /// The index of its first element; 1 where the value is how many there are.
    pub first: i64,
}

/// Where a bound's number comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoundValue {
    /// What the computation of a place results in, which is no address.
    Result(Place),
    /// What a variable holds.
    Variable {
        /// Where it lives.
        place: Place,
        /// Its size.
        size_bytes: u64,
    },
}

/// What identities of functions begin with that mean something only in one file.
pub const LOCAL_IDENTITY: char = '#';

/// Whom a call calls. What a caller passed is known only to the function that it called: another may run in that frame
/// that was jumped to from there (a tail call).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallTarget {
    /// The function with this identity, see [`super::DebugInfo::function_identity`].
    Function(String),
    /// The one at the address that is there in the caller.
    Address(Place),
}

/// A call that is the last thing a function does: a jump, so that the called function returns to the caller of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailCall {
    /// Where an ordinary call in its place would return to: behind the jump.
    pub return_address: Rva,
    /// Whom it calls, if that is told.
    pub target: Option<CallTarget>,
}

/// Which of the things that a call passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// What is in a register.
    Register(Register),
    /// A parameter that the compiler took out of the function, which all callers still know (`DW_OP_GNU_parameter_ref`):
    /// gcc's `sre_ucs1_charset.isra.0` of Python lost its `state` so. The number of its first entry.
    Parameter(TypeId),
}

/// Where a variable is in one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Located {
    /// At an address.
    Memory(u64),
    /// In a register whose value is known in the frame, from this byte on.
    Register {
        /// The whole register.
        register: Register,
        /// Where the variable begins in it.
        first_byte: u8,
    },
    /// In a vector register.
    Vector(u8),
    /// At an offset in the thread's block of the module's thread-local storage.
    ThreadLocal(u64),
    /// Nowhere, but these are its bytes, as many as are known.
    Value(Vec<u8>),
    /// In parts.
    Pieces(Vec<LocatedPiece>),
    /// Not to be had.
    Absent(Missing),
}

/// A part of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatedPiece {
    /// Where in the variable, in bits from its first byte's least significant bit.
    pub offset_bits: u32,
    /// Bits; None: all the rest.
    pub size_bits: Option<u32>,
    /// Where it is.
    pub located: Located,
}

/// Why a variable is not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It lives nowhere at this address.
    OptimizedAway,
    /// It depends on this register, whose value is not known in the frame.
    Register(Register),
    /// It depends on a vector register, whose value is not known in the frame.
    Vector(u8),
    /// It depends on where the frame begins, which is not known.
    FrameBase,
    /// It depends on memory that is absent; the address is the first byte that is.
    Memory(u64),
    /// It depends on what a caller passed, and no caller tells.
    EntryValue,
    /// Its expression is damaged, or asks for what a dump does not have.
    Expression,
}

/// A frame, as expressions see it.
pub trait Machine: ReadMemory {
    /// The processor.
    fn cpu(&self) -> Cpu;

    /// The value of a general register in the frame.
    fn register(&self, register: Register) -> Option<u64>;

    /// The value of a vector register in the frame.
    fn vector(&self, index: u8) -> Option<u128>;

    /// The canonical frame address.
    fn cfa(&self) -> Option<u64>;

    /// The base of an x86 frame that is relative to no register (`$T0` of its frame data).
    fn virtual_frame(&self) -> Option<u64>;

    /// The base address of the module whose code the frame runs.
    fn module_base(&self) -> Option<u64>;

    /// What the caller passed in the call that this frame is of, as far as the debug information of the caller says it
    /// (`DW_TAG_call_site_parameter`).
    fn entry_value(&self, passed: Passed) -> Option<u64>;
}
