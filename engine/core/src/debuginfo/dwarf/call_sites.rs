//! What a caller says of a call: whom it calls, and with what in which register.
//!
//! Source: DWARF 5, sections 3.4.1 (call sites) and 3.4.2 (their parameters); GNU's extensions before it.

use std::collections::HashMap;
use std::sync::Arc;

use gimli::constants as dw;
use gimli::{AttributeValue, Operation, UnitOffset};

use super::attributes::{Described, chain};
use super::entry::Entry;
use super::file::Need;
use super::places::Placing;
use super::registers::DwarfRegister;
use super::types::children;
use super::unit::Unit;
use super::{Dwarf, Found};
use crate::address::Rva;
use crate::debuginfo::{CallTarget, LOCAL_IDENTITY, Passed, Place, TailCall, TypeId};
use crate::registers::{Cpu, Register};

const DW_OP_STACK_VALUE: u8 = 0x9f;
/// Attributes of a function that tells all calls that it may end with.
const COMPLETE: [gimli::DwAt; 4] = [
    dw::DW_AT_call_all_calls,
    dw::DW_AT_call_all_tail_calls,
    dw::DW_AT_GNU_all_call_sites,
    dw::DW_AT_GNU_all_tail_call_sites,
];

/// Most calls that a function may end with.
const MOST_TAIL_CALLS: usize = 1024;

/// A call of a function.
#[derive(Debug, Clone, Copy)]
pub struct CallSite {
    /// Its entry.
    entry: UnitOffset,
    /// Where it returns to; of a jump, the address behind it.
    return_address: Option<Rva>,
    is_tail_call: bool,
}

impl Dwarf {
    /// What the caller has passed.
    pub(super) fn passed(&self, return_address: Rva, passed: Passed) -> Option<Place> {
        let (site, function) = self.call_site(return_address)?;
        let read = Described::read(self, &site, Need::Entries)?;
        let parameters = children(&read)
            .into_iter()
            .filter(|(_, tag)| matches!(*tag, dw::DW_TAG_call_site_parameter | dw::DW_TAG_GNU_call_site_parameter));
        for (offset, _) in parameters {
            let parameter = site.sibling(offset);
            let Some(read) = Described::read(self, &parameter, Need::Entries) else { continue };
            let is_it = match passed {
                Passed::Register(register) => self.register_of(&read) == Some(register),
                Passed::Parameter(id) => self.parameter_of(&read) == Some(id),
            };
            if is_it {
                let names = [dw::DW_AT_call_value, dw::DW_AT_GNU_call_site_value];
                return self.value_place(&read, &function, &names, return_address);
            }
        }
        None
    }

    /// Whom the call calls.
    pub(super) fn target(&self, return_address: Rva) -> Option<CallTarget> {
        let (site, function) = self.call_site(return_address)?;
        self.target_of(&site, &function, return_address)
    }

    fn target_of(&self, site: &Entry, function: &Entry, return_address: Rva) -> Option<CallTarget> {
        let read = Described::read(self, site, Need::Entries)?;
        let origin = [dw::DW_AT_call_origin, dw::DW_AT_abstract_origin].into_iter().find_map(|name| read.value(name));
        if let Some(called) = origin.and_then(|origin| self.follow(site, origin)) {
            return Some(CallTarget::Function(self.identity(called)?));
        }
        let names = [dw::DW_AT_call_target, dw::DW_AT_GNU_call_site_target];
        Some(CallTarget::Address(self.value_place(&read, function, &names, return_address)?))
    }

    /// What tells a function from all others: the name that the linker knows; of one that only its unit knows, the entry
    /// that all that is said of it leads to.
    pub(super) fn identity(&self, function: Entry) -> Option<String> {
        let chain = chain(self, function);
        let (mut is_external, mut linkage_name) = (false, None);
        for entry in &chain {
            let Some(read) = Described::read(self, entry, Need::Entries) else { continue };
            is_external |= read.flag(dw::DW_AT_external);
            let names = [dw::DW_AT_linkage_name, dw::DW_AT_MIPS_linkage_name];
            linkage_name = linkage_name.or_else(|| names.into_iter().find_map(|name| read.text(name)));
        }
        let last = chain.last()?;
        match linkage_name {
            Some(name) => Some(name),
            None if is_external => self.qualified_name(&last.unit, last.offset),
            None => Some(format!("{LOCAL_IDENTITY}{:x}", self.id_of(&last.unit, last.offset)?.0)),
        }
    }

