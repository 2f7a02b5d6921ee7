//! The TPI and IPI streams: records by index, and by the hash of the type's name.
//!
//! The streams are entered at random: their hash streams hold a (type index, offset) pair for every 8 KB or so, which
//! one bisection and a short scan turn into any type's record, and the bucket of each type in a hash table of names.
//! Source: LLVM, "The PDB TPI and IPI Streams".

use std::borrow::Cow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::PdbError;
use super::super::hash::hash;
use super::super::msf::{Msf, Stream};
use super::leaf::Udt;
use super::names::plain_name;
use crate::bytes::Reader;

const NO_STREAM: u16 = 0xffff;
/// Bytes that are read at a time while records go by.
const CHUNK_BYTES: u32 = 0x4000;
/// Distance of the pairs that are made where the file has none, or too few.
const PAIR_DISTANCE_BYTES: u32 = 0x2000;
/// Distance of pairs, on average, beyond which the file's are not used.
const SPARSEST_PAIR_DISTANCE_BYTES: u32 = 0x1_0000;
/// Buckets of the table of names; LLVM's `MaxTpiHashBuckets`.
const MOST_BUCKETS: u32 = 0x4_0000;
/// Names that are sought before the table is sorted.
const QUESTIONS_BEFORE_SORTING: u32 = 16;
/// Types of one bucket that are looked at.
const MOST_IN_BUCKET: usize = 4096;

/// A stream of types or of ids.
pub struct TypeStream {
    stream: Stream,
    first_index: u32,
    end_index: u32,
    records_start: u32,
    records_bytes: u32,
    hash: Option<HashStream>,
    /// Pairs of type index and offset, where the hash stream has none.
    own_pairs: OnceLock<Vec<(u32, u32)>>,
    buckets: OnceLock<Buckets>,
    /// How many names were sought before `buckets` was made.
    questions: AtomicU32,
    others: OnceLock<Vec<(u32, u32)>>,
}

/// Parts of a hash stream: where each begins, and how many entries it has.
struct HashStream {
    stream: Stream,
    pairs: (u32, u32),
    values: (u32, u32),
    bucket_count: u32,
}

/// A record: its kind (`LEAF_ENUM_e`), and what follows.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// `LF_…`
    pub kind: u16,
    /// What follows the kind.
    pub data: Vec<u8>,
}

/// A record as it goes by.
struct Passed<'a> {
    index: u32,
    /// From the start of the records.
    offset: u32,
    kind: u16,
    data: &'a [u8],
}

/// Types by the hash of their names.
struct Buckets {
    /// Where each bucket begins in `indexes`; one more for the end of the last.
    starts: Vec<u32>,
    indexes: Vec<u32>,
}

impl TypeStream {
    /// Reads the stream's header.
    pub fn open(msf: &Msf, stream: Stream) -> Result<TypeStream, PdbError> {
        let header = stream.bytes(0, 56)?;
        let mut input = Reader::new(&header);
        input.skip(4)?;
        let (records_start, first_index, end_index, records_bytes) =
            (input.u32()?, input.u32()?, input.u32()?, input.u32()?);
        let hash_stream = input.u16()?;
        input.skip(2)?;
        let (value_bytes, bucket_count) = (input.u32()?, input.u32()?);
        let (values_start, values_bytes) = (input.u32()?, input.u32()?);
        let (pairs_start, pairs_bytes) = (input.u32()?, input.u32()?);
        drop(header);
        let records_bytes = records_bytes.min(stream.size_bytes().saturating_sub(records_start));
        let hash = if hash_stream == NO_STREAM { None } else { msf.stream(hash_stream.into())? };
        let hash = hash.map(|stream| {
            let pairs =
                if pairs_bytes / 8 > records_bytes / SPARSEST_PAIR_DISTANCE_BYTES { pairs_bytes / 8 } else { 0 };
            let values = if value_bytes == 4 { values_bytes / 4 } else { 0 };
            HashStream { stream, pairs: (pairs_start, pairs), values: (values_start, values), bucket_count }
        });
        Ok(TypeStream {
            stream,
            first_index,
            end_index,
            records_start,
            records_bytes,
            hash,
            own_pairs: OnceLock::new(),
            buckets: OnceLock::new(),
            questions: AtomicU32::new(0),
            others: OnceLock::new(),
        })
    }

