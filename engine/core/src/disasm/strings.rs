//! String literals: what looks like one, and how it is quoted.

use std::fmt::Write;

/// Bytes within which a literal without a symbol must end.
const LONGEST_GUESS_BYTES: usize = 512;
/// Characters that a literal without a symbol must have.
const SHORTEST_GUESS_CHARS: usize = 4;
/// Characters shown of a literal.
const LONGEST_QUOTE_CHARS: usize = 64;

/// How the characters of a literal are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// One byte per unit: ASCII or UTF-8.
    Narrow,
    /// Two bytes per unit, little-endian: UTF-16.
    Wide,
}

impl Encoding {
    /// The encoding of the literal that a decorated symbol names, if it names one.
    ///
    /// Microsoft's compilers and clang decorate literals as `??_C@_` + `0` (char) or `1` (wchar_t) + length, hash and
    /// text. Source: LLVM `MicrosoftMangle.cpp`, `mangleStringLiteral`.
    pub fn of_symbol(decorated: &str) -> Option<Encoding> {
        match decorated.strip_prefix("??_C@_")?.as_bytes().first()? {
            b'0' => Some(Encoding::Narrow),
            b'1' => Some(Encoding::Wide),
            _ => None,
        }
    }

    fn unit_bytes(self) -> usize {
        match self {
            Encoding::Narrow => 1,
            Encoding::Wide => 2,
        }
    }
}

/// Whether a symbol is that of a string literal: decorated, or undecorated, which leaves `` `string' `` of each.
pub fn is_literal_symbol(name: &str) -> bool {
    name == "`string'" || Encoding::of_symbol(name).is_some()
}

/// The text of a string literal, without its NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// The characters, raw. Units that are no character of the encoding became U+FFFD.
    pub text: String,
    /// How they are stored.
    pub encoding: Encoding,
    /// Whether the NUL was found: if not, there may be more text.
    pub is_complete: bool,
}

