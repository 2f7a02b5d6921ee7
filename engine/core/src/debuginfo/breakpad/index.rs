//! The index: where in the text the records of an address are.
//!
//! It can be kept in a file: a header, then tables of entries, each 16 bytes, sorted by key. A kept index is taken if
//! its version, the size of the text, and a digest of the text's beginning and end are right; every record that it
//! leads to is parsed again from the text, and must be of the right kind and address.

use std::ops::Range;

use super::records::{FuncRecord, PublicRecord, StackWin, cfi_init, record_number};
use crate::bytes::Reader;
use crate::data::Data;

/// Changes with the layout, and with what is put into the tables.
const MAGIC: &[u8; 8] = b"SFSYMI\0\x01";
const ENTRY_BYTES: usize = 16;
const TABLES: usize = 6;
const HEADER_BYTES: usize = 8 + 8 + 8 + TABLES * 8;
/// Bytes of each end of the text that the digest covers.
const DIGEST_BYTES: usize = 4096;
/// Entries before an address that may reach over those after them.
const MOST_NESTED: usize = 64;

/// What a table holds; its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// FUNC records by address.
    Functions,
    /// PUBLIC records by address.
    Publics,
    /// STACK WIN records by address.
    StackWin,
    /// STACK CFI INIT records by address.
    StackCfi,
    /// FILE records by number.
    Files,
    /// INLINE_ORIGIN records by number.
    Origins,
}

/// An entry of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Address or number.
    pub key: u32,
    /// Bytes that the record covers, where it says.
    pub size: u32,
    /// Where its line begins.
    pub offset: u64,
}

/// See the module's documentation.
pub struct Index {
    bytes: Data,
    /// Where each table is.
    tables: [Range<usize>; TABLES],
}

impl Index {
    /// Makes the index of a text in one pass.
    pub fn build(text: &[u8]) -> Index {
        let mut tables: [Vec<Entry>; TABLES] = Default::default();
        let mut start = 0;
        while start < text.len() {
            let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |length| start + length);
            // Records of lines, which are most of the text, begin with a digit or a to f.
            if matches!(text[start], b'F' | b'P' | b'S' | b'I')
                && let Some((table, key, size)) = classify(&text[start..end])
            {
                tables[table as usize].push(Entry { key, size, offset: start as u64 });
            }
            start = end + 1;
        }
        let mut bytes = [&MAGIC[..], &(text.len() as u64).to_le_bytes(), &digest(text).to_le_bytes()].concat();
        for table in &tables {
            bytes.extend((table.len() as u64).to_le_bytes());
        }
        for mut table in tables {
            table.sort_by_key(|entry| entry.key);
            for entry in table {
                bytes.extend(entry.key.to_le_bytes());
                bytes.extend(entry.size.to_le_bytes());
                bytes.extend(entry.offset.to_le_bytes());
            }
        }
        let bytes = Data::from(bytes);
        let tables = read_tables(&bytes).unwrap_or_default();
        Index { bytes, tables }
    }

    /// Opens a kept index; None if it is not one of this text.
    pub fn open(bytes: Data, text: &[u8]) -> Option<Index> {
        let mut input = Reader::new(&bytes);
        let belongs = &input.array::<8>().ok()? == MAGIC
            && input.u64().ok()? == text.len() as u64
            && input.u64().ok()? == digest(text);
        let tables = read_tables(&bytes).filter(|_| belongs)?;
        Some(Index { bytes, tables })
    }

    /// What can be kept.
    pub fn bytes(&self) -> &Data {
        &self.bytes
    }

    fn table(&self, table: Table) -> &[u8] {
        self.bytes.get(self.tables[table as usize].clone()).unwrap_or_default()
    }

    fn entry(&self, table: Table, index: usize) -> Option<Entry> {
        let mut input = Reader::at(self.table(table), index.checked_mul(ENTRY_BYTES)?).ok()?;
        Some(Entry { key: input.u32().ok()?, size: input.u32().ok()?, offset: input.u64().ok()? })
    }

    fn len(&self, table: Table) -> usize {
        self.tables[table as usize].len() / ENTRY_BYTES
    }

    /// How many entries have a key at or below `key`.
    fn after(&self, table: Table, key: u32) -> usize {
        let (mut low, mut high) = (0, self.len(table));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry(table, middle).is_some_and(|entry| entry.key <= key) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        low
    }

    /// All entries, in the order of their keys.
    pub fn entries(&self, table: Table) -> impl Iterator<Item = Entry> + '_ {
        (0..self.len(table)).filter_map(move |index| self.entry(table, index))
    }

    /// The last entry at or below `key`; of several at one key the first in the text.
    pub fn at_or_below(&self, table: Table, key: u32) -> Option<Entry> {
        let last = self.entry(table, self.after(table, key).checked_sub(1)?)?;
        let first = last.key.checked_sub(1).map_or(0, |below| self.after(table, below));
        self.entry(table, first)
    }

    /// The entry that covers `address`: of several that which starts last, and of those the first in the text.
    pub fn covering(&self, table: Table, address: u32) -> Option<Entry> {
        let after = self.after(table, address);
        let mut found: Option<Entry> = None;
        for index in (after.saturating_sub(MOST_NESTED)..after).rev() {
            let entry = self.entry(table, index)?;
            if found.is_some_and(|found| entry.key < found.key) {
                break;
            }
            if address - entry.key < entry.size {
                found = Some(entry);
            }
        }
        found
    }

    /// Entries that overlap `[start, end)`.
    pub fn overlapping(&self, table: Table, start: u32, end: u32) -> impl Iterator<Item = Entry> + '_ {
        let first = self.after(table, start).saturating_sub(MOST_NESTED);
        let entries = (first..self.len(table)).filter_map(move |index| self.entry(table, index));
        let entries = entries.take_while(move |entry| entry.key < end);
        entries.filter(move |entry| start < entry.key.saturating_add(entry.size))
    }

    /// The entry with exactly this key; the first in the text.
    pub fn numbered(&self, table: Table, number: u32) -> Option<Entry> {
        self.at_or_below(table, number).filter(|entry| entry.key == number)
    }
}

