//! Inlined calls: where inlined functions begin in their sources, and the annotations that map code to lines in them.
//!
//! Source: Microsoft, cvinfo.h (CV_InlineeSourceLine, BinaryAnnotationOpcode); LLVM, CodeView.h and MCCodeView.cpp.

use std::collections::HashMap;

use super::lines::{INLINEE_LINES, subsections};
use crate::bytes::{Reader, Truncated};

/// Most rows that one site's annotations may make.
const MOST_ROWS: usize = 1 << 16;

/// Where inlined functions begin, by the id that sites name them with.
pub struct Inlinees(HashMap<u32, Start>);

/// The first line of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Offset of the file in the checksums.
    pub file: u32,
    /// Its line.
    pub line: u32,
}

impl Inlinees {
    /// Reads a module's subsections of inlinee lines.
    pub fn read(c13: &[u8]) -> Inlinees {
        let mut starts = HashMap::new();
        for (_, range) in subsections(c13).filter(|(kind, _)| *kind == INLINEE_LINES) {
            // What is damaged ends its subsection.
            let _ = read_starts(c13.get(range).unwrap_or_default(), &mut starts);
        }
        Inlinees(starts)
    }

    /// Where an inlinee begins.
    pub fn get(&self, inlinee: u32) -> Option<Start> {
        self.0.get(&inlinee).copied()
    }
}

fn read_starts(bytes: &[u8], starts: &mut HashMap<u32, Start>) -> Result<(), Truncated> {
    let mut input = Reader::new(bytes);
    let has_extra_files = input.u32()? == 1;
    while !input.is_empty() {
        let (inlinee, file, line) = (input.u32()?, input.u32()?, input.u32()?);
        if has_extra_files {
            let extra = input.count_of(4)?;
            input.skip(extra * 4)?;
        }
        starts.insert(inlinee, Start { file, line });
    }
    Ok(())
}

/// A row of an inlined call; offsets count from the start of the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InlineRow {
    /// First byte.
    pub offset: u32,
    /// One past the last byte.
    pub end: u32,
    /// Offset of the file in the checksums.
    pub file: u32,
    /// Line.
    pub line: u32,
}

/// The state that annotations change, and the rows that they make.
struct Decoder {
    offset: u32,
    file: u32,
    line: u32,
    rows: Vec<InlineRow>,
    /// Whether the end of the last row is known.
    is_closed: bool,
}

impl Decoder {
    fn begin_row(&mut self) {
        self.end_row(self.offset);
        self.rows.push(InlineRow { offset: self.offset, end: u32::MAX, file: self.file, line: self.line });
        self.is_closed = false;
    }

    fn end_row(&mut self, end: u32) {
        if let Some(last) = self.rows.last_mut()
            && !self.is_closed
        {
            last.end = end;
            self.is_closed = true;
        }
    }

    fn move_line(&mut self, encoded: u32) {
        self.line = self.line.wrapping_add_signed(signed(encoded));
    }
}

/// Decodes a site's annotations into rows in address order. The last row may have no end: it is cut at `function_bytes`.
pub fn decode(annotations: &[u8], start: Start, function_bytes: u32) -> Vec<InlineRow> {
    let mut decoder = Decoder { offset: 0, file: start.file, line: start.line, rows: Vec::new(), is_closed: true };
    let mut input = Reader::new(annotations);
    while decoder.rows.len() < MOST_ROWS {
        match step(&mut input, &mut decoder) {
            Ok(true) => {}
            Ok(false) | Err(_) => break,
        }
    }
    decoder.end_row(function_bytes);
    let mut rows = decoder.rows;
    rows.retain(|row| row.offset < row.end);
    rows.sort_by_key(|row| row.offset);
    rows
}

