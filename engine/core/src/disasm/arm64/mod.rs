//! Disassembly of ARM64 in the syntax of LLVM: `ldr x0, [x1, #0x10]`.
//!
//! | module | subject |
//! | --- | --- |
//! | `syntax` | what the decoder writes, split into operands |
//! | `spelling` | where that is not LLVM's text, or wrong |
//! | `operand` | an operand's text, read as data |
//! | `effects` | flow; what an instruction reads, writes and how much |
//! | `naming` | which numbers are addresses, and the names in their place |
//! | `pages` | registers that hold an address because `adrp` put it there |
//!
//! Sources: Arm Architecture Reference Manual for A-profile architecture, section C6 (by way of yaxpeax-arm); the
//! output of llvm-objdump.

mod effects;
mod naming;
mod operand;
mod pages;
mod spelling;
mod syntax;

use super::forward::{Ended, Limit, Listing, invalid};
use super::instruction::{Flow, Instruction};
use super::names::Names;
use naming::Namer;
use operand::Shape;
use pages::Pages;

const INSTRUCTION_BYTES: usize = 4;
/// Instructions before the wanted ones that are looked at for the first half of an address.
const LEAD_INSTRUCTIONS: usize = 32;

/// See [`disassemble`](super::disassemble). A word that is no instruction gives one entry `(bad)` of four bytes.
pub(super) fn disassemble(code: &[u8], address: u64, limit: Limit, names: &dyn Names) -> Listing {
    let mut pages = Pages::default();
    let mut instructions = Vec::new();
    for bytes in code.chunks_exact(INSTRUCTION_BYTES) {
        let here = after(address, instructions.len());
        if limit.is_reached(instructions.len(), here) {
            return Listing { instructions, ended: Ended::Limit };
        }
        instructions.push(describe(bytes, here, &mut pages, names));
    }
    let here = after(address, instructions.len());
    let is_reached = limit.is_reached(instructions.len(), here);
    Listing { instructions, ended: if is_reached { Ended::Limit } else { Ended::OutOfBytes(here) } }
}

/// See [`disassemble_before`](super::disassemble_before): all instructions have four bytes, so nothing is searched.
pub(super) fn disassemble_before(code_before: &[u8], address: u64, count: usize, names: &dyn Names) -> Listing {
    let available = code_before.len() / INSTRUCTION_BYTES;
    let wanted = count.min(available);
    let decoded = available.min(wanted.saturating_add(LEAD_INSTRUCTIONS));
    let code = &code_before[code_before.len() - decoded * INSTRUCTION_BYTES..];
    let start = address.wrapping_sub(code.len() as u64);
    let mut listing = disassemble(code, start, Limit::Count(decoded), names);
    listing.instructions.drain(..decoded - wanted);
    let first_address = address.wrapping_sub((wanted * INSTRUCTION_BYTES) as u64);
    listing.ended = if wanted < count { Ended::OutOfBytes(first_address) } else { Ended::Limit };
    listing
}

/// The address `count` instructions after `address`.
fn after(address: u64, count: usize) -> u64 {
    address.wrapping_add((count as u64).wrapping_mul(INSTRUCTION_BYTES as u64))
}

fn describe(bytes: &[u8], address: u64, pages: &mut Pages, names: &dyn Names) -> Instruction {
    let Some(written) = syntax::read(bytes, address) else {
        *pages = Pages::default();
        return invalid(address, bytes);
    };
    let namer = Namer { address, mnemonic: &written.mnemonic, pages, names };
    let named: Vec<_> = written.operands.iter().map(|operand| namer.name(operand, &written.operands)).collect();
    let flow = effects::flow(&written.mnemonic);
    let target = written.operands.iter().find_map(|operand| match operand.shape {
        Shape::Address(target) if flow != Flow::Next => Some(target),
        _ => None,
    });
    let operands = named.iter().map(|named| named.text.as_str()).collect::<Vec<_>>().join(", ");
    let operand_list = effects::operands(&written, named, flow);
    pages.execute(&written, &operand_list, flow);
    Instruction { address, bytes: bytes.to_vec(), mnemonic: written.mnemonic, operands, flow, target, operand_list }
}
