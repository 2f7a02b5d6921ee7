//! Lines of the text, and their fields.
//!
//! Folklore: fields are separated by single spaces, says the documentation, and a name reaches to the end of its line.
//! Files that went through an editor or an archive on Windows end their lines in CR LF, some dumpers align with tabs, and
//! a file that was written by a script may lack its last newline. All of these are read.

use memchr::memchr;

/// The line that begins at `offset` of `text`, without what ends it; `None` if no line begins there.
pub fn line_at(text: &[u8], offset: u64) -> Option<&[u8]> {
    let offset = usize::try_from(offset).ok()?;
    let begins = offset == 0 || text.get(offset - 1) == Some(&b'\n');
    let rest = text.get(offset..).filter(|rest| begins && !rest.is_empty())?;
    Some(without_end(&rest[..memchr(b'\n', rest).unwrap_or(rest.len())]))
}

/// Offsets and contents of the lines from `offset` on, where a line begins.
pub fn lines_from(text: &[u8], offset: u64) -> impl Iterator<Item = (u64, &[u8])> {
    let mut next = offset;
    std::iter::from_fn(move || {
        let rest = text.get(usize::try_from(next).ok()?..).filter(|rest| !rest.is_empty())?;
        let (at, length) = (next, memchr(b'\n', rest).unwrap_or(rest.len()));
        next += length as u64 + 1;
        Some((at, without_end(&rest[..length])))
    })
}

/// A line without the carriage return and the blanks at its end.
pub fn without_end(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

/// The fields of a record, taken one by one.
#[derive(Clone)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The fields of `line` after `keyword`, which may be two words.
    pub fn after(line: &'a [u8], keyword: &str) -> Option<Fields<'a>> {
        let rest = line.strip_prefix(keyword.as_bytes())?;
        matches!(rest.first(), None | Some(b' ' | b'\t')).then_some(Fields(rest))
    }

    /// All fields of `line`.
    pub fn of(line: &'a [u8]) -> Fields<'a> {
        Fields(line)
    }

    /// The next field.
    pub fn word(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.trim_ascii_start();
        let end = rest.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(rest.len());
        self.0 = &rest[end..];
        (end > 0).then(|| &rest[..end])
    }

    /// The next field, which is a hexadecimal number of at most 64 bits.
    pub fn hex(&mut self) -> Option<u64> {
        let word = self.word()?;
        let digit = |&byte: &u8| (byte as char).to_digit(16).map(u64::from);
        let add = |value: u64, byte| Some(value.checked_mul(16)? | digit(byte)?);
        word.iter().try_fold(0, add)
    }

    /// The next field, which is a hexadecimal number of at most 32 bits: greater ones are no offset in an image here.
    pub fn hex32(&mut self) -> Option<u32> {
        u32::try_from(self.hex()?).ok()
    }

    /// The next field, which is a decimal number and may be negative.
    pub fn decimal(&mut self) -> Option<i64> {
        std::str::from_utf8(self.word()?).ok()?.parse().ok()
    }

    /// The next field, which numbers a file or the like.
    pub fn number(&mut self) -> Option<u32> {
        u32::try_from(self.decimal()?).ok()
    }

    /// Passes over the marker `m` of records that stand for several symbols which the linker folded into one.
    pub fn skip_multiple(&mut self) {
        let mut ahead = self.clone();
        while ahead.word() == Some(b"m") {
            *self = ahead.clone();
        }
    }

    /// Bytes that are left, blanks included.
    pub fn left(&self) -> usize {
        self.0.len()
    }

    /// What is left, blanks included: a name, a program.
    pub fn rest(self) -> &'a [u8] {
        self.0.trim_ascii()
    }
}

/// Text of the file as a name: at most `most` bytes of it, and what is not UTF-8 replaced.
pub fn name(bytes: &[u8], most: usize) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(most)]).into_owned()
}
