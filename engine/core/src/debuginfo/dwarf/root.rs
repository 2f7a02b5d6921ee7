//! A unit's root entry: what the rest of the unit is read with, and which addresses belong to it.
//!
//! Source: DWARF 5, sections 3.1 (unit entries) and 7.26 (bases); GNU extensions for split DWARF before it.

use gimli::constants as dw;
use gimli::{
    Abbreviations, AttributeValue, DebugAbbrev, DebugAbbrevOffset, DebugAddrBase, DebugLineOffset, DebugLocListsBase,
    DebugRngListsBase, DebugStrOffsetsBase, EndianSlice, LittleEndian, Reader, Section, Unit, UnitHeader, UnitType,
};
use std::sync::Arc;

use super::file::{File, Slice};

/// Declarations that are passed over to find the root's, which in most files is the first.
const MOST_DECLARATIONS: usize = 4096;

/// What the root entry says, without borrowing from the file.
#[derive(Debug, Clone)]
pub struct Root {
    /// A compilation unit, partial unit, or skeleton; type units have no addresses.
    pub tag: gimli::DwTag,
    low_pc: u64,
    str_offsets_base: DebugStrOffsetsBase<usize>,
    addr_base: DebugAddrBase<usize>,
    loclists_base: DebugLocListsBase<usize>,
    rnglists_base: DebugRngListsBase<usize>,
    /// Its line program.
    pub line_program: Option<DebugLineOffset<usize>>,
    /// Whether its entries are in another file (`.dwo`).
    pub is_split: bool,
    /// What tells which other file that is.
    pub dwo_id: Option<u64>,
}

/// Attributes that say where something lies.
#[derive(Debug, Default)]
pub struct Extent<'a> {
    low: Option<AttributeValue<Slice<'a>>>,
    high: Option<AttributeValue<Slice<'a>>>,
    list: Option<AttributeValue<Slice<'a>>>,
}

impl<'a> Extent<'a> {
    /// Takes the attribute in if it is one of them.
    pub fn add(&mut self, name: gimli::DwAt, value: &AttributeValue<Slice<'a>>) {
        let place = match name {
            dw::DW_AT_low_pc => &mut self.low,
            dw::DW_AT_high_pc => &mut self.high,
            dw::DW_AT_ranges => &mut self.list,
            _ => return,
        };
        *place = Some(*value);
    }

    /// Whether there is neither an address nor a list.
    pub fn is_empty(&self) -> bool {
        self.low.is_none() && self.list.is_none()
    }

    /// The ranges that it says, at most `budget`, which is lowered by their number.
    pub fn ranges(
        &self,
        file: &File,
        dwarf: &gimli::Dwarf<Slice<'a>>,
        unit: &Unit<Slice<'a>>,
        budget: &mut usize,
    ) -> Result<Vec<(u32, u32)>, gimli::Error> {
        if let Some(list) = &self.list
            && let Some(mut list) = dwarf.attr_ranges(unit, *list)?
        {
            let mut ranges = Vec::new();
            while let Some(range) = list.next()?
                && *budget > 0
            {
                *budget -= 1;
                ranges.extend(file.range(range.begin, range.end));
            }
            return Ok(ranges);
        }
        let Some(low) = self.low else { return Ok(Vec::new()) };
        let Some(begin) = dwarf.attr_address(unit, low)? else { return Ok(Vec::new()) };
        let end = match self.high {
            Some(AttributeValue::Udata(size)) => begin.checked_add(size),
            Some(high) => dwarf.attr_address(unit, high)?,
            None => None,
        };
        Ok(end.and_then(|end| file.range(begin, end)).into_iter().collect())
    }
}

