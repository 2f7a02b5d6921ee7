//! The entries of a section, one after the other, by their lengths alone: a damaged one costs itself.

use super::FrameSectionKind;
use crate::bytes::{Reader, Truncated};

/// The length that announces a 64-bit one.
const LENGTH_64: u32 = 0xffff_ffff;

/// A common information entry, or a frame description entry that refers to one.
pub(super) struct Entry<'a> {
    /// Where it starts in the section, with its length.
    pub offset: usize,
    /// Where its content starts.
    pub content_offset: usize,
    /// What follows the length.
    pub content: &'a [u8],
    /// Whether the format is the 64-bit one.
    pub is_64: bool,
}

/// The entries up to the first whose length is damaged. One of length 0 ends an `.eh_frame`, but linkers have left them
/// in the midst of sections (the terminator of `crtend.o` linked too early), so they are passed over.
pub(super) fn entries(section: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    let mut input = Reader::new(section);
    std::iter::from_fn(move || next(&mut input).ok()).filter(|entry| !entry.content.is_empty())
}

fn next<'a>(input: &mut Reader<'a>) -> Result<Entry<'a>, Truncated> {
    let offset = input.offset();
    let length = input.u32()?;
    let is_64 = length == LENGTH_64;
    let length = if is_64 { input.u64()? } else { length.into() };
    let content_offset = input.offset();
    let content = input.take(usize::try_from(length).unwrap_or(usize::MAX))?;
    Ok(Entry { offset, content_offset, content, is_64 })
}

impl Entry<'_> {
    /// Whether it is a common information entry.
    pub fn is_common(&self, kind: FrameSectionKind) -> bool {
        let mut input = Reader::new(self.content);
        match kind {
            // Its references have 4 bytes in the 64-bit format too.
            FrameSectionKind::EhFrame => input.u32() == Ok(0),
            FrameSectionKind::DebugFrame if self.is_64 => input.u64() == Ok(u64::MAX),
            FrameSectionKind::DebugFrame => input.u32() == Ok(u32::MAX),
        }
    }
}
