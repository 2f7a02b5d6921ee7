//! A little-endian cursor over a slice: each method takes one thing off the front, or fails and says where.

use thiserror::Error;

/// The bytes ended before the thing that was to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("truncated at offset {offset:#x}: {needed} bytes needed, {left} left")]
pub struct Truncated {
    /// Where the read began, in bytes from the start of what the cursor was made over.
    pub offset: usize,
    /// Bytes that the read needed.
    pub needed: usize,
    /// Bytes that were left.
    pub left: usize,
}

/// A cursor over `bytes`. Values are little-endian.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// A cursor at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, offset: 0 }
    }

    /// A cursor at `offset` of `bytes`; offsets beyond the end fail.
    pub fn at(bytes: &'a [u8], offset: usize) -> Result<Reader<'a>, Truncated> {
        if offset > bytes.len() {
            return Err(Truncated { offset, needed: 0, left: 0 });
        }
        Ok(Reader { bytes, offset })
    }

    /// Bytes read so far (from the start of the slice).
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes not read yet.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.left() == 0
    }

    /// The bytes not read yet.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.offset..]
    }

    /// The next `size` bytes.
    pub fn take(&mut self, size: usize) -> Result<&'a [u8], Truncated> {
        if size > self.left() {
            return Err(Truncated { offset: self.offset, needed: size, left: self.left() });
        }
        let taken = &self.bytes[self.offset..self.offset + size];
        self.offset += size;
        Ok(taken)
    }

    /// Passes over `size` bytes.
    pub fn skip(&mut self, size: usize) -> Result<(), Truncated> {
        self.take(size).map(|_| ())
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, Truncated> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16, Truncated> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32, Truncated> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Four bytes, signed.
    pub fn i32(&mut self) -> Result<i32, Truncated> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> Result<u64, Truncated> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Sixteen bytes.
    pub fn u128(&mut self) -> Result<u128, Truncated> {
        Ok(u128::from_le_bytes(self.array()?))
    }

    /// A `u32` count of records of `record_size` bytes each; fails if the rest cannot hold so many.
    pub fn count_of(&mut self, record_size: usize) -> Result<usize, Truncated> {
        let count = self.u32()? as usize;
        self.check_count(count, record_size)?;
        Ok(count)
    }

    /// Fails if the rest cannot hold `count` records of `record_size` bytes.
    pub fn check_count(&self, count: usize, record_size: usize) -> Result<(), Truncated> {
        let needed = count.saturating_mul(record_size);
        if needed > self.left() {
            return Err(Truncated { offset: self.offset, needed, left: self.left() });
        }
        Ok(())
    }

    /// Bytes up to a NUL, which is passed over and not part of the result.
    pub fn c_string(&mut self) -> Result<&'a [u8], Truncated> {
        let rest = self.rest();
        match rest.iter().position(|&byte| byte == 0) {
            Some(end) => {
                self.offset += end + 1;
                Ok(&rest[..end])
            }
            None => Err(Truncated { offset: self.offset, needed: rest.len() + 1, left: rest.len() }),
        }
    }

    /// Moves on to the next offset that is a multiple of `alignment`, or to the end.
    pub fn align(&mut self, alignment: usize) {
        let aligned = self.offset.next_multiple_of(alignment);
        self.offset = aligned.min(self.bytes.len());
    }
}

/// The slice of `bytes` that starts at `offset` and has `size` bytes: the one place where a position that a
/// file claims is checked against the file's length.
pub fn slice_at(bytes: &[u8], offset: u64, size: u64) -> Result<&[u8], Truncated> {
    let length = bytes.len() as u64;
    match offset.checked_add(size) {
        Some(end) if end <= length => Ok(&bytes[offset as usize..end as usize]),
        _ => Err(Truncated {
            offset: offset.min(usize::MAX as u64) as usize,
            needed: size.min(usize::MAX as u64) as usize,
            left: length.saturating_sub(offset) as usize,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_the_rest_cannot_hold_is_refused_before_anything_is_allocated() {
        let bytes = [0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4];
        let error = Reader::new(&bytes).count_of(16).unwrap_err();
        assert_eq!(error, Truncated { offset: 4, needed: 0xffff_ffff * 16, left: 4 });
    }

    #[test]
    fn slices_end_where_the_file_ends() {
        let bytes = [1, 2, 3];
        for (offset, size, expected) in [
            (0, 3, Some(&[1, 2, 3][..])),
            (3, 0, Some(&[][..])),
            (2, 1, Some(&[3][..])),
            (2, 2, None),
            (4, 0, None),
            (u64::MAX, 1, None),
            (1, u64::MAX, None),
        ] {
            assert_eq!(slice_at(&bytes, offset, size).ok(), expected, "{offset} {size}");
        }
    }

    #[test]
    fn a_string_without_its_end_says_so() {
        let mut input = Reader::new(b"ab\0cd");
        assert_eq!(input.c_string(), Ok(&b"ab"[..]));
        assert_eq!(input.c_string(), Err(Truncated { offset: 3, needed: 3, left: 2 }));
    }
}
