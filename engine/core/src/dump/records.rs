//! Lists of fixed-size records, strings, and what becomes of a list that is broken in places.

use std::cell::Cell;

use thiserror::Error;

use crate::bytes::{Reader, Truncated, slice_at};

/// Longest string that is read, in UTF-16 units. Windows paths end at 32,767.
const LONGEST_STRING_UNITS: u32 = 0x1_0000;

/// What could not be read of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// The stream's bytes do not all lie within the file.
    #[error("its bytes lie beyond the end of the file ({0})")]
    OutsideFile(Truncated),
    /// The stream is shorter than what it says it holds.
    #[error("it is {0}")]
    Truncated(#[from] Truncated),
    /// Some records point outside the file; the others count.
    #[error("{bad} of {all} records refer to bytes beyond the end of the file")]
    BadRecords {
        /// How many.
        bad: usize,
        /// Of how many.
        all: usize,
    },
    /// A value that the format does not allow.
    #[error("{0}")]
    Invalid(String),
}

/// Good records, and what was wrong with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records<T> {
    /// In the order of the stream.
    pub good: Vec<T>,
    /// None if nothing was wrong.
    pub problem: Option<Problem>,
}

impl<T> Default for Records<T> {
    fn default() -> Records<T> {
        Records { good: Vec::new(), problem: None }
    }
}

impl<T> Records<T> {
    /// Reads a list: a `u32` count, then records of `record_bytes` bytes each.
    ///
    /// Folklore: some writers align the records to 8 bytes, so that 4 bytes of padding follow the count (Breakpad's
    /// `minidump.cc` tells of it for the lists of modules, threads and memory): a stream that is exactly 4 bytes longer
    /// than its records is read so. A count that the stream cannot hold loses the records that are not there.
    pub fn list(
        stream: &[u8],
        record_bytes: usize,
        mut read: impl FnMut(&mut Reader<'_>) -> Result<Option<T>, Truncated>,
    ) -> Records<T> {
        let mut input = Reader::new(stream);
        let count = match input.u32() {
            Ok(count) => count as usize,
            Err(short) => return Records { good: Vec::new(), problem: Some(short.into()) },
        };
        if input.left() == count.saturating_mul(record_bytes).saturating_add(4) {
            input.align(8);
        }
        Records::of(&mut input, count, record_bytes, &mut read)
    }

    /// Reads `count` records of `record_bytes` bytes each; `read` answers None for a record that is bad.
    pub fn of(
        input: &mut Reader<'_>,
        count: usize,
        record_bytes: usize,
        read: &mut dyn FnMut(&mut Reader<'_>) -> Result<Option<T>, Truncated>,
    ) -> Records<T> {
        let mut problem = input.check_count(count, record_bytes).err().map(Problem::from);
        let held = count.min(input.left().checked_div(record_bytes).unwrap_or(0));
        let mut good = Vec::with_capacity(held);
        for _ in 0..held {
            let Ok(record) = input.take(record_bytes) else { break };
            if let Ok(Some(record)) = read(&mut Reader::new(record)) {
                good.push(record);
            }
        }
        if problem.is_none() && good.len() < held {
            problem = Some(Problem::BadRecords { bad: held - good.len(), all: held });
        }
        Records { good, problem }
    }
}

/// What a list refers to elsewhere in the file. Records may share a string, but a list whose every record names the same
/// long one would take far more memory than the file has bytes: there is a limit to what one list may take.
pub struct Referred<'a> {
    file: &'a [u8],
    left_bytes: Cell<usize>,
}

impl<'a> Referred<'a> {
    /// References into `file`, of one list.
    pub fn new(file: &'a [u8]) -> Referred<'a> {
        Referred { file, left_bytes: Cell::new(file.len().saturating_mul(4).saturating_add(1 << 20)) }
    }

    /// `size_bytes` bytes at `offset`; None if the file does not hold them, or if the list has taken too much.
    pub fn bytes(&self, offset: u64, size_bytes: u64) -> Option<&'a [u8]> {
        let bytes = slice_at(self.file, offset, size_bytes).ok()?;
        self.left_bytes.set(self.left_bytes.get().checked_sub(bytes.len())?);
        Some(bytes)
    }

    /// A MINIDUMP_STRING: bytes in UTF-16, without the NUL that follows. Units that are no text become U+FFFD.
    pub fn string(&self, offset: u32) -> Option<String> {
        if offset == 0 {
            return None;
        }
        let size_bytes = Reader::at(self.file, offset as usize).ok()?.u32().ok()?;
        if size_bytes / 2 > LONGEST_STRING_UNITS {
            return None;
        }
        self.bytes(u64::from(offset) + 4, size_bytes.into()).map(utf16)
    }
}

/// UTF-16 bytes as text, up to a NUL.
pub fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).take_while(|&unit| unit != 0);
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Bytes as text, up to a NUL.
pub fn narrow(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
