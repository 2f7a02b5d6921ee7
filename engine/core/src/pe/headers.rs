//! The headers at the front of a PE file.

use super::PeError;
use crate::address::Rva;
use crate::bytes::{Reader, Truncated};
use crate::data::Data;

/// Most sections that the Windows loader accepts.
const MOST_SECTIONS: u16 = 96;
/// Data directories that are read.
pub const DIRECTORY_COUNT: usize = 16;

/// What the file header (COFF) and the optional header say.
#[derive(Debug, Clone)]
pub struct Header {
    /// IMAGE_FILE_MACHINE_….
    pub machine: u16,
    /// Half of the key.
    pub time_date_stamp: u32,
    /// The other half.
    pub size_of_image: u32,
    /// The address that it was linked for.
    pub image_base: u64,
    /// SizeOfHeaders: the headers are mapped at RVA 0.
    pub size_of_headers: u32,
    /// Where data directories are, and their sizes in bytes.
    pub directories: [(Rva, u32); DIRECTORY_COUNT],
    /// Bytes of an address: 4 (PE32) or 8 (PE32+).
    pub pointer_bytes: u32,
    /// RVA (= file offset) of the field ImageBase, which the loader changes.
    pub image_base_offset: u32,
    /// RVA (= file offset) of the field CheckSum, which tools change.
    pub check_sum_offset: u32,
    /// PointerToSymbolTable, an offset in the file; 0 if there is none.
    pub symbols_offset: u32,
    /// NumberOfSymbols, auxiliary records included.
    pub symbol_count: u32,
}

/// IMAGE_SECTION_HEADER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionHeader {
    name: [u8; 8],
    /// VirtualSize.
    pub virtual_bytes: u32,
    /// VirtualAddress.
    pub rva: Rva,
    /// SizeOfRawData, which is rounded up.
    pub raw_bytes: u32,
    /// PointerToRawData, an offset in the file.
    pub raw_offset: u32,
    /// Characteristics.
    pub flags: u32,
}

impl SectionHeader {
    /// Bytes in memory. (Linkers of the nineties left VirtualSize 0.)
    pub fn size_bytes(&self) -> u32 {
        if self.virtual_bytes == 0 { self.raw_bytes } else { self.virtual_bytes }
    }

    /// Bytes that the file holds of it, or ought to.
    pub fn held_bytes(&self) -> u32 {
        self.raw_bytes.min(self.size_bytes())
    }

    /// The name as it is in the header.
    pub fn short_name(&self) -> &[u8] {
        &self.name[..self.name.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)]
    }

    /// IMAGE_SCN_MEM_READ.
    pub fn is_readable(&self) -> bool {
        self.flags & 0x4000_0000 != 0
    }

    /// IMAGE_SCN_MEM_WRITE.
    pub fn is_writable(&self) -> bool {
        self.flags & 0x8000_0000 != 0
    }

    /// IMAGE_SCN_MEM_EXECUTE.
    pub fn is_executable(&self) -> bool {
        self.flags & 0x2000_0000 != 0
    }
}

/// Reads all headers.
pub(super) fn read(data: &Data) -> Result<(Header, Vec<SectionHeader>), PeError> {
    let mut input = Reader::new(data);
    if input.array().is_ok_and(|magic: [u8; 2]| &magic != b"MZ") || data.is_empty() {
        return Err(PeError::NotPe("it does not begin with MZ"));
    }
    let pe_offset = Reader::at(data, 0x3c)?.u32()?;
    let mut input = Reader::at(data, pe_offset as usize)?;
    if &input.array::<4>()? != b"PE\0\0" {
        return Err(PeError::NotPe("it has no PE signature"));
    }
    let machine = input.u16()?;
    let section_count = input.u16()?;
    let time_date_stamp = input.u32()?;
    let (symbols_offset, symbol_count) = (input.u32()?, input.u32()?);
    let optional_bytes = input.u16()?;
    input.skip(2)?;
    let optional_offset = input.offset() as u32;
    let header = read_optional_header(input.take(optional_bytes.into())?, optional_offset)?;
    if section_count > MOST_SECTIONS {
        return Err(PeError::Invalid(format!("{section_count} sections, at most {MOST_SECTIONS} are possible")));
    }
    let sections = (0..section_count).map(|_| read_section(&mut input)).collect::<Result<_, _>>()?;
    Ok((Header { machine, time_date_stamp, symbols_offset, symbol_count, ..header }, sections))
}

fn read_optional_header(header: &[u8], offset: u32) -> Result<Header, PeError> {
    let mut input = Reader::new(header);
    let is_64 = match input.u16()? {
        0x10b => false,
        0x20b => true,
        other => return Err(PeError::Invalid(format!("optional header of unknown kind {other:#x}"))),
    };
    let image_base_offset = if is_64 { 24 } else { 28 };
    let mut input = Reader::at(header, image_base_offset)?;
    let image_base = if is_64 { input.u64()? } else { input.u32()?.into() };
    let mut input = Reader::at(header, 56)?;
    let (size_of_image, size_of_headers) = (input.u32()?, input.u32()?);
    let mut input = Reader::at(header, if is_64 { 108 } else { 92 })?;
    let count = (input.u32()? as usize).min(DIRECTORY_COUNT);
    let mut directories = [(Rva(0), 0); DIRECTORY_COUNT];
    for directory in &mut directories[..count] {
        // Fewer directories than claimed: the others are not there.
        let (Ok(rva), Ok(size)) = (input.u32(), input.u32()) else { break };
        *directory = (Rva(rva), size);
    }
    Ok(Header {
        machine: 0,
        time_date_stamp: 0,
        size_of_image,
        image_base,
        size_of_headers,
        directories,
        pointer_bytes: if is_64 { 8 } else { 4 },
        image_base_offset: offset.wrapping_add(image_base_offset as u32),
        check_sum_offset: offset.wrapping_add(64),
        symbols_offset: 0,
        symbol_count: 0,
    })
}

fn read_section(input: &mut Reader<'_>) -> Result<SectionHeader, Truncated> {
    let name = input.array()?;
    let (virtual_bytes, rva, raw_bytes, raw_offset) = (input.u32()?, Rva(input.u32()?), input.u32()?, input.u32()?);
    input.skip(12)?; // relocations and line numbers, of object files
    Ok(SectionHeader { name, virtual_bytes, rva, raw_bytes, raw_offset, flags: input.u32()? })
}
