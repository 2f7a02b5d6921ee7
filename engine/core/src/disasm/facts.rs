//! Operands as data: registers, constants and addresses of a decoded instruction.

use super::instruction::{Access, Flow, Memory, NamedRegister, OperandKind, Segment, Storage};
use crate::registers::{Cpu, Register};
use iced_x86::{
    Code, FlowControl, Instruction as Decoded, InstructionInfo, OpAccess, OpKind, Register as IcedRegister,
};

/// Where execution goes after `decoded`.
pub(super) fn flow(decoded: &Decoded) -> Flow {
    match decoded.flow_control() {
        FlowControl::Next => Flow::Next,
        FlowControl::UnconditionalBranch | FlowControl::IndirectBranch => Flow::Jump,
        FlowControl::ConditionalBranch => Flow::Conditional,
        FlowControl::Return => Flow::Return,
        // The decoder counts `syscall`, `sysenter` and `vmcall` as direct calls; they enter another program.
        FlowControl::Call if !decoded.is_call_near() && !decoded.is_call_far() => Flow::Interrupt,
        FlowControl::Call | FlowControl::IndirectCall => Flow::Call,
        FlowControl::XbeginXabortXend => match decoded.code() {
            Code::Xbegin_rel16 | Code::Xbegin_rel32 => Flow::Conditional,
            _ => Flow::Next,
        },
        FlowControl::Interrupt | FlowControl::Exception => Flow::Interrupt,
        #[allow(unreachable_patterns, reason = "the enum may be non-exhaustive")]
        _ => Flow::Next,
    }
}

/// The destination of a direct near call or jump.
pub(super) fn target(decoded: &Decoded) -> Option<u64> {
    (0..decoded.op_count()).any(|index| is_near_branch(decoded.op_kind(index))).then(|| decoded.near_branch_target())
}

/// What operand `index` is, and its size in bytes.
pub(super) fn operand(decoded: &Decoded, index: u32, cpu: Cpu) -> (OperandKind, usize) {
    match decoded.op_kind(index) {
        OpKind::Register => {
            let register = register(decoded.op_register(index), cpu);
            let size_bytes = register.size_bytes;
            (OperandKind::Register(register), size_bytes)
        }
        kind if is_near_branch(kind) => (OperandKind::Branch(decoded.near_branch_target()), cpu.pointer_size_bytes()),
        OpKind::FarBranch16 => (OperandKind::Branch(u64::from(decoded.far_branch16())), 4),
        OpKind::FarBranch32 => (OperandKind::Branch(u64::from(decoded.far_branch32())), 6),
        kind => match immediate_size_bytes(kind) {
            Some(size_bytes) => {
                let value = decoded.try_immediate(index).unwrap_or_default();
                let mask = u64::MAX >> (64 - 8 * size_bytes);
                (OperandKind::Immediate(value & mask), size_bytes)
            }
            None => {
                let memory = if kind == OpKind::Memory { memory(decoded, cpu) } else { implied(kind, decoded, cpu) };
                (OperandKind::Memory(memory), decoded.memory_size().size())
            }
        },
    }
}

/// What the instruction does with operand `index`.
pub(super) fn access(info: &InstructionInfo, index: u32) -> Access {
    match info.try_op_access(index) {
        Ok(OpAccess::Read | OpAccess::CondRead) => Access::Read,
        Ok(OpAccess::Write | OpAccess::CondWrite) => Access::Write,
        Ok(OpAccess::ReadWrite | OpAccess::ReadCondWrite) => Access::ReadWrite,
        _ => Access::None,
    }
}