    /// Where the only function begins that [`Dwarf::identity`] tells so.
    pub(super) fn identified(&self, identity: &str) -> Option<Rva> {
        let Some(number) = identity.strip_prefix(LOCAL_IDENTITY) else {
            return self.symbols().function_named(identity);
        };
        let id = TypeId(u64::from_str_radix(number, 16).ok()?);
        let unit = self.entry_of(id)?.unit;
        let by_first_entry = unit.by_first_entry.get_or_init(|| self.functions_by_first_entry(&unit));
        unit.ranges().starts_of((*by_first_entry.get(&id)?)?).next().map(Rva)
    }

    fn functions_by_first_entry(&self, unit: &Arc<Unit>) -> HashMap<TypeId, Option<u32>> {
        let mut found = HashMap::new();
        for function in &unit.functions {
            let Some(id) = self.first_entry(Entry { unit: unit.clone(), offset: function.entry }) else { continue };
            found.entry(id).and_modify(|index| *index = None).or_insert(Some(function.index));
        }
        unit.grow(found.len() * size_of::<(TypeId, Option<u32>)>());
        found
    }

    /// Calls that a function ends with; None if the compiler does not say that it tells them all. More than anybody writes
    /// are one that calls nobody knows whom.
    pub(super) fn last_calls(&self, rva: Rva) -> Option<Vec<TailCall>> {
        let found = self.find(rva)?;
        let function = found.entry();
        let read = Described::read(self, &function, Need::Entries)?;
        if !COMPLETE.into_iter().any(|name| read.flag(name)) {
            return None;
        }
        let sites = || self.calls_of(&found).iter().filter(|site| site.is_tail_call);
        if sites().nth(MOST_TAIL_CALLS).is_some() {
            return Some(vec![TailCall { return_address: rva, target: None }]);
        }
        let call = |site: &CallSite| match site.return_address {
            Some(return_address) => {
                let target = self.target_of(&function.sibling(site.entry), &function, return_address);
                TailCall { return_address, target }
            }
            None => TailCall { return_address: rva, target: None },
        };
        Some(sites().map(call).collect())
    }

    /// The entry of the call that returns there, and the function that it is in.
    fn call_site(&self, return_address: Rva) -> Option<(Entry, Entry)> {
        let found = self.find(Rva(return_address.0.checked_sub(1)?))?;
        let calls = self.calls_of(&found);
        let index = calls.binary_search_by_key(&Some(return_address), |site| site.return_address).ok()?;
        let function = found.entry();
        Some((function.sibling(calls[index].entry), function))
    }

