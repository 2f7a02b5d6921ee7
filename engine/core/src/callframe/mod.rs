//! DWARF's sections of call frame information, `.eh_frame` and `.debug_frame`, as rows of rules.
//!
//! Addresses here are the file's own, as its headers give them, before anything was loaded or relocated.
//!
//! Source: DWARF 5, sections 6.4 and 7.24; Linux Standard Base Core 5.0, chapter 10.6, "Exception Frames"
//! (`.eh_frame`, `.eh_frame_hdr`, augmentations); DWARF for the Arm 64-bit Architecture, section 4.4
//! (`DW_CFA_AARCH64_negate_ra_state`).

mod augmentation;
mod entries;
mod registers;
mod table;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::OnceLock;

use gimli::{
    BaseAddresses, CommonInformationEntry, DebugFrame, EhFrame, EndianSlice, FrameDescriptionEntry, LittleEndian,
    RegisterRule, UnwindContext, UnwindExpression, UnwindSection, UnwindTableRow, Vendor,
};

pub use registers::register;

use crate::cfi::{CfaRule, CfiRow, Expression, Rule};
use crate::data::Data;
use crate::registers::Cpu;
use table::SearchTable;

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// Which of the two sections it is. They differ in how entries refer to each other and encode addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameSectionKind {
    /// `.eh_frame`, which is loaded and serves exceptions.
    EhFrame,
    /// `.debug_frame`, which serves debuggers.
    DebugFrame,
}

/// A section of call frame information, decompressed.
#[derive(Debug, Clone)]
pub struct FrameSection {
    /// Its format.
    pub kind: FrameSectionKind,
    /// Its content.
    pub bytes: Data,
    /// Its address, to which encoded pointers are relative. 0 for a `.debug_frame`.
    pub address: u64,
    /// The address of `.text`, for pointers relative to it (`DW_EH_PE_textrel`), if known.
    pub text: Option<u64>,
    /// The address of `.got`, for pointers relative to it (`DW_EH_PE_datarel`), if known.
    pub data: Option<u64>,
    /// `.eh_frame_hdr`: address and content.
    pub header: Option<(u64, Data)>,
}

/// The call frame information of one section, by address.
pub struct CallFrames {
    section: FrameSection,
    cpu: Cpu,
    bases: BaseAddresses,
    search_table: Option<SearchTable>,
    index: OnceLock<Vec<Covered>>,
    /// The section without what the reader does not understand; of ARM64 only.
    simplified: OnceLock<Vec<u8>>,
}

/// Code that one entry covers: `[start, end)`, and the entry's offset in the section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Covered {
    start: u64,
    end: u64,
    entry: u64,
}

impl CallFrames {
    /// Takes the section; nothing is read until a row is asked for.
    pub fn new(section: FrameSection, cpu: Cpu) -> CallFrames {
        let mut bases = BaseAddresses::default().set_eh_frame(section.address);
        if let Some(text) = section.text {
            bases = bases.set_text(text);
        }
        if let Some(data) = section.data {
            bases = bases.set_got(data);
        }
        let header = section.header.clone().filter(|_| section.kind == FrameSectionKind::EhFrame);
        let search_table = header.and_then(|(address, bytes)| SearchTable::new(address, bytes));
        CallFrames { section, cpu, bases, search_table, index: OnceLock::new(), simplified: OnceLock::new() }
    }

    /// The rules at `address`. `None` if no entry covers it, or the entry is damaged or holds what no frame can follow
    /// (a canonical frame address by a vector register).
    pub fn row_at(&self, address: u64) -> Option<CfiRow> {
        self.row(None, address)
    }

    /// The same by the entry at `offset` of the section, where another table told which one it is.
    pub fn row_in(&self, offset: u64, address: u64) -> Option<CfiRow> {
        self.row(Some(offset), address)
    }

    fn row(&self, entry: Option<u64>, address: u64) -> Option<CfiRow> {
        if self.simplified.get().is_none() {
            match self.read(&self.section.bytes, entry, address, self.cpu != Cpu::Arm64) {
                Err(gimli::Error::UnknownAugmentation) if self.cpu == Cpu::Arm64 => {}
                row => return row.ok(),
            }
        }
        let simplify = || augmentation::simplified(&self.section.bytes, self.section.kind);
        self.read(self.simplified.get_or_init(simplify), entry, address, true).ok()
    }

    /// The row by `bytes`, which are the section's or simplified. Unless they are `best`, an augmentation that is not
    /// understood is an error wherever it is seen.
    fn read(&self, bytes: &[u8], entry: Option<u64>, address: u64, best: bool) -> gimli::Result<CfiRow> {
        let slice = EndianSlice::new(bytes, LittleEndian);
        let pointer_bytes = self.cpu.pointer_size_bytes() as u8;
        let vendor = if self.cpu == Cpu::Arm64 { Vendor::AArch64 } else { Vendor::Default };
        match self.section.kind {
            FrameSectionKind::EhFrame => {
                let mut frames = EhFrame::from(slice);
                frames.set_address_size(pointer_bytes);
                frames.set_vendor(vendor);
                self.row_of(&frames, bytes, entry, address, best)
            }
            FrameSectionKind::DebugFrame => {
                let mut frames = DebugFrame::from(slice);
                frames.set_address_size(pointer_bytes);
                frames.set_vendor(vendor);
                self.row_of(&frames, bytes, entry, address, best)
            }
        }
    }

