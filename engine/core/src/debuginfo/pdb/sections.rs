//! From sections and offsets, which symbol records use, to RVAs, and back.
//!
//! Folklore: optimisers that rearrange a finished image (BBT, Vulcan; Windows' own binaries of the 2000s) leave the
//! symbols as they were and add two OMAP tables: original RVA to final RVA, and back. Then the section headers that
//! symbols refer to are the original ones, in a stream of their own. A part whose target is 0 does not exist any more.
//! Source: Microsoft, dbghelp.h (OMAP); microsoft-pdb, dbi.h.

use crate::address::Rva;
use crate::bytes::Reader;

/// The address map of one PDB.
#[derive(Default)]
pub struct Sections {
    /// RVA and size of each section, as symbols refer to them.
    sections: Vec<(u32, u32)>,
    to_source: Vec<(u32, u32)>,
    from_source: Vec<(u32, u32)>,
}

impl Sections {
    /// Reads IMAGE_SECTION_HEADERs (40 bytes each) and OMAP tables (8 bytes an entry, sorted; empty if there are none).
    pub fn new(headers: &[u8], to_source: &[u8], from_source: &[u8]) -> Sections {
        let section = |header: &[u8]| {
            let mut input = Reader::at(header, 8).ok()?;
            let (size, rva) = (input.u32().ok()?, input.u32().ok()?);
            Some((rva, size))
        };
        let pair = |entry: &[u8]| {
            let mut input = Reader::new(entry);
            Some((input.u32().ok()?, input.u32().ok()?))
        };
        Sections {
            sections: headers.chunks_exact(40).filter_map(section).collect(),
            to_source: to_source.chunks_exact(8).filter_map(pair).collect(),
            from_source: from_source.chunks_exact(8).filter_map(pair).collect(),
        }
    }

    /// The RVA of an offset in a 1-based section.
    pub fn rva(&self, section: u16, offset: u32) -> Option<Rva> {
        let (start, _) = self.sections.get(usize::from(section).checked_sub(1)?)?;
        let source = start.checked_add(offset)?;
        mapped(&self.from_source, source).map(Rva)
    }

    /// The 1-based section and the offset of an RVA.
    pub fn place(&self, rva: Rva) -> Option<(u16, u32)> {
        let source = mapped(&self.to_source, rva.0)?;
        let covers = |(start, size): &(u32, u32)| source.checked_sub(*start).is_some_and(|offset| offset < *size);
        let index = self.sections.iter().position(covers)?;
        Some((u16::try_from(index + 1).ok()?, source - self.sections[index].0))
    }
}

fn mapped(omap: &[(u32, u32)], rva: u32) -> Option<u32> {
    if omap.is_empty() {
        return Some(rva);
    }
    let after = omap.partition_point(|(from, _)| *from <= rva);
    let (from, to) = omap[..after].last()?;
    if *to == 0 { None } else { to.checked_add(rva - from) }
}
