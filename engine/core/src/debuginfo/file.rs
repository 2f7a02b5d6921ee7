//! A file of debug information of any format, and what tells which build it belongs to.

use std::path::Path;
use std::sync::Arc;

use thiserror::Error;

use super::DebugInfo;
use super::breakpad::{BreakpadError, BreakpadSymbols};
use super::dwarf::kept::KeptSections;
use super::dwarf::{Dwarf, DwarfFile};
use super::pdb::{self, Pdb, PdbError};
use super::symbol_table::SymbolTable;
use crate::data::Data;
use crate::elf::{DebugAltLink, Elf, ElfError};
use crate::macho::{MachError, MachO, is_macho};
use crate::pe::{Pe, PeError};
use crate::registers::Cpu;

/// Why a file cannot be opened as debug information.
#[derive(Debug, Error)]
pub enum DebugFileError {
    /// Not a PDB, or a damaged one.
    #[error(transparent)]
    Pdb(#[from] PdbError),
    /// Not Breakpad's, or a damaged one.
    #[error(transparent)]
    Breakpad(#[from] BreakpadError),
    /// Not an ELF file, or a damaged one.
    #[error(transparent)]
    Elf(#[from] ElfError),
    /// Not a Mach-O file, or a damaged one.
    #[error(transparent)]
    MachO(#[from] MachError),
    /// A damaged PE file, or one without debug information of its own.
    #[error(transparent)]
    Pe(#[from] PeError),
}

/// What kind of information it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebugFormat {
    /// Microsoft's.
    Pdb,
    /// DWARF, with the symbol table of the file that holds it.
    Dwarf,
    /// A symbol table alone.
    Symbols,
    /// Breakpad's text.
    Breakpad,
}

/// What tells one build from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DebugIdentity {
    /// GUID and age.
    Pdb(pdb::Identity),
    /// The build-id.
    BuildId(Vec<u8>),
    /// `LC_UUID`.
    Uuid([u8; 16]),
    /// GUID and age as Breakpad writes them, in upper case.
    Breakpad(String),
    /// There is none.
    None,
}

/// An open file of debug information.
#[derive(Clone)]
pub struct DebugFile {
    /// What it answers.
    pub info: Arc<dyn DebugInfo>,
    /// What kind it is.
    pub format: DebugFormat,
    /// What it belongs to.
    pub identity: DebugIdentity,
    /// The processor.
    pub cpu: Cpu,
    /// Whether its symbols stayed in the object files (`/DEBUG:FASTLINK`).
    pub is_fastlink: bool,
    /// Another file that it needs.
    pub alt_link: Option<DebugAltLink>,
    /// Its DWARF, which may need other files too.
    pub dwarf: Option<Arc<Dwarf>>,
    /// What makes opening the same file cheaper next time.
    pub breakpad: Option<Arc<BreakpadSymbols>>,
}

impl DebugFile {
    /// Opens a file; `helper` is the one that its [`DebugFile::alt_link`] names, or the kept index of a Breakpad symbol
    /// file. Parses nothing yet. Of a universal Mach-O file, see [`DebugFile::open_for`].
    pub fn open(data: Data, helper: Option<Data>) -> Result<DebugFile, DebugFileError> {
        DebugFile::open_for(data, helper, None, None)
    }

    /// The same; of a universal Mach-O file, the part for `cpu`. Inflated sections of ELF files are kept in `folder`.
    pub fn open_for(
        data: Data,
        helper: Option<Data>,
        cpu: Option<Cpu>,
        folder: Option<&Path>,
    ) -> Result<DebugFile, DebugFileError> {
        if is_macho(&data) {
            return Ok(DebugFile::of_macho(Arc::new(MachO::open(data, cpu)?)));
        }
        if data.starts_with(b"MZ") {
            return Ok(DebugFile::of_pe(Arc::new(Pe::open(data)?)).ok_or(PeError::NoDebugInfo)?);
        }
        if data.starts_with(b"MODULE ") {
            return Ok(DebugFile::of_breakpad(BreakpadSymbols::open(data, helper)?));
        }
        if !data.starts_with(b"\x7fELF") {
            return Ok(DebugFile::of_pdb(Pdb::open(data)?));
        }
        let supplementary = helper.map(Elf::open).transpose()?.map(Arc::new);
        Ok(DebugFile::of_elf(Arc::new(Elf::open(data)?), supplementary, folder))
    }

    fn of_pdb(pdb: Pdb) -> DebugFile {
        DebugFile {
            format: DebugFormat::Pdb,
            identity: DebugIdentity::Pdb(pdb.identity()),
            cpu: pdb.cpu(),
            is_fastlink: pdb.is_fastlink(),
            alt_link: None,
            dwarf: None,
            breakpad: None,
            info: Arc::new(pdb),
        }
    }

    fn of_breakpad(symbols: BreakpadSymbols) -> DebugFile {
        let symbols = Arc::new(symbols);
        DebugFile {
            format: DebugFormat::Breakpad,
            identity: DebugIdentity::Breakpad(symbols.identity().debug_id.clone()),
            cpu: symbols.cpu().unwrap_or(Cpu::X64),
            is_fastlink: false,
            alt_link: None,
            dwarf: None,
            breakpad: Some(symbols.clone()),
            info: symbols,
        }
    }

    /// What an ELF file knows of itself: DWARF, or its symbol table alone. Inflated sections are kept in `folder`.
    pub fn of_elf(elf: Arc<Elf>, supplementary: Option<Arc<Elf>>, folder: Option<&Path>) -> DebugFile {
        let identity = elf.build_id().map_or(DebugIdentity::None, DebugIdentity::BuildId);
        let (cpu, alt_link) = (elf.cpu().unwrap_or(Cpu::X64), elf.debug_alt_link());
        let file = |elf: Arc<Elf>| -> Arc<dyn DwarfFile> {
            match folder.and_then(|folder| KeptSections::new(elf.clone(), folder)) {
                Some(kept) => Arc::new(kept),
                None => elf,
            }
        };
        let dwarf = Dwarf::new(file(elf.clone()), supplementary.map(file));
        let (info, format, dwarf) = with_symbols_alone(dwarf, || SymbolTable::of_elf(&elf));
        DebugFile { info, format, identity, cpu, is_fastlink: false, alt_link, dwarf, breakpad: None }
    }

    /// What a Mach-O file knows: the DWARF of a dSYM bundle, or the symbol table of an image.
    pub fn of_macho(macho: Arc<MachO>) -> DebugFile {
        let identity = macho.uuid().map_or(DebugIdentity::None, DebugIdentity::Uuid);
        let cpu = macho.cpu().unwrap_or(Cpu::X64);
        let dwarf = Dwarf::new(macho.clone(), None);
        let (info, format, dwarf) = with_symbols_alone(dwarf, || SymbolTable::of_macho(&macho));
        DebugFile { info, format, identity, cpu, is_fastlink: false, alt_link: None, dwarf, breakpad: None }
    }

    /// What a PE file knows of itself, as GNU's tools leave it: DWARF, or its symbol table alone. None if it has neither.
    pub fn of_pe(pe: Arc<Pe>) -> Option<DebugFile> {
        let cpu = pe.cpu().unwrap_or(Cpu::X64);
        let dwarf = Dwarf::new(pe.clone(), None);
        if !dwarf.has_entries() && pe.symbol_table().is_none() {
            return None;
        }
        let (info, format, dwarf) = with_symbols_alone(dwarf, || SymbolTable::of_pe(&pe));
        let identity = DebugIdentity::None;
        Some(DebugFile { info, format, identity, cpu, is_fastlink: false, alt_link: None, dwarf, breakpad: None })
    }
}

/// What answers for a file: its DWARF, or `symbols` where it has none.
fn with_symbols_alone(
    dwarf: Dwarf,
    symbols: impl FnOnce() -> SymbolTable,
) -> (Arc<dyn DebugInfo>, DebugFormat, Option<Arc<Dwarf>>) {
    if !dwarf.has_entries() {
        return (Arc::new(symbols()), DebugFormat::Symbols, None);
    }
    let dwarf = Arc::new(dwarf);
    (dwarf.clone(), DebugFormat::Dwarf, Some(dwarf))
}
