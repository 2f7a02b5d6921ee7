//! What the decoder writes, split into operands.
//!
//! Most of what programs consist of has a preferred alias: `mov` for `orr` and `movz`, `cmp` for `subs`, `lsl` for
//! `ubfm`. The decoder knows the aliases in its text only, not in its data. So operands are read from the text.

use super::operand::{self, Shape};
use super::spelling::{self, Spelled};
use yaxpeax_arch::{Decoder, U8Reader};
use yaxpeax_arm::armv8::a64::{InstDecoder, Instruction as Decoded, Opcode, Operand as DecodedOperand, SizeCode};

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

/// What an operand that modifies the one before begins with.
const MODIFIERS: [&str; 13] =
    ["lsl", "lsr", "asr", "ror", "msl", "uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"];

/// The instruction in `bytes`, which lie at `address`; `None` if they are none.
pub(super) fn read(bytes: &[u8], address: u64) -> Option<Written> {
    let word = u32::from_le_bytes(bytes.try_into().ok()?);
    let decoded = InstDecoder::default().decode(&mut U8Reader::new(bytes)).ok().filter(|it| is_valid(it, word))?;
    let text = decoded.to_string();
    let (mnemonic, rest) = text.split_once(' ').unwrap_or((&text, ""));
    let spelled =
        spelling::correct(Spelled { mnemonic: mnemonic.to_owned(), operands: split(rest) }, &decoded, word, address);
    let operands = spelled.operands.into_iter().map(|text| WrittenOperand { shape: operand::read(&text), text });
    Some(Written { mnemonic: spelled.mnemonic, operands: operands.collect() })
}

/// Whether `decoded`, made of `word`, is an instruction: the decoder lets a few pass that are reserved.
fn is_valid(decoded: &Decoded, word: u32) -> bool {
    let is_shift_too_large = decoded.operands.iter().any(|operand| match operand {
        DecodedOperand::RegShift(_, amount, SizeCode::W, _) => *amount > 31,
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
