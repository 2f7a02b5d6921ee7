//! Variables in scope at an address, and where they live.
//!
//! Places that take more than a register and an offset (parts, computed values, what the caller passed) are told as
//! optimised away: a [`Place`] cannot say them.
//!
//! Source: DWARF 5, sections 2.6 (locations), 3.3.5 (frame base), 4.1 (data objects).

use gimli::constants as dw;
use gimli::{Abbreviation, AttributeValue, EntriesRaw, Expression, Operation, Reader, UnitOffset};

use super::Dwarf;
use super::file::{File, Slice};
use super::index::range_budget;
use super::names::Entry;
use super::registers::DwarfRegister;
use super::root::Extent;
use super::unit::View;
use crate::address::Rva;
use crate::debuginfo::{Place, Variable};
use crate::registers::{Cpu, Register};

/// Entries of a location list that are looked at.
const MOST_LOCATIONS: usize = 1 << 16;

/// A function at an address of which variables are asked for.
pub struct Question<'a> {
    /// Everything.
    pub dwarf: &'a Dwarf,
    /// The file that holds the function.
    pub file: &'a File,
    /// Its unit, with location lists.
    pub view: &'a View<'a>,
    /// Its entry.
    pub function: Entry,
    /// The address.
    pub rva: u32,
    /// The processor.
    pub cpu: Cpu,
}

/// What offsets of `DW_OP_fbreg` count from.
#[derive(Debug, Clone, Copy)]
enum FrameBase {
    Cfa,
    Register(Register, i64),
    Unknown,
}

/// An entry with children that is open.
#[derive(Debug, Clone, Copy)]
struct Scope {
    depth: isize,
    /// Whether it holds the address, and variables in it are those of the function.
    is_ours: bool,
    inlined: u32,
    level: u32,
}

impl<'a> Question<'a> {
    /// Variables, innermost scope first. Ends at a damaged entry.
    pub fn variables(&self) -> Vec<Variable> {
        let mut variables = Vec::new();
        let _ = self.read(&mut variables);
        variables.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
        variables.into_iter().map(|(_, variable)| variable).collect()
    }

    fn read(&self, variables: &mut Vec<(u32, Variable)>) -> Result<(), gimli::Error> {
        let mut entries = self.view.unit.entries_raw(Some(self.function.offset))?;
        let mut budget = range_budget(&self.view.dwarf);
        let mut base = FrameBase::Unknown;
        let mut open: Vec<Scope> = Vec::new();
        while !entries.is_empty() {
            let (offset, depth) = (entries.next_offset(), entries.next_depth());
            let is_function = offset == self.function.offset;
            if depth <= 0 && !is_function {
                break;
            }
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            while open.pop_if(|scope| scope.depth >= depth).is_some() {}
            let around = open.last().copied();
            let mut scope = around.unwrap_or(Scope { depth, is_ours: true, inlined: 0, level: 0 });
            match abbreviation.tag() {
                dw::DW_TAG_subprogram if is_function => base = self.frame_base(&mut entries, abbreviation)?,
                dw::DW_TAG_inlined_subroutine | dw::DW_TAG_lexical_block if scope.is_ours => {
                    scope.is_ours = self.covers(&mut entries, abbreviation, &mut budget)?;
                    scope.level += 1;
                    scope.inlined += u32::from(abbreviation.tag() == dw::DW_TAG_inlined_subroutine);
                }
                tag @ (dw::DW_TAG_variable | dw::DW_TAG_formal_parameter) if scope.is_ours => {
                    let location = attribute(&mut entries, abbreviation, dw::DW_AT_location)?;
                    let place = location.map_or(Place::OptimizedAway, |it| self.place(it, base));
                    let is_parameter = tag == dw::DW_TAG_formal_parameter;
                    let variable = self.variable(offset, is_parameter, place, scope.inlined);
                    variables.extend(variable.map(|variable| (scope.level, variable)));
                    scope.is_ours = false;
                }
                _ => {
                    entries.skip_attributes(abbreviation.attributes())?;
                    scope.is_ours = false;
                }
            }
            if abbreviation.has_children() {
                open.push(Scope { depth, ..scope });
            }
        }
        Ok(())
    }

    fn variable(&self, offset: UnitOffset, is_parameter: bool, place: Place, inline_depth: u32) -> Option<Variable> {
        let (name, type_id) = self.dwarf.name_and_type(self.function.sibling(offset))?;
        Some(Variable { name, is_parameter, is_artificial: false, place, type_id, inline_depth })
    }

