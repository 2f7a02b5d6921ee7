//! `Pdb70`: the identity of a PDB.

use pyo3::prelude::*;
use stillframe_engine::dump::modules::CodeView;

/// GUID (16 bytes in file order) as 32 upper-case hex digits, then the age in hex without leading zeros.
pub fn debug_id(guid: &[u8; 16], age: u32) -> String {
    let [a0, a1, a2, a3, b0, b1, c0, c1, rest @ ..] = *guid;
    let (a, b, c) = (u32::from_le_bytes([a0, a1, a2, a3]), u16::from_le_bytes([b0, b1]), u16::from_le_bytes([c0, c1]));
    let tail: String = rest.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("{a:08X}{b:04X}{c:04X}{tail}{age:x}")
}

/// See `_engine.pyi`.
#[pyclass(frozen, get_all, module = "stillframe._engine")]
#[derive(Clone)]
pub struct Pdb70 {
    pub path: String,
    pub guid: [u8; 16],
    pub age: u32,
    pub debug_id: String,
}

impl Pdb70 {
    /// The record, if it is one of PDB 7.0.
    pub fn of(record: CodeView) -> Option<Pdb70> {
        match record {
            CodeView::Pdb70 { guid, age, path } => Some(Pdb70 { debug_id: debug_id(&guid, age), path, guid, age }),
            _ => None,
        }
    }
}
