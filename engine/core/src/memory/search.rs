//! Bytes sought through the address space.

use std::ops::Range;

use memchr::memmem::Finder;

use super::{AddressSpace, File, Source, Span};

/// Longer patterns are not sought.
pub const LONGEST_PATTERN_BYTES: usize = 4096;
/// How often every byte of the file may be looked at.
const MOST_REPETITIONS: u64 = 16;
/// Bytes of an image that are read at a time.
const CHUNK_BYTES: u64 = 1 << 20;

/// What is sought, where, and what was found of it.
struct Search<'a> {
    finder: Finder<'a>,
    /// Addresses at which a match may begin.
    range: Range<u64>,
    alignment: u64,
    limit: usize,
    found: Vec<u64>,
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        self.found.len() >= self.limit
    }

    /// Notes the matches that begin in the first `starts` bytes of `data`, which lies at `address`.
    ///
    /// Matches may overlap: of a run of equal bytes the first match says nothing about which of the others are aligned.
    fn look(&mut self, address: u64, data: &[u8], starts: u64) {
        let mut at = self.range.start.saturating_sub(address);
        let end = starts.min(self.range.end.saturating_sub(address)).min(data.len() as u64);
        let data = &data[..data.len().min(end as usize + self.finder.needle().len() - 1)];
        while at < end && !self.is_over() {
            let Some(offset) = self.finder.find(&data[at as usize..]) else { return };
            at += offset as u64;
            let unaligned = address.wrapping_add(at) % self.alignment;
            if unaligned == 0 {
                self.found.push(address.wrapping_add(at));
                at += 1;
            } else {
                at = at.saturating_add(self.alignment - unaligned);
            }
        }
    }
}

impl AddressSpace {
    /// The first `limit` addresses in `[start, end)` at which `pattern` begins, in address order: in what the dump holds,
    /// and in read-only sections of images that are attached. With an `alignment` above 1, only multiples of it count.
    ///
    /// Matches may overlap, and run from one range of the dump into the next. An empty or overlong pattern is nowhere.
    pub fn search(&self, pattern: &[u8], start: u64, end: u64, alignment: u64, limit: usize) -> Vec<u64> {
        if pattern.is_empty() || pattern.len() > LONGEST_PATTERN_BYTES {
            return Vec::new();
        }
        let finder = Finder::new(pattern);
        let mut search = Search { finder, range: start..end, alignment: alignment.max(1), limit, found: Vec::new() };
        for span in self.known_spans(start, end) {
            if search.is_over() {
                break;
            }
            self.search_span(&span, &mut search);
        }
        search.found.sort_unstable();
        search.found.dedup();
        search.found
    }

    /// What is known of `[start, end)`: ranges of the dump, and between them what images hold, in address order.
    fn known_spans(&self, start: u64, end: u64) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let mut budget = (self.dump.data().len() as u64).saturating_mul(MOST_REPETITIONS);
        for range in self.dump.memory().from(start).iter().take_while(|range| range.address < end) {
            // A hostile dump may claim that all of its ranges are the same bytes of the file.
            budget = budget.saturating_sub(range.size_bytes);
            if budget == 0 {
                break;
            }
            let source = Source::Dump { offset: range.offset };
            spans.push(Span { address: range.address, size_bytes: range.size_bytes, source });
        }
        for (index, module) in self.dump.modules().iter().enumerate() {
            if let File::Here(_) = self.image(index) {
                let parts = self.provenance(module.base, module.size_bytes.into());
                let in_image = |span: &Span| matches!(span.source, Source::Image { .. });
                let in_reach = |span: &Span| span.address < end && span.address.saturating_add(span.size_bytes) > start;
                spans.extend(parts.into_iter().filter(|span| in_image(span) && in_reach(span)));
            }
        }
        spans.sort_by_key(|span| span.address);
        spans
    }

    /// Seeks in one span, and over its end in what follows.
    fn search_span(&self, span: &Span, search: &mut Search<'_>) {
        let overlap = search.finder.needle().len() as u64 - 1;
        let end = span.address.saturating_add(span.size_bytes);
        let mut at = span.address.max(search.range.start);
        if let Source::Dump { .. } = span.source
            && let Some(data) = self.captured_part(span.address, span.size_bytes)
        {
            let within = span.size_bytes.saturating_sub(overlap);
            search.look(span.address, &data, within); // in place: nothing is copied
            at = at.max(span.address.saturating_add(within));
        }
        while at < end.min(search.range.end) && !search.is_over() {
            let size = (end - at).min(CHUNK_BYTES);
            let bytes = self.bytes(at, (size + overlap) as usize);
            search.look(at, &bytes, size);
            at += size;
        }
    }
}
