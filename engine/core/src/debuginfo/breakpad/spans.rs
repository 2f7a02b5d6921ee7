//! Ranges that overlap, made into ranges that do not.

use std::cmp::Reverse;

/// The half-open range `[start, end)`, and the record that tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First.
    pub start: u32,
    /// One past the last.
    pub end: u32,
    /// Which record it is, by a number that grows through the file.
    pub record: u64,
}

/// The same ranges without overlap, in order: of several that cover an address the one that starts last is in force, of
/// several that start there the shortest, and of equal ones the first in the file. What resumes after a shorter one comes
/// twice, so that the result is at most twice as long.
///
/// Folklore: the documentation has no overlaps, yet linkers that fold identical code, and compilers that split functions
/// into parts or put one in the middle of another, lead dumpers to write them.
pub fn without_overlap(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| span.start < span.end);
    spans.sort_unstable_by_key(|span| (span.start, Reverse(span.end), Reverse(span.record)));
    let mut sweep = Sweep { open: Vec::new(), from: 0, done: Vec::with_capacity(spans.len()) };
    for span in spans {
        sweep.advance(span.start);
        sweep.from = span.start;
        sweep.open.push(span);
    }
    sweep.advance(u32::MAX);
    sweep.done
}

struct Sweep {
    /// Spans that may still be in force, by start; those that ended are dropped when they come to the top.
    open: Vec<Span>,
    /// Up to where everything is told.
    from: u32,
    done: Vec<Span>,
}

impl Sweep {
    fn advance(&mut self, to: u32) {
        while let Some(&top) = self.open.last() {
            let end = top.end.min(to);
            if self.from < end {
                self.done.push(Span { start: self.from, end, record: top.record });
                self.from = end;
            }
            if top.end > to {
                return;
            }
            self.open.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_the_one_that_starts_last_is_in_force() {
        type Ranges<'a> = &'a [(u32, u32, u64)];
        let cases: &[(Ranges, Ranges)] = &[
            (&[], &[]),
            (&[(1, 1, 7), (5, 4, 8)], &[]),
            (&[(0, 10, 1), (20, 30, 2)], &[(0, 10, 1), (20, 30, 2)]),
            // One in the middle of another.
            (&[(0, 10, 1), (3, 5, 2)], &[(0, 3, 1), (3, 5, 2), (5, 10, 1)]),
            // One that reaches over the end of another.
            (&[(3, 20, 2), (0, 10, 1)], &[(0, 3, 1), (3, 20, 2)]),
            // The same start: the shorter; the same range: the first.
            (&[(0, 10, 1), (0, 4, 2)], &[(0, 4, 2), (4, 10, 1)]),
            (&[(0, 4, 2), (0, 4, 1)], &[(0, 4, 1)]),
            // One below has ended when the one above does.
            (
                &[(0, 6, 1), (2, 5, 2), (3, 9, 3), (12, u32::MAX, 4)],
                &[(0, 2, 1), (2, 3, 2), (3, 9, 3), (12, u32::MAX, 4)],
            ),
        ];
        for (spans, expected) in cases {
            let spans = spans.iter().map(|&(start, end, record)| Span { start, end, record }).collect();
            let found: Vec<(u32, u32, u64)> =
                without_overlap(spans).iter().map(|span| (span.start, span.end, span.record)).collect();
            assert_eq!(&found, expected);
        }
    }

    #[test]
    fn at_every_place_the_answer_is_that_of_a_plain_search() {
        let mut state = 1_u64;
        let mut below = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        for _ in 0..500 {
            let count = below(12);
            let spans: Vec<Span> = (0..count)
                .map(|record| {
                    let start = below(20) as u32;
                    Span { start, end: start + below(12) as u32, record }
                })
                .collect();
            let flat = without_overlap(spans.clone());
            assert!(flat.windows(2).all(|pair| pair[0].end <= pair[1].start) && flat.len() <= 2 * spans.len());
            for place in 0..40 {
                let covering = spans.iter().filter(|span| span.start <= place && place < span.end);
                let best = covering.min_by_key(|span| (Reverse(span.start), span.end, span.record));
                let found = flat.iter().find(|span| span.start <= place && place < span.end);
                assert_eq!(found.map(|span| span.record), best.map(|span| span.record), "{place} of {spans:?}");
            }
        }
    }
}
