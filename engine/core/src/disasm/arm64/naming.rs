//! Which numbers are addresses, and the names in their place.
//!
//! An address takes two instructions: `adrp x8, 0x140003000` makes the page, `add x0, x8, #0x88` or
//! `ldr w9, [x8, #0x88]` adds the rest. The second one is named: as in Microsoft's assembler the name stands for the
//! number, `ldr w9, [x8, g_counter (0x140003088)]`.

use super::operand::{Place, Shape};
use super::pages::Pages;
use super::syntax::WrittenOperand;
use crate::disasm::names::{Label, Name, Names, data_at};

/// Names the operands of one instruction.
pub(super) struct Namer<'a> {
    pub address: u64,
    pub mnemonic: &'a str,
    pub pages: &'a Pages,
    pub names: &'a dyn Names,
}

/// An operand as shown.
pub(super) struct Named {
    pub text: String,
    pub name: Option<Name>,
}

impl Namer<'_> {
    /// `operand`, which is one of `all`.
    pub fn name(&self, operand: &WrittenOperand, all: &[WrittenOperand]) -> Named {
        let named = match &operand.shape {
            Shape::Address(address) => self.stated(*address),
            Shape::Immediate(_) => self.pages.sum(self.mnemonic, all).and_then(|address| self.data(address, true)),
            Shape::Memory(place) if place.index.is_none() && !place.writes_base => self.memory(place),
            _ => None,
        };
        named.unwrap_or_else(|| Named { text: operand.text.clone(), name: None })
    }

    /// An address relative to the instruction's own.
    fn stated(&self, address: u64) -> Option<Named> {
        match self.mnemonic {
            // A page has no name: what begins there is not meant.
            "adrp" => None,
            "adr" => self.data(address, true),
            mnemonic if mnemonic.starts_with("ldr") => self.data(address, false),
            _ => Some(written(Name::Symbol(self.names.symbol(address)?), address)),
        }
    }

    fn data(&self, address: u64, may_guess: bool) -> Option<Named> {
        data_at(self.names, address, may_guess).map(|name| written(name, address))
    }

    fn memory(&self, place: &Place) -> Option<Named> {
        let register = place.base.general()?;
        if let Some(page) = self.pages.get(register) {
            let Named { text, name } = self.data(page.wrapping_add(place.displacement as u64), false)?;
            return Some(Named { text: format!("[{}, {text}]", place.base.name), name });
        }
        let label = self.names.local(self.address, register, place.displacement)?;
        Some(Named { text: format!("[{}]", shown(&label)), name: Some(Name::Local(label)) })
    }
}

fn written(name: Name, address: u64) -> Named {
    let text = match &name {
        Name::Symbol(label) | Name::Local(label) => format!("{} ({address:#x})", shown(label)),
        Name::Literal(literal) => format!("string {} ({address:#x})", literal.quoted()),
    };
    Named { text, name: Some(name) }
}

/// `main`, `main+0x14`.
fn shown(label: &Label) -> String {
    match label.offset {
        0 => label.name.clone(),
        offset => format!("{}+{offset:#x}", label.name),
    }
}
