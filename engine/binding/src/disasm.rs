//! `Instruction` and `Operand`.

use pyo3::prelude::*;
use stillframe_engine::disasm::{self, Access, Flow, Name, NamedRegister, OperandKind, Segment};

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
#[derive(Clone)]
pub struct Operand {
    kind: &'static str,
    text: String,
    name: Option<String>,
    size_bytes: usize,
    access: &'static str,
    register: Option<String>,
    value: Option<i128>,
    segment: Option<&'static str>,
    base: Option<String>,
    index: Option<String>,
    is_index_signed: bool,
    scale: u8,
}

impl From<disasm::Operand> for Operand {
    fn from(operand: disasm::Operand) -> Operand {
        let mut record = Operand {
            kind: "register",
            text: operand.text,
            name: operand.name.map(name_text),
            size_bytes: operand.size_bytes,
            access: match operand.access {
                Access::None => "none",
                Access::Read => "read",
                Access::Write => "write",
                Access::ReadWrite => "read_write",
            },
            register: None,
            value: None,
            segment: None,
            base: None,
            index: None,
            is_index_signed: false,
            scale: 1,
        };
        match operand.kind {
            OperandKind::Register(register) => record.register = Some(register.name),
            OperandKind::Immediate(value) => (record.kind, record.value) = ("immediate", Some(i128::from(value))),
            OperandKind::Branch(target) => (record.kind, record.value) = ("branch", Some(i128::from(target))),
            OperandKind::Memory(memory) => {
                record.kind = "memory";
                record.value = Some(match memory.absolute_address() {
                    Some(address) => i128::from(address),
                    None => i128::from(memory.displacement),
                });
                record.segment = memory.segment.map(|segment| match segment {
                    Segment::Fs => "fs",
                    Segment::Gs => "gs",
                });
                record.is_index_signed = memory.is_index_signed;
                let name = |register: Option<NamedRegister>| register.map(|register| register.name);
                (record.base, record.index, record.scale) = (name(memory.base), name(memory.index), memory.scale);
            }
        }
        record
    }
}

fn name_text(name: Name) -> String {
    match name {
        Name::Symbol(label) | Name::Local(label) => label.to_string(),
        Name::Literal(literal) => literal.quoted(),
    }
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
pub struct Instruction {
    address: u64,
    data: Vec<u8>,
    mnemonic: String,
    operands: String,
    flow: &'static str,
    target: Option<u64>,
    operand_list: Vec<Operand>,
}

impl From<disasm::Instruction> for Instruction {
    fn from(instruction: disasm::Instruction) -> Instruction {
        Instruction {
            address: instruction.address,
            data: instruction.bytes,
            mnemonic: instruction.mnemonic,
            operands: instruction.operands,
            flow: match instruction.flow {
                Flow::Next => "next",
                Flow::Call => "call",
                Flow::Conditional => "conditional",
                Flow::Jump => "jump",
                Flow::Return => "return",
                Flow::Interrupt => "interrupt",
                Flow::Invalid => "invalid",
            },
            target: instruction.target,
            operand_list: instruction.operand_list.into_iter().map(Operand::from).collect(),
        }
    }
}
