//! Global and static variables, thread-local ones, and named constants: by name and by address.
//!
//! Source: Microsoft, microsoft-pdb, cvinfo.h (`DATASYM32`, `THREADSYM32`, `CONSTSYM`).

use super::Pdb;
use super::records::{Record, kind, record_at, text};
use super::sections::Sections;
use super::symbols::rva_of;
use super::types::leaf::{Number, number};
use super::types::{Types, stored_names};
use crate::address::Rva;
use crate::bytes::Reader;
use crate::debuginfo::{DataSymbol, Place};
use crate::names::{display_name, without_anonymous_namespaces};
use crate::registers::Cpu;

/// S_PUB32's flags: code, function.
const CODE: u32 = 1 | 2;

/// Typed globals by address: section, offset in it, offset of the record; sorted.
pub type ByAddress = Vec<(u16, u32, u32)>;

/// What a record says of a variable or constant that has the same place in all frames; None if it is of another kind.
pub fn read_data(record: &Record<'_>, sections: &Sections, types: &Types) -> Option<DataSymbol> {
    let (index, name, place) = match record.kind {
        kind::S_LDATA32 | kind::S_GDATA32 => {
            let placed = record.placed().ok()?;
            let place = rva_of(&placed, sections).map_or(Place::OptimizedAway, Place::Static);
            (placed.first, placed.name, place)
        }
        kind::S_LTHREAD32 | kind::S_GTHREAD32 => {
            let placed = record.placed().ok()?;
            (placed.first, placed.name, Place::ThreadLocal(placed.offset.into()))
        }
        kind::S_CONSTANT => {
            let mut input = Reader::new(record.data);
            let index = input.u32().ok()?;
            let value = number(&mut input)?;
            (index, text(&mut input), Place::Constant(bytes_of(value, types.size_of_type(index))))
        }
        _ => return None,
    };
    let name = without_anonymous_namespaces(name);
    Some(DataSymbol { name, type_id: types.reference(index), place })
}

/// A constant as it would lie in memory: as many bytes as its type has, 8 or 16 where that is not known.
fn bytes_of(value: Number, size_bytes: Option<u64>) -> Vec<u8> {
    let value = match value {
        Number::Integer(value) => value,
        Number::Bytes(bytes) => return bytes,
    };
    let least = if i64::try_from(value).is_ok() || u64::try_from(value).is_ok() { 8 } else { 16 };
    let size = size_bytes.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= 16).unwrap_or(least);
    value.to_le_bytes()[..size].to_vec()
}

impl Pdb {
    /// Variables and constants with this name; statics of functions as `function::name`.
    pub(super) fn find_data_named(&self, name: &str) -> Vec<DataSymbol> {
        let Some(symbols) = self.symbols() else { return Vec::new() };
        let mut found: Vec<DataSymbol> = Vec::new();
        for name in stored_names(name) {
            for offset in symbols.may_be_named(&name) {
                let data = symbols.record(offset, |record| {
                    let is_it = stored_name(record).is_some_and(|stored| stored == name);
                    is_it.then(|| read_data(record, self.sections(), self.types())).flatten()
                });
                found.extend(data);
            }
        }
        if found.is_empty() {
            found = self.statics_of_functions(name);
        }
        if found.is_empty() {
            found = self.public_data_named(name);
        }
        found.dedup();
        found
    }

    /// Statics in functions: their records are among the function's.
    fn statics_of_functions(&self, name: &str) -> Vec<DataSymbol> {
        let mut found = Vec::new();
        let (Some((function, own)), Some(symbols)) = (name.rsplit_once("::"), self.symbols()) else { return found };
        for name in stored_names(function) {
            for global in symbols.globals_named(&name) {
                let is_function = matches!(global.kind, kind::S_PROCREF | kind::S_LPROCREF);
                let module = global.placed.section.checked_sub(1).filter(|_| is_function);
                let Some(module) = module.and_then(|index| self.module(index)) else { continue };
                let start = global.placed.offset as usize;
                if !record_at(&module.symbols, start).is_some_and(|record| record.is_procedure()) {
                    continue;
                }
                let data = module.scope(start).filter(|record| stored_name(record).is_some_and(|name| name == own));
                let data = data.filter_map(|record| read_data(&record, self.sections(), self.types()));
                found.extend(data.map(|data| DataSymbol { name: format!("{function}::{own}"), ..data }));
            }
        }
        found
    }

    /// Data that only public symbols name.
    fn public_data_named(&self, name: &str) -> Vec<DataSymbol> {
        let Some(symbols) = self.symbols() else { return Vec::new() };
        let mut publics = symbols.publics_named(name);
        if self.cpu() == Cpu::X86 {
            publics.extend(symbols.publics_named(&format!("_{name}"))); // `value` of C is `_value`
        }
        publics.retain(|public| public.placed.first & CODE == 0);
        let place = |public: super::symbols::Global| rva_of(&public.placed, self.sections()).map(Place::Static);
        let data = |place| DataSymbol { name: name.to_owned(), type_id: None, place };
        publics.into_iter().filter_map(place).map(data).collect()
    }

    /// The variable that begins nearest at or below an address. The first question reads all global symbols.
    pub(super) fn find_data_at(&self, rva: Rva) -> Option<DataSymbol> {
        let (section, offset) = self.sections().place(rva)?;
        let symbols = self.symbols()?;
        let globals = self.data_by_address.get_or_init(|| {
            let mut globals = ByAddress::new();
            symbols.for_each_record(&mut |at, record| {
                if matches!(record.kind, kind::S_LDATA32 | kind::S_GDATA32)
                    && let Ok(placed) = record.placed()
                {
                    globals.push((placed.section, placed.offset, at));
                }
                true
            });
            globals.sort_unstable();
            globals
        });
        let after = globals.partition_point(|(at_section, at, _)| (*at_section, *at) <= (section, offset));
        let nearest = globals[..after].last().filter(|(at_section, ..)| *at_section == section);
        // Several names of one place: the first record.
        let first = nearest.map(|(section, at, _)| globals.partition_point(|it| (it.0, it.1) < (*section, *at)));
        let typed = first.and_then(|first| globals.get(first));
        let public = symbols.public_at(section, offset).filter(|public| public.placed.first & CODE == 0);
        match (typed, public) {
            (typed, Some(public)) if typed.is_none_or(|(_, at, _)| *at < public.placed.offset) => {
                let place = Place::Static(rva_of(&public.placed, self.sections())?);
                Some(DataSymbol { name: display_name(&public.placed.name).into_owned(), type_id: None, place })
            }
            (Some((.., at)), _) => symbols.record(*at, |record| read_data(record, self.sections(), self.types())),
            (None, _) => None,
        }
    }
}

/// The name in the record of a variable or constant.
fn stored_name(record: &Record<'_>) -> Option<String> {
    match record.kind {
        kind::S_LDATA32 | kind::S_GDATA32 | kind::S_LTHREAD32 | kind::S_GTHREAD32 => {
            record.placed().ok().map(|placed| placed.name)
        }
        kind::S_CONSTANT => {
            let mut input = Reader::at(record.data, 4).ok()?;
            number(&mut input)?;
            Some(text(&mut input))
        }
        _ => None,
    }
}
