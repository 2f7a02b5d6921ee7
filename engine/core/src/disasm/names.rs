//! Names in operands: which addresses in an instruction may be named, and how a name is written.
//!
//! A wrong name is worse than none. Targets of calls and jumps, and memory at a stated address, are addresses for
//! certain and take any name. A constant or a displacement is only a number: it is taken for an address if it is
//! encoded as wide as an address and something begins exactly there.

use super::facts;
use super::instruction::Segment;
use super::strings::{Literal, is_literal_symbol};
use crate::registers::{Cpu, Register};
use iced_x86::{Instruction as Decoded, Mnemonic, OpKind};
use std::fmt;

/// The first 64 KiB are never mapped, on Windows or Linux: a number below is no address.
const LOWEST_ADDRESS: u64 = 0x1_0000;

/// What lies at an address. Every answer may be "unknown".
pub trait Names {
    /// The symbol nearest at or below `address` that can be meant by it, and the distance from it in bytes.
    fn symbol(&self, address: u64) -> Option<Label>;

    /// The string literal that starts at `address`, if that memory is known, neither writable nor executable, and is a
    /// string by its symbol (its encoding is [`Encoding::of_symbol`](super::strings::Encoding::of_symbol), its text
    /// [`Literal::decode`]) or by its looks ([`looks_like_text`](super::strings::looks_like_text)).
    fn string(&self, address: u64) -> Option<Literal>;

    /// The local variable or parameter that lives at `register` + `displacement` when the instruction at `pc` is
    /// about to execute, and the distance in bytes from its start.
    fn local(&self, pc: u64, register: Register, displacement: i64) -> Option<Label>;
}

/// Knows no name.
#[derive(Debug, Clone, Copy)]
pub struct NoNames;

impl Names for NoNames {
    fn symbol(&self, _address: u64) -> Option<Label> {
        None
    }

    fn string(&self, _address: u64) -> Option<Literal> {
        None
    }

    fn local(&self, _pc: u64, _register: Register, _displacement: i64) -> Option<Label> {
        None
    }
}

/// A name and a distance from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Of the symbol or variable, decorated or not: as it is to be shown.
    pub name: String,
    /// Bytes from its start.
    pub offset: u64,
}

/// `main`, `main+4`, `main+14h`.
impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            0 => f.write_str(&self.name),
            1..=9 => write!(f, "{}+{}", self.name, self.offset),
            offset => write!(f, "{}+{}", self.name, with_leading_digit(offset)),
        }
    }
}

/// What a name in an operand stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A function, global or other symbol.
    Symbol(Label),
    /// A string literal.
    Literal(Literal),
    /// A local variable or parameter.
    Local(Label),
}

/// How one operand is written.
#[derive(Debug, Clone, Default)]
pub(super) struct Naming {
    /// The name, if there is one.
    pub name: Option<Name>,
    /// What stands in place of the number, if not the number itself.
    pub text: Option<String>,
    /// Whether the text stands for the base register too, as `message` does for `ebp-8`.
    pub replaces_base: bool,
}

impl Naming {
    fn of_address(name: Option<Name>, address: u64) -> Naming {
        let written = written_address(address);
        let text = match &name {
            Some(Name::Symbol(label) | Name::Local(label)) => format!("{label} ({written})"),
            Some(Name::Literal(literal)) => format!("string {} ({written})", literal.quoted()),
            None => written,
        };
        Naming { name, text: Some(text), replaces_base: false }
    }

    fn of_local(label: Label) -> Naming {
        Naming { text: Some(label.to_string()), name: Some(Name::Local(label)), replaces_base: true }
    }

    fn number_as(text: String) -> Naming {
        Naming { text: Some(text), ..Naming::default() }
    }
}

/// How operand `index` of `decoded` is written.
pub(super) fn naming(decoded: &Decoded, index: u32, cpu: Cpu, names: &dyn Names) -> Naming {
    match decoded.op_kind(index) {
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64 => branch(decoded, cpu, names),
        OpKind::Immediate32 if cpu == Cpu::X86 => immediate(decoded, u64::from(decoded.immediate32()), names),
        OpKind::Immediate64 => immediate(decoded, decoded.immediate64(), names),
        OpKind::Memory => memory(decoded, cpu, names),
        _ => Naming::default(),
    }
}

