//! Base relocations: what the loader adds when an image is not where it was linked for.
//!
//! Source: Microsoft, "PE Format", "The .reloc Section".

use std::collections::HashMap;
use std::ops::Range;

use super::Image;
use super::pe::PeImage;
use crate::address::Rva;

const PAGE_BYTES: u64 = 0x1000;
/// Longest relocated word.
const WORD_BYTES: u64 = 8;

/// Where each page's block lies within the directory.
pub struct Relocations {
    /// By page RVA: the entries, as ranges of the directory's bytes. Linkers write one block a page, others may split it.
    pages: HashMap<u32, Vec<Range<usize>>>,
    /// The directory's bytes.
    entries: Vec<u8>,
}

/// One relocated word.
struct Word {
    rva: u64,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// IMAGE_REL_BASED_HIGH: the upper half of the delta.
    High,
    /// IMAGE_REL_BASED_LOW: the lower half.
    Low,
    /// IMAGE_REL_BASED_HIGHLOW: 32 bits.
    HighLow,
    /// IMAGE_REL_BASED_DIR64: 64 bits.
    Dir64,
}

impl Kind {
    fn size_bytes(self) -> u64 {
        match self {
            Kind::High | Kind::Low => 2,
            Kind::HighLow => 4,
            Kind::Dir64 => 8,
        }
    }
}

impl Relocations {
    /// Finds the blocks in `directory`. A block that is cut off, or shorter than its own header, ends the list.
    pub fn new(directory: &[u8]) -> Relocations {
        let mut pages: HashMap<u32, Vec<Range<usize>>> = HashMap::new();
        let mut offset = 0;
        while let Some(&[p0, p1, p2, p3, s0, s1, s2, s3]) = directory.get(offset..offset + 8) {
            let (page, size) = (u32::from_le_bytes([p0, p1, p2, p3]), u32::from_le_bytes([s0, s1, s2, s3]) as usize);
            if size < 8 || size > directory.len() - offset {
                break;
            }
            pages.entry(page).or_default().push(offset + 8..offset + size);
            offset += size;
        }
        Relocations { pages, entries: directory.to_vec() }
    }

    /// Words that overlap `[start, end)`, in no order.
    fn overlapping(&self, start: u64, end: u64) -> impl Iterator<Item = Word> + '_ {
        let first_page = start.saturating_sub(WORD_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
        let pages = (first_page..end).step_by(PAGE_BYTES as usize).filter_map(|page| u32::try_from(page).ok());
        let blocks = pages.filter_map(|page| Some((page, self.pages.get(&page)?)));
        blocks
            .flat_map(move |(page, blocks)| {
                let entries = blocks.iter().flat_map(|block| self.entries[block.clone()].chunks_exact(2));
                entries.filter_map(move |entry| {
                    let entry = u16::from_le_bytes([entry[0], entry[1]]);
                    let kind = match entry >> 12 {
                        1 => Kind::High,
                        2 => Kind::Low,
                        3 => Kind::HighLow,
                        10 => Kind::Dir64,
                        _ => return None, // 0 pads; others are of processors without a port
                    };
                    Some(Word { rva: u64::from(page) + u64::from(entry & 0xfff), kind })
                })
            })
            .filter(move |word| word.rva < end && start < word.rva + word.kind.size_bytes())
    }

    /// Relocates `bytes`, which begin at `rva` of `image`, by `delta`. Words that the edges cut are relocated in part,
    /// from their whole value in the image.
    pub fn apply(&self, image: &PeImage, rva: Rva, delta: u64, bytes: &mut [u8]) {
        if delta == 0 {
            return;
        }
        let start = u64::from(rva.0);
        let end = start + bytes.len() as u64;
        for word in self.overlapping(start, end) {
            let size = word.kind.size_bytes() as usize;
            let mut value = [0; WORD_BYTES as usize];
            let original = image.raw_from(Rva(word.rva as u32));
            let Some(original) = original.get(..size) else { continue };
            value[..size].copy_from_slice(original);
            let value = relocate(word.kind, u64::from_le_bytes(value), delta).to_le_bytes();
            for (index, byte) in value[..size].iter().enumerate() {
                let at = word.rva + index as u64;
                if at >= start && at < end {
                    bytes[(at - start) as usize] = *byte;
                }
            }
        }
    }

    /// The words that overlap `size` bytes from `start` on, cut to that range, in address order.
    pub fn words_in(&self, _image: &PeImage, start: Rva, size: u32) -> Vec<Range<u64>> {
        let (start, end) = (u64::from(start.0), u64::from(start.0) + u64::from(size));
        let cut = |word: Word| word.rva.max(start)..(word.rva + word.kind.size_bytes()).min(end);
        let mut words: Vec<Range<u64>> = self.overlapping(start, end).map(cut).collect();
        words.sort_by_key(|word| word.start);
        words.dedup();
        words
    }
}

fn relocate(kind: Kind, value: u64, delta: u64) -> u64 {
    match kind {
        Kind::High => value.wrapping_add(delta >> 16),
        Kind::Low | Kind::HighLow | Kind::Dir64 => value.wrapping_add(delta),
    }
}
