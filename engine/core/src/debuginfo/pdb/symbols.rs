//! Global and public symbols: by name through hash tables, public ones by address through a sorted map.
//!
//! Source: LLVM, "The PDB Global and Public Symbol Streams"; Microsoft, microsoft-pdb, gsi.cpp.

use super::PdbError;
use super::hash::hash;
use super::msf::Stream;
use super::records::{Placed, Record, kind, record_at};
use super::sections::Sections;
use crate::address::Rva;
use crate::bytes::Reader;

const BUCKETS: u32 = 4096;
/// The table's bitmap has a bit for each bucket and one more, in words.
const BITMAP_BYTES: u32 = (BUCKETS + 1).div_ceil(32) * 4;
const TABLE_HEADER_BYTES: u32 = 16;
const HASH_RECORD_BYTES: u32 = 8;
/// Bucket offsets count records of the 12 bytes that they had in a 32-bit linker's memory.
const RECORD_BYTES_IN_MEMORY: u32 = 12;
const PUBLICS_HEADER_BYTES: u32 = 28;
/// Symbols of one bucket that are looked at.
const MOST_IN_BUCKET: u32 = 1 << 16;
/// Bytes of a symbol that are read at first; longer ones are read again.
const USUAL_SYMBOL_BYTES: u32 = 128;
/// Bytes of records that are read at a time when all are wanted.
const CHUNK_BYTES: u32 = 1 << 20;

/// The stream of symbol records, with its tables.
pub struct Symbols {
    records: Stream,
    globals: Option<HashTable>,
    publics: Option<HashTable>,
    /// Where in the stream of publics the address map begins, and how many entries it has.
    addresses: (u32, u32),
}

/// A hash table from names to records.
struct HashTable {
    stream: Stream,
    /// Where it begins in its stream.
    start: u32,
    records_bytes: u32,
}

/// One global or public symbol.
#[derive(Debug, Clone)]
pub struct Global {
    /// Kind of record.
    pub kind: u16,
    /// What it says.
    pub placed: Placed,
}

impl Symbols {
    /// Looks at the headers of the tables. A damaged table is left out.
    pub fn open(records: Stream, globals: Option<Stream>, publics: Option<Stream>) -> Symbols {
        let globals = globals.and_then(|stream| HashTable::open(stream, 0).ok());
        let addresses = publics.as_ref().and_then(|stream| address_map(stream).ok()).unwrap_or((0, 0));
        let publics = publics.and_then(|stream| HashTable::open(stream, PUBLICS_HEADER_BYTES).ok());
        Symbols { records, globals, publics, addresses }
    }

