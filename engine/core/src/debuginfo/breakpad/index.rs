//! The index of a file: where the records are that answers need.
//!
//! ```text
//! offset  size  what
//!      0     8  magic, "STFLBPSI"
//!      8     4  version
//!     12     4  how many tables follow
//!     16     8  size of the text
//!     24     8  digest of the text's first and last KiB
//!     32     8  digest of everything from offset 40 on
//!     40     8  how many records could not be read
//!     48     8  offset of the first of them
//!     56   4*n  entries of each table
//!      …   9*m  the tables' entries, one table after the other: key (4), offset in the text (5), sorted by both
//! ```
//!
//! Everything is little-endian. Invariants: the size of the whole is what the counts say; every change of a single byte
//! changes a digest. An index is a hint all the same: whoever follows an offset parses the record there, and finds out
//! that it is another one ([`Stale`]).

use crate::bytes::Reader;
use crate::data::Data;
use crate::digest::digest;

const MAGIC: &[u8; 8] = b"STFLBPSI";
const VERSION: u32 = 1;
const CHECKED_FROM: usize = 40;
const HEADER_BYTES: usize = 56;
const ENTRY_BYTES: usize = 9;
/// Bytes at both ends of the text by which it is recognised: the identity stands at its front.
const END_BYTES: usize = 1024;
/// Text beyond this has no offset in an entry.
pub const MOST_TEXT_BYTES: u64 = 1 << 40;

/// A table of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// By address, without overlap: the `FUNC` in force from there on.
    Functions,
    /// By address: each `FUNC` and `PUBLIC`; at one address functions come first, those with a size before those without.
    Symbols,
    /// By address, without overlap: the `STACK WIN 4` in force.
    FrameData,
    /// By address, without overlap: the `STACK WIN 0` in force.
    Fpo,
    /// By address, without overlap: the `STACK CFI INIT` in force.
    Cfi,
    /// By number: each `FILE`.
    Files,
    /// By number: each `INLINE_ORIGIN`.
    Origins,
    /// By [`name_key`] of the name without its argument list: each `FUNC` and `PUBLIC`.
    Names,
    /// By address: those whose name is decorated.
    Decorated,
}

/// How many there are.
pub const TABLES: usize = 9;

/// An entry of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// An address, a number or a hash.
    pub key: u32,
    /// Where the record begins in the text.
    pub record: u64,
}

/// The index says what the text does not: it is one of another text, or was tampered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stale;

/// An index whose form was checked.
pub struct Index {
    data: Data,
    /// Where each table begins, and the last ends.
    starts: [usize; TABLES + 1],
    /// How many records could not be read.
    pub damaged: u64,
    /// Offset of the first of them.
    pub first_damaged: u64,
}

impl Index {
    /// Opens an index of `text`; `None` if it is one of another text, of another version, or damaged.
    pub fn open(data: Data, text: &[u8]) -> Option<Index> {
        let mut input = Reader::new(&data);
        let belongs = input.take(MAGIC.len()).ok()? == MAGIC
            && input.u32().ok()? == VERSION
            && input.u32().ok()? == TABLES as u32
            && input.u64().ok()? == text.len() as u64
            && input.u64().ok()? == digest_of_ends(text)
            && input.u64().ok()? == digest(&data[CHECKED_FROM..]);
        if !belongs {
            return None;
        }
        let (damaged, first_damaged) = (input.u64().ok()?, input.u64().ok()?);
        let mut starts = [HEADER_BYTES + 4 * TABLES; TABLES + 1];
        for table in 0..TABLES {
            let bytes = (input.u32().ok()? as usize).checked_mul(ENTRY_BYTES)?;
            starts[table + 1] = starts[table].checked_add(bytes)?;
        }
        (starts[TABLES] == data.len()).then_some(Index { data, starts, damaged, first_damaged })
    }

    /// The bytes, as they are stored.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// Entries of a table.
    pub fn count(&self, table: Table) -> usize {
        let table = table as usize;
        (self.starts[table + 1] - self.starts[table]) / ENTRY_BYTES
    }

    /// An entry of a table.
    pub fn get(&self, table: Table, index: usize) -> Option<Entry> {
        if index >= self.count(table) {
            return None;
        }
        let at = self.starts[table as usize] + index * ENTRY_BYTES;
        let mut input = Reader::at(&self.data, at).ok()?;
        let (key, low, high) = (input.u32().ok()?, input.u32().ok()?, input.u8().ok()?);
        Some(Entry { key, record: u64::from(high) << 32 | u64::from(low) })
    }

    /// How many entries have keys below `key`: where those with the key begin.
    pub fn below(&self, table: Table, key: u32) -> usize {
        let (mut low, mut high) = (0, self.count(table));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(table, middle).is_some_and(|entry| entry.key < key) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The place of the last entry whose key is `key` or less.
    pub fn at_or_below(&self, table: Table, key: u32) -> Option<usize> {
        let after = key.checked_add(1).map_or_else(|| self.count(table), |next| self.below(table, next));
        after.checked_sub(1)
    }

    /// Entries from `index` on.
    pub fn from(&self, table: Table, index: usize) -> impl Iterator<Item = Entry> {
        (index..self.count(table)).map_while(move |index| self.get(table, index))
    }

    /// Entries whose key is `key`.
    pub fn equal(&self, table: Table, key: u32) -> impl Iterator<Item = Entry> {
        self.from(table, self.below(table, key)).take_while(move |entry| entry.key == key)
    }
}

/// Writes an index of `text`: its tables in the order of [`Table`], each sorted.
pub fn write(text: &[u8], tables: &[Vec<Entry>; TABLES], damaged: u64, first_damaged: u64) -> Vec<u8> {
    let entries: usize = tables.iter().map(Vec::len).sum();
    let mut bytes = Vec::with_capacity(HEADER_BYTES + 4 * TABLES + entries * ENTRY_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(TABLES as u32).to_le_bytes());
    for word in [text.len() as u64, digest_of_ends(text), 0, damaged, first_damaged] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    for table in tables {
        bytes.extend_from_slice(&(table.len() as u32).to_le_bytes());
    }
    for entry in tables.iter().flatten() {
        bytes.extend_from_slice(&entry.key.to_le_bytes());
        bytes.extend_from_slice(&entry.record.to_le_bytes()[..5]);
    }
    let checked = digest(&bytes[CHECKED_FROM..]);
    bytes[CHECKED_FROM - 8..CHECKED_FROM].copy_from_slice(&checked.to_le_bytes());
    bytes
}

/// The key of a name in [`Table::Names`].
pub fn name_key(name: &[u8]) -> u32 {
    digest(name) as u32
}

fn digest_of_ends(text: &[u8]) -> u64 {
    let size = text.len().min(END_BYTES);
    digest(&text[..size]) ^ digest(&text[text.len() - size..]).rotate_left(1)
}
