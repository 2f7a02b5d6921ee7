//! Which memory a dump holds, as an index by address.
//!
//! Source: minidumpapiset.h, MINIDUMP_MEMORY_LIST, MINIDUMP_MEMORY64_LIST, MINIDUMP_MEMORY_INFO_LIST.

use super::records::{Problem, Records};
use super::threads::Thread;
use crate::bytes::{Reader, Truncated};

/// Captured bytes: addresses `[address, address + size_bytes)` are at `offset` of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryRange {
    /// First address.
    pub address: u64,
    /// Bytes; never 0, and the range does not wrap.
    pub size_bytes: u64,
    /// File offset.
    pub offset: u64,
}

impl MemoryRange {
    /// One past the last address.
    pub fn end(&self) -> u64 {
        self.address + self.size_bytes
    }

    /// The range as far as the file holds it, or None if it holds nothing of it.
    fn within(self, file_bytes: u64) -> Option<MemoryRange> {
        let held = file_bytes.saturating_sub(self.offset).min(self.size_bytes).min(u64::MAX - self.address);
        (held > 0).then_some(MemoryRange { size_bytes: held, ..self })
    }
}

/// Ranges in address order, without overlap.
#[derive(Debug, Default)]
pub struct MemoryIndex {
    ranges: Vec<MemoryRange>,
}

impl MemoryIndex {
    /// Orders `found`; where ranges overlap, the earlier in the list wins: writers list what matters most first, and
    /// the bytes that a thread's own record refers to are read together with its registers.
    pub fn new(found: Vec<MemoryRange>) -> MemoryIndex {
        let mut order: Vec<usize> = (0..found.len()).collect();
        order.sort_by_key(|&index| found[index].address);
        let disjoint = order.windows(2).all(|pair| found[pair[0]].end() <= found[pair[1]].address);
        let ranges = if disjoint { order.iter().map(|&index| found[index]).collect() } else { without_overlap(&found) };
        MemoryIndex { ranges }
    }

    /// All ranges, in address order.
    pub fn ranges(&self) -> &[MemoryRange] {
        &self.ranges
    }

    /// The first range that ends above `address`: the one that covers it, or else the next one.
    pub fn from(&self, address: u64) -> &[MemoryRange] {
        let first = self.ranges.partition_point(|range| range.end() <= address);
        &self.ranges[first..]
    }
}

/// A sweep over all edges: between two neighbouring edges the range with the lowest index wins.
fn without_overlap(found: &[MemoryRange]) -> Vec<MemoryRange> {
    let mut edges: Vec<(u64, bool, usize)> = Vec::with_capacity(found.len() * 2);
    for (index, range) in found.iter().enumerate() {
        edges.push((range.address, true, index));
        edges.push((range.end(), false, index));
    }
    edges.sort_unstable();
    let mut open = std::collections::BTreeSet::new();
    let mut pieces: Vec<(usize, MemoryRange)> = Vec::new();
    let mut last = 0;
    for (edge, opens, index) in edges {
        if edge > last
            && let Some(&winner) = open.first()
        {
            let range: &MemoryRange = &found[winner];
            match pieces.last_mut() {
                Some((owner, piece)) if *owner == winner && piece.end() == last => piece.size_bytes += edge - last,
                _ => {
                    let offset = range.offset + (last - range.address);
                    pieces.push((winner, MemoryRange { address: last, size_bytes: edge - last, offset }));
                }
            }
        }
        last = edge;
        if opens {
            open.insert(index)
        } else {
            open.remove(&index)
        };
    }
    pieces.into_iter().map(|(_, piece)| piece).collect()
}

/// Reads stream MemoryList.
pub fn memory_list(stream: &[u8], file_bytes: u64) -> Records<MemoryRange> {
    Records::list(stream, 16, |input| {
        let (address, size_bytes, offset) = (input.u64()?, u64::from(input.u32()?), u64::from(input.u32()?));
        Ok(held(MemoryRange { address, size_bytes, offset }, file_bytes))
    })
}

