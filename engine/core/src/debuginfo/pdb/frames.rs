//! x86 frame records: FRAMEDATA and FPO_DATA.
//!
//! Source: Microsoft, cvinfo.h (FRAMEDATA), winnt.h (FPO_DATA).

use super::info::Names;
use super::msf::Stream;
use crate::address::Rva;
use crate::bytes::Reader;
use crate::debuginfo::{FpoKind, FrameData, FrameRule};

const FRAME_DATA_BYTES: u32 = 32;
const FPO_BYTES: u32 = 16;
/// Records nest, one for each part of a prologue: so many are looked at for one that covers the address.
const DEEPEST_NESTING: u32 = 64;

/// Both streams of a PDB; records are sorted by RVA.
#[derive(Default)]
pub struct Frames {
    /// FRAMEDATA.
    pub frame_data: Option<Stream>,
    /// FPO_DATA.
    pub fpo: Option<Stream>,
}

impl Frames {
    /// The record that covers `rva`: see [`DebugInfo::frame_data_at`](crate::debuginfo::DebugInfo::frame_data_at).
    pub fn at(&self, rva: Rva, names: Option<&Names>) -> Option<FrameData> {
        let frame_data = self.frame_data.as_ref().and_then(|stream| {
            let record = covering(stream, FRAME_DATA_BYTES, rva)?;
            read_frame_data(&record, names?)
        });
        frame_data.or_else(|| read_fpo(&covering(self.fpo.as_ref()?, FPO_BYTES, rva)?))
    }
}

/// Of the records that cover `rva` the one that starts last. Both kinds begin with the RVA and the size.
fn covering(stream: &Stream, record_bytes: u32, rva: Rva) -> Option<Vec<u8>> {
    let (mut low, mut high) = (0, stream.size_bytes() / record_bytes);
    while low < high {
        let middle = low + (high - low) / 2;
        if stream.u32_at(middle * record_bytes).ok()? <= rva.0 { low = middle + 1 } else { high = middle }
    }
    for index in (low.saturating_sub(DEEPEST_NESTING)..low).rev() {
        let record = stream.bytes(index * record_bytes, record_bytes).ok()?;
        let mut input = Reader::new(&record);
        let (start, size) = (input.u32().ok()?, input.u32().ok()?);
        if rva.0.checked_sub(start)? < size {
            return Some(record.into_owned());
        }
    }
    None
}

fn read_frame_data(record: &[u8], names: &Names) -> Option<FrameData> {
    let mut input = Reader::new(record);
    let (start, size_bytes, locals_bytes, params_bytes) =
        (input.u32().ok()?, input.u32().ok()?, input.u32().ok()?, input.u32().ok()?);
    input.skip(4).ok()?; // deepest stack
    let program = names.get(input.u32().ok()?)?;
    let (prologue_bytes, saved_registers_bytes) = (input.u16().ok()?, input.u16().ok()?);
    Some(FrameData {
        start: Rva(start),
        size_bytes,
        locals_bytes,
        params_bytes,
        saved_registers_bytes,
        prologue_bytes,
        rule: FrameRule::Program(program),
    })
}

fn read_fpo(record: &[u8]) -> Option<FrameData> {
    let mut input = Reader::new(record);
    let (start, size_bytes, locals, params) =
        (input.u32().ok()?, input.u32().ok()?, input.u32().ok()?, input.u16().ok()?);
    let bits = input.u16().ok()?;
    let kind = match bits >> 14 {
        0 => FpoKind::Fpo,
        1 => FpoKind::Trap,
        2 => FpoKind::Tss,
        _ => FpoKind::NonFpo,
    };
    Some(FrameData {
        start: Rva(start),
        size_bytes,
        locals_bytes: locals.saturating_mul(4),
        params_bytes: u32::from(params) * 4,
        saved_registers_bytes: (bits >> 8 & 7) * 4,
        prologue_bytes: bits & 0xff,
        rule: FrameRule::Fpo { uses_base_pointer: bits & 0x1000 != 0, kind },
    })
}
