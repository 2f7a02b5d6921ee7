//! The export table, by address: names for code without debug information.
//!
//! Source: Microsoft, "PE Format", "The .edata Section".

use std::borrow::Cow;

use super::Image;
use super::pe::PeImage;
use crate::address::Rva;
use crate::bytes::Reader;

/// Longest name that is read.
const LONGEST_NAME_BYTES: usize = 4096;

/// Named exports in address order, each with the place of its name; those at one address in the order of the table,
/// which is that of their names.
#[derive(Default)]
pub struct Exports(Vec<(Rva, Rva)>);

impl Exports {
    /// Reads the directory of `size` bytes at `start`; what is damaged is left out. Forwarders name no address here.
    pub fn read(image: &PeImage, start: Rva, size: u32) -> Exports {
        Exports::try_read(image, start, size).unwrap_or_default()
    }

    fn try_read(image: &PeImage, start: Rva, size: u32) -> Option<Exports> {
        if start.0 == 0 {
            return None;
        }
        let mut input = Reader::at(image.raw_from(start), 20).ok()?;
        let (function_count, name_count) = (input.u32().ok()? as usize, input.u32().ok()? as usize);
        let (functions, names, ordinals) = (input.u32().ok()?, input.u32().ok()?, input.u32().ok()?);
        let functions = table(image, functions, function_count, 4)?;
        let (names, ordinals) = (table(image, names, name_count, 4)?, table(image, ordinals, name_count, 2)?);
        let mut found = Vec::new();
        for (name, ordinal) in names.chunks_exact(4).zip(ordinals.chunks_exact(2)) {
            let ordinal = usize::from(u16::from_le_bytes([ordinal[0], ordinal[1]]));
            let Some(function) = functions.get(ordinal * 4..ordinal * 4 + 4) else { continue };
            let function = Rva(u32::from_le_bytes([function[0], function[1], function[2], function[3]]));
            let is_forwarder = function >= start && u64::from(function.0) < u64::from(start.0) + u64::from(size);
            if function.0 == 0 || is_forwarder {
                continue;
            }
            found.push((function, Rva(u32::from_le_bytes([name[0], name[1], name[2], name[3]]))));
        }
        found.sort_by_key(|(function, _)| *function);
        Some(Exports(found))
    }

    /// The export of `image` nearest at or below `rva`. Of several at one address the first by name.
    pub fn nearest<'a>(&self, image: &'a PeImage, rva: Rva) -> Option<(Cow<'a, str>, Rva)> {
        let after = self.0.partition_point(|(at, _)| *at <= rva);
        let at = self.0[..after].last()?.0;
        let first = self.0.partition_point(|(other, _)| *other < at);
        let name = image.raw_from(self.0.get(first)?.1);
        let name = &name[..name.len().min(LONGEST_NAME_BYTES)];
        Some((String::from_utf8_lossy(Reader::new(name).c_string().ok()?), at))
    }
}

/// `count` entries of `entry_bytes` bytes at `rva`, or as many as the section holds.
fn table(image: &PeImage, rva: u32, count: usize, entry_bytes: usize) -> Option<&[u8]> {
    let bytes = image.raw_from(Rva(rva));
    let held = bytes.len().min(count.checked_mul(entry_bytes)?);
    Some(&bytes[..held])
}
