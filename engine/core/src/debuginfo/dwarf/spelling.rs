//! Names as they are compared: spaces count where they part two words, and nowhere else.
//!
//! Compilers spell the same type differently (`vector<int, allocator<int> >`, `vector<int,allocator<int>>`), and so do
//! people.

/// What is hashed of a name.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// A name that is put together from its scopes, as a number. (FNV-1a, and the last character for what follows.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spelling {
    hash: u64,
    last: u8,
}

impl Spelling {
    /// The empty name.
    pub const EMPTY: Spelling = Spelling { hash: SEED, last: b' ' };

    /// The name with `text` behind it.
    pub fn and(mut self, text: &[u8]) -> Spelling {
        for byte in significant(self.last, text) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(PRIME);
            self.last = byte;
        }
        self
    }

    /// What equal names have in common.
    pub fn number(self) -> u64 {
        self.hash
    }
}

/// Whether two names differ at most in spaces that do not count.
pub fn is_same(one: &str, other: &str) -> bool {
    significant(b' ', one.as_bytes()).eq(significant(b' ', other.as_bytes()))
}

/// Bytes that count; `last` is what came before them.
fn significant(last: u8, text: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    let mut last = last;
    text.iter().enumerate().filter_map(move |(index, &byte)| {
        if byte == b' ' {
            let next = text.get(index + 1).copied().unwrap_or(b' ');
            if !is_word(last) || !is_word(next) {
                return None;
            }
        }
        last = byte;
        Some(byte)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_count_between_words_only() {
        for (one, other, expected) in [
            ("std::vector<int, std::allocator<int> >", "std::vector<int,std::allocator<int>>", true),
            ("unsigned int", "unsignedint", false),
            ("unsigned int", "unsigned  int", true),
            ("(anonymous namespace)::Rect", "(anonymousnamespace)::Rect", false),
            ("Array<const char *>", "Array<const char*>", true),
            ("a::b", "a::c", false),
            ("a", "", false),
        ] {
            assert_eq!(is_same(one, other), expected, "{one} {other}");
            let number = |text: &str| Spelling::EMPTY.and(text.as_bytes()).number();
            assert_eq!(number(one) == number(other), expected, "{one} {other}");
        }
    }

    #[test]
    fn a_name_in_parts_is_the_name_as_a_whole() {
        let parts = Spelling::EMPTY.and(b"std").and(b"::").and(b"pair<int, int>");
        assert_eq!(parts, Spelling::EMPTY.and(b"std::pair<int,int>"));
    }
}
