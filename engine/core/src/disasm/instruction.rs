//! What is known about one decoded instruction.

use super::names::Name;
use crate::registers::Register;

/// One instruction, or what begins none ([`Flow::Invalid`]): one byte of x86 and x64, four of ARM64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Of its first byte.
    pub address: u64,
    /// Its bytes, 1 to 15.
    pub bytes: Vec<u8>,
    /// Prefixes and mnemonic in lower case, `rep stos`; `(bad)` where no instruction begins.
    pub mnemonic: String,
    /// All operands, `dword ptr [message],offset string "Hello World!\n" (09F7B30h)`, `w0, [x8, g_counter (0x140003010)]`;
    /// empty if there are none.
    pub operands: String,
    /// Where execution goes next.
    pub flow: Flow,
    /// The destination of a direct call, jump or conditional jump.
    pub target: Option<u64>,
    /// The operands that `operands` shows, in the same order. Conditions, kinds of barrier and numbers with a fraction are
    /// shown only; the registers of an ARM64 group, `{v0.4s, v1.4s}`, are one operand each.
    pub operand_list: Vec<Operand>,
}

impl Instruction {
    /// The address that a memory operand states outright: absolute or relative to the instruction pointer.
    /// Operands relative to FS or GS state none. `lea` counts, though it reads no memory.
    pub fn memory_address(&self) -> Option<u64> {
        self.operand_list.iter().find_map(|operand| match &operand.kind {
            OperandKind::Memory(memory) => memory.absolute_address(),
            _ => None,
        })
    }

    /// The address of the byte after it.
    pub fn next_address(&self) -> u64 {
        self.address.wrapping_add(self.bytes.len() as u64)
    }
}

/// Where execution goes after an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// On to the next one.
    Next,
    /// Into a function, which normally returns to the next one.
    Call,
    /// To the target or to the next one.
    Conditional,
    /// To the target, never to the next one.
    Jump,
    /// Back to the caller.
    Return,
    /// Into the operating system: an interrupt, a breakpoint, `ud2`, a system call.
    Interrupt,
    /// Nowhere: no instruction begins here.
    Invalid,
}

/// One operand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// As shown, `dword ptr [message]`.
    pub text: String,
    /// Bytes that the instruction moves or uses; 0 where there is no such number (`lea`).
    pub size_bytes: usize,
    /// What the instruction does with it.
    pub access: Access,
    /// The name that `text` uses for an address.
    pub name: Option<Name>,
    /// What it is.
    pub kind: OperandKind,
}

/// What an instruction does with an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It only computes with the operand's address (`lea`), or does nothing with it.
    None,
    /// Reads, always or on a condition.
    Read,
    /// Writes, always or on a condition.
    Write,
    /// Reads, and writes always or on a condition.
    ReadWrite,
}

/// What an operand is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperandKind {
    /// A register.
    Register(NamedRegister),
    /// A constant, cut to `size_bytes` after sign extension.
    Immediate(u64),
    /// The destination of a direct call or jump.
    Branch(u64),
    /// Memory, or an address computed like that of memory.
    Memory(Memory),
}

/// The address of a memory operand: segment base + base + index * scale + displacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// FS or GS; the other segments begin at 0 in the programs of today.
    pub segment: Option<Segment>,
    /// The base register. An operand relative to the instruction pointer has none: its displacement is the address.
    pub base: Option<NamedRegister>,
    /// The index register; a vector register for gathers.
    pub index: Option<NamedRegister>,
    /// Whether the index, a register of 32 bits, is extended with its sign (ARM64's `sxtw`).
    pub is_index_signed: bool,
    /// 1, 2, 4 or 8; on ARM64 also 16.
    pub scale: u8,
    /// The displacement in bytes, or the whole address if there is neither base nor index.
    pub displacement: i64,
}

impl Memory {
    /// The address, if the instruction alone says what it is.
    pub fn absolute_address(&self) -> Option<u64> {
        let is_absolute = self.segment.is_none() && self.base.is_none() && self.index.is_none();
        is_absolute.then_some(self.displacement as u64)
    }
}

/// A segment whose base is not 0: Windows and Linux keep the thread's own block there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// The thread block of x86 Windows and of x64 Linux.
    Fs,
    /// The thread block of x64 Windows and of x86 Linux.
    Gs,
}

/// A register by the name that an operand gives it, and where a [`RegisterSet`](crate::registers::RegisterSet)
/// keeps its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRegister {
    /// `al`, `rsp`, `xmm7`, `st0`, `w8`, `x29`, `v3`…
    pub name: String,
    /// Its own size.
    pub size_bytes: usize,
    /// Where its value is kept.
    pub storage: Storage,
}

impl NamedRegister {
    /// The general register that it is, or is a part of.
    pub fn general(&self) -> Option<Register> {
        match self.storage {
            Storage::General { register, .. } => Some(register),
            _ => None,
        }
    }
}

/// Where a register set keeps a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In a general register, from this bit on: 8 for `ah`, `ch`, `dh` and `bh`, else 0.
    General {
        /// The whole register.
        register: Register,
        /// Its first bit in the whole register.
        bit_offset: u8,
    },
    /// In a vector register, from bit 0 on. A set keeps the lower 16 bytes.
    Vector(usize),
    /// Not at all: x87, mask, segment, control and debug registers; ARM64's `xzr`, which is always 0.
    Elsewhere,
}