/// The address of a memory operand that is encoded (not implied, as in `movs`).
pub(super) fn memory(decoded: &Decoded, cpu: Cpu) -> Memory {
    let base = named(decoded.memory_base(), cpu);
    let index = named(decoded.memory_index(), cpu);
    let is_ip_relative = decoded.is_ip_rel_memory_operand();
    let address = if is_ip_relative { decoded.ip_rel_memory_address() } else { decoded.memory_displacement64() };
    let displacement = match address_size_bytes(decoded, cpu) {
        _ if is_ip_relative => address as i64,
        8 => address as i64,
        // Without registers the displacement is an address, which has no sign.
        _ if base.is_none() && index.is_none() => address as i64,
        4 => i64::from(address as i32),
        _ => i64::from(address as i16),
    };
    let base = if is_ip_relative { None } else { base };
    let scale = decoded.memory_index_scale() as u8;
    Memory { segment: segment(decoded), base, index, is_index_signed: false, scale, displacement }
}

/// The memory operand of a string instruction, which has no displacement and no index.
fn implied(kind: OpKind, decoded: &Decoded, cpu: Cpu) -> Memory {
    let (base, can_override) = match kind {
        OpKind::MemorySegSI => (IcedRegister::SI, true),
        OpKind::MemorySegESI => (IcedRegister::ESI, true),
        OpKind::MemorySegRSI => (IcedRegister::RSI, true),
        OpKind::MemorySegDI => (IcedRegister::DI, true),
        OpKind::MemorySegEDI => (IcedRegister::EDI, true),
        OpKind::MemorySegRDI => (IcedRegister::RDI, true),
        OpKind::MemoryESDI => (IcedRegister::DI, false),
        OpKind::MemoryESEDI => (IcedRegister::EDI, false),
        _ => (IcedRegister::RDI, false),
    };
    let segment = if can_override { segment(decoded) } else { None };
    Memory { segment, base: named(base, cpu), index: None, is_index_signed: false, scale: 1, displacement: 0 }
}

/// `register` by name and place.
pub(super) fn register(register: IcedRegister, cpu: Cpu) -> NamedRegister {
    let whole = register.full_register();
    let storage = if register.is_gpr() {
        let is_high_byte =
            matches!(register, IcedRegister::AH | IcedRegister::CH | IcedRegister::DH | IcedRegister::BH);
        Storage::General { register: Register(whole.number() as u8), bit_offset: if is_high_byte { 8 } else { 0 } }
    } else if register.is_ip() {
        Storage::General { register: cpu.instruction_pointer(), bit_offset: 0 }
    } else if register.is_vector_register() && whole.number() < cpu.vector_count() {
        Storage::Vector(whole.number())
    } else {
        Storage::Elsewhere
    };
    NamedRegister { name: format!("{register:?}").to_ascii_lowercase(), size_bytes: register.size(), storage }
}

fn named(iced: IcedRegister, cpu: Cpu) -> Option<NamedRegister> {
    (iced != IcedRegister::None).then(|| register(iced, cpu))
}

fn segment(decoded: &Decoded) -> Option<Segment> {
    match decoded.memory_segment() {
        IcedRegister::FS => Some(Segment::Fs),
        IcedRegister::GS => Some(Segment::Gs),
        _ => None,
    }
}

fn address_size_bytes(decoded: &Decoded, cpu: Cpu) -> usize {
    match (decoded.memory_base(), decoded.memory_index()) {
        (IcedRegister::None, index) if index.is_gpr() => index.size(),
        (IcedRegister::None, _) => cpu.pointer_size_bytes(),
        (base, _) => base.size(),
    }
}

fn is_near_branch(kind: OpKind) -> bool {
    matches!(kind, OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64)
}

fn immediate_size_bytes(kind: OpKind) -> Option<usize> {
    match kind {
        OpKind::Immediate8 | OpKind::Immediate8_2nd => Some(1),
        OpKind::Immediate16 | OpKind::Immediate8to16 => Some(2),
        OpKind::Immediate32 | OpKind::Immediate8to32 => Some(4),
        OpKind::Immediate64 | OpKind::Immediate8to64 | OpKind::Immediate32to64 => Some(8),
        _ => None,
    }
}
