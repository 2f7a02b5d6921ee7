//! An operand's text, read as data.

use crate::disasm::instruction::{NamedRegister, Storage};
use crate::registers::{Register, arm64};

/// What an operand's text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// A register, shifted or extended or not; a lane of a vector counts as the vector.
    Register(NamedRegister),
    /// `{v0.4s, v1.4s}`: several, of which a transfer moves this many bytes.
    Registers(Vec<NamedRegister>, usize),
    /// A constant, shifted if it is to be.
    Immediate(i64),
    /// An address relative to the instruction's own.
    Address(u64),
    /// Memory.
    Memory(Place),
    /// A condition, a kind of barrier, a number with a fraction: shown only.
    Word,
}

/// The address of a memory operand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub base: NamedRegister,
    pub index: Option<NamedRegister>,
    /// The index is of 32 bits and has a sign.
    pub is_index_signed: bool,
    /// 1 to 16.
    pub scale: u8,
    /// In bytes; 0 where the base is moved only afterwards.
    pub displacement: i64,
    /// The base is moved, before or afterwards.
    pub writes_base: bool,
}

/// Reads an operand as LLVM writes it; addresses have become plain numbers.
pub(super) fn read(text: &str) -> Shape {
    if let Some(memory) = text.strip_prefix('[') {
        return memory_place(memory).map_or(Shape::Word, Shape::Memory);
    }
    if let Some(group) = text.strip_prefix('{') {
        return registers(group).unwrap_or(Shape::Word);
    }
    let (first, modifier) = text.split_once(", ").unwrap_or((text, ""));
    if let Some(value) = immediate(first) {
        let shift = modifier.strip_prefix("lsl #").and_then(|amount| amount.parse().ok());
        return Shape::Immediate(value.checked_shl(shift.unwrap_or(0)).unwrap_or(0));
    }
    if let Some(address) = first.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
        return Shape::Address(address);
    }
    register(first).map_or(Shape::Word, Shape::Register)
}

/// `#0x10`, `#-0x10`, `#3`; not `#1.50000000`.
fn immediate(text: &str) -> Option<i64> {
    let text = text.strip_prefix('#')?;
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let value = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    } as i64;
    Some(if is_negative { value.wrapping_neg() } else { value })
}

/// What follows the first bracket: `x1, #0x10]`, `x1, w2, sxtw #2]`, `x1, #0x10]!`, `x1], #0x10`.
fn memory_place(text: &str) -> Option<Place> {
    let (inside, behind) = text.split_once(']')?;
    let mut parts = inside.split(", ");
    let mut place = Place {
        base: register(parts.next()?)?,
        index: None,
        is_index_signed: false,
        scale: 1,
        displacement: 0,
        writes_base: !behind.is_empty(),
    };
    for part in parts {
        if let Some(value) = immediate(part) {
            place.displacement = value;
        } else if let Some(index) = register(part) {
            place.index = Some(index);
        } else {
            place.is_index_signed = part.starts_with("sxtw");
            let shift = part.split_once('#').and_then(|(_, amount)| amount.parse().ok());
            place.scale = 1_u8.checked_shl(shift.unwrap_or(0)).unwrap_or(1);
        }
    }
    Some(place)
}

/// What follows the first brace: `v0.4s, v1.4s}`, `v0.s, v1.s}[1]`.
fn registers(text: &str) -> Option<Shape> {
    let (inside, _lane) = text.split_once('}')?;
    let each_bytes = inside.split(", ").next().and_then(transferred_bytes)?;
    let registers: Option<Vec<_>> = inside.split(", ").map(register).collect();
    let registers = registers?;
    let size_bytes = each_bytes * registers.len();
    Some(Shape::Registers(registers, size_bytes))
}

/// The register that `text` names; `None` if it names none that instructions of applications move.
pub(super) fn register(text: &str) -> Option<NamedRegister> {
    let (number, size_bytes) = match text {
        "sp" | "wsp" => (Some(arm64::SP), if text == "sp" { 8 } else { 4 }),
        "xzr" | "wzr" => (None, if text == "xzr" { 8 } else { 4 }),
        _ => return numbered_register(text),
    };
    let storage = match number {
        Some(register) => Storage::General { register, bit_offset: 0 },
        None => Storage::Elsewhere,
    };
    Some(NamedRegister { name: text.to_owned(), size_bytes, storage })
}

fn numbered_register(text: &str) -> Option<NamedRegister> {
    let (name, arrangement) = text.split_once('.').unwrap_or((text, ""));
    let kind = name.chars().next()?;
    let number: u8 = name.get(1..)?.parse().ok().filter(|number| *number < 32)?;
    let size_bytes = match kind {
        'x' => 8,
        'w' => 4,
        'b' => 1,
        'h' => 2,
        's' => 4,
        'd' => 8,
        'q' => 16,
        // Half a vector only where the arrangement says so: `v0.8b`.
        'v' if arrangement.starts_with(|first: char| first.is_ascii_digit()) => transferred_bytes(text)?,
        'v' => 16,
        _ => return None,
    };
    let storage = match kind {
        'x' | 'w' => Storage::General { register: Register(number), bit_offset: 0 },
        _ => Storage::Vector(usize::from(number)),
    };
    Some(NamedRegister { name: name.to_owned(), size_bytes, storage })
}

/// Bytes of `v0.4s` (16) or of one lane, `v0.s` (4).
fn transferred_bytes(text: &str) -> Option<usize> {
    let (_, arrangement) = text.split_once('.')?;
    let count_digits = arrangement.find(|letter: char| !letter.is_ascii_digit())?;
    let lane_bytes = match arrangement.get(count_digits..=count_digits)? {
        "b" => 1,
        "h" => 2,
        "s" => 4,
        "d" => 8,
        "q" => 16,
        _ => return None,
    };
    let count = if count_digits == 0 { 1 } else { arrangement.get(..count_digits)?.parse::<usize>().ok()? };
    (count <= 16).then_some(count * lane_bytes)
}