impl Literal {
    /// The literal at the start of `bytes`, which is known to be one; up to its NUL, or all there is.
    pub fn decode(bytes: &[u8], encoding: Encoding) -> Literal {
        let unit_bytes = encoding.unit_bytes();
        let units = bytes.chunks_exact(unit_bytes);
        let nul = units.clone().position(|unit| unit.iter().all(|&byte| byte == 0));
        let used = &bytes[..nul.unwrap_or(units.len()) * unit_bytes];
        let text = match encoding {
            Encoding::Narrow => String::from_utf8_lossy(used).into_owned(),
            Encoding::Wide => {
                let units = used.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
                char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
        };
        Literal { text, encoding, is_complete: nul.is_some() }
    }

    /// `"Hello World!\n"`, `L"wide"`: escaped as in C, what cannot be printed as `\xNN`, at most 64 characters.
    /// As in Visual Studio, dots follow the closing quote where there is more: `"Lorem ipsum"...`.
    pub fn quoted(&self) -> String {
        let mut quoted = String::from(match self.encoding {
            Encoding::Narrow => "\"",
            Encoding::Wide => "L\"",
        });
        let mut characters = self.text.chars();
        for character in characters.by_ref().take(LONGEST_QUOTE_CHARS) {
            push_escaped(&mut quoted, character);
        }
        quoted.push('"');
        if characters.next().is_some() || !self.is_complete {
            quoted.push_str("...");
        }
        quoted
    }
}

/// The literal at the start of `bytes`, if it looks like one: at least four characters, all of them printable or
/// white space, and a NUL within 512 bytes. Narrow text must be UTF-8.
///
/// Any pair of bytes is likely to be some character of UTF-16, so that numbers pass for text: wide text must also be
/// mostly of alphabets (Latin, Greek, Cyrillic), or wholly of East Asian scripts.
pub fn looks_like_text(bytes: &[u8]) -> Option<Literal> {
    let bytes = &bytes[..bytes.len().min(LONGEST_GUESS_BYTES)];
    [Encoding::Narrow, Encoding::Wide].into_iter().find_map(|encoding| {
        let literal = Literal::decode(bytes, encoding);
        let is_text = literal.is_complete
            && literal.text.chars().nth(SHORTEST_GUESS_CHARS - 1).is_some()
            && literal.text.chars().all(is_printable_or_space)
            && (encoding == Encoding::Narrow || is_of_one_kind(&literal.text));
        is_text.then_some(literal)
    })
}

fn is_of_one_kind(text: &str) -> bool {
    let alphabetic = text.chars().filter(|&character| character < '\u{530}').count();
    let east_asian = text.chars().filter(|&character| is_east_asian(character)).count();
    let all = text.chars().count();
    alphabetic * 2 > all || east_asian == all
}

/// Punctuation and kana, Han, Hangul, full-width forms.
fn is_east_asian(character: char) -> bool {
    matches!(character,
        '\u{3000}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ffef}')
}

fn is_printable_or_space(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r') || is_printable(character)
}

/// Whether a terminal shows it as one character: no controls, direction marks, private or unassigned characters.
fn is_printable(character: char) -> bool {
    // U+FFFD stands for what was no character.
    let is_shown = matches!(character, '"' | '\'' | '\\') || character.escape_debug().len() == 1;
    is_shown && character != char::REPLACEMENT_CHARACTER
}

fn push_escaped(quoted: &mut String, character: char) {
    let letter = match character {
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\x07' => 'a',
        '\x08' => 'b',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '"' | '\\' => character,
        _ if is_printable(character) || character == char::REPLACEMENT_CHARACTER => return quoted.push(character),
        _ => {
            // Writing to a String cannot fail.
            let _ = write!(quoted, "\\x{:02x}", u32::from(character));
            return;
        }
    };
    quoted.push('\\');
    quoted.push(letter);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn what_looks_like_text() {
        for (bytes, expected) in [
            (b"Hello World!\n\0rest".to_vec(), Some("\"Hello World!\\n\"")),
            ("für\0".into(), None),
            ("fürs\0".into(), Some("\"fürs\"")),
            (b"abcd".to_vec(), None),
            (b"abc\0".to_vec(), None),
            (b"abc\x01d\0".to_vec(), None),
            (b"abc\xff\0".to_vec(), None),
            (b"\0abcd\0".to_vec(), None),
            (wide("wide"), Some("L\"wide\"")),
            (wide("Привет"), Some("L\"Привет\"")),
            (wide("こんにちは"), Some("L\"こんにちは\"")),
            (wide("wid"), None),
            (wide("wide")[..8].to_vec(), None),
            // 0x4e20, 0x6100…: numbers that UTF-16 has characters for, of many scripts.
            ([0x4e20_u16, 0x0d13, 0x6100, 0x1234, 0].iter().flat_map(|unit| unit.to_le_bytes()).collect(), None),
            // A lone surrogate.
            ([0x61_u16, 0xd800, 0x62, 0x63, 0x64, 0].iter().flat_map(|unit| unit.to_le_bytes()).collect(), None),
        ] {
            let literal = looks_like_text(&bytes);
            assert_eq!(literal.map(|literal| literal.quoted()).as_deref(), expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn a_guess_must_end_within_512_bytes() {
        for (length, expected) in [(511, true), (512, false)] {
            let mut bytes = vec![b'a'; length];
            bytes.push(0);
            assert_eq!(looks_like_text(&bytes).is_some(), expected, "{length}");
        }
    }

    #[test]
    fn a_known_literal_is_believed() {
        for (bytes, encoding, quoted) in [
            (&b"%d\0"[..], Encoding::Narrow, r#""%d""#),
            (b"\0", Encoding::Narrow, r#""""#),
            (b"cut off", Encoding::Narrow, r#""cut off"..."#),
            (b"a\0\0\0", Encoding::Wide, r#"L"a""#),
            (b"a\0b", Encoding::Wide, r#"L"a"..."#),
            (b"\"\\\t\r\x07\x1b\x7f\0", Encoding::Narrow, r#""\"\\\t\r\a\x1b\x7f""#),
            ("\u{202e}'\0".as_bytes(), Encoding::Narrow, r#""\x202e'""#),
        ] {
            assert_eq!(Literal::decode(bytes, encoding).quoted(), quoted);
        }
    }

    #[test]
    fn long_literals_are_cut_at_64_characters() {
        for (length, dots) in [(64, ""), (65, "...")] {
            let text = "é".repeat(length) + "\0";
            let quoted = Literal::decode(text.as_bytes(), Encoding::Narrow).quoted();
            assert_eq!(quoted, format!("\"{}\"{dots}", "é".repeat(64)));
        }
    }

    #[test]
    fn decorated_names_of_literals() {
        for (decorated, expected) in [
            ("??_C@_0O@LPLBPPGD@Hello?5World?$CB?6?$AA@", Some(Encoding::Narrow)),
            ("??_C@_1M@ABCDEFGH@?$AAw?$AAi?$AAd?$AAe@", Some(Encoding::Wide)),
            ("??_C@_2", None),
            ("??_C@_", None),
            ("?g_counter@@3HA", None),
        ] {
            assert_eq!(Encoding::of_symbol(decorated), expected, "{decorated}");
        }
    }
}