    /// Calls of a function, by where they return to.
    fn calls_of<'f>(&self, found: &'f Found) -> &'f [CallSite] {
        found.function().calls.get_or_init(|| {
            let mut calls = Vec::new();
            self.read_calls(&found.entry(), &mut calls);
            calls.sort_by_key(|site| site.return_address);
            found.unit.grow(calls.len() * size_of::<CallSite>());
            calls
        })
    }

    /// Reads the calls of a function and of what is inlined in it, as far as it is not damaged. A function may be inside of
    /// it, such as that of a lambda expression, whose calls are not its own.
    fn read_calls(&self, function: &Entry, calls: &mut Vec<CallSite>) -> Option<()> {
        let view = self.view(&function.unit, Need::Entries)?;
        let mut entries = view.unit.entries_raw(Some(function.offset)).ok()?;
        let mut other_function: Option<isize> = None;
        while !entries.is_empty() {
            let (offset, depth) = (entries.next_offset(), entries.next_depth());
            if depth <= 0 && offset != function.offset {
                break;
            }
            other_function = other_function.filter(|&outer| depth > outer);
            let Some(abbreviation) = entries.read_abbreviation().ok()? else { continue };
            let is_call = matches!(abbreviation.tag(), dw::DW_TAG_call_site | dw::DW_TAG_GNU_call_site);
            if !is_call || other_function.is_some() {
                if abbreviation.tag() == dw::DW_TAG_subprogram && offset != function.offset {
                    other_function = other_function.or(Some(depth));
                }
                entries.skip_attributes(abbreviation.attributes()).ok()?;
                continue;
            }
            let mut site = CallSite { entry: offset, return_address: None, is_tail_call: false };
            for &specification in abbreviation.attributes() {
                let attribute = entries.read_attribute(specification).ok()?;
                let rva = || self.main.rva(view.dwarf.attr_address(&view.unit, attribute.value()).ok()??);
                match attribute.name() {
                    dw::DW_AT_call_return_pc | dw::DW_AT_low_pc => site.return_address = rva().map(Rva),
                    dw::DW_AT_call_pc if site.return_address.is_none() => {
                        site.return_address = rva().and_then(|jump| Some(Rva(jump.checked_add(self.jump_bytes())?)));
                    }
                    dw::DW_AT_call_tail_call | dw::DW_AT_GNU_tail_call => {
                        site.is_tail_call = attribute.value() == AttributeValue::Flag(true);
                    }
                    _ => {}
                }
            }
            calls.push(site);
        }
        Some(())
    }

    /// Bytes of a jump of which only the beginning is told. Those of x86 have 2 or 5: one less than they have is enough to
    /// be in it.
    fn jump_bytes(&self) -> u32 {
        match self.cpu {
            Cpu::X86 | Cpu::X64 => 2,
            Cpu::Arm64 | Cpu::Arm => 4,
        }
    }

    /// The register that a parameter of a call is passed in.
    fn register_of(&self, read: &Described<'_>) -> Option<Register> {
        let location = Placing::new(self, &read.at.unit, &read.view).expression(read.value(dw::DW_AT_location)?)?;
        let mut operations = gimli::Expression(location).operations(read.view.unit.encoding());
        let (first, second) = (operations.next().ok()??, operations.next().ok()?);
        match (first, second) {
            (Operation::Register { register }, None) => DwarfRegister::new(register.0, self.cpu)?.general(),
            _ => None,
        }
    }

    /// The parameter of the called function that a parameter of a call is.
    fn parameter_of(&self, read: &Described<'_>) -> Option<TypeId> {
        let names = [dw::DW_AT_call_parameter, dw::DW_AT_abstract_origin];
        let parameter = names.into_iter().find_map(|name| read.value(name))?;
        self.first_entry(self.follow(read.at, parameter)?)
    }

    /// The number of the entry that all that is said of a thing leads to.
    pub(super) fn first_entry(&self, entry: Entry) -> Option<TypeId> {
        let chain = chain(self, entry);
        let last = chain.last()?;
        self.id_of(&last.unit, last.offset)
    }

    /// The first of these attributes, which yields a number, as a place of the calling function.
    fn value_place(
        &self,
        read: &Described<'_>,
        function: &Entry,
        names: &[gimli::DwAt],
        return_address: Rva,
    ) -> Option<Place> {
        let value = names.iter().find_map(|&name| read.value(name))?;
        let placing = Placing::new(self, &read.at.unit, &read.view);
        let mut operations = placing.expression(value).filter(|it| !it.is_empty())?.slice().to_vec();
        operations.push(DW_OP_STACK_VALUE);
        let rva = return_address.0.checked_sub(1)?;
        placing.at(rva, &self.frame_base(function, rva)).computed(&operations)
    }

    /// The operations of what offsets of `DW_OP_fbreg` count from in a function; empty if it does not say.
    pub(super) fn frame_base(&self, function: &Entry, rva: u32) -> Vec<u8> {
        let read = || {
            let read = Described::read(self, function, Need::Locations)?;
            let placing = Placing::new(self, &function.unit, &read.view).at(rva, &[]);
            Some(placing.expression(read.value(dw::DW_AT_frame_base)?)?.slice().to_vec())
        };
        read().unwrap_or_default()
    }

    /// The entry of the function that covers `rva`.
    pub(super) fn function_entry_at(&self, rva: Rva) -> Option<Entry> {
        Some(self.find(rva)?.entry())
    }
}
