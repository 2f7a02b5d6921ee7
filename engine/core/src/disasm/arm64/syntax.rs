//! What the decoder writes, made LLVM's and split into operands.
//!
//! Most of what programs consist of has a preferred alias: `mov` for `orr` and `movz`, `cmp` for `subs`, `lsl` for
//! `ubfm`. The decoder knows the aliases in its text only, not in its data. So operands are read from the text.

use super::operand::{self, Shape};
use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::armv8::a64::{InstDecoder, Instruction as Decoded, Opcode, Operand as DecodedOperand};

/// An instruction as LLVM writes it.
pub(super) struct Written {
    pub mnemonic: String,
    pub operands: Vec<WrittenOperand>,
}

/// One operand: a shift or an extension belongs to the register, what moves the base to the memory operand.
pub(super) struct WrittenOperand {
    pub text: String,
    pub shape: Shape,
}

/// Mnemonics whose constants are numbers of bits, which LLVM writes in decimal digits.
const COUNTS_BITS: [&str; 11] = ["lsl", "lsr", "asr", "ror", "ubfx", "sbfx", "ubfiz", "sbfiz", "bfi", "bfxil", "bfc"];
/// What an operand that modifies the one before begins with.
const MODIFIERS: [&str; 13] =
    ["lsl", "lsr", "asr", "ror", "msl", "uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"];

/// The instruction in `bytes`, which lie at `address`; `None` if they are none.
pub(super) fn read(bytes: &[u8], address: u64) -> Option<Written> {
    let word = u32::from_le_bytes(bytes.try_into().ok()?);
    let decoded = InstDecoder::default().decode(&mut U8Reader::new(bytes)).ok().filter(|it| is_valid(it, word))?;
    let text = decoded.to_string();
    let (mnemonic, rest) = text.split_once(' ').unwrap_or((&text, ""));
    let mut texts = split(rest);
    if let Some(constant) = moved_constant(&decoded) {
        texts.truncate(1);
        texts.push(constant);
    }
    restore_extension(&mut texts, word);
    let operands = texts.iter().enumerate().map(|(index, text)| {
        let text = respell(text, index, mnemonic, &decoded, word, address);
        WrittenOperand { shape: operand::read(&text), text }
    });
    Some(Written { mnemonic: mnemonic.to_owned(), operands: operands.collect() })
}

/// Whether `decoded`, made of `word`, is an instruction: the decoder lets a few pass that are reserved.
fn is_valid(decoded: &Decoded, word: u32) -> bool {
    let is_shift_too_large = decoded.operands.iter().any(|operand| match operand {
        DecodedOperand::RegShift(_, amount, yaxpeax_arm::armv8::a64::SizeCode::W, _) => *amount > 31,
        _ => false,
    });
    match decoded.opcode {
        Opcode::Invalid => false,
        // Its upper half is zero.
        Opcode::UDF => word >> 16 == 0,
        _ => !is_shift_too_large,
    }
}

