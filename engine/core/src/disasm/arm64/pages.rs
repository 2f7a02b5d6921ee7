//! Registers that hold an address because `adrp` put it there.

use super::operand::Shape;
use super::syntax::{Written, WrittenOperand};
use crate::disasm::instruction::{Access, Flow, Operand, OperandKind};
use crate::registers::{Register, arm64};

/// Registers that a function called may change: x0 to x18, and the link register.
///
/// Source: Procedure Call Standard for the Arm 64-bit Architecture, section 6.1.1.
const LAST_SCRATCH: usize = 18;

/// What is known of the general registers in straight-line code.
///
/// A jump into the middle is not excluded. But the two halves of an address belong to one symbol: code that jumps
/// between them made the same page before.
#[derive(Default)]
pub(super) struct Pages {
    known: [Option<u64>; 32],
}

impl Pages {
    /// The address in `register`, if it is known.
    pub fn get(&self, register: Register) -> Option<u64> {
        self.known.get(usize::from(register.0)).copied().flatten()
    }

    /// The address that `add x0, x8, #0x88` makes of a known one.
    pub fn sum(&self, mnemonic: &str, operands: &[WrittenOperand]) -> Option<u64> {
        match operands {
            [_, base, rest] if mnemonic == "add" => match (&base.shape, &rest.shape) {
                (Shape::Register(base), Shape::Immediate(rest)) if base.size_bytes == 8 => {
                    Some(self.get(base.general()?)?.wrapping_add(*rest as u64))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Follows an instruction.
    pub fn execute(&mut self, written: &Written, operands: &[Operand], flow: Flow) {
        let made = match written.operands.as_slice() {
            [_, page] if written.mnemonic == "adrp" => match page.shape {
                Shape::Address(address) => Some(address),
                _ => None,
            },
            all => self.sum(&written.mnemonic, all),
        };
        match flow {
            Flow::Call => {
                self.known[..=LAST_SCRATCH].fill(None);
                self.forget(arm64::LR);
            }
            Flow::Next | Flow::Conditional | Flow::Interrupt => {}
            Flow::Jump | Flow::Return | Flow::Invalid => *self = Pages::default(),
        }
        for operand in operands {
            if let OperandKind::Register(register) = &operand.kind
                && matches!(operand.access, Access::Write | Access::ReadWrite)
                && let Some(register) = register.general()
            {
                self.forget(register);
            }
        }
        for operand in &written.operands {
            if let Shape::Memory(place) = &operand.shape
                && place.writes_base
                && let Some(register) = place.base.general()
            {
                self.forget(register);
            }
        }
        if let (Some(address), Some(Shape::Register(first))) = (made, written.operands.first().map(|it| &it.shape))
            && let Some(slot) = first.general().and_then(|register| self.known.get_mut(usize::from(register.0)))
        {
            *slot = Some(address);
        }
    }

    fn forget(&mut self, register: Register) {
        if let Some(slot) = self.known.get_mut(usize::from(register.0)) {
            *slot = None;
        }
    }
}
