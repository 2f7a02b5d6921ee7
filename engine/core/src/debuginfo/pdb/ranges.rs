//! Where a variable (S_LOCAL) lives at an address: the ranges that follow its record.
//!
//! Each range says of some code that the variable, or a part of it, is in a register or in memory there; gaps in it are
//! excepted. Where several parts are known, the variable is in pieces. S_DEFRANGE and S_DEFRANGE_SUBFIELD, whose
//! places are programs for an interpreter that was never published, place nothing.
//! Source: Microsoft, microsoft-pdb, cvinfo.h (`DEFRANGESYM…`, `CV_LVAR_ADDR_RANGE`, `CV_LVAR_ADDR_GAP`); LLVM,
//! SymbolRecord.h (`DefRangeRegisterRelIndirSym`).

use super::records::{Record, kind};
use super::registers::CodeViewRegister;
use super::variables::Question;
use crate::bytes::{Reader, Truncated};
use crate::debuginfo::{Piece, Place, TypeId};

/// Bits of an offset in the variable, where one follows a register.
const OFFSET_IN_PARENT_BITS: u32 = 0xfff;
/// `spilledUdtMember`: the range is of one member.
const IS_MEMBER: u16 = 1;

/// What the ranges of one variable say of an address.
#[derive(Debug, Default)]
pub struct Ranges {
    whole: Option<Place>,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    offset_bytes: u32,
    /// Bytes of the register that it is in.
    register_bytes: Option<u32>,
    place: Place,
}

/// Whether a record is one of the ranges of the S_LOCAL before it.
pub fn is_range(kind: u16) -> bool {
    (kind::S_LOCAL + 1..=kind::S_DEFRANGE_REGISTER_REL).contains(&kind) || kind == kind::S_DEFRANGE_REGISTER_REL_INDIR
}

impl Ranges {
    /// Takes in what a range says, if it covers the address. `base` is what the variable's offset in the frame counts
    /// from.
    pub fn add(&mut self, record: &Record<'_>, question: &Question<'_>, base: Option<CodeViewRegister>) {
        let Ok(Some(range)) = read_range(record, question, base) else { return };
        // Of several that cover the address the first counts: registers come before the place on the stack that
        // a parameter has all the time, where it may be stale.
        match range {
            Range::Whole(place) if self.parts.is_empty() => drop(self.whole.get_or_insert(place)),
            Range::Part(part) if self.whole.is_none() => self.parts.push(part),
            _ => {}
        }
    }

    /// The place of the variable.
    pub fn place(mut self, type_id: Option<TypeId>, question: &Question<'_>) -> Place {
        if let Some(whole) = self.whole {
            return whole;
        }
        if self.parts.is_empty() {
            return Place::OptimizedAway;
        }
        self.parts.sort_by_key(|part| part.offset_bytes);
        self.parts.dedup_by_key(|part| part.offset_bytes);
        let ends: Vec<Option<u32>> =
            self.parts.iter().skip(1).map(|next| Some(next.offset_bytes)).chain([None]).collect();
        let piece = |(part, end): (Part, Option<u32>)| {
            // No record has the size of a part: it ends where the next begins, or with its register or member.
            let up_to_next = end.map(|end| end - part.offset_bytes);
            let member = || {
                let size = question.types.size_of_part(type_id?, part.offset_bytes.into())?;
                u32::try_from(size).ok()
            };
            let own = part.register_bytes.or_else(member);
            let size_bytes = [up_to_next, own].into_iter().flatten().min();
            Piece { offset_bytes: part.offset_bytes, size_bytes, place: part.place }
        };
        Place::Pieces(self.parts.into_iter().zip(ends).map(piece).collect())
    }
}

/// What a range says that covers the address.
enum Range {
    Whole(Place),
    Part(Part),
}

fn read_range(
    record: &Record<'_>,
    question: &Question<'_>,
    base: Option<CodeViewRegister>,
) -> Result<Option<Range>, Truncated> {
    let mut input = Reader::new(record.data);
    let register = |number| CodeViewRegister::new(number, question.cpu);
    let range = match record.kind {
        kind::S_DEFRANGE_FRAMEPOINTER_REL_FULL_SCOPE => {
            let offset = input.i32()?;
            return Ok(base.and_then(|base| base.relative(offset)).map(Range::Whole));
        }
        kind::S_DEFRANGE_FRAMEPOINTER_REL => {
            let offset = input.i32()?;
            base.and_then(|base| base.relative(offset)).map(Range::Whole)
        }
        kind::S_DEFRANGE_REGISTER => {
            let number = input.u16()?;
            input.skip(2)?; // whether it may have no name here
            register(number).and_then(CodeViewRegister::itself).map(Range::Whole)
        }
        kind::S_DEFRANGE_SUBFIELD_REGISTER => {
            let number = input.u16()?;
            input.skip(2)?;
            let offset_bytes = input.u32()? & OFFSET_IN_PARENT_BITS;
            let part = |register: CodeViewRegister| {
                let register_bytes = Some(register.size_bytes());
                Some(Range::Part(Part { offset_bytes, register_bytes, place: register.itself()? }))
            };
            register(number).and_then(part)
        }
        kind::S_DEFRANGE_REGISTER_REL => {
            let (number, flags, offset) = (input.u16()?, input.u16()?, input.i32()?);
            let (offset_bytes, is_member) = (u32::from(flags >> 4), flags & IS_MEMBER != 0);
            let place = register(number).and_then(|base| base.relative(offset));
            place.map(|place| match offset_bytes {
                0 if !is_member => Range::Whole(place),
                _ => Range::Part(Part { offset_bytes, register_bytes: None, place }),
            })
        }
        kind::S_DEFRANGE_REGISTER_REL_INDIR => {
            let (number, flags, offset, behind) = (input.u16()?, input.u16()?, input.i32()?, input.i32()?);
            // What lies behind the pointer's target has no `Place`.
            let is_whole = flags >> 4 == 0 && flags & IS_MEMBER == 0 && behind == 0;
            let place = register(number).filter(|_| is_whole).and_then(|base| base.indirect(offset));
            place.map(Range::Whole)
        }
        _ => None,
    };
    Ok(range.filter(|_| covers(&mut input, question).unwrap_or(false)))
}

/// Whether a range, less its gaps, covers the address. Gaps count from the range's start.
fn covers(input: &mut Reader<'_>, question: &Question<'_>) -> Result<bool, Truncated> {
    let (start, section, size) = (input.u32()?, input.u16()?, input.u16()?);
    let Some(within) = question.offset.checked_sub(start).filter(|within| *within < u32::from(size)) else {
        return Ok(false);
    };
    while input.left() >= 4 {
        let (gap, gap_bytes) = (u32::from(input.u16()?), u32::from(input.u16()?));
        if within.checked_sub(gap).is_some_and(|within| within < gap_bytes) {
            return Ok(false);
        }
    }
    Ok(section == question.section)
}
