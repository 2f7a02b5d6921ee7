//! What a file says of itself in its first lines.

use super::BreakpadError;
use super::text::{Fields, lines_from, name};
use crate::registers::Cpu;

/// Lines after the first in which `INFO CODE_ID` is looked for.
const MOST_LINES: usize = 16;
/// Digits of a GUID, and of the shortest age.
const LEAST_ID_DIGITS: usize = 33;
/// Bytes of any part.
const MOST_BYTES: usize = 1024;

/// What tells one file from another: `MODULE os arch debug_id name`, `INFO CODE_ID code_id [file]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `Linux`, `mac`, `windows`, …, in the spelling of the file.
    pub os: String,
    /// `x86`, `x86_64`, `arm64`, …, in the spelling of the file.
    pub arch: String,
    /// GUID and age as 33 or more hexadecimal digits, in upper case.
    pub debug_id: String,
    /// The build-id of ELF, the UUID of Mach-O, time and size of PE; not every file tells.
    pub code_id: Option<String>,
    /// The last part of the binary's path, or of the PDB's.
    pub name: String,
}

impl Identity {
    /// Reads the first lines.
    pub fn read(text: &[u8]) -> Result<Identity, BreakpadError> {
        if text.is_empty() {
            return Err(BreakpadError::NotBreakpad("the file is empty"));
        }
        let mut lines = lines_from(&text[..text.len().min(MOST_LINES * MOST_BYTES)], 0).map(|(_, line)| line);
        let first = lines.next().unwrap_or_default();
        let Some(mut fields) = Fields::after(first, "MODULE") else {
            return Err(BreakpadError::NotBreakpad("it does not begin with a MODULE record"));
        };
        let mut part = |what| {
            let word = fields.word().ok_or(BreakpadError::Module(what))?;
            Ok(name(word, MOST_BYTES))
        };
        let (os, arch, debug_id) = (part("operating system")?, part("architecture")?, part("debug id")?);
        if debug_id.len() < LEAST_ID_DIGITS || !debug_id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(BreakpadError::Module("debug id"));
        }
        let debug_id = debug_id.to_ascii_uppercase();
        let code_id = lines.take(MOST_LINES).find_map(|line| {
            let word = Fields::after(line, "INFO CODE_ID")?.word()?;
            Some(name(word, MOST_BYTES))
        });
        let name = name(fields.rest(), MOST_BYTES);
        if name.is_empty() {
            Err(BreakpadError::Module("name"))
        } else {
            Ok(Identity { os, arch, debug_id, code_id, name })
        }
    }

    /// The processor, if it is one of ours.
    pub fn cpu(&self) -> Option<Cpu> {
        match self.arch.to_ascii_lowercase().as_str() {
            "x86" | "i386" | "i686" => Some(Cpu::X86),
            "x86_64" | "x86_64h" | "amd64" => Some(Cpu::X64),
            "arm64" | "arm64e" | "aarch64" => Some(Cpu::Arm64),
            "arm" => Some(Cpu::Arm),
            _ => None,
        }
    }
}
