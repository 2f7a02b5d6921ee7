//! Records that an index leads to, each parsed from its line.
//!
//! Source: Breakpad, "Symbol file format" (`docs/symbol_files.md`). What a record has beyond its fields is passed over;
//! one whose address lies beyond 4 GiB is none of ours.

use super::index::Table;
use super::text::Fields;

/// What a symbol is called of which the dumper knew no name.
pub const OMITTED: &[u8] = b"<name omitted>";

/// `FUNC [m] address size parameter_size name`, or `PUBLIC [m] address parameter_size name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SymbolRecord<'a> {
    /// First byte.
    pub start: u32,
    /// Bytes; 0 of a `PUBLIC`, and of a function of which the dumper did not know how long it is.
    pub size_bytes: u32,
    /// To the end of the line.
    pub name: &'a [u8],
    /// Whether it is a `FUNC`.
    pub is_function: bool,
}

impl<'a> SymbolRecord<'a> {
    /// Parses a line.
    pub fn parse(line: &'a [u8]) -> Option<SymbolRecord<'a>> {
        let function = Fields::after(line, "FUNC");
        let is_function = function.is_some();
        let mut fields = function.or_else(|| Fields::after(line, "PUBLIC"))?;
        fields.skip_multiple();
        let start = fields.hex32()?;
        let size = if is_function { fields.hex()? } else { 0 };
        fields.hex()?; // bytes of parameters
        let name = match fields.rest() {
            b"" => OMITTED,
            name => name,
        };
        // The last byte of all has no end that is an address.
        let size_bytes = u32::try_from(size).unwrap_or(u32::MAX).min(u32::MAX - start);
        Some(SymbolRecord { start, size_bytes, name, is_function })
    }

    /// One past the last byte.
    pub fn end(&self) -> u32 {
        self.start + self.size_bytes
    }
}

/// `address size line file`: where the code of a part of a function comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRecord {
    /// First byte.
    pub start: u32,
    /// One past the last byte; equal to `start` if the record covers nothing.
    pub end: u32,
    /// 1-based; 0 and less tell that no line made this code.
    pub line: i64,
    /// A number that a `FILE` record declares, or should.
    pub file: i64,
}

impl LineRecord {
    /// Parses a line.
    pub fn parse(line: &[u8]) -> Option<LineRecord> {
        let mut fields = Fields::of(line);
        let (start, size) = (fields.hex32()?, fields.hex()?);
        let end = start.saturating_add(u32::try_from(size).unwrap_or(u32::MAX));
        Some(LineRecord { start, end, line: fields.decimal()?, file: fields.decimal()? })
    }
}

/// `INLINE nest_level call_line call_file origin [address size]+`: an inlined call and the ranges of its code.
#[derive(Clone)]
pub struct InlineRecord<'a> {
    /// 0 for a call that the function itself makes, 1 for one that this one makes, and so on.
    pub level: u32,
    /// Where it is called.
    pub call_line: i64,
    /// In which file; `None` in the older form of the record, which does not tell.
    pub call_file: Option<i64>,
    /// Which `INLINE_ORIGIN` is called.
    pub origin: u32,
    ranges: Fields<'a>,
}

impl<'a> InlineRecord<'a> {
    /// Parses a line.
    ///
    /// Folklore: the first dumpers that wrote this record left the file of the call out
    /// (`INLINE 0 42 1 15b45 6b1` for `INLINE 0 42 0 1 15b45 6b1`). Since addresses and sizes come in pairs, whether the
    /// count of fields is odd tells the forms apart.
    pub fn parse(line: &'a [u8]) -> Option<InlineRecord<'a>> {
        let mut fields = Fields::after(line, "INLINE")?;
        let (level, call_line) = (fields.number()?, fields.decimal()?);
        let mut left = fields.clone();
        let count = std::iter::from_fn(|| left.word()).count();
        let call_file = if count % 2 == 0 { Some(fields.decimal()?) } else { None };
        Some(InlineRecord { level, call_line, call_file, origin: fields.number()?, ranges: fields })
    }

    /// The half-open ranges of its code; the first that cannot be read ends them.
    pub fn ranges(&self) -> impl Iterator<Item = (u32, u32)> {
        let mut fields = self.ranges.clone();
        std::iter::from_fn(move || {
            let (start, size) = (fields.hex32()?, fields.hex32()?);
            Some((start, start.saturating_add(size)))
        })
    }
}

/// `FILE number name`, or `INLINE_ORIGIN number name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberedRecord<'a> {
    /// By which other records refer to it.
    pub number: u32,
    /// The file in which an inlined function stands, in the older form `INLINE_ORIGIN number file name`.
    pub file: Option<i64>,
    /// To the end of the line.
    pub name: &'a [u8],
}

impl<'a> NumberedRecord<'a> {
    /// Parses a `FILE`.
    pub fn file(line: &'a [u8]) -> Option<NumberedRecord<'a>> {
        let mut fields = Fields::after(line, "FILE")?;
        Some(NumberedRecord { number: fields.number()?, file: None, name: fields.rest() })
    }

    /// Parses an `INLINE_ORIGIN`. No function's name begins with a number that stands alone: that is the older form.
    pub fn origin(line: &'a [u8]) -> Option<NumberedRecord<'a>> {
        let mut fields = Fields::after(line, "INLINE_ORIGIN")?;
        let number = fields.number()?;
        let mut older = fields.clone();
        match older.decimal() {
            Some(file) if !older.clone().rest().is_empty() => {
                Some(NumberedRecord { number, file: Some(file), name: older.rest() })
            }
            _ => Some(NumberedRecord { number, file: None, name: fields.rest() }),
        }
    }
}

/// What every `STACK` record that starts a range has in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackRange {
    /// Which kind of record it is, by the table that leads to it.
    pub table: Table,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl StackRange {
    /// Parses the front of a line, and gives what follows the size; `None` if the record is damaged, or is none of the
    /// three that start a range and are used. Of `STACK WIN` the documentation uses types 4 and 0 alone.
    pub fn parse(line: &[u8]) -> Option<(StackRange, Fields<'_>)> {
        let (table, mut fields) = match Fields::after(line, "STACK CFI INIT") {
            Some(fields) => (Table::Cfi, fields),
            None => {
                let mut fields = Fields::after(line, "STACK WIN")?;
                match fields.hex()? {
                    4 => (Table::FrameData, fields),
                    0 => (Table::Fpo, fields),
                    _ => return None,
                }
            }
        };
        let (start, size) = (fields.hex32()?, fields.hex()?);
        let end = start.saturating_add(u32::try_from(size).unwrap_or(u32::MAX));
        Some((StackRange { table, start, end }, fields))
    }
}
