//! Stream 1: the PDB's identity, its named streams, its features. And the string table `/names`.
//!
//! Source: LLVM, "The PDB Info (aka the PDB) Stream".

use std::collections::HashMap;

use super::PdbError;
use super::msf::Stream;
use crate::bytes::{Reader, Truncated};

const MINIMAL_DEBUG_INFO: u32 = 0x494e_494d;
const NAMES_SIGNATURE: u32 = 0xeffe_effe;
const NAMES_HEADER_BYTES: u32 = 12;
/// Longest string that is read.
const LONGEST_STRING_BYTES: u32 = 0x1_0000;

/// Begins the names of streams that hold source files.
pub const SOURCES: &str = "/src/files/";
const MOST_NATVIS_FILES: usize = 256;

/// What the info stream says.
pub struct Info {
    /// GUID in file order.
    pub guid: [u8; 16],
    /// How often the PDB was written, by its own count.
    pub age: u32,
    /// Linked with `/DEBUG:FASTLINK`: the symbols stayed in the object files.
    pub is_fastlink: bool,
    named_streams: HashMap<String, u32>,
}

impl Info {
    /// Reads the stream.
    pub fn read(bytes: &[u8]) -> Result<Info, PdbError> {
        let mut input = Reader::new(bytes);
        input.skip(8)?; // version, signature (a time)
        let (age, guid) = (input.u32()?, input.array()?);
        // What follows only helps: a PDB without it can still be used.
        let (named_streams, is_fastlink) = read_rest(&mut input).unwrap_or_default();
        Ok(Info { guid, age, is_fastlink, named_streams })
    }

    /// The number of the stream with this name.
    pub fn named_stream(&self, name: &str) -> Option<u32> {
        self.named_streams.get(name).copied()
    }

    /// Streams that hold natvis files, by name. Linkers keep them as they are, under the path that `/NATVIS` gave.
    pub fn natvis_streams(&self) -> Vec<(&str, u32)> {
        let is_natvis = |name: &str| name.starts_with(SOURCES) && name.to_ascii_lowercase().ends_with(".natvis");
        let named = self.named_streams.iter().map(|(name, number)| (name.as_str(), *number));
        let mut found: Vec<_> = named.filter(|(name, _)| is_natvis(name)).collect();
        found.sort_unstable();
        found.truncate(MOST_NATVIS_FILES);
        found
    }
}

/// A buffer of names, then a hash table from offsets in it to stream numbers, then feature codes.
fn read_rest(input: &mut Reader<'_>) -> Result<(HashMap<String, u32>, bool), Truncated> {
    let names_bytes = input.u32()? as usize;
    let names = input.take(names_bytes)?;
    let count = input.u32()? as usize;
    input.skip(4)?; // capacity
    for _ in ["present", "deleted"] {
        let words = input.count_of(4)?;
        input.skip(words * 4)?;
    }
    input.check_count(count, 8)?;
    let mut streams = HashMap::with_capacity(count);
    for _ in 0..count {
        let (name, number) = (input.u32()?, input.u32()?);
        if let Ok(name) = Reader::at(names, name as usize).and_then(|mut at| at.c_string()) {
            streams.insert(String::from_utf8_lossy(name).into_owned(), number);
        }
    }
    input.skip(4)?;
    let mut is_fastlink = false;
    while let Ok(feature) = input.u32() {
        is_fastlink |= feature == MINIMAL_DEBUG_INFO;
    }
    Ok((streams, is_fastlink))
}

/// The string table: strings by offset.
pub struct Names {
    stream: Stream,
    size_bytes: u32,
}

impl Names {
    /// Looks at the header of the stream `/names`.
    pub fn open(stream: Stream) -> Result<Names, PdbError> {
        let (signature, size_bytes) = (stream.u32_at(0)?, stream.u32_at(8)?);
        if signature != NAMES_SIGNATURE {
            return Err(PdbError::Invalid(format!("a string table with the signature {signature:#x}")));
        }
        Ok(Names { size_bytes: size_bytes.min(stream.size_bytes().saturating_sub(NAMES_HEADER_BYTES)), stream })
    }

    /// The string at `offset`.
    pub fn get(&self, offset: u32) -> Option<String> {
        let left = self.size_bytes.checked_sub(offset)?.min(LONGEST_STRING_BYTES);
        // Most strings are short: look at a little first.
        for size in [left.min(256), left] {
            let bytes = self.stream.bytes(NAMES_HEADER_BYTES + offset, size).ok()?;
            if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
                return Some(String::from_utf8_lossy(&bytes[..end]).into_owned());
            }
        }
        None
    }
}
