//! Expressions that say where something is, carried out in a frame.
//!
//! A pointer that the compiler removed while what it points to is still known (`DW_OP_implicit_pointer`) counts as
//! optimised away: there is no address to show.
//!
//! Source: DWARF 5, sections 2.5 (expressions), 2.6.1 (what they describe), 3.4.2 (values at a call).

use gimli::constants as dw;
use gimli::{
    AttributeValue, DebugInfoOffset, DieReference, EvaluationResult, Expression, Location, Operation, UnitOffset,
    Value, ValueType,
};

use super::Dwarf;
use super::attributes::Described;
use super::entry::Entry;
use super::file::{Need, Slice};
use super::places::Placing;
use super::registers::DwarfRegister;
use super::unit::View;
use crate::address::{ReadMemory, Rva};
use crate::debuginfo::{Computed, Located, LocatedPiece, Machine, Missing, Passed};
use crate::registers::{Cpu, Register};

/// Operations that are carried out; jumps and calls may repeat them.
const MOST_OPERATIONS: u32 = 4096;
/// Expressions in expressions: a frame base, what was passed in a call.
const DEEPEST: usize = 3;

type Piece<'a> = gimli::Piece<Slice<'a>>;

/// An expression's surroundings.
struct Context<'c, 'm> {
    dwarf: &'c Dwarf,
    unit: &'c Entry,
    view: &'c View<'c>,
    machine: &'m dyn Machine,
    computed: &'c Computed,
}

impl Dwarf {
    /// Where something is in a frame that has to be computed.
    pub(super) fn computed(&self, computed: &Computed, machine: &dyn Machine) -> Located {
        let located = || {
            let unit = self.entry_of(crate::debuginfo::TypeId(computed.unit)).ok_or(Missing::Expression)?;
            let view = self.view(&unit.unit, Need::Locations).ok_or(Missing::Expression)?;
            let context = Context { dwarf: self, unit: &unit, view: &view, machine, computed };
            let pieces = context.run(&computed.operations, DEEPEST)?;
            Ok(context.located(&pieces))
        };
        located().unwrap_or_else(Located::Absent)
    }
}

