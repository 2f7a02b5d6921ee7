//! Notes, the build-id, and the names of other files.
//!
//! Source: System V gABI, "Note Section" and "Dynamic Section"; GDB manual, "Separate Debug Files"; DWARF 5, section
//! 7.3.6, "DWARF Supplementary Object Files", and its GNU forerunner `.gnu_debugaltlink`.

use super::Elf;
use super::headers::{section_kind, segment_kind, word};
use crate::bytes::Reader;
use crate::data::Data;

/// `NT_GNU_BUILD_ID`.
const BUILD_ID: u32 = 3;
/// `DT_STRTAB`.
const DYNAMIC_STRINGS: u64 = 5;
/// `DT_SONAME`.
const DYNAMIC_NAME: u64 = 14;
/// Longest build-id that is believed.
const MOST_ID_BYTES: usize = 64;

/// A note: who wrote it, which of their kinds it is, and what it says.
#[derive(Debug, Clone)]
pub struct Note {
    /// `GNU`, `CORE`, `LINUX`…, without the NUL.
    pub owner: Data,
    /// The owner's number for it.
    pub kind: u32,
    /// Its content.
    pub descriptor: Data,
}

/// Notes of one segment or section, in order; ends where one is cut off.
#[derive(Debug)]
pub struct NoteIter {
    bytes: Data,
    offset: u64,
    alignment: u64,
}

/// `.gnu_debuglink`: the name of the file with the debug information, and its CRC-32.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugLink {
    /// A file name without folders.
    pub name: String,
    /// CRC-32 (as of zlib) of the whole file.
    pub crc: u32,
}

/// `.gnu_debugaltlink`: the file with what several debug files have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugAltLink {
    /// A path, often relative to the file that holds the link.
    pub path: String,
    /// Build-id of that file.
    pub build_id: Vec<u8>,
}

/// The build-id that a run of notes holds.
pub fn build_id_in(notes: Data, alignment: u64) -> Option<Vec<u8>> {
    build_id_of(NoteIter::new(notes, alignment))
}

fn build_id_of(mut notes: impl Iterator<Item = Note>) -> Option<Vec<u8>> {
    let note = notes.find(|note| note.kind == BUILD_ID && &note.owner[..] == b"GNU")?;
    (1..=MOST_ID_BYTES).contains(&note.descriptor.len()).then(|| note.descriptor.to_vec())
}

impl NoteIter {
    fn new(bytes: Data, alignment: u64) -> NoteIter {
        // Only 8 counts: cores have 0 or 1 here, and mean 4.
        NoteIter { bytes, offset: 0, alignment: if alignment == 8 { 8 } else { 4 } }
    }

    fn next_part(&mut self, size: u32) -> Option<Data> {
        let part = self.bytes.part(self.offset, size.into())?;
        let end = self.offset.checked_add(size.into())?;
        self.offset = end.checked_next_multiple_of(self.alignment)?.min(self.bytes.len() as u64);
        Some(part)
    }
}

impl Iterator for NoteIter {
    type Item = Note;

    fn next(&mut self) -> Option<Note> {
        let mut input = Reader::at(&self.bytes, self.offset as usize).ok()?;
        let (owner_bytes, descriptor_bytes, kind) = (input.u32().ok()?, input.u32().ok()?, input.u32().ok()?);
        self.offset = input.offset() as u64;
        let owner = self.next_part(owner_bytes)?;
        let descriptor = self.next_part(descriptor_bytes)?;
        let length = owner.iter().position(|&byte| byte == 0).unwrap_or(owner.len());
        Some(Note { owner: owner.part(0, length as u64)?, kind, descriptor })
    }
}

impl Elf {
    /// All notes: those of the sections, then those of the segments; in most files they are the same.
    pub fn notes(&self) -> impl Iterator<Item = Note> + '_ {
        // In a debug file the segments have the offsets that they had in the whole file, where something else is now.
        let segments = self.segments().iter().filter(|segment| segment.kind == segment_kind::NOTE);
        let of_segments = segments.map(|segment| (self.segment_bytes(segment), segment.alignment));
        let sections = self.sections().iter().filter(|section| section.kind == section_kind::NOTE);
        let of_sections = sections.filter_map(|section| Some((self.section_bytes(section).ok()?, section.alignment)));
        let iterate = |(bytes, alignment): (Data, u64)| NoteIter::new(bytes, alignment);
        of_sections.flat_map(iterate).chain(of_segments.flat_map(iterate))
    }

    /// The build-id (`NT_GNU_BUILD_ID`), usually 20 bytes.
    pub fn build_id(&self) -> Option<Vec<u8>> {
        build_id_of(self.notes())
    }

    /// The name that a shared object gives itself (`DT_SONAME`).
    pub fn soname(&self) -> Option<String> {
        let segment = self.segments().iter().find(|segment| segment.kind == segment_kind::DYNAMIC)?;
        let dynamic = self.segment_bytes(segment);
        let mut input = Reader::new(&dynamic);
        let (mut strings, mut name) = (None, None);
        while let (Ok(tag), Ok(value)) = (word(&mut input, self.is_64()), word(&mut input, self.is_64())) {
            match tag {
                0 => break,
                DYNAMIC_STRINGS => strings = Some(value),
                DYNAMIC_NAME => name = Some(value),
                _ => {}
            }
        }
        let strings = self.bytes_at(strings?)?;
        let mut input = Reader::at(&strings, usize::try_from(name?).ok()?).ok()?;
        Some(text(input.c_string().ok()?))
    }

    /// `.gnu_debuglink`.
    pub fn debug_link(&self) -> Option<DebugLink> {
        let bytes = self.section_bytes(self.section_named(".gnu_debuglink")?).ok()?;
        let mut input = Reader::new(&bytes);
        let name = text(input.c_string().ok()?);
        input.align(4);
        Some(DebugLink { name, crc: input.u32().ok()? })
    }

    /// `.gnu_debugaltlink`.
    pub fn debug_alt_link(&self) -> Option<DebugAltLink> {
        let bytes = self.section_bytes(self.section_named(".gnu_debugaltlink")?).ok()?;
        let mut input = Reader::new(&bytes);
        let path = text(input.c_string().ok()?);
        let build_id = input.rest();
        (build_id.len() <= MOST_ID_BYTES).then(|| DebugAltLink { path, build_id: build_id.to_vec() })
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
