//! Flow; what an instruction reads, writes and how much. The mnemonic says it, and the order of the operands.

use super::naming::Named;
use super::operand::{Place, Shape};
use super::syntax::Written;
use crate::disasm::instruction::{Access, Flow, Memory, NamedRegister, Operand, OperandKind};

/// Only these read their first register.
const WRITE_NOTHING: [&str; 14] =
    ["cmp", "cmn", "tst", "ccmp", "ccmn", "fcmp", "fcmpe", "fccmp", "fccmpe", "msr", "cbz", "cbnz", "tbz", "tbnz"];
/// What the mnemonics begin with that change a part of their first register, or add to it.
const UPDATES: [&str; 37] = [
    "movk", "bfi", "bfxil", "bfc", "mla", "mls", "fmla", "fmls", "smlal", "smlsl", "umlal", "umlsl", "sqdmlal",
    "sqdmlsl", "sqrdmla", "sqrdmls", "saba", "uaba", "sadalp", "uadalp", "ssra", "usra", "srsra", "ursra", "sri",
    "sli", "bsl", "bit", "tbx", "sdot", "udot", "sha", "pac", "aut", "fcmla", "aese", "aesd",
];
/// Operations that the atomic instructions do on memory, `ldadd`, `stadd`.
const ATOMIC: [&str; 8] = ["add", "clr", "eor", "set", "smax", "smin", "umax", "umin"];

/// Where execution goes after an instruction.
pub(super) fn flow(mnemonic: &str) -> Flow {
    match mnemonic {
        "b" | "br" | "braa" | "brab" | "braaz" | "brabz" => Flow::Jump,
        "bl" | "blr" | "blraa" | "blrab" | "blraaz" | "blrabz" => Flow::Call,
        "ret" | "retaa" | "retab" | "eret" | "eretaa" | "eretab" => Flow::Return,
        "cbz" | "cbnz" | "tbz" | "tbnz" => Flow::Conditional,
        "brk" | "svc" | "hvc" | "smc" | "hlt" | "udf" | "dcps1" | "dcps2" | "dcps3" => Flow::Interrupt,
        _ if mnemonic.starts_with("b.") || mnemonic.starts_with("bc.") => Flow::Conditional,
        _ => Flow::Next,
    }
}

/// The operands as data. What is a word only, such as a condition, is none; registers of a group are one each.
pub(super) fn operands(written: &Written, named: Vec<Named>, flow: Flow) -> Vec<Operand> {
    let mnemonic = written.mnemonic.as_str();
    let transfer = Transfer::of(written);
    let mut operands = Vec::with_capacity(named.len());
    for (index, (named, operand)) in named.into_iter().zip(&written.operands).enumerate() {
        let register_access = register_access(written, transfer, index);
        let mut push = |text: String, kind, size_bytes, access| {
            operands.push(Operand { text, size_bytes, access, name: named.name.clone(), kind });
        };
        match &operand.shape {
            Shape::Register(register) => {
                let size_bytes = register.size_bytes;
                push(named.text, OperandKind::Register(register.clone()), size_bytes, register_access);
            }
            Shape::Registers(registers, _) => {
                for register in registers {
                    let kind = OperandKind::Register(register.clone());
                    push(register.name.clone(), kind, register.size_bytes, register_access);
                }
            }
            Shape::Immediate(value) => {
                let size_bytes = operand_bytes(written);
                let mask = u64::MAX >> (64 - 8 * size_bytes);
                push(named.text, OperandKind::Immediate(*value as u64 & mask), size_bytes, Access::Read);
            }
            Shape::Address(target) if flow != Flow::Next => {
                push(named.text, OperandKind::Branch(*target), 8, Access::Read);
            }
            Shape::Address(address) if mnemonic.starts_with("adr") => {
                push(named.text, OperandKind::Immediate(*address), 8, Access::Read);
            }
            Shape::Address(address) => {
                push(named.text, literal(*address), memory_bytes(written, transfer), transfer.access());
            }
            Shape::Memory(place) => {
                push(named.text, memory(place), memory_bytes(written, transfer), transfer.access());
            }
            Shape::Word => {}
        }
    }
    operands
}

fn literal(address: u64) -> OperandKind {
    let displacement = address as i64;
    OperandKind::Memory(Memory {
        segment: None,
        base: None,
        index: None,
        is_index_signed: false,
        scale: 1,
        displacement,
    })
}

fn memory(place: &Place) -> OperandKind {
    OperandKind::Memory(Memory {
        segment: None,
        base: Some(place.base.clone()),
        index: place.index.clone(),
        is_index_signed: place.is_index_signed,
        scale: place.scale,
        displacement: place.displacement,
    })
}

/// How an instruction moves data between registers and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transfer {
    /// Not at all, or it only hints (`prfm`) or tags.
    None,
    Load,
    Store,
    /// `stxr w0, x1, [x2]`: the first register tells whether it was done.
    StoreExclusive,
    /// `ldadd x0, x1, [x2]`, `swp`: memory goes to the second register, and becomes what the first one makes of it.
    Exchange,
    /// `stadd x0, [x1]`.
    Update,
    /// `cas x0, x1, [x2]`: memory goes to the first register; the second one is stored if memory equalled the first.
    CompareAndSwap,
    /// `casp x0, x1, x2, x3, [x4]`.
    CompareAndSwapPair,
}