impl<'c> Context<'c, '_> {
    /// Carries operations out.
    fn run<'e>(&'e self, operations: &'e [u8], depth: usize) -> Result<Vec<Piece<'e>>, Missing> {
        let depth = depth.checked_sub(1).ok_or(Missing::Expression)?;
        let damaged = |_| Missing::Expression;
        let slice: Slice<'e> = gimli::EndianSlice::new(operations, gimli::LittleEndian);
        let mut evaluation = Expression(slice).evaluation(self.view.unit.encoding());
        evaluation.set_max_iterations(MOST_OPERATIONS);
        let mut state = evaluation.evaluate().map_err(damaged)?;
        loop {
            state = match state {
                EvaluationResult::Complete => return Ok(evaluation.result()),
                EvaluationResult::RequiresMemory { address, size, space: None, base_type } => {
                    evaluation.resume_with_memory(self.memory(address, size, base_type)?)
                }
                EvaluationResult::RequiresRegister { register, base_type } => {
                    evaluation.resume_with_register(self.register(register, base_type)?)
                }
                EvaluationResult::RequiresFrameBase => evaluation.resume_with_frame_base(self.frame_base(depth)?),
                EvaluationResult::RequiresCallFrameCfa => {
                    evaluation.resume_with_call_frame_cfa(self.machine.cfa().ok_or(Missing::FrameBase)?)
                }
                EvaluationResult::RequiresEntryValue(expression) => {
                    let value = self.entry_value(expression.0.slice(), depth)?;
                    evaluation.resume_with_entry_value(Value::Generic(value))
                }
                EvaluationResult::RequiresParameterRef(offset) => {
                    let parameter = self.dwarf.first_entry(self.unit.sibling(offset)).ok_or(Missing::Expression)?;
                    let value = self.machine.entry_value(Passed::Parameter(parameter)).ok_or(Missing::EntryValue)?;
                    evaluation.resume_with_parameter_ref(value)
                }
                EvaluationResult::RequiresRelocatedAddress(address) => {
                    evaluation.resume_with_relocated_address(self.relocated(address)?)
                }
                EvaluationResult::RequiresIndexedAddress { index, relocate } => {
                    let address = self.view.dwarf.address(&self.view.unit, index).map_err(damaged)?;
                    let address = if relocate { self.relocated(address)? } else { address };
                    evaluation.resume_with_indexed_address(address)
                }
                EvaluationResult::RequiresBaseType(offset) => {
                    evaluation.resume_with_base_type(self.value_type(offset)?)
                }
                EvaluationResult::RequiresAtLocation(reference) => {
                    let called = self.called(reference).ok_or(Missing::Expression)?;
                    // (Its bytes live as long as the file does; these ones are kept no longer than the others.)
                    let kept: &'e [u8] = called.slice();
                    evaluation.resume_with_at_location(gimli::EndianSlice::new(kept, gimli::LittleEndian))
                }
                _ => return Err(Missing::Expression),
            }
            .map_err(damaged)?;
        }
    }

    fn cpu(&self) -> Cpu {
        self.machine.cpu()
    }

    fn memory(&self, address: u64, size: u8, base_type: UnitOffset) -> Result<Value, Missing> {
        let mut bytes = [0; 8];
        let wanted = bytes.get_mut(..usize::from(size)).ok_or(Missing::Expression)?;
        let count = wanted.len();
        let present = self.machine.read(address, wanted);
        if present < count {
            return Err(Missing::Memory(address.wrapping_add(present as u64)));
        }
        self.typed(base_type, &bytes)
    }

    fn register(&self, number: gimli::Register, base_type: UnitOffset) -> Result<Value, Missing> {
        let bytes = match DwarfRegister::new(number.0, self.cpu()).ok_or(Missing::Expression)? {
            DwarfRegister::General(register) => {
                self.machine.register(register).ok_or(Missing::Register(register))?.to_le_bytes()
            }
            DwarfRegister::Vector(index) => {
                let value = self.machine.vector(index).ok_or(Missing::Vector(index))?;
                (value as u64).to_le_bytes()
            }
        };
        self.typed(base_type, &bytes)
    }

    /// A value of a type from its first bytes; no type is an address's.
    fn typed(&self, base_type: UnitOffset, bytes: &[u8; 8]) -> Result<Value, Missing> {
        match self.value_type(base_type)? {
            ValueType::Generic => Ok(Value::Generic(u64::from_le_bytes(*bytes))),
            value_type => {
                let bytes: Slice<'_> = gimli::EndianSlice::new(bytes, gimli::LittleEndian);
                Value::parse(value_type, bytes).map_err(|_| Missing::Expression)
            }
        }
    }

    fn value_type(&self, offset: UnitOffset) -> Result<ValueType, Missing> {
        if offset.0 == 0 {
            return Ok(ValueType::Generic);
        }
        let read = || {
            let entry = self.unit.sibling(offset);
            let read = Described::read(self.dwarf, &entry, Need::Entries)?;
            let AttributeValue::Encoding(encoding) = read.value(dw::DW_AT_encoding)? else { return None };
            let encoding = match encoding {
                dw::DW_ATE_boolean | dw::DW_ATE_unsigned_char | dw::DW_ATE_address | dw::DW_ATE_UTF => {
                    dw::DW_ATE_unsigned
                }
                dw::DW_ATE_signed_char => dw::DW_ATE_signed,
                other => other,
            };
            ValueType::from_encoding(encoding, read.count(dw::DW_AT_byte_size)?)
        };
        read().ok_or(Missing::Expression)
    }

    fn frame_base(&self, depth: usize) -> Result<u64, Missing> {
        if self.computed.frame_base.is_empty() {
            return Err(Missing::FrameBase);
        }
        let pieces = self.run(&self.computed.frame_base, depth)?;
        self.address(&pieces)
    }

    /// The address, or the number in a register, that an expression leaves.
    fn address(&self, pieces: &[Piece<'_>]) -> Result<u64, Missing> {
        match self.located(pieces) {
            Located::Memory(address) => Ok(address),
            Located::Register { register, first_byte: 0 } => {
                self.machine.register(register).ok_or(Missing::Register(register))
            }
            Located::Absent(missing) => Err(missing),
            _ => Err(Missing::Expression),
        }
    }

    /// What an expression would have had for value when the function was entered.
    fn entry_value(&self, operations: &[u8], depth: usize) -> Result<u64, Missing> {
        let slice = gimli::EndianSlice::new(operations, gimli::LittleEndian);
        let mut iter = Expression(slice).operations(self.view.unit.encoding());
        let first = iter.next().map_err(|_| Missing::Expression)?;
        let alone = matches!(iter.next(), Ok(None));
        let general = |number: gimli::Register| DwarfRegister::new(number.0, self.cpu())?.general();
        match first {
            Some(Operation::Register { register }) if alone => {
                let value = general(register).and_then(|register| self.machine.entry_value(Passed::Register(register)));
                value.ok_or(Missing::EntryValue)
            }
            _ => {
                let machine = AtEntry(self.machine);
                let Context { dwarf, unit, view, computed, .. } = *self;
                let context = Context { dwarf, unit, view, machine: &machine, computed };
                let pieces = context.run(operations, depth).map_err(|_| Missing::EntryValue)?;
                context.address(&pieces).map_err(|_| Missing::EntryValue)
            }
        }
    }

    /// An address of the file, where the module is loaded.
    fn relocated(&self, address: u64) -> Result<u64, Missing> {
        let base = self.machine.module_base().ok_or(Missing::Expression)?;
        Ok(self.wrapped(base.wrapping_add(address.wrapping_sub(self.dwarf.main.base()))))
    }

    fn wrapped(&self, address: u64) -> u64 {
        if self.cpu().pointer_size_bytes() == 4 { address & u64::from(u32::MAX) } else { address }
    }

    /// The expression of another entry. (Only of the same unit: nobody is known to refer further.)
    fn called(&self, reference: DieReference) -> Option<Slice<'c>> {
        let offset = match reference {
            DieReference::UnitRef(offset) => offset,
            DieReference::DebugInfoRef(DebugInfoOffset(offset)) => {
                UnitOffset(offset.checked_sub(self.unit.unit.place).filter(|_| !self.unit.unit.is_split())?)
            }
        };
        let entry = self.view.unit.entry(offset).ok()?;
        let Computed { rva: Rva(rva), frame_base, .. } = self.computed;
        let placing = Placing::new(self.dwarf, &self.unit.unit, self.view).at(*rva, frame_base);
        placing.expression(entry.attr_value(dw::DW_AT_location)?)
    }

    fn located(&self, pieces: &[Piece<'_>]) -> Located {
        if let [piece] = pieces
            && piece.size_in_bits.is_none()
        {
            return self.part(piece);
        }
        let mut offset_bits = 0_u32;
        let mut located = Vec::new();
        for piece in pieces {
            let size_bits = piece.size_in_bits.map(|size| u32::try_from(size).unwrap_or(u32::MAX));
            located.push(LocatedPiece { offset_bits, size_bits, located: self.part(piece) });
            offset_bits = offset_bits.saturating_add(size_bits.unwrap_or(0));
        }
        Located::Pieces(located)
    }

    fn part(&self, piece: &Piece<'_>) -> Located {
        let skipped_bits = piece.bit_offset.unwrap_or(0);
        let (Ok(skipped_bytes), true) = (u32::try_from(skipped_bits / 8), skipped_bits.is_multiple_of(8)) else {
            return Located::Absent(Missing::Expression);
        };
        let rest = |bytes: &[u8]| {
            let count =
                piece.size_in_bits.map_or(usize::MAX, |size| usize::try_from(size.div_ceil(8)).unwrap_or(usize::MAX));
            let bytes = bytes.iter().skip(skipped_bytes as usize).take(count);
            Located::Value(bytes.copied().collect())
        };
        match piece.location {
            Location::Empty | Location::ImplicitPointer { .. } => Located::Absent(Missing::OptimizedAway),
            Location::Register { register } => match DwarfRegister::new(register.0, self.cpu()) {
                Some(DwarfRegister::General(register)) => match self.machine.register(register) {
                    Some(_) => {
                        let first_byte = u8::try_from(skipped_bytes).unwrap_or(u8::MAX);
                        Located::Register { register, first_byte }
                    }
                    None => Located::Absent(Missing::Register(register)),
                },
                Some(DwarfRegister::Vector(index)) => match self.machine.vector(index) {
                    Some(_) if skipped_bytes == 0 => Located::Vector(index),
                    Some(value) => rest(&value.to_le_bytes()),
                    None => Located::Absent(Missing::Vector(index)),
                },
                None => Located::Absent(Missing::Expression),
            },
            Location::Address { address } => {
                Located::Memory(self.wrapped(address.wrapping_add(u64::from(skipped_bytes))))
            }
            Location::Value { value } => rest(&self.bytes_of(value)),
            Location::Bytes { value } => rest(value.slice()),
        }
    }

    fn bytes_of(&self, value: Value) -> Vec<u8> {
        match value {
            Value::Generic(value) => value.to_le_bytes()[..self.cpu().pointer_size_bytes()].to_vec(),
            Value::I8(value) => value.to_le_bytes().to_vec(),
            Value::U8(value) => value.to_le_bytes().to_vec(),
            Value::I16(value) => value.to_le_bytes().to_vec(),
            Value::U16(value) => value.to_le_bytes().to_vec(),
            Value::I32(value) => value.to_le_bytes().to_vec(),
            Value::U32(value) => value.to_le_bytes().to_vec(),
            Value::I64(value) => value.to_le_bytes().to_vec(),
            Value::U64(value) => value.to_le_bytes().to_vec(),
            Value::F32(value) => value.to_le_bytes().to_vec(),
            Value::F64(value) => value.to_le_bytes().to_vec(),
        }
    }
}

/// A frame as it was when its function was entered, as far as that is known: what the caller says of registers. Memory
/// may have changed since.
struct AtEntry<'a>(&'a dyn Machine);

impl ReadMemory for AtEntry<'_> {
    fn read(&self, _address: u64, _buffer: &mut [u8]) -> usize {
        0
    }
}

impl Machine for AtEntry<'_> {
    fn cpu(&self) -> Cpu {
        self.0.cpu()
    }

    fn register(&self, register: Register) -> Option<u64> {
        self.0.entry_value(Passed::Register(register))
    }

    fn vector(&self, _index: u8) -> Option<u128> {
        None
    }

    fn cfa(&self) -> Option<u64> {
        self.0.cfa()
    }

    fn virtual_frame(&self) -> Option<u64> {
        None
    }

    fn module_base(&self) -> Option<u64> {
        self.0.module_base()
    }

    fn entry_value(&self, passed: Passed) -> Option<u64> {
        self.0.entry_value(passed)
    }
}