    /// Whether a scope holds the address; one that does not say where it is does.
    fn covers(
        &self,
        entries: &mut EntriesRaw<'_, Slice<'a>>,
        abbreviation: &Abbreviation,
        budget: &mut usize,
    ) -> Result<bool, gimli::Error> {
        let mut extent = Extent::default();
        for &specification in abbreviation.attributes() {
            let attribute = entries.read_attribute(specification)?;
            extent.add(attribute.name(), &attribute.value());
        }
        let ranges = extent.ranges(self.file, &self.view.dwarf, &self.view.unit, budget)?;
        Ok(extent.is_empty() || ranges.iter().any(|&(start, end)| (start..end).contains(&self.rva)))
    }

    fn frame_base(
        &self,
        entries: &mut EntriesRaw<'_, Slice<'a>>,
        abbreviation: &Abbreviation,
    ) -> Result<FrameBase, gimli::Error> {
        let value = attribute(entries, abbreviation, dw::DW_AT_frame_base)?;
        let operations = value.and_then(|value| self.operations(value));
        let register = |number: gimli::Register| DwarfRegister::new(number.0, self.cpu)?.general();
        Ok(match operations.as_deref() {
            Some([Operation::CallFrameCFA]) => FrameBase::Cfa,
            Some([Operation::Register { register: number }]) => {
                register(*number).map_or(FrameBase::Unknown, |register| FrameBase::Register(register, 0))
            }
            Some([Operation::RegisterOffset { register: number, offset, .. }]) => {
                register(*number).map_or(FrameBase::Unknown, |register| FrameBase::Register(register, *offset))
            }
            _ => FrameBase::Unknown,
        })
    }

    /// The operations of an expression, or of the one of a list that holds at the address.
    fn operations(&self, value: AttributeValue<Slice<'a>>) -> Option<Vec<Operation<Slice<'a>>>> {
        let expression = match value {
            AttributeValue::Exprloc(expression) => expression,
            list => self.listed(list)?,
        };
        let mut operations = expression.operations(self.view.unit.encoding());
        let mut read = Vec::new();
        while let Some(operation) = operations.next().ok()? {
            read.push(operation);
            // Longer ones are not understood.
            if read.len() > 2 {
                return None;
            }
        }
        Some(read)
    }

    fn listed(&self, list: AttributeValue<Slice<'a>>) -> Option<Expression<Slice<'a>>> {
        let mut entries = self.view.dwarf.attr_locations(&self.view.unit, list).ok()??;
        for _ in 0..MOST_LOCATIONS {
            let entry = entries.next().ok()??;
            let range = self.file.range(entry.range.begin, entry.range.end);
            if range.is_some_and(|(start, end)| (start..end).contains(&self.rva)) {
                return Some(entry.data);
            }
        }
        None
    }

    fn place(&self, location: AttributeValue<Slice<'a>>, base: FrameBase) -> Place {
        let operations = self.operations(location);
        operations.and_then(|operations| self.simple_place(&operations, base)).unwrap_or(Place::OptimizedAway)
    }

    fn simple_place(&self, operations: &[Operation<Slice<'a>>], base: FrameBase) -> Option<Place> {
        let general = |number: gimli::Register| DwarfRegister::new(number.0, self.cpu)?.general();
        let relative = |register, offset: i64| Some(Place::RegisterRelative(register, i32::try_from(offset).ok()?));
        let frame_relative = |offset: i64| Some(Place::CfaRelative(offset));
        match *operations {
            [Operation::FrameOffset { offset }] => match base {
                FrameBase::Cfa => frame_relative(offset),
                FrameBase::Register(register, from) => relative(register, from.checked_add(offset)?),
                FrameBase::Unknown => None,
            },
            [Operation::CallFrameCFA] => frame_relative(0),
            [Operation::CallFrameCFA, Operation::PlusConstant { value }] => frame_relative(i64::try_from(value).ok()?),
            [Operation::RegisterOffset { register, offset, .. }] => relative(general(register)?, offset),
            [Operation::Register { register }] => Some(DwarfRegister::new(register.0, self.cpu)?.itself()),
            [Operation::Address { address }] => Some(Place::Static(Rva(self.file.rva(address)?))),
            [Operation::AddressIndex { index }] => {
                let address = self.view.dwarf.address(&self.view.unit, index).ok()?;
                Some(Place::Static(Rva(self.file.rva(address)?)))
            }
            _ => None,
        }
    }
}

/// Reads an entry's attributes and gives the one of that name.
fn attribute<R: Reader>(
    entries: &mut EntriesRaw<'_, R>,
    abbreviation: &Abbreviation,
    name: gimli::DwAt,
) -> Result<Option<AttributeValue<R>>, gimli::Error> {
    let mut found = None;
    for &specification in abbreviation.attributes() {
        let attribute = entries.read_attribute(specification)?;
        if attribute.name() == name {
            found = Some(attribute.value());
        }
    }
    Ok(found)
}
