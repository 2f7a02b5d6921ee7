//! Line tables (C13): which code belongs to which line of which file.
//!
//! Source: LLVM, "CodeView Line Information" in DebugLinesSubsection.h; Microsoft, cvinfo.h (CV_DebugSLinesHeader_t).

use std::ops::Range;

use super::info::Names;
use crate::bytes::{Reader, Truncated};
use crate::debuginfo::{Checksum, SourceFile};

/// Kinds of subsections (DEBUG_S_SUBSECTION_TYPE).
const LINES: u32 = 0xf2;
const FILE_CHECKSUMS: u32 = 0xf4;
/// DEBUG_S_INLINEELINES.
pub const INLINEE_LINES: u32 = 0xf6;
/// Set in a kind that is to be ignored.
const IGNORE: u32 = 0x8000_0000;
/// Line numbers by which compilers say that there is no source: always and never step in.
const NO_SOURCE: [u32; 2] = [0x00fe_efee, 0x00f0_0f00];

/// Subsections of `c13`: kind and content.
pub fn subsections(c13: &[u8]) -> impl Iterator<Item = (u32, Range<usize>)> + '_ {
    let mut input = Reader::new(c13);
    std::iter::from_fn(move || {
        let (kind, size) = (input.u32().ok()?, input.u32().ok()? as usize);
        let start = input.offset();
        input.skip(size.min(input.left())).ok()?;
        let end = input.offset();
        input.align(4);
        Some((kind, start..end))
    })
    .filter(|(kind, _)| kind & IGNORE == 0)
}

/// Where the line tables of a module are, in address order.
pub struct LineTables {
    tables: Vec<LineTable>,
    checksums: Range<usize>,
}

/// A table for `[offset, offset + size_bytes)` of a section.
#[derive(Debug, Clone)]
pub struct LineTable {
    section: u16,
    offset: u32,
    size_bytes: u32,
    has_columns: bool,
    blocks: Range<usize>,
}

/// A row: from `offset` to `end` of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// First byte.
    pub offset: u32,
    /// One past the last.
    pub end: u32,
    /// Offset of the file in the checksums.
    pub file: u32,
    /// Line; 0 if there is no source.
    pub line: u32,
    /// Whether a statement begins.
    pub is_statement: bool,
}

impl LineTables {
    /// Finds the tables; their rows are read when they are asked for.
    pub fn find(c13: &[u8]) -> LineTables {
        let mut tables = Vec::new();
        let mut checksums = 0..0;
        for (kind, range) in subsections(c13) {
            match kind {
                LINES => tables.extend(read_header(c13, range)),
                FILE_CHECKSUMS if checksums.is_empty() => checksums = range,
                _ => {}
            }
        }
        tables.sort_by_key(|table| (table.section, table.offset));
        LineTables { tables, checksums }
    }

    /// Rows that overlap `[start, end)` of a section, in address order.
    pub fn rows_in(&self, c13: &[u8], section: u16, start: u32, end: u32) -> Vec<Row> {
        let first = self.tables.partition_point(|table| {
            (table.section, u64::from(table.offset) + u64::from(table.size_bytes)) <= (section, u64::from(start))
        });
        let near = self.tables[first..].iter().take_while(|table| (table.section, table.offset) < (section, end));
        let rows = near.flat_map(|table| table.rows(c13));
        rows.filter(|row| row.offset < end && row.end > start && row.line != 0).collect()
    }

    /// The file at an offset of the checksums.
    pub fn file(&self, c13: &[u8], file: u32, names: Option<&Names>) -> Option<SourceFile> {
        let checksums = c13.get(self.checksums.clone())?;
        let mut input = Reader::at(checksums, file as usize).ok()?;
        let (name, size, kind) = (input.u32().ok()?, input.u8().ok()?, input.u8().ok()?);
        let digest = input.take(size.into()).unwrap_or_default().to_vec();
        let checksum = match (kind, digest.len()) {
            (1, 16) => Some(Checksum::Md5(digest)),
            (2, 20) => Some(Checksum::Sha1(digest)),
            (3, 32) => Some(Checksum::Sha256(digest)),
            _ => None,
        };
        Some(SourceFile { path: names?.get(name)?, checksum })
    }
}

fn read_header(c13: &[u8], range: Range<usize>) -> Option<LineTable> {
    let mut input = Reader::new(c13.get(range.clone())?);
    let (offset, section, flags, size_bytes) =
        (input.u32().ok()?, input.u16().ok()?, input.u16().ok()?, input.u32().ok()?);
    let blocks = range.start + input.offset()..range.end;
    Some(LineTable { section, offset, size_bytes, has_columns: flags & 1 != 0, blocks })
}

impl LineTable {
    /// All rows, in address order. A table has a block for each file; rows of several files interleave, so that a row
    /// ends where the next one of any file begins.
    fn rows(&self, c13: &[u8]) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut input = Reader::new(c13.get(self.blocks.clone()).unwrap_or_default());
        while !input.is_empty() && self.read_block(&mut input, &mut rows).is_ok() {}
        rows.sort_by_key(|row| row.offset);
        let end = self.offset.saturating_add(self.size_bytes);
        for index in 0..rows.len() {
            rows[index].end = rows.get(index + 1).map_or(end, |next| next.offset);
        }
        rows.retain(|row| row.offset < row.end);
        rows
    }

    fn read_block(&self, input: &mut Reader<'_>, rows: &mut Vec<Row>) -> Result<(), Truncated> {
        let (file, count, block_bytes) = (input.u32()?, input.u32()? as usize, input.u32()? as usize);
        let mut block = Reader::new(input.take(block_bytes.saturating_sub(12))?);
        block.check_count(count, if self.has_columns { 12 } else { 8 })?;
        for _ in 0..count {
            let (offset, flags) = (block.u32()?, block.u32()?);
            let line = flags & 0x00ff_ffff;
            rows.push(Row {
                offset: self.offset.saturating_add(offset),
                end: 0,
                file,
                line: if NO_SOURCE.contains(&line) { 0 } else { line },
                is_statement: flags & 0x8000_0000 != 0,
            });
        }
        Ok(())
    }
}
