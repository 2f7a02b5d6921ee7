//! The hash of names by which symbols and types are found.
//!
//! Source: Microsoft, microsoft-pdb, misc.h (`LHashPbCb`); LLVM, `pdb::hashStringV1`.

/// The hash of a name: words are combined by exclusive or, case does not count.
pub fn hash(name: &[u8]) -> u32 {
    let mut words = name.chunks_exact(4);
    let mut value =
        words.by_ref().fold(0, |value, word| value ^ u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    let mut rest = words.remainder();
    if let [first, second, ..] = rest {
        value ^= u32::from(u16::from_le_bytes([*first, *second]));
        rest = &rest[2..];
    }
    if let [last] = rest {
        value ^= u32::from(*last);
    }
    value |= 0x2020_2020;
    value ^= value >> 11;
    value ^ value >> 16
}