/// Reads stream Memory64List, whose bytes follow each other from one offset on.
pub fn memory64_list(stream: &[u8], file_bytes: u64) -> Records<MemoryRange> {
    let mut input = Reader::new(stream);
    let header = |input: &mut Reader<'_>| -> Result<(u64, u64), Truncated> { Ok((input.u64()?, input.u64()?)) };
    let (count, mut offset) = match header(&mut input) {
        Ok(header) => header,
        Err(short) => return Records { good: Vec::new(), problem: Some(Problem::Truncated(short)) },
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    Records::of(&mut input, count, 16, &mut |input| {
        let (address, size_bytes) = (input.u64()?, input.u64()?);
        let range = MemoryRange { address, size_bytes, offset };
        offset = offset.saturating_add(size_bytes);
        Ok(held(range, file_bytes))
    })
}

/// An empty range is no error, but a range of which the file holds nothing is. (A range that is cut off stays, as far
/// as it goes: the file was truncated while it was written or carried.)
fn held(range: MemoryRange, file_bytes: u64) -> Option<MemoryRange> {
    if range.size_bytes == 0 { Some(MemoryRange { size_bytes: 0, ..range }) } else { range.within(file_bytes) }
}

/// The stacks of `threads`. Folklore: some writers (Breakpad's for Linux among them) list a stack in the thread's
/// record but not in MemoryList, so both are looked at.
pub fn stacks(threads: &[Thread], file_bytes: u64) -> impl Iterator<Item = MemoryRange> + '_ {
    threads.iter().filter_map(move |thread| {
        let range = MemoryRange {
            address: thread.stack_start,
            size_bytes: thread.stack.size_bytes.into(),
            offset: thread.stack.offset.into(),
        };
        (thread.stack.offset != 0).then(|| range.within(file_bytes)).flatten()
    })
}

/// What VirtualQuery said of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryRegion {
    /// First address.
    pub base: u64,
    /// First address of the allocation that it belongs to.
    pub allocation_base: u64,
    /// PAGE_… when allocated.
    pub allocation_protect: u32,
    /// Bytes.
    pub size_bytes: u64,
    /// MEM_COMMIT, MEM_RESERVE or MEM_FREE.
    pub state: u32,
    /// PAGE_…
    pub protect: u32,
    /// MEM_IMAGE, MEM_MAPPED or MEM_PRIVATE.
    pub kind: u32,
}

impl MemoryRegion {
    /// MEM_FREE.
    pub fn is_free(&self) -> bool {
        self.state == 0x1_0000
    }

    /// PAGE_EXECUTE to PAGE_EXECUTE_WRITECOPY.
    pub fn is_executable(&self) -> bool {
        self.protect & 0xf0 != 0
    }
}

/// Reads stream MemoryInfoList: its header is `SizeOfHeader`, `SizeOfEntry` (`u32`), `NumberOfEntries` (`u64`).
pub fn memory_info_list(stream: &[u8]) -> Records<MemoryRegion> {
    let header = || -> Result<(usize, usize, u64), Truncated> {
        let mut input = Reader::new(stream);
        Ok((input.u32()? as usize, input.u32()? as usize, input.u64()?))
    };
    let problem = match header() {
        Err(short) => Problem::Truncated(short),
        Ok((_, entry_bytes, _)) if entry_bytes < 48 => {
            Problem::Invalid(format!("its entries have {entry_bytes} bytes, at least 48 are needed"))
        }
        Ok((header_bytes, entry_bytes, count)) => match Reader::at(stream, header_bytes.max(16)) {
            Ok(mut input) => {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                return Records::of(&mut input, count, entry_bytes, &mut read_region);
            }
            Err(short) => Problem::Truncated(short),
        },
    };
    Records { good: Vec::new(), problem: Some(problem) }
}

fn read_region(input: &mut Reader<'_>) -> Result<Option<MemoryRegion>, Truncated> {
    let (base, allocation_base, allocation_protect) = (input.u64()?, input.u64()?, input.u32()?);
    input.skip(4)?;
    let size_bytes = input.u64()?;
    let (state, protect, kind) = (input.u32()?, input.u32()?, input.u32()?);
    Ok(Some(MemoryRegion { base, allocation_base, allocation_protect, size_bytes, state, protect, kind }))
}
