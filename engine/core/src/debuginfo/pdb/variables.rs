//! Variables in scope at an address.
//!
//! Source: Microsoft, microsoft-pdb, cvinfo.h (`LOCALSYM`, `CV_LVARFLAGS`, `REGREL32`, `BPRELSYM32`, `REGSYM`,
//! `FILESTATICSYM`, `FRAMEPROCSYM`).

use super::globals::read_data;
use super::module::{FunctionRecord, Module};
use super::ranges::{Ranges, is_range};
use super::records::{Record, kind, text};
use super::registers::CodeViewRegister;
use super::scopes::InlineSite;
use super::sections::Sections;
use super::types::Types;
use crate::bytes::{Reader, Truncated};
use crate::debuginfo::{DataSymbol, Place, Variable};
use crate::registers::{Cpu, x64, x86};

/// CV_LVARFLAGS of S_LOCAL.
const IS_PARAMETER: u16 = 1;
const IS_COMPILER_GENERATED: u16 = 1 << 2;

/// What is asked about.
pub struct Question<'a> {
    /// The function's module.
    pub module: &'a Module,
    /// The function.
    pub function: &'a FunctionRecord,
    /// How many parameters its type has.
    pub parameter_count: usize,
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

/// What S_FRAMEPROC says of a function.
#[derive(Default)]
struct FrameProc {
    /// Bytes of the frame, without saved registers and the return address.
    frame_bytes: Option<u32>,
    /// What offsets of locals count from.
    locals: Option<CodeViewRegister>,
    /// What offsets of parameters count from.
    parameters: Option<CodeViewRegister>,
}

/// A variable whose place may depend on ranges that follow.
struct Found {
    depth: usize,
    variable: Variable,
    ranges: Option<Ranges>,
}

/// Variables that are in scope, innermost scope first.
pub fn variables(question: &Question<'_>) -> Vec<Variable> {
    let mut found: Vec<Found> = Vec::new();
    let mut scopes = Scopes::default();
    let mut frame = FrameProc::default();
    let mut parameters_left = question.parameter_count;
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
        let depth = scopes.inlined.len();
        if record.kind == kind::S_FRAMEPROC && depth == 0 {
            frame = FrameProc::read(&record, question.cpu).unwrap_or_default();
        }
        if is_range(record.kind) {
            if let Some(Found { variable, ranges: Some(ranges), .. }) = found.last_mut().filter(|_| local_is_open) {
                ranges.add(&record, question, if variable.is_parameter { frame.parameters } else { frame.locals });
            }
            continue;
        }
        let Some(mut variable) = read_variable(&record, question).ok().flatten() else {
            local_is_open = false;
            continue;
        };
        let has_ranges = matches!(record.kind, kind::S_LOCAL | kind::S_FILESTATIC);
        let is_unmarked = matches!(record.kind, kind::S_REGREL32 | kind::S_BPREL32 | kind::S_REGISTER);
        if is_unmarked && depth == 0 && frame.has_parameter(&variable, question.cpu, parameters_left) {
            variable.is_parameter = true;
            parameters_left = parameters_left.saturating_sub(usize::from(!variable.is_artificial));
        }
        variable.inline_depth = scopes.inlined.iter().filter(|is_inlined| **is_inlined).count() as u32;
        local_is_open = has_ranges;
        found.push(Found { depth, variable, ranges: has_ranges.then(Ranges::default) });
    }
    found.sort_by_key(|found| std::cmp::Reverse(found.depth));
    found.into_iter().map(|found| found.placed(question)).collect()
}

impl Found {
    fn placed(self, question: &Question<'_>) -> Variable {
        let mut variable = self.variable;
        if let Some(ranges) = self.ranges {
            variable.place = ranges.place(variable.type_id, question);
        }
        variable
    }
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

impl FrameProc {
    fn read(record: &Record<'_>, cpu: Cpu) -> Result<FrameProc, Truncated> {
        let frame_bytes = Reader::new(record.data).u32()?;
        let flags = Reader::at(record.data, 22)?.u32()?;
        Ok(FrameProc {
            frame_bytes: Some(frame_bytes),
            locals: CodeViewRegister::frame_base(flags >> 14, cpu),
            parameters: CodeViewRegister::frame_base(flags >> 16, cpu),
        })
    }

