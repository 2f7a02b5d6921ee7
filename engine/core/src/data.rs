//! Bytes of a file or a buffer, shared by everything that was parsed from them.
//!
//! This is the one module of the engine with `unsafe` code: it maps files.

use std::fs::File;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

use crate::bytes::slice_at;

/// Immutable bytes: a mapped file, an owned buffer, or a part of one. Cloning shares them.
#[derive(Clone)]
pub struct Data {
    whole: Arc<dyn AsRef<[u8]> + Send + Sync>,
    part: Range<usize>,
}

impl Data {
    /// Maps the file at `path`; nothing is read until someone looks.
    ///
    /// An empty file gives empty data. Errors are those of the operating system; a directory is refused.
    /// If another process truncates the file while it is mapped, the system ends this process with a bus
    /// error: dumps, images and debug files are not written once they are complete.
    #[allow(unsafe_code)]
    pub fn map(path: &Path) -> std::io::Result<Data> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory));
        }
        if metadata.len() == 0 {
            return Ok(Data::from(Vec::new()));
        }
        // SAFETY: the map is read-only and private; see above for files that change underneath.
        let map = unsafe { memmap2::Mmap::map(&file)? };
        Ok(Data { part: 0..map.len(), whole: Arc::new(map) })
    }

    /// Where it begins in the file or buffer that it is a part of.
    pub fn start(&self) -> u64 {
        self.part.start as u64
    }

    /// A part of it, which shares its bytes; None if it does not lie within.
    pub fn part(&self, offset: u64, size: u64) -> Option<Data> {
        slice_at(self, offset, size).ok()?;
        let start = self.part.start + offset as usize;
        Some(Data { whole: self.whole.clone(), part: start..start + size as usize })
    }
}

impl From<Vec<u8>> for Data {
    fn from(bytes: Vec<u8>) -> Data {
        Data { part: 0..bytes.len(), whole: Arc::new(bytes) }
    }
}

impl Deref for Data {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        (*self.whole).as_ref().get(self.part.clone()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Data({} bytes)", self.len())
    }
}