    fn row_of<'a, S: UnwindSection<Slice<'a>>>(
        &self,
        frames: &S,
        bytes: &[u8],
        entry: Option<u64>,
        address: u64,
        best: bool,
    ) -> gimli::Result<CfiRow>
    where
        S::Offset: std::hash::Hash,
    {
        let offset = match &self.search_table {
            _ if entry.is_some() => entry,
            Some(table) => table.entry_for(address).and_then(|entry| entry.checked_sub(self.section.address)),
            None => entry_for(self.index(frames, bytes, best)?, address),
        };
        let offset = offset.and_then(|offset| usize::try_from(offset).ok());
        let offset = offset.filter(|&offset| offset < self.section.bytes.len());
        let offset = offset.ok_or(gimli::Error::NoUnwindInfoForAddress)?;
        let entry = frames.fde_from_offset(&self.bases, S::Offset::from(offset), S::cie_from_offset)?;
        let mut context = UnwindContext::new();
        let row = entry.unwind_info_for_address(frames, &self.bases, &mut context, address)?;
        self.convert(frames, &entry, row).ok_or(gimli::Error::NoUnwindInfoForAddress)
    }

    /// Every entry in address order. Each takes bytes of the section, which bounds their number; a damaged one costs
    /// itself, or the rest if its length is damaged.
    fn index<'a, S: UnwindSection<Slice<'a>>>(&self, frames: &S, bytes: &[u8], best: bool) -> gimli::Result<&[Covered]>
    where
        S::Offset: std::hash::Hash,
    {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let (common, functions): (Vec<_>, Vec<_>) =
            entries::entries(bytes).partition(|entry| entry.is_common(self.section.kind));
        // Thousands of entries share one CIE; each is read once, broken ones too, and nothing else is taken for one.
        let common: HashMap<S::Offset, gimli::Result<CommonInformationEntry<Slice<'a>>>> = common
            .iter()
            .map(|entry| S::Offset::from(entry.offset))
            .map(|offset| (offset, frames.cie_from_offset(&self.bases, offset)))
            .collect();
        let mut index = Vec::with_capacity(functions.len());
        for entry in functions {
            let get_common = |_: &S, _: &BaseAddresses, offset: S::Offset| {
                common.get(&offset).cloned().unwrap_or(Err(gimli::Error::NoUnwindInfoForAddress))
            };
            let entry = match frames.fde_from_offset(&self.bases, S::Offset::from(entry.offset), get_common) {
                Err(gimli::Error::UnknownAugmentation) if !best => return Err(gimli::Error::UnknownAugmentation),
                Err(_) => continue,
                Ok(entry) => entry,
            };
            let start = entry.initial_address();
            // A linker leaves entries of discarded code with no length.
            if let Some(end) = start.checked_add(entry.len()).filter(|&end| end > start) {
                index.push(Covered { start, end, entry: entry.offset() as u64 });
            }
        }
        index.sort_unstable();
        Ok(self.index.get_or_init(|| index))
    }

    fn convert<'a, S: UnwindSection<Slice<'a>>>(
        &self,
        frames: &S,
        entry: &FrameDescriptionEntry<Slice<'a>>,
        row: &UnwindTableRow<usize>,
    ) -> Option<CfiRow> {
        let cfa = match row.cfa() {
            gimli::CfaRule::RegisterAndOffset { register: number, offset } => {
                CfaRule::RegisterOffset(register(self.cpu, number.0)?, *offset)
            }
            gimli::CfaRule::Expression(at) => CfaRule::Expression(expression(frames, at)?),
        };
        let mut rules = Vec::new();
        for (number, rule) in row.registers() {
            let Some(register) = register(self.cpu, number.0) else { continue };
            let rule = match rule {
                RegisterRule::SameValue => Rule::SameValue,
                RegisterRule::Offset(offset) => Rule::Offset(*offset),
                RegisterRule::ValOffset(offset) => Rule::ValueOffset(*offset),
                RegisterRule::Register(other) => {
                    registers::register(self.cpu, other.0).map_or(Rule::Undefined, Rule::Register)
                }
                RegisterRule::Expression(at) => Rule::Expression(expression(frames, at)?),
                RegisterRule::ValExpression(at) => Rule::ValueExpression(expression(frames, at)?),
                _ => Rule::Undefined,
            };
            rules.push((register, rule));
        }
        let return_address = register(self.cpu, entry.cie().return_address_register().0)?;
        Some(CfiRow { cfa, rules, return_address, is_signal_frame: entry.is_signal_trampoline() })
    }
}

/// Offset of the entry that covers `address`. Entries do not overlap unless something is wrong; the last one counts.
fn entry_for(index: &[Covered], address: u64) -> Option<u64> {
    let after = index.partition_point(|covered| covered.start <= address);
    index[..after].last().filter(|covered| address < covered.end).map(|covered| covered.entry)
}

fn expression<'a, S: UnwindSection<Slice<'a>>>(frames: &S, at: &UnwindExpression<usize>) -> Option<Expression> {
    at.get(frames).ok().map(|expression| Expression::Dwarf(expression.0.slice().to_vec()))
}
