//! Stream FunctionTable: unwind information that was registered at run time, as compilers at run time do for their code.
//!
//! Source: minidumpapiset.h, MINIDUMP_FUNCTION_TABLE_STREAM, MINIDUMP_FUNCTION_TABLE_DESCRIPTOR; `RtlAddFunctionTable`.

use super::records::{Problem, Records};
use crate::bytes::{Reader, Truncated};

/// Bytes of the header and of a descriptor as they are documented; newer ones may have more.
const HEADER_BYTES: usize = 24;
const DESCRIPTOR_BYTES: usize = 32;
/// Bytes of a RUNTIME_FUNCTION: ARM64's and x64's.
const ENTRY_BYTES: [usize; 2] = [8, 12];

/// A table of the functions in `[minimum, maximum)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionTable {
    /// The lowest address of a function.
    pub minimum: u64,
    /// The highest.
    pub maximum: u64,
    /// What the entries' RVAs are relative to.
    pub base: u64,
    /// Bytes of an entry: 8 (ARM64) or 12 (x64).
    pub entry_bytes: usize,
    /// RUNTIME_FUNCTION entries, in the order of their addresses: an exception directory. (The process may have registered
    /// them in any order.)
    pub entries: Vec<u8>,
}

/// Sizes that the stream's header gives, in bytes.
struct Sizes {
    descriptor: usize,
    /// The system's own record, which follows the descriptor.
    native: usize,
    entry: usize,
}

/// Reads stream FunctionTable: a header, then of each table a descriptor, the system's own record, the entries, and
/// padding. One that is cut off ends the list; one without entries (the process would have been asked for them) is left
/// out.
pub fn function_tables(stream: &[u8]) -> Records<FunctionTable> {
    let mut records = Records::default();
    if let Err(problem) = read(stream, &mut records.good) {
        records.problem = Some(problem);
    }
    records
}

fn read(stream: &[u8], tables: &mut Vec<FunctionTable>) -> Result<(), Problem> {
    let mut input = Reader::new(stream);
    let header_bytes = input.u32()? as usize;
    let sizes =
        Sizes { descriptor: input.u32()? as usize, native: input.u32()? as usize, entry: input.u32()? as usize };
    let (count, padding_bytes) = (input.u32()?, input.u32()? as usize);
    if sizes.descriptor < DESCRIPTOR_BYTES || header_bytes < HEADER_BYTES {
        return Err(Problem::Invalid(format!(
            "its header has {header_bytes} bytes and its descriptors {}, at least {HEADER_BYTES} and {DESCRIPTOR_BYTES} \
             are needed",
            sizes.descriptor
        )));
    }
    if count > 0 && !ENTRY_BYTES.contains(&sizes.entry) {
        return Err(Problem::Invalid(format!(
            "its function entries have {} bytes, which no processor's have",
            sizes.entry
        )));
    }
    input.skip(header_bytes - HEADER_BYTES)?;
    input.skip(padding_bytes)?;
    for _ in 0..count {
        let table = read_table(&mut input, &sizes)?;
        tables.extend(Some(table).filter(|table| !table.entries.is_empty()));
    }
    Ok(())
}

fn read_table(input: &mut Reader<'_>, sizes: &Sizes) -> Result<FunctionTable, Truncated> {
    let mut descriptor = Reader::new(input.take(sizes.descriptor)?);
    let (minimum, maximum, base) = (descriptor.u64()?, descriptor.u64()?, descriptor.u64()?);
    let (count, padding_bytes) = (descriptor.u32()? as usize, descriptor.u32()? as usize);
    input.skip(sizes.native)?;
    input.check_count(count, sizes.entry)?;
    let mut entries: Vec<&[u8]> = input.take(count * sizes.entry)?.chunks_exact(sizes.entry).collect();
    // The last table may go without its padding.
    input.skip(padding_bytes.min(input.left()))?;
    entries.sort_by_key(|entry| Reader::new(entry).u32().unwrap_or(0));
    Ok(FunctionTable { minimum, maximum, base, entry_bytes: sizes.entry, entries: entries.concat() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn descriptor(minimum: u64, maximum: u64, base: u64, count: u32, padding_bytes: u32) -> Vec<u8> {
        [&minimum.to_le_bytes()[..], &maximum.to_le_bytes(), &base.to_le_bytes(), &words(&[count, padding_bytes])]
            .concat()
    }

    /// Two tables of x64 functions, the first unsorted; 16 bytes of the system's own; between them one without entries.
    fn stream() -> Vec<u8> {
        [
            words(&[24, 32, 16, 12, 3, 0]),
            descriptor(0x10_1000, 0x10_1100, 0x10_0000, 2, 0),
            vec![0xaa; 16],
            words(&[0x1080, 0x1100, 0x2000, 0x1000, 0x1080, 0x2010]),
            descriptor(0x30_0000, 0x40_0000, 0x30_0000, 0, 0),
            vec![0xbb; 16],
            descriptor(0x20_0000, 0x20_0040, 0x20_0000, 1, 4),
            vec![0xcc; 16],
            words(&[0, 0x40, 0x100]),
            vec![0; 4],
        ]
        .concat()
    }

    #[test]
    fn tables_are_read_and_their_entries_sorted() {
        let records = function_tables(&stream());
        assert_eq!(records.problem, None);
        let found: Vec<_> = records.good.iter().map(|it| (it.minimum, it.maximum, it.base, it.entry_bytes)).collect();
        assert_eq!(found, [(0x10_1000, 0x10_1100, 0x10_0000, 12), (0x20_0000, 0x20_0040, 0x20_0000, 12)]);
        assert_eq!(records.good[0].entries, words(&[0x1000, 0x1080, 0x2010, 0x1080, 0x1100, 0x2000]));
        assert_eq!(records.good[1].entries, words(&[0, 0x40, 0x100]));
    }

    #[test]
    fn longer_headers_and_descriptors_are_passed_over() {
        let bytes = [
            words(&[32, 40, 0, 8, 1, 4, 0xdead, 0xdead, 0xdead]),
            descriptor(0x1000, 0x2000, 0x1000, 1, 0),
            words(&[0xdead, 0xdead, 0, 0x44]),
        ];
        let records = function_tables(&bytes.concat());
        assert_eq!(records.problem, None);
        assert_eq!((records.good[0].entry_bytes, &records.good[0].entries), (8, &words(&[0, 0x44])));
    }

    #[test]
    fn what_is_damaged_costs_what_follows() {
        let whole = stream();
        // The padding at the very end may be missing; every other cut is told.
        for length in 0..whole.len() - 4 {
            let records = function_tables(&whole[..length]);
            assert!(matches!(records.problem, Some(Problem::Truncated(_))), "{length}");
            assert!(records.good.len() < 2);
        }
        assert_eq!(function_tables(&whole[..whole.len() - 2]).problem, None);
        for (at, value, expected) in [
            (0, 20, "its header has 20 bytes and its descriptors 32, at least 24 and 32 are needed"),
            (4, 0, "its header has 24 bytes and its descriptors 0, at least 24 and 32 are needed"),
            (12, 0, "its function entries have 0 bytes, which no processor's have"),
        ] {
            let mut damaged = whole.clone();
            damaged[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
            assert_eq!(function_tables(&damaged).problem.unwrap().to_string(), expected);
        }
        let mut endless = whole.clone();
        endless[24 + 24..24 + 28].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(function_tables(&endless).problem, Some(Problem::Truncated(_))));
    }
}
