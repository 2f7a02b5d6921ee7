//! (to be written)
#![allow(missing_docs)]
use super::*;
use crate::{data::Data, registers::Cpu};
pub struct Pdb;
pub struct Identity {
    pub guid: [u8; 16],
    pub age: u32,
}
impl Pdb {
    pub fn open(_data: Data) -> Result<Pdb, String> {
        Err("PDBs cannot be read yet".to_owned())
    }
    pub fn identity(&self) -> Identity {
        Identity { guid: [0; 16], age: 0 }
    }
    pub fn cpu(&self) -> Cpu {
        Cpu::X64
    }
    pub fn is_fastlink(&self) -> bool {
        false
    }
}
impl DebugInfo for Pdb {
    fn function_at(&self, _: Rva) -> Option<Function> {
        None
    }
    fn scopes_at(&self, _: Rva) -> Vec<Scope> {
        vec![]
    }
    fn symbol_at(&self, _: Rva) -> Option<Symbol> {
        None
    }
    fn lines_in(&self, _: Rva, _: Rva) -> Vec<LineRow> {
        vec![]
    }
    fn variables_at(&self, _: Rva) -> Vec<Variable> {
        vec![]
    }
    fn frame_data_at(&self, _: Rva) -> Option<FrameData> {
        None
    }
    fn symbols_named(&self, _: &str) -> Vec<Symbol> {
        vec![]
    }
    fn symbols_matching(&self, _: &mut dyn FnMut(&str) -> bool, _: usize) -> Vec<Symbol> {
        vec![]
    }
    fn problems(&self) -> Vec<String> {
        vec![]
    }
}
