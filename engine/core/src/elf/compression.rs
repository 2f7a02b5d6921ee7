//! Compressed sections: `SHF_COMPRESSED` (zlib, zstd), and `.zdebug_` before it.
//!
//! What a header claims is checked against what the compressed bytes can be before anything is allocated, and
//! decompression stops at the claimed size.
//!
//! Source: System V gABI, "Section Compression"; zlib, "Maximum expansion factor" (1032:1); GNU binutils, `.zdebug_`.

use std::io::{Read, Write};

use flate2::read::ZlibDecoder;
use ruzstd::decoding::StreamingDecoder;
use thiserror::Error;

use super::headers::word;
use crate::bytes::{Reader, Truncated};

/// `ELFCOMPRESS_ZLIB`.
const ZLIB: u32 = 1;
/// `ELFCOMPRESS_ZSTD`.
const ZSTD: u32 = 2;
/// Most bytes that a byte can become. Of zlib it is the format's limit; zstd could do more with nothing but zeros,
/// which debug information is not.
const MOST_EXPANSION: u64 = 1032;
/// Largest section.
const MOST_BYTES: u64 = 4 << 30;
/// Bytes that are inflated at a time.
const PART_BYTES: usize = 256 << 10;
/// Largest window of zstd: what `zstd --ultra` uses at most without `--long`.
const MOST_WINDOW_BYTES: u64 = 128 << 20;

/// Why a section cannot be decompressed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CompressionError {
    /// Its header is cut off.
    #[error("its compression header is {0}")]
    Truncated(#[from] Truncated),
    /// It is not compressed the way its name says.
    #[error("it does not begin with ZLIB")]
    NotZlib,
    /// An algorithm that is not known.
    #[error("compression type {0} is not known")]
    Unknown(u32),
    /// It claims to be larger than it can be.
    #[error("{compressed} compressed bytes claim to become {claimed}")]
    Claim {
        /// Bytes that it has.
        compressed: usize,
        /// Bytes that it claims to become.
        claimed: u64,
    },
    /// The decompressed size is another.
    #[error("it became {found} bytes, not {claimed}")]
    Size {
        /// Bytes that it became.
        found: usize,
        /// Bytes that it claims to become.
        claimed: u64,
    },
    /// The compressed bytes are damaged.
    #[error("{0}")]
    Damaged(String),
}

/// The size that the header of a compressed section claims.
pub fn claimed_bytes(stored: &[u8], is_64: bool) -> Option<u64> {
    let mut input = Reader::new(stored);
    input.skip(if is_64 { 8 } else { 4 }).ok()?;
    word(&mut input, is_64).ok()
}

/// Decompresses a section that begins with an `Elf32_Chdr` or `Elf64_Chdr`.
pub fn decompress(stored: &[u8], is_64: bool) -> Result<Vec<u8>, CompressionError> {
    let mut bytes = Vec::with_capacity(checked_bytes(stored, is_64).unwrap_or(0) as usize);
    decompress_into(stored, is_64, &mut bytes)?;
    Ok(bytes)
}

/// The size that a compressed section claims, if it can be that long.
fn checked_bytes(stored: &[u8], is_64: bool) -> Result<u64, CompressionError> {
    let mut input = Reader::new(stored);
    input.skip(if is_64 { 8 } else { 4 })?;
    let size = word(&mut input, is_64)?;
    check_claim(stored, size)?;
    Ok(size)
}

/// The same, into `output`, a part at a time.
pub fn decompress_into(stored: &[u8], is_64: bool, output: &mut dyn Write) -> Result<(), CompressionError> {
    let mut input = Reader::new(stored);
    let kind = input.u32()?;
    if is_64 {
        input.skip(4)?; // reserved
    }
    let size = word(&mut input, is_64)?;
    word(&mut input, is_64)?; // alignment
    match kind {
        ZLIB => {
            check_claim(input.rest(), size)?;
            copy_all(ZlibDecoder::new(input.rest()), size, output)
        }
        ZSTD => {
            let bytes = input.rest();
            check_claim(bytes, size)?;
            let window = MOST_WINDOW_BYTES.min(size.max(1 << 20).next_power_of_two());
            let decoder = StreamingDecoder::new_with_max_window_size(bytes, window);
            let decoder = decoder.map_err(|error| CompressionError::Damaged(error.to_string()))?;
            copy_all(decoder, size, output)
        }
        other => Err(CompressionError::Unknown(other)),
    }
}

/// Decompresses a `.zdebug_` section: `ZLIB`, the size as a big-endian `u64`, then a zlib stream.
pub fn decompress_gnu(stored: &[u8]) -> Result<Vec<u8>, CompressionError> {
    let mut input = Reader::new(stored);
    if input.take(4)? != b"ZLIB" {
        return Err(CompressionError::NotZlib);
    }
    let size = u64::from_be_bytes(input.array()?);
    inflate(input.rest(), size)
}

fn inflate(bytes: &[u8], size: u64) -> Result<Vec<u8>, CompressionError> {
    check_claim(bytes, size)?;
    let mut inflated = Vec::with_capacity(size as usize);
    copy_all(ZlibDecoder::new(bytes), size, &mut inflated)?;
    Ok(inflated)
}

fn check_claim(bytes: &[u8], size: u64) -> Result<(), CompressionError> {
    if size > MOST_BYTES || size > (bytes.len() as u64).saturating_mul(MOST_EXPANSION) {
        return Err(CompressionError::Claim { compressed: bytes.len(), claimed: size });
    }
    Ok(())
}

/// Copies to the end, but not further than one byte beyond the claimed size.
fn copy_all(decoder: impl Read, size: u64, output: &mut dyn Write) -> Result<(), CompressionError> {
    let mut limited = decoder.take(size.saturating_add(1));
    let mut part = vec![0; PART_BYTES.min(size.max(1) as usize)];
    let damaged = |error: std::io::Error| CompressionError::Damaged(error.to_string());
    let mut copied = 0;
    loop {
        let read = limited.read(&mut part).map_err(damaged)?;
        if read == 0 {
            break;
        }
        output.write_all(&part[..read]).map_err(damaged)?;
        copied += read;
    }
    if copied as u64 != size {
        return Err(CompressionError::Size { found: copied, claimed: size });
    }
    Ok(())
}
