//! What a caller says of a call: whom it calls, and with what in which register.
//!
//! Source: DWARF 5, sections 3.4.1 (call sites) and 3.4.2 (their parameters); GNU's extensions before it.

use std::ops::ControlFlow;

use gimli::constants as dw;
use gimli::{AttributeValue, Operation, UnitOffset};

use super::Dwarf;
use super::attributes::{Described, chain};
use super::entry::Entry;
use super::file::Need;
use super::places::Placing;
use super::registers::DwarfRegister;
use super::types::children;
use super::unit::FunctionEntry;
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

/// An entry of a call.
struct CallSite {
    entry: UnitOffset,
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
        let is_it = |function: &&FunctionEntry| {
            self.first_entry(Entry { unit: unit.clone(), offset: function.entry }) == Some(id)
        };
        let mut found = unit.functions.iter().filter(is_it);
        let (function, None) = (found.next()?, found.next()) else { return None };
        unit.ranges().starts_of(function.index).next().map(Rva)
    }

    /// Calls that a function ends with; None if the compiler does not say that it tells them all.
    pub(super) fn last_calls(&self, rva: Rva) -> Option<Vec<TailCall>> {
        let function = self.function_entry_at(rva)?;
        let read = Described::read(self, &function, Need::Entries)?;
        if !COMPLETE.into_iter().any(|name| read.flag(name)) {
            return None;
        }
        let mut sites = Vec::new();
        self.visit_call_sites(&function, |site| {
            if site.is_tail_call {
                sites.push((site.entry, site.return_address));
            }
            ControlFlow::<()>::Continue(())
        });
        let call = |(offset, return_address): (UnitOffset, Option<Rva>)| {
            let return_address = return_address?;
            let target = self.target_of(&function.sibling(offset), &function, return_address);
            Some(TailCall { return_address, target })
        };
        sites.into_iter().map(call).collect()
    }

    /// The entry of the call that returns there, and the function that it is in.
    fn call_site(&self, return_address: Rva) -> Option<(Entry, Entry)> {
        let function = self.function_entry_at(Rva(return_address.0.checked_sub(1)?))?;
        let found = self.visit_call_sites(&function, |site| match site.return_address {
            Some(address) if address == return_address => ControlFlow::Break(site.entry),
            _ => ControlFlow::Continue(()),
        });
        Some((function.sibling(found?), function))
    }

    /// Calls of a function and of what is inlined in it, until `visit` has found what it looks for.
    fn visit_call_sites<T>(&self, function: &Entry, mut visit: impl FnMut(CallSite) -> ControlFlow<T>) -> Option<T> {
        let view = self.view(&function.unit, Need::Entries)?;
        let mut entries = view.unit.entries_raw(Some(function.offset)).ok()?;
        while !entries.is_empty() {
            let (offset, depth) = (entries.next_offset(), entries.next_depth());
            if depth <= 0 && offset != function.offset {
                break;
            }
            let Some(abbreviation) = entries.read_abbreviation().ok()? else { continue };
            if !matches!(abbreviation.tag(), dw::DW_TAG_call_site | dw::DW_TAG_GNU_call_site) {
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
            if let ControlFlow::Break(found) = visit(site) {
                return Some(found);
            }
        }
        None
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
        let found = self.find(rva)?;
        let offset: UnitOffset = found.function().entry;
        Some(Entry { unit: found.unit.clone(), offset })
    }
}
