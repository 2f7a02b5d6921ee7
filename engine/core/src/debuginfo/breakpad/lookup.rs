//! Records by address, number and name: the index leads to a place in the text, and the record there is parsed.

use super::index::{Entry, Index, Stale, Table, name_key};
use super::names::{displays_as, is_decorated, without_arguments};
use super::records::{NumberedRecord, OMITTED, StackRange, SymbolRecord};
use super::text::{Fields, line_at, name};
use crate::address::Rva;
use crate::debuginfo::{Function, SourceFile, Symbol, SymbolKind};

/// Longest name that is shown whole.
const MOST_NAME_BYTES: usize = 8 << 10;
/// Longest path that is shown whole.
const MOST_PATH_BYTES: usize = 4 << 10;
/// Symbols at one address that are looked at for a better name.
const MOST_ALIASES: usize = 16;

/// An answer, or that the index is not to be believed.
pub type Answer<T> = Result<T, Stale>;

/// The text and an index of it.
#[derive(Clone, Copy)]
pub struct Records<'a> {
    /// The whole file.
    pub text: &'a [u8],
    /// What leads to its records.
    pub index: &'a Index,
}

/// A function, and where it is told.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    /// The record.
    pub record: SymbolRecord<'a>,
    /// Offset of the record in the text.
    pub offset: u64,
    /// One past the last byte, where the record does not say it: the next symbol.
    pub end: u32,
}