    /// Whether a variable of the function itself is a parameter, by a record that does not say so (S_REGREL32, S_BPREL32,
    /// S_REGISTER).
    ///
    /// Folklore: Microsoft's compiler writes these without optimisation. Callers' stack lies above the frame: beyond its
    /// size from RSP (x64, where parameters in registers are stored to their homes there), above EBP (x86). Elsewhere
    /// (ARM64, registers) the order tells: parameters are written before locals, as many as the function's type has;
    /// `this` and what the compiler adds (`__$ReturnUdt`) do not count.
    fn has_parameter(&self, variable: &Variable, cpu: Cpu, left: usize) -> bool {
        if variable.is_artificial {
            return true;
        }
        match variable.place {
            Place::RegisterRelative(x86::EBP, offset) if cpu == Cpu::X86 => offset > 0,
            Place::RegisterRelative(x64::RSP, offset) if cpu == Cpu::X64 => {
                self.frame_bytes.is_some_and(|frame_bytes| i64::from(offset) > i64::from(frame_bytes))
            }
            Place::RegisterRelative(..) | Place::Register { .. } | Place::Vector(_) => left > 0,
            _ => false,
        }
    }
}

/// A record that declares a variable. Of S_LOCAL and S_FILESTATIC the ranges that follow say where it is.
fn read_variable(record: &Record<'_>, question: &Question<'_>) -> Result<Option<Variable>, Truncated> {
    let mut input = Reader::new(record.data);
    let register = |number: u16| CodeViewRegister::new(number, question.cpu);
    let mut flags = 0;
    let (type_index, place) = match record.kind {
        kind::S_LOCAL => {
            let type_index = input.u32()?;
            flags = input.u16()?;
            (type_index, None)
        }
        kind::S_FILESTATIC => {
            let type_index = input.u32()?;
            input.skip(4)?; // the name of its module
            flags = input.u16()? & !IS_PARAMETER;
            (type_index, None)
        }
        kind::S_REGREL32 => {
            let (offset, type_index, number) = (input.i32()?, input.u32()?, input.u16()?);
            (type_index, register(number).and_then(|base| base.relative(offset)))
        }
        kind::S_BPREL32 => {
            let (offset, type_index) = (input.i32()?, input.u32()?);
            (type_index, Some(Place::RegisterRelative(question.cpu.frame_pointer(), offset)))
        }
        kind::S_REGISTER => {
            let (type_index, number) = (input.u32()?, input.u16()?);
            (type_index, register(number).and_then(CodeViewRegister::itself))
        }
        _ => return Ok(read_data(record, question.sections, question.types).and_then(|data| of_data(data, question))),
    };
    let name = text(&mut input);
    Ok(Some(Variable {
        is_parameter: flags & IS_PARAMETER != 0,
        is_artificial: flags & IS_COMPILER_GENERATED != 0 || name == "this" || name.starts_with("__$"),
        name,
        place: place.unwrap_or(Place::OptimizedAway),
        type_id: question.types.reference(type_index),
        inline_depth: 0,
    }))
}

/// A static or constant of a function.
///
/// Folklore: LLVM writes S_CONSTANT for any local that is a known number somewhere in its life, with the last such number
/// and no range: in an unrolled loop `i` is 31 all the time, and of a structure it is one member's value without saying
/// which. Only what is `const` and no class has its value for good. S_CONSTANT also repeats the enumerators of local
/// enumerations, which are no variables.
fn of_data(data: DataSymbol, question: &Question<'_>) -> Option<Variable> {
    let DataSymbol { name, type_id, mut place } = data;
    if matches!(place, Place::Constant(_)) {
        if type_id.is_some_and(|id| question.types.has_enumerator(id, &name)) {
            return None;
        }
        if !type_id.is_some_and(|id| question.types.is_constant_scalar(id)) {
            place = Place::OptimizedAway;
        }
    }
    Some(Variable { name, is_parameter: false, is_artificial: false, place, type_id, inline_depth: 0 })
}
