//! Loaded and unloaded modules, and their identities.
//!
//! Source: minidumpapiset.h, MINIDUMP_MODULE, MINIDUMP_UNLOADED_MODULE; CodeView records RSDS and NB10 as in
//! Microsoft's microsoft-pdb, and BpEL of Breakpad.

use super::records::{Problem, Records, Referred, narrow};
use crate::bytes::{Reader, Truncated};

const MODULE_BYTES: usize = 108;
const FIXED_FILE_INFO_BYTES: usize = 52;
const FIXED_FILE_INFO_SIGNATURE: u32 = 0xfeef_04bd;
/// Longest CodeView record that is kept.
const LONGEST_CODEVIEW_BYTES: u32 = 0x1_0000;

/// A module of stream ModuleList: `[base, base + size_bytes)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Path as recorded; empty if it could not be read.
    pub name: String,
    /// First address.
    pub base: u64,
    /// SizeOfImage.
    pub size_bytes: u32,
    /// The image's TimeDateStamp: with the size, its key.
    pub time_date_stamp: u32,
    /// The image's CheckSum.
    pub check_sum: u32,
    /// File version, if recorded.
    pub version: Option<[u16; 4]>,
    /// The raw CodeView record; empty if there is none.
    pub codeview: Vec<u8>,
}

impl Module {
    /// The identity of the debug information.
    pub fn identity(&self) -> CodeView {
        CodeView::parse(&self.codeview)
    }
}

/// What a CodeView record says about where the debug information is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeView {
    /// No record, or none that is known.
    None,
    /// PDB 7.0 (`RSDS`).
    Pdb70 {
        /// GUID in file order.
        guid: [u8; 16],
        /// How often the PDB was written.
        age: u32,
        /// Path of the PDB as the linker knew it.
        path: String,
    },
    /// PDB 2.0 (`NB10`).
    Pdb20 {
        /// In place of a GUID.
        signature: u32,
        /// How often the PDB was written.
        age: u32,
        /// Path of the PDB.
        path: String,
    },
    /// The build-id of an ELF file (`BpEL`).
    BuildId(Vec<u8>),
}

impl CodeView {
    /// Reads a record; what is cut off or unknown is [`CodeView::None`].
    pub fn parse(record: &[u8]) -> CodeView {
        CodeView::read(record).unwrap_or(CodeView::None)
    }

    fn read(record: &[u8]) -> Result<CodeView, Truncated> {
        let mut input = Reader::new(record);
        Ok(match &input.array::<4>()? {
            b"RSDS" => {
                let (guid, age) = (input.array()?, input.u32()?);
                CodeView::Pdb70 { guid, age, path: narrow(input.rest()) }
            }
            b"NB10" => {
                input.skip(4)?; // offset, always 0
                let (signature, age) = (input.u32()?, input.u32()?);
                CodeView::Pdb20 { signature, age, path: narrow(input.rest()) }
            }
            b"LEpB" => CodeView::BuildId(input.rest().to_vec()),
            _ => CodeView::None,
        })
    }
}

/// Reads stream ModuleList.
pub fn module_list(file: &[u8], stream: &[u8]) -> Records<Module> {
    let referred = Referred::new(file);
    Records::list(stream, MODULE_BYTES, |input| {
        let (base, size_bytes, check_sum, time_date_stamp) = (input.u64()?, input.u32()?, input.u32()?, input.u32()?);
        let name = referred.string(input.u32()?);
        let version = version(input.take(FIXED_FILE_INFO_BYTES)?);
        let (codeview_bytes, codeview_offset) = (input.u32()?, input.u32()?);
        let codeview = referred.bytes(codeview_offset.into(), codeview_bytes.min(LONGEST_CODEVIEW_BYTES).into());
        Ok(Some(Module {
            name: name.unwrap_or_default(),
            base,
            size_bytes,
            time_date_stamp,
            check_sum,
            version,
            codeview: codeview.map(<[u8]>::to_vec).unwrap_or_default(),
        }))
    })
}

/// A VS_FIXEDFILEINFO.
fn version(bytes: &[u8]) -> Option<[u16; 4]> {
    let mut input = Reader::new(bytes);
    let signature = input.u32().ok()?;
    input.skip(4).ok()?;
    let (high, low) = (input.u32().ok()?, input.u32().ok()?);
    (signature == FIXED_FILE_INFO_SIGNATURE).then_some([
        (high >> 16) as u16,
        high as u16,
        (low >> 16) as u16,
        low as u16,
    ])
}

/// A module of stream UnloadedModuleList.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnloadedModule {
    /// Base name as recorded.
    pub name: String,
    /// First address, when it was loaded.
    pub base: u64,
    /// SizeOfImage.
    pub size_bytes: u32,
    /// The image's TimeDateStamp.
    pub time_date_stamp: u32,
    /// The image's CheckSum.
    pub check_sum: u32,
}

/// Reads stream UnloadedModuleList, whose header gives its own size and that of an entry.
pub fn unloaded_module_list(file: &[u8], stream: &[u8]) -> Records<UnloadedModule> {
    let referred = Referred::new(file);
    extended_list(stream, 24, |input| {
        let (base, size_bytes, check_sum, time_date_stamp) = (input.u64()?, input.u32()?, input.u32()?, input.u32()?);
        let name = referred.string(input.u32()?).unwrap_or_default();
        Ok(Some(UnloadedModule { name, base, size_bytes, time_date_stamp, check_sum }))
    })
}

/// Reads a list whose header is `SizeOfHeader`, `SizeOfEntry`, `NumberOfEntries` (`u32` each): newer writers may have
/// longer entries, whose tail is passed over.
pub fn extended_list<T>(
    stream: &[u8],
    least_entry_bytes: usize,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<Option<T>, Truncated>,
) -> Records<T> {
    let header = || -> Result<(usize, usize, usize), Truncated> {
        let mut input = Reader::new(stream);
        Ok((input.u32()? as usize, input.u32()? as usize, input.u32()? as usize))
    };
    let problem = match header() {
        Err(short) => Problem::Truncated(short),
        Ok((_, entry_bytes, _)) if entry_bytes < least_entry_bytes => {
            Problem::Invalid(format!("its entries have {entry_bytes} bytes, at least {least_entry_bytes} are needed"))
        }
        Ok((header_bytes, entry_bytes, count)) => match Reader::at(stream, header_bytes.max(12)) {
            Ok(mut input) => return Records::of(&mut input, count, entry_bytes, &mut read),
            Err(short) => Problem::Truncated(short),
        },
    };
    Records { good: Vec::new(), problem: Some(problem) }
}
