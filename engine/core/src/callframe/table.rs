//! `.eh_frame_hdr`: a sorted table from code to its entry, which linkers write so that nobody has to read `.eh_frame`.
//!
//! Source: Linux Standard Base Core 5.0, section 10.6.2, "The .eh_frame_hdr Section".

use crate::bytes::{Reader, Truncated};
use crate::data::Data;

/// `DW_EH_PE_udata4`: how the count is written.
const COUNT_ENCODING: u8 = 0x03;
/// `DW_EH_PE_datarel | DW_EH_PE_sdata4`: how the table is written, relative to the header.
const TABLE_ENCODING: u8 = 0x3b;
/// Bytes of a row: start of the code, address of the entry.
const ROW_BYTES: usize = 8;

/// The table, of the one encoding that linkers use.
pub(super) struct SearchTable {
    address: u64,
    rows: Data,
}

impl SearchTable {
    /// The table of the header at `address`; `None` if it has no rows, or not in the encodings that linkers use.
    pub fn new(address: u64, header: Data) -> Option<SearchTable> {
        let (offset, count) = locate(&header).ok()?.filter(|(_, count)| *count > 0)?;
        Some(SearchTable { address, rows: header.part(offset as u64, (count * ROW_BYTES) as u64)? })
    }

    /// Address of the entry whose code starts last at or below `code`. It need not cover that.
    pub fn entry_for(&self, code: u64) -> Option<u64> {
        let count = self.rows.len() / ROW_BYTES;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.row(middle)?.0 <= code { low = middle + 1 } else { high = middle }
        }
        self.row(low.checked_sub(1)?).map(|(_, entry)| entry)
    }

    fn row(&self, index: usize) -> Option<(u64, u64)> {
        let mut input = Reader::at(&self.rows, index * ROW_BYTES).ok()?;
        let (start, entry) = (input.i32().ok()?, input.i32().ok()?);
        let absolute = |relative: i32| self.address.wrapping_add_signed(relative.into());
        Some((absolute(start), absolute(entry)))
    }
}

/// Offset of the table in the header, and its rows.
fn locate(header: &[u8]) -> Result<Option<(usize, usize)>, Truncated> {
    let mut input = Reader::new(header);
    let [version, pointer, count, table] = input.array()?;
    if version != 1 || count != COUNT_ENCODING || table != TABLE_ENCODING {
        return Ok(None);
    }
    // The pointer to `.eh_frame` is passed over: the section headers say where that is.
    let pointer_bytes = match pointer & 0x0f {
        0x02 | 0x0a => 2,
        0x03 | 0x0b => 4,
        0x04 | 0x0c => 8,
        _ => return Ok(None),
    };
    input.skip(pointer_bytes)?;
    let count = input.count_of(ROW_BYTES)?;
    Ok(Some((input.offset(), count)))
}