impl Transfer {
    fn of(written: &Written) -> Transfer {
        let mnemonic = written.mnemonic.as_str();
        let is_atomic = |rest: &str| ATOMIC.iter().any(|operation| rest.starts_with(operation));
        let is_tag = |rest: &str| matches!(rest, "g" | "gm" | "2g" | "zg" | "z2g" | "zgm");
        if mnemonic.starts_with("swp") {
            return Transfer::Exchange;
        }
        if mnemonic.starts_with("casp") {
            return Transfer::CompareAndSwapPair;
        }
        if mnemonic.starts_with("cas") {
            return Transfer::CompareAndSwap;
        }
        match (mnemonic.get(..2), mnemonic.get(2..)) {
            (Some("ld" | "st"), Some(rest)) if is_tag(rest) => Transfer::None,
            (Some("ld"), Some(rest)) if is_atomic(rest) => Transfer::Exchange,
            (Some("ld"), _) => Transfer::Load,
            (Some("st"), Some(rest)) if is_atomic(rest) => Transfer::Update,
            (Some("st"), Some(rest)) if rest.starts_with('x') || rest.starts_with("lx") => Transfer::StoreExclusive,
            (Some("st"), _) => Transfer::Store,
            _ => Transfer::None,
        }
    }

    /// To memory.
    fn access(self) -> Access {
        match self {
            Transfer::None => Access::None,
            Transfer::Load => Access::Read,
            Transfer::Store | Transfer::StoreExclusive => Access::Write,
            Transfer::Exchange | Transfer::Update | Transfer::CompareAndSwap | Transfer::CompareAndSwapPair => {
                Access::ReadWrite
            }
        }
    }

    /// Which of the registers before the memory operand stand for what is moved: from, to.
    fn moved(self) -> (usize, usize) {
        match self {
            Transfer::None => (0, 0),
            Transfer::Load | Transfer::Store | Transfer::Update => (0, usize::MAX),
            Transfer::StoreExclusive => (1, usize::MAX),
            Transfer::Exchange | Transfer::CompareAndSwap => (0, 1),
            Transfer::CompareAndSwapPair => (0, 2),
        }
    }
}

fn register_access(written: &Written, transfer: Transfer, index: usize) -> Access {
    let mnemonic = written.mnemonic.as_str();
    match (transfer, index) {
        // `ld1 {v0.s}[1], [x0]` leaves the other lanes as they are.
        (Transfer::Load, _) if is_lane(written, index) => Access::ReadWrite,
        (Transfer::Load, _) => Access::Write,
        (Transfer::StoreExclusive, 0) | (Transfer::Exchange, 1) => Access::Write,
        (Transfer::CompareAndSwap, 0) | (Transfer::CompareAndSwapPair, 0 | 1) => Access::ReadWrite,
        (Transfer::None, 0) if !WRITE_NOTHING.contains(&mnemonic) && flow(mnemonic) == Flow::Next => {
            first_access(written)
        }
        _ => Access::Read,
    }
}

/// Whether an operand is a lane of a vector, or of several: `v0.s[1]`, `{v0.s, v1.s}[1]`.
fn is_lane(written: &Written, index: usize) -> bool {
    written.operands.get(index).is_some_and(|operand| operand.text.ends_with(']'))
}

/// What is done with the first register of an instruction that writes it.
fn first_access(written: &Written) -> Access {
    let is_vector_constant = written.operands.len() == 2 && matches!(written.mnemonic.as_str(), "orr" | "bic");
    let updates = UPDATES.iter().any(|start| written.mnemonic.starts_with(start));
    if is_lane(written, 0) || is_vector_constant || updates { Access::ReadWrite } else { Access::Write }
}

/// Bytes that go to or from memory.
fn memory_bytes(written: &Written, transfer: Transfer) -> usize {
    let (from, to) = transfer.moved();
    let registers = written.operands.iter().take(to).skip(from);
    let sizes = registers.filter_map(|operand| match &operand.shape {
        Shape::Register(register) => Some(register.size_bytes),
        Shape::Registers(_, size_bytes) => Some(*size_bytes),
        _ => None,
    });
    let count = sizes.clone().count();
    match written.mnemonic.as_str() {
        _ if transfer == Transfer::None => 0,
        mnemonic if mnemonic.ends_with("sw") => 4 * count,
        mnemonic if mnemonic.ends_with('b') => count,
        mnemonic if mnemonic.ends_with('h') => 2 * count,
        // One element for all lanes: `ld1r { v0.4s }, [x0]`.
        mnemonic if mnemonic.starts_with("ld") && mnemonic.ends_with('r') && mnemonic.len() == 4 => {
            element_bytes(written).unwrap_or_else(|| sizes.sum())
        }
        _ => sizes.sum(),
    }
}

/// Bytes of one element of each register in a group.
fn element_bytes(written: &Written) -> Option<usize> {
    let Shape::Registers(registers, _) = &written.operands.first()?.shape else { return None };
    let lane = written.operands.first()?.text.split(['}', ',']).next()?.chars().last()?;
    let each = match lane {
        'b' => 1,
        'h' => 2,
        's' => 4,
        _ => 8,
    };
    Some(each * registers.len())
}

/// Bytes of the general registers that a constant meets: 4 or 8.
fn operand_bytes(written: &Written) -> usize {
    let is_half = |register: &NamedRegister| register.name.starts_with('w');
    match written.operands.first().map(|first| &first.shape) {
        Some(Shape::Register(register)) if is_half(register) => 4,
        _ => 8,
    }
}
