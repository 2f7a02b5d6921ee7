//! Stream 3: modules, and which module contributed which code.
//!
//! Source: LLVM, "The PDB DBI (Debug Info) Stream".

use std::sync::OnceLock;

use super::PdbError;
use super::msf::Stream;
use crate::bytes::{Reader, Truncated};
use crate::registers::Cpu;

const HEADER_BYTES: u32 = 64;
const NO_STREAM: u16 = 0xffff;
const CONTRIBUTIONS_V60: u32 = 0xeffe_0000 + 19_970_605;
const CONTRIBUTIONS_V2: u32 = 0xeffe_0000 + 20_140_516;

/// The DBI stream, entered by index.
pub struct Dbi {
    stream: Stream,
    /// How often the PDB was written: the age that debuggers compare.
    pub age: u32,
    machine: u16,
    /// Number of the stream of the global symbols' hash table.
    pub globals: Option<u32>,
    /// Number of the stream of the public symbols' hash table.
    pub publics: Option<u32>,
    /// Number of the stream of symbol records.
    pub records: Option<u32>,
    modules_bytes: u32,
    contributions: Contributions,
    debug_streams: Vec<u16>,
    modules: OnceLock<Vec<ModuleInfo>>,
}

/// Where a module's own stream is, and how it is divided.
#[derive(Debug, Clone, Copy)]
pub struct ModuleInfo {
    /// Number of its stream; None if it has no symbols.
    pub stream: Option<u32>,
    /// Bytes of symbols, with the signature.
    pub symbols_bytes: u32,
    /// Bytes of line information of old compilers.
    pub c11_bytes: u32,
    /// Bytes of line information.
    pub c13_bytes: u32,
}

/// A range of code or data that one module contributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contribution {
    /// 1-based section.
    pub section: u16,
    /// Offset in the section.
    pub offset: u32,
    /// Bytes.
    pub size_bytes: u32,
    /// 0-based module.
    pub module: u16,
}

/// Where the table of contributions is in the stream; entries are sorted by section and offset.
#[derive(Default)]
struct Contributions {
    start: u32,
    count: u32,
    entry_bytes: u32,
}

/// Optional streams, by their place in the optional debug header.
#[derive(Debug, Clone, Copy)]
pub enum DebugStream {
    /// FPO_DATA.
    Fpo = 0,
    /// OMAP of the final image to the original one.
    OmapToSource = 3,
    /// OMAP of the original image to the final one.
    OmapFromSource = 4,
    /// Section headers.
    Sections = 5,
    /// FRAMEDATA.
    FrameData = 9,
    /// Section headers before OMAP.
    OriginalSections = 10,
}

impl Dbi {
    /// Reads the header.
    pub fn open(stream: Stream) -> Result<Dbi, PdbError> {
        let header = stream.bytes(0, HEADER_BYTES)?;
        let mut input = Reader::new(&header);
        input.skip(8)?;
        let age = input.u32()?;
        let globals = input.u16()?;
        input.skip(2)?;
        let publics = input.u16()?;
        input.skip(2)?;
        let records = input.u16()?;
        input.skip(2)?;
        let sizes = [input.u32()?, input.u32()?, input.u32()?, input.u32()?, input.u32()?];
        input.skip(4)?;
        let (debug_bytes, ec_bytes) = (input.u32()?, input.u32()?);
        input.skip(2)?;
        let machine = input.u16()?;
        let mut offsets = Vec::with_capacity(7);
        let mut at = HEADER_BYTES;
        for size in sizes.into_iter().chain([ec_bytes, debug_bytes]) {
            offsets.push(at);
            at = at.checked_add(size).filter(|end| *end <= stream.size_bytes()).ok_or_else(|| {
                PdbError::Invalid(format!("parts of its stream 3 lie beyond the {} bytes of it", stream.size_bytes()))
            })?;
        }
        let debug = stream.bytes(offsets[6], debug_bytes)?;
        let debug_streams = debug.chunks_exact(2).map(|number| u16::from_le_bytes([number[0], number[1]])).collect();
        drop(debug);
        let contributions = Contributions::find(&stream, offsets[1], sizes[1])?;
        drop(header);
        Ok(Dbi {
            age,
            machine,
            globals: some_stream(globals),
            publics: some_stream(publics),
            records: some_stream(records),
            modules_bytes: sizes[0],
            contributions,
            debug_streams,
            modules: OnceLock::new(),
            stream,
        })
    }

