//! Symbol tables: `.symtab`, `.dynsym`.
//!
//! Source: System V gABI, "Symbol Table"; ELF for the Arm Architecture, section 5.5.3, "Symbol Values".

use super::headers::{section_kind, word};
use super::{Elf, machine};
use crate::bytes::{Reader, Truncated};
use crate::data::Data;

/// Sections that a symbol cannot lie in: undefined, and numbers from here on (`SHN_LORESERVE`: absolute, common…).
const UNDEFINED: u16 = 0;
const RESERVED: u16 = 0xff00;
/// The index is elsewhere because it is large (`SHN_XINDEX`): the symbol has a section.
const LARGE_INDEX: u16 = 0xffff;

/// What a symbol is (`STT_`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolType {
    /// Not said: labels of assembly.
    None,
    /// A variable.
    Object,
    /// A function.
    Function,
    /// A function that chooses among functions (`STT_GNU_IFUNC`).
    IndirectFunction,
    /// An offset in the thread's block of variables.
    ThreadLocal,
    /// A section, a source file, or something of one processor.
    Other(u8),
}

/// Who sees a symbol (`STB_`). Stronger ones come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    /// Everyone.
    Global,
    /// Everyone, unless there is a global one.
    Weak,
    /// Its own object file.
    Local,
}

/// A symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElfSymbol {
    /// Offset of its name in [`SymbolTable::names`].
    pub name: u32,
    /// An address of the file's own.
    pub value: u64,
    /// Bytes; 0 if that is not known.
    pub size_bytes: u64,
    /// What it is.
    pub kind: SymbolType,
    /// Who sees it.
    pub binding: Binding,
    /// Whether it lies in a section of this file.
    pub is_defined: bool,
}

/// A symbol table and its names.
#[derive(Debug, Clone)]
pub struct SymbolTable {
    symbols: Data,
    /// Names, each ended by a NUL.
    pub names: Data,
    /// Whether it is what dynamic linking needs, and no more.
    pub is_dynamic: bool,
    is_64: bool,
    /// Whether the lowest bit of a function's value says that it is Thumb code (ARM).
    has_thumb_bit: bool,
}

impl SymbolTable {
    /// Its symbols, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = ElfSymbol> + '_ {
        let record_bytes = if self.is_64 { 24 } else { 16 };
        let records = self.symbols.chunks_exact(record_bytes);
        records.filter_map(|record| {
            let mut symbol = read_symbol(&mut Reader::new(record), self.is_64).ok()?;
            if self.has_thumb_bit && matches!(symbol.kind, SymbolType::Function | SymbolType::IndirectFunction) {
                symbol.value &= !1;
            }
            Some(symbol)
        })
    }
}

fn read_symbol(input: &mut Reader<'_>, is_64: bool) -> Result<ElfSymbol, Truncated> {
    let name = input.u32()?;
    let (value, size_bytes, info, section);
    if is_64 {
        (info, _, section) = (input.u8()?, input.u8()?, input.u16()?);
        (value, size_bytes) = (input.u64()?, input.u64()?);
    } else {
        (value, size_bytes) = (word(input, false)?, word(input, false)?);
        (info, _, section) = (input.u8()?, input.u8()?, input.u16()?);
    }
    let kind = match info & 0xf {
        0 => SymbolType::None,
        1 => SymbolType::Object,
        2 => SymbolType::Function,
        6 => SymbolType::ThreadLocal,
        10 => SymbolType::IndirectFunction,
        other => SymbolType::Other(other),
    };
    let binding = match info >> 4 {
        1 | 10 => Binding::Global, // 10: STB_GNU_UNIQUE
        2 => Binding::Weak,
        _ => Binding::Local,
    };
    let is_defined = section != UNDEFINED && (section < RESERVED || section == LARGE_INDEX);
    Ok(ElfSymbol { name, value, size_bytes, kind, binding, is_defined })
}

impl Elf {
    /// The full symbol table, or where that was stripped, what dynamic linking left.
    pub fn symbol_table(&self) -> Option<SymbolTable> {
        self.symbol_table_of(section_kind::SYMTAB).or_else(|| self.symbol_table_of(section_kind::DYNSYM))
    }

    fn symbol_table_of(&self, kind: u32) -> Option<SymbolTable> {
        let section = self.sections().iter().find(|section| section.kind == kind)?;
        let symbols = self.section_bytes(section).ok().filter(|symbols| !symbols.is_empty())?;
        let names = self.section_bytes(self.sections().get(section.link as usize)?).ok()?;
        let has_thumb_bit = self.machine() == machine::ARM;
        Some(SymbolTable {
            symbols,
            names,
            is_dynamic: kind == section_kind::DYNSYM,
            is_64: self.is_64(),
            has_thumb_bit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_functions_of_arm_lose_the_bit_of_thumb() {
        // st_name, st_value, st_size, st_info, st_other, st_shndx: a global STT_FUNC, a global STT_OBJECT.
        let record =
            |info: u8| [&[0; 4][..], &0x10b01u32.to_le_bytes(), &4u32.to_le_bytes(), &[info, 0, 1, 0]].concat();
        let symbols = Data::from([record(0x12), record(0x11)].concat());
        for (has_thumb_bit, expected) in [(true, [0x10b00, 0x10b01]), (false, [0x10b01, 0x10b01])] {
            let (symbols, names) = (symbols.clone(), Data::from(vec![0]));
            let table = SymbolTable { symbols, names, is_dynamic: false, is_64: false, has_thumb_bit };
            assert_eq!(table.iter().map(|symbol| symbol.value).collect::<Vec<_>>(), expected);
        }
    }
}
