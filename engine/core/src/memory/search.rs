//! Bytes sought through the address space.

use memchr::memmem::Finder;

use super::{AddressSpace, File, Source, Span};

/// Longer patterns are not sought.
pub const LONGEST_PATTERN_BYTES: usize = 4096;
/// How often every byte of the file may be looked at.
const MOST_REPETITIONS: u64 = 16;
/// Bytes of an image that are read at a time.
const CHUNK_BYTES: u64 = 1 << 20;

impl AddressSpace {
    /// The first `limit` addresses in `[start, end)` at which `pattern` begins, in address order: in what the dump holds,
    /// and in read-only sections of images that are attached. With an `alignment` above 1, only multiples of it count.
    ///
    /// A match may run from one range of the dump into the next. An empty or overlong pattern is nowhere.
    pub fn search(&self, pattern: &[u8], start: u64, end: u64, alignment: u64, limit: usize) -> Vec<u64> {
        let mut found = Vec::new();
        if pattern.is_empty() || pattern.len() > LONGEST_PATTERN_BYTES {
            return found;
        }
        let finder = Finder::new(pattern);
        let mut accept = |address: u64| {
            let is_wanted = (start..end).contains(&address) && address.is_multiple_of(alignment.max(1));
            if is_wanted {
                found.push(address);
            }
            found.len() < limit
        };
        for span in self.known_spans(start, end) {
            if !self.search_span(&span, &finder, &mut accept) {
                break;
            }
        }
        found.sort_unstable();
        found.dedup();
        found
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

    /// Seeks in one span, and over its end in what follows; false once enough was found.
    fn search_span(&self, span: &Span, finder: &Finder<'_>, accept: &mut dyn FnMut(u64) -> bool) -> bool {
        let overlap = finder.needle().len() as u64 - 1;
        let whole = match span.source {
            Source::Dump { .. } => self.captured_part(span.address, span.size_bytes),
            _ => None,
        };
        if let Some(data) = &whole
            && !finder.find_iter(data).all(|at| accept(span.address.wrapping_add(at as u64)))
        {
            return false;
        }
        let end = span.address.saturating_add(span.size_bytes);
        let mut at = if whole.is_some() { end.saturating_sub(overlap).max(span.address) } else { span.address };
        while at < end {
            let size = (end - at).min(CHUNK_BYTES);
            let bytes = self.bytes(at, (size + overlap) as usize);
            let starts = finder.find_iter(&bytes).take_while(|&offset| (offset as u64) < size);
            for offset in starts {
                let is_new = whole.is_none() || offset + finder.needle().len() > (end - at) as usize;
                if is_new && !accept(at.wrapping_add(offset as u64)) {
                    return false;
                }
            }
            at += size;
        }
        true
    }
}
