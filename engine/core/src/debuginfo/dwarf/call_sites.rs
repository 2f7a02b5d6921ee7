//! What a caller says of a call: whom it calls, and with what in which register.
//!
//! Source: DWARF 5, sections 3.4.1 (call sites) and 3.4.2 (their parameters); GNU's extensions before it.

use gimli::constants as dw;
use gimli::{Operation, UnitOffset};

use super::Dwarf;
use super::attributes::{Described, chain};
use super::entry::Entry;
use super::file::Need;
use super::places::Placing;
use super::registers::DwarfRegister;
use super::types::children;
use crate::address::Rva;
use crate::debuginfo::{CallTarget, Place};
use crate::registers::Register;

const DW_OP_STACK_VALUE: u8 = 0x9f;

impl Dwarf {
    /// What the caller has passed in `register`.
    pub(super) fn passed(&self, return_address: Rva, register: Register) -> Option<Place> {
        let (site, function) = self.call_site(return_address)?;
        let read = Described::read(self, &site, Need::Entries)?;
        let parameters = children(&read)
            .into_iter()
            .filter(|(_, tag)| matches!(*tag, dw::DW_TAG_call_site_parameter | dw::DW_TAG_GNU_call_site_parameter));
        for (offset, _) in parameters {
            let parameter = site.sibling(offset);
            let Some(read) = Described::read(self, &parameter, Need::Entries) else { continue };
            if self.register_of(&read) == Some(register) {
                let names = [dw::DW_AT_call_value, dw::DW_AT_GNU_call_site_value];
                return self.value_place(&read, &function, &names, return_address);
            }
        }
        None
    }

    /// Whom the call calls.
    pub(super) fn target(&self, return_address: Rva) -> Option<CallTarget> {
        let (site, function) = self.call_site(return_address)?;
        let read = Described::read(self, &site, Need::Entries)?;
        let origin = [dw::DW_AT_call_origin, dw::DW_AT_abstract_origin].into_iter().find_map(|name| read.value(name));
        if let Some(called) = origin.and_then(|origin| self.follow(&site, origin)) {
            return Some(CallTarget::Function(self.identity(called)?));
        }
        let names = [dw::DW_AT_call_target, dw::DW_AT_GNU_call_site_target];
        Some(CallTarget::Address(self.value_place(&read, &function, &names, return_address)?))
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
            None => Some(format!("#{:x}", self.id_of(&last.unit, last.offset)?.0)),
        }
    }

    /// The entry of the call that returns there, and the function that it is in.
    fn call_site(&self, return_address: Rva) -> Option<(Entry, Entry)> {
        let found = self.find(Rva(return_address.0.checked_sub(1)?))?;
        let function = Entry { unit: found.unit.clone(), offset: found.function().entry };
        let view = self.view(&found.unit, Need::Entries)?;
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
            for &specification in abbreviation.attributes() {
                let attribute = entries.read_attribute(specification).ok()?;
                if matches!(attribute.name(), dw::DW_AT_call_return_pc | dw::DW_AT_low_pc)
                    && let Ok(Some(address)) = view.dwarf.attr_address(&view.unit, attribute.value())
                    && self.main.rva(address) == Some(return_address.0)
                {
                    return Some((function.sibling(offset), function));
                }
            }
        }
        None
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
