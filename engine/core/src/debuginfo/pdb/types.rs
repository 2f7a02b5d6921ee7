//! Names of inlined functions and of the classes they belong to, by type index.
//!
//! The type streams are entered at random: their hash streams hold a (type index, offset) pair for every 8 KB or so,
//! which one bisection and a short scan turn into any type's record.
//! Source: LLVM, "The PDB TPI and IPI Streams"; Microsoft, cvinfo.h (LEAF_ENUM_e).

use super::PdbError;
use super::msf::{Msf, Stream};
use super::records::text;
use crate::bytes::{Reader, Truncated};

const LF_FUNC_ID: u16 = 0x1601;
const LF_MFUNC_ID: u16 = 0x1602;
const LF_STRING_ID: u16 = 0x1605;
const LF_CLASS: u16 = 0x1504;
const LF_STRUCTURE: u16 = 0x1505;
const LF_UNION: u16 = 0x1506;
const LF_ENUM: u16 = 0x1507;
const LF_INTERFACE: u16 = 0x1519;
/// Bytes that are read at a time while a record is sought.
const CHUNK_BYTES: u32 = 0x4000;
/// Bytes of the longest possible record.
const LONGEST_RECORD_BYTES: u32 = 0x1_0002;

/// The TPI or IPI stream.
pub struct Types {
    stream: Stream,
    first_index: u32,
    end_index: u32,
    records_start: u32,
    records_bytes: u32,
    /// Pairs of type index and offset, sorted.
    hash: Option<(Stream, u32, u32)>,
}

impl Types {
    /// Reads the stream's header.
    pub fn open(msf: &Msf, stream: Stream) -> Result<Types, PdbError> {
        let header = stream.bytes(0, 56)?;
        let mut input = Reader::new(&header);
        input.skip(4)?;
        let (records_start, first_index, end_index, records_bytes) =
            (input.u32()?, input.u32()?, input.u32()?, input.u32()?);
        let hash_stream = input.u16()?;
        let mut input = Reader::at(&header, 40)?;
        let (pairs_start, pairs_bytes) = (input.u32()?, input.u32()?);
        let hash = if hash_stream == 0xffff { None } else { msf.stream(hash_stream.into())? };
        let hash = hash.map(|stream| (stream, pairs_start, pairs_bytes / 8));
        drop(header);
        let records_bytes = records_bytes.min(stream.size_bytes().saturating_sub(records_start));
        Ok(Types { stream, first_index, end_index, records_start, records_bytes, hash })
    }

    /// The record of a type: its kind, and what follows.
    fn record(&self, index: u32) -> Option<(u16, Vec<u8>)> {
        if index < self.first_index || index >= self.end_index {
            return None;
        }
        let (mut at_index, mut offset) = self.nearest_pair(index).unwrap_or((self.first_index, 0));
        while offset < self.records_bytes {
            let start = self.records_start.checked_add(offset)?;
            let left = self.records_bytes - offset;
            let chunk = self.stream.bytes(start, left.min(CHUNK_BYTES + LONGEST_RECORD_BYTES)).ok()?;
            let mut input = Reader::new(&chunk);
            while input.offset() < CHUNK_BYTES as usize {
                let size = input.u16().ok()?;
                let body = input.take(size.into()).ok()?;
                if at_index == index {
                    let (kind, data) = body.split_first_chunk::<2>()?;
                    return Some((u16::from_le_bytes(*kind), data.to_vec()));
                }
                at_index += 1;
                if input.is_empty() {
                    return None;
                }
            }
            offset = offset.checked_add(input.offset() as u32)?;
        }
        None
    }

    /// The last pair at or below `index`.
    fn nearest_pair(&self, index: u32) -> Option<(u32, u32)> {
        let (stream, start, count) = self.hash.as_ref()?;
        let pair = |at: u32| {
            let bytes = stream.bytes(start.checked_add(at.checked_mul(8)?)?, 8).ok()?;
            let mut input = Reader::new(&bytes);
            Some((input.u32().ok()?, input.u32().ok()?))
        };
        let (mut low, mut high) = (0, *count);
        while low < high {
            let middle = low + (high - low) / 2;
            if pair(middle)?.0 <= index { low = middle + 1 } else { high = middle }
        }
        pair(low.checked_sub(1)?).filter(|(first, _)| *first >= self.first_index && *first <= index)
    }

    /// The name of a class, structure, union or enumeration, qualified as its record has it.
    pub fn name(&self, index: u32) -> Option<String> {
        let (kind, data) = self.record(index)?;
        read_type_name(kind, &data).ok().flatten()
    }
}

fn read_type_name(kind: u16, data: &[u8]) -> Result<Option<String>, Truncated> {
    let mut input = Reader::new(data);
    match kind {
        LF_CLASS | LF_STRUCTURE | LF_INTERFACE => input.skip(16)?,
        LF_UNION => input.skip(8)?,
        LF_ENUM => {
            input.skip(12)?;
            return Ok(Some(text(&mut input)));
        }
        _ => return Ok(None),
    }
    skip_number(&mut input)?; // size
    Ok(Some(text(&mut input)))
}

/// A numeric leaf: below 0x8000 the number itself, else what follows.
fn skip_number(input: &mut Reader<'_>) -> Result<(), Truncated> {
    match input.u16()? {
        0x8000 => input.skip(1),
        0x8001 | 0x8002 => input.skip(2),
        0x8003 | 0x8004 => input.skip(4),
        0x8009 | 0x800a => input.skip(8),
        _ => Ok(()),
    }
}

/// The name of the function with an id: `geo::Rect::area`, `poke`. Ids live in the IPI stream, classes in the TPI.
pub fn function_name(ids: &Types, types: Option<&Types>, id: u32) -> Option<String> {
    let (kind, data) = ids.record(id)?;
    let mut input = Reader::new(&data);
    let scope = input.u32().ok()?;
    input.skip(4).ok()?;
    let name = text(&mut input);
    let scope = match kind {
        LF_FUNC_ID if scope == 0 => None,
        LF_FUNC_ID => string_id(ids, scope),
        LF_MFUNC_ID => types.and_then(|types| types.name(scope)),
        _ => return None,
    };
    Some(match scope {
        Some(scope) => format!("{scope}::{name}"),
        None => name,
    })
}

fn string_id(ids: &Types, id: u32) -> Option<String> {
    let (kind, data) = ids.record(id)?;
    let mut input = Reader::at(&data, 4).ok()?;
    (kind == LF_STRING_ID).then(|| text(&mut input))
}
