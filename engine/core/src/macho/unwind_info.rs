//! `__TEXT,__unwind_info`: a table of two levels that leads from an address to the encoding of its function.
//!
//! The first level has an entry for each page of the second; a page has an entry for each function, regular (address and
//! encoding in full) or compressed (24 bits of address, 8 bits of index into the encodings). Neighbours with the same
//! encoding share an entry.
//!
//! Source: Apple, `mach-o/compact_unwind_encoding.h`, "Compact Unwind" (the layout of the section).

use crate::address::Rva;
use crate::bytes::{Reader, Truncated, slice_at};
use crate::data::Data;

/// The version that is known.
const VERSION: u32 = 1;
/// Bytes of an entry of the first level.
const FIRST_LEVEL_BYTES: usize = 12;
/// Kinds of pages.
const REGULAR: u32 = 2;
const COMPRESSED: u32 = 3;

/// The table of one image.
#[derive(Debug)]
pub struct UnwindInfo {
    bytes: Data,
}

/// What the table says about a function, or about several that are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where the first of them begins.
    pub start: Rva,
    /// How they make their frames.
    pub encoding: u32,
}

/// An array in the section.
#[derive(Debug, Clone, Copy)]
struct Array<'a> {
    records: &'a [u8],
    record_bytes: usize,
}

impl UnwindInfo {
    /// Takes the section; nothing is read until an address is asked for.
    pub fn new(bytes: Data) -> UnwindInfo {
        UnwindInfo { bytes }
    }

    /// The entry that covers `rva`.
    pub fn entry_at(&self, rva: Rva) -> Option<Entry> {
        self.find(rva).ok().flatten()
    }

    fn find(&self, rva: Rva) -> Result<Option<Entry>, Truncated> {
        let mut header = Reader::new(&self.bytes);
        if header.u32()? != VERSION {
            return Ok(None);
        }
        let (common_offset, common_count) = (header.u32()?, header.u32()?);
        header.skip(8)?; // personality functions
        let (index_offset, index_count) = (header.u32()?, header.u32()?);
        let index = self.array(index_offset.into(), index_count, FIRST_LEVEL_BYTES)?;
        let Some(at) = index.last_below(rva.0, u32::MAX) else { return Ok(None) };
        let mut first_level = Reader::new(index.record(at));
        let (start, page) = (Rva(first_level.u32()?), u64::from(first_level.u32()?));
        // The last entry says where the code of all others ends, and has no page.
        if page == 0 {
            return Ok(None);
        }
        let mut input = Reader::new(slice_at(&self.bytes, page, 8)?);
        let (kind, entries_offset, count) = (input.u32()?, u64::from(input.u16()?), u32::from(input.u16()?));
        match kind {
            REGULAR => regular(self.array(page + entries_offset, count, 8)?, rva),
            COMPRESSED => {
                let mut input = Reader::new(slice_at(&self.bytes, page + 8, 4)?);
                let (own_offset, own_count) = (u64::from(input.u16()?), u32::from(input.u16()?));
                let common = self.array(common_offset.into(), common_count, 4)?;
                let own = self.array(page + own_offset, own_count, 4)?;
                compressed(self.array(page + entries_offset, count, 4)?, start, rva, [common, own])
            }
            _ => Ok(None),
        }
    }

    fn array(&self, offset: u64, count: u32, record_bytes: usize) -> Result<Array<'_>, Truncated> {
        let records = slice_at(&self.bytes, offset, u64::from(count) * record_bytes as u64)?;
        Ok(Array { records, record_bytes })
    }
}

/// The entry of a regular page: address, encoding.
fn regular(entries: Array<'_>, rva: Rva) -> Result<Option<Entry>, Truncated> {
    let Some(at) = entries.last_below(rva.0, u32::MAX) else { return Ok(None) };
    let mut input = Reader::new(entries.record(at));
    Ok(Some(Entry { start: Rva(input.u32()?), encoding: input.u32()? }))
}

/// The entry of a compressed page, whose addresses count from `page_start`. Its encodings are those that all pages
/// share, then its own.
fn compressed(
    entries: Array<'_>,
    page_start: Rva,
    rva: Rva,
    [common, own]: [Array<'_>; 2],
) -> Result<Option<Entry>, Truncated> {
    const ADDRESS: u32 = 0x00ff_ffff;
    let distance = rva.0 - page_start.0; // the first level's entry begins at or below `rva`
    let Some(at) = entries.last_below(distance, ADDRESS) else { return Ok(None) };
    let entry = entries.word(at);
    let number = (entry >> 24) as usize;
    let encodings = if number < common.len() { common } else { own };
    let number = if number < common.len() { number } else { number - common.len() };
    if number >= encodings.len() {
        return Ok(None);
    }
    Ok(Some(Entry { start: Rva(page_start.0.wrapping_add(entry & ADDRESS)), encoding: encodings.word(number) }))
}

impl<'a> Array<'a> {
    fn len(self) -> usize {
        self.records.len() / self.record_bytes
    }

    fn record(self, index: usize) -> &'a [u8] {
        &self.records[index * self.record_bytes..(index + 1) * self.record_bytes]
    }

    /// The first four bytes of a record.
    fn word(self, index: usize) -> u32 {
        let record = self.record(index);
        u32::from_le_bytes([record[0], record[1], record[2], record[3]])
    }

    /// The last record whose first word, as far as `mask` goes, is not above `key`; records are in that order.
    fn last_below(self, key: u32, mask: u32) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.word(middle) & mask <= key { low = middle + 1 } else { high = middle }
        }
        low.checked_sub(1)
    }
}
