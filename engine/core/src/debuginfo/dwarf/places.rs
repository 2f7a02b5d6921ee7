//! Where something lives, as its location says: a plain place where it is one, else what has to be computed.
//!
//! Source: DWARF 5, section 2.6, "Location Descriptions".

use gimli::{AttributeValue, Expression, Operation};

use super::Dwarf;
use super::file::Slice;
use super::registers::DwarfRegister;
use super::unit::{Unit, View};
use crate::address::Rva;
use crate::debuginfo::{Computed, Place};
use crate::registers::{Cpu, Register};

/// Entries of a location list that are looked at.
const MOST_LOCATIONS: usize = 1 << 16;
/// Bytes of an expression that are kept.
const MOST_EXPRESSION_BYTES: usize = 1 << 16;
/// Operations of a plain place.
const MOST_OPERATIONS: usize = 2;

const DW_OP_ADDR: u8 = 0x03;
const DW_OP_ADDRX: u8 = 0xa1;
const DW_OP_GNU_ADDR_INDEX: u8 = 0xfb;
const DW_OP_FORM_TLS_ADDRESS: u8 = 0x9b;
const DW_OP_GNU_PUSH_TLS_ADDRESS: u8 = 0xe0;

/// What turns locations of one unit into places.
#[derive(Clone, Copy)]
pub struct Placing<'p, 'a> {
    dwarf: &'p Dwarf,
    unit: &'p Unit,
    view: &'p View<'a>,
    cpu: Cpu,
    /// The address that lists are asked for; those of variables that all functions share have no lists.
    rva: Option<u32>,
    frame_base: &'p [u8],
}

/// What offsets of `DW_OP_fbreg` count from.
#[derive(Debug, Clone, Copy)]
enum FrameBase {
    Cfa,
    Register(Register, i64),
    Unknown,
}

impl<'p, 'a> Placing<'p, 'a> {
    /// For what belongs to no function.
    pub fn new(dwarf: &'p Dwarf, unit: &'p Unit, view: &'p View<'a>) -> Placing<'p, 'a> {
        Placing { dwarf, unit, view, cpu: dwarf.cpu, rva: None, frame_base: &[] }
    }

    /// For what is in a function, at an address.
    pub fn at(self, rva: u32, frame_base: &'p [u8]) -> Placing<'p, 'a> {
        Placing { rva: Some(rva), frame_base, ..self }
    }

