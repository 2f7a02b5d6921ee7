//! Ranges of addresses, to be found by address. They may overlap.

/// Ranges that are looked at for one address.
const MOST_CANDIDATES: usize = 1024;

/// Half-open ranges with a value each.
#[derive(Debug, Default)]
pub struct RangeMap<T> {
    /// By start; of those with the same start, the longest first.
    ranges: Vec<Ranged<T>>,
    /// For each range the largest end of it and those before it.
    reach: Vec<u32>,
}

/// `[start, end)` and what it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranged<T> {
    /// First address.
    pub start: u32,
    /// One past the last.
    pub end: u32,
    /// What it belongs to.
    pub value: T,
}

impl<T: Copy + PartialEq> RangeMap<T> {
    /// Sorts the ranges, and joins those that touch and have the same value.
    pub fn new(mut ranges: Vec<Ranged<T>>) -> RangeMap<T> {
        ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        ranges.dedup_by(|next, previous| {
            let joins = next.value == previous.value && next.start <= previous.end;
            if joins {
                previous.end = previous.end.max(next.end);
            }
            joins
        });
        let mut furthest = 0;
        let reach = ranges.iter().map(|range| {
            furthest = range.end.max(furthest);
            furthest
        });
        RangeMap { reach: reach.collect(), ranges }
    }

    /// Ranges that cover `address`: the one that starts last first; of those, the shortest.
    pub fn covering(&self, address: u32) -> impl Iterator<Item = &Ranged<T>> {
        let after = self.ranges.partition_point(|range| range.start <= address);
        let near = (0..after).rev().take(MOST_CANDIDATES).take_while(move |&index| self.reach[index] > address);
        near.map(|index| &self.ranges[index]).filter(move |range| address < range.end)
    }

    /// Starts of the ranges of one value, in order. Looks at all of them.
    pub fn starts_of(&self, value: T) -> impl Iterator<Item = u32> {
        self.ranges.iter().filter(move |range| range.value == value).map(|range| range.start)
    }

    /// Ranges that overlap `[start, end)`, in order.
    pub fn overlapping(&self, start: u32, end: u32) -> impl Iterator<Item = &Ranged<T>> {
        let first = self.reach.partition_point(|&reach| reach <= start);
        let near = self.ranges[first..].iter().take_while(move |range| range.start < end);
        near.filter(move |range| range.end > start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(ranges: &[(u32, u32, char)]) -> RangeMap<char> {
        RangeMap::new(ranges.iter().map(|&(start, end, value)| Ranged { start, end, value }).collect())
    }

    #[test]
    fn a_range_that_holds_others_is_found_behind_them() {
        //  a ----------------
        //  b    --     c --
        let map = map(&[(10, 26, 'a'), (13, 15, 'b'), (20, 22, 'c')]);
        let at = |address| map.covering(address).map(|range| range.value).collect::<String>();
        assert_eq!([9, 10, 14, 15, 21, 25, 26].map(at), ["", "a", "ba", "a", "ca", "a", ""]);
        let within = |start, end| map.overlapping(start, end).map(|range| range.value).collect::<String>();
        assert_eq!([within(0, 10), within(15, 20), within(14, 21), within(26, 99)], ["", "a", "abc", ""]);
    }

    #[test]
    fn neighbours_of_one_value_are_one_range() {
        let map = map(&[(4, 8, 'a'), (0, 4, 'a'), (8, 9, 'b')]);
        assert_eq!(map.covering(5).next(), Some(&Ranged { start: 0, end: 8, value: 'a' }));
    }
}
