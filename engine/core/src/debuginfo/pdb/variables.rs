//! Variables in scope at an address, and where they live there.
//!
//! Source: Microsoft, cvinfo.h (LOCALSYM, DEFRANGESYM…, CV_LVAR_ADDR_RANGE, CV_LVAR_ADDR_GAP).

use super::module::{FunctionRecord, Module};
use super::records::{Record, kind, text};
use super::registers::CodeViewRegister;
use super::scopes::InlineSite;
use super::sections::Sections;
use super::types::Types;
use crate::bytes::{Reader, Truncated};
use crate::debuginfo::{Place, TypeId, Variable};
use crate::registers::Cpu;

/// What is asked about.
pub struct Question<'a> {
    /// The function's module.
    pub module: &'a Module,
    /// The function.
    pub function: &'a FunctionRecord,
    /// 1-based section of the address.
    pub section: u16,
    /// Offset of the address in the section.
    pub offset: u32,
    /// The processor.
    pub cpu: Cpu,
    /// For static locals.
    pub sections: &'a Sections,
    /// For constants and parts.
    pub types: &'a Types,
}

/// Open scopes while the records of a function go by.
#[derive(Default)]
struct Scopes {
    /// Whether each open scope is an inlined call.
    inlined: Vec<bool>,
    /// Depth at which a scope began that does not cover the address.
    outside: Option<usize>,
}

/// Variables that are in scope, innermost scope first.
pub fn variables(question: &Question<'_>) -> Vec<Variable> {
    let mut found: Vec<(usize, Variable)> = Vec::new();
    let mut scopes = Scopes::default();
    let mut frame_bases = [None, None];
    let mut local_is_open = false;
    for record in question.module.scope(question.function.record) {
        if record.closes_scope() {
            scopes.close();
        }
        if record.opens_scope() {
            scopes.open(&record, question);
            local_is_open = false;
        }
        if scopes.outside.is_some() {
            continue;
        }
        if record.kind == kind::S_FRAMEPROC && scopes.inlined.is_empty() {
            frame_bases = read_frame_bases(&record, question.cpu).unwrap_or_default();
        }
        if (kind::S_LOCAL + 1..=kind::S_DEFRANGE_REGISTER_REL).contains(&record.kind) {
            if let Some((_, variable)) = found.last_mut().filter(|_| local_is_open)
                && variable.place == Place::OptimizedAway
                && let Ok(Some(place)) = read_range(&record, question, frame_bases, variable.is_parameter)
            {
                variable.place = place;
            }
            continue;
        }
        let inline_depth = scopes.inlined.iter().filter(|is_inlined| **is_inlined).count() as u32;
        let variable = read_variable(&record, question, inline_depth);
        local_is_open = record.kind == kind::S_LOCAL;
        found.extend(variable.ok().flatten().map(|variable| (scopes.inlined.len(), variable)));
    }
    found.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
    found.into_iter().map(|(_, variable)| variable).collect()
}

impl Scopes {
    fn open(&mut self, record: &Record<'_>, question: &Question<'_>) {
        let is_inlined = matches!(record.kind, kind::S_INLINESITE | kind::S_INLINESITE2);
        let covers = match record.kind {
            kind::S_BLOCK32 => block_covers(record, question).unwrap_or(false),
            _ if is_inlined => {
                let site = InlineSite::read(record, question.module, question.function);
                site.is_some_and(|site| site.covers(question.offset.wrapping_sub(question.function.offset)))
            }
            _ => false,
        };
        if !covers && self.outside.is_none() {
            self.outside = Some(self.inlined.len());
        }
        self.inlined.push(is_inlined);
    }

    fn close(&mut self) {
        self.inlined.pop();
        if self.outside == Some(self.inlined.len()) {
            self.outside = None;
        }
    }
}

fn block_covers(record: &Record<'_>, question: &Question<'_>) -> Result<bool, Truncated> {
    let mut input = Reader::at(record.data, 8)?;
    let (size, offset, section) = (input.u32()?, input.u32()?, input.u16()?);
    Ok(section == question.section && question.offset.checked_sub(offset).is_some_and(|within| within < size))
}