impl Root {
    /// Reads the root entry; the abbreviations need to hold no more than its own. A split unit has a `skeleton`, which
    /// says for it what depends on where code lies.
    pub fn read<'a>(
        dwarf: &gimli::Dwarf<Slice<'a>>,
        header: &UnitHeader<Slice<'a>>,
        abbreviations: &Arc<Abbreviations>,
        skeleton: Option<&Root>,
    ) -> Result<(Root, Extent<'a>, Option<AttributeValue<Slice<'a>>>), gimli::Error> {
        let encoding = header.encoding();
        let entry = header.entry(abbreviations, header.root_offset())?;
        let mut root = Root {
            tag: entry.tag(),
            low_pc: skeleton.map_or(0, |skeleton| skeleton.low_pc),
            str_offsets_base: DebugStrOffsetsBase::default_for_encoding_and_file(encoding, dwarf.file_type),
            addr_base: skeleton.map_or(DebugAddrBase(0), |skeleton| skeleton.addr_base),
            loclists_base: DebugLocListsBase::default_for_encoding_and_file(encoding, dwarf.file_type),
            rnglists_base: match skeleton {
                Some(skeleton) if encoding.version < 5 => skeleton.rnglists_base,
                _ => DebugRngListsBase::default_for_encoding_and_file(encoding, dwarf.file_type),
            },
            line_program: None,
            is_split: false,
            dwo_id: match header.type_() {
                UnitType::Skeleton(id) | UnitType::SplitCompilation(id) => Some(id.0),
                _ => None,
            },
        };
        let (mut extent, mut directory) = (Extent::default(), None);
        for attribute in entry.attrs() {
            let value = attribute.value();
            extent.add(attribute.name(), &value);
            match (attribute.name(), value) {
                (dw::DW_AT_comp_dir, value) => directory = Some(value),
                (dw::DW_AT_dwo_name | dw::DW_AT_GNU_dwo_name, _) => root.is_split = true,
                (dw::DW_AT_GNU_dwo_id, AttributeValue::DwoId(id)) => root.dwo_id = Some(id.0),
                (dw::DW_AT_stmt_list, AttributeValue::DebugLineRef(offset)) => root.line_program = Some(offset),
                (dw::DW_AT_str_offsets_base, AttributeValue::DebugStrOffsetsBase(base)) => root.str_offsets_base = base,
                (_, AttributeValue::DebugAddrBase(base)) => root.addr_base = base,
                (_, AttributeValue::DebugLocListsBase(base)) => root.loclists_base = base,
                (_, AttributeValue::DebugRngListsBase(base)) => root.rnglists_base = base,
                _ => {}
            }
        }
        if let Some(low) = extent.low {
            let unit = root.unit(*header, abbreviations.clone());
            root.low_pc = dwarf.attr_address(&unit, low)?.unwrap_or(0);
        }
        Ok((root, extent, directory))
    }

    /// The unit as gimli wants it, without its line program.
    pub fn unit<'a>(&self, header: UnitHeader<Slice<'a>>, abbreviations: Arc<Abbreviations>) -> Unit<Slice<'a>> {
        Unit {
            header,
            abbreviations,
            name: None,
            comp_dir: None,
            low_pc: self.low_pc,
            str_offsets_base: self.str_offsets_base,
            addr_base: self.addr_base,
            loclists_base: self.loclists_base,
            rnglists_base: self.rnglists_base,
            line_program: None,
            dwo_id: None,
        }
    }
}

/// The abbreviation of a unit's root alone: with thousands of units, reading all of theirs would be most of the work.
/// Lowers `budget` by the bytes that it looked at; None if there is none, or the budget is used up.
pub fn root_abbreviation(
    dwarf: &gimli::Dwarf<Slice<'_>>,
    header: &UnitHeader<Slice<'_>>,
    code: u64,
    budget: &mut usize,
) -> Option<Abbreviations> {
    let section = dwarf.debug_abbrev.reader().slice();
    let mut input = EndianSlice::new(section.get(header.debug_abbrev_offset().0..)?, LittleEndian);
    for _ in 0..MOST_DECLARATIONS {
        let start = input;
        let found = skip_declaration(&mut input).ok()?;
        let declaration = start.slice().get(..start.len() - input.len())?;
        *budget = budget.checked_sub(declaration.len())?;
        if found == code {
            let mut alone = declaration.to_vec();
            alone.push(0);
            return DebugAbbrev::new(&alone, LittleEndian).abbreviations(DebugAbbrevOffset(0)).ok();
        }
    }
    None
}

/// Bytes of the table of abbreviations at an offset.
pub fn table_bytes(dwarf: &gimli::Dwarf<Slice<'_>>, offset: usize) -> usize {
    let section = dwarf.debug_abbrev.reader().slice();
    let mut input = EndianSlice::new(section.get(offset..).unwrap_or_default(), LittleEndian);
    let available = input.len();
    while skip_declaration(&mut input).is_ok() {}
    available - input.len()
}

/// Whether some abbreviation of `.debug_abbrev` has an attribute that only skeletons of split units have.
pub fn declares_skeletons(section: &[u8]) -> bool {
    let (mut input, mut is_found) = (EndianSlice::new(section, LittleEndian), false);
    let mut see =
        |name| is_found |= [dw::DW_AT_dwo_name, dw::DW_AT_GNU_dwo_name].iter().any(|it| u64::from(it.0) == name);
    while !input.is_empty() {
        let start = input;
        // A code of zero lies between two tables.
        if input.read_uleb128() == Ok(0) {
            continue;
        }
        input = start;
        if read_declaration(&mut input, &mut see).is_err() {
            break;
        }
    }
    is_found
}

/// Passes over an abbreviation's declaration and gives its code.
fn skip_declaration(input: &mut Slice<'_>) -> Result<u64, gimli::Error> {
    read_declaration(input, &mut |_| {})
}

/// Reads an abbreviation's declaration: gives its code, and shows the names of its attributes. DWARF 5, section 7.5.3.
fn read_declaration(input: &mut Slice<'_>, see: &mut dyn FnMut(u64)) -> Result<u64, gimli::Error> {
    let code = input.read_uleb128()?;
    if code == 0 {
        return Err(gimli::Error::InvalidAbbreviationCode(0)); // the end
    }
    input.read_uleb128()?; // tag
    input.read_u8()?; // children
    loop {
        let (name, form) = (input.read_uleb128()?, input.read_uleb128()?);
        if form == u64::from(dw::DW_FORM_implicit_const.0) {
            input.read_sleb128()?;
        }
        if (name, form) == (0, 0) {
            return Ok(code);
        }
        see(name);
    }
}