    /// The expression that holds at the address, with a list looked through. None if none does.
    pub fn expression(&self, location: AttributeValue<Slice<'a>>) -> Option<Slice<'a>> {
        let expression = match location {
            AttributeValue::Exprloc(expression) => expression,
            AttributeValue::Block(block) => Expression(block),
            list => self.listed(list)?,
        };
        (expression.0.len() <= MOST_EXPRESSION_BYTES).then_some(expression.0)
    }

    /// Where something lives that has this location.
    pub fn place(&self, location: AttributeValue<Slice<'a>>) -> Place {
        match self.expression(location) {
            Some(expression) if !expression.is_empty() => self.of_expression(expression.slice()),
            _ => Place::OptimizedAway,
        }
    }

    /// Where something lives that an expression describes.
    pub fn of_expression(&self, expression: &[u8]) -> Place {
        self.plain(expression).or_else(|| self.computed(expression)).unwrap_or(Place::OptimizedAway)
    }

    /// What an expression describes, to be computed.
    pub fn computed(&self, expression: &[u8]) -> Option<Place> {
        let unit = self.dwarf.id_of(self.unit, gimli::UnitOffset(0))?.0;
        let (operations, frame_base) = (expression.to_vec(), self.frame_base.to_vec());
        Some(Place::Computed(Computed { unit, rva: Rva(self.rva.unwrap_or(0)), operations, frame_base }))
    }

    /// The address of something that has the same in all frames.
    pub fn fixed(&self, location: AttributeValue<Slice<'a>>) -> Option<u32> {
        match self.plain(self.expression(location).filter(|_| is_shared(&location))?.slice())? {
            Place::Static(rva) => Some(rva.0),
            _ => None,
        }
    }

    fn listed(&self, list: AttributeValue<Slice<'a>>) -> Option<Expression<Slice<'a>>> {
        let rva = self.rva?;
        let mut entries = self.view.dwarf.attr_locations(&self.view.unit, list).ok()??;
        let mut fallback = None;
        for _ in 0..MOST_LOCATIONS {
            let Some(entry) = entries.next().ok()? else { break };
            // DW_LLE_default_location: where no other entry holds.
            if (entry.range.begin, entry.range.end) == (0, u64::MAX) {
                fallback = fallback.or(Some(entry.data));
                continue;
            }
            let range = self.view.file().range(entry.range.begin, entry.range.end);
            if range.is_some_and(|(start, end)| (start..end).contains(&rva)) {
                return Some(entry.data);
            }
        }
        fallback
    }

    fn frame_base(&self) -> FrameBase {
        let general = |number: gimli::Register| DwarfRegister::new(number.0, self.cpu)?.general();
        let based = |register, offset| general(register).map(|register| FrameBase::Register(register, offset));
        let base = match operations(self.frame_base, self.view).as_deref() {
            Some([Operation::CallFrameCFA]) => Some(FrameBase::Cfa),
            Some(&[Operation::Register { register }]) => based(register, 0),
            Some(&[Operation::RegisterOffset { register, offset, base_type }]) if base_type.0 == 0 => {
                based(register, offset)
            }
            _ => None,
        };
        base.unwrap_or(FrameBase::Unknown)
    }

    /// The place that an expression describes, if it is a plain one.
    fn plain(&self, expression: &[u8]) -> Option<Place> {
        let general = |number: gimli::Register| DwarfRegister::new(number.0, self.cpu)?.general();
        let relative = |register, offset: i64| Some(Place::RegisterRelative(register, i32::try_from(offset).ok()?));
        let is_thread_local = matches!(expression.last(), Some(&(DW_OP_FORM_TLS_ADDRESS | DW_OP_GNU_PUSH_TLS_ADDRESS)));
        let operations = operations(expression, self.view)?;
        match *operations {
            [Operation::FrameOffset { offset }] => match self.frame_base() {
                FrameBase::Cfa => Some(Place::CfaRelative(offset)),
                FrameBase::Register(register, from) => relative(register, from.checked_add(offset)?),
                FrameBase::Unknown => None,
            },
            [Operation::CallFrameCFA] => Some(Place::CfaRelative(0)),
            [Operation::CallFrameCFA, Operation::PlusConstant { value }] => {
                Some(Place::CfaRelative(i64::try_from(value).ok()?))
            }
            [Operation::RegisterOffset { register, offset, base_type }] if base_type.0 == 0 => {
                relative(general(register)?, offset)
            }
            [Operation::Register { register }] => Some(DwarfRegister::new(register.0, self.cpu)?.itself()),
            [Operation::Address { address }] => Some(Place::Static(Rva(self.view.file().rva(address)?))),
            [Operation::AddressIndex { index }] => {
                let address = self.view.dwarf.address(&self.view.unit, index).ok()?;
                Some(Place::Static(Rva(self.view.file().rva(address)?)))
            }
            [operation, Operation::TLS] if is_thread_local => self.thread_local(operation),
            _ => None,
        }
    }

    /// ELF: the linker left the offset in the module's block where compilers have put a relocation.
    fn thread_local(&self, operation: Operation<Slice<'_>>) -> Option<Place> {
        match operation {
            Operation::UnsignedConstant { value } | Operation::Address { address: value } => {
                Some(Place::ThreadLocal(value))
            }
            Operation::SignedConstant { value } => Some(Place::ThreadLocal(value as u64)),
            Operation::ConstantIndex { index } | Operation::AddressIndex { index } => {
                Some(Place::ThreadLocal(self.view.dwarf.address(&self.view.unit, index).ok()?))
            }
            _ => None,
        }
    }
}

fn operations<'e>(expression: &'e [u8], view: &View<'_>) -> Option<Vec<Operation<Slice<'e>>>> {
    let expression = Expression(gimli::EndianSlice::new(expression, gimli::LittleEndian));
    let mut operations = expression.operations(view.unit.encoding());
    let mut read = Vec::new();
    while let Some(operation) = operations.next().ok()? {
        read.push(operation);
        if read.len() > MOST_OPERATIONS {
            return None;
        }
    }
    Some(read)
}

/// Whether a location is that of a variable that all frames share: its address, or that in every thread's block.
pub fn is_shared(location: &AttributeValue<Slice<'_>>) -> bool {
    let AttributeValue::Exprloc(expression) = location else { return false };
    let operations = expression.0.slice();
    matches!(operations.first(), Some(&(DW_OP_ADDR | DW_OP_ADDRX | DW_OP_GNU_ADDR_INDEX)))
        || matches!(operations.last(), Some(&(DW_OP_FORM_TLS_ADDRESS | DW_OP_GNU_PUSH_TLS_ADDRESS)))
}
