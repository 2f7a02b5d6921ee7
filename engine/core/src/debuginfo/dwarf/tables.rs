//! The catalog as it is stored: sorted tables of records with one width, in memory and in the kept file alike.
//!
//! ```text
//! offset  size  what
//!      0     8  magic, "STFLDWCT"
//!      8     8  version
//!     16     8  size of `.debug_info`
//!     24     8  size of the supplementary file's, or 0
//!     32     8  digest of everything from offset 40 on
//!     40   8*3  records of each table
//!     64  17*n  the tables, one after the other: key (8), rank (1), entry (8), sorted
//! ```
//!
//! Everything is little-endian. The file that keeps it is named by the build-id, which tells the content of both files.
//! Of a name the key is its hash; the entry that a record leads to tells whether it was meant.

use crate::bytes::Reader;
use crate::data::Data;
use crate::debuginfo::TypeId;
use crate::digest::digest;

const MAGIC: &[u8; 8] = b"STFLDWCT";
const VERSION: u64 = 2;
const CHECKED_FROM: usize = 40;
const HEADER_BYTES: usize = 64;
const RECORD_BYTES: usize = 17;
/// How many tables there are.
pub const TABLES: usize = 3;

/// One entry that can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// A hash, or an address.
    pub key: u64,
    /// What comes first of several with one key.
    pub rank: u8,
    /// Which entry.
    pub id: TypeId,
}

/// What the debug information is recognised by: the bytes of its entries, and of those that it shares with other files.
pub type Sizes = (u64, u64);

/// Records, sorted.
pub struct Table(Data);

impl Default for Table {
    fn default() -> Table {
        Table(Data::from(Vec::new()))
    }
}

impl Table {
    fn count(&self) -> usize {
        self.0.len() / RECORD_BYTES
    }

    fn get(&self, index: usize) -> Option<Record> {
        let start = index.checked_mul(RECORD_BYTES)?;
        let mut input = Reader::new(self.0.get(start..start.checked_add(RECORD_BYTES)?)?);
        Some(Record { key: input.u64().ok()?, rank: input.u8().ok()?, id: TypeId(input.u64().ok()?) })
    }

    /// The first record whose key is not below this one.
    fn start_of(&self, key: u64) -> usize {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).is_some_and(|record| record.key < key) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    /// All records with this key, by rank.
    pub fn with_key(&self, key: u64) -> impl Iterator<Item = Record> + '_ {
        let records = (self.start_of(key)..self.count()).map_while(|index| self.get(index));
        records.take_while(move |record| record.key == key)
    }

    /// The first record of the largest key that is not above this one.
    pub fn at_or_below(&self, key: u64) -> Option<Record> {
        let after = key.checked_add(1).map_or(self.count(), |next| self.start_of(next));
        let last = self.get(after.checked_sub(1)?)?;
        self.get(self.start_of(last.key))
    }

    /// The first record of each key.
    pub fn firsts(&self) -> impl Iterator<Item = Record> + '_ {
        let mut last = None;
        (0..self.count())
            .map_while(|index| self.get(index))
            .filter(move |record| last.replace(record.key) != Some(record.key))
    }
}

/// All tables, as bytes that [`read`] takes.
pub fn encode(tables: [&mut Vec<Record>; TABLES], sizes: Sizes) -> Vec<u8> {
    let tables = tables.map(|table| {
        table.sort_unstable();
        table.dedup();
        table
    });
    let mut bytes = [MAGIC.as_slice(), &VERSION.to_le_bytes(), &sizes.0.to_le_bytes(), &sizes.1.to_le_bytes()].concat();
    bytes.extend([0; 8]);
    for table in &tables {
        bytes.extend((table.len() as u64).to_le_bytes());
    }
    for table in tables {
        for record in table {
            bytes.extend(record.key.to_le_bytes());
            bytes.push(record.rank);
            bytes.extend(record.id.0.to_le_bytes());
        }
    }
    let digest = digest(&bytes[CHECKED_FROM..]).to_le_bytes();
    bytes[CHECKED_FROM - digest.len()..CHECKED_FROM].copy_from_slice(&digest);
    bytes
}

/// The tables; None if they are of other debug information, of another version, or damaged.
pub fn read(data: &Data, sizes: Sizes) -> Option<[Table; TABLES]> {
    let mut input = Reader::new(data);
    let belongs = input.take(MAGIC.len()).ok()? == MAGIC
        && input.u64().ok()? == VERSION
        && (input.u64().ok()?, input.u64().ok()?) == sizes
        && input.u64().ok()? == digest(data.get(CHECKED_FROM..)?);
    if !belongs {
        return None;
    }
    let mut start = HEADER_BYTES as u64;
    let mut table = || {
        let size = input.u64().ok()?.checked_mul(RECORD_BYTES as u64)?;
        let part = data.part(start, size)?;
        start = start.checked_add(size)?;
        Some(Table(part))
    };
    Some([table()?, table()?, table()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: u64, rank: u8, id: u64) -> Record {
        Record { key, rank, id: TypeId(id) }
    }

    fn bytes() -> Vec<u8> {
        let mut types =
            vec![record(u64::MAX, 0, 6), record(7, 2, 1), record(7, 0, 3), record(7, 0, 2), record(3, 1, 9)];
        encode([&mut types, &mut Vec::new(), &mut vec![record(0x1000, 0, 5), record(0x1000, 0, 4)]], (100, 0))
    }

    #[test]
    fn records_are_found_by_their_key() {
        let [types, none, places] = read(&Data::from(bytes()), (100, 0)).unwrap();
        let with_key = |key| types.with_key(key).map(|record| record.id.0).collect::<Vec<_>>();
        assert_eq!([with_key(0), with_key(3), with_key(8), with_key(u64::MAX)], [vec![], vec![9], vec![], vec![6]]);
        assert_eq!(with_key(7), [2, 3, 1]); // by rank
        assert_eq!(types.firsts().map(|record| record.id.0).collect::<Vec<_>>(), [9, 2, 6]);
        assert_eq!(none.firsts().count() + none.with_key(0).count(), 0);
        assert_eq!(places.at_or_below(0xfff), None);
        assert_eq!(places.at_or_below(0x1000), Some(record(0x1000, 0, 4)));
        assert_eq!(places.at_or_below(u64::MAX), Some(record(0x1000, 0, 4)));
        assert_eq!(none.at_or_below(u64::MAX), None);
    }

    #[test]
    fn what_does_not_belong_is_not_believed() {
        let whole = bytes();
        assert!(read(&Data::from(whole.clone()), (100, 1)).is_none());
        assert!(read(&Data::from(whole.clone()), (99, 0)).is_none());
        for length in 0..whole.len() {
            assert!(read(&Data::from(whole[..length].to_vec()), (100, 0)).is_none(), "{length}");
        }
        for index in 0..whole.len() {
            let mut other = whole.clone();
            other[index] ^= 0x10;
            assert!(read(&Data::from(other), (100, 0)).is_none(), "{index}");
        }
    }

    #[test]
    fn counts_that_are_too_large_are_refused() {
        let mut other = bytes();
        other[40..48].copy_from_slice(&u64::MAX.to_le_bytes());
        let digest = digest(&other[CHECKED_FROM..]).to_le_bytes();
        other[32..40].copy_from_slice(&digest);
        assert!(read(&Data::from(other), (100, 0)).is_none());
    }
}
