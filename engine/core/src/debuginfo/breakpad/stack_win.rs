//! `STACK WIN`: x86 frame records.
//!
//! `STACK WIN type rva code_size prologue epilogue parameters saved_registers locals max_stack has_program rest`, all
//! numbers hexadecimal; `rest` is a program, or whether the function uses EBP for other things.

use super::index::Table;
use super::lookup::{Answer, Records};
use super::records::StackRange;
use super::text::{Fields, name};
use crate::address::Rva;
use crate::debuginfo::{FpoKind, FrameData, FrameRule};

/// Longest program that is kept; its interpreter runs fewer tokens.
const MOST_PROGRAM_BYTES: usize = 16 << 10;

impl Records<'_> {
    /// The record that covers `rva`; frame data come before FPO.
    pub fn frame_data_at(self, rva: u32) -> Answer<Option<FrameData>> {
        for table in [Table::FrameData, Table::Fpo] {
            if let Some((_, range, fields)) = self.stack_at(table, rva)?
                && let Some(data) = read(range, fields)
            {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
}

fn read(range: StackRange, mut fields: Fields) -> Option<FrameData> {
    let (prologue, _epilogue, params_bytes) = (fields.hex()?, fields.hex()?, fields.hex32()?);
    let (saved_registers, locals_bytes, _max_stack) = (fields.hex()?, fields.hex32()?, fields.hex()?);
    let has_program = fields.hex()? != 0;
    let rule = if has_program {
        FrameRule::Program(name(fields.rest(), MOST_PROGRAM_BYTES))
    } else {
        FrameRule::Fpo { uses_base_pointer: fields.hex()? != 0, kind: FpoKind::Fpo }
    };
    Some(FrameData {
        start: Rva(range.start),
        size_bytes: range.end - range.start,
        locals_bytes,
        params_bytes,
        saved_registers_bytes: u16::try_from(saved_registers).ok()?,
        prologue_bytes: u16::try_from(prologue).unwrap_or(u16::MAX),
        rule,
    })
}
