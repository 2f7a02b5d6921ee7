//! The chain of inlined calls at an address.

use super::inlinees::{InlineRow, decode};
use super::module::{FunctionRecord, Module};
use super::records::{Record, kind};
use crate::bytes::Reader;

/// An inlined call: which function, and which code belongs to it.
#[derive(Debug)]
pub struct InlineSite {
    /// Id of the inlined function.
    pub inlinee: u32,
    /// Its code, of calls inlined into it too; offsets count from the start of the function.
    pub rows: Vec<InlineRow>,
}

impl InlineSite {
    /// Reads a site's record; None if it is damaged or nothing is known of its inlinee.
    pub fn read(record: &Record<'_>, module: &Module, function: &FunctionRecord) -> Option<InlineSite> {
        let mut input = Reader::at(record.data, 8).ok()?;
        let inlinee = input.u32().ok()?;
        if record.kind == kind::S_INLINESITE2 {
            input.skip(4).ok()?; // how often it was called
        }
        let start = module.inlinees().get(inlinee)?;
        Some(InlineSite { inlinee, rows: decode(input.rest(), start, function.size_bytes) })
    }

    /// The row that covers an offset from the start of the function.
    pub fn row_at(&self, offset: u32) -> Option<&InlineRow> {
        let after = self.rows.partition_point(|row| row.offset <= offset);
        self.rows[..after].last().filter(|row| offset < row.end)
    }

    /// Whether the offset belongs to the call.
    pub fn covers(&self, offset: u32) -> bool {
        self.row_at(offset).is_some()
    }

    /// Where the contiguous code that covers the offset begins.
    pub fn start_of_run(&self, offset: u32) -> Option<u32> {
        let after = self.rows.partition_point(|row| row.offset <= offset);
        let mut start = self.rows[..after].last()?.offset;
        for row in self.rows[..after].iter().rev().skip(1) {
            if row.end < start {
                break;
            }
            start = row.offset;
        }
        Some(start)
    }
}

/// Sites that cover an offset of a function, outermost first.
pub fn sites_at(module: &Module, function: &FunctionRecord, offset: u32) -> Vec<InlineSite> {
    let mut sites = Vec::new();
    let mut depth = 0usize;
    // Depth of the innermost scope that covers the offset: only what is inside of it can cover it too.
    let mut covering = 0usize;
    for record in module.scope(function.record) {
        if record.opens_scope() {
            let is_inside = depth == covering;
            depth += 1;
            match record.kind {
                kind::S_INLINESITE | kind::S_INLINESITE2 if is_inside => {
                    if let Some(site) = InlineSite::read(&record, module, function).filter(|site| site.covers(offset)) {
                        sites.push(site);
                        covering = depth;
                    }
                }
                kind::S_BLOCK32 if is_inside => covering = depth,
                _ => {}
            }
        } else if record.closes_scope() {
            depth = depth.saturating_sub(1);
            covering = covering.min(depth);
        }
    }
    sites
}