    /// The record of a type.
    pub fn record(&self, index: u32) -> Option<Leaf> {
        if index < self.first_index || index >= self.end_index {
            return None;
        }
        let (first, offset) = self.nearest_pair(index)?;
        let mut found = None;
        self.walk(first, offset, &mut |at| {
            if at.index == index {
                found = Some(Leaf { kind: at.kind, data: at.data.to_vec() });
            }
            at.index < index
        });
        found
    }

    /// Calls `each` with every index, kind of record and what follows, in order, until it answers false.
    pub fn for_each(&self, each: &mut dyn FnMut(u32, u16, &[u8]) -> bool) {
        self.walk(self.first_index, 0, &mut |at| each(at.index, at.kind, at.data));
    }

    /// As [`TypeStream::for_each`], from the record with this index and offset on.
    fn walk(&self, mut index: u32, mut offset: u32, each: &mut dyn FnMut(Passed<'_>) -> bool) {
        while index < self.end_index {
            let Some(chunk) = self.chunk(offset) else { return };
            let mut input = Reader::new(&chunk);
            loop {
                let offset = offset.wrapping_add(input.offset() as u32);
                let Some(body) = next_record(&mut input) else { break };
                let Some((kind, data)) = body.split_first_chunk::<2>() else { return };
                let kind = u16::from_le_bytes(*kind);
                if index >= self.end_index || !each(Passed { index, offset, kind, data }) {
                    return;
                }
                index += 1;
            }
            if input.offset() == 0 {
                return;
            }
            offset = offset.saturating_add(input.offset() as u32);
        }
    }

    /// Bytes of records from `offset` on: at least the first record, if it is whole.
    fn chunk(&self, offset: u32) -> Option<Cow<'_, [u8]>> {
        let left = self.records_bytes.checked_sub(offset).filter(|left| *left > 0)?;
        let start = self.records_start.checked_add(offset)?;
        let chunk = self.stream.bytes(start, left.min(CHUNK_BYTES)).ok()?;
        let size = 2 + u32::from(Reader::new(&chunk).u16().ok()?);
        if size <= chunk.len() as u32 { Some(chunk) } else { self.stream.bytes(start, left.min(size)).ok() }
    }

    /// The index and offset of a record at or below `index`, and not far.
    fn nearest_pair(&self, index: u32) -> Option<(u32, u32)> {
        let in_file = self.hash.as_ref().filter(|hash| hash.pairs.1 > 0).and_then(|hash| hash.nearest_pair(index));
        if let Some(pair) = in_file.filter(|(first, _)| *first >= self.first_index) {
            return Some(pair);
        }
        let pairs = self.own_pairs.get_or_init(|| {
            let mut pairs: Vec<(u32, u32)> = Vec::new();
            self.walk(self.first_index, 0, &mut |at| {
                if pairs.last().is_none_or(|(_, last)| at.offset - last >= PAIR_DISTANCE_BYTES) {
                    pairs.push((at.index, at.offset));
                }
                true
            });
            pairs
        });
        pairs.get(pairs.partition_point(|(first, _)| *first <= index).checked_sub(1)?).copied()
    }

