//! A unit's line table: which code belongs to which line of which file.
//!
//! Source: DWARF 5, section 6.2, "Line Number Information".

use std::sync::OnceLock;

use gimli::{AttributeValue, DebugLineOffset, LineProgramHeader};

use super::file::{File, Slice};
use super::unit::{MOST_TEXT_BYTES, Unit, View};
use crate::debuginfo::{Checksum, SourceFile, SourceLocation};

/// The rows of a unit and its files.
#[derive(Default)]
pub struct Lines {
    /// In address order; none is empty, and none overlaps the next one of its sequence.
    rows: Vec<Row>,
    /// As many as the program names, and each read when it is asked for.
    files: Vec<OnceLock<Option<SourceFile>>>,
    /// Whether files are counted from 1 (before DWARF 5).
    first_file: u64,
}

/// A row: `[start, end)` belongs to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// First byte.
    pub start: u32,
    /// One past the last.
    pub end: u32,
    /// The file's number in the program.
    pub file: u32,
    /// Line; 0 if there is no source.
    pub line: u32,
    /// Whether a statement begins.
    pub is_statement: bool,
}

impl Lines {
    /// Runs the program at an offset of `.debug_line`. What comes after damage is left out.
    pub fn read(file: &File, view: &View<'_>, offset: DebugLineOffset) -> Result<Lines, gimli::Error> {
        let program = view.dwarf.debug_line.program(offset, view.unit.header.address_size(), None, None)?;
        let header = program.header();
        let first_file = if header.version() <= 4 { 1 } else { 0 };
        let files = header.file_names().iter().map(|_| OnceLock::new()).collect();
        let mut lines = Lines { rows: Vec::new(), files, first_file };
        let mut sequence: Vec<Row> = Vec::new();
        let mut rows = program.rows();
        let mut previous: Option<(u64, Row)> = None;
        while let Ok(Some((_, row))) = rows.next_row() {
            if let Some((address, mut held)) = previous.take()
                && let Some((start, end)) = file.range(address, row.address())
            {
                (held.start, held.end) = (start, end);
                sequence.push(held);
            }
            if row.end_sequence() {
                lines.rows.append(&mut sequence);
                continue;
            }
            let line = row.line().map_or(0, |line| u32::try_from(line.get()).unwrap_or(0));
            let file = u32::try_from(row.file_index()).unwrap_or(u32::MAX);
            previous = Some((row.address(), Row { start: 0, end: 0, file, line, is_statement: row.is_stmt() }));
        }
        lines.rows.sort_by_key(|row| row.start);
        Ok(lines)
    }

    /// The row that covers `rva`; of several the one that begins last.
    pub fn row_at(&self, rva: u32) -> Option<&Row> {
        let after = self.rows.partition_point(|row| row.start <= rva);
        self.rows[..after].iter().rev().take(16).find(|row| rva < row.end)
    }

    /// Rows that overlap `[start, end)`, in address order.
    pub fn rows_in(&self, start: u32, end: u32) -> impl Iterator<Item = &Row> {
        let after = self.rows.partition_point(|row| row.start <= start);
        let first = after.saturating_sub(1);
        self.rows[first..].iter().take_while(move |row| row.start < end).filter(move |row| row.end > start)
    }

    /// The file with a number of the program.
    pub fn file(&self, number: u64, unit: &Unit, file: &File) -> Option<SourceFile> {
        let place = usize::try_from(number.checked_sub(self.first_file)?).ok()?;
        self.files.get(place)?.get_or_init(|| read_file(number, unit, file)).clone()
    }

    /// A line of a file; None where there is no source.
    pub fn location(&self, number: u64, line: u32, unit: &Unit, file: &File) -> Option<SourceLocation> {
        (line != 0).then(|| Some(SourceLocation { file: self.file(number, unit, file)?, line }))?
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Roughly how much memory it takes.
    pub fn size_bytes(&self) -> usize {
        self.rows.len() * size_of::<Row>() + self.files.len() * 160
    }
}

fn read_file(number: u64, unit: &Unit, file: &File) -> Option<SourceFile> {
    let view = unit.own_view(file)?;
    let address_size = view.unit.header.address_size();
    let program = view.dwarf.debug_line.program(unit.line_program()?, address_size, None, None).ok()?;
    let header = program.header();
    let entry = header.file(number)?;
    let name = view.text(entry.path_name())?;
    let directory = directory(&view, header, entry.directory_index(), unit);
    let path = match directory {
        Some(directory) => join(&directory, &name),
        None => name,
    };
    let checksum = header.file_has_md5().then(|| Checksum::Md5(entry.md5().to_vec()));
    Some(SourceFile { path, checksum })
}

/// A directory of the program, which may itself be relative to where the compiler ran.
fn directory<'a>(view: &View<'a>, header: &LineProgramHeader<Slice<'a>>, index: u64, unit: &Unit) -> Option<String> {
    let own: Option<AttributeValue<Slice<'a>>> = header.directory(index);
    let own = own.and_then(|own| view.text(own));
    match (own, &unit.directory) {
        // Since DWARF 5, directory 0 is where the compiler ran.
        (Some(own), _) if index == 0 => Some(own),
        (Some(own), Some(of_unit)) => Some(join(of_unit, &own)),
        (own, of_unit) => own.or_else(|| of_unit.clone()),
    }
}

/// `path` seen from `directory`, in the spelling of the system that the program was built on.
fn join(directory: &str, path: &str) -> String {
    let bytes = path.as_bytes();
    let has_drive = bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
    if has_drive || path.starts_with(['/', '\\']) || directory.is_empty() {
        return path.to_owned();
    }
    let separator = if directory.contains('\\') && !directory.contains('/') { '\\' } else { '/' };
    let mut joined = format!("{}{separator}{path}", directory.trim_end_matches(['/', '\\']));
    while joined.len() > MOST_TEXT_BYTES {
        joined.pop();
    }
    joined
}