/// The registers that S_FRAMEPROC says locals and parameters are relative to.
fn read_frame_bases(record: &Record<'_>, cpu: Cpu) -> Result<[Option<CodeViewRegister>; 2], Truncated> {
    let flags = Reader::at(record.data, 22)?.u32()?;
    Ok([CodeViewRegister::frame_base(flags >> 14, cpu), CodeViewRegister::frame_base(flags >> 16, cpu)])
}

/// A record that declares a variable. Of S_LOCAL the ranges that follow say where it is.
fn read_variable(
    record: &Record<'_>,
    question: &Question<'_>,
    inline_depth: u32,
) -> Result<Option<Variable>, Truncated> {
    let mut input = Reader::new(record.data);
    let register = |number: u16| CodeViewRegister::new(number, question.cpu);
    let mut is_parameter = false;
    let (type_index, place) = match record.kind {
        kind::S_LOCAL => {
            let type_index = input.u32()?;
            is_parameter = input.u16()? & 1 != 0;
            (type_index, Some(Place::OptimizedAway))
        }
        kind::S_REGREL32 => {
            let (offset, type_index, number) = (input.i32()?, input.u32()?, input.u16()?);
            (type_index, register(number).and_then(|base| base.relative(offset)))
        }
        kind::S_BPREL32 => {
            let (offset, type_index) = (input.i32()?, input.u32()?);
            is_parameter = offset > 0;
            (type_index, Some(Place::RegisterRelative(question.cpu.frame_pointer(), offset)))
        }
        kind::S_REGISTER => {
            let (type_index, number) = (input.u32()?, input.u16()?);
            (type_index, register(number).and_then(CodeViewRegister::itself))
        }
        kind::S_LDATA32 | kind::S_GDATA32 => {
            let (type_index, offset, section) = (input.u32()?, input.u32()?, input.u16()?);
            (type_index, question.sections.rva(section, offset).map(Place::Static))
        }
        _ => return Ok(None),
    };
    let name = text(&mut input);
    let type_id = Some(TypeId(type_index.into()));
    Ok(place.map(|place| Variable { name, is_parameter, is_artificial: false, place, type_id, inline_depth }))
}

/// Where the variable of the S_LOCAL before is at the address; None if the record does not cover it.
fn read_range(
    record: &Record<'_>,
    question: &Question<'_>,
    [locals, parameters]: [Option<CodeViewRegister>; 2],
    is_parameter: bool,
) -> Result<Option<Place>, Truncated> {
    let frame_base = if is_parameter { parameters } else { locals };
    let mut input = Reader::new(record.data);
    let place = match record.kind {
        kind::S_DEFRANGE_FRAMEPOINTER_REL_FULL_SCOPE => {
            let offset = input.i32()?;
            return Ok(frame_base.and_then(|base| base.relative(offset)));
        }
        kind::S_DEFRANGE_FRAMEPOINTER_REL => {
            let offset = input.i32()?;
            frame_base.and_then(|base| base.relative(offset))
        }
        kind::S_DEFRANGE_REGISTER => {
            let number = input.u16()?;
            input.skip(2)?;
            CodeViewRegister::new(number, question.cpu).and_then(CodeViewRegister::itself)
        }
        kind::S_DEFRANGE_REGISTER_REL => {
            let (number, flags, offset) = (input.u16()?, input.u16()?, input.i32()?);
            let is_whole = flags >> 4 == 0 && flags & 1 == 0;
            CodeViewRegister::new(number, question.cpu).filter(|_| is_whole).and_then(|base| base.relative(offset))
        }
        // A part of a variable (S_DEFRANGE_SUBFIELD…) does not place the whole of it.
        _ => return Ok(None),
    };
    Ok(place.filter(|_| covers(&mut input, question).unwrap_or(false)))
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