    /// Types whose name, or decorated name if they are local to a function, may be `name`: definitions all, declarations
    /// by chance.
    pub fn may_be_named(&self, name: &str) -> Cow<'_, [u32]> {
        let hash = hash(name.as_bytes());
        // A look at all numbers of buckets is cheaper than to sort them, until there are many questions.
        if self.buckets.get().is_none()
            && self.questions.fetch_add(1, Ordering::Relaxed) < QUESTIONS_BEFORE_SORTING
            && let Some((values, count)) = self.bucket_numbers()
        {
            let wanted = (hash % count).to_le_bytes();
            let same = (self.first_index..).zip(values.chunks_exact(4)).filter(|(_, bucket)| *bucket == wanted);
            return same.map(|(index, _)| index).take(MOST_IN_BUCKET).collect();
        }
        let buckets = self.buckets.get_or_init(|| self.read_buckets().unwrap_or_else(|| self.make_buckets()));
        let count = buckets.starts.len().saturating_sub(1).max(1);
        Cow::Borrowed(buckets.get(hash as usize % count))
    }

    /// Declarations, and types that are local to functions, whose name may be `name`. The first question reads all
    /// records.
    pub fn others_that_may_be_named(&self, name: &str) -> impl Iterator<Item = &u32> {
        let others = self.others.get_or_init(|| {
            let mut others = Vec::new();
            self.for_each(&mut |index, kind, data| {
                if let Some(udt) = Udt::read(kind, data).filter(|udt| udt.is_declaration() || udt.is_scoped()) {
                    others.push((hash(plain_name(&udt.name).as_bytes()), index));
                }
                true
            });
            others.sort_unstable();
            others
        });
        let wanted = hash(name.as_bytes());
        let start = others.partition_point(|(hash, _)| *hash < wanted);
        let same = others[start..].iter().take_while(move |(hash, _)| *hash == wanted);
        same.take(MOST_IN_BUCKET).map(|(_, index)| index)
    }

    /// The number of each type's bucket, four bytes each, and how many buckets there are.
    fn bucket_numbers(&self) -> Option<(Cow<'_, [u8]>, u32)> {
        let hash = self.hash.as_ref()?;
        let (start, count) = hash.values;
        let known = (1..=MOST_BUCKETS).contains(&hash.bucket_count) && count > 0;
        let count = count.min(self.end_index.checked_sub(self.first_index)?);
        let values = hash.stream.bytes(start, count.checked_mul(4).filter(|_| known)?).ok()?;
        Some((values, hash.bucket_count))
    }

    /// The file's table.
    fn read_buckets(&self) -> Option<Buckets> {
        let (values, count) = self.bucket_numbers()?;
        let values = values.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        Some(Buckets::new((self.first_index..).zip(values), count))
    }

    /// The table that the file lacks, of the same hashes.
    fn make_buckets(&self) -> Buckets {
        let mut values = Vec::new();
        self.for_each(&mut |index, kind, data| {
            if let Some(udt) = Udt::read(kind, data) {
                values.push((index, hash(udt.hashed_name().as_bytes()) % MOST_BUCKETS));
            }
            true
        });
        Buckets::new(values.into_iter(), MOST_BUCKETS)
    }
}

/// Takes a record off the front, if all of it is there.
fn next_record<'a>(input: &mut Reader<'a>) -> Option<&'a [u8]> {
    let mut ahead = input.clone();
    let size = ahead.u16().ok()?;
    let body = ahead.take(size.into()).ok()?;
    *input = ahead;
    Some(body)
}

impl HashStream {
    /// The last pair at or below `index`.
    fn nearest_pair(&self, index: u32) -> Option<(u32, u32)> {
        let (start, count) = self.pairs;
        let pair = |at: u32| {
            let bytes = self.stream.bytes(start.checked_add(at.checked_mul(8)?)?, 8).ok()?;
            let mut input = Reader::new(&bytes);
            Some((input.u32().ok()?, input.u32().ok()?))
        };
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if pair(middle)?.0 <= index { low = middle + 1 } else { high = middle }
        }
        pair(low.checked_sub(1)?).filter(|(first, _)| *first <= index)
    }
}

impl Buckets {
    /// Sorts types by the numbers of their buckets; those beyond `count` are left out.
    fn new(types: impl Iterator<Item = (u32, u32)> + Clone, count: u32) -> Buckets {
        let types = types.filter(|(_, bucket)| *bucket < count);
        let mut starts = vec![0u32; count as usize + 1];
        for (_, bucket) in types.clone() {
            starts[bucket as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut indexes = vec![0; starts.last().map_or(0, |count| *count as usize)];
        for (index, bucket) in types {
            let at = &mut next[bucket as usize];
            indexes[*at as usize] = index;
            *at += 1;
        }
        Buckets { starts, indexes }
    }

    fn get(&self, bucket: usize) -> &[u32] {
        let (Some(&start), Some(&end)) = (self.starts.get(bucket), self.starts.get(bucket + 1)) else { return &[] };
        let types = self.indexes.get(start as usize..end as usize).unwrap_or_default();
        &types[..types.len().min(MOST_IN_BUCKET)]
    }
}