    /// What `read` makes of the record at an offset.
    pub fn record<T>(&self, offset: u32, read: impl FnOnce(&Record<'_>) -> Option<T>) -> Option<T> {
        let bytes = self.records.up_to(offset, USUAL_SYMBOL_BYTES).ok()?;
        let size = 2 + u32::from(Reader::new(&bytes).u16().ok()?);
        let bytes = if size as usize <= bytes.len() { bytes } else { self.records.bytes(offset, size).ok()? };
        read(&record_at(&bytes, 0)?)
    }

    fn at(&self, offset: u32) -> Option<Global> {
        self.record(offset, global)
    }

    /// The public symbol nearest at or below an address, and the one at the address of which the name comes first.
    pub fn public_at(&self, section: u16, offset: u32) -> Option<Global> {
        let (mut low, mut high) = (0, self.addresses.1);
        while low < high {
            let middle = low + (high - low) / 2;
            let found = self.public(middle)?;
            if (found.placed.section, found.placed.offset) <= (section, offset) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        let found = self.public(low.checked_sub(1)?)?;
        (found.placed.section == section).then_some(found)
    }

    fn public(&self, index: u32) -> Option<Global> {
        let table = self.publics.as_ref()?;
        let entry = self.addresses.0.checked_add(index.checked_mul(4)?)?;
        self.at(table.stream.u32_at(entry).ok()?)
    }

    /// Global symbols and references with exactly this name.
    pub fn globals_named(&self, name: &str) -> Vec<Global> {
        self.named(self.globals.as_ref(), name)
    }

    /// Public symbols with exactly this name.
    pub fn publics_named(&self, name: &str) -> Vec<Global> {
        self.named(self.publics.as_ref(), name)
    }

    fn named(&self, table: Option<&HashTable>, name: &str) -> Vec<Global> {
        let globals = offsets_in(table, name).into_iter().filter_map(|offset| self.at(offset));
        globals.filter(|global| global.placed.name == name).collect()
    }

    /// Offsets of the records that may be of globals, typedefs, constants and references with this name.
    pub fn may_be_named(&self, name: &str) -> Vec<u32> {
        offsets_in(self.globals.as_ref(), name)
    }

    /// Calls `each` with every global, public symbol and reference in the order of the records, until it answers false.
    pub fn for_each(&self, each: &mut dyn FnMut(Global) -> bool) {
        self.for_each_record(&mut |_, record| global(record).is_none_or(&mut *each));
    }

    /// Calls `each` with every record and its offset, in order, until it answers false.
    pub fn for_each_record(&self, each: &mut dyn FnMut(u32, &Record<'_>) -> bool) {
        let mut offset = 0;
        while offset < self.records.size_bytes() {
            let Ok(chunk) = self.records.up_to(offset, CHUNK_BYTES) else { return };
            let mut within = 0;
            while let Some(record) = record_at(&chunk, within) {
                let at = offset.saturating_add(within as u32);
                within = record.next;
                if !each(at, &record) {
                    return;
                }
            }
            if within == 0 {
                return; // damaged, or the end
            }
            offset = offset.saturating_add(within as u32);
        }
    }
}

fn offsets_in(table: Option<&HashTable>, name: &str) -> Vec<u32> {
    table.and_then(|table| table.bucket(hash(name.as_bytes()) % BUCKETS).ok()).unwrap_or_default()
}

fn global(record: &Record<'_>) -> Option<Global> {
    let known = [kind::S_PUB32, kind::S_GDATA32, kind::S_LDATA32, kind::S_PROCREF, kind::S_LPROCREF];
    let placed = if known.contains(&record.kind) { record.placed().ok()? } else { return None };
    Some(Global { kind: record.kind, placed })
}

/// Where the address map of the publics' stream is: behind its hash table.
fn address_map(stream: &Stream) -> Result<(u32, u32), PdbError> {
    let (table_bytes, map_bytes) = (stream.u32_at(0)?, stream.u32_at(4)?);
    let start = PUBLICS_HEADER_BYTES.saturating_add(table_bytes);
    let left = stream.size_bytes().saturating_sub(start);
    Ok((start, map_bytes.min(left) / 4))
}

impl HashTable {
    fn open(stream: Stream, start: u32) -> Result<HashTable, PdbError> {
        if stream.u32_at(start)? != u32::MAX {
            return Err(PdbError::Invalid("a hash table of symbols without its signature".to_owned()));
        }
        let records_bytes = stream.u32_at(start + 8)?;
        Ok(HashTable { stream, start, records_bytes })
    }

    /// Offsets of the symbols in a bucket.
    fn bucket(&self, bucket: u32) -> Result<Vec<u32>, PdbError> {
        let records = self.start + TABLE_HEADER_BYTES;
        let overflow = || PdbError::Invalid("a hash table of symbols that is larger than its stream".to_owned());
        let bitmap_start = records.checked_add(self.records_bytes).ok_or_else(overflow)?;
        let bitmap = self.stream.bytes(bitmap_start, BITMAP_BYTES)?;
        let word = |index: u32| {
            let at = index as usize * 4;
            bitmap.get(at..at + 4).map_or(0, |word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        };
        if word(bucket / 32) & 1 << (bucket % 32) == 0 {
            return Ok(Vec::new());
        }
        let before: u32 = (0..bucket / 32).map(|index| word(index).count_ones()).sum();
        let rank = before + (word(bucket / 32) & ((1u32 << (bucket % 32)) - 1)).count_ones();
        let buckets = bitmap_start.checked_add(BITMAP_BYTES).ok_or_else(overflow)?;
        let start = self.stream.u32_at(buckets + rank * 4)? / RECORD_BYTES_IN_MEMORY;
        let count = self.records_bytes / HASH_RECORD_BYTES;
        let is_last = buckets + (rank + 1) * 4 >= self.stream.size_bytes();
        let next = if is_last { count } else { self.stream.u32_at(buckets + (rank + 1) * 4)? / RECORD_BYTES_IN_MEMORY };
        // In the publics' stream the address map follows the last bucket: its first entry is no bucket's start.
        let end = if next < start || next > count { count } else { next };
        let mut offsets = Vec::new();
        for index in start..end.min(start.saturating_add(MOST_IN_BUCKET)) {
            let offset = self.stream.u32_at(records + index * HASH_RECORD_BYTES)?;
            offsets.extend(offset.checked_sub(1)); // offsets are stored one too high
        }
        Ok(offsets)
    }
}

/// The RVA of a symbol, if its section exists.
pub fn rva_of(placed: &Placed, sections: &Sections) -> Option<Rva> {
    sections.rva(placed.section, placed.offset)
}