/// Which table a line belongs to, its key, and the bytes that it covers. Addresses that no image of 4 GiB has are left
/// out.
fn classify(line: &[u8]) -> Option<(Table, u32, u32)> {
    let address =
        |address: u64, size: u64| Some((u32::try_from(address).ok()?, u32::try_from(size).unwrap_or(u32::MAX)));
    let (table, (key, size)) = if let Some(record) = FuncRecord::read(line) {
        (Table::Functions, address(record.address, record.size)?)
    } else if let Some(record) = PublicRecord::read(line) {
        (Table::Publics, address(record.address, 0)?)
    } else if let Some((start, size)) = cfi_init(line) {
        (Table::StackCfi, address(start, size)?)
    } else if let Some(record) = StackWin::read(line) {
        (Table::StackWin, address(record.address, record.size)?)
    } else if let Some(number) = record_number(line, b"FILE ") {
        (Table::Files, (number, 0))
    } else {
        (Table::Origins, (record_number(line, b"INLINE_ORIGIN ")?, 0))
    };
    Some((table, key, size))
}

fn read_tables(bytes: &[u8]) -> Option<[Range<usize>; TABLES]> {
    let mut input = Reader::at(bytes, HEADER_BYTES - TABLES * 8).ok()?;
    let mut tables: [Range<usize>; TABLES] = Default::default();
    let mut start = HEADER_BYTES;
    for table in &mut tables {
        let count = usize::try_from(input.u64().ok()?).ok()?;
        let end = start.checked_add(count.checked_mul(ENTRY_BYTES)?)?;
        *table = start..end;
        start = end;
    }
    (start == bytes.len()).then_some(tables)
}

/// FNV-1a of both ends of the text: a file that was replaced by one of the same size is noticed.
fn digest(text: &[u8]) -> u64 {
    let ends = [&text[..text.len().min(DIGEST_BYTES)], &text[text.len().saturating_sub(DIGEST_BYTES)..]];
    let bytes = ends.into_iter().flatten();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
