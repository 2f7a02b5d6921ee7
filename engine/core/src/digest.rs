//! A digest of what is kept on disk: it tells accidents, not attacks.

/// Each step maps states one to one, so that a change within one word of eight bytes always changes the result.
pub fn digest(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15; // odd: 2^64 divided by the golden ratio
    let step = |state: u64, word: u64| (state ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    let state = words.iter().fold(bytes.len() as u64, |state, word| step(state, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let state = step(state, u64::from_le_bytes(last));
    step(state, state >> 32)
}