    /// The processor, if the engine knows it.
    pub fn cpu(&self) -> Option<Cpu> {
        match self.machine {
            0x014c => Some(Cpu::X86),
            0x8664 => Some(Cpu::X64),
            0xaa64 => Some(Cpu::Arm64),
            _ => None,
        }
    }

    /// Number of an optional stream.
    pub fn debug_stream(&self, which: DebugStream) -> Option<u32> {
        self.debug_streams.get(which as usize).copied().and_then(some_stream)
    }

    /// All modules, in order. Read once: 64 bytes and two names each.
    pub fn modules(&self) -> &[ModuleInfo] {
        self.modules.get_or_init(|| {
            let bytes = self.stream.bytes(HEADER_BYTES, self.modules_bytes).unwrap_or_default();
            let mut input = Reader::new(&bytes);
            let mut modules = Vec::new();
            while let Ok(module) = read_module(&mut input) {
                modules.push(module);
            }
            modules
        })
    }

    /// The contribution that covers an offset of a section.
    pub fn contribution_at(&self, section: u16, offset: u32) -> Option<Contribution> {
        let found = self.last_at_or_below(section, offset)?;
        (offset - found.offset < found.size_bytes).then_some(found)
    }

    /// Contributions that overlap `[start, end)` of a section, in address order.
    pub fn contributions_in(&self, section: u16, start: u32, end: u32) -> Vec<Contribution> {
        let first = self.index_after(section, start).saturating_sub(1);
        let mut found = Vec::new();
        for index in first..self.contributions.count {
            let Ok(contribution) = self.contributions.get(&self.stream, index) else { break };
            if (contribution.section, contribution.offset) >= (section, end) {
                break;
            }
            let contribution_end = contribution.offset.saturating_add(contribution.size_bytes);
            if contribution.section == section && contribution_end > start {
                found.push(contribution);
            }
        }
        found
    }

    fn last_at_or_below(&self, section: u16, offset: u32) -> Option<Contribution> {
        let index = self.index_after(section, offset).checked_sub(1)?;
        let found = self.contributions.get(&self.stream, index).ok()?;
        (found.section == section && found.offset <= offset).then_some(found)
    }

    /// How many contributions begin at or below an offset of a section.
    fn index_after(&self, section: u16, offset: u32) -> u32 {
        let (mut low, mut high) = (0, self.contributions.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.contributions.get(&self.stream, middle) {
                Ok(found) if (found.section, found.offset) <= (section, offset) => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }
}

impl Contributions {
    fn find(stream: &Stream, start: u32, size_bytes: u32) -> Result<Contributions, PdbError> {
        if size_bytes < 4 {
            return Ok(Contributions::default());
        }
        let entry_bytes = match stream.u32_at(start)? {
            CONTRIBUTIONS_V60 => 28,
            CONTRIBUTIONS_V2 => 32,
            other => return Err(PdbError::Invalid(format!("section contributions of unknown version {other:#x}"))),
        };
        Ok(Contributions { start: start + 4, count: (size_bytes - 4) / entry_bytes, entry_bytes })
    }

    fn get(&self, stream: &Stream, index: u32) -> Result<Contribution, PdbError> {
        let bytes = stream.bytes(self.start + index * self.entry_bytes, self.entry_bytes)?;
        let mut input = Reader::new(&bytes);
        let section = input.u16()?;
        input.skip(2)?;
        let (offset, size_bytes) = (input.u32()?, input.u32()?);
        input.skip(4)?; // characteristics
        Ok(Contribution { section, offset, size_bytes, module: input.u16()? })
    }
}

fn read_module(input: &mut Reader<'_>) -> Result<ModuleInfo, Truncated> {
    input.skip(4 + 28 + 2)?; // unused, first contribution, flags
    let stream = some_stream(input.u16()?);
    let (symbols_bytes, c11_bytes, c13_bytes) = (input.u32()?, input.u32()?, input.u32()?);
    input.skip(16)?; // counts and indices of files
    input.c_string()?; // module
    input.c_string()?; // object file
    input.align(4);
    Ok(ModuleInfo { stream, symbols_bytes, c11_bytes, c13_bytes })
}

fn some_stream(number: u16) -> Option<u32> {
    (number != NO_STREAM).then_some(number.into())
}