fn branch(decoded: &Decoded, cpu: Cpu, names: &dyn Names) -> Naming {
    let target = decoded.near_branch_target();
    match names.symbol(target) {
        Some(label) => Naming::of_address(Some(Name::Symbol(label)), target),
        // Visual Studio writes a bare target like the addresses in its first column: padded, without `h`.
        None if cpu == Cpu::X86 => Naming::number_as(format!("{target:08X}")),
        None => Naming::number_as(format!("{target:016X}")),
    }
}

fn immediate(decoded: &Decoded, value: u64, names: &dyn Names) -> Naming {
    let may_be_address = matches!(decoded.mnemonic(), Mnemonic::Mov | Mnemonic::Push | Mnemonic::Cmp | Mnemonic::Add);
    if !may_be_address || value < LOWEST_ADDRESS {
        return Naming::default();
    }
    match data_at(names, value, true) {
        Some(name) if begins_there(&name) => Naming::of_address(Some(name), value),
        _ => Naming::default(),
    }
}

fn memory(decoded: &Decoded, cpu: Cpu, names: &dyn Names) -> Naming {
    let facts = facts::memory(decoded, cpu);
    if facts.segment == Some(Segment::Fs) && cpu == Cpu::X86 && facts.base.is_none() && facts.index.is_none() {
        // Every prologue with exception handling has `mov eax,dword ptr fs:[00000000h]`: Visual Studio pads it.
        return Naming::number_as(format!("{:08X}h", facts.displacement));
    }
    if facts.segment.is_some() {
        return Naming::default();
    }
    if let Some(address) = facts.absolute_address() {
        let is_address_taken = decoded.mnemonic() == Mnemonic::Lea;
        return Naming::of_address(data_at(names, address, is_address_taken), address);
    }
    if let Some(table) = table(decoded, cpu, facts.base.is_some(), names) {
        return table;
    }
    let Some(base) = facts.base else { return Naming::default() };
    match base.general() {
        Some(register) if base.size_bytes == cpu.pointer_size_bytes() && !moves_stack(decoded, cpu) => {
            let local = names.local(decoded.ip(), register, facts.displacement);
            local.map(Naming::of_local).unwrap_or_default()
        }
        _ => Naming::default(),
    }
}

/// An x86 displacement beside registers may be a table: `table (0404000h)[eax*4]`. With a base register it is more
/// often a large offset in a structure, so something must begin exactly there.
fn table(decoded: &Decoded, cpu: Cpu, has_base: bool, names: &dyn Names) -> Option<Naming> {
    let address = u64::from(decoded.memory_displacement32());
    if cpu != Cpu::X86 || decoded.memory_displ_size() != 4 || address < LOWEST_ADDRESS {
        return None;
    }
    let name = data_at(names, address, false)?;
    (!has_base || begins_there(&name)).then(|| Naming::of_address(Some(name), address))
}

/// `lea rsp,[rbp+10h]` in an epilogue computes a stack pointer; a variable that lives there is not meant.
fn moves_stack(decoded: &Decoded, cpu: Cpu) -> bool {
    decoded.mnemonic() == Mnemonic::Lea
        && facts::register(decoded.op_register(0), cpu)
            .general()
            .is_some_and(|target| target == cpu.stack_pointer() || target == cpu.frame_pointer())
}

fn begins_there(name: &Name) -> bool {
    match name {
        Name::Symbol(label) | Name::Local(label) => label.offset == 0,
        Name::Literal(_) => true,
    }
}

/// A literal's own symbol says less than its text, any other symbol that begins at `address` says more. Where the
/// address itself is taken (`may_guess`), text without a symbol is believed too; where the memory is read, eight
/// bytes of a constant must not turn into text.
pub(super) fn data_at(names: &dyn Names, address: u64, may_guess: bool) -> Option<Name> {
    let label = names.symbol(address);
    let exact = label.as_ref().filter(|label| label.offset == 0);
    let has_literal_symbol = exact.is_some_and(|label| is_literal_symbol(&label.name));
    if (has_literal_symbol || (may_guess && exact.is_none()))
        && let Some(literal) = names.string(address)
    {
        return Some(Name::Literal(literal));
    }
    label.map(Name::Symbol)
}

/// `09F7B30h`: a zero, the digits without padding, `h`.
fn written_address(address: u64) -> String {
    format!("0{address:X}h")
}

/// `10h`, `0A0h`: a zero only before a letter, as MASM demands.
fn with_leading_digit(number: u64) -> String {
    let digits = format!("{number:X}h");
    if digits.starts_with(|first: char| first.is_ascii_digit()) { digits } else { format!("0{digits}") }
}
