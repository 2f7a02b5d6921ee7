//! The symbol table, and the list of addresses at which functions start.
//!
//! Source: Apple, `mach-o/nlist.h`; `mach-o/loader.h` (`LC_SYMTAB`, `LC_FUNCTION_STARTS`).

use gimli::{EndianSlice, LittleEndian, Reader as _};

use super::MachO;
use super::commands::Place;
use crate::address::Rva;
use crate::bytes::{Reader, Truncated};
use crate::data::Data;

/// Bytes of a record (`nlist_64`).
pub const BYTES: u64 = 16;
/// Bits of `n_type`.
const DEBUGGER: u8 = 0xe0;
const KIND: u8 = 0x0e;
const IN_SECTION: u8 = 0x0e;
const EXTERNAL: u8 = 0x01;

/// A symbol that lies in a section of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachSymbol {
    /// Offset of its name in [`SymbolTable::names`].
    pub name: u32,
    /// An address of the file's own.
    pub value: u64,
    /// Whether other files see it (`N_EXT`).
    pub is_external: bool,
}

/// A symbol table and its names.
#[derive(Debug, Clone)]
pub struct SymbolTable {
    records: Data,
    /// Names, each ended by a NUL. They begin with the underscore that compilers put before every name.
    pub names: Data,
}

impl SymbolTable {
    /// Symbols that lie in a section, in the order of the file. What is imported is left out, and so are records for
    /// debuggers, which name object files.
    pub fn iter(&self) -> impl Iterator<Item = MachSymbol> + '_ {
        let records = self.records.chunks_exact(BYTES as usize);
        records.filter_map(|record| read_symbol(&mut Reader::new(record)).ok().flatten())
    }
}

fn read_symbol(input: &mut Reader<'_>) -> Result<Option<MachSymbol>, Truncated> {
    let (name, kind) = (input.u32()?, input.u8()?);
    input.skip(3)?; // section, description
    let value = input.u64()?;
    let is_defined = kind & DEBUGGER == 0 && kind & KIND == IN_SECTION;
    Ok(is_defined.then_some(MachSymbol { name, value, is_external: kind & EXTERNAL != 0 }))
}

impl MachO {
    /// `LC_SYMTAB`; None if there is none, or the file does not hold it.
    pub fn symbol_table(&self) -> Option<SymbolTable> {
        let (records, names) = self.commands.symbols?;
        let part = |place: Place| self.data().part(place.offset, place.size_bytes);
        Some(SymbolTable { records: part(records)?, names: part(names)? })
    }

    /// `LC_FUNCTION_STARTS`: where functions start, also those without a symbol, in address order. Linkers write it
    /// into images and not into debug information; none where it is missing.
    pub fn function_starts(&self) -> Vec<Rva> {
        let place = self.commands.function_starts.unwrap_or_default();
        let Some(bytes) = self.data().part(place.offset, place.size_bytes) else { return Vec::new() };
        // Each number is the distance from the start before; zeros fill up to the alignment.
        let mut input = EndianSlice::new(&bytes, LittleEndian);
        let mut rva = 0_u64;
        let mut next = || {
            let distance = input.read_uleb128().ok().filter(|&distance| distance != 0)?;
            rva = rva.checked_add(distance)?;
            u32::try_from(rva).ok().map(Rva)
        };
        std::iter::from_fn(&mut next).collect()
    }
}
