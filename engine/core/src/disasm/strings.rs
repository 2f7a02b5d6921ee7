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
