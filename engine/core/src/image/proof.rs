//! Is this image the one that the dump was taken of?
//!
//! TimeDateStamp and SizeOfImage are a key, and keys have collided (two builds of kernel32 once shared theirs). So the
//! image is also compared with every byte of its non-writable sections and headers that the dump holds. Excluded is
//! what the loader writes there, see [`Image::loader_written`].

use std::ops::Range;

use super::{Image, Key};
use crate::address::Rva;
use crate::dump::memory::{MemoryIndex, MemoryRange};
use crate::dump::modules::Module;

const PAGE_BYTES: u64 = 0x1000;
/// Differing ranges that are kept; all are counted.
const MOST_DIFFERENCES: usize = 64;
/// Bytes kept of each side of a difference.
const SHOWN_BYTES: usize = 16;

/// What was compared, and what came out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proof {
    /// Whether the dump has a key of the image.
    pub has_key: bool,
    /// The image's key is that of the dump, where there is one.
    pub key_matches: bool,
    /// Bytes that both hold.
    pub compared_bytes: u64,
    /// Pages (4 KiB) with such bytes.
    pub compared_pages: u64,
    /// Pages with a differing byte.
    pub differing_pages: u64,
    /// Bytes that differ.
    pub differing_bytes: u64,
    /// Where: the first 64 ranges, in address order.
    pub differing: Vec<Difference>,
}

impl Proof {
    /// The key matches and nothing differs. Without a key, equal bytes have to say it alone.
    pub fn is_accepted(&self) -> bool {
        self.key_matches && self.differing_bytes == 0 && (self.has_key || self.compared_bytes > 0)
    }
}

/// A range in which dump and image differ in every byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// First address.
    pub address: u64,
    /// Bytes.
    pub size_bytes: u64,
    /// What the image has after relocation; at most 16 bytes.
    pub expected: Vec<u8>,
    /// What the dump has; at most 16 bytes.
    pub found: Vec<u8>,
    /// Section, or `headers`.
    pub section: String,
}

/// Compares `image` with `module` and with the bytes in `file` that `memory` indexes. The cost is that of the bytes
/// that the dump holds of the image.
pub fn prove(image: &dyn Image, module: &Module, file: &[u8], memory: &MemoryIndex) -> Proof {
    let wanted = image.wanted_key(module);
    let key_matches = wanted == Key::None || wanted == image.own_key(module);
    let mut comparison = Comparison {
        image,
        base: module.base,
        proof: Proof { key_matches, has_key: wanted != Key::None, ..Proof::default() },
        pages: Pages::default(),
    };
    if key_matches {
        let end = module.base.saturating_add(u64::from(module.size_bytes));
        for range in memory.from(module.base).iter().take_while(|range| range.address < end) {
            comparison.range(range, end, file);
        }
    }
    let mut proof = comparison.proof;
    (proof.compared_pages, proof.differing_pages) = (comparison.pages.compared, comparison.pages.differing);
    proof
}

/// Counts pages as they come by in address order.
#[derive(Default)]
struct Pages {
    compared: u64,
    differing: u64,
    last_compared: Option<u64>,
    last_differing: Option<u64>,
}

impl Pages {
    fn count(&mut self, address: u64, differs: bool) {
        let page = address / PAGE_BYTES;
        if self.last_compared != Some(page) {
            (self.last_compared, self.compared) = (Some(page), self.compared + 1);
        }
        if differs && self.last_differing != Some(page) {
            (self.last_differing, self.differing) = (Some(page), self.differing + 1);
        }
    }
}

struct Comparison<'a> {
    image: &'a dyn Image,
    base: u64,
    proof: Proof,
    pages: Pages,
}

impl Comparison<'_> {
    /// Compares what a captured range holds of the image, page by page.
    fn range(&mut self, range: &MemoryRange, end: u64, file: &[u8]) {
        let mut address = range.address.max(self.base);
        let end = range.end().min(end);
        while address < end {
            let next = (address / PAGE_BYTES + 1).saturating_mul(PAGE_BYTES).min(end);
            let offset = range.offset + (address - range.address);
            if let Some(found) = file.get(offset as usize..(offset + (next - address)) as usize) {
                self.page(address, found);
            }
            address = next;
        }
    }

    fn page(&mut self, address: u64, found: &[u8]) {
        let start = address - self.base;
        for piece in comparable(self.image, start..start + found.len() as u64) {
            let mut expected = vec![0; (piece.end - piece.start) as usize];
            let read = self.image.read_mapped(Rva(piece.start as u32), self.base, &mut expected);
            let found = &found[(piece.start - start) as usize..];
            self.piece(self.base + piece.start, &expected[..read], &found[..read]);
        }
    }

    fn piece(&mut self, address: u64, expected: &[u8], found: &[u8]) {
        if expected.is_empty() {
            return;
        }
        self.proof.compared_bytes += expected.len() as u64;
        self.pages.count(address, expected != found);
        if expected == found {
            return;
        }
        let mut index = 0;
        while index < expected.len() {
            let differs = |at: &usize| expected[*at] != found[*at];
            let length = (index..expected.len()).take_while(differs).count();
            if length > 0 {
                self.difference(
                    address + index as u64,
                    &expected[index..index + length],
                    &found[index..index + length],
                );
            }
            index += length.max(1);
        }
    }

    fn difference(&mut self, address: u64, expected: &[u8], found: &[u8]) {
        let size_bytes = expected.len() as u64;
        self.proof.differing_bytes += size_bytes;
        let shown = expected.len().min(SHOWN_BYTES);
        if let Some(last) = self.proof.differing.last_mut()
            && last.address + last.size_bytes == address
        {
            last.size_bytes += size_bytes;
        } else if self.proof.differing.len() < MOST_DIFFERENCES {
            let section = Rva::of(address, self.base).and_then(|rva| self.image.section_name(rva));
            self.proof.differing.push(Difference {
                address,
                size_bytes,
                expected: expected[..shown].to_vec(),
                found: found[..shown].to_vec(),
                section: section.unwrap_or_default().into_owned(),
            });
        }
    }
}

/// The parts of a range of RVAs that must be the same in the file and in memory: headers and non-writable sections,
/// without what the loader writes.
pub fn comparable(image: &dyn Image, range: Range<u64>) -> Vec<Range<u64>> {
    let headers = 0..u64::from(image.headers_bytes());
    let sections = image.sections().iter().filter(|section| !section.writable);
    let parts = sections.map(|section| u64::from(section.rva.0)..section.end());
    let mut pieces: Vec<Range<u64>> = std::iter::once(headers)
        .chain(parts)
        .map(|part| part.start.max(range.start)..part.end.min(range.end))
        .filter(|part| part.start < part.end)
        .collect();
    for written in image.loader_written() {
        if written.start < range.end && range.start < written.end {
            pieces = pieces.into_iter().flat_map(|piece| without(piece, written)).collect();
        }
    }
    pieces
}

fn without(piece: Range<u64>, hole: &Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let before = piece.start..piece.end.min(hole.start);
    let after = piece.start.max(hole.end)..piece.end;
    [before, after].into_iter().filter(|part| part.start < part.end)
}