impl<'a> Records<'a> {
    fn line(self, entry: Entry) -> Answer<&'a [u8]> {
        line_at(self.text, entry.record).ok_or(Stale)
    }

    fn symbol_record(self, entry: Entry) -> Answer<SymbolRecord<'a>> {
        SymbolRecord::parse(self.line(entry)?).ok_or(Stale)
    }

    /// The symbol that [`Table::Symbols`] has at a place.
    fn symbol_in_order(self, index: usize) -> Answer<Option<SymbolRecord<'a>>> {
        let Some(entry) = self.index.get(Table::Symbols, index) else { return Ok(None) };
        let record = self.symbol_record(entry)?;
        if record.start == entry.key { Ok(Some(record)) } else { Err(Stale) }
    }

    /// The place of the first of the symbols nearest at or below `rva`.
    fn nearest(self, rva: u32) -> Option<usize> {
        let last = self.index.get(Table::Symbols, self.index.at_or_below(Table::Symbols, rva)?)?;
        Some(self.index.below(Table::Symbols, last.key))
    }

    /// The next symbol after `start`, which is as far as one without a size can reach.
    fn reach(self, start: u32) -> Answer<u32> {
        let Some(after) = start.checked_add(1) else { return Ok(u32::MAX) };
        let next = self.symbol_in_order(self.index.below(Table::Symbols, after))?;
        Ok(next.map_or(u32::MAX, |next| next.start))
    }

    /// The function that an entry of [`Table::Functions`] leads to.
    pub fn function(self, entry: Entry) -> Answer<Found<'a>> {
        let record = self.symbol_record(entry)?;
        let end = if record.size_bytes == 0 { self.reach(record.start)? } else { record.end() };
        if record.is_function && (record.start..end).contains(&entry.key) {
            Ok(Found { record, offset: entry.record, end })
        } else {
            Err(Stale)
        }
    }

    /// The `FUNC` that covers `rva`.
    pub fn function_at(self, rva: u32) -> Answer<Option<Found<'a>>> {
        let place = self.index.at_or_below(Table::Functions, rva);
        let Some(entry) = place.and_then(|place| self.index.get(Table::Functions, place)) else { return Ok(None) };
        let found = self.function(entry)?;
        Ok((rva < found.end).then_some(found))
    }

    /// The function or, where there is none, the public symbol that covers `rva`.
    ///
    /// A `PUBLIC` has no size. The documentation lets it reach to the next address mentioned; one that lies within a
    /// `FUNC`, or names the same address, ends with that.
    pub fn code_at(self, rva: u32) -> Answer<Option<Found<'a>>> {
        if let Some(found) = self.function_at(rva)? {
            return Ok(Some(found));
        }
        let Some(nearest) = self.nearest(rva) else { return Ok(None) };
        let Some(record) = self.symbol_in_order(nearest)? else { return Ok(None) };
        if record.is_function || self.function_at(record.start)?.is_some() {
            return Ok(None);
        }
        let offset = self.index.get(Table::Symbols, nearest).map_or(0, |entry| entry.record);
        let end = self.reach(record.start)?;
        Ok((rva < end).then_some(Found { record, offset, end }))
    }

    /// The named address nearest at or below `rva`; a `FUNC` that covers it comes before a `PUBLIC` within.
    pub fn symbol_at(self, rva: u32) -> Answer<Option<Symbol>> {
        let record = match self.function_at(rva)? {
            Some(found) => Some(found.record),
            None => self.nearest(rva).map_or(Ok(None), |nearest| self.symbol_in_order(nearest))?,
        };
        let Some(record) = record else { return Ok(None) };
        Ok(Some(Symbol { name: self.best_name(&record)?, ..symbol(&record) }))
    }

    /// A function as others know it.
    pub fn shown(self, found: &Found) -> Answer<Function> {
        let start = found.record.start;
        let size_bytes = found.end.saturating_sub(start);
        Ok(Function { name: self.best_name(&found.record)?, start: Rva(start), size_bytes, is_thunk: false })
    }

    /// The name of a record, or that of another symbol at the same address.
    ///
    /// Folklore: where a dumper could not demangle a name, or DWARF had none, it wrote `FUNC d20 1a 0 <name omitted>`. A
    /// `PUBLIC` of the same address, which comes from the linker's table, may know better.
    fn best_name(self, record: &SymbolRecord) -> Answer<String> {
        if record.name == OMITTED {
            for entry in self.index.equal(Table::Symbols, record.start).take(MOST_ALIASES) {
                let other = self.symbol_record(entry)?;
                if other.name != OMITTED {
                    return Ok(name(other.name, MOST_NAME_BYTES));
                }
            }
        }
        Ok(name(record.name, MOST_NAME_BYTES))
    }

    /// The file that a `FILE` declares under this number; of several the first.
    pub fn file(self, number: i64) -> Answer<Option<SourceFile>> {
        let Some(entry) = u32::try_from(number).ok().and_then(|it| self.index.equal(Table::Files, it).next()) else {
            return Ok(None);
        };
        match NumberedRecord::file(self.line(entry)?) {
            Some(record) if record.number == entry.key => {
                Ok(Some(SourceFile { path: name(record.name, MOST_PATH_BYTES), checksum: None }))
            }
            _ => Err(Stale),
        }
    }

    /// What an `INLINE_ORIGIN` declares under this number: the name, and in the older form of the record its file.
    pub fn origin(self, number: u32) -> Answer<Option<(String, Option<i64>)>> {
        let Some(entry) = self.index.equal(Table::Origins, number).next() else { return Ok(None) };
        match NumberedRecord::origin(self.line(entry)?) {
            Some(record) if record.number == number => Ok(Some((name(record.name, MOST_NAME_BYTES), record.file))),
            _ => Err(Stale),
        }
    }

    /// The `STACK` record of this table that covers `rva`: its offset, its range and the fields that follow it.
    pub fn stack_at(self, table: Table, rva: u32) -> Answer<Option<(u64, StackRange, Fields<'a>)>> {
        let place = self.index.at_or_below(table, rva);
        let Some(entry) = place.and_then(|place| self.index.get(table, place)) else { return Ok(None) };
        let (range, fields) = StackRange::parse(self.line(entry)?).ok_or(Stale)?;
        if range.table != table || !(range.start..range.end).contains(&entry.key) {
            return Err(Stale);
        }
        Ok((rva < range.end).then_some((entry.record, range, fields)))
    }

    /// Symbols with this name, with or without decoration and argument list.
    pub fn symbols_named(self, name: &str) -> Answer<Vec<Symbol>> {
        let mut found = Vec::new();
        let raw = name.as_bytes();
        for entry in self.index.equal(Table::Names, name_key(without_arguments(raw))) {
            let record = self.symbol_record(entry)?;
            if record.name == raw || without_arguments(record.name) == raw {
                found.push(symbol(&record));
            }
        }
        if !is_decorated(raw) {
            for entry in self.index.from(Table::Decorated, 0) {
                let record = self.symbol_record(entry)?;
                if displays_as(record.name, name) {
                    found.push(symbol(&record));
                }
            }
        }
        Ok(found)
    }

    /// Up to `limit` symbols whose name `accept` wants, in address order.
    pub fn symbols_matching(self, accept: &mut dyn FnMut(&str) -> bool, limit: usize) -> Answer<Vec<Symbol>> {
        let mut found: Vec<Symbol> = Vec::new();
        for entry in self.index.from(Table::Symbols, 0) {
            if found.len() >= limit {
                break;
            }
            let record = self.symbol_record(entry)?;
            let same = |other: &&Symbol| other.rva == Rva(record.start) && other.name.as_bytes() == record.name;
            if accept(&String::from_utf8_lossy(record.name)) && found.last().filter(same).is_none() {
                found.push(symbol(&record));
            }
        }
        Ok(found)
    }
}

/// A symbol under the name that its record has. Of a `PUBLIC` the format does not tell whether it is code; nearly all are.
fn symbol(record: &SymbolRecord) -> Symbol {
    let kind = if record.is_function { SymbolKind::Function } else { SymbolKind::PublicCode };
    let size_bytes = (record.size_bytes != 0).then_some(record.size_bytes);
    Symbol { name: name(record.name, MOST_NAME_BYTES), rva: Rva(record.start), kind, size_bytes }
}