/// One annotation; false at the end. Lengths of code both end the row and move the offset to its end.
fn step(input: &mut Reader<'_>, decoder: &mut Decoder) -> Result<bool, Truncated> {
    if input.is_empty() {
        return Ok(false);
    }
    match compressed(input)? {
        0 => return Ok(false), // padding
        1 | 2 => decoder.offset = compressed(input)?,
        3 => {
            decoder.offset = decoder.offset.wrapping_add(compressed(input)?);
            decoder.begin_row();
        }
        4 => {
            decoder.offset = decoder.offset.wrapping_add(compressed(input)?);
            decoder.end_row(decoder.offset);
        }
        5 => decoder.file = compressed(input)?,
        6 => {
            let delta = compressed(input)?;
            decoder.move_line(delta);
        }
        11 => {
            let both = compressed(input)?;
            decoder.move_line(both >> 4);
            decoder.offset = decoder.offset.wrapping_add(both & 0xf);
            decoder.begin_row();
        }
        12 => {
            let (length, delta) = (compressed(input)?, compressed(input)?);
            decoder.offset = decoder.offset.wrapping_add(delta);
            decoder.begin_row();
            decoder.offset = decoder.offset.wrapping_add(length);
            decoder.end_row(decoder.offset);
        }
        // Ends of lines, kinds of ranges, columns: not used.
        7..=10 | 13 => {
            compressed(input)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// An unsigned number of one, two or four bytes, by its leading bits `0`, `10`, `110`.
fn compressed(input: &mut Reader<'_>) -> Result<u32, Truncated> {
    let first = u32::from(input.u8()?);
    if first & 0x80 == 0 {
        return Ok(first);
    }
    let second = u32::from(input.u8()?);
    if first & 0xc0 == 0x80 {
        return Ok((first & 0x3f) << 8 | second);
    }
    let (third, fourth) = (u32::from(input.u8()?), u32::from(input.u8()?));
    Ok((first & 0x1f) << 24 | second << 16 | third << 8 | fourth)
}

/// A signed number: the lowest bit is its sign.
fn signed(encoded: u32) -> i32 {
    let magnitude = (encoded >> 1) as i32;
    if encoded & 1 != 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(offset: u32, end: u32, line: u32) -> InlineRow {
        InlineRow { offset, end, file: 0x18, line }
    }

    #[test]
    fn annotations_make_rows() {
        let start = Start { file: 0x18, line: 10 };
        // ChangeCodeOffsetAndLineOffset: code +4, line +1 (encoded 2); ChangeCodeOffset +6; ChangeCodeLength 5.
        assert_eq!(decode(&[11, 0x24, 3, 6, 4, 5], start, 100), [row(4, 10, 11), row(10, 15, 11)]);
        // ChangeLineOffset -2 (encoded 5), ChangeCodeLengthAndCodeOffset 3 at +8; the next delta counts from its end.
        assert_eq!(decode(&[6, 5, 12, 3, 8, 3, 1, 4, 2, 0, 0], start, 100), [row(8, 11, 8), row(12, 14, 8)]);
        // Without a length the last row goes on to the end of the function.
        assert_eq!(decode(&[3, 1], start, 100), [row(1, 100, 10)]);
        // A file changes for the rows that follow.
        assert_eq!(decode(&[5, 0x30, 3, 1, 4, 1], start, 9), [InlineRow { file: 0x30, ..row(1, 2, 10) }]);
        assert_eq!(decode(&[3], start, 100), []);
    }

    #[test]
    fn compressed_numbers_have_one_two_or_four_bytes() {
        // Values and encodings of cvinfo.h's CVCompressData.
        for (bytes, value) in [
            (&[0x7f][..], 0x7f),
            (&[0x80, 0x80], 0x80),
            (&[0xbf, 0xff], 0x3fff),
            (&[0xc0, 0x00, 0x40, 0x00], 0x4000),
            (&[0xdf, 0xff, 0xff, 0xff], 0x1fff_ffff),
        ] {
            assert_eq!(compressed(&mut Reader::new(bytes)), Ok(value));
        }
        assert_eq!([0, 1, 2, 3, 4, 5].map(signed), [0, 0, 1, -1, 2, -2]);
    }
}
