//! The bytes of segments that are mapped as they are: what images of ELF and Mach-O have in common.

use crate::address::Rva;
use crate::data::Data;

use super::{Section, section_in};

/// Where the bytes of segments are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// At the offsets that the headers give.
    File,
    /// At their RVAs.
    Memory,
}

/// What headers say about a segment.
pub(super) struct Mapping {
    pub name: String,
    pub rva: Rva,
    pub memory_size_bytes: u64,
    pub offset: u64,
    pub file_size_bytes: u64,
    pub readable: bool,
    pub writable: bool,
    pub executable: bool,
}

impl Mapping {
    /// The segment, cut to what `data` holds. None if it is empty or larger than an image can be.
    pub fn section(self, data: &Data, layout: Layout) -> Option<Section> {
        let size_bytes = u32::try_from(self.memory_size_bytes).ok().filter(|&size| size > 0)?;
        let (wanted, start) = match layout {
            Layout::File => (self.file_size_bytes.min(size_bytes.into()) as usize, self.offset),
            Layout::Memory => (size_bytes as usize, u64::from(self.rva.0)),
        };
        let start = start.min(data.len() as u64) as usize;
        let held = wanted.min(data.len() - start);
        let Mapping { name, rva, readable, writable, executable, .. } = self;
        let lost_bytes = (wanted - held) as u32;
        Some(Section { name, rva, size_bytes, raw: start..start + held, readable, writable, executable, lost_bytes })
    }
}

/// Segments in address order, and the file that they are of.
pub(super) struct Segments {
    data: Data,
    list: Vec<Section>,
}

impl Segments {
    pub fn new(data: Data, mut list: Vec<Section>) -> Segments {
        list.sort_by_key(|segment| segment.rva);
        Segments { data, list }
    }

    pub fn list(&self) -> &[Section] {
        &self.list
    }

    pub fn at(&self, rva: Rva) -> Option<&Section> {
        section_in(&self.list, rva)
    }

    /// Initialised bytes from `rva` to the end of what the file holds of the segment.
    pub fn raw_from(&self, rva: Rva) -> &[u8] {
        let Some(segment) = self.at(rva) else { return &[] };
        let raw = self.data.get(segment.raw.clone()).unwrap_or_default();
        raw.get((rva.0 - segment.rva.0) as usize..).unwrap_or_default()
    }

    /// The same as a part of the file; None outside of segments.
    pub fn part_from(&self, rva: Rva) -> Option<Data> {
        let segment = self.at(rva)?;
        let skipped = (rva.0 - segment.rva.0) as usize;
        let size = segment.raw.len().checked_sub(skipped)?;
        self.data.part((segment.raw.start + skipped) as u64, size as u64)
    }

    /// Copies the bytes at `rva`, with the zeros that follow initialised bytes; how many there are. Of a segment whose
    /// bytes a cut-off file lost, what it still holds.
    pub fn read_mapped(&self, rva: Rva, buffer: &mut [u8]) -> usize {
        let raw = self.raw_from(rva);
        let held = raw.len().min(buffer.len());
        buffer[..held].copy_from_slice(&raw[..held]);
        let Some(segment) = self.at(rva).filter(|segment| segment.lost_bytes == 0) else { return held };
        let left = (segment.end() - u64::from(rva.0)).min(buffer.len() as u64) as usize;
        buffer[held.min(left)..left].fill(0);
        left.max(held)
    }
}
