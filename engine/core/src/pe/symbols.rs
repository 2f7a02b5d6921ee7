//! The COFF symbol table, which GNU's and LLVM's linkers leave in MinGW programs, and Go's in its own; Microsoft's does
//! not.
//!
//! Source: Microsoft, "PE Format", "COFF Symbol Table" and "COFF String Table".

use super::Pe;
use crate::address::Rva;
use crate::bytes::{Reader, Truncated, slice_at};

/// Bytes of a record; auxiliary ones have the same size.
const RECORD_BYTES: usize = 18;
/// The type of functions (`DT_FCN`), and the bits that tell it from others.
const FUNCTION: u16 = 0x20;
const DERIVED_TYPE: u16 = 0x30;
/// Storage classes of named addresses: IMAGE_SYM_CLASS_EXTERNAL, _STATIC, _WEAK_EXTERNAL.
const EXTERNAL: u8 = 2;
const STATIC: u8 = 3;
const WEAK_EXTERNAL: u8 = 105;

/// Longest name of a section.
const MOST_NAME_BYTES: usize = 256;

/// Where a symbol's name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolName {
    /// In the record, filled up with NULs.
    Short([u8; 8]),
    /// At this offset of [`SymbolTable::strings`].
    Long(u32),
}

/// A named address in a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeSymbol {
    /// Its name. On x86 it begins with the underscore that compilers put before every name.
    pub name: SymbolName,
    /// Where.
    pub rva: Rva,
    /// Whether its type is that of functions. What was written in assembly mostly has none.
    pub is_function: bool,
    /// Whether other files see it.
    pub is_external: bool,
}

/// A symbol table and its long names.
#[derive(Debug)]
pub struct SymbolTable<'a> {
    pe: &'a Pe,
    records: &'a [u8],
    /// The string table: names, each ended by a NUL, after 4 bytes with its size.
    pub strings: &'a [u8],
}

impl SymbolTable<'_> {
    /// Symbols that lie in a section, in the order of the file. What names sections and source files is left out.
    pub fn iter(&self) -> impl Iterator<Item = PeSymbol> + '_ {
        let mut records = self.records.chunks_exact(RECORD_BYTES);
        std::iter::from_fn(move || {
            let record = records.next()?;
            let auxiliary_count = usize::from(record[RECORD_BYTES - 1]);
            if auxiliary_count > 0 {
                records.nth(auxiliary_count - 1);
            }
            Some(self.read(record, auxiliary_count > 0).ok().flatten())
        })
        .flatten()
    }

    fn read(&self, record: &[u8], has_auxiliary: bool) -> Result<Option<PeSymbol>, Truncated> {
        let mut input = Reader::new(record);
        let name = input.array::<8>()?;
        let (value, section, kind, class) = (input.u32()?, input.u16()?, input.u16()?, input.u8()?);
        // Numbers of sections begin with 1; 0 is what is imported, -1 and -2 are no places.
        let section = usize::from(section).checked_sub(1).and_then(|index| self.pe.sections().get(index));
        let Some(rva) = section.and_then(|section| section.rva.0.checked_add(value)) else { return Ok(None) };
        let is_function = kind & DERIVED_TYPE == FUNCTION;
        let names_section = class == STATIC && has_auxiliary && !is_function;
        if names_section || ![EXTERNAL, STATIC, WEAK_EXTERNAL].contains(&class) {
            return Ok(None);
        }
        let name = match name {
            [0, 0, 0, 0, offset @ ..] => SymbolName::Long(u32::from_le_bytes(offset)),
            short => SymbolName::Short(short),
        };
        Ok(Some(PeSymbol { name, rva: Rva(rva), is_function, is_external: class != STATIC }))
    }
}

impl Pe {
    /// The symbol table; None if there is none, or the file does not hold it.
    pub fn symbol_table(&self) -> Option<SymbolTable<'_>> {
        let records = self.symbol_records().filter(|records| !records.is_empty())?;
        Some(SymbolTable { pe: self, records, strings: self.strings().unwrap_or_default() })
    }

    fn symbol_records(&self) -> Option<&[u8]> {
        let header = self.header();
        let size_bytes = u64::from(header.symbol_count) * RECORD_BYTES as u64;
        let records = slice_at(self.data(), header.symbols_offset.into(), size_bytes).ok();
        records.filter(|_| header.symbols_offset != 0)
    }

    /// The string table, which follows the symbols, with the four bytes that say how long it is.
    pub(super) fn strings(&self) -> Option<&[u8]> {
        let offset = u64::from(self.header().symbols_offset) + self.symbol_records()?.len() as u64;
        let size_bytes = Reader::new(slice_at(self.data(), offset, 4).ok()?).u32().ok()?;
        slice_at(self.data(), offset, size_bytes.into()).ok()
    }
}

/// The offset in the string table of a section's name that is not in its header.
///
/// Folklore: `/` and up to seven decimal digits reach the first 10 MB of the table; beyond, LLVM's and GNU's linkers
/// write `//` and six digits of base 64.
pub(super) fn name_offset(name: &[u8]) -> Option<usize> {
    let digits = name.strip_prefix(b"/")?;
    let Some(digits) = digits.strip_prefix(b"/") else { return std::str::from_utf8(digits).ok()?.parse().ok() };
    digits.iter().try_fold(0_usize, |offset, &digit| {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        offset.checked_mul(64)?.checked_add(value.into())
    })
}

/// The name at an offset of the string table.
pub(super) fn string_at(strings: &[u8], offset: usize) -> Option<&[u8]> {
    let rest = strings.get(offset..).filter(|rest| !rest.is_empty())?;
    let rest = &rest[..rest.len().min(MOST_NAME_BYTES)];
    Some(&rest[..rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len())])
}
