//! The container of a PDB: streams made of pages that lie anywhere in the file.
//!
//! Opening reads the superblock and the sizes of the streams; a stream's list of pages is read when the stream is
//! opened, and its bytes when they are asked for.
//! Source: LLVM, "The MSF File Format"; Microsoft, microsoft-pdb, msf.cpp.

use std::borrow::Cow;

use super::PdbError;
use crate::bytes::{Reader, slice_at};
use crate::data::Data;

const MAGIC_7: &[u8] = b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0";
const MAGIC_2: &[u8] = b"Microsoft C/C++ program database 2.00";
const MAGIC_Z: &[u8] = b"Microsoft MSFZ Container";
/// The size of a stream that was deleted.
const DELETED: u32 = u32::MAX;

/// A multi-stream file.
pub struct Msf {
    data: Data,
    page_bytes: u32,
    /// The directory, itself a stream: stream count, sizes, lists of pages.
    directory: Stream,
    /// Size of each stream, and where in the directory its list of pages begins.
    streams: Vec<(u32, u64)>,
}

/// One stream. Reading it touches only the pages that hold what is read.
pub struct Stream {
    data: Data,
    page_bytes: u32,
    pages: Vec<u32>,
    size_bytes: u32,
    number: Option<u32>,
}

impl Msf {
    /// Reads the superblock and the streams' sizes.
    pub fn open(data: Data) -> Result<Msf, PdbError> {
        if !data.starts_with(MAGIC_7) {
            return Err(PdbError::NotPdb(match () {
                () if data.is_empty() => "the file is empty",
                () if data.starts_with(MAGIC_2) => "the format of 1990s' compilers (program database 2.00)",
                () if data.starts_with(MAGIC_Z) => "a compressed PDB (MSFZ), which is not supported yet",
                () if data.starts_with(b"BSJB") => "a portable PDB of .NET, which is not supported",
                () => "it does not begin with Microsoft C/C++ MSF 7.00",
            }));
        }
        let mut input = Reader::at(&data, MAGIC_7.len())?;
        let page_bytes = input.u32()?;
        input.skip(4)?; // free page map
        let page_count = input.u32()?;
        let directory_bytes = input.u32()?;
        input.skip(4)?;
        let map_page = input.u32()?;
        if !page_bytes.is_power_of_two() || !(512..=65536).contains(&page_bytes) {
            return Err(PdbError::Invalid(format!("pages of {page_bytes} bytes in its header")));
        }
        let held_pages = data.len() as u64 / u64::from(page_bytes);
        if u64::from(page_count) > held_pages + 1 {
            return Err(PdbError::Invalid(format!(
                "it was cut off: its header says {page_count} pages of {page_bytes} bytes, the file has {} bytes",
                data.len()
            )));
        }
        let directory_pages = directory_bytes.div_ceil(page_bytes);
        let map = slice_at(&data, u64::from(map_page) * u64::from(page_bytes), u64::from(directory_pages) * 4)?;
        let pages = words(map);
        let directory = Stream { data: data.clone(), page_bytes, pages, size_bytes: directory_bytes, number: None };
        let streams = read_sizes(&directory, page_bytes)?;
        Ok(Msf { data, page_bytes, directory, streams })
    }

    /// Opens a stream; None if there is no such stream or it was deleted.
    pub fn stream(&self, number: u32) -> Result<Option<Stream>, PdbError> {
        let Some(&(size_bytes, list)) = self.streams.get(number as usize) else { return Ok(None) };
        if size_bytes == DELETED {
            return Ok(None);
        }
        // Pages could be listed many times over: no stream is longer than the file.
        if size_bytes as usize > self.data.len() {
            return Err(PdbError::Stream { number, offset: 0, needed: size_bytes });
        }
        let list_bytes = u64::from(size_bytes.div_ceil(self.page_bytes)) * 4;
        let in_directory = u32::try_from(list).ok().zip(u32::try_from(list_bytes).ok());
        let (list, list_bytes) = in_directory.ok_or(PdbError::Stream { number, offset: 0, needed: 0 })?;
        let pages = words(&self.directory.bytes(list, list_bytes)?);
        Ok(Some(Stream {
            data: self.data.clone(),
            page_bytes: self.page_bytes,
            pages,
            size_bytes,
            number: Some(number),
        }))
    }
}

/// Sizes of all streams, with the offsets of their page lists. The count is bounded by the directory's bytes.
fn read_sizes(directory: &Stream, page_bytes: u32) -> Result<Vec<(u32, u64)>, PdbError> {
    let count = directory.u32_at(0)?;
    let sizes_bytes = count.checked_mul(4).filter(|bytes| *bytes <= directory.size_bytes().saturating_sub(4));
    let sizes_bytes =
        sizes_bytes.ok_or(PdbError::Invalid(format!("a directory of {count} streams in too few bytes")))?;
    let sizes = directory.bytes(4, sizes_bytes)?;
    let mut list = 4 + u64::from(sizes_bytes);
    let with_list = |size: u32| {
        let at = list;
        if size != DELETED {
            list += u64::from(size.div_ceil(page_bytes)) * 4;
        }
        (size, at)
    };
    Ok(words(&sizes).into_iter().map(with_list).collect())
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect()
}

impl Stream {
    /// Its size.
    pub fn size_bytes(&self) -> u32 {
        self.size_bytes
    }

    /// `size` bytes from `offset` on: borrowed if the pages lie one behind the other, else copied.
    pub fn bytes(&self, offset: u32, size: u32) -> Result<Cow<'_, [u8]>, PdbError> {
        let failed = || PdbError::Stream { number: self.number.unwrap_or(u32::MAX), offset, needed: size };
        let end = offset.checked_add(size).filter(|end| *end <= self.size_bytes).ok_or_else(failed)?;
        if size == 0 {
            return Ok(Cow::Borrowed(&[]));
        }
        let (first, last) = (offset / self.page_bytes, (end - 1) / self.page_bytes);
        let pages = self.pages.get(first as usize..=last as usize).ok_or_else(failed)?;
        let start = u64::from(pages[0]) * u64::from(self.page_bytes) + u64::from(offset % self.page_bytes);
        if pages.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1])) {
            return slice_at(&self.data, start, size.into()).map(Cow::Borrowed).map_err(|_| failed());
        }
        let mut copied = Vec::new();
        let mut at = offset;
        for page in pages {
            let within = at % self.page_bytes;
            let part = (self.page_bytes - within).min(end - at);
            let place = u64::from(*page) * u64::from(self.page_bytes) + u64::from(within);
            copied.extend_from_slice(slice_at(&self.data, place, part.into()).map_err(|_| failed())?);
            at += part;
        }
        Ok(Cow::Owned(copied))
    }

    /// All bytes.
    pub fn all(&self) -> Result<Cow<'_, [u8]>, PdbError> {
        self.bytes(0, self.size_bytes)
    }

    /// Bytes from `offset` on, at most `size`, fewer at the end of the stream.
    pub fn up_to(&self, offset: u32, size: u32) -> Result<Cow<'_, [u8]>, PdbError> {
        self.bytes(offset, size.min(self.size_bytes.saturating_sub(offset)))
    }

    /// The `u32` at `offset`.
    pub fn u32_at(&self, offset: u32) -> Result<u32, PdbError> {
        let bytes = self.bytes(offset, 4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}