/// The operands of a text, with what modifies them.
fn split(text: &str) -> Vec<String> {
    let mut operands: Vec<String> = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    let mut push = |piece: &str| match operands.last_mut() {
        Some(last) if modifies(piece) || last.starts_with('[') => {
            last.push_str(", ");
            last.push_str(piece);
        }
        _ => operands.push(piece.to_owned()),
    };
    for (at, letter) in text.char_indices() {
        match letter {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        push(last);
    }
    operands
}

fn modifies(piece: &str) -> bool {
    let word = piece.split(' ').next().unwrap_or(piece);
    MODIFIERS.contains(&word)
}

/// The constant of a `mov` that is made of 16 bits: LLVM gives it the sign of its register's width.
fn moved_constant(decoded: &Decoded) -> Option<String> {
    use yaxpeax_arm::armv8::a64::SizeCode;
    let (DecodedOperand::Register(size, _), DecodedOperand::ImmShift(bits, shift)) =
        (decoded.operands[0], decoded.operands[1])
    else {
        return None;
    };
    let shifted = u64::from(bits).checked_shl(shift.into()).unwrap_or(0);
    let value = match decoded.opcode {
        Opcode::MOVZ => shifted,
        Opcode::MOVN => !shifted,
        _ => return None,
    };
    Some(signed(if size == SizeCode::W { i64::from(value as i32) } else { value as i64 }))
}

fn signed(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("#{sign}{:#x}", value.unsigned_abs())
}

/// The decoder takes `uxtw` and `uxtx` for `lsl`, which they are only beside the stack pointer.
///
/// Source: Arm Architecture Reference Manual, `ADD (extended register)`, `CMP (extended register)`.
fn restore_extension(texts: &mut [String], word: u32) {
    let is_extended_register = word >> 21 & 0xff == 0b0101_1001;
    let (is_64_bits, sets_flags) = (word >> 31 == 1, word >> 29 & 1 == 1);
    let extension = match word >> 13 & 7 {
        0b010 => "uxtw",
        0b011 => "uxtx",
        _ => return,
    };
    let stack_pointer = 31;
    let uses_stack_pointer = word >> 5 & 31 == stack_pointer || (word & 31 == stack_pointer && !sets_flags);
    let is_lsl = uses_stack_pointer && is_64_bits == (extension == "uxtx");
    let Some(last) = texts.last_mut().filter(|_| is_extended_register && !is_lsl) else { return };
    let register = last.split(',').next().unwrap_or_default().to_owned();
    *last = match word >> 10 & 7 {
        0 => format!("{register}, {extension}"),
        amount => format!("{register}, {extension} #{amount}"),
    };
}

/// One operand, written as LLVM does.
fn respell(text: &str, index: usize, mnemonic: &str, decoded: &Decoded, word: u32, address: u64) -> String {
    if let Some(distance) = text.strip_prefix('$') {
        let base = if mnemonic == "adrp" { address & !0xfff } else { address };
        return format!("{:#x}", base.wrapping_add(distance_bytes(distance) as u64));
    }
    if let Some(DecodedOperand::ImmediateDouble(value)) = decoded.operands.get(index)
        && mnemonic == "fmov"
    {
        return format!("#{value:.8}");
    }
    if let Some(DecodedOperand::SystemReg(encoding)) = decoded.operands.get(index) {
        return system_register(*encoding);
    }
    if let Some(digits) = text.strip_prefix("#0x")
        && COUNTS_BITS.contains(&mnemonic)
        && let Ok(count) = u64::from_str_radix(digits, 16)
    {
        return format!("#{count}");
    }
    // The extended index of a byte is shifted by nothing; only with this bit set that is written.
    let is_shift_encoded = word >> 12 & 1 == 1;
    match text.strip_suffix(" #0]") {
        Some(start) if !is_shift_encoded => format!("{start}]"),
        _ => text.to_owned(),
    }
}

/// `+0x10`, `-0x10`.
fn distance_bytes(text: &str) -> i64 {
    let digits = text.trim_start_matches(['+', '-']).trim_start_matches("0x");
    let value = i64::from_str_radix(digits, 16).unwrap_or(0);
    if text.starts_with('-') { value.wrapping_neg() } else { value }
}

/// A system register: those that applications use by name, the others by their fields, `S3_0_C4_C2_2`.
///
/// Source: Arm Architecture Reference Manual, section D19 (encodings of `MRS`), of which `encoding` holds op0's last
/// bit, op1, CRn, CRm and op2.
fn system_register(encoding: u16) -> String {
    let name = match encoding {
        0x4000 => "MIDR_EL1",
        0x4005 => "MPIDR_EL1",
        0x4212 => "CurrentEL",
        0x5801 => "CTR_EL0",
        0x5807 => "DCZID_EL0",
        0x5a10 => "NZCV",
        0x5a20 => "FPCR",
        0x5a21 => "FPSR",
        0x5e82 => "TPIDR_EL0",
        0x5e83 => "TPIDRRO_EL0",
        0x5f00 => "CNTFRQ_EL0",
        0x5f01 => "CNTPCT_EL0",
        0x5f02 => "CNTVCT_EL0",
        0x5ce8 => "PMCCNTR_EL0",
        _ => {
            let field = |shift: u16, bits: u16| encoding >> shift & ((1 << bits) - 1);
            let (op0, op1, crn) = (2 + field(14, 1), field(11, 3), field(7, 4));
            return format!("S{op0}_{op1}_C{crn}_C{}_{}", field(3, 4), field(0, 3));
        }
    };
    name.to_owned()
}
